"""Live data and predictions against a reference, window by window.

One idea: a model is promoted together with a `Profile`, a few kB that say how its features and
predictions were distributed then, in bins that never change. Each window of scored rows is counted
into those same bins, joined with the labels that have become known, and judged by the thresholds
of one `MonitorSpec`. So windows can be compared with each other, a late label changes one window
and nothing else, and judging again gives the same answer:

    result = evaluate(inputs)       # pure: status, findings, metrics
    record(project, result)         # one row for the window, one alert if it crossed the line

>>> import polars as pl
>>> from workbench.monitoring import count, drift, profile
>>> reference = profile(pl.DataFrame({"x": range(1000)}), ["x"])
>>> [column] = drift(reference, count(pl.DataFrame({"x": range(500, 1000)}), reference))
>>> round(column.psi, 2), column.missing_increase
(3.8, 0.0)
"""

from workbench.monitoring.drift import ColumnDrift, drift, jensen_shannon, psi
from workbench.monitoring.performance import ReliabilityBin, reliability
from workbench.monitoring.production import InProduction, production
from workbench.monitoring.profile import ColumnProfile, Profile, count, profile
from workbench.monitoring.records import (
    Alert,
    AlertState,
    Window,
    acknowledge,
    list_alerts,
    list_windows,
    record,
)
from workbench.monitoring.spec import FindingKind, MonitorSpec
from workbench.monitoring.windows import (
    Finding,
    MonitorInputs,
    WindowResult,
    WindowStatus,
    evaluate,
)

__all__ = [
    "Alert",
    "AlertState",
    "ColumnDrift",
    "ColumnProfile",
    "Finding",
    "FindingKind",
    "InProduction",
    "MonitorInputs",
    "MonitorSpec",
    "Profile",
    "ReliabilityBin",
    "Window",
    "WindowResult",
    "WindowStatus",
    "acknowledge",
    "count",
    "drift",
    "evaluate",
    "jensen_shannon",
    "list_alerts",
    "list_windows",
    "production",
    "profile",
    "psi",
    "record",
    "reliability",
]
