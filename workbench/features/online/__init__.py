"""Features for a request: the newest row of each entity, found by key in microseconds.

One idea: a store knows keys, two times and packed bytes, and lets a row be replaced only by one
that isn't older. So it doesn't matter who writes first, how often, or who is killed while writing:
a materialisation, a second one and a stream end at the same rows.
"""

from workbench.features.online.filling import Materialization
from workbench.features.online.freshness import Freshness, freshness
from workbench.features.online.layouts import Layout
from workbench.features.online.materializing import materialize_online, withdraw
from workbench.features.online.parity import Difference, Parity, check_parity
from workbench.features.online.protocol import OnlineStore, Row, Version, VersionGoneError
from workbench.features.online.reading import OnlineReader, online
from workbench.features.online.stores import online_store

__all__ = [
    "Difference",
    "Freshness",
    "Layout",
    "Materialization",
    "OnlineReader",
    "OnlineStore",
    "Parity",
    "Row",
    "Version",
    "VersionGoneError",
    "check_parity",
    "freshness",
    "materialize_online",
    "online",
    "online_store",
    "withdraw",
]
