"""Features: found by words, with what their values were and the code that joins them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from workbench.features import FeatureEntry, search
from workbench.features import sparkline as bars_of
from workbench.lineage.nodes import clean
from workbench.panels.notebook import parts
from workbench.panels.notebook.controls import button, field, refreshed, row
from workbench.panels.notebook.panel import Panel, Still
from workbench.panels.notebook.parts import Cell, Column, Table
from workbench.panels.notebook.pictures import Mark, Series, lines
from workbench.panels.page import resolve_project
from workbench.project import Project

__all__ = ["features"]

_EMPTY = (
    "No feature has all of these words. Features are declared in features/*.py and registered by "
    "workbench features apply."
)
_WIDTH, _HEIGHT = 84, 20


def features(
    words: str = "",
    limit: int = 20,
    *,
    project: Project | None = None,
    live: bool | None = None,
) -> Panel:
    """Show the features that fit some words best; with a kernel to search as one types.

    Parameters
    ----------
    words
        As of `wb.features.search`: all have to fit; `tag:air`, `owner:ada`, `entity:origin` and
        `used_by:flights-late` narrow a search. Without a word, the most used.
    project
        Default: that of the variable WORKBENCH_PROJECT, else the one around the working folder.
    live
        Whether to bring what can be clicked; unless said, in a kernel that runs for no job.
    """
    project = resolve_project(project)
    found = search(project, words, limit)
    listed = _table(found)
    still = Still(
        _title(project, words, found) + (listed.html() if found else parts.empty(_EMPTY)),
        lines([_series(entry) for entry in found if entry.statistics]),
        f"Features of {project.name}\n{listed.text() if found else _EMPTY}",
    )
    return Panel(still, lambda: _live(project, words, limit), live=live)


def _title(project: Project, words: str, found: Sequence[FeatureEntry]) -> str:
    note = f"{len(found)}{f' for {words}' if words.strip() else ' most used'}"
    return parts.title(f"Features of {project.name}", note)


def _table(found: Sequence[FeatureEntry]) -> Table:
    columns = [
        Column("Feature"),
        Column("Type", whole=True),
        Column("Entity"),
        Column("Values", whole=True),
        Column("Owner"),
        Column("Tags"),
        Column("Used by"),
        Column("Uses", number=True),
    ]
    return Table("features", columns, [_row(entry) for entry in found])


def _row(entry: FeatureEntry) -> list[Cell]:
    return [
        _name(entry),
        parts.words(entry.dtype),
        parts.words(", ".join(entry.entity)),
        _values(entry),
        parts.words(entry.owner),
        parts.badges(entry.tags),
        parts.words(", ".join(entry.used_by), 120),
        Cell(f"{entry.uses:,}"),
    ]


def _name(entry: FeatureEntry) -> Cell:
    """Name a feature, say what it is, and keep its code one click away: without any script."""
    name = parts.words(entry.name)
    said = parts.words(entry.description, 160).html if entry.description else ""
    lines_ = "\n".join(clean(line) for line in entry.code[:2000].splitlines())
    code = f"<details><summary>Code</summary><pre>{escape(lines_)}</pre></details>"
    markup = f"<b>{name.html}</b><br><span class='wb-small'>{said}</span>"
    return Cell(name.text, markup + (code if entry.code else ""))


def _values(entry: FeatureEntry) -> Cell:
    """Draw the values window by window; only its numbers go into the SVG, so it can't be more."""
    if entry.statistics is None:
        return Cell("–")
    points = entry.statistics.points
    known = [value for value in points if value is not None]
    if not known:
        return Cell("–")
    low, span = min(known), (max(known) - min(known)) or 1.0
    step = _WIDTH / max(len(points) - 1, 1)
    drawn = " ".join(
        f"{place * step:.1f},{_HEIGHT - 2 - (value - low) / span * (_HEIGHT - 4):.1f}"
        for place, value in enumerate(points)
        if value is not None
    )
    label = f"{len(points)} windows of {entry.statistics.rows:,} rows"
    return Cell(
        bars_of(points[-20:]),
        f"<svg class='wb-spark' width='{_WIDTH}' height='{_HEIGHT}' role='img' "
        f"aria-label='{label}'><title>{label}</title><polyline points='{drawn}'/></svg>",
    )


def _series(entry: FeatureEntry) -> Series:
    assert entry.statistics is not None
    points = entry.statistics.points
    ends = {0: entry.statistics.since, len(points) - 1: entry.statistics.until}
    marks = [
        Mark(f"{ends[place]:%b %Y}" if place in ends else "", value, "running")
        for place, value in enumerate(points)
    ]
    return Series(entry.name, marks)


def _live(project: Project, words: str, limit: int) -> list[Any]:
    typed = field("Search", words, "wind speed, tag:air, owner:ada, entity:origin", at_once=True)
    again = button("", "Search again", "refresh")

    def render() -> str:
        found = search(project, typed.value, limit)
        shown = _table(found).html() if found else parts.empty(_EMPTY)
        return _title(project, typed.value, found) + shown

    return [row(typed, again), refreshed(render, typed, again)]
