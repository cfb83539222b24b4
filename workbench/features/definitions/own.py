"""The user's own modules that definitions import: where they are, and that they are as they stand.

A module is imported once in a process, and a kernel lives for days: without this, values of an old
helper would be stored under the digest of a new one. So what has changed since it was imported is
imported again, together with all of the user's own that definitions reach.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

__all__ = ["Import", "importing", "imports_in", "own_files", "own_modules", "refreshed"]

Import = ast.Import | ast.ImportFrom

_LOCK = threading.Lock()
"""`sys.path` is the whole process's."""

_as_imported: dict[Path, str] = {}
"""The digest of each own module's text when it was imported for definitions."""


@contextmanager
def importing(root: Path) -> Iterator[None]:
    """Let modules beside `workbench.toml` be imported in the block, from wherever it is run."""
    folder = str(root)
    with _LOCK:
        sys.path.append(folder)
    try:
        yield
    finally:
        with _LOCK:
            if folder in sys.path:
                # From the end: the user may have it there too, further in front.
                del sys.path[len(sys.path) - 1 - sys.path[::-1].index(folder)]


@contextmanager
def refreshed(imports: Iterable[Import], root: Path) -> Iterator[None]:
    """Have the block import own modules as their files are, whatever was imported before."""
    found = own_files(imports, root)
    texts = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in found.values()}
    loaded = {n: path for n, (path, _) in found.items() if n in sys.modules and n != "__main__"}
    if any(_is_stale(path, texts[path]) for path in loaded.values()):
        importlib.invalidate_caches()
        for name in loaded:
            sys.modules.pop(name, None)
    # Before the block: a module may itself load the definitions that import it.
    _as_imported.update(texts)
    try:
        yield
    except BaseException:
        for path in texts:
            _as_imported.pop(path, None)
        raise


def imports_in(nodes: Iterable[ast.AST]) -> list[Import]:
    """List every import in some code, in functions and under conditions too."""
    return [inner for node in nodes for inner in ast.walk(node) if isinstance(inner, Import)]


def own_modules(imports: Iterable[Import], root: Path) -> list[str]:
    """Return the text of each module of the user's own that is imported, here or by one of them.

    One that isn't imported yet is found as an import would, but not run.
    """
    return [text for _, text in sorted(set(own_files(imports, root).values()))]


def own_files(imports: Iterable[Import], root: Path) -> dict[str, tuple[Path, str]]:
    """Find the file and the text of each own module, by its name."""
    found: dict[str, tuple[Path, str]] = {}
    todo = [name for import_ in imports for name in _modules(import_, "")]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for path, package in _own_file(name, root):
            text = path.read_text(encoding="utf-8", errors="backslashreplace")
            found[name] = path, text
            todo += [name for import_ in _imports_of(text) for name in _modules(import_, package)]
    return found


def _imports_of(text: str) -> list[Import]:
    try:
        return imports_in([ast.parse(text)])
    except (SyntaxError, ValueError):
        return []  # whoever imports it is told


def _modules(import_: Import, package: str) -> list[str]:
    """Name what an import may run: the modules, and the packages that they are in."""
    if isinstance(import_, ast.Import):
        names = [alias.name for alias in import_.names]
    else:
        parents = package.split(".")[: len(package.split(".")) - import_.level + 1]
        base = ".".join([*(parents if import_.level else ()), *filter(None, [import_.module])])
        names = [base, *(f"{base}.{alias.name}" for alias in import_.names)]
    parts = [name.split(".") for name in names]
    return [".".join(part[: end + 1]) for part in parts for end in range(len(part))]


def _own_file(name: str, root: Path) -> list[tuple[Path, str]]:
    """Return the module's file and package, if it is the user's own."""
    if name.partition(".")[0] in {"", "workbench", "polars", *sys.stdlib_module_names}:
        return []
    from workbench.git.modules import local_modules

    module = sys.modules.get(name) or _unimported(name)
    if module is None:
        return []
    return [(path, module.__package__ or "") for path in local_modules({name: module}, root)]


def _unimported(name: str) -> ModuleType | None:
    """Make an empty module that says where the one of that name would come from."""
    parent, _, _ = name.rpartition(".")
    try:
        if not parent:
            spec = find_spec(name)
        else:
            above = sys.modules.get(parent) or _unimported(parent)
            where = getattr(above, "__path__", None)
            spec = PathFinder.find_spec(name, where) if where else None
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    module = ModuleType(name)
    module.__package__ = spec.parent
    module.__file__ = spec.origin
    if spec.submodule_search_locations is not None:
        module.__path__ = list(spec.submodule_search_locations)
    return module


def _is_stale(path: Path, text: str) -> bool:
    """Whether what is imported may be another text than the file's."""
    if path in _as_imported:
        return _as_imported[path] != text
    # Somebody else has imported it, we can't know when: a file as old as the process is the same.
    return path.stat().st_mtime >= _process_started()


@cache
def _process_started() -> float:
    import psutil

    return psutil.Process().create_time()
