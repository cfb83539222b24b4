"""The parts of a dashboard that are text: headings, cards, tables, lists.

Every value that comes from outside goes through `html.escape`, whether or not it could hold markup:
a model is named by anyone who can register one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from importlib.resources import files

from workbench.monitoring import Alert, Window
from workbench.monitoring.windows import day_of
from workbench.panels.view import ModelView, period
from workbench.registry import Decided, Version

__all__ = [
    "METRICS",
    "alerts",
    "cards",
    "decisions",
    "drift_title",
    "empty",
    "heading",
    "performance_title",
    "style",
    "versions",
    "windows",
]

METRICS = {
    "roc_auc": "ROC AUC",
    "average_precision": "Avg. precision",
    "brier": "Brier",
    "log_loss": "Log loss",
}
"""Figures that are shown, and their titles."""

_SIGNS = {"ok": "●", "warning": "▲", "alert": "■", "insufficient": "○", "unwatched": "○"}
_WORDS = {
    "ok": "Healthy",
    "warning": "Warning",
    "alert": "Alert",
    "insufficient": "Not judged",
    "unwatched": "Not judged",
}
_GATES = {"passed": "ok", "failed": "alert"}
_STATES = {"open": "alert", "acknowledged": "warning", "resolved": "ok"}
_OUTCOMES = {"promoted": "ok", "kept": "insufficient", "rolled back": "warning"}


def style() -> str:
    """The style sheet, once for a page."""
    sheet = files("workbench.panels").joinpath("style.css").read_text(encoding="utf-8")
    return f"<style>{sheet}</style>"


def heading(title: str, note: str = "") -> str:
    """The page's title, or with a note below it."""
    return _part(f"<h1>{escape(title)}</h1><p class='wb-quiet'>{escape(note)}</p>")


def empty(message: str) -> str:
    """Say what would be here and how it gets there."""
    return _part(f"<div class='wb-empty' data-testid='empty'>{escape(message)}</div>")


def cards(view: ModelView) -> str:
    """The state of a model at a glance: health, champion, last window's figures, alerts."""
    parts = [_health_card(view), _champion_card(view)]
    parts += [_figure_card(view, metric) for metric in ("roc_auc", "brier")]
    parts.append(_card("Open alerts", str(view.open_alerts), _of_windows(view), "card-alerts"))
    return _part(f"<div class='wb-cards'>{''.join(parts)}</div>")


def performance_title() -> str:
    """The heading of the lines."""
    note = (
        "Dashed: at promotion, for positives the mean prediction. "
        "● ok, ▲ warning, ■ alert, and more when you point at a mark."
    )
    return _part(f"<h2>Performance by window</h2><p class='wb-quiet'>{note}</p>")


def drift_title() -> str:
    """The heading of the heatmap."""
    note = "Population stability index of each column; blue is within its threshold, orange beyond."
    return _part(f"<h2>Drift by window</h2><p class='wb-quiet'>{note}</p>")


def versions(view: ModelView) -> str:
    """Every version with its metrics, gate and aliases, newest first."""
    if not view.versions:
        return empty("This model isn't in the registry any more; what it left is shown.")
    head = ["Version", "Aliases", *METRICS.values(), "Gate", "Made"]
    rows = [_version_row(version) for version in view.versions]
    return _table("versions", "Versions", head, rows, numbers=range(2, 2 + len(METRICS)))


def windows(view: ModelView) -> str:
    """Every judged window with its figures, newest first."""
    head = ["Window", "Status", "Version", "Rows", "Labelled"]
    head += [*METRICS.values(), "Positives", "Job"]
    rows = [_window_row(window, view.windows) for window in reversed(view.windows)]
    return _table("windows", "Windows", head, rows, numbers=range(3, 6 + len(METRICS)))


def alerts(view: ModelView) -> str:
    """The alerts, newest window first."""
    items = [_alert_item(alert, view) for alert in view.alerts]
    return _list("alerts", "Alerts", items, "No window has crossed its thresholds.")


def decisions(view: ModelView) -> str:
    """Who moved which alias and why, newest first."""
    items = [_decision_item(decision) for decision in view.decisions]
    return _list("decisions", "Decisions", items, "No alias has been decided on yet.")


def _health_card(view: ModelView) -> str:
    health = view.health
    return (
        f"<div class='wb-card wb-health wb-{health.tone}' data-testid='card-health'>"
        f"<p class='wb-card-title'>Health of the champion</p>"
        f"<p class='wb-card-value'>{_SIGNS[health.tone]} {_WORDS[health.tone]}</p>"
        f"<p>{escape(health.text)}</p></div>"
    )


