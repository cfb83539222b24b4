"""The code that a notebook needs to use a feature: it runs as it is inserted.

Which spine it is joined to comes from the factory that has the view already, or else from the
first spine that `features/*.py` declares. Both are read, and not run.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from workbench.errors import ConfigError
from workbench.project import Project
from workbench.settings import load_toml

__all__ = ["DeclaredSpine", "Spines", "code_for", "python_text"]


class DeclaredSpine(NamedTuple):
    """A spine of `features/*.py`, as it is written there."""

    name: str
    event_time: str


def code_for(features: Sequence[str], spine: DeclaredSpine | None) -> str:
    """Write Python that joins the features, to a frame called `spine` where none is declared."""
    lines = ["import workbench as wb", ""]
    if spine is not None:
        lines.append(f"spine = wb.features.load_spine({python_text(spine.name)})")
    event_time = spine.event_time if spine is not None else "event_time"
    names = ", ".join(python_text(name) for name in features)
    time = python_text(event_time)
    lines.append(f"frame = wb.features.training_frame(spine, [{names}], event_time={time})")
    return "\n".join(lines)


class Spines:
    """The spines that a project declares, and who predicts them; read once."""

    def __init__(self, project: Project) -> None:
        self._spines = {s.name: s for p in _files(project, "features/*.py") for s in _spines(*p)}
        self._factories = [_factory(*p) for p in _files(project, "factories/*.toml")]

    def of_view(self, view: str) -> DeclaredSpine | None:
        """Return the spine that a feature of the view is most likely wanted for."""
        for name, views in self._factories:
            if name in self._spines and view in views:
                return self._spines[name]
        return next(iter(self._spines.values()), None)


def _files(project: Project, pattern: str) -> list[tuple[Path, int]]:
    """List files, each with a mark that changes with its content."""
    return [(path, path.stat().st_mtime_ns) for path in sorted(project.root.glob(pattern))]


def python_text(value: str) -> str:
    """Write a value as Python source, in double quotes where that is the same."""
    plain = value.isprintable() and not set(value) & {'"', "\\"}
    return f'"{value}"' if plain else repr(value)


@lru_cache(maxsize=64)
def _spines(path: Path, _changed: int) -> tuple[DeclaredSpine, ...]:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ()  # `features apply` says what is wrong with it
    return tuple(
        DeclaredSpine(node.name, event_time)
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if (event_time := _event_time(decorator)) is not None
    )


def _event_time(decorator: ast.expr) -> str | None:
    if not isinstance(decorator, ast.Call):
        return None
    name = getattr(decorator.func, "attr", getattr(decorator.func, "id", None))
    values = {keyword.arg: keyword.value for keyword in decorator.keywords}
    event_time = values.get("event_time")
    if name == "spine" and isinstance(event_time, ast.Constant):
        return str(event_time.value)
    return None


@lru_cache(maxsize=64)
def _factory(path: Path, _changed: int) -> tuple[str, frozenset[str]]:
    """Read which spine a factory predicts, and which views it joins."""
    try:
        content = load_toml(path)
    except ConfigError:
        content = {}  # the factory's commands say what is wrong with it
    features = content.get("features")
    named = features if isinstance(features, list) else []
    views = frozenset(str(feature).partition(":")[0] for feature in named)
    return str(content.get("spine", "")), views
