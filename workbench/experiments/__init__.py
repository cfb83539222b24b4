"""A branch is an experiment: it starts, is compared, and is merged or dropped with its runs kept.

Git keeps the code and MLflow the runs; this is where the two meet.

>>> import workbench as wb
>>> wb.experiments.start_branch("more-trees")  # doctest: +SKIP
>>> wb.experiments.leaderboard("roc_auc")  # doctest: +SKIP
"""

from workbench.experiments.branches import (
    BRANCH_STATE,
    branch_tag,
    bring_back_work,
    drop_branch,
    list_branches,
    list_dropped,
    merge_branch,
    plan_merge,
    put_work_aside,
    restore_branch,
    start_branch,
    switch_branch,
)
from workbench.experiments.checkout import checkout_run, collect_garbage
from workbench.experiments.comparison import BranchComparison, compare_branches
from workbench.experiments.leaderboard import Leaderboard, leaderboard
from workbench.experiments.scores import BranchScore, Scores, score_branches
from workbench.experiments.work import commit_work, diff_file, discard_work, undo_discard

__all__ = [
    "BRANCH_STATE",
    "BranchComparison",
    "BranchScore",
    "Leaderboard",
    "Scores",
    "branch_tag",
    "bring_back_work",
    "checkout_run",
    "collect_garbage",
    "commit_work",
    "compare_branches",
    "diff_file",
    "discard_work",
    "drop_branch",
    "leaderboard",
    "list_branches",
    "list_dropped",
    "merge_branch",
    "plan_merge",
    "put_work_aside",
    "restore_branch",
    "score_branches",
    "start_branch",
    "switch_branch",
    "undo_discard",
]
