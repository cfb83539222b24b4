"""Starting the process that makes a version again, and listening to it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from workbench.errors import UsageError
from workbench.git.snapshots import MODULES_FOLDER
from workbench.project import Project
from workbench.reproduction.original import Original
from workbench.reproduction.wire import REQUEST, RESULT, Answer, Asked
from workbench.reproduction.workplace import Workplace
from workbench.store import write_atomic
from workbench.tracking.capture.environment import DECIDING_VARIABLES

__all__ = ["run_again"]

_GRACE_SECONDS = 10.0

_OF_ANOTHER_RUN = (
    "WORKBENCH_JOB",
    "WORKBENCH_SECRET_",
    "WORKBENCH_FORK",
    "MLFLOW_RUN_ID",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_REGISTRY_URI",
    "MLFLOW_EXPERIMENT",
    "JPY_",
)
"""What a kernel or a job has of its own, from which this may be called."""

_OWN_STORES = ("DATABASE_URL", "TRACKING_URI", "ARTIFACTS_URI", "ONLINE_STORE")
"""Settings that would lead to the project's records: empty, they are the folder's."""


def run_again(
    project: Project,
    original: Original,
    place: Workplace,
    asked: Asked,
    python: Path,
    say: Callable[[str], None],
    *,
    same_env: bool,
) -> Answer:
    """Run the notebook again in the clean tree, with that Python; return what came of it.

    Raises
    ------
    UsageError
        If the process ends without an answer: Workbench can't run in that environment.
    """
    with write_atomic(place.folder / REQUEST) as beside:
        beside.write_text(asked.model_dump_json(), encoding="utf-8")
    environment = _environment(project, original, place, asked, same_env=same_env)
    with place.log.open("ab") as log:
        process = subprocess.Popen(
            [python, "-m", "workbench.reproduction", place.folder],
            stdin=subprocess.PIPE,  # whose end tells it that we died
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=place.folder,
            env=environment,
            pass_fds=(place.lock,),  # the folder isn't free before the last of us is gone
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            say(line.decode("utf-8", "replace").rstrip())
        process.wait()
    finally:
        _end(process)
    return _answer(place, process.returncode)


def _answer(place: Workplace, code: int) -> Answer:
    try:
        return Answer.model_validate_json((place.folder / RESULT).read_bytes())
    except (OSError, ValueError) as error:
        said = place.log.read_text("utf-8", "replace").strip().splitlines()
        why = said[-1] if said else f"exit code {code}"
        raise UsageError(f"the notebook couldn't be run again: {why}") from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process, if it hasn't ended, and let go of it."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
        if process.poll() is None:
            process.kill()
            process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _environment(
    project: Project, original: Original, place: Workplace, asked: Asked, *, same_env: bool
) -> dict[str, str]:
    """Give the process the project's data, records of its own, and the threads of the record."""
    recorded = original.environment.variables if original.environment else None
    dropped = (*DECIDING_VARIABLES,) if recorded is not None else ()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OF_ANOTHER_RUN) and name not in dropped
    }
    return {
        **kept,
        **(recorded or {}),
        **{f"WORKBENCH_{name}": "" for name in _OWN_STORES},
        "WORKBENCH_LINEAGE__OPENLINEAGE_URL": "",
        "WORKBENCH_STATE_DIR": str(place.state),
        "WORKBENCH_DATA_DIR": str(project.data.resolve()),
        "GIT_CEILING_DIRECTORIES": str(place.folder),
        "PYTHONPATH": _modules(asked.root, same_env=same_env),
    }


def _modules(root: Path, *, same_env: bool) -> str:
    """List where modules from outside the project are: the copies that the run kept come first."""
    kept = [path for path in [root / MODULES_FOLDER] if path.is_dir()]
    own = os.environ.get("PYTHONPATH", "") if same_env else ""
    return os.pathsep.join([*map(str, kept), *([own] if own else [])])
