"""Calling Git itself: nobody is there to answer it, and its errors are ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from workbench.errors import GitError

__all__ = ["run_git"]

_NOBODY_ANSWERS = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",  # a program that answers every question with nothing
    "SSH_ASKPASS": "true",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    "GIT_EDITOR": "true",
    "GIT_MERGE_AUTOEDIT": "no",
    "LC_ALL": "C.UTF-8",  # its messages are read here
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
    environment = {**os.environ, **_NOBODY_ANSWERS, **(env or {})}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            input=stdin,
            capture_output=True,
            env=environment,
            check=False,
        )
    except FileNotFoundError as error:
        if not folder.exists():
            raise GitError(f"{folder}: no such folder") from error
        raise GitError("git is not installed or not on the PATH") from error
    if done.returncode not in accept:
        raise GitError(f"git: {_reason(done)}")
    return done


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """Pick the line that says why: the first that calls itself an error, else the last."""
    said = (done.stderr.strip() or done.stdout.strip()).decode("utf-8", "replace").splitlines()
    telling = [line for line in said if line.startswith(("fatal: ", "error: "))]
    return (telling or said[-1:] or [f"exit code {done.returncode}"])[0]
