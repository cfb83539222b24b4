"""What a dashboard shows, as plain records: stored results, arranged, with nothing computed anew.

A face (ipywidgets, static HTML, a test) reads these and formats them. No number on a screen is made
after this module.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from workbench.monitoring import Alert, Window, list_alerts, list_windows
from workbench.monitoring.windows import PREDICTION, day_of
from workbench.project import Project
from workbench.registry import Decided, Version, list_decided, list_models

__all__ = [
    "CHAMPION",
    "DriftCell",
    "Health",
    "ModelView",
    "Point",
    "Tone",
    "drift_cells",
    "load_models",
    "performance",
    "period",
    "positives",
]

CHAMPION = "champion"

_Record = TypeVar("_Record", Window, Alert, Decided)

Tone = Literal["ok", "warning", "alert", "insufficient", "unwatched"]


@dataclass(frozen=True)
class Health:
    """The traffic light of a model, and the sentence beside it."""

    tone: Tone
    text: str


@dataclass(frozen=True)
class ModelView:
    """One model with all that is recorded of it."""

    name: str
    champion: Version | None
    promotion: Decided | None
    """The newest decision that made `champion` the champion."""
    versions: tuple[Version, ...]
    """Newest first."""
    windows: tuple[Window, ...]
    """Oldest first."""
    alerts: tuple[Alert, ...]
    """Newest window first."""
    decisions: tuple[Decided, ...]
    """Newest first."""

    @property
    def health(self) -> Health:
        """How the champion did in the newest window that it was judged on itself."""
        if self.champion is None:
            return Health("unwatched", "No version is the champion yet")
        if not self.windows:
            return Health("unwatched", "No window has been judged yet")
        own = [w for w in self.windows if w.version == self.champion.version]
        if not own:
            last = self.windows[-1]
            return Health(
                "unwatched",
                f"Not judged since its promotion; version {last.version} before it: "
                f"{last.status} in {period(last, self.windows)}",
            )
        return Health(own[-1].status, _sentence(own[-1], period(own[-1], self.windows)))

    @property
    def open_alerts(self) -> int:
        """Number of alerts that are not resolved."""
        return sum(alert.state != "resolved" for alert in self.alerts)


@dataclass(frozen=True)
class Point:
    """A figure of one window beside the one it is held against; None is undefined."""

    period: str
    version: str
    status: str
    value: float | None
    against: float | None
    rows: int


@dataclass(frozen=True)
class DriftCell:
    """How far one column was from the reference in one window, and what was allowed."""

    period: str
    column: str
    psi: float | None
    missing: float | None
    threshold: float


def load_models(project: Project) -> list[ModelView]:
    """Read every model of the registry, and every one that windows speak of, by name."""
    models = {model.name: model for model in list_models(project)}
    windows = _by_model(sorted(list_windows(project), key=lambda window: window.window_start))
    alerts = _by_model(list_alerts(project))
    decisions = _by_model(reversed(list_decided(project)))
    views = []
    for name in sorted({*models, *windows}):
        versions = models[name].versions if name in models else []
        champion = models[name].aliases.get(CHAMPION) if name in models else None
        own = decisions.get(name, [])
        views.append(
            ModelView(
                name=name,
                champion=next((v for v in versions if v.version == champion), None),
                promotion=next((d for d in own if _promoted(d, champion)), None),
                versions=tuple(versions),
                windows=tuple(windows.get(name, ())),
                alerts=tuple(alerts.get(name, ())),
                decisions=tuple(own),
            )
        )
    return views


def _by_model(records: Iterable[_Record]) -> dict[str, list[_Record]]:
    found: dict[str, list[_Record]] = defaultdict(list)
    for record in records:
        found[record.model].append(record)
    return dict(found)


def period(window: Window, among: Sequence[Window]) -> str:
    """Name a window in short: by month if all of them are months, else by its first day.

    Windows of several monitors of one model are told apart by the monitor's name.
    """
    months = all(_is_month(each) for each in among)
    start = day_of(window.window_start)
    name = f"{start:%b %Y}" if months else start.isoformat()
    several = len({each.monitor for each in among}) > 1
    return f"{name} {window.monitor}" if several else name


def performance(windows: Sequence[Window], metric: str) -> list[Point]:
    """Give one performance figure by window, against what it was at promotion."""
    expected = [window.metrics["expected"].get(metric) for window in windows]
    return _points(windows, metric, expected)


def positives(windows: Sequence[Window]) -> list[Point]:
    """Give the observed share of positives by window, against the mean prediction."""
    return _points(windows, "base_rate", [window.metrics["prediction_mean"] for window in windows])


def drift_cells(windows: Sequence[Window]) -> list[DriftCell]:
    """Give the PSI of every column in every window, the column that moved most first."""
    cells = [cell for window in windows for cell in _cells(window, period(window, windows))]
    largest: dict[str, float] = {}
    for cell in cells:
        largest[cell.column] = max(largest.get(cell.column, 0.0), cell.psi or 0.0)
    return sorted(cells, key=lambda cell: (-largest[cell.column], cell.column))


def _points(windows: Sequence[Window], metric: str, against: Sequence[float | None]) -> list[Point]:
    return [
        Point(
            period=period(window, windows),
            version=window.version,
            status=window.status,
            value=window.metrics[metric],
            against=other,
            rows=window.metrics["labelled"],
        )
        for window, other in zip(windows, against, strict=True)
    ]


def _cells(window: Window, name: str) -> list[DriftCell]:
    allowed = window.metrics["thresholds"]
    missing = window.metrics["missing"]
    return [
        DriftCell(
            period=name,
            column=column,
            psi=psi,
            missing=missing[column],
            threshold=allowed["prediction_psi" if column == PREDICTION else "psi"],
        )
        for column, psi in window.metrics["psi"].items()
    ]


def _promoted(decision: Decided, version: str | None) -> bool:
    found = (decision.alias, decision.version, decision.outcome)
    return found == (CHAMPION, version, "promoted")


def _is_month(window: Window) -> bool:
    start, end = day_of(window.window_start), day_of(window.window_end)
    months = (end.year - start.year) * 12 + end.month - start.month
    return start.day == end.day == 1 and months == 1


def _sentence(window: Window, name: str) -> str:
    texts = {
        "ok": f"Within every threshold in {name}",
        "insufficient": f"Too few rows to judge in {name}",
    }
    if window.status in texts or not window.findings:
        return texts.get(window.status, f"{window.status} in {name}")
    return f"{name}: {window.findings[0].message}"
