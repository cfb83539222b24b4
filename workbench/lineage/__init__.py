"""The chain: edges written where things are read and written, asked in both directions.

A node is a name with its kind in front: `commit:…`, `dataset:flights@…`, `view:weather@…`,
`job:…`, `run:…`, `model:flights-late/3`, `predictions:…`, `window:…`. An edge says that its source
was used to make its target.
"""

from workbench.lineage.edges import Edge, downstream, link, link_all, upstream
from workbench.lineage.observers import observing_use, used

__all__ = ["Edge", "downstream", "link", "link_all", "observing_use", "upstream", "used"]
