"""What a project's `features/*.py` declares.

A definition is a function from sources to rows, and a decorator that says what the rows are. Only
what can be known without data is checked when it is declared; what the function returns is checked
by its columns and types whenever it runs. Its digest covers what it says and the code it uses, and
nothing of its neighbours in the file.
"""

from workbench.features.definitions.aggregates import (
    Aggregate,
    Count,
    Distinct,
    Last,
    Mean,
    Rate,
    Sum,
    duration,
)
from workbench.features.definitions.declare import feature_view, request_view, spine
from workbench.features.definitions.load import Definitions, load_definitions
from workbench.features.definitions.views import FeatureView, RequestView, Spine, View

__all__ = [
    "Aggregate",
    "Count",
    "Definitions",
    "Distinct",
    "FeatureView",
    "Last",
    "Mean",
    "Rate",
    "RequestView",
    "Spine",
    "Sum",
    "View",
    "duration",
    "feature_view",
    "load_definitions",
    "request_view",
    "spine",
]
