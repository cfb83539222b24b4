"""Point-in-time joins: the value that was known, never the one that came later.

Both joins are pure: rows in the order in which they were stored, questions in, answers out, one for
each question.

The bitemporal rule. A row is *true* from its event time and *known* from its created time. At a
moment t the answer is, among the rows known by t, the one with the latest event time. Ordered by
`available = max(event, created)`, and without the rows whose event time is older than one that was
already available, that is the last row available at t.
"""

from workbench.features.join.asked import Asked, ask
from workbench.features.join.asof import asof_features, check_order, known_rows, latest
from workbench.features.join.times import UTC, in_order, restored, to_utc
from workbench.features.join.windows import event_rows, window_features

__all__ = [
    "UTC",
    "Asked",
    "ask",
    "asof_features",
    "check_order",
    "event_rows",
    "in_order",
    "known_rows",
    "latest",
    "restored",
    "to_utc",
    "window_features",
]
