"""The PNG of a panel: small lines, or bars, drawn on white so that they read everywhere.

Colours are Okabe and Ito's, and the shape of a mark says its state as well. Drawn without pyplot:
no global state and no backend.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.lineage.nodes import clean

__all__ = ["Bar", "Mark", "Series", "bars", "lines"]

_INK, _QUIET, _GRID, _LINE = "#24303c", "#66727f", "#e4e8ec", "#0072b2"
_COLOURS = {
    "ok": "#009e73",
    "running": "#0072b2",
    "warning": "#e69f00",
    "alert": "#d55e00",
    "insufficient": "#8593a1",
}
_SHAPES = {"ok": "o", "running": "D", "warning": "^", "alert": "s", "insufficient": "o"}
_LARGEST = 90_000
_MOST_MARKS = 300


@dataclass(frozen=True)
class Mark:
    """A value at its place in a row; `ringed` is the one that is spoken of."""

    label: str
    value: float | None
    tone: str = "ok"
    ringed: bool = False


@dataclass(frozen=True)
class Series:
    """Values in their order, under a title; `against` are what they are held against, dashed."""

    title: str
    marks: Sequence[Mark]
    against: Sequence[float | None] = ()
    joined: bool = True


@dataclass(frozen=True)
class Bar:
    """A length with its name, and what is written behind it."""

    label: str
    length: float
    note: str
    tone: str


def lines(series: Sequence[Series], *, most: int = 6) -> bytes | None:
    """Draw each series in a field of its own, two beside each other; None if there is nothing."""
    drawn = [one for one in series if any(_known(mark.value) for mark in one.marks)][:most]
    if not drawn:
        return None
    columns = min(2, len(drawn))
    rows = -(-len(drawn) // columns)
    figure = _figure(8.6, 0.4 + 1.75 * rows)
    fields = figure.subplots(rows, columns, squeeze=False)
    for field, one in zip(fields.flat, drawn, strict=False):
        _line(field, one)
    for field in list(fields.flat)[len(drawn) :]:
        field.set_axis_off()
    return _png(figure)


def bars(found: Sequence[Bar], unit: str) -> bytes | None:
    """Draw lengths below each other, the first at the top; None if there are none."""
    if not found:
        return None
    figure = _figure(8.6, 0.7 + 0.24 * len(found))
    field = figure.subplots()
    places = range(len(found))[::-1]
    field.barh(
        places,
        [bar.length for bar in found],
        height=0.62,
        color=[_COLOURS[bar.tone] for bar in found],
        hatch=["" if bar.tone in ("ok", "running") else "////" for bar in found],
        edgecolor="white",
        linewidth=0,
    )
    longest = max(bar.length for bar in found) or 1.0
    for place, bar in zip(places, found, strict=True):
        at = (bar.length + longest * 0.01, place)
        field.text(*at, _plain(bar.note), va="center", fontsize=7.5, color=_INK)
    field.set(yticks=list(places), xlim=(0, longest * 1.3), ylim=(-0.6, len(found) - 0.4))
    field.set_yticklabels([_plain(bar.label, 44) for bar in found])
    field.set_xlabel(unit, fontsize=8, color=_QUIET)
    _quiet(field)
    return _png(figure)


def _line(field: Any, series: Series) -> None:
    marks = series.marks[-_MOST_MARKS:]
    values = [mark.value if _known(mark.value) else math.nan for mark in marks]
    places = range(len(marks))
    if series.against:
        held = [v if _known(v) else math.nan for v in series.against[-_MOST_MARKS:]]
        field.plot(places, held, color=_QUIET, linewidth=1, linestyle=(0, (4, 3)))
    if series.joined:
        field.plot(places, values, color=_LINE, linewidth=1.4)
    for tone, shape in _SHAPES.items():
        own = [place for place, mark in enumerate(marks) if mark.tone == tone]
        field.scatter(
            own,
            [values[place] for place in own],
            s=16,
            marker=shape,
            color="white" if tone == "insufficient" else _COLOURS[tone],
            edgecolors=_COLOURS[tone],
            linewidths=1,
            zorder=3,
        )
    ringed = [place for place, mark in enumerate(marks) if mark.ringed]
    ring = [values[place] for place in ringed]
    field.scatter(ringed, ring, s=90, facecolors="none", edgecolors=_INK, linewidths=1.2, zorder=4)
    shown = sorted({0, len(marks) // 2, len(marks) - 1})
    field.set(xticks=shown)
    field.set_xticklabels([_plain(marks[place].label, 18) for place in shown])
    field.set_title(_plain(series.title, 60), loc="left", fontsize=9, color=_INK)
    field.margins(x=0.06, y=0.2)
    field.grid(axis="y", color=_GRID, linewidth=0.8)
    _quiet(field)


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), facecolor="white", layout="constrained")


def _quiet(field: Any) -> None:
    field.spines[["top", "right", "left"]].set_visible(False)
    field.spines["bottom"].set_color(_GRID)
    field.tick_params(colors=_QUIET, labelsize=7.5, length=0)
    field.set_axisbelow(True)


def _png(figure: Any) -> bytes:
    """Write a figure as sharp as a notebook's file can bear."""
    for dots in (130, 100, 72):
        written = io.BytesIO()
        with warnings.catch_warnings():  # a letter that the font lacks is a box, and no news
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            figure.savefig(written, format="png", dpi=dots)
        if len(written.getvalue()) <= _LARGEST:
            break
    return written.getvalue()


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _plain(text: str, longest: int = 80) -> str:
    """Cut a text, and keep matplotlib from reading a formula between its dollar signs."""
    short = clean(text)
    short = short if len(short) <= longest else f"{short[: longest - 1]}…"
    return short.replace("$", r"\$")
