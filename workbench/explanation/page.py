"""An explanation as a notebook shows it: HTML that needs no script, no file and no network."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from workbench.data.report.style import STYLE
from workbench.explanation.drawing import number

if TYPE_CHECKING:
    from workbench.explanation.result import Explanation

__all__ = ["fragment"]

_SHOWN = 30


def fragment(explanation: Explanation) -> str:
    """Write what a notebook shows; every name in it is escaped."""
    parts = (_head(explanation), _table(explanation), _foot(explanation))
    return f'<div class="wb-report"><style>{STYLE}</style>{"".join(parts)}</div>'


def _head(explanation: Explanation) -> str:
    facts = [
        (explanation.model, explanation.subject),
        (explanation.sampled or f"{explanation.rows:,} rows", "explained"),
        (explanation.flavor, explanation.method),
    ]
    items = "".join(f"<div><b>{escape(a)}</b><span>{escape(b)}</span></div>" for a, b in facts)
    return f"<header>{items}</header>"


def _table(explanation: Explanation) -> str:
    strongest = max(explanation.importance.values(), default=0.0) or 1.0
    rows = [
        f"<tr><th scope=row>{escape(name)}</th><td>{number(value)}"
        f'<i class="bar good"><i style="width:{100 * value / strongest:.1f}%"></i></i></td></tr>'
        for name, value in list(explanation.importance.items())[:_SHOWN]
    ]
    head = f"<th scope=col>Column</th><th scope=col>Mean |value|, {escape(explanation.units)}</th>"
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _foot(explanation: Explanation) -> str:
    base = ", ".join(
        f"{number(value)}{f' for {label}' if len(explanation.labels) > 1 else ''}"
        for label, value in explanation.base_values.items()
    )
    said = [
        f"Base value: {base}.",
        f"Base value and values miss what the model says by {explanation.additivity_error:.1e} at "
        f"the most (allowed: {explanation.tolerance:.1e}).",
    ]
    if explanation.error is not None:
        said.append(f"Standard error of a value: {number(explanation.error)}.")
    if explanation.background is not None:
        said.append(f"Compared with {explanation.background.told}.")
    if len(explanation.importance) > _SHOWN:
        said.append(f"The strongest {_SHOWN} of {len(explanation.importance):,} columns.")
    said += [f"{note}." for note in explanation.notes]
    return f"<footer>{escape(' '.join(said))}</footer>"
