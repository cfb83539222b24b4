"""What a forking parent imports ahead: what kernels of the project have imported.

What is imported ahead is there in every forked kernel, so nobody can tell any more whether it is
still of use. So the list only grows, from what kernels import beyond it; and it is forgotten as a
whole after two weeks, and learnt anew from the next kernels, which import everything by themselves.
"""

from __future__ import annotations

import json
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from workbench.jobs.kernels.keys import package_digest
from workbench.store.files import file_lock, write_atomic

__all__ = [
    "ALWAYS",
    "and_packages",
    "came_ahead",
    "imported_by_kernel",
    "learn",
    "leave_out",
    "left_out",
    "preload_list",
]

ALWAYS = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.core.debugger",
    "IPython.core.history",
    "IPython.core.pylabtools",
    "IPython.core.completerlib",
    "comm",
    "jedi",
    "sqlite3",
    "papermill",
    "workbench.jobs.kernels.app",
    "workbench.jobs.process",
    "workbench.jobs.engine.ahead",
)
"""What each kernel or job takes, whatever its notebook does."""

_REMEMBERED = timedelta(days=14)
_MOST_MODULES = 10_000
"""A bound for what goes wrong: a large project's notebooks import half as many together."""

_ahead: set[str] = set()


def imported_by_kernel(modules: Mapping[str, ModuleType | None], root: Path) -> list[str]:
    """Name the modules of packages among `modules` (`sys.modules`), in the order of import.

    Left out are those of Python itself, of the project at `root`, of a user's own folders, and all
    that has no file: what can't be found again by its name can't be imported ahead. Left out is
    also what a forked kernel had from its parent.
    """
    standard = sys.stdlib_module_names
    names = []
    for name, module in list(modules.items()):
        top = name.partition(".")[0]
        if top in standard or top == "__main__" or name in _ahead or not _is_name(name):
            continue
        if _of_package(module, root):
            names.append(name)
    return names


def came_ahead(modules: Iterable[str]) -> None:
    """In a forking parent: note what its kernels get from it."""
    _ahead.update(modules)


def learn(state: Path, names: Iterable[str]) -> None:
    """Add what one job imported to the list that is kept in the folder `state`."""
    names = [name for name in names if _is_name(name)]
    if set(names) <= set(_read(state)["modules"]):
        return
    with file_lock(_file(state).with_suffix(".lock")):
        kept = _read(state)
        # A known module keeps its place: the import of one brings those that follow.
        modules = list(dict.fromkeys([*kept["modules"], *names]))
        _write(state, {**kept, "modules": modules[:_MOST_MODULES]})


def preload_list(state: Path) -> list[str]:
    """List the modules that a forking parent for the project of `state` imports, in order."""
    kept = _read(state)
    without = kept["left_out"].keys()
    return [name for name in kept["modules"] if without.isdisjoint(and_packages(name))]


def and_packages(name: str) -> list[str]:
    """Name a module's packages, then the module.

    >>> and_packages("a.b.c")
    ['a', 'a.b', 'a.b.c']
    """
    parts = name.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def leave_out(state: Path, reasons: Mapping[str, str]) -> None:
    """Note modules that may not be imported ahead, each with the reason."""
    if not reasons:
        return
    with file_lock(_file(state).with_suffix(".lock")):
        kept = _read(state)
        _write(state, {**kept, "left_out": {**kept["left_out"], **reasons}})


def left_out(state: Path) -> dict[str, str]:
    """Return the modules that may not be imported ahead, each with the reason."""
    return dict(_read(state)["left_out"])


def _read(state: Path) -> dict[str, Any]:
    """Read the list; a file that isn't one counts as none, since it is learnt anew by itself."""
    packages = package_digest()
    now = datetime.now(UTC)
    empty = {"since": now.isoformat(), "modules": [], "left_out": {}, "packages": packages}
    try:
        kept = json.loads(_file(state).read_text(encoding="utf-8"))
        if now - datetime.fromisoformat(kept["since"]) > _REMEMBERED:
            return empty
        same = kept["packages"] == packages  # another version may do without its thread
        reasons = {str(name): str(why) for name, why in kept["left_out"].items() if same}
        modules = [name for name in kept["modules"] if _is_name(name)]
        return {**empty, "since": kept["since"], "modules": modules, "left_out": reasons}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return empty


def _write(state: Path, kept: Mapping[str, Any]) -> None:
    path = _file(state)
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        left.unlink(missing_ok=True)  # of one that was killed: the lock is ours
    with write_atomic(path) as beside:
        beside.write_text(json.dumps(kept, indent=0), encoding="utf-8")


def _file(state: Path) -> Path:
    return state / "kernels" / "preload.json"


def _is_name(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _of_package(module: ModuleType | None, root: Path) -> bool:
    spec = getattr(module, "__spec__", None)
    if spec is None or not spec.has_location or not spec.origin:
        return False
    file = Path(spec.origin)
    if any(file.is_relative_to(folder) for folder in _installed()):
        return True  # also where the environment is a folder of the project
    ours = Path(__file__).parents[2]  # Workbench itself may be installed to be edited
    return file.is_relative_to(ours) and not file.is_relative_to(root)


@cache
def _installed() -> tuple[str, ...]:
    """Name the folders that pip installs to; looking them up takes a while."""
    paths = sysconfig.get_paths()
    return tuple({paths[scheme] for scheme in ("purelib", "platlib")})
