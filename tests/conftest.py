"""What the tests share: real projects, and the flights demo, made once a session."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.factory.scaffold import create_project
from workbench.project import Project

DEMO_VARIABLE = "WORKBENCH_TEST_DEMO"
"""A finished demo's folder, to save its two minutes while writing tests; CI makes a new one."""


def run_cli(*arguments: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "workbench", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


@pytest.fixture(scope="session")
def cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command line."""
    return run_cli


@pytest.fixture(scope="session")
def cli_json() -> Callable[..., Any]:
    """The command line with `--json`: what it prints, parsed; it has to succeed."""

    def call(*arguments: str | Path, folder: Path | None = None) -> Any:
        done = run_cli(*arguments, "--json", folder=folder)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


@pytest.fixture
def blank_project(tmp_path: Path) -> Project:
    """A new project from the blank template."""
    return create_project(tmp_path / "project")


@pytest.fixture
def flights_project(tmp_path: Path) -> Project:
    """A new project from the flights template, in which nothing has been run."""
    return create_project(tmp_path / "flights", "flights")


@pytest.fixture(scope="session")
def demo_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished flights demo, on all real data. Read it; copy it to change it."""
    made = os.environ.get(DEMO_VARIABLE)
    folder = Path(made) if made else tmp_path_factory.mktemp("demo") / "flights-demo"
    done = run_cli("demo", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
