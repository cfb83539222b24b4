"""Tables and the words around them, once as HTML and once as plain text.

A cell is made of text, which is escaped here; what is markup already was made in this package.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib.resources import files

from workbench.lineage.nodes import clean
from workbench.panels import html

__all__ = [
    "Cell",
    "Column",
    "Table",
    "badges",
    "code",
    "empty",
    "failure",
    "figure",
    "fragment",
    "moment",
    "part",
    "share",
    "status",
    "style",
    "title",
    "tone",
    "words",
]

_LONGEST = 90
_LARGEST = 110_000
"""Of a table in a notebook's file, in bytes; what it has no room for is counted."""

_TONES = {
    "ok": ("succeeded", "finished", "passed", "ok", "resolved", "promoted"),
    "running": ("running",),
    "warning": ("cancelled", "killed", "warning", "acknowledged", "lost"),
    "alert": ("failed", "alert", "open"),
}
_SIGNS = {"ok": "●", "running": "◐", "warning": "▲", "alert": "■", "insufficient": "○"}


@dataclass(frozen=True)
class Cell:
    """What stands in a table: text, and the markup for it where that is more than the text."""

    text: str
    markup: str = ""

    @property
    def html(self) -> str:
        """The cell as HTML."""
        return self.markup or escape(self.text)


@dataclass(frozen=True)
class Column:
    """A column's title; numbers stand to the right, `whole` is never broken, `long` has room."""

    title: str
    number: bool = False
    whole: bool = False
    long: bool = False

    @property
    def kind(self) -> str:
        """Its class in HTML."""
        kinds = {"wb-number": self.number, "wb-whole": self.whole, "wb-long": self.long}
        return next((kind for kind, has in kinds.items() if has), "")


@dataclass(frozen=True)
class Table:
    """Rows under titles; `marked` are places of rows that stand out."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    marked: frozenset[int] = frozenset()

    def html(self, largest: int = _LARGEST) -> str:
        """Write it as HTML, with as many of its rows as there is room for."""
        head = "".join(_tag("th scope='col'", c.kind, escape(c.title)) for c in self.columns)
        rows: list[str] = []
        room = largest
        for place, row in enumerate(self.rows):
            written = self._row(place, row)
            room -= len(written.encode())
            if room < 0:
                break
            rows.append(written)
        left = len(self.rows) - len(rows)
        more = f"<p class='wb-quiet'>and {left:,} more</p>" if left else ""
        return part(
            f"<div class='wb-table-box'><table data-testid='{self.name}'>"
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>{more}"
        )

    def text(self, most: int = 30) -> str:
        """Write it with blanks, for a terminal."""
        shown = [[cell.text for cell in row] for row in self.rows[:most]]
        titles = [column.title for column in self.columns]
        widths = [max(map(len, column)) for column in zip(titles, *shown, strict=True)]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in [titles, *shown]
        ]
        left = len(self.rows) - len(shown)
        return "\n".join([*lines, *([f"and {left:,} more"] if left else [])])

    def _row(self, place: int, row: Sequence[Cell]) -> str:
        cells = (_tag("td", c.kind, cell.html) for c, cell in zip(self.columns, row, strict=True))
        mark = " class='wb-differs'" if place in self.marked else ""
        return f"<tr{mark}>{''.join(cells)}</tr>"


def words(text: str | None, longest: int = _LONGEST) -> Cell:
    """Show a text, cut where it is long; an empty one as a dash."""
    plain = clean(text or "")
    return Cell((plain if len(plain) <= longest else f"{plain[: longest - 1]}…") or "–")


def code(text: str) -> Cell:
    """Show a text as one types it."""
    shown = words(text)
    return Cell(shown.text, f"<code>{escape(shown.text)}</code>")


def figure(value: float | None) -> Cell:
    """Show a number with four digits that count.

    >>> figure(0.123456).text, figure(-1500.0).text, figure(None).text
    ('0.1235', '−1,500', '–')
    """
    if value is None:
        return Cell("–")
    if not math.isfinite(value):
        return Cell("NaN" if math.isnan(value) else "∞" if value > 0 else "−∞")
    whole = value == int(value) and abs(value) < 1e15
    return Cell((f"{value:,.0f}" if whole else f"{value:.4g}").replace("-", "−"))


def share(value: float | None) -> Cell:
    """Show a part of one as per cent."""
    return Cell("–" if value is None else f"{value:.1%}")


def moment(at: datetime | None) -> Cell:
    """Show a time in UTC: a notebook is read where its author isn't."""
    return Cell("–" if at is None else f"{at.astimezone(UTC):%-d %b %Y, %H:%M} UTC")


def tone(state: str | None) -> str:
    """Tell whether a state is good or bad, in the words of the style sheet."""
    low = (state or "").lower()
    return next((name for name, states in _TONES.items() if low in states), "insufficient")


def status(state: str | None) -> Cell:
    """Show a state by a sign, a colour and its word."""
    if not state:
        return Cell("–")
    kind = tone(state)
    word = clean(state).lower()
    sign = f"<span class='wb-{kind}' aria-hidden='true'>{_SIGNS[kind]}</span>"
    return Cell(word, f"{sign} {escape(word)}")


def badges(names: Sequence[str]) -> Cell:
    """Show short names beside each other."""
    shown = [words(name, 40).text for name in names[:6]]
    shown += [f"+{len(names) - 6}"] if len(names) > 6 else []
    return Cell(", ".join(shown) or "–", " ".join(_badge(name) for name in shown))


def part(content: str) -> str:
    """Make HTML a part of a panel."""
    return f"<div class='wb'>{content}</div>"


def title(text: str, note: str = "") -> str:
    """Head a panel."""
    small = f"<span class='wb-quiet'>{escape(clean(note))}</span>" if note else ""
    return part(f"<div class='wb-title'><h2>{escape(clean(text))}</h2>{small}</div>")


def empty(message: str) -> str:
    """Say what would be here and how it gets there."""
    return html.empty(message)


def failure(message: str) -> str:
    """Say what went wrong, in its own words."""
    said = escape(message)
    return part(f"<div class='wb-failure' role='alert' data-testid='failure'>■ {said}</div>")


@cache
def style() -> str:
    """Both style sheets, the blanks that only people need taken out."""
    own = files("workbench.panels.notebook").joinpath("style.css").read_text(encoding="utf-8")
    return f"{html.style()}<style>{' '.join(own.split())}</style>"


def fragment(*parts: str) -> str:
    """Put parts together to what needs nothing else."""
    return f"<div class='wb-panel'>{style()}{''.join(parts)}</div>"


def _tag(tag: str, kind: str, content: str) -> str:
    opening = f"{tag} class='{kind}'" if kind else tag
    return f"<{opening}>{content}</{tag.partition(' ')[0]}>"


def _badge(text: str) -> str:
    return f"<span class='wb-badge'>{escape(text)}</span>"
