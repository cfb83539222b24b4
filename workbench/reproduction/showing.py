"""A report in lines of text, and as HTML for a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from workbench.reproduction.records import Reproduction

__all__ = ["as_html", "facts"]

_SHOWN = 8


def facts(report: Reproduction) -> list[tuple[str, str]]:
    """Tell a report as pairs of what and how; the verdict comes first."""
    return [("verdict", f"{report.verdict}: {report.reason}"), *_facts(report)]


def _facts(report: Reproduction) -> Iterator[tuple[str, str]]:
    if report.cause is not None:
        yield "first cause", f"{report.cause.kind}: {report.cause.what}"
    for difference in report.differences:
        if difference != report.cause:
            yield "differs too", f"{difference.kind}: {difference.what}"
    if report.error is not None:
        cell = "" if report.error_cell is None else f" (cell {report.error_cell})"
        yield "error", f"{report.error}{cell}"
    yield "code", f"snapshot {report.snapshot[:12]} on commit {(report.commit or 'none')[:12]}"
    changed = f", {len(report.packages)} packages differ" if report.packages else ""
    yield "environment", f"{report.environment}{changed}"
    for check in report.data:
        yield "data", f"{check.dataset}: {check.outcome}"
    given = ", ".join(f"{name}={value!r}" for name, value in report.parameters.items())
    yield "notebook", f"{report.notebook} {given}".strip()
    for pair in report.metrics[:_SHOWN]:
        yield "metric", f"{pair.name}: {_number(pair.recorded)}, now {_number(pair.now)}"
    for note in report.notes:
        yield "note", note
    if report.kept is not None:
        yield "kept", str(report.kept)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.6g}"


def as_html(report: Reproduction) -> str:
    """Write a report as a table; nothing of it is taken for markup."""
    rows = "".join(
        f"<tr><th style='text-align:left;vertical-align:top'>{escape(what)}</th>"
        f"<td style='text-align:left'>{escape(how)}</td></tr>"
        for what, how in facts(report)
    )
    title = f"{report.model} version {report.version}, made again"
    return f"<table><caption style='text-align:left'>{escape(title)}</caption>{rows}</table>"
