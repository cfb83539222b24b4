"""The root of the command line, and the one place where errors become exit codes."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.text import Text

import workbench
from workbench.cli import (
    branches,
    catalogue,
    data,
    explaining,
    factories,
    features,
    functions,
    jobs,
    lineage,
    models,
    monitors,
    online,
    pipelines,
    places,
    promoting,
    reproducing,
    roles,
    running,
    runs,
    schedules,
    scores,
    streaming,
)
from workbench.cli.context import err, use_folder
from workbench.errors import WorkbenchError

__all__ = ["app", "main"]

app = typer.Typer(
    name="workbench",
    help="From a cell to a watched model, on one recorded chain.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(places.init)
app.command("demo")(factories.demo)
app.command("run")(running.run)
app.command("params")(running.params)
app.add_typer(jobs.app, name="jobs")
app.add_typer(pipelines.app, name="pipeline")
app.add_typer(schedules.app, name="schedule")
app.command("scheduler")(schedules.scheduler)
app.add_typer(runs.app, name="runs")
app.add_typer(branches.app, name="branch")
app.command("commit")(branches.commit)
app.add_typer(models.app, name="models")
models.app.command("register")(promoting.register)
models.app.command("evaluate")(promoting.evaluate)
models.app.command("gate")(promoting.gate)
models.app.command("approve")(promoting.approve)
models.app.command("promote")(promoting.promote)
models.app.command("rollback")(promoting.rollback)
models.app.command("verify")(promoting.verify)
models.app.command("explain")(explaining.explain)
models.app.command("reproduce")(reproducing.reproduce)
app.add_typer(data.app, name="data")
app.add_typer(features.app, name="features")
features.app.command("stream")(streaming.stream)
features.app.command("materialize")(online.materialize)
features.app.command("online")(online.online)
features.app.command("parity")(online.parity)
features.app.command("freshness")(online.freshness)
features.app.command("withdraw")(online.withdraw)
app.add_typer(functions.app, name="functions")
app.command("sql")(functions.sql)
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(lineage.app, name="lineage")
app.add_typer(scores.app, name="score")
app.add_typer(roles.app, name="roles")
app.add_typer(monitors.app, name="monitor")
app.add_typer(factories.app, name="factory")
app.command("dashboard")(places.dashboard)
app.command("lab")(places.lab)
app.command("doctor")(places.doctor)
app.command("gc")(branches.gc)

_debug = False


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(workbench.__version__)
        raise typer.Exit


@app.callback()
def _root(
    project: Annotated[
        Path | None,
        typer.Option("--project", "-C", help="The project's folder; else this one and above."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    global _debug
    _debug = debug
    use_folder(project)


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGTERM, _interrupt)
    # jsonschema takes it for URIs in schemas, which notebooks lack, and building its grammar takes
    # longer than all the rest of a command: without it jsonschema does what it did before.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    try:
        app()
    except WorkbenchError as error:
        if _debug:
            raise
        _say(error)
    except Exception as error:
        from workbench.store import disk_full, failure

        if _debug or not disk_full(error):
            raise
        _say(failure("this command", error))  # whichever library met it


def _say(error: WorkbenchError) -> NoReturn:
    err.print(Text.assemble(("error: ", "bold red"), str(error)), soft_wrap=True)
    sys.exit(error.exit_code)


def _interrupt(*_: Any) -> None:
    """Let a polite kill take the same way out as Ctrl-C, which leaves a true record."""
    raise KeyboardInterrupt
