"""Making a version again, step by step."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat

from workbench.access import require
from workbench.errors import NotebookError, NotFoundError, UsageError
from workbench.git.snapshots import checkout_snapshot
from workbench.jobs.parameters.contract import load_notebook
from workbench.jobs.waiting import source_of
from workbench.project import SETTINGS_FILE, Project
from workbench.reproduction.checking import settle_checks
from workbench.reproduction.environments import left_out, rebuild_environment
from workbench.reproduction.judging import (
    first_cause,
    input_differences,
    judge,
    metric_pairs,
    package_changes,
)
from workbench.reproduction.original import Original, find_original
from workbench.reproduction.records import Reproduction, keep_report
from workbench.reproduction.starting import run_again
from workbench.reproduction.wire import Answer, Asked
from workbench.reproduction.workplace import Workplace, workplace
from workbench.store import now

__all__ = ["reproduce"]

Reporter = Callable[[str], None]


def reproduce(
    project: Project,
    name: str,
    version: str,
    *,
    same_env: bool = False,
    keep: bool = False,
    reporter: Reporter | None = None,
) -> Reproduction:
    """Make a version again from its record and say how alike the two are.

    Nothing of the project's changes but that the report is written down: the notebook runs on the
    code of its snapshot in a temporary folder, whose records are its own.

    Parameters
    ----------
    version
        Its number, or an alias.
    same_env
        Run it with the packages that are installed here, and name those that aren't as recorded.
        Else an environment with the recorded ones is made by `uv`, once for the same packages.
    keep
        Leave the folder, with its code, job and run, for a look; the report says where.
    reporter
        Called with a line about each step as it begins.

    Raises
    ------
    NotFoundError
        If there is no such model or version, or something of its record is gone.
    UsageError
        If it wasn't made by a job, its stored files were changed, its environment can't be made.
    ForbiddenError
        If who asks isn't a developer.
    """
    person = require(project, "developer", f"reproduce {name}")
    began, say = time.monotonic(), reporter or (lambda _: None)
    original = find_original(project, name, version)
    python = Path(sys.executable)
    if not same_env:
        if original.environment is None:
            raise UsageError(
                f"run {original.run.run_id[:8]} didn't record its environment; "
                "--same-env runs it in the present one"
            )
        python = rebuild_environment(project, original.environment, say)
    with workplace(keep=keep) as place:
        root, copied = _lay_out(project, original, place, say)
        asked = _request(project, original, root)
        answer = run_again(project, original, place, asked, python, say, same_env=same_env)
        if answer.gone:
            raise NotFoundError(f"{name} version {original.version}: data gone: {answer.gone[0]}")
        report = _report(original, answer, place, copied, same_env=same_env)
    who = {"reproduced_by": person.name, "reproduced_at": now()}
    taken = {"seconds": time.monotonic() - began, "kept": place.folder if keep else None}
    return keep_report(project, Reproduction(**report, **who, **taken))


def _lay_out(
    project: Project, original: Original, place: Workplace, say: Reporter
) -> tuple[Path, list[str]]:
    """Check the code out and put beside it what the notebook read that Git doesn't hold.

    Returns
    -------
    tuple
        The project's root in the clean tree, and the files that were copied.
    """
    say(f"code of snapshot {original.snapshot.commit[:12]}")
    checkout_snapshot(project.root, project.state, original.snapshot_id, place.tree)
    root = place.tree / original.snapshot.folder
    if not (root / SETTINGS_FILE).is_file():
        raise NotFoundError(
            f"snapshot {original.snapshot.commit[:12]} has no {SETTINGS_FILE}: it isn't a project's"
        )
    _put_notebook(project, original, root)
    return root, _copy_data(project, original, root)


def _put_notebook(project: Project, original: Original, root: Path) -> None:
    """See that the notebook is the one that the job was asked for, whatever the tree has."""
    path = root / original.job.notebook
    try:
        asked = source_of(project, original.options)
    except NotebookError:
        if path.is_file():
            return
        raise NotFoundError(
            f"{original.job.notebook} isn't in snapshot {original.snapshot.commit[:12]} of run "
            f"{original.run.run_id[:8]}, nor kept with job {original.job.id}"
        ) from None
    if not path.is_file() or _sources(load_notebook(path)) != _sources(asked):
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(asked, path)


def _sources(notebook: nbformat.NotebookNode) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def _copy_data(project: Project, original: Original, root: Path) -> list[str]:
    """Copy the files that the notebook read by a path in the project and the tree doesn't have."""
    copied = []
    for dataset in original.datasets:
        inside = PurePosixPath(dataset.address)
        if dataset.recipe.kind != "reader" or "://" in dataset.address or inside.is_absolute():
            continue
        source, target = project.root / inside, (root / inside).resolve()
        if source.is_file() and target.is_relative_to(root) and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
            copied.append(dataset.address)
    return copied


