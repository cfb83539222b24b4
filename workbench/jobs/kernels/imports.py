"""What a notebook imports, read from its cells without running them."""

from __future__ import annotations

import ast
import json
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.machinery import PathFinder
from pathlib import Path

__all__ = ["imports_of"]


def imports_of(notebooks: Iterable[Path]) -> list[str]:
    """Name the modules of installed packages that the notebooks import, in their order.

    What can't be read is somebody else's to complain of: it gives no names.
    """
    names: dict[str, None] = {}
    for path in notebooks:
        for source in _sources(path):
            names.update(dict.fromkeys(_imported(source)))
    tops = {top: _is_installed(top) for top in {name.partition(".")[0] for name in names}}
    return [name for name in names if tops[name.partition(".")[0]]]


def _sources(path: Path) -> Iterator[str]:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for cell in cells:
            if cell["cell_type"] == "code":
                source = cell["source"]
                yield source if isinstance(source, str) else "".join(source)
    except (OSError, ValueError, KeyError, TypeError):
        return


def _imported(source: str) -> Iterator[str]:
    lines = source.splitlines()
    plain = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)
    try:
        tree = ast.parse(plain)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            # What is imported from a package may be a module of it; if not, nothing is lost.
            yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*")


def _is_installed(top: str) -> bool:
    """Tell whether a package is one that pip installed, and no module of the project."""
    try:
        spec = PathFinder.find_spec(top)
    except (ImportError, ValueError):
        return False
    if spec is None or not spec.origin:
        return False
    paths = sysconfig.get_paths()
    return any(Path(spec.origin).is_relative_to(paths[kind]) for kind in ("purelib", "platlib"))
