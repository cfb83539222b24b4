"""The chain as a Bokeh figure that one can move about in, with a PNG beside it."""

from __future__ import annotations

import io
import json
import warnings
from typing import Any
from uuid import uuid4

from workbench.errors import MissingExtraError
from workbench.lineage.drawing.grouping import group
from workbench.lineage.drawing.layout import HEIGHT, Layout, lay_out, short
from workbench.lineage.drawing.page import fragment
from workbench.lineage.drawing.svg import COLOURS
from workbench.lineage.showing import Lineage, show

__all__ = ["Picture", "picture"]

_WIDEST, _HIGHEST = 1000, 700
_INK, _DIM, _LINE, _BOX = "#1f2328", "#59636e", "#a3adb8", "#f6f8fa"
_LISTED = 8
_LARGEST_INCHES, _LARGEST_BYTES = 40.0, 200_000

_OF_KIND = {kind: colour for colour, kinds in COLOURS.items() for kind in kinds}

# Where BokehJS is on the page, which `bokeh.io.output_notebook()` sees to, the figure takes the
# place of the still picture.
_SCRIPT = """<script>(function () {{
const item = {item}, box = document.getElementById("{id}");
if (window.Bokeh && window.Bokeh.embed && box) {{
  box.replaceChildren(); window.Bokeh.embed.embed_item(item, "{id}");
}} }})()</script>"""


class Picture:
    """A lineage that was drawn: `figure` is Bokeh's."""

    def __init__(self, lineage: Lineage) -> None:
        self.lineage = lineage
        self._layout = lay_out(group(lineage))
        self.figure = _figure(self._layout, lineage.title)

    def png(self) -> bytes:
        """Draw the same as a PNG."""
        return _png(self._layout)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        from bokeh.embed import json_item

        name = f"wb-lineage-{uuid4().hex}"
        item = json.dumps(json_item(self.figure)).replace("<", "\\u003c")
        still = fragment(self.lineage)
        html = f'<div id="{name}">{still}</div>{_SCRIPT.format(item=item, id=name)}'
        return {"text/html": html, "image/png": self.png()}, {}


def picture(node: str | Lineage, **options: Any) -> Picture:
    """Draw what a node came from and what came of it; `options` are those of `show`.

    Raises
    ------
    MissingExtraError
        If Bokeh isn't installed.
    """
    try:
        import bokeh  # noqa: F401 - told before anything is looked up
    except ImportError as error:
        raise MissingExtraError.of("bokeh", "dashboard") from error
    return Picture(node if isinstance(node, Lineage) else show(node, **options))


def _figure(made: Layout, title: str) -> Any:
    from bokeh.models import ColumnDataSource, HoverTool, Range1d
    from bokeh.plotting import figure

    width, height = min(int(made.width), _WIDEST), min(int(made.height), _HIGHEST)
    plot = figure(
        title=short(title),
        width=width,
        height=height + 60,
        x_range=Range1d(0, width),
        y_range=Range1d(height, 0),
        tools="pan,wheel_zoom,reset,save",
        active_scroll=None,
        toolbar_location="right",
        name="lineage",
    )
    plot.bezier(
        x0="x",
        y0="y",
        x1="to_x",
        y1="to_y",
        cx0="bend",
        cy0="y",
        cx1="bend",
        cy1="to_y",
        source=ColumnDataSource(_curves(made)),
        line_color=_LINE,
        line_width=1.3,
    )
    boxes = ColumnDataSource(_boxes(made))
    drawn = plot.quad(
        left="left",
        right="right",
        top="top",
        bottom="bottom",
        source=boxes,
        fill_color=_BOX,
        line_color="edge",
        line_width="thick",
    )
    plot.quad(
        left="left",
        right="mark",
        top="top",
        bottom="bottom",
        source=boxes,
        fill_color="colour",
        line_color=None,
    )
    plot.text(
        "text_x",
        "title_y",
        "title",
        source=boxes,
        text_font_size="12px",
        text_font_style="bold",
        text_color=_INK,
    )
    plot.text("text_x", "note_y", "note", source=boxes, text_font_size="10px", text_color=_DIM)
    plot.add_tools(HoverTool(renderers=[drawn], tooltips=[("", "@names")]))
    plot.axis.visible = plot.grid.visible = False
    plot.background_fill_color = plot.border_fill_color = "#ffffff"
    plot.outline_line_color = None
    return plot


