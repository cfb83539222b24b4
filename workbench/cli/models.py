"""`workbench models`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from workbench.cli.context import (
    JsonOption,
    group,
    out,
    print_json,
    print_table,
    project,
    state_text,
    when,
)

__all__ = ["app"]

app = group("Models: versions, aliases and the evidence they moved on.")

Name = Annotated[str, typer.Argument(metavar="NAME")]


@app.command("list")
def list_(json_: JsonOption = False) -> None:
    """List registered models."""
    from workbench.registry import list_models

    models = list_models(project())
    if json_:
        print_json(models)
        return
    print_table(
        "Models",
        ("name", "versions", "aliases"),
        (
            (m.name, str(len(m.versions)), ", ".join(f"{a} → {v}" for a, v in m.aliases.items()))
            for m in models
        ),
        empty="no models yet: workbench factory run NAME",
    )


@app.command()
def show(name: Name, json_: JsonOption = False) -> None:
    """Show one model with its versions, newest first."""
    from workbench.registry import get_model

    model = get_model(project(), name)
    if json_:
        print_json(model)
        return
    names = ("roc_auc", "average_precision", "brier", "log_loss", "base_rate")
    print_table(
        model.name,
        ("version", "aliases", "gate", *names, "made", "run"),
        (
            (
                v.version,
                ", ".join(v.aliases),
                state_text(v.gate),
                *(f"{v.metrics[n]:.4f}" if n in v.metrics else "–" for n in names),
                when(v.created_at),
                v.run_id[:8],
            )
            for v in model.versions
        ),
        empty="no versions",
    )


@app.command()
def history(name: Name, json_: JsonOption = False) -> None:
    """Show who moved which alias when, why and on what evidence."""
    from workbench.registry import get_model, list_decisions

    here = project()
    decisions = list_decisions(here, get_model(here, name).name)
    if json_:
        print_json(decisions)
        return
    print_table(
        f"Decisions on {name}",
        ("when", "by", "alias", "version", "before", "outcome", "reason"),
        (
            (
                when(d.decided_at),
                d.decided_by,
                d.alias,
                d.version,
                d.previous or "–",
                state_text(d.outcome),
                d.reason,
            )
            for d in decisions
        ),
        empty="no decisions",
    )


@app.command()
def promote(
    name: Name,
    version: Annotated[str, typer.Argument(metavar="VERSION")],
    alias: Annotated[str, typer.Option("--alias", help="The alias to move.")] = "champion",
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays in the record.")] = "",
    json_: JsonOption = False,
) -> None:
    """Give a version an alias, if its newest gate passed."""
    from workbench.registry import promote as give

    decision = give(project(), name, version, alias, reason=reason or "by hand")
    if json_:
        print_json(decision)
        return
    before = f" (before: {decision.previous})" if decision.previous else ""
    out.print(Text(f"{name} version {version} is {alias}{before}"))
