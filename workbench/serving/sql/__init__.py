"""SQL over the project: its sources as tables, its functions and models as functions.

>>> import workbench as wb
>>> wb.sql("SELECT flight, predict('flights-late@champion', *) FROM flights")  # doctest: +SKIP

One idea: a query is read before it is run. DuckDB's own parser gives its tree, in which models,
functions and tables are looked up by name and put in as what they are, and the tree goes back to
DuckDB: no text is searched, none is pasted. What runs then sees the tables that it was given and
nothing else: neither files nor the network.

A model's rows are gathered before it is asked (`gathering`): DuckDB hands over 2,048 at a time, and
most models take several times as long for many small batches as for a large one.
"""

from workbench.serving.sql.asking import sql

__all__ = ["sql"]
