"""Running a project's `features/*.py` and collecting what they declare."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import ConfigError, FeatureError, NotFoundError
from workbench.features.definitions.views import FeatureView, RequestView, Spine, View
from workbench.project import Project

__all__ = ["Definitions", "load_definitions"]


@dataclass(frozen=True)
class Definitions:
    """Everything that a project declares, by name."""

    views: Mapping[str, View]
    spines: Mapping[str, Spine]

    def view(self, name: str) -> View:
        """Return the view called `name`."""
        if name not in self.views:
            raise NotFoundError.named("feature view", name, self.views)
        return self.views[name]

    def spine(self, name: str) -> Spine:
        """Return the spine called `name`."""
        if name not in self.spines:
            raise NotFoundError.named("spine", name, self.spines)
        return self.spines[name]


def load_definitions(project: Project) -> Definitions:
    """Run the project's `features/*.py` and collect what they declare.

    Raises
    ------
    ConfigError
        If a file can't be run; the message names the file and its error.
    FeatureError
        If a declaration is wrong or the same name is declared twice.
    """
    views: dict[str, View] = {}
    spines: dict[str, Spine] = {}
    for path in sorted((project.root / "features").glob("*.py")):
        declared, text = _run(path)
        twice = _repeated(text, {definition.name for definition in declared})
        if twice:
            raise FeatureError(f"features/{path.name}: {twice} is declared twice")
        for definition in declared:
            known: dict[str, Any] = spines if isinstance(definition, Spine) else views
            if definition.name in known:
                first = known[definition.name].where.partition(":")[0]
                raise FeatureError(
                    f"features/{path.name}: {definition.name} is declared twice; first in {first}"
                )
            known[definition.name] = definition
    return Definitions(views, spines)


def _run(path: Path) -> tuple[list[View | Spine], str]:
    where = f"features/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
        # What is run is what is digested and what a traceback shows, whatever is saved meanwhile.
        linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))
        namespace: dict[str, Any] = {"__name__": f"features.{path.stem}", "__file__": str(path)}
        # The project's own code, which it is asked to run.
        exec(compile(text, str(path), "exec", dont_inherit=True), namespace)
    except FeatureError as error:
        raise FeatureError(f"{where}: {error}") from error
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{where}: can't be run: {type(error).__name__}: {reason}") from error
    kinds = (FeatureView, RequestView, Spine)
    found = {id(value): value for value in namespace.values() if isinstance(value, kinds)}
    return list(found.values()), text


def _repeated(text: str, names: set[str]) -> str | None:
    """Name a definition that a later one in the file replaced, which running it can't tell."""
    seen: set[str] = set()
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.FunctionDef) and statement.name in names:
            if statement.name in seen:
                return statement.name
            seen.add(statement.name)
    return None