def _request(project: Project, original: Original, root: Path) -> Asked:
    return Asked(
        root=root,
        notebook=original.job.notebook,
        parameters=original.job.params,
        label=original.job.label,
        limits=original.options.limits,
        environment=original.options.environment,
        datasets=original.datasets,
        folder=original.folder.resolve(),
        logged_as=original.logged_as,
        trust_pickle=project.settings.trust_pickle,
        trusted_types=project.settings.trusted_types,
    )


def _report(
    original: Original,
    answer: Answer,
    place: Workplace,
    copied: list[str],
    *,
    same_env: bool,
) -> dict[str, Any]:
    metrics = metric_pairs(original.run.metrics, answer.metrics)
    packages = package_changes(original, answer)
    finished = answer.state == "succeeded"
    data = settle_checks(
        original.data,
        original.datasets,
        answer.checks,
        answer.datasets,
        answer.nodes,
        finished=finished,
    )
    missing = [one.path for one in original.snapshot.left_out if one.path not in copied]
    root = place.tree / original.snapshot.folder
    differences = input_differences(original, answer, root, data, packages, missing)
    found = judge(original, answer, metrics)
    alike = found.verdict in ("same bytes", "same predictions")
    return {
        "model": original.model,
        "version": original.version,
        "verdict": found.verdict,
        "reason": found.reason,
        "cause": None if alike else first_cause(differences, failed=not finished),
        "differences": differences,
        "run_id": original.run.run_id,
        "job_id": original.job.id,
        "notebook": original.job.notebook,
        "parameters": original.job.params,
        "commit": original.snapshot.base,
        "snapshot": original.snapshot.commit,
        "environment": "present" if same_env else "rebuilt",
        "packages": packages,
        "data": data,
        "predictions": answer.predictions,
        "metrics": metrics,
        "new_job_id": answer.job_id,
        "error": answer.error,
        "error_cell": answer.error_cell,
        "notes": _notes(original, answer, same_env=same_env),
    }


def _notes(original: Original, answer: Answer, *, same_env: bool) -> list[str]:
    """Say what the record didn't have, so that nobody takes silence for sameness."""
    notes = list(original.snapshot.notes)
    if original.environment is None:
        notes.append("the run didn't record its environment: packages aren't compared")
    elif original.environment.variables is None:
        notes.append("the run didn't record its threads: they are those of a job today")
    if original.environment is not None and not same_env:
        notes += [
            f"package {name} was installed from a folder and can't be fetched: left out"
            for name in left_out(original.environment)
        ]
    if original.environment is not None and "jupyter-workbench" in original.environment.direct:
        notes.append("Workbench ran from a folder: that its code is the same isn't recorded")
    if not original.digested:
        notes.append("no digest of the stored files was recorded: an edit of them can't be told")
    if answer.why_no_predictions:
        notes.append(f"predictions weren't compared: {answer.why_no_predictions}")
    return notes
