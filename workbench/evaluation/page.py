"""The report as HTML that needs nothing else: no script, no file, no network.

It looks like the column report (`wb.data.report`), whose style it uses, and follows JupyterLab's
theme or the reader's preference of light or dark. An outcome is said by a word and a sign, so that
no colour has to be told from another.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from workbench.data.report.style import STYLE
from workbench.evaluation.drawing import axis_of, reach, reliability_picture
from workbench.evaluation.outcomes import OUTCOMES, CheckResult, MetricValue, SliceResult
from workbench.evaluation.telling import counted, drawn_of
from workbench.evaluation.wording import number, percent

if TYPE_CHECKING:
    from workbench.evaluation.report import EvaluationReport

__all__ = ["fragment", "page"]

_SIGNS = {"issue": "✕", "tip": "!", "skipped": "–", "passed": "✓", "not applicable": "·"}

_MOST_SLICES = 200
"""More make a page that nobody reads; the report as data has them all."""

_STYLE = """
.wb-eval h4{margin:24px 0 8px}
.wb-eval rect.reach{opacity:.35}
.wb-eval circle{fill:var(--wb-bar)}
.wb-eval polyline{fill:none;stroke:var(--wb-bar);stroke-width:1.5}
.wb-eval line{stroke:var(--wb-line)}
.wb-eval line.whole{stroke:var(--wb-quiet);stroke-dasharray:3 3}
.wb-eval line.bar-y{stroke:var(--wb-bar);stroke-width:6;opacity:.35;stroke-linecap:round}
.wb-eval text{fill:var(--wb-quiet);font-size:10px}
.wb-eval td.num{text-align:right;white-space:nowrap}
.wb-eval th.num{text-align:right}
.wb-eval td.why{max-width:68ch;min-width:260px}
.wb-eval td.why p{margin:4px 0 0;color:var(--wb-quiet)}
.wb-eval td{vertical-align:top}
.wb-eval .out{display:inline-block;white-space:nowrap;font-weight:600}
.wb-eval .out b{display:inline-block;width:18px;height:18px;border-radius:50%;margin-right:6px;
text-align:center;font:600 12px/18px system-ui,sans-serif;border:1px solid var(--wb-quiet);
color:var(--wb-quiet);box-sizing:border-box}
.wb-eval .issue b{background:var(--wb-warn);border-color:var(--wb-warn);color:var(--wb-paper)}
.wb-eval .tip b{border-color:var(--wb-warn);color:var(--wb-warn)}
.wb-eval .passed b{border-color:var(--wb-good);color:var(--wb-good)}
.wb-eval .calm{font-weight:400;color:var(--wb-quiet)}
.wb-eval .wide{overflow-x:auto}
.wb-eval .beside{display:flex;flex-wrap:wrap;gap:8px 48px;align-items:flex-start}
.wb-eval summary{cursor:pointer;color:var(--wb-quiet);margin:12px 0 4px}
"""


def page(report: EvaluationReport) -> str:
    """Write a whole page."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Evaluation of {escape(report.model)}</title>"
        '<meta name="viewport" content="width=device-width"></head>'
        f'<body class="wb-page">{fragment(report)}</body></html>'
    )


def fragment(report: EvaluationReport) -> str:
    """Write what a notebook shows."""
    parts = (_head(report), _checks(report), _figures(report), _slices(report), _notes(report))
    return f'<div class="wb-report wb-eval"><style>{STYLE}{_STYLE}</style>{"".join(parts)}</div>'


def _head(report: EvaluationReport) -> str:
    primary = report.metric(report.primary)
    facts = [
        (escape(report.model), f"predicts {escape(report.label)}"),
        (f"{report.rows:,}", "rows judged"),
        (f"{number(primary.value)}", f"{escape(primary.name)}{_interval(primary)}"),
        (_outcome(report.outcome), counted(report)),
    ]
    items = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in facts)
    return f"<header>{items}</header>"


def _outcome(outcome: str) -> str:
    kind = outcome.replace(" ", "-")
    calm = "" if outcome in ("issue", "tip") else " calm"
    return f'<span class="out {kind}{calm}"><b>{_SIGNS[outcome]}</b>{outcome}</span>'


def _checks(report: EvaluationReport) -> str:
    if not report.checks:
        return ""
    ranked = sorted(report.checks, key=lambda check: OUTCOMES.index(check.outcome))
    shown = [check for check in ranked if check.outcome != "not applicable"]
    rest = [check for check in ranked if check.outcome == "not applicable"]
    more = ""
    if rest:
        more = (
            f"<details><summary>{len(rest)} not applicable</summary>{_check_table(rest)}</details>"
        )
    return f"<h4>Checks</h4>{_check_table(shown)}{more}"


