"""The report in a few lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.evaluation.outcomes import OUTCOMES
from workbench.evaluation.wording import number, several

if TYPE_CHECKING:
    from workbench.evaluation.outcomes import MetricValue
    from workbench.evaluation.report import EvaluationReport

__all__ = ["counted", "drawn_of", "text"]


def text(report: EvaluationReport) -> str:
    """Write the metrics, and every check that found something."""
    lines = [
        f"{report.model}: {report.label} on {several(report.rows, 'row')} ({counted(report)})",
        f"intervals of {report.level:.0%} from {drawn_of(report)}",
        "",
    ]
    width = max((len(metric.name) for metric in report.metrics), default=0)
    lines += [f"  {metric.name:<{width}}  {_value(metric)}" for metric in report.metrics]
    lines.append("")
    ranked = sorted(report.checks, key=lambda check: OUTCOMES.index(check.outcome))
    for check in ranked:
        lines.append(f"  {check.code} {check.outcome:<14} {check.title}")
        if check.outcome in ("issue", "tip", "skipped"):
            lines.append(f"      {check.explanation}")
    return "\n".join(lines)


def counted(report: EvaluationReport) -> str:
    """Count the checks by outcome, what wants attention first."""
    counts = {
        outcome: sum(check.outcome == outcome for check in report.checks) for outcome in OUTCOMES
    }
    plural = {"issue": "issues", "tip": "tips"}
    said = [
        f"{count} {plural.get(outcome, outcome) if count > 1 else outcome}"
        for outcome, count in counts.items()
        if count
    ]
    return ", ".join(said) or "no checks"


def drawn_of(report: EvaluationReport) -> str:
    """Say what the bootstrap drew."""
    drawn = "rows"
    if report.groups is not None:
        drawn = f"{report.groups:,} groups of {' and '.join(report.key)}"
    return f"{report.resamples} bootstrap resamples of {drawn}"


def _value(metric: MetricValue) -> str:
    interval = metric.interval
    ends = "" if interval is None else f"  {number(interval.low)} to {number(interval.high)}"
    return f"{number(metric.value)}{ends}"
