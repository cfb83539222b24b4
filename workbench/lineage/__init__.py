"""The chain: edges written where things are read and written, asked in both directions.

A node is a name with its kind in front: `cell:…`, `commit:…`, `dataset:flights@…`,
`view:weather@…`, `job:…`, `run:…`, `model:flights-late/3`, `predictions:…`, `window:…`. An edge
says that its source was used to make its target.

>>> import workbench as wb
>>> wb.lineage.show("model:flights-late@champion", depth=3)  # doctest: +SKIP
>>> wb.lineage.picture("feature:weather:temp")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.lineage import openlineage
from workbench.lineage.cells import (
    ExecutedCell,
    Touch,
    cell_edges,
    cell_node,
    executed_cells,
)
from workbench.lineage.columns import column_edges, column_node, feature_node, has_columns
from workbench.lineage.edges import Edge, downstream, link, link_all, upstream
from workbench.lineage.nodes import Node
from workbench.lineage.observers import (
    fitted,
    made,
    observing_fits,
    observing_made,
    observing_use,
    used,
)
from workbench.lineage.showing import Lineage, show
from workbench.lineage.walk import Cut

if TYPE_CHECKING:
    from workbench.lineage.drawing.picture import Picture

__all__ = [
    "Cut",
    "Edge",
    "ExecutedCell",
    "Lineage",
    "Node",
    "Touch",
    "cell_edges",
    "cell_node",
    "column_edges",
    "column_node",
    "downstream",
    "executed_cells",
    "feature_node",
    "fitted",
    "has_columns",
    "link",
    "link_all",
    "made",
    "observing_fits",
    "observing_made",
    "observing_use",
    "openlineage",
    "picture",
    "show",
    "upstream",
    "used",
]


def picture(node: str | Lineage, **options: Any) -> Picture:
    """Draw the chain around a node; `options` are those of `show`."""
    from workbench.lineage.drawing.picture import picture as draw

    return draw(node, **options)
