"""A branch is a safe place: production's alias moves only where the protected branch is."""

from __future__ import annotations

import subprocess

import pytest

from workbench.errors import GateRefusedError
from workbench.git.command import run_git
from workbench.project import Project
from workbench.registry.sandbox import refuse_from_branch


def test_the_protected_branch_may(blank_project: Project) -> None:
    refuse_from_branch(blank_project, "champion")


def test_another_branch_may_not(blank_project: Project) -> None:
    run_git(blank_project.root, "switch", "-c", "try")
    with pytest.raises(GateRefusedError, match=r"production's, which follows branch main.*try"):
        refuse_from_branch(blank_project, "champion")


def test_other_aliases_are_nobodys_business(blank_project: Project) -> None:
    run_git(blank_project.root, "switch", "-c", "try")
    refuse_from_branch(blank_project, "candidate")


def test_a_detached_head_counts_as_where_its_commit_is(blank_project: Project) -> None:
    root = blank_project.root
    run_git(root, "switch", "--detach", "HEAD")
    refuse_from_branch(blank_project, "champion")
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(
        ["git", *identity, "commit", "-qm", "aside", "--allow-empty"], cwd=root, check=True
    )
    with pytest.raises(GateRefusedError, match="a commit outside of it"):
        refuse_from_branch(blank_project, "champion")


def test_a_protected_branch_that_is_not_there_protects(blank_project: Project) -> None:
    run_git(blank_project.root, "branch", "-m", "main", "trunk")
    with pytest.raises(GateRefusedError, match="trunk"):
        refuse_from_branch(blank_project, "champion")
