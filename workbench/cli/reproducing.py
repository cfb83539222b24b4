"""`workbench models reproduce`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from workbench.cli.context import JsonOption, err, out, print_json, project, stoppable

if TYPE_CHECKING:
    from workbench.reproduction import Reproduction

__all__ = ["reproduce"]

_COLOURS = {
    "same bytes": "green",
    "same predictions": "green",
    "same metrics": "yellow",
    "different": "red",
}


def reproduce(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model.")],
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A version, or an alias.")],
    same_env: Annotated[
        bool,
        typer.Option("--same-env", help="Use the packages installed here, and say which differ."),
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the folder with its code, job and run.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Make a version again from its record and compare; exit code 1 if it is different."""
    from workbench.reproduction import reproduce as make_again

    with stoppable("nothing was changed"):
        report = make_again(
            project(),
            name,
            version,
            same_env=same_env,
            keep=keep,
            reporter=lambda line: err.print(Text(line, style="dim"), soft_wrap=True),
        )
    if json_:
        print_json(report)
    else:
        _print(report)
    if report.verdict == "different":
        raise typer.Exit(1)


def _print(report: Reproduction) -> None:
    from workbench.reproduction.showing import facts

    colour = _COLOURS[report.verdict]
    for what, how in facts(report):
        style = colour if what == "verdict" else ""
        out.print(Text.assemble((f"{what:12} ", "dim"), (how, style)), soft_wrap=True)
