"""A judged window in words: Markdown that a notebook, GitHub and a mail show alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.monitoring.windows import Finding, WindowResult, day_of

__all__ = ["HEADLINES", "Markdown", "findings", "summary"]

HEADLINES = {
    "ok": "● OK: nothing beyond its threshold",
    "warning": "▲ Warning: something moved, nothing that alerts",
    "alert": "■ Alert",
    "insufficient": "○ Not judged: too few rows",
}

_COMPARED = (
    ("ROC AUC", "roc_auc"),
    ("Average precision", "average_precision"),
    ("Brier score", "brier"),
    ("Log loss", "log_loss"),
    ("Share of positives", "base_rate"),
)


@dataclass(frozen=True)
class Markdown:
    """Text that a notebook renders."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text


def summary(result: WindowResult) -> Markdown:
    """Say how the window stands, on how many rows, and how its performance compares."""
    metrics = result.metrics
    labelled = _share(metrics["labelled_share"])
    lines = [
        f"### {HEADLINES[result.status]}",
        f"**{_text(result.model)}** version **{_text(result.version)}**, "
        f"from {day_of(result.window_start)} until {day_of(result.window_end)}: "
        f"{metrics['rows']:,} rows scored, {metrics['labelled']:,} with known label ({labelled}).",
        _table(("", "this window", "at promotion"), _comparison(metrics)),
    ]
    return Markdown("\n\n".join(lines))


def findings(result: WindowResult) -> Markdown:
    """List what is beyond its threshold, gravest first."""
    if not result.findings:
        return Markdown("No finding: every figure that was judged is within its threshold.")
    rows = [_finding(result, finding) for finding in result.findings]
    return Markdown(_table(("", "finding", "about", "value", "allowed", "what happened"), rows))


def _finding(result: WindowResult, finding: Finding) -> Sequence[str]:
    return (
        "■\u00a0alert" if finding.kind in result.spec.alert_on else "▲\u00a0warning",
        finding.kind.replace("_", " "),
        _text(finding.column or finding.metric),
        f"{finding.value:.3f}",
        f"{finding.threshold:.3f}",
        _text(finding.message),
    )


def _comparison(metrics: Any) -> Iterable[Sequence[str]]:
    for title, name in _COMPARED:
        yield title, _figure(metrics[name]), _figure(metrics["expected"].get(name))
    yield "Mean prediction", _figure(metrics["prediction_mean"]), ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(name: str) -> str:
    """Keep a name from being read as markup."""
    escaped = name.replace("&", "&amp;").replace("<", "&lt;")
    for mark in "\\`*_|[]":
        escaped = escaped.replace(mark, "\\" + mark)
    return " ".join(escaped.split())


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _share(value: float | None) -> str:
    return "no rows" if value is None else f"{value:.1%}"
