"""`workbench models`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from workbench.cli.context import (
    JsonOption,
    group,
    print_json,
    print_table,
    project,
    state_text,
    when,
)

if TYPE_CHECKING:
    from workbench.registry import Version

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


def _metrics(versions: Sequence[Version]) -> list[str]:
    """Choose what there is room for: of each task those that versions are mostly compared by."""
    found = dict.fromkeys(name for version in versions for name in version.metrics)
    known = ("roc_auc", "average_precision", "brier", "log_loss", "base_rate", "rmse", "mae", "r2")
    return [name for name in known if name in found]


@app.command()
def show(name: Name, json_: JsonOption = False) -> None:
    """Show one model with its versions, newest first."""
    from workbench.registry import get_model

    model = get_model(project(), name)
    if json_:
        print_json(model)
        return
    names = _metrics(model.versions)
    print_table(
        model.name,
        ("version", "aliases", "gate", *names, "stored as", "made", "run"),
        (
            (
                v.version,
                ", ".join(v.aliases),
                state_text(v.gate),
                *(f"{v.metrics[n]:.4f}" if n in v.metrics else "–" for n in names),
                Text(v.format or "–", style="red" if v.format == "pickle" else ""),
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
    from workbench.registry import aliases_of, list_decided, list_decisions

    here = project()
    aliases_of(here, name)  # there has to be such a model
    if json_:
        print_json(list_decisions(here, name))
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
                Text.assemble(state_text(d.outcome), " (override)" if d.override else ""),
                d.reason,
            )
            for d in list_decided(here, name)
        ),
        empty="no decisions",
    )


@app.command()
def production(json_: JsonOption = False) -> None:
    """Show what is in production: since when, by whom, how it fares, whose it is, what it cost."""
    from workbench.monitoring import production as ask

    found = ask(project())
    if json_:
        print_json(found)
        return
    columns = ("model", "version", "since", "by", "health", "alerts", "cost", "owner", "remark")
    rows = (
        (
            f"{one.model}@{one.alias}",
            one.version,
            when(one.since) if one.since else "–",
            one.by or "–",
            state_text(one.status),
            str(one.open_alerts),
            _cost(one.cost),
            one.owner or "–",
            f"gate overridden: {one.override}" if one.override else one.reason,
        )
        for one in found
    )
    print_table("In production", columns, rows, empty="nothing is in production")


def _cost(cost: dict[str, float]) -> str:
    """Show the money, if there is a rate for it, else the processor's time."""
    money = [key for key in cost if not key.endswith(("_seconds", "_bytes"))]
    key = next(
        (name for name in (*money, "cost_cpu_seconds", "cost_wall_seconds") if name in cost), ""
    )
    return f"{cost[key]:.4g} {key.removeprefix('cost_').replace('_', ' ')}" if key else "–"
