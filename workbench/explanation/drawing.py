"""What the pictures show, worked out once for the PNG and for the Bokeh figure beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from workbench.explanation.result import Explanation

    Floats = npt.NDArray[np.float64]

__all__ = ["NEUTRAL", "Bar", "Strip", "bars", "number", "strips"]

NEUTRAL = "#8593a1"
"""Of marks whose column has no order, or no value."""

_LOW, _MIDDLE, _HIGH = (47, 111, 176), (190, 174, 170), (224, 110, 20)
_COLUMNS = 16
_MARKS = 200
_HEIGHT = 0.4


@dataclass(frozen=True, eq=False)
class Strip:
    """One column's marks: where they lie, and how high the column's own value was."""

    column: str
    mean: float
    x: Floats
    y: Floats
    colours: list[str]
    texts: list[str]


@dataclass(frozen=True)
class Bar:
    """A step of the way from the base value to what the model says."""

    name: str
    begin: float
    end: float


def strips(explanation: Explanation, output: int) -> list[Strip]:
    """Lay out the strongest columns, the first at the bottom, with so many marks as one can see."""
    import numpy as np

    values = explanation.array[output]
    mean = np.abs(values).mean(axis=0)
    count = len(values)
    shown = np.unique(np.linspace(0, count - 1, min(count, _MARKS)).astype(int))
    order = np.argsort(-mean, kind="stable")[:_COLUMNS]
    made = []
    for place in order[::-1]:
        column = explanation.data.to_series(int(place))
        x = values[shown, place]
        made.append(
            Strip(
                column=column.name,
                mean=float(mean[place]),
                x=x,
                y=_heaped(x),
                colours=_colours(column)[shown].tolist(),
                texts=[_text(column[int(row)]) for row in shown],
            )
        )
    return made


def bars(explanation: Explanation, place: int, output: int, limit: int = 12) -> list[Bar]:
    """Go from the base value to the output, the strongest column last; the weak ones together."""
    import numpy as np

    values = explanation.array[output, place]
    order = np.argsort(-np.abs(values), kind="stable")
    strong, weak = order[:limit], order[limit:]
    steps = [(f"{len(weak)} other columns", float(values[weak].sum()))] if len(weak) else []
    for column in strong[::-1]:
        name = explanation.columns[column]
        steps.append((f"{name} = {_text(explanation.data[name][place])}", float(values[column])))
    made, at = [], float(explanation.base[output])
    for name, step in steps:
        made.append(Bar(name, at, at + step))
        at += step
    return made


def number(value: float) -> str:
    """Write a number as one reads it.

    >>> number(0.123456), number(1234567.0), number(-2.0)
    ('0.1235', '1,234,567', '−2')
    """
    text = f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    return text.replace("-", "−")


def _text(value: Any) -> str:
    if value is None or value != value:
        return "missing"
    return number(float(value)) if isinstance(value, (int, float)) else str(value)[:40]


def _heaped(x: Floats) -> Floats:
    """Move marks that lie close together up and down in turn, the more the closer they lie."""
    import numpy as np

    spread = float(np.ptp(x))
    if spread == 0:
        return np.linspace(-_HEIGHT, _HEIGHT, len(x)) if len(x) > 1 else np.zeros(len(x))
    bins = ((x - x.min()) / spread * 60).astype(int)
    order = np.argsort(bins, kind="stable")
    first = np.searchsorted(bins[order], bins[order])
    rank = np.empty(len(x))
    rank[order] = np.arange(len(x)) - first
    side = np.where(rank % 2 == 0, 1.0, -1.0) * np.ceil(rank / 2)
    return side * min(0.05, _HEIGHT / max(float(np.abs(side).max()), 1.0))


def _colours(column: pl.Series) -> Any:
    """Colour from the lowest value to the highest, by rank: blue, grey, orange."""
    import numpy as np

    colours = np.full(len(column), NEUTRAL, dtype=object)
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        return colours
    numbers = column.cast(pl.Float64).fill_nan(None)
    known = numbers.is_not_null().to_numpy()
    if not known.any():
        return colours
    rank = numbers.drop_nulls().rank("average").to_numpy()
    span = float(rank.max() - rank.min())
    colours[known] = [_blend((r - rank.min()) / span if span else 0.5) for r in rank]
    return colours


def _blend(share: float) -> str:
    low, high = (_LOW, _MIDDLE) if share < 0.5 else (_MIDDLE, _HIGH)
    part = 2 * share if share < 0.5 else 2 * share - 1
    mixed = (round(a + (b - a) * part) for a, b in zip(low, high, strict=True))
    return "#{:02x}{:02x}{:02x}".format(*mixed)
