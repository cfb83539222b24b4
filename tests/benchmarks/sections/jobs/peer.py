"""The peer is papermill in an environment of its own, with the versions that we have of it and of
what the notebooks import. Where it says "warm", it is `papermill.execute_notebook` called in one
process, in turns with ours, after a call that isn't counted. Ours is the full path: parameters
checked, a row, an MLflow run, the journal, the executed notebook; the cache is off.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.benchmarks.peers import peer_python
from workbench.errors import JobError, NotFoundError

__all__ = ["Papermill", "command_seconds"]

_CONSTRAINTS = Path(__file__).parents[4] / "constraints.txt"
_PACKAGES = (
    *("papermill", "nbclient", "nbformat", "jupyter-client", "ipykernel", "ipython", "pyzmq"),
    *("numpy", "pandas", "pyarrow", "polars", "scikit-learn", "xgboost", "mlflow", "matplotlib"),
)

# What a kernel prints past its own streams may not come between the answers.
_SERVE = """
import json, os, sys, time
import papermill
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    notebook, output, parameters = json.loads(line)
    began = time.perf_counter()
    papermill.execute_notebook(notebook, output, parameters, progress_bar=False)
    print(time.perf_counter() - began, file=answers, flush=True)
"""


class Papermill:
    """papermill, imported in a process of its own; its notebooks go to `folder`."""

    def __init__(self, folder: Path) -> None:
        self._python = peer_python("papermill", _pinned(_PACKAGES))
        self._output = folder / "papermill.ipynb"
        # A kernel of the peer's may not find our packages.
        self._environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._said = self._open.enter_context(tempfile.TemporaryFile("w+"))
        self._process = self._open.enter_context(
            subprocess.Popen(
                [self._python, "-c", _SERVE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                text=True,
                env=self._environment,
            )
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()  # its input ends, and so does it

    def warm(self, notebook: Path, **parameters: Any) -> float:
        """Execute a notebook in the process that is there, and say how many seconds it took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = [str(notebook), str(self._output), parameters]
        print(json.dumps(request), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            self._said.seek(0)
            raise JobError(f"papermill failed: {self._said.read()[-2000:]}")
        return float(answer)

    def cold(self, notebook: Path) -> float:
        """Say how many seconds papermill's command takes."""
        command = [self._python.with_name("papermill"), notebook, self._output]
        return command_seconds(command, self._environment)


def command_seconds(
    command: Sequence[str | Path], environment: dict[str, str] | None = None
) -> float:
    """Run a command that has to succeed, and say how many seconds it took."""
    began = time.perf_counter()
    done = subprocess.run(
        command,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise JobError(f"exit code {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    return seconds


def _pinned(names: Sequence[str]) -> list[str]:
    """Give each package with the version that we are tested with."""
    text = _CONSTRAINTS.read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE))
    for name in names:
        if name not in pins:
            raise NotFoundError.named("package in constraints.txt", name, list(pins))
    return [f"{name}=={pins[name]}" for name in names]
