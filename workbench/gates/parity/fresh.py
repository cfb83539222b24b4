"""As a fresh process answers that has only what was stored."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from workbench.errors import DataError
from workbench.gates.parity.environments import stored_environment
from workbench.gates.parity.recorded import Answers, Recorded
from workbench.tracking import custom
from workbench.tracking.models import read_model

__all__ = ["by_fresh_process"]

_SCRIPT = Path(__file__).with_name("script.py")
_SECONDS = 600
_KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "SYSTEMROOT")


def by_fresh_process(recorded: Recorded) -> Answers:
    """Load the stored files with MLflow alone, in an empty folder and an isolated process.

    MLflow does what the files say. So they are loaded here first, by the project's word: a pickle
    that the project doesn't trust, or code that isn't its own, isn't run there either.

    Raises
    ------
    DataError
        If the model isn't to be loaded, the process can't load it, or it can't answer.
    """
    _check_loadable(recorded)
    here = Path(sys.executable)
    python = here if recorded.same_environment else stored_environment(recorded)
    with tempfile.TemporaryDirectory(prefix="workbench-parity-") as name:
        folder = Path(name)
        shutil.copytree(
            recorded.folder, folder / "model", ignore=shutil.ignore_patterns("__pycache__")
        )
        if recorded.flavor == custom.CUSTOM:  # the one file of its code that is ours
            code = folder / "model" / custom.CODE
            shutil.copyfile(custom.loader.__file__, code / f"{custom.LOADER}.py")
        recorded.rows.write_parquet(folder / "rows.parquet")
        shutil.copyfile(_SCRIPT, folder / "script.py")
        done = subprocess.run(
            [python, "-I", "script.py", "model", "rows.parquet", "answers.npy"],
            cwd=folder,
            env={key: os.environ[key] for key in _KEPT if key in os.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            last = done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
            raise DataError(f"a fresh process with what was stored can't answer: {last}")
        answers: Answers = np.load(folder / "answers.npy", allow_pickle=False)
        return answers


def _check_loadable(recorded: Recorded) -> None:
    import mlflow

    flavors = mlflow.models.Model.load(recorded.folder).flavors
    others = flavors.keys() - {recorded.flavor, "python_function"}
    if others:
        raise DataError(f"{recorded.name}: also has the flavors {', '.join(sorted(others))}")
    what = f"{recorded.name} version {recorded.version}"
    read_model(flavors, recorded.folder, recorded.project, what)
