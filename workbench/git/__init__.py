"""Git as the record of code: where we are, what changed, a branch for each experiment.

Git runs with a lock for each repository, because parallel commits through one index lose work,
and without a terminal prompt, because a job has nobody to answer it.
"""

from workbench.git.repository import ChangedFile, Repository, Status

__all__ = ["ChangedFile", "Repository", "Status"]
