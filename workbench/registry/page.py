"""A gate's report as a notebook shows it: no script, light and dark, words beside every colour."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from workbench.data.report.style import STYLE

if TYPE_CHECKING:
    from workbench.registry.reports import Check, GateReport

__all__ = ["fragment"]

_SIGNS = {"failed": "✕", "skipped": "–", "passed": "✓", "not applicable": "·"}
_ORDER = tuple(_SIGNS)

_STYLE = """
.wb-gate .out{white-space:nowrap;font-weight:600}
.wb-gate .failed{color:var(--wb-warn)}
.wb-gate .passed{color:var(--wb-good)}
.wb-gate :is(.skipped,.not){color:var(--wb-quiet)}
.wb-gate td.num{text-align:right;white-space:nowrap}
.wb-gate th.num{text-align:right}
.wb-gate td.why{max-width:60ch;min-width:220px}
.wb-gate pre{font-size:11px;overflow-x:auto;max-height:200px}
"""


def fragment(report: GateReport) -> str:
    """Write what a notebook shows."""
    parts = (_head(report), _checks(report), _foot(report))
    return f'<div class="wb-report wb-gate"><style>{STYLE}{_STYLE}</style>{"".join(parts)}</div>'


def _head(report: GateReport) -> str:
    against = f"version {report.champion_version}" if report.champion_version else "no champion"
    facts = [
        (_outcome(report.outcome), f"{len(report.failed)} of {len(report.checks)} checks failed"),
        (f"{escape(report.model)} {escape(report.version)}", f"compared with {escape(against)}"),
        (f"{report.rows:,}", f"rows judged, {escape(report.window)}"),
    ]
    items = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in facts)
    return f"<header>{items}</header>"


def _outcome(outcome: str) -> str:
    return f'<span class="out {outcome}">{_SIGNS[outcome]} {outcome}</span>'


def _checks(report: GateReport) -> str:
    ranked = sorted(report.checks, key=lambda check: _ORDER.index(check.outcome))
    head = "".join(
        f"<th scope=col{' class=num' if name == 'Found' else ''}>{name}</th>"
        for name in ("Outcome", "Check", "Found", "Expected", "")
    )
    rows = "".join(map(_row, ranked))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<div class=scroll>{table}</div>"


def _row(check: Check) -> str:
    found = "" if check.found is None else f"{check.found:.4g}"
    rows = "".join(f"{escape(str(row))}\n" for row in check.details if "row" in row)
    shown = f"<details><summary>rows</summary><pre>{rows}</pre></details>" if rows else ""
    return (
        f"<tr><td>{_outcome(check.outcome)}</td>"
        f"<th scope=row>{escape(check.title)}<small>{escape(check.code)}</small></th>"
        f"<td class=num>{found}{_interval(check)}</td><td>{escape(check.expected)}</td>"
        f"<td class=why>{escape(check.explanation)}{shown}</td></tr>"
    )


def _interval(check: Check) -> str:
    """Write the interval of what was found; that of a difference is in the explanation."""
    if check.interval is None or check.found is None:
        return ""
    low, high = check.interval
    return f"<small>{low:.4g} to {high:.4g}</small>" if low <= check.found <= high else ""


def _foot(report: GateReport) -> str:
    needed = [f"{count} by {escape(role)}" for role, count in report.approvals.items()]
    people = f"Approvals needed before it moves an alias: {', '.join(needed)}. " if needed else ""
    return f"<footer>{people}Policy {report.policy[:12]}, report {report.digest[:12]}.</footer>"
