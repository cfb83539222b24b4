"""`workbench monitor`."""

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

app = group("Monitoring: windows, findings, alerts.")

Monitor = Annotated[str | None, typer.Option("--monitor", help="Only this monitor's.")]


@app.command("list")
def list_(monitor: Monitor = None, json_: JsonOption = False) -> None:
    """List monitored windows, with what was found in each."""
    from workbench.monitoring import list_windows

    windows = list_windows(project(), monitor)
    if json_:
        print_json(windows)
        return
    print_table(
        "Monitored windows",
        ("monitor", "from", "to", "version", "status", "rows", "roc_auc", "findings"),
        (
            (
                w.monitor,
                when(w.window_start),
                when(w.window_end),
                w.version,
                state_text(w.status),
                f"{w.metrics.get('rows', 0):,}",
                _number(w.metrics.get("roc_auc")),
                "\n".join(finding.message for finding in w.findings),
            )
            for w in windows
        ),
        empty="nothing monitored yet: workbench factory run NAME",
    )


@app.command()
def alerts(monitor: Monitor = None, json_: JsonOption = False) -> None:
    """List alerts: their cause, and who is asked."""
    from workbench.monitoring import list_alerts

    found = list_alerts(project(), monitor)
    if json_:
        print_json(found)
        return
    print_table(
        "Alerts",
        ("id", "window", "state", "cause", "message", "owner"),
        (
            (str(a.id), when(a.window_start), state_text(a.state), a.cause, a.message, a.owner)
            for a in found
        ),
        empty="no alerts",
    )


@app.command()
def acknowledge(
    alert: Annotated[int, typer.Argument(metavar="ALERT")], json_: JsonOption = False
) -> None:
    """Say that somebody is looking at an alert."""
    from workbench.monitoring import acknowledge as take

    [taken] = take(project(), alert)
    if json_:
        print_json(taken)
    else:
        out.print(Text(f"alert {taken.id} {taken.state}: {taken.message}"), soft_wrap=True)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
