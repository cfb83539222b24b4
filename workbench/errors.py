"""What can go wrong, in families that mean something to the user.

Every error that a user can cause is a `WorkbenchError`: one line that says what is wrong, where,
what was expected and what exists. Each is also the builtin that people already catch. Its
`exit_code` is what the command line returns: 2 for wrong use, 1 for work that failed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Self

__all__ = [
    "ConfigError",
    "DataError",
    "FeatureError",
    "ForbiddenError",
    "GateRefusedError",
    "GitError",
    "JobError",
    "MissingExtraError",
    "NotAProjectError",
    "NotFoundError",
    "NotebookError",
    "ParameterError",
    "StoreError",
    "UsageError",
    "WorkbenchError",
    "what_exists",
]


class WorkbenchError(Exception):
    """Base of every error that Workbench raises on purpose."""

    exit_code = 1


class UsageError(WorkbenchError, ValueError):
    """The call can't be carried out as it was written."""

    exit_code = 2


class ConfigError(UsageError):
    """A settings or specification file that can't be used as it is."""


class NotAProjectError(UsageError, FileNotFoundError):
    """No `workbench.toml` here or in any folder above."""

    def __new__(cls, *args: object) -> Self:
        """Make it as an OSError is made: pickled errors are made by `cls.__new__(cls)`, and
        ValueError, which comes first, can't make one.
        """
        return FileNotFoundError.__new__(cls, *args)


class NotFoundError(UsageError, LookupError):
    """A named thing that doesn't exist; the message ends with what does."""

    @classmethod
    def named(cls, kind: str, name: str, existing: Iterable[str], where: str = "") -> NotFoundError:
        """Build the error for the `kind` of thing called `name` that isn't among `existing`."""
        return cls(f"unknown {kind} {name!r}{where}: {what_exists(name, existing)}")


class ParameterError(UsageError, TypeError):
    """A notebook parameter with an unknown name or a value of the wrong type."""


class NotebookError(UsageError):
    """A notebook that is missing, unreadable or lacks what it is asked for."""


class MissingExtraError(UsageError, ImportError):
    """An optional dependency that isn't installed; the message has the line that installs it."""

    @classmethod
    def of(cls, module: str, extra: str) -> MissingExtraError:
        """Build the error for a missing `module` that belongs to our optional `extra`."""
        return cls(f'{module} is not installed: pip install "jupyter-workbench[{extra}]"')


class StoreError(WorkbenchError, OSError):
    """The project's records can't be read or written."""


class GitError(WorkbenchError):
    """Git refused, or the repository is in a state that doesn't allow the step."""


class DataError(WorkbenchError, ValueError):
    """Data that can't be read or doesn't have what is asked of it."""


class FeatureError(WorkbenchError, ValueError):
    """A feature definition or a join that would give wrong values."""


class JobError(WorkbenchError, RuntimeError):
    """A notebook job that failed; the record says in which cell."""


class ForbiddenError(WorkbenchError, PermissionError):
    """Somebody asks for what their role doesn't let them do."""


class GateRefusedError(WorkbenchError, PermissionError):
    """An alias that may not move: there is no passed gate, or it is out of date."""


def what_exists(name: str, existing: Iterable[str], limit: int = 12) -> str:
    """Say what exists instead of `name`: the nearest match first, then the list.

    >>> what_exists("weahter", ["planes", "weather"])
    'did you mean weather? There are: planes, weather'
    >>> what_exists("x", [])
    'there are none'
    """
    known = sorted(existing)
    if not known:
        return "there are none"
    near = difflib.get_close_matches(name, known, n=1)
    more = f", and {len(known) - limit} more" if len(known) > limit else ""
    listing = f"there are: {', '.join(known[:limit])}{more}"
    return f"did you mean {near[0]}? T{listing[1:]}" if near else listing
