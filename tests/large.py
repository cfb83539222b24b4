"""A project as large as the issues say: `python -m tests.large FOLDER` makes it in a new folder.

It has 100,000 runs, a million features in an index, 500 jobs, and of everything else more than fits
on a screen. All of it is written as rows, but the index, which Workbench makes of them.
"""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.benchmarks.sections.features.search import fill
from tests.many_runs import seed_runs
from tests.many_versions import seed_models
from tests.projects import ready_project
from workbench.features.search import refresh
from workbench.project import Project
from workbench.store import AlertRow, JobRow, WindowRow, database

__all__ = ["FEATURES", "JOBS", "MODELS", "RUNS", "SOURCES", "large_project"]

RUNS, FEATURES, JOBS = 100_000, 1_000_000, 500
MODELS, SOURCES, BRANCHES, CHANGES, WATCHED, WINDOWS = 500, 300, 200, 300, 120, 12
VALUES = 5
"""Of each run: so many metrics and parameters."""

_STATES = ("succeeded", "succeeded", "failed", "cancelled", "lost")
_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def large_project(root: Path) -> Project:
    """Make it."""
    project = ready_project(root)
    _write_sources(root)
    _write_branches(root)
    project = Project.find(root)
    names = seed_models(project, MODELS)
    seed_runs(project, RUNS, values=VALUES)
    _seed_jobs(project)
    _seed_windows(project, names[:WATCHED])
    fill(project, FEATURES, random.Random(0))
    refresh(project)
    return project


def _write_sources(root: Path) -> None:
    sources = (
        f'[sources.source_{number:03}]\naddress = "data.csv"\ndescription = "rows {number}"\n'
        for number in range(SOURCES)
    )
    (root / "data.csv").write_text("a,b\n1,2\n")
    with (root / "workbench.toml").open("a") as settings:
        settings.write("\n" + "\n".join(sources))


def _write_branches(root: Path) -> None:
    """Commit what is there, branch it off many times, then write files that aren't committed."""
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "Begin"], check=True)
    refs = "".join(f"create refs/heads/try-{number:03} HEAD\n" for number in range(BRANCHES))
    subprocess.run([*git, "update-ref", "--stdin"], input=refs, text=True, check=True)
    for number in range(CHANGES):
        (root / f"change_{number:03}.py").write_text("1\n")


def _seed_jobs(project: Project) -> None:
    jobs = [
        JobRow(
            id=f"{number:012x}",
            notebook=f"notebooks/study_{number % 7}.ipynb",
            parameters={"number": number},
            state=_STATES[number % len(_STATES)],
            label=f"job number {number}",
            failure="cell" if _STATES[number % len(_STATES)] == "failed" else None,
            error=f"ValueError: {number % 9}" if number % 5 == 2 else None,
            error_cell=number % 4 if number % 5 == 2 else None,
            created_at=_BEGIN + timedelta(minutes=number),
            started_at=_BEGIN + timedelta(minutes=number),
            finished_at=_BEGIN + timedelta(minutes=number + 1),
        )
        for number in range(JOBS)
    ]
    with database(project).session() as session:
        session.add_all(jobs)


def _seed_windows(project: Project, models: list[str]) -> None:
    drawn = random.Random(0)
    rows: list[WindowRow | AlertRow] = []
    for model in models:
        for number in range(WINDOWS):
            begin = _BEGIN + timedelta(days=7 * number)
            status = drawn.choice(("ok", "ok", "warning", "alert"))
            own = {"monitor": f"{model}-weekly", "model": model, "version": "1"}
            rows.append(
                WindowRow(
                    **own,
                    window_start=begin,
                    window_end=begin + timedelta(days=7),
                    status=status,
                    findings=[],
                    metrics={},
                    evaluated_at=begin + timedelta(days=7),
                )
            )
            if status == "alert":
                rows.append(
                    AlertRow(
                        **own,
                        window_start=begin,
                        state="open",
                        cause=f"drift in column {number}",
                        message="far from the reference",
                        owner="ada",
                        opened_at=begin + timedelta(days=7),
                    )
                )
    with database(project).session() as session:
        session.add_all(rows)


if __name__ == "__main__":
    large_project(Path(sys.argv[1]))
