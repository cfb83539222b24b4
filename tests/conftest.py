"""What the tests share: real projects, and the flights demo, made once a session."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

os.environ["COLUMNS"] = "200"  # consoles look once, when they are made

from workbench.cli import main
from workbench.factory.scaffold import create_project
from workbench.project import Project

DEMO_VARIABLE = "WORKBENCH_TEST_DEMO"
"""A finished demo's folder, to save its two minutes while writing tests; CI makes a new one."""


Finished = subprocess.CompletedProcess[str]


def run_cli(*arguments: str | Path, folder: Path | None = None) -> Finished:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "workbench", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def call_cli(*arguments: str | Path, folder: Path | None = None) -> Finished:
    """Run the command line's `main` in this process, which has paid for the imports already."""
    said, complained = io.StringIO(), io.StringIO()
    command = ["workbench", *map(str, arguments)]
    sigterm = signal.getsignal(signal.SIGTERM)
    with (
        chdir(folder or Path.cwd()),
        redirect_stdout(said),
        redirect_stderr(complained),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "argv", command)
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            signal.signal(signal.SIGTERM, sigterm)
    return Finished(command, code, said.getvalue(), complained.getvalue())


@pytest.fixture(scope="session")
def cli() -> Callable[..., Finished]:
    """The command line."""
    return call_cli


@pytest.fixture(scope="session")
def cli_json() -> Callable[..., Any]:
    """The command line with `--json`: what it prints, parsed; it has to succeed."""

    def call(*arguments: str | Path, folder: Path | None = None) -> Any:
        done = call_cli(*arguments, "--json", folder=folder)
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
