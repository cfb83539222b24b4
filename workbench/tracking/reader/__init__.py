"""Reading runs quickly.

One idea: MLflow's tables are read by our own SQL, with indexes and statistics that we add, and
the answers are MLflow's to the last place in the order. Where we can't be sure of that (another
database, a schema we don't know, a filter with a quirk), MLflow itself is asked.
"""

from workbench.tracking.reader.facets import Facets, count_facets, records_facets
from workbench.tracking.reader.find import find_run
from workbench.tracking.reader.frame import records_frame, wide_frame
from workbench.tracking.reader.history import read_history
from workbench.tracking.reader.measured import run_metrics
from workbench.tracking.reader.queries import Lifecycle, Search, run_ids
from workbench.tracking.reader.records import RunRecord, read_records
from workbench.tracking.reader.request import Request, answer
from workbench.tracking.reader.sparklines import Sparklines, read_sparklines

__all__ = [
    "Facets",
    "Lifecycle",
    "Request",
    "RunRecord",
    "Search",
    "Sparklines",
    "answer",
    "count_facets",
    "find_run",
    "read_history",
    "read_records",
    "read_sparklines",
    "records_facets",
    "records_frame",
    "run_ids",
    "run_metrics",
    "wide_frame",
]