def _check_table(checks: list[CheckResult]) -> str:
    rows = "".join(
        f"<tr><td>{_outcome(check.outcome)}</td><th scope=row>{escape(check.title)}"
        f"<small>{escape(check.code)}</small></th><td class=why>{escape(check.explanation)}"
        f"{f'<p>{escape(check.advice)}</p>' if check.advice else ''}</td></tr>"
        for check in checks
    )
    return f"<div class=wide><table><tbody>{rows}</tbody></table></div>"


def _figures(report: EvaluationReport) -> str:
    train = any(metric.train is not None for metric in report.metrics)
    names = ["Metric", "Value", "Interval", "Constant", *(["Training"] if train else [])]
    head = "".join(
        f"<th scope=col{' class=num' if place else ''}>{name}</th>"
        for place, name in enumerate(names)
    )
    rows = "".join(_figure_row(metric, train=train) for metric in report.metrics)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    curve = ""
    if len(report.reliability) > 1:
        curve = f"<div><h4>Reliability</h4>{reliability_picture(report.reliability)}</div>"
    return f"<div class=beside><div><h4>Metrics</h4>{table}</div>{curve}</div>"


def _figure_row(metric: MetricValue, *, train: bool) -> str:
    arrow = {True: "higher is better", False: "lower is better", None: "describes the rows"}
    cells = [number(metric.value), _ends(metric), number(metric.baseline)]
    if train:
        cells.append(number(metric.train))
    written = "".join(f"<td class=num>{cell}</td>" for cell in cells)
    return (
        f"<tr><th scope=row>{escape(metric.name)}<small>{arrow[metric.higher_is_better]}</small>"
        f"</th>{written}</tr>"
    )


def _ends(metric: MetricValue) -> str:
    interval = metric.interval
    return "–" if interval is None else f"{number(interval.low)} … {number(interval.high)}"


def _interval(metric: MetricValue) -> str:
    return f", {_ends(metric)}" if metric.interval else ""


def _slices(report: EvaluationReport) -> str:
    if not report.slices:
        return ""
    whole = report.metric(report.primary)
    found = [whole, *(one.metric(report.primary) for one in report.slices)]
    axis = axis_of(found)
    rows = "".join(_slice_row(report, one, axis, whole) for one in report.slices[:_MOST_SLICES])
    left = len(report.slices) - _MOST_SLICES
    more = f"<p class=quiet>and {left:,} more</p>" if left > 0 else ""
    name = escape(report.primary)
    return (
        f"<h4>Slices <small>{name}; the dashed line is that of all rows</small></h4>"
        "<div class=wide><table><thead><tr><th scope=col>Slice</th>"
        "<th scope=col class=num>Rows</th>"
        f"<th scope=col class=num>{name}</th><th scope=col class=num>Interval</th><th></th></tr>"
        f"</thead><tbody>{rows}</tbody></table></div>{more}"
    )


def _slice_row(
    report: EvaluationReport,
    one: SliceResult,
    axis: tuple[float, float] | None,
    whole: MetricValue,
) -> str:
    found = one.metric(report.primary)
    head = (
        f"<tr><th scope=row>{escape(one.name)}</th><td class=num>{one.rows:,}"
        f"<small>{percent(one.share).replace('<', '&lt;').replace('>', '&gt;')}</small></td>"
    )
    if found is None or found.value is None or axis is None:
        return f"{head}<td colspan=3 class=quiet>{escape(one.note)}</td></tr>"
    return (
        f"{head}<td class=num>{number(found.value)}</td><td class=num>{_ends(found)}</td>"
        f"<td>{reach(found, axis, whole.value)}</td></tr>"
    )


def _notes(report: EvaluationReport) -> str:
    said = [
        f"Intervals hold the middle {100 * report.level:g} % of {escape(drawn_of(report))} "
        f"(percentile bootstrap, seed {report.seed}).",
        "“Constant” is what always predicting the base rate, the shares or the mean of the "
        f"{'training' if report.train_rows is not None else 'same'} rows gets.",
    ]
    if report.positive is not None:
        said.append(f"Positive is {escape(report.label)} = {escape(report.positive)}.")
    if report.unlabelled:
        said.append(f"{report.unlabelled:,} rows without a label were left out.")
    if report.unpredicted:
        said.append(f"{report.unpredicted:,} rows without a finite prediction were left out.")
    said += [escape(note.rstrip(".")) + "." for note in report.notes]
    said.append(f"Rows {report.dataset[:12]}, report {report.digest[:12]}.")
    return f"<footer>{' '.join(said)}</footer>"
