"""The chain as an SVG picture that needs nothing else: left to right, light or dark."""

from __future__ import annotations

from html import escape

from workbench.lineage.drawing.grouping import group
from workbench.lineage.drawing.layout import HEIGHT, Layout, Place, lay_out, short
from workbench.lineage.nodes import clean
from workbench.lineage.showing import Lineage

__all__ = ["COLOURS", "svg"]

# Okabe and Ito's colours, which most colour-blind people can tell apart; the kind is written too.
COLOURS = {
    "#0072b2": ("cell", "notebook", "commit", "function", "job"),
    "#009e73": ("dataset", "spine", "column"),
    "#e69f00": ("view", "feature", "input"),
    "#d55e00": ("run", "model", "gate", "decision", "reproduction"),
    "#cc79a7": ("predictions", "window"),
    "#8c959f": ("other",),
}
"""The colour of each kind's mark."""

_LISTED = 40  # names of a group that pointing at it shows

_DARK = "--back:#0d1117;--ink:#e6edf3;--dim:#9198a1;--line:#59636e;--box:#161b22"
_STYLE = f"""
.wb-lineage {{ --back:#fff; --ink:#1f2328; --dim:#59636e; --line:#a3adb8; --box:#f6f8fa;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; max-width: 100%; }}
@media (prefers-color-scheme: dark) {{ .wb-lineage {{ {_DARK} }} }}
[data-jp-theme-light=true] .wb-lineage {{ --back:#fff; --ink:#1f2328; --dim:#59636e;
  --line:#a3adb8; --box:#f6f8fa }}
[data-jp-theme-light=false] .wb-lineage {{ {_DARK} }}
.wb-lineage .back {{ fill: var(--back) }}
.wb-lineage .box {{ fill: var(--box); stroke: var(--line) }}
.wb-lineage .start .box {{ stroke: var(--ink); stroke-width: 2 }}
.wb-lineage .title {{ fill: var(--ink); font-size: 12.5px; font-weight: 600 }}
.wb-lineage .note {{ fill: var(--dim); font-size: 10.5px }}
.wb-lineage .arrow {{ fill: none; stroke: var(--line); stroke-width: 1.3 }}
.wb-lineage .back-arrow {{ stroke-dasharray: 4 4 }}
.wb-lineage .head {{ fill: var(--line) }}
"""


def svg(lineage: Lineage) -> str:
    """Draw a lineage."""
    made = lay_out(group(lineage))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="wb-lineage" role="img" '
        f'viewBox="0 0 {made.width:.0f} {made.height:.0f}" width="{made.width:.0f}" '
        f'height="{made.height:.0f}">',
        f"<title>Lineage of {_text(lineage.title)}</title>",
        f"<style>{_STYLE}{_kinds()}</style>",
        f'<rect class="back" width="{made.width:.0f}" height="{made.height:.0f}"/>',
        *_arrows(made),
        *(_box(place) for place in made.places.values()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _kinds() -> str:
    return "".join(
        f".wb-lineage .of-{kind} {{ fill: {colour} }}\n"
        for colour, kinds in COLOURS.items()
        for kind in kinds
    )


def _arrows(made: Layout) -> list[str]:
    drawn = []
    for (x, y, to_x, to_y), (source, target), relations in made.curves:
        bend = (x + to_x) / 2
        ends = f"{made.places[source].box.title} → {made.places[target].box.title}"
        kind, tail = ("arrow", -7) if x < to_x else ("arrow back-arrow", 7)
        # The head is drawn and no marker: a page with two pictures would have its name twice.
        drawn.append(
            f'<g><path class="{kind}" d="M{x:.1f} {y:.1f} '
            f'C{bend:.1f} {y:.1f} {bend:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"/>'
            f'<path class="head" d="M{to_x:.1f} {to_y:.1f} l{tail} -3.5 v7 z"/>'
            f"<title>{_text(ends)}: {_text(', '.join(relations))}</title></g>"
        )
    return drawn


def _box(place: Place) -> str:
    box = place.box
    listed = list(box.names[:_LISTED])
    if len(box.names) > _LISTED:
        listed.append(f"and {len(box.names) - _LISTED:,} more")
    left = place.x + 14
    return "\n".join(
        [
            f'<g class="{"start" if box.is_start else "node"}">'
            f"<title>{chr(10).join(_text(name) for name in listed)}</title>",
            f'<rect class="box" x="{place.x:.1f}" y="{place.y:.1f}" width="{place.width:.1f}" '
            f'height="{HEIGHT:.0f}" rx="6"/>',
            f'<rect class="of-{box.kind}" x="{place.x:.1f}" y="{place.y + 6:.1f}" width="5" '
            f'height="{HEIGHT - 12:.0f}" rx="1.5"/>',
            f'<text class="title" x="{left:.1f}" y="{place.y + 17:.1f}">'
            f"{_text(short(box.title))}</text>",
            f'<text class="note" x="{left:.1f}" y="{place.y + 32:.1f}">'
            f"{_text(short(box.note))}</text></g>",
        ]
    )


def _text(text: str) -> str:
    return escape(clean(text))
