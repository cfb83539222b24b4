"""The code behind a run, always: also what nobody has committed.

One idea: dirty work is kept, not forbidden. At a run's start the work tree as it is becomes a
commit under a hidden ref, made through an index of our own, so the user's index, HEAD, stash and
files don't change and eight runs that start at once don't wait for each other. Without a Git
repository one of our own, among the project's records, keeps the same.
"""

from workbench.git.snapshots.checkout import checkout_snapshot
from workbench.git.snapshots.imported import MODULES_FOLDER, add_modules
from workbench.git.snapshots.reading import (
    get_snapshot,
    list_snapshots,
    prune_snapshots,
    read_file,
    snapshot_diff,
)
from workbench.git.snapshots.records import LeftOut, Snapshot
from workbench.git.snapshots.taking import (
    LIMIT_FILE,
    LIMIT_TOTAL,
    RUN_FOLDER,
    executed_path,
    extend_snapshot,
    take_snapshot,
)

__all__ = [
    "LIMIT_FILE",
    "LIMIT_TOTAL",
    "MODULES_FOLDER",
    "RUN_FOLDER",
    "LeftOut",
    "Snapshot",
    "add_modules",
    "checkout_snapshot",
    "executed_path",
    "extend_snapshot",
    "get_snapshot",
    "list_snapshots",
    "prune_snapshots",
    "read_file",
    "snapshot_diff",
    "take_snapshot",
]
