"""Calling Git itself: nobody is there to answer it, and its errors are ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from workbench.errors import GitError

__all__ = ["run_git", "shown"]

_NOBODY_ANSWERS = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",  # a program that answers every question with nothing
    "SSH_ASKPASS": "true",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    "GIT_EDITOR": "true",
    "GIT_MERGE_AUTOEDIT": "no",
    "LC_ALL": "C.UTF-8",  # its messages are read here
    "LANGUAGE": "",
}

# A hook of Git has these; in there they would lead a call for another folder astray.
_OF_ANOTHER_CALL = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
}


def run_git(
    folder: Path,
    *arguments: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    accept: tuple[int, ...] = (0,),
) -> subprocess.CompletedProcess[bytes]:
    """Run `git ARGUMENTS` in `folder`; what it prints is bytes, as names of files may be.

    Parameters
    ----------
    stdin
        What it reads.
    env
        Variables of its environment on top of ours, `GIT_INDEX_FILE` for one.
    accept
        The exit codes that are answers; every other one is an error.

    Raises
    ------
    GitError
        If it isn't installed, or refuses; with the line that says why.
    """
    ours = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_CALL}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            input=stdin,
            capture_output=True,
            env={**ours, **_NOBODY_ANSWERS, **(env or {})},
            check=False,
        )
    except FileNotFoundError as error:
        if not folder.exists():
            raise GitError(f"{folder}: no such folder") from error
        raise GitError("git is not installed or not on the PATH") from error
    except NotADirectoryError as error:
        raise GitError(f"{folder}: not a folder") from error
    if done.returncode not in accept:
        raise GitError(f"git: {_reason(done)}")
    return done


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """Pick the line that says why: the first that calls itself an error, else the last."""
    said = (done.stderr.strip() or done.stdout.strip()).decode("utf-8", "replace").splitlines()
    for line in said:  # Git's advice stands some lines below its "dubious ownership"
        if line.strip().startswith("git config --global --add safe.directory"):
            return f"the repository belongs to another user; to trust it: {line.strip()}"
    telling = [line for line in said if line.startswith(("fatal: ", "error: "))]
    return (telling or said[-1:] or [f"exit code {done.returncode}"])[0]


def shown(path: str) -> str:
    """Make a path that isn't UTF-8 one that can be printed, and sent as JSON."""
    return os.fsencode(path).decode("utf-8", "replace")
