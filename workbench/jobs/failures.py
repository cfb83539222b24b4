"""Why a job ended badly: a closed set, since what is done about it depends on it."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["FAILURE_KINDS", "FailureKind"]

FailureKind = Literal[
    "cell",  # an exception in a cell
    "exit",  # sys.exit, or the kernel left by itself
    "input",  # a cell asked for input, and nobody is there
    "timeout",  # of a cell or of the job
    "memory",  # more than the job's limit, or than the machine has
    "kernel",  # it died, and nothing says of what
    "start",  # it is unknown or didn't start
    "notebook",  # it can't be executed as it is
    "disk",  # what came out can't be written
    "process",  # the job's own process was killed
    "lost",  # the executor or its machine went away
    "cancelled",
]

FAILURE_KINDS: tuple[FailureKind, ...] = get_args(FailureKind)
