"""A pipeline as an SVG picture that needs nothing else: left to right, light or dark."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import accumulate, pairwise

from workbench.jobs.pipelines.drawing.layout import Edge, Layout, Node, layout
from workbench.jobs.pipelines.plan import Plan
from workbench.jobs.pipelines.states import StepState

__all__ = ["svg"]

_HEIGHT, _ROW_GAP, _MARGIN, _PADDING = 46.0, 22.0, 24.0, 16.0
_NAME_WIDTH, _SMALL_WIDTH = 7.7, 6.3  # of a letter, on the wide side: fonts differ
_LEAST_GAP, _LABEL_HEIGHT = 56.0, 15.0
_LONGEST = 40  # letters of a name that are shown

_Point = tuple[float, float]
_Curve = tuple[_Point, _Point, _Point, _Point]

_STYLE = """
.wb { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  --back: #ffffff; --ink: #1f2328; --dim: #59636e; --line: #8c959f; --box: #f6f8fa;
  --waiting: #8c959f; --running: #0969da; --good: #1a7f37; --bad: #cf222e; --held: #9a6700; }
@media (prefers-color-scheme: dark) { .wb {
  --back: #0d1117; --ink: #e6edf3; --dim: #9198a1; --line: #6e7681; --box: #161b22;
  --waiting: #6e7681; --running: #4493f8; --good: #3fb950; --bad: #f85149; --held: #d29922; } }
.wb .back { fill: var(--back); }
.wb .box { fill: var(--box); stroke: var(--colour); stroke-width: 1.5; }
.wb .name { fill: var(--ink); font-size: 13px; font-weight: 600; }
.wb .state { fill: var(--colour); font-size: 11px; }
.wb .arrow { fill: none; stroke: var(--line); stroke-width: 1.5; }
.wb .order { stroke-dasharray: 4 4; }
.wb .head { fill: var(--line); }
.wb .label { fill: var(--dim); font-size: 11px; text-anchor: middle;
  stroke: var(--back); stroke-width: 4px; paint-order: stroke; stroke-linejoin: round; }
"""

_COLOURS: dict[StepState, str] = {
    "waiting": "waiting",
    "running": "running",
    "succeeded": "good",
    "cached": "good",
    "failed": "bad",
    "cancelled": "held",
    "lost": "bad",
    "skipped": "held",
}


def svg(plan: Plan, states: Mapping[str, StepState] | None = None) -> str:
    """Draw a plan; `states` are those of its steps in a run, if it is one that is drawn."""
    states = states or {}
    made = layout(plan, lambda node: _HEIGHT if node.step else _LABEL_HEIGHT, _ROW_GAP)
    widths = [max(_width(node, states) for node in nodes) for nodes in made.layers]
    starts = _starts(made, widths)
    boxes = {
        node: (starts[node.layer], _MARGIN + made.places[node] - _HEIGHT / 2, _width(node, states))
        for nodes in made.layers
        for node in nodes
    }
    width = starts[-1] + widths[-1] + _MARGIN
    height = made.breadth + 2 * _MARGIN
    curves = {edge: _curves(path, boxes, widths, starts) for edge, path in made.paths.items()}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="wb" role="img" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">',
        f"<title>{escape(plan.name)}: {escape(plan.description)}</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="wb-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
        '<path class="head" d="M0 0.5 L8 4 L0 7.5 z"/></marker></defs>',
        f'<rect class="back" width="{width:.0f}" height="{height:.0f}"/>',
        *(_arrow(edge, pieces) for edge, pieces in curves.items()),
        *(_box(node, box, states) for node, box in boxes.items() if node.step),
        *_labels(curves),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _starts(made: Layout, widths: list[float]) -> list[float]:
    """Return where each layer begins; between two there is room for the labels of the arrows."""
    gaps = [_LEAST_GAP] * (len(widths) - 1)
    for edge, path in made.paths.items():
        first = path[0].layer
        gaps[first] = max(gaps[first], _LABEL_PADDING + len(edge.label) * _SMALL_WIDTH)
    steps = (width + gap for width, gap in zip(widths, gaps, strict=False))
    return list(accumulate(steps, initial=_MARGIN))


_LABEL_PADDING = 44.0


def _width(node: Node, states: Mapping[str, StepState]) -> float:
    if not node.step:
        return 0.0
    state = states.get(node.step, "")
    inner = max(len(_short(node.step)) * _NAME_WIDTH, len(state) * _SMALL_WIDTH)
    return max(96.0, inner + 2 * _PADDING)


def _curves(
    path: list[Node],
    boxes: Mapping[Node, tuple[float, float, float]],
    widths: list[float],
    starts: list[float],
) -> list[_Curve]:
    """Return the pieces of an arrow: curves between layers, straight where it passes one."""
    pieces: list[_Curve] = []
    for source, target in pairwise(path):
        x, y, width = boxes[source]
        right = x + (width if source.step else widths[source.layer])
        middle = y + _HEIGHT / 2
        if not source.step:
            pieces.append(_line((x, middle), (right, middle)))
        elif width < widths[source.layer]:
            edge_of_layer = starts[source.layer] + widths[source.layer]
            pieces.append(_line((right, middle), (edge_of_layer, middle)))
            right = edge_of_layer
        to_x, to_y, _ = boxes[target]
        end = to_x - (2.0 if target.step else 0.0)
        bend = (right + end) / 2
        to = to_y + _HEIGHT / 2
        pieces.append(((right, middle), (bend, middle), (bend, to), (end, to)))
    return pieces


def _line(start: _Point, end: _Point) -> _Curve:
    return (start, start, end, end)


def _arrow(edge: Edge, pieces: list[_Curve]) -> str:
    (x, y), *_ = pieces[0]
    drawn = [f"M{x:.1f} {y:.1f}"]
    for _, (ax, ay), (bx, by), (ex, ey) in pieces:
        drawn.append(f"C{ax:.1f} {ay:.1f} {bx:.1f} {by:.1f} {ex:.1f} {ey:.1f}")
    kind = "arrow" if edge.outputs else "arrow order"
    what = f"{edge.source} → {edge.target}: {edge.label or 'order only'}"
    return (
        f'<path class="{kind}" d="{" ".join(drawn)}" marker-end="url(#wb-head)">'
        f"<title>{escape(what)}</title></path>"
    )


def _box(node: Node, box: tuple[float, float, float], states: Mapping[str, StepState]) -> str:
    x, y, width = box
    state = states.get(node.step)
    colour = _COLOURS[state] if state else "waiting"
    low = 20.0 if state else 28.0
    lines = [
        f'<g style="--colour: var(--{colour})"><title>{escape(node.step)}</title>',
        f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
        f'height="{_HEIGHT:.0f}" rx="8"/>',
        f'<text class="name" x="{x + _PADDING:.1f}" y="{y + low:.1f}">'
        f"{escape(_short(node.step))}</text>",
    ]
    if state:
        lines.append(
            f'<text class="state" x="{x + _PADDING:.1f}" y="{y + 36:.1f}">{escape(state)}</text>'
        )
    return "\n".join([*lines, "</g>"])


def _labels(curves: Mapping[Edge, list[_Curve]]) -> list[str]:
    """Name the arrows where they leave their layer, each where no other name is."""
    taken: list[tuple[float, float, float]] = []
    drawn = []
    for edge, pieces in curves.items():
        if not edge.label:
            continue
        bent = next(piece for piece in pieces if piece[0] != piece[1])
        half = len(edge.label) * _SMALL_WIDTH / 2
        x, y = min(
            (_at(bent, t) for t in (0.5, 0.42, 0.58, 0.35, 0.65, 0.28, 0.72)),
            key=lambda point: _overlap(point, half, taken),
        )
        taken.append((x, y, half))
        drawn.append(f'<text class="label" x="{x:.1f}" y="{y + 4:.1f}">{escape(edge.label)}</text>')
    return drawn


def _overlap(point: _Point, half: float, taken: list[tuple[float, float, float]]) -> float:
    x, y = point
    total = 0.0
    for other_x, other_y, other_half in taken:
        wide = max(0.0, half + other_half - abs(x - other_x))
        total += wide * max(0.0, _LABEL_HEIGHT - abs(y - other_y))
    return total


def _at(curve: _Curve, t: float) -> _Point:
    weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
    x, y = (sum(w * p[axis] for w, p in zip(weights, curve, strict=True)) for axis in (0, 1))
    return x, y


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
