"""The chain as HTML: the picture, what was left out, and what is known of each node."""

from __future__ import annotations

from html import escape

from workbench.lineage.drawing.svg import svg
from workbench.lineage.nodes import Node, clean
from workbench.lineage.showing import Lineage

__all__ = ["fragment", "page"]

_ROWS = 500

_STYLE = """
.wb-lineage-page { margin: 0; padding: 20px; font: 13px/1.45 system-ui, sans-serif;
  color: #1f2328; background: #fff }
.wb-lineage-page table { border-collapse: collapse; margin-top: 20px }
.wb-lineage-page :is(th, td) { text-align: left; vertical-align: top; padding: 5px 18px 5px 0;
  border-bottom: 1px solid #8884 }
.wb-lineage-page td:nth-child(n+3) { overflow-wrap: anywhere }
.wb-lineage-page thead th { font-weight: 400; opacity: .7 }
.wb-lineage-scroll { overflow-x: auto }
.wb-lineage-scroll svg { max-width: none }
@media (prefers-color-scheme: dark) {
  .wb-lineage-page { color: #e6edf3; background: #0d1117 } }
"""


def fragment(lineage: Lineage) -> str:
    """Draw a lineage as a piece of a page."""
    notes = "".join(f"<p>{_text(str(cut))}</p>" for cut in lineage.cuts)
    style = (
        "<style>.wb-lineage-scroll{overflow-x:auto}.wb-lineage-scroll svg{max-width:none}</style>"
    )
    return f'{style}<div class="wb-lineage-scroll">{svg(lineage)}</div>{notes}'


def page(lineage: Lineage) -> str:
    """Draw a lineage as a page of its own, with a table of its nodes."""
    rows = "".join(_row(node) for node in lineage.nodes[:_ROWS])
    more = len(lineage.nodes) - _ROWS
    left_out = f"<p>and {more:,} nodes more: the JSON has them all</p>" if more > 0 else ""
    title = _text(lineage.title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="color-scheme" content="light dark"><style>{_STYLE}</style></head>'
        f'<body class="wb-lineage-page"><h1>{title}</h1>{fragment(lineage)}'
        "<table><thead><tr><th>distance</th><th>kind</th><th>node</th><th>what is known</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>{left_out}</body></html>\n"
    )


def _row(node: Node) -> str:
    facts = "<br>".join(f"{_text(name)}: {_text(fact)}" for name, fact in node.facts.items())
    cells = (str(node.distance), _text(node.kind), f"<code>{_text(node.name)}</code>", facts)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _text(text: str) -> str:
    return escape(clean(text))
