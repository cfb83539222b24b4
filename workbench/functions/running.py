"""Running a function's text by itself: its names are its own, and so are the modules it imports.

Each version has the project's modules as they were when it was registered, so two versions, or a
version and the notebook that goes on with a newer helper, don't get in each other's way.
"""

from __future__ import annotations

import builtins
import linecache
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from workbench.errors import ConfigError, WorkbenchError
from workbench.functions.declare import declared
from workbench.functions.function import Function
from workbench.functions.source import Text

__all__ = ["run"]


def run(text: Text) -> Function:
    """Run the text and return the function; it is the project's own code.

    Raises
    ------
    ConfigError
        If it can't be run; the message names the function and the error.
    UsageError
        If the function lacks a docstring, a test or a type.
    """
    prefix = f"workbench_function_{text.digest[:16]}"
    modules = _Modules(prefix, text.modules)
    module = modules.empty(prefix, text.name, package="")
    try:
        _execute(module, text.source, f"<function {text.name} {text.digest[:12]}>")
    except WorkbenchError:
        raise
    except (Exception, SystemExit) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(
            f"function {text.name}: can't be run: {type(error).__name__}: {reason}"
        ) from error
    found = vars(module)[text.name]
    return found if isinstance(found, Function) else declared(found)


def _execute(module: ModuleType, source: str, label: str) -> None:
    # So that a traceback shows the lines of the text that is run.
    linecache.cache[label] = (len(source), None, source.splitlines(keepends=True), label)
    exec(compile(source, label, "exec", dont_inherit=True), vars(module))


class _Modules:
    """The project's modules of one version, each run when it is first imported."""

    def __init__(self, prefix: str, texts: Mapping[str, str]) -> None:
        self._prefix = prefix
        self._texts = texts
        self._tops = {name.partition(".")[0] for name in texts}
        self._loaded: dict[str, ModuleType] = {}
        self._builtins = {**vars(builtins), "__import__": self._import}

    def empty(self, unique: str, name: str, package: str) -> ModuleType:
        """Make a module that imports by way of this."""
        module = ModuleType(unique)
        vars(module).update(__builtins__=self._builtins, __package__=package, __file__=f"<{name}>")
        sys.modules[unique] = module  # where dataclasses and pickles look for a module by its name
        return module

    def _import(
        self,
        name: str,
        globals_: Mapping[str, Any] | None = None,
        locals_: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if level:
            parents = str((globals_ or {}).get("__package__") or "").split(".")
            name = ".".join(filter(None, [*parents[: len(parents) - level + 1], name]))
        if name.partition(".")[0] not in self._tops:
            return builtins.__import__(name, globals_, locals_, fromlist or (), 0)
        module = self._load(name)
        if not fromlist:
            return self._load(name.partition(".")[0])
        for wanted in fromlist:
            if not hasattr(module, wanted) and f"{name}.{wanted}" in self._texts:
                self._load(f"{name}.{wanted}")
        return module

    def _load(self, name: str) -> ModuleType:
        if name in self._loaded:
            return self._loaded[name]
        above, _, last = name.rpartition(".")
        parent = self._load(above) if above else None
        if name in self._loaded:  # its package imports it
            return self._loaded[name]
        below = any(known.startswith(f"{name}.") for known in self._texts)
        if name not in self._texts and not below:
            raise ModuleNotFoundError(f"No module named {name!r} was stored with the function")
        package = name if below else above
        module = self._loaded[name] = self.empty(f"{self._prefix}.{name}", name, package)
        _execute(module, self._texts.get(name, ""), f"<{self._prefix} {name}>")
        if parent is not None:
            setattr(parent, last, module)
        return module