def _champion_card(view: ModelView) -> str:
    if view.champion is None:
        return _card("Champion", "none", "a passed gate comes first", "card-champion")
    since = view.promotion
    note = f"since {_day(since.decided_at)}, by {since.decided_by}" if since else ""
    return _card("Champion", f"version {view.champion.version}", note, "card-champion")


def _figure_card(view: ModelView, metric: str) -> str:
    """Show the newest window's figure, and whose it is: not always the champion's of today."""
    if not view.windows:
        return _card(METRICS[metric], "–", "", f"card-{metric}")
    last = view.windows[-1]
    title = f"{METRICS[metric]}, {period(last, view.windows)}"
    expected = _figure(last.metrics["expected"].get(metric))
    note = f"version {last.version}; {expected} at promotion"
    return _card(title, _figure(last.metrics[metric]), note, f"card-{metric}")


def _card(title: str, value: str, note: str, name: str) -> str:
    return (
        f"<div class='wb-card' data-testid='{name}'><p class='wb-card-title'>{escape(title)}</p>"
        f"<p class='wb-card-value wb-number'>{escape(value)}</p>"
        f"<p class='wb-quiet'>{escape(note)}</p></div>"
    )


def _of_windows(view: ModelView) -> str:
    return f"of {len(view.windows)} judged windows"


def _version_row(version: Version) -> list[str]:
    aliases = " ".join(_badge(alias, "ok") for alias in version.aliases)
    gate = _badge(version.gate, _GATES[version.gate]) if version.gate else "–"
    metrics = [_figure(version.metrics.get(name)) for name in METRICS]
    return [escape(version.version), aliases, *metrics, gate, _moment(version.created_at)]


def _window_row(window: Window, among: Sequence[Window]) -> list[str]:
    metrics = window.metrics
    return [
        escape(period(window, among)),
        _status(window.status),
        escape(window.version),
        f"{metrics['rows']:,}",
        _share(metrics["labelled_share"]),
        *[_figure(metrics[name]) for name in METRICS],
        _share(metrics["base_rate"]),
        f"<code>{escape(window.job_id)}</code>" if window.job_id else "–",
    ]


def _alert_item(alert: Alert, view: ModelView) -> str:
    place = (alert.monitor, alert.window_start)
    own = [w for w in view.windows if (w.monitor, w.window_start) == place]
    when = period(own[0], view.windows) if own else day_of(alert.window_start).isoformat()
    return (
        f"<b>{escape(when)}</b> {_badge(alert.state, _STATES[alert.state])} "
        f"<code>{escape(alert.cause)}</code><br>{escape(alert.message)}"
        f"<br><span class='wb-quiet'>version {escape(alert.version)}, owner {escape(alert.owner)}, "
        f"opened {_moment(alert.opened_at)}</span>"
    )


def _decision_item(decision: Decided) -> str:
    replaced = f", instead of version {decision.previous}" if decision.previous else ""
    return (
        f"<b>{escape(decision.alias)}</b> {_badge(decision.outcome, _OUTCOMES[decision.outcome])} "
        f"version {escape(decision.version)}{escape(replaced)}<br>{escape(decision.reason)}"
        f"<br><span class='wb-quiet'>{escape(decision.decided_by)}, "
        f"{_moment(decision.decided_at)}</span>"
    )


def _table(
    name: str, title: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: range
) -> str:
    """Lay out cells that are HTML already; those at the places of `numbers` to the right."""

    def cells(tag: str, values: Sequence[str]) -> str:
        kinds = [" class='wb-number'" if i in numbers else "" for i in range(len(values))]
        return "".join(
            f"<{tag}{kind}>{value}</{tag}>" for kind, value in zip(kinds, values, strict=True)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return _part(
        f"<h2>{title}</h2><div class='wb-table-box'><table data-testid='{name}'>"
        f"<thead><tr>{cells('th', head)}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _list(name: str, title: str, items: Sequence[str], otherwise: str) -> str:
    listed = "".join(f"<li>{item}</li>" for item in items)
    body = f"<ul class='wb-list' data-testid='{name}'>{listed}</ul>"
    return _part(f"<h2>{title}</h2>{body if items else f'<p class=wb-quiet>{otherwise}</p>'}")


def _part(content: str) -> str:
    return f"<div class='wb'>{content}</div>"


def _badge(text: str, tone: str) -> str:
    return f"<span class='wb-badge wb-{tone}'>{escape(text)}</span>"


def _status(status: str) -> str:
    return f"<span class='wb-{status}'>{_SIGNS[status]}</span> {status}"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _day(moment: datetime) -> str:
    return f"{moment:%-d %b %Y}"


def _moment(moment: datetime) -> str:
    return f"{moment:%-d %b %Y, %H:%M} UTC"
