"""Feature views: a definition once, values as they were known at any moment.

A project's `features/*.py` declares them as decorated functions from sources to rows. Three kinds
of definition make a training frame:

- a *spine*: the rows to predict, each with a key, its entities and the moment it is asked about;
- a *feature view*: rows that became true at an event time and known at a created time, or windowed
  aggregates of such events; joined as of the spine's moment;
- a *request view*: expressions over what the spine itself brings.

A feature is written `view:feature` and is the column `view__feature` of a frame.
"""

from workbench.features.catalogue import FeatureEntry, ViewChange, apply, catalogue, search
from workbench.features.definitions import (
    Count,
    Definitions,
    FeatureView,
    Rate,
    RequestView,
    Spine,
    feature_view,
    load_definitions,
    request_view,
    spine,
)
from workbench.features.frames import BuiltFrame, build_frame, load_spine, training_frame

__all__ = [
    "BuiltFrame",
    "Count",
    "Definitions",
    "FeatureEntry",
    "FeatureView",
    "Rate",
    "RequestView",
    "Spine",
    "ViewChange",
    "apply",
    "build_frame",
    "catalogue",
    "feature_view",
    "load_definitions",
    "load_spine",
    "request_view",
    "search",
    "spine",
    "training_frame",
]
