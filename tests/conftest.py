"""What the tests share: real projects, the flights demo, and which worker runs which of them."""

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
from hypothesis import settings

os.environ["COLUMNS"] = "200"  # consoles look once, when they are made

from tests.projects import ready_project
from workbench.cli import main
from workbench.factory.scaffold import create_project
from workbench.project import Project
from workbench.store import file_lock

DEMO_VARIABLE = "WORKBENCH_TEST_DEMO"
"""A finished demo's folder, to save its two minutes while writing tests; CI makes a new one."""

settings.register_profile("untimed", deadline=None)  # how long a test takes is no fault of it
settings.load_profile("untimed")

TOGETHER = ("tests/browser/", "tests/notebooks/")
"""Folders whose tests one worker runs: they share the demo, and what one copies another reads."""

Finished = subprocess.CompletedProcess[str]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give the workers whole files, whose tests share what is dear to make, in their order.

    Long ones come first that way, and those that use a browser last, as they have to.
    """
    from xdist.scheduler.loadscope import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            folders = [folder for folder in TOGETHER if nodeid.startswith(folder)]
            return folders[0] if folders else nodeid.partition("::")[0]

    config.option.loadscopereorder = False
    return ByFile(config, log)


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
    """A project from the blank template, with empty tables."""
    return ready_project(tmp_path / "project")


@pytest.fixture
def new_project(tmp_path: Path) -> Project:
    """A project from the blank template, in which nothing has been run."""
    return create_project(tmp_path / "project")


@pytest.fixture
def flights_project(tmp_path: Path) -> Project:
    """A new project from the flights template, in which nothing has been run."""
    return create_project(tmp_path / "flights", "flights")


@pytest.fixture(scope="session")
def demo_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished flights demo, on all real data. Read it; copy it to change it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # of all workers
    made = os.environ.get(DEMO_VARIABLE)
    folder = Path(made) if made else shared / "demo" / "flights-demo"
    with file_lock(shared / "demo.lock"):  # who comes second finds it finished
        done = run_cli("demo", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