def _curves(made: Layout) -> dict[str, list[Any]]:
    ends = [curve for curve, _, _ in made.curves]
    return {
        "x": [x for x, _, _, _ in ends],
        "y": [y for _, y, _, _ in ends],
        "to_x": [x for _, _, x, _ in ends],
        "to_y": [y for _, _, _, y in ends],
        "bend": [(x + to_x) / 2 for x, _, to_x, _ in ends],
    }


def _boxes(made: Layout) -> dict[str, list[Any]]:
    places = list(made.places.values())
    return {
        "left": [place.x for place in places],
        "right": [place.x + place.width for place in places],
        "mark": [place.x + 5 for place in places],
        "top": [place.y for place in places],
        "bottom": [place.y + HEIGHT for place in places],
        "text_x": [place.x + 14 for place in places],
        "title_y": [place.y + 18 for place in places],
        "note_y": [place.y + 33 for place in places],
        "title": [short(place.box.title) for place in places],
        "note": [short(place.box.note) for place in places],
        "names": [_listed(place.box.names) for place in places],
        "colour": [_OF_KIND[place.box.kind] for place in places],
        "edge": [_INK if place.box.is_start else _LINE for place in places],
        "thick": [2 if place.box.is_start else 1 for place in places],
    }


def _listed(names: tuple[str, ...]) -> str:
    more = f", and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _png(made: Layout) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyArrowPatch, Rectangle
    from matplotlib.path import Path

    inches = made.width / 100, made.height / 100
    shrunk = min(1.0, _LARGEST_INCHES / max(inches))
    drawing = Figure(figsize=(inches[0] * shrunk, inches[1] * shrunk), facecolor="white")
    FigureCanvasAgg(drawing)
    axes = drawing.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, made.width)
    axes.set_ylim(made.height, 0)
    axes.axis("off")
    for (x, y, to_x, to_y), _, _ in made.curves:
        bend = (x + to_x) / 2
        line = Path([(x, y), (bend, y), (bend, to_y), (to_x, to_y)], [1, 4, 4, 4])
        axes.add_patch(
            FancyArrowPatch(path=line, arrowstyle="-|>", mutation_scale=7, lw=0.9, color=_LINE)
        )
    for place in made.places.values():
        edge, thick = (_INK, 1.5) if place.box.is_start else (_LINE, 0.8)
        corner = (place.x, place.y)
        axes.add_patch(Rectangle(corner, place.width, HEIGHT, fc=_BOX, ec=edge, lw=thick))
        axes.add_patch(Rectangle(corner, 5, HEIGHT, fc=_OF_KIND[place.box.kind], ec="none"))
        for text, down, size, ink in (
            (place.box.title, 17, 8.6, _INK),
            (place.box.note, 32, 7.2, _DIM),
        ):
            axes.text(
                place.x + 14,
                place.y + down,
                short(text),
                fontsize=size * shrunk,
                color=ink,
                parse_math=False,
            )
    return _small_enough(drawing)


def _small_enough(drawing: Any) -> bytes:
    """Write a drawing as sharp as a notebook's file can bear."""
    for dots in (150, 110, 80):
        written = io.BytesIO()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph")  # a letter that no font has is a box, then
            drawing.savefig(written, format="png", dpi=dots)
        if len(written.getvalue()) <= _LARGEST_BYTES:
            break
    return written.getvalue()
