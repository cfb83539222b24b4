"""`workbench features materialize`, `online`, `parity`, `freshness` and `withdraw`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from workbench.cli.context import (
    JsonOption,
    err,
    out,
    print_json,
    print_table,
    project,
    state_text,
    stoppable,
    when,
)

if TYPE_CHECKING:
    from workbench.features.online import Difference

__all__ = ["freshness", "materialize", "online", "parity", "withdraw"]

_SHOWN = 20

_COLOURS = {"kept": "ok", "late": "alert", "never": "warning"}
"""The states of a promise, as the states that have a colour everywhere."""


def materialize(
    views: Annotated[
        list[str] | None, typer.Argument(metavar="VIEW…", help="Which; all if left out.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="A moment with its zone, 2024-01-31T12:00Z; now if left out.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Bring feature views to the online store, as they are known now."""
    from workbench.features.online import materialize_online

    with _bars() as report, stoppable("what is written stays; the same command goes on from there"):
        done = materialize_online(project(), views or None, until=_moment(until), progress=report)
    if json_:
        print_json(done)
        return
    print_table(
        "Online",
        ("view", "rows written", "until", "newest event", "seconds", ""),
        (
            (
                each.view,
                f"{each.rows:,}",
                when(each.until),
                when(each.newest),
                f"{each.seconds:.1f}",
                "a new version took its place" if each.switched else "",
            )
            for each in done
        ),
        empty="no feature views: declare them in features/*.py",
    )


def online(
    features: Annotated[
        list[str],
        typer.Argument(
            metavar="VIEW[:FEATURE]… COLUMN=VALUE…", help="What to show, and the entity of which."
        ),
    ],
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="COLUMN=VALUE", help="Of the entity too; repeatable."),
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Show the features of one entity, as a model would be served them."""
    from workbench.errors import UsageError
    from workbench.features.online import OnlineReader
    from workbench.features.online.texts import parsed_key

    names = [text for text in features if "=" not in text]
    pairs = _pairs([*(text for text in features if "=" in text), *(key or ())])
    if not (names and pairs):
        raise UsageError(
            "expected a view and the key of an entity: workbench features online VIEW COLUMN=VALUE"
        )
    reader = OnlineReader(names, project())
    row = reader.frame(parsed_key(pairs, reader.entity)).row(0, named=True)
    if json_:
        print_json(row)
        return
    print_table(
        "Features", ("column", "value"), ((k, _cell(v)) for k, v in row.items()), empty="none"
    )


def parity(
    view: Annotated[str, typer.Argument(metavar="VIEW")],
    sample: Annotated[int, typer.Option(min=1, help="How many entities to compare.")] = 1000,
    json_: JsonOption = False,
) -> None:
    """Compare what is online with a training frame of now; exit code 1 if any cell differs."""
    from workbench.features.online import check_parity

    found = check_parity(project(), view, sample)
    if json_:
        print_json(found)
    else:
        _print_differences(view, found.differences)
        summary = f"{view}: {found.entities:,} entities, {found.cells:,} cells, "
        out.print(Text(f"{summary}{len(found.differences):,} differ"), soft_wrap=True)
    if found.differences:
        raise typer.Exit(1)


def withdraw(views: Annotated[list[str], typer.Argument(metavar="VIEW…")]) -> None:
    """Remove feature views from the online store: nobody is served them any more."""
    from workbench.features.online import withdraw as remove

    remove(project(), views)
    out.print(Text(f"no longer online: {', '.join(views)}"), soft_wrap=True)


def freshness(json_: JsonOption = False) -> None:
    """Show how fresh each view is online, beside what it promises."""
    from workbench.features.online import freshness as look

    views = look(project())
    if json_:
        print_json(views)
        return
    print_table(
        "Freshness online",
        ("view", "promise", "newest event", "age", "until", "materialised", "state"),
        (
            (
                each.view,
                each.promise or "–",
                when(each.newest),
                _age(each.age),
                when(each.until),
                when(each.materialized),
                Text(each.state, style=state_text(_COLOURS.get(each.state)).style),
            )
            for each in views
        ),
        empty="no feature views: declare them in features/*.py",
    )


def _print_differences(view: str, differences: list[Difference]) -> None:
    if not differences:
        return
    print_table(
        f"{view}: offline and online differ",
        ("entity", "feature", "offline", "online"),
        (
            (
                ", ".join(f"{k}={v}" for k, v in each.entity.items()),
                each.feature,
                _cell(each.offline),
                _cell(each.online),
            )
            for each in differences[:_SHOWN]
        ),
        empty="",
    )
    if len(differences) > _SHOWN:
        out.print(Text(f"and {len(differences) - _SHOWN:,} more"))


def _moment(text: str | None) -> datetime | None:
    from workbench.errors import UsageError

    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--until {text}: expected a time like 2024-01-31T12:00Z") from error


def _pairs(texts: list[str]) -> dict[str, str]:
    from workbench.errors import UsageError

    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise UsageError(f"key {text}: expected COLUMN=VALUE")
        pairs[name] = value
    return pairs


def _cell(value: Any) -> str:
    return "–" if value is None else str(value)


def _age(seconds: float | None) -> str:
    """Write an age in the largest unit that it has two of."""
    if seconds is None:
        return "–"
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if abs(seconds) >= 2 * length:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:.0f}s"


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    """Draw a bar a view, where there is a terminal to draw on."""
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        disable=not err.is_terminal,
    )
    tasks = {}

    def report(view: str, done: int, total: int) -> None:
        if view not in tasks:
            tasks[view] = bars.add_task(escape(view), total=total)
        bars.update(tasks[view], completed=done, total=total)

    with bars:
        yield report
