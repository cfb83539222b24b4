"""Where data come from: a name in `workbench.toml` leads to a source, whatever kind it is.

One idea: every kind answers the same five questions (`Source`), and a filter or a choice of columns
goes down to where the rows are. The address alone says which module opens it:

>>> import workbench as wb
>>> wb.data.read("flights", columns=["month", "dep_delay"])  # doctest: +SKIP
>>> wb.data.read("flights", lazy=True).filter(pl.col("month") == 1)  # doctest: +SKIP
>>> wb.data.read("churned", as_of=datetime(2024, 3, 1, tzinfo=UTC))  # doctest: +SKIP
"""

from workbench.data.sources.declared import Declared
from workbench.data.sources.opening import open_source
from workbench.data.sources.protocol import Source
from workbench.data.sources.reading import read, stamp

__all__ = ["Declared", "Source", "open_source", "read", "stamp"]
