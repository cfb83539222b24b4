"""What was measured, and how it is shown."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from workbench.errors import DataError

__all__ = ["Figure", "machine", "rewrite", "table"]


@dataclass(frozen=True)
class Figure:
    """One measured case, with the peer's where there is one."""

    section: str
    case: str
    ours: float
    unit: str
    peer: float | None = None
    higher_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer: 2.0 is twice as good, 0.5 half as good."""
        if self.peer is None:
            return None
        good, bad = (self.ours, self.peer) if self.higher_is_better else (self.peer, self.ours)
        return good / bad if bad else None

    def json(self) -> str:
        """Write the figure as one line of JSON."""
        return json.dumps(
            {
                "section": self.section,
                "case": self.case,
                "ours": _rounded(self.ours),
                "peer": _rounded(self.peer),
                "unit": self.unit,
                "ratio": _rounded(self.ratio),
            }
        )


def _rounded(value: float | None) -> float | None:
    """Keep four significant digits: more would be noise."""
    return None if value is None else float(f"{value:.4g}")


def table(figures: Sequence[Figure]) -> str:
    """Show the figures as a Markdown table."""
    rows = [
        f"| {figure.case} | {_shown(figure.ours)} | {_shown(figure.peer)} | {figure.unit} "
        f"| {_shown(figure.ratio)} |"
        for figure in figures
    ]
    head = ["| case | ours | peer | unit | times better |", "|---|---:|---:|---|---:|"]
    return "\n".join(head + rows)


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{_rounded(value):,.0f}" if abs(value) >= 1000 else f"{_rounded(value):g}"


def machine() -> str:
    """Say what matters of the machine just now, and nothing that names it."""
    cores = len(os.sched_getaffinity(0))
    memory = psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[0]
    return (
        f"Measured on {cores} cores, {memory:.0f} GiB, Python {platform.python_version()}; "
        f"load {load:.1f} when it began."
    )


def rewrite(document: str, section: str, body: str) -> str:
    """Put `body` between the markers of `section`, or at the end of `document` as a new one.

    Raises
    ------
    DataError
        If the document has one marker of the section without the other, or more of them.
    """
    opening, closing = f"<!-- bench:{section} -->", f"<!-- /bench:{section} -->"
    counts = document.count(opening), document.count(closing)
    block = f"{opening}\n{body.strip()}\n{closing}"
    if counts == (0, 0):
        return f"{document.rstrip()}\n\n## {section}\n\n{block}\n"
    before, found, rest = document.partition(opening)
    _, closed, after = rest.partition(closing)
    if counts != (1, 1) or not (found and closed):
        raise DataError(f"section {section}: one {opening} and one {closing} after it expected")
    return before + block + after
