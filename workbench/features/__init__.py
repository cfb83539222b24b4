"""Feature views: a definition once, values as they were known at any moment.

A project's `features/*.py` declares them as decorated functions from sources to rows. Three kinds
of definition make a training frame:

- a *spine*: the rows to predict, each with a key, its entities and the moment it is asked about;
- a *feature view*: rows that became true at an event time and known at a created time, or windowed
  aggregates of such events; joined as of the spine's moment;
- a *request view*: expressions over what the spine itself brings.

A feature is written `view:feature` and is the column `view__feature` of a frame.
"""

from workbench.features.applying import ViewChange, ViewVersion, apply, history
from workbench.features.catalogue import FeatureEntry, catalogue, search
from workbench.features.definitions import (
    Count,
    Definitions,
    Distinct,
    FeatureView,
    Last,
    Mean,
    Rate,
    RequestView,
    Spine,
    Sum,
    feature_view,
    load_definitions,
    request_view,
    spine,
)
from workbench.features.frames import BuiltFrame, build_frame, load_spine, training_frame
from workbench.features.offline import append
from workbench.features.online import (
    OnlineReader,
    check_parity,
    freshness,
    materialize_online,
    online,
)
from workbench.features.statistics import FeatureStatistics, FeatureSummary, sparkline, summary

__all__ = [
    "BuiltFrame",
    "Count",
    "Definitions",
    "Distinct",
    "FeatureEntry",
    "FeatureStatistics",
    "FeatureSummary",
    "FeatureView",
    "Last",
    "Mean",
    "OnlineReader",
    "Rate",
    "RequestView",
    "Spine",
    "Sum",
    "ViewChange",
    "ViewVersion",
    "append",
    "apply",
    "build_frame",
    "catalogue",
    "check_parity",
    "feature_view",
    "freshness",
    "history",
    "load_definitions",
    "load_spine",
    "materialize_online",
    "online",
    "request_view",
    "search",
    "sparkline",
    "spine",
    "summary",
    "training_frame",
]
