"""What is written in pictures of runs: names, ends, numbers, and what the pointer is told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workbench.server.resources.runs.fields import Axis
from workbench.tracking import RunRecord

__all__ = ["INK", "PAPER", "label", "number", "short", "tell", "told"]

INK = {"light": "#4f5c69", "dark": "#c3ccd5"}
PAPER = {"light": "#ffffff", "dark": "#212121"}

_LABELS = 7
"""Categories that an axis names; of more only some."""
_NUMBERED = 12
_NEAR = 0.05
"""Runs that are no farther apart, of the whole width and height, have their numbers together."""


def label(plot: Any, axes: Sequence[Axis], theme: str) -> None:
    """Write the name above each axis, and beside it what its ends or its categories are."""
    ink = _ink(theme)
    above = [1.07 + 0.07 * (x % 2) for x in range(len(axes))]  # side by side they would overlap
    plot.text(
        list(range(len(axes))), above, [short(axis.label) for axis in axes],
        text_align="center", text_font_style="bold", **ink,
    )  # fmt: skip
    xs, ys, texts = [], [], []
    for x, axis in enumerate(axes):
        for y, text in _ticks(axis):
            xs.append(x)
            ys.append(y)
            texts.append(text)
    plot.text(xs, ys, texts, x_offset=6, text_baseline="middle", **ink)
    plot.axis.visible = plot.grid.visible = False


def number(plot: Any, places: Sequence[tuple[float, float]], theme: str, **where: Any) -> None:
    """Write the runs' numbers where they are drawn, those of one place together."""
    known = {n: place for n, place in enumerate(places) if not any(map(math.isnan, place))}
    if len(places) > _NUMBERED or not known:
        return
    spans = [(max(axis) - min(axis)) or 1 for axis in zip(*known.values(), strict=True)]
    together: dict[tuple[float, float], list[str]] = {}
    for n, place in known.items():
        near = (
            one
            for one in together
            if all(abs(a - b) <= _NEAR * span for a, b, span in zip(one, place, spans, strict=True))
        )
        together.setdefault(next(near, place), []).append(str(n + 1))
    plot.text(
        [x for x, _ in together], [y for _, y in together], list(map(" ".join, together.values())),
        text_baseline="middle", text_font_style="bold", **_ink(theme), **where,
    )  # fmt: skip


def _ink(theme: str) -> dict[str, Any]:
    """Write small, on enough of the paper to be read across a line."""
    return {
        "text_color": INK[theme],
        "text_font_size": "11px",
        "background_fill_color": PAPER[theme],
        "background_fill_alpha": 0.75,
        "padding": 1,
    }


def _ticks(axis: Axis) -> list[tuple[float, str]]:
    if axis.categories:
        last = max(1, len(axis.categories) - 1)
        every = math.ceil(len(axis.categories) / _LABELS)
        if len(axis.categories) == 1:
            return [(0.5, short(axis.categories[0]))]
        return [(n / last, short(text)) for n, text in enumerate(axis.categories)][::every]
    known = [place for place in axis.places if not math.isnan(place)]
    low, high = min(known), max(known)
    return [(0.5, _written(low))] if low == high else [(0, _written(low)), (1, _written(high))]


def _written(value: float | str | None) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:.4g}"


def short(text: str) -> str:
    """Cut a text to what has room beside an axis."""
    return text if len(text) <= 24 else f"{text[:23]}…"


def told(
    runs: Sequence[RunRecord], axes: Sequence[Axis], indices: Sequence[int]
) -> dict[str, list[str]]:
    """Return the columns of a source that say which run it is, and what it has on each axis."""
    said = {"run": [f"{runs[i].name} ({runs[i].run_id[:8]})" for i in indices]}
    for n, axis in enumerate(axes):
        said[f"axis{n}"] = [_written(axis.values[i]) for i in indices]
    return said


def tell(plot: Any, axes: Sequence[Axis], drawn: Sequence[Any], **how: Any) -> None:
    """Tell of the run under the pointer what `told` says."""
    from bokeh.models import HoverTool

    tips = [("run", "@run"), *((axis.label, f"@axis{n}") for n, axis in enumerate(axes))]
    plot.add_tools(HoverTool(renderers=list(drawn), tooltips=tips, **how))
