"""The column report: what a frame holds, at a glance.

>>> import polars as pl
>>> from workbench.data import report
>>> report(pl.DataFrame({"delay": [1.0, None, 3.0]})).columns[0].missing
1

The same numbers in a notebook (`_repr_html_`), as a file (`to_html`) and as data (`to_dict`).
Counts, means and extremes are of all rows. Quantiles, correlations and associations of more than
100,000 rows are of a sample of so many, which the report says.
"""

from workbench.data.report.bars import Bars
from workbench.data.report.making import ColumnReport, report
from workbench.data.report.summaries import ColumnSummary, Numbers

__all__ = ["Bars", "ColumnReport", "ColumnSummary", "Numbers", "report"]
