"""Importing ahead of need, and what makes a module unfit for it.

A forked process has the memory of its parent and only one of its threads. So a module may be
imported ahead if that leaves no thread behind, and if it does nothing in a kernel that it wouldn't
do here. Three things are watched while modules are imported, each blamed on the innermost module
that was being executed:

- a thread that stays (threads whose libraries restart them in a forked process are let through);
- a look for the kernel that it runs in, of which there is none yet (but the few that only ask
  whether there is one are answered: `tqdm.auto` would draw text bars in every notebook);
- a word printed, which would then be missing from the cell that imports it.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from workbench.jobs.kernels.linux import count_threads, thread_names
from workbench.jobs.kernels.preload import and_packages

__all__ = ["UnfitModuleError", "import_ahead"]

_RESTARTED = {"jemalloc_bg_thd", "polars-ooc-clea"}
"""Native threads that a forked process gets anew, or does without."""

_ONLY_ASK = {"ipywidgets", "tqdm.autonotebook"}
"""Modules that ask whether they are in a kernel and keep the answer: they are told yes."""

_STAND_IN = SimpleNamespace(config={"IPKernelApp": {}})
"""What they see of it: the name of the application that a kernel is."""

_SLOW = ("rfc3987_syntax", "isoduration")
"""What jsonschema does without: grammars of URIs and of durations, which take a second to build."""

_DOES_WITHOUT = {"papermill": ("pyarrow.fs",)}
"""Optional parts that a module asks for and no job uses (HDFS), but other modules may."""

_AFTER_THE_FORK = ("matplotlib_inline",)
"""What looks for its kernel in every notebook with a figure: not worth finding out each time."""

_LOADERS: tuple[Any, ...] = (SourceFileLoader, ExtensionFileLoader)
_EXECUTE_EXTENSION = ExtensionFileLoader.exec_module

_GRACE_SECONDS = 0.2
"""A thread that ends within this after an import didn't stay."""


class UnfitModuleError(Exception):
    """Modules that may not be imported ahead, each with the reason."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name} {why}" for name, why in reasons.items()))
        self.reasons = reasons


def import_ahead(names: Sequence[str], excluded: Sequence[str] = ()) -> dict[str, str]:
    """Import `names` and execute nothing of them; return those that can't be, with the reason.

    Raises
    ------
    UnfitModuleError
        After all of them, if some make forking unsafe or a notebook's output different. This
        process is then of no use any more: start again without them.
    """
    failed: dict[str, str] = {}
    without = {*excluded, *_AFTER_THE_FORK}
    watch = _Watch()
    with watch.watching(), _without(_SLOW):
        for name in names:
            if without.isdisjoint(and_packages(name)) and name not in sys.modules:
                try:
                    with _without(_DOES_WITHOUT.get(name, ())):
                        importlib.import_module(name)
                except BaseException as error:  # also SystemExit: it is other people's code
                    failed[name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    if watch.unfit:
        raise UnfitModuleError(watch.unfit)
    return failed


class _Watch:
    """Wraps what executes a module's code."""

    def __init__(self) -> None:
        self.unfit: dict[str, str] = {}
        self._stack: list[str] = []
        self._seen = _Seen()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch all imports of the block."""
        from IPython.core.interactiveshell import InteractiveShell

        for loader in _LOADERS:
            loader.exec_module = self._watched(loader.exec_module)
        InteractiveShell.initialized = classmethod(lambda _: self._looked_for_kernel())
        InteractiveShell.instance = classmethod(lambda _: _STAND_IN)
        try:
            yield
        finally:
            del InteractiveShell.initialized, InteractiveShell.instance  # inherited again
            del _LOADERS[0].exec_module  # an inherited method again
            _LOADERS[1].exec_module = _EXECUTE_EXTENSION

    def _watched(self, execute: Any) -> Any:
        def exec_module(loader: Any, module: Any) -> None:
            self._stack.append(module.__name__)
            try:
                execute(loader, module)
                self._check()
            finally:
                self._stack.pop()

        return exec_module

    def _check(self) -> None:
        if not self._seen.changed():
            return
        self._seen, why = self._seen.compare()
        if why:
            self._blame(why)

    def _looked_for_kernel(self) -> bool:
        if self._stack and self._stack[-1] in _ONLY_ASK:
            return True
        if self._stack:
            self._blame("looks for its kernel when it is imported")
        return False

    def _blame(self, why: str) -> None:
        # Told afterwards: raised here, the importing module might catch it as a missing option.
        *importers, guilty = self._stack
        self.unfit.setdefault(guilty, why)
        for name in importers:
            self.unfit.setdefault(name, f"imports {guilty}, which {why}")


class _Seen:
    """Threads, OpenBLAS libraries and printed bytes at one moment."""

    def __init__(self) -> None:
        names = thread_names()
        self.all_threads = len(names)
        self.threads = sum(name not in _RESTARTED for name in names)
        self.pythons_threads = threading.active_count()
        self.libraries = _openblas_libraries()
        self.printed = _printed()

    def changed(self) -> bool:
        """Whether it is worth a closer look; this is asked after each of thousands of modules."""
        return count_threads() != self.all_threads or _printed() != self.printed

    def compare(self) -> tuple[_Seen, str]:
        """Look again; return what there is now and what is wrong with it, if anything is."""
        end = time.monotonic() + _GRACE_SECONDS
        while (new := _Seen()).threads > self._allowed(new) and time.monotonic() < end:
            time.sleep(0.02)
        if new.pythons_threads > self.pythons_threads or new.threads > self._allowed(new):
            return new, "starts a thread when it is imported"
        if new.printed > self.printed:
            return new, "prints something when it is imported"
        return new, ""

    def _allowed(self, new: _Seen) -> int:
        # OpenBLAS starts its pool when it is loaded, stops it before a fork and starts it after.
        pool = max(os.cpu_count() or 1, int(os.environ.get("OPENBLAS_NUM_THREADS") or 0)) - 1
        return self.threads + (new.libraries - self.libraries) * pool


def _openblas_libraries() -> int:
    lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    return len({path for path in (line.split()[-1] for line in lines) if "openblas" in path})


def _printed() -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    return os.fstat(2).st_size  # the parent's log is both, and a file


@contextmanager
def _without(names: Iterable[str]) -> Iterator[None]:
    """Let the import of `names` fail meanwhile, as far as they aren't imported already."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
