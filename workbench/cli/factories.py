"""`workbench factory` and `workbench demo`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from workbench.cli.context import (
    JsonOption,
    err,
    group,
    out,
    print_json,
    print_table,
    project,
    stoppable,
)
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.factory import Outcome
    from workbench.project import Project

__all__ = ["app", "demo"]

app = group("Factories: what makes, checks, serves, watches and remakes a model.")

_DEMO = "flights"


@app.command("list")
def list_(json_: JsonOption = False) -> None:
    """List the project's factories."""
    from workbench.factory import list_factories, load

    here = project()
    factories = [load(name, here) for name in list_factories(here)]
    if json_:
        print_json([{"name": f.name, **f.spec.model_dump(mode="json")} for f in factories])
        return
    print_table(
        "Factories",
        ("name", "model", "owner", "description"),
        ((f.name, f.spec.model, f.spec.owner, f.spec.description) for f in factories),
        empty="no factories: put one in factories/NAME.toml",
    )


@app.command()
def run(name: Annotated[str, typer.Argument()], json_: JsonOption = False) -> None:
    """Carry a factory out; what is done already is not done again."""
    outcome = _carry_out(project(), name)
    print_json(outcome) if json_ else _print(outcome)


@app.command()
def status(name: Annotated[str, typer.Argument()], json_: JsonOption = False) -> None:
    """Say where a factory stands."""
    from workbench.factory import status as look

    outcome = look(project(), name)
    print_json(outcome) if json_ else _print(outcome)


def demo(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new folder, or the demo to go on with.")
    ] = Path("flights-demo"),
    json_: JsonOption = False,
) -> None:
    """Make the flights project and carry its factory out, on all flights of 2013."""
    outcome = _carry_out(_demo_project(directory), _DEMO)
    if json_:
        print_json(outcome)
        return
    _print(outcome)
    out.print("\nLook further:", style="bold")
    # From a clone the command is in .venv, which is seldom on the PATH: then its place is said.
    name = "workbench" if shutil.which("workbench") else str(Path(sys.argv[0]).resolve())
    for command in ("dashboard", "lab", f"models history {outcome.model}"):
        out.print(Text(f"  cd {directory} && {name} {command}"), soft_wrap=True)


def _demo_project(directory: Path) -> Project:
    """Make the demo's project, or open it where an earlier call has made it."""
    from workbench.factory.scaffold import create_project
    from workbench.project import SETTINGS_FILE, Project

    if not (directory / SETTINGS_FILE).is_file():
        return create_project(directory, _DEMO)
    if not (directory / "factories" / f"{_DEMO}.toml").is_file():
        raise UsageError(f"{directory}: another project; name a new folder for the demo")
    return Project.find(directory)


def _carry_out(here: Project, name: str) -> Outcome:
    from workbench.cli.progress import Terminal
    from workbench.factory import run as carry_out

    advice = "what is done stays, the same command goes on from there"
    with stoppable(advice), Terminal(err) as terminal:
        return carry_out(here, name, terminal)


def _print(outcome: Outcome) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    for label, value in _facts(outcome):
        table.add_row(label, Text(value))
    out.print(Panel(table, title=Text(f"factory {outcome.factory}"), title_align="left"))


def _facts(outcome: Outcome) -> list[tuple[str, str]]:
    metrics = outcome.champion_metrics
    facts = [
        ("jobs", _counts(outcome.jobs)),
        ("runs", str(outcome.runs)),
        ("versions", f"{outcome.versions} (gate: {_counts(outcome.gates)})"),
        ("scored", f"{outcome.scored_rows:,} rows in {outcome.scored_windows} windows"),
        ("monitored", f"{outcome.monitored_windows} windows: {_counts(outcome.windows)}"),
        ("alerts", str(outcome.alerts)),
    ]
    if outcome.champion and "roc_auc" in metrics:
        facts.append(
            (
                "champion",
                f"version {outcome.champion}, ROC AUC {metrics['roc_auc']:.4f} when it was "
                f"validated, at a base rate of {metrics['base_rate']:.3f}",
            )
        )
    facts += [
        (f"decision {d['id']}", f"{d['outcome']} version {d['version']}: {d['reason']}")
        for d in outcome.decisions
    ]
    if outcome.retraining:
        branch = outcome.retraining.branch
        on_branch = f" on branch {branch} (git diff main...{branch})" if branch else ""
        facts.append(("retraining", f"{outcome.retraining.outcome}{on_branch}"))
    return facts


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items()) or "none"
