"""`workbench features stream`."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.text import Text

from workbench.cli.context import JsonOption, err, print_json, print_table, project, when

__all__ = ["stream"]


def stream(
    views: Annotated[list[str], typer.Argument(metavar="VIEW…", help="Streaming feature views.")],
    once: Annotated[
        bool, typer.Option("--once", help="End when what is in the streams now was taken.")
    ] = False,
    until_idle: Annotated[
        float | None,
        typer.Option(
            "--until-idle", min=0, metavar="SECONDS", help="End when nothing came for so long."
        ),
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Turn the events of streams into features, online and offline, until stopped.

    Ctrl-C or a polite kill ends it after the batch; nothing is lost, whatever ends it.
    """
    from workbench.features.streaming import stream as consume

    def say(line: str) -> None:
        err.print(Text(line), soft_wrap=True)

    with _stopped_politely() as stop:
        reports = consume(project(), views, once=once, until_idle=until_idle, stop=stop, say=say)
    if json_:
        print_json(reports)
        return
    print_table(
        "Streamed",
        ("view", "events", "late", "refused", "lost", "entities", "watermark", "offset"),
        (
            (
                r.view,
                f"{r.events:,}",
                f"{r.late:,}",
                f"{r.refused:,}",
                f"{r.lost:,}",
                f"{r.entities:,}",
                when(r.watermark),
                r.offset,
            )
            for r in reports
        ),
        empty="no views",
        whole=("offset",),
    )


@contextmanager
def _stopped_politely() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C and a polite kill set, in the place of what they do else."""
    stop = threading.Event()

    def ask(*_: Any) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
