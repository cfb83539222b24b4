"""`import workbench` costs nothing and says nothing: what is heavy is imported where it is used."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench
from tests.forks import Forks, forking

# What takes most of a second or more, or drags such a thing in.
HEAVY = {
    "alembic",
    "bokeh",
    "catboost",
    "fastapi",
    "IPython",
    "ipywidgets",
    "jupyter_server",
    "lightgbm",
    "matplotlib",
    "mlflow",
    "nbformat",
    "numpy",
    "pandas",
    "panel",
    "papermill",
    "polars",
    "pyarrow",
    "pydantic",
    "rich",
    "scipy",
    "shap",
    "sklearn",
    "sqlalchemy",
    "typer",
    "voila",
    "xgboost",
}
# The ones that no module of ours may import before they are needed (see docs/architecture.md).
NEVER_AT_IMPORT = {"bokeh", "catboost", "lightgbm", "mlflow", "panel", "shap", "voila", "xgboost"}


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that `statement` loads in a fresh process, which must print nothing."""
    code = f"import sys, json; {statement}; json.dump(sorted(sys.modules), open(3, 'w'))"
    done = subprocess.run(
        ["bash", "-c", 'exec 3>&1 1>/dev/null; exec "$0" -c "$1" 1>&2', sys.executable, code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import workbench") & HEAVY == set()


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Processes that have imported what packages of ours may import, and nothing of ours."""
    allowed = "import numpy, polars, pydantic, sqlalchemy.orm, typer"
    with forking(tmp_path_factory.mktemp("logs"), allowed) as forks:
        yield forks


@pytest.mark.parametrize("name", [name for name in workbench.__all__ if name.islower()])
def test_a_package_leaves_the_heaviest_for_when_they_are_used(forks: Forks, name: str) -> None:
    fork = forks.start(f"import workbench; workbench.{name}; print(*sys.modules)")
    assert fork.wait() == 0, fork.said
    [said] = fork.said.splitlines()  # it prints nothing of its own
    loaded = {module.partition(".")[0] for module in said.split()}
    assert "workbench" in loaded
    assert loaded & NEVER_AT_IMPORT == set()


def test_every_public_name_is_there_and_listed() -> None:
    assert dir(workbench) == sorted(workbench.__all__)
    for name in workbench.__all__:
        assert getattr(workbench, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'workbench' has no attribute 'nothing'"):
        _ = workbench.nothing


# Parts of what is declared, which come with it and only with it.
COMES_WITH = {
    "IPython": "ipykernel",
    "botocore": "s3fs",
    "pydantic_core": "pydantic",
    "tornado": "jupyter-server",
    "urllib3": "requests",
}


def test_what_is_imported_is_declared() -> None:
    root = Path(workbench.__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {re.split(r"[\[<>=]", line)[0] for group in groups for line in group}
    providers = importlib.metadata.packages_distributions()
    undeclared = {
        f"{path.relative_to(root)}: {module}"
        for path in (root / "workbench").rglob("*.py")
        for module in imported(ast.parse(path.read_text()))
        if module not in sys.stdlib_module_names
        and module != "workbench"
        and declared.isdisjoint([COMES_WITH.get(module), *map(normal, providers.get(module, []))])
    }
    assert undeclared == set()


def normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def imported(tree: ast.AST) -> set[str]:
    """Top-level names of all absolute imports, wherever they stand."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).partition(".")[0])
    return found
