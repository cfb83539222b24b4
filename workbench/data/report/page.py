"""The report as HTML that needs nothing else: no script, no file, no network.

Colours are variables: JupyterLab's where it shows the report, else our own by the reader's
preference of light or dark.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from workbench.data.report.drawing import bars, cell, figure, share, strength
from workbench.data.report.style import STYLE

if TYPE_CHECKING:
    from workbench.data.report.associations import Correlation
    from workbench.data.report.making import ColumnReport
    from workbench.data.report.summaries import ColumnSummary, Numbers

__all__ = ["fragment", "page"]

_MATRIX = 24
"""With more numeric columns than that, the strongest pairs are listed in place of a matrix."""

_PAIRS = 30


def page(report: ColumnReport) -> str:
    """Write a whole page."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Column report</title>'
        '<meta name="viewport" content="width=device-width"></head>'
        f'<body class="wb-page">{fragment(report)}</body></html>'
    )


def fragment(report: ColumnReport) -> str:
    """Write what a notebook shows."""
    parts = (_head(report), _columns(report), _correlations(report), _notes(report))
    return f'<div class="wb-report"><style>{STYLE}</style>{"".join(parts)}</div>'


def _head(report: ColumnReport) -> str:
    cells = report.rows * len(report.columns)
    missing = sum(column.missing for column in report.columns)
    facts = [
        (f"{report.rows:,}", "rows"),
        (f"{len(report.columns):,}", "columns"),
        (f"{report.megabytes:,.1f} MB", "in memory"),
        (share(missing, cells), "of cells missing"),
    ]
    items = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in facts)
    return f"<header>{items}</header>"


def _columns(report: ColumnReport) -> str:
    names = ["Column", "Missing", "Distinct", "Distribution", "Summary"]
    with_target = {item.column: item for item in report.associations}
    if report.target is not None:
        names.append(f"With {escape(report.target)}")
    rows = []
    for column in report.columns:
        found = [
            f"<th scope=row>{escape(column.name)}<small>{escape(column.dtype[:80])}</small></th>",
            f"<td>{_missing(column.missing, report.rows)}</td>",
            f"<td>{_distinct(column)}</td>",
            f"<td>{bars(column)}</td>",
            f"<td>{_summary(column, report.rows, report.sample)}</td>",
        ]
        if report.target is not None:
            item = with_target.get(column.name)
            if column.name == report.target:
                found.append('<td class="quiet">the target</td>')
            else:
                found.append(f"<td>{_strength(item.value, item.measure) if item else ''}</td>")
        rows.append(f"<tr>{''.join(found)}</tr>")
    head = "".join(f"<th scope=col>{name}</th>" for name in names)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _missing(missing: int, rows: int) -> str:
    if not missing:
        return '<span class="quiet">none</span>'
    width = 100 * missing / rows
    return f'{share(missing, rows)}<i class="bar"><i style="width:{width:.1f}%"></i></i>'


def _distinct(column: ColumnSummary) -> str:
    if column.distinct is None:
        return ""
    return f"{'' if column.distinct_exact else '≈ '}{column.distinct:,}"


def _summary(column: ColumnSummary, rows: int, sample: int) -> str:
    if column.numbers is not None:
        return _figures(column.numbers, rows)
    if column.kind == "time" and column.first is not None:
        ends = (("first", column.first), ("last", column.last or ""))
        return _pairs((name, escape(value)) for name, value in ends)
    if column.bars is None or column.kind in ("number", "time") or column.missing == rows:
        return ""
    where = " of the sample" if column.bars.sampled else ""
    if not column.bars.counts:
        return f'<span class="quiet">no value is there twice{where and " in the sample"}</span>'
    known = sample if column.bars.sampled else rows
    top = zip(column.bars.labels[:3], column.bars.counts, strict=False)
    return _pairs((escape(label), share(count, known) + where) for label, count in top)


def _figures(numbers: Numbers, rows: int) -> str:
    shown = [
        ("mean", figure(numbers.mean)),
        ("std", figure(numbers.std)),
        ("range", f"{figure(numbers.min)} … {figure(numbers.max)}"),
        ("middle half", f"{figure(numbers.q25)} … {figure(numbers.q75)}"),
        ("median", figure(numbers.median)),
    ]
    for name in ("zeros", "outliers", "nan", "infinite"):
        count = getattr(numbers, name)
        if count:
            shown.append(("NaN" if name == "nan" else name, share(count, rows)))
    return _pairs(shown)


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    items = "".join(f"<span><i>{name}</i> {value}</span>" for name, value in pairs)
    return f'<div class="pairs">{items}</div>'


def _strength(value: float, measure: str) -> str:
    width = 100 * abs(value)
    return (
        f'{strength(value)}<small>{escape(measure)}</small><i class="bar good">'
        f'<i style="width:{width:.1f}%"></i></i>'
    )


def _correlations(report: ColumnReport) -> str:
    if not report.correlations:
        return ""
    names = [column.name for column in report.columns if column.kind == "number"]
    many = len(names) > _MATRIX
    shown = _list(report.correlations) if many else _matrix(names, report.correlations)
    return f"<h4>Correlation <small>Spearman’s rank correlation</small></h4>{shown}"


def _list(pairs: list[Correlation]) -> str:
    rows = "".join(
        f"<tr><th scope=row>{escape(pair.one)}</th><th>{escape(pair.other)}</th>"
        f"<td>{pair.value:+.2f}</td></tr>"
        for pair in pairs[:_PAIRS]
    )
    return f"<table><tbody>{rows}</tbody></table>"


def _matrix(names: list[str], pairs: list[Correlation]) -> str:
    values = {(pair.one, pair.other): pair.value for pair in pairs}
    values |= {(other, one): value for (one, other), value in values.items()}
    rows = [
        f"<tr><th scope=row>{escape(one)}</th>"
        + "".join(cell(values.get((one, other))) for other in names)
        + "</tr>"
        for one in names
    ]
    head = "".join(
        f'<th scope=col title="{escape(name)}"><span>{escape(name)}</span></th>' for name in names
    )
    return (
        '<div class="scroll"><table class="matrix"><thead><tr><td></td>'
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _notes(report: ColumnReport) -> str:
    said = []
    if report.sample < report.rows:
        said.append(
            f"Quantiles, correlations and associations are of a random sample of "
            f"{report.sample:,} of the {report.rows:,} rows; all other figures of all rows."
        )
    else:
        said.append("All figures are of all rows.")
    if any(not column.distinct_exact for column in report.columns):
        said.append("≈ is an estimate (HyperLogLog).")
    if any(column.numbers and column.numbers.outliers for column in report.columns):
        said.append(
            "Outliers lie more than 1.5 interquartile ranges outside of the quartiles (Tukey)."
        )
    if any(column.bars and column.bars.clipped for column in report.columns):
        said.append("A paler bar at an end also holds what lies beyond it.")
    if report.associations:
        said.append(
            "Associations: Spearman’s rank correlation; the correlation ratio, corrected after "
            "Kelley (1935); Cramér’s V, corrected after Bergsma (2013)."
        )
    return f"<footer>{' '.join(said)}</footer>"
