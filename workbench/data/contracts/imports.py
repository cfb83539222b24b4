"""The project's own modules that a contract is made of: another rule there is another contract."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

__all__ = ["local_modules"]


def local_modules(content: bytes, root: Path) -> dict[str, bytes]:
    """Return the files below `root` that a module which was run imports, and those import in turn.

    Parameters
    ----------
    content
        The module's source.
    """
    found: dict[str, bytes] = {}
    waiting = [(content, "")]
    while waiting:
        text, package = waiting.pop()
        for name in _imported(text, package):
            module = sys.modules.get(name)
            path = Path(getattr(module, "__file__", None) or "")
            if name in found or not _is_local(path, root):
                continue
            found[name] = path.read_bytes()
            waiting.append((found[name], getattr(module, "__package__", None) or ""))
    return dict(sorted(found.items()))


def _is_local(path: Path, root: Path) -> bool:
    if path.suffix != ".py" or "site-packages" in path.parts or not path.is_file():
        return False
    return path.resolve().is_relative_to(root.resolve())


def _imported(text: bytes, package: str) -> Iterator[str]:
    """Name what is imported, with the packages around it; some names are no modules."""
    for node in ast.walk(ast.parse(text)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            origin = resolve_name(origin, package) if node.level else origin
            names = [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[: end + 1]) for end in range(len(parts)))
