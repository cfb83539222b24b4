"""Where we are, and what a user is told who isn't anywhere."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench import Project
from workbench.errors import ConfigError, NotAProjectError, StoreError, UsageError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "my project é"
    root.mkdir()
    (root / "workbench.toml").write_text('name = "mine"\n')
    return root


def test_a_project_is_found_from_any_folder_inside_it(root: Path) -> None:
    deep = root / "notebooks" / "a" / "b"
    deep.mkdir(parents=True)
    assert Project.find(deep).root == root
    assert Project.find(str(root)).name == "mine"


def test_the_working_directory_is_where_the_search_starts(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    assert Project.find().root == root


def test_the_nearest_project_wins(root: Path) -> None:
    inner = root / "inner"
    inner.mkdir()
    (inner / "workbench.toml").write_text('name = "inner"\n')
    assert Project.find(inner).name == "inner"


def test_outside_a_project_the_error_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(NotAProjectError) as raised:
        Project.find(tmp_path)
    assert str(tmp_path) in str(raised.value)
    assert "workbench init" in str(raised.value)
    assert raised.value.exit_code == 2


def test_a_folder_in_the_place_of_the_settings_is_said_not_passed_over(root: Path) -> None:
    inner = root / "inner"
    (inner / "workbench.toml").mkdir(parents=True)
    with pytest.raises(ConfigError, match="Is a directory"):
        Project.find(inner)


def test_records_go_to_a_folder_that_is_made_on_first_use(root: Path) -> None:
    project = Project.find(root)
    assert not (root / ".workbench").exists()
    assert project.state == root / ".workbench"
    assert project.state.is_dir()
    assert project.database_url == f"sqlite:///{root}/.workbench/workbench.db"
    assert project.tracking_uri == f"sqlite:///{root}/.workbench/mlflow.db"


def test_addresses_of_a_team_replace_the_local_ones(root: Path) -> None:
    (root / "workbench.toml").write_text(
        'name = "x"\ndatabase_url = "postgresql://db/x"\ntracking_uri = "http://tracking:5000"\n'
    )
    project = Project.find(root)
    assert project.database_url == "postgresql://db/x"
    assert project.tracking_uri == "http://tracking:5000"
    assert not (root / ".workbench").exists()


def test_an_absolute_state_dir_stands_for_itself(root: Path, tmp_path: Path) -> None:
    (root / "workbench.toml").write_text(f'name = "x"\nstate_dir = "{tmp_path / "fast"}"\n')
    assert Project.find(root).state == tmp_path / "fast"


def test_a_state_dir_that_cannot_be_made(root: Path) -> None:
    (root / "data").write_text("a file")
    (root / "workbench.toml").write_text('name = "x"\nstate_dir = "data/state"\n')
    with pytest.raises(StoreError, match=r"data/state: can't be made: Not a directory"):
        _ = Project.find(root).state


AS_NOBODY = """
import os, sys
from workbench import Project
from workbench.errors import WorkbenchError
if os.getuid() == 0:  # permission bits don't bind root
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
try:
    Project.find(sys.argv[1]).state
except WorkbenchError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def locked() -> Iterator[Path]:
    """A project that others may enter (pytest's own folders are private) but not write to."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "workbench.toml").write_text('name = "locked"\n')
        (root / ".workbench").mkdir()
        yield root
        for folder in (root, root / ".workbench"):
            if folder.exists():
                folder.chmod(0o755)


def said_to_nobody(root: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, root], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_read_only_project_without_records(locked: Path) -> None:
    (locked / ".workbench").rmdir()
    locked.chmod(0o555)
    state = locked / ".workbench"
    assert said_to_nobody(locked) == f"StoreError {state}: can't be made: Permission denied"


def test_a_read_only_project_with_records(locked: Path) -> None:
    (locked / ".workbench").chmod(0o555)
    locked.chmod(0o555)
    assert f"StoreError {locked / '.workbench'}: not writable" in said_to_nobody(locked)


def test_settings_that_may_not_be_read(locked: Path) -> None:
    (locked / "workbench.toml").chmod(0o000)
    locked.chmod(0o555)
    file = locked / "workbench.toml"
    assert said_to_nobody(locked) == f"ConfigError {file}: can't be read: Permission denied"


def test_paths_of_records_are_from_the_root_with_forward_slashes(root: Path) -> None:
    project = Project.find(root)
    assert project.relative(root / "notebooks" / "train.ipynb") == "notebooks/train.ipynb"
    assert project.relative(Path("/elsewhere/data.csv")) == "/elsewhere/data.csv"


@pytest.mark.parametrize("path", ["../other", "/etc/passwd", "notebooks/../../other", "link/x"])
def test_a_path_of_a_user_stays_inside(root: Path, path: str) -> None:
    (root / "link").symlink_to(root.parent)
    with pytest.raises(UsageError, match="outside the project"):
        Project.find(root).inside(path)


def test_a_path_inside_is_resolved(root: Path) -> None:
    project = Project.find(root)
    assert project.inside("notebooks/../data") == root / "data"


def test_another_work_tree_shares_records_and_data(root: Path, tmp_path: Path) -> None:
    """What Git doesn't hold isn't in a new work tree: it stays where it is for both."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "workbench.toml").write_text('name = "renamed on the branch"\n')
    there = Project.find(root).at(tree)
    assert there.root == tree
    assert there.name == "renamed on the branch"
    assert there.state == root / ".workbench"
    assert there.data == root
