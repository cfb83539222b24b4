"""The runs of a branch, whatever its name is made of."""

from __future__ import annotations

from itertools import islice

from workbench.project import Project
from workbench.tracking import BRANCH, RunRecord, list_runs

__all__ = ["MOST_RUNS", "runs_of_branch"]

MOST_RUNS = 100_000


def runs_of_branch(project: Project, branch: str, limit: int = MOST_RUNS) -> list[RunRecord]:
    """List the runs that were begun on `branch`, newest first.

    Git takes both kinds of quotes in a name; MLflow's filters know no way to escape the one that a
    text stands in. A name with both is searched for by its pattern, and told apart here.
    """
    tag = f"tags.`{BRANCH}`"
    if "'" not in branch:
        return list_runs(project, f"{tag} = '{branch}'", limit=limit)
    if '"' not in branch:
        return list_runs(project, f'{tag} = "{branch}"', limit=limit)
    pattern = branch.replace("'", "_")
    alike = list_runs(project, f"{tag} LIKE '{pattern}'", limit=MOST_RUNS)
    return list(islice((run for run in alike if run.tags.get(BRANCH) == branch), limit))
