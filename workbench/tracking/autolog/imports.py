"""Being told when a module has been imported, without importing it."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["when_imported"]

_logger = logging.getLogger("workbench.tracking")


def when_imported(name: str, call: Callable[[], None]) -> Callable[[], None]:
    """Call once the module called `name` is imported: now if it is already, else right after.

    What the call raises is logged and not the import's failure. Returns what takes it back.
    """
    module = sys.modules.get(name)
    if module is not None and not getattr(module.__spec__, "_initializing", False):
        _safely(name, call)
        return lambda: None
    finder = _Finder(name, call)
    sys.meta_path.insert(0, finder)
    return finder.remove


def _safely(name: str, call: Callable[[], None]) -> None:
    try:
        call()
    except Exception as error:
        _logger.warning("what is fitted with %s is not logged by itself: %s", name, error)


class _Finder(MetaPathFinder):
    """Finds one module as the others do, and has its loader report when it is through."""

    def __init__(self, name: str, call: Callable[[], None]) -> None:
        self._name, self._call = name, call
        self._searching = threading.local()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname != self._name or getattr(self._searching, "on", False):
            return None
        self._searching.on = True  # the others may search by the whole path, us included
        try:
            found = (finder.find_spec(fullname, path, target) for finder in list(sys.meta_path))
            spec = next((spec for spec in found if spec is not None), None)
        finally:
            self._searching.on = False
        if spec is not None and hasattr(spec.loader, "exec_module"):
            self._watch(spec.loader)
        return spec

    def _watch(self, loader: Any) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            if self in sys.meta_path:  # nobody has lost interest, and no other import was first
                self.remove()
                _safely(self._name, self._call)

        # On this loader alone, which is the module's own: all else about it stays as it is.
        loader.exec_module = exec_module

    def remove(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
