"""Running a project's `features/*.py` and collecting what they declare."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.errors import ConfigError, FeatureError, NotFoundError
from workbench.features.definitions.code import code_of
from workbench.features.definitions.own import importing, imports_in, refreshed
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

    They may import the modules beside `workbench.toml`; those that have changed since they were
    imported are imported again.

    Raises
    ------
    ConfigError
        If a file can't be run; the message names the file and its error.
    FeatureError
        If a declaration is wrong or the same name is declared twice.
    """
    views: dict[str, View] = {}
    spines: dict[str, Spine] = {}
    files = sorted((project.root / "features").glob("*.py"))
    texts = {path: _text(path) for path in files}
    with importing(project.root):
        imports = imports_in(_parsed(path, text) for path, text in texts.items())
        with refreshed(imports, project.root):
            ran = [(path, text, _run(path, text)) for path, text in texts.items()]
    for path, text, declared in ran:
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


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise _cannot_run(path, error) from error


def _parsed(path: Path, text: str) -> ast.Module:
    try:
        return ast.parse(text, str(path))
    except (SyntaxError, ValueError) as error:
        raise _cannot_run(path, error) from error


def _run(path: Path, text: str) -> list[View | Spine]:
    # What is run is what is digested and what a traceback shows, whatever is saved meanwhile.
    linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))
    namespace: dict[str, Any] = {"__name__": f"features.{path.stem}", "__file__": str(path)}
    try:
        # The project's own code, which it is asked to run.
        exec(compile(text, str(path), "exec", dont_inherit=True), namespace)
    except FeatureError as error:
        raise FeatureError(f"features/{path.name}: {error}") from error
    except (Exception, SystemExit) as error:
        raise _cannot_run(path, error) from error
    kinds = (FeatureView, RequestView, Spine)
    found = {id(value): value for value in namespace.values() if isinstance(value, kinds)}
    # Once more now that all of the file has run: what it imports further down is found only now.
    return [replace(value, code=code_of(value.build)) for value in found.values()]


def _cannot_run(path: Path, error: BaseException) -> ConfigError:
    reason = str(error).partition("\n")[0]
    return ConfigError(f"features/{path.name}: can't be run: {type(error).__name__}: {reason}")


def _repeated(text: str, names: set[str]) -> str | None:
    """Name a definition that a later one in the file replaced, which running it can't tell."""
    seen: set[str] = set()
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.FunctionDef) and statement.name in names:
            if statement.name in seen:
                return statement.name
            seen.add(statement.name)
    return None
