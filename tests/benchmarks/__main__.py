"""Run one section: a JSON line a figure on standard output, and its part of the document."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

from tests.benchmarks import sections
from tests.benchmarks.figures import machine, rewrite, table
from workbench.errors import NotFoundError, WorkbenchError
from workbench.store import write_atomic

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
HEAD = """\
# Benchmarks

Written by `make bench SECTION=name`, a section at a time; what stands outside the markers is kept.
"""


def main(names: list[str]) -> int:
    """Measure the one section named, or say which there are."""
    known = [module.name for module in pkgutil.iter_modules(sections.__path__)]
    try:
        if len(names) != 1 or names[0] not in known:
            raise NotFoundError.named("section", " ".join(names), known)
        section = importlib.import_module(f"tests.benchmarks.sections.{names[0]}")
        where = machine()  # before we load it ourselves
        figures = []
        for figure in section.figures():
            print(figure.json(), flush=True)
            figures.append(figure)
        old = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else HEAD
        body = f"{section.__doc__.strip()}\n\n{table(figures)}\n\n{where}"
        with write_atomic(DOCUMENT) as beside:
            beside.write_text(rewrite(old, names[0], body), encoding="utf-8")
    except WorkbenchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
