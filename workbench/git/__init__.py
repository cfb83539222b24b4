"""Git as the record of code: where we are, what changed, a branch for each experiment.

Git runs with a lock for each repository, because parallel commits through one index lose work,
and without a terminal prompt, because a job has nobody to answer it.
"""

from workbench.git.branches import Branch, Dropped, Switched
from workbench.git.merge_plan import Conflict
from workbench.git.merging import MergeConflictError, MergePlan, MergeResult, Own
from workbench.git.repository import ChangedFile, Repository, Status

__all__ = [
    "Branch",
    "ChangedFile",
    "Conflict",
    "Dropped",
    "MergeConflictError",
    "MergePlan",
    "MergeResult",
    "Own",
    "Repository",
    "Status",
    "Switched",
]
