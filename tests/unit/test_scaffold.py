"""New projects: whole or not there, clean in Git, with notebooks that are fit to start from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest

from workbench import Project
from workbench.errors import NotFoundError, UsageError
from workbench.factory import list_factories, load
from workbench.factory.scaffold import create_project, list_templates
from workbench.features import load_definitions
from workbench.git import Repository
from workbench.jobs.parameters import load_notebook, read_parameters

TEMPLATES = ["blank", "flights", "tour"]


@pytest.fixture(scope="module", params=TEMPLATES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return create_project(tmp_path_factory.mktemp("made") / "my project é", request.param)


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, check=True
    ).stdout


def test_these_are_the_templates() -> None:
    assert list_templates() == TEMPLATES


def test_a_new_project_is_clean_with_one_commit_on_main(made: Project) -> None:
    status = Repository(made.root).status()
    assert (status.branch, status.detached, status.changed) == ("main", False, [])
    assert git(made.root, "rev-list", "--count", "HEAD").strip() == "1"
    assert "workbench.toml" in git(made.root, "ls-files").split()
    message = git(made.root, "log", "--format=%s").strip()
    assert message in [f"Start from Workbench's {template} template" for template in TEMPLATES]


def test_nothing_is_left_beside_a_new_project(made: Project) -> None:
    assert [path.name for path in made.root.parent.iterdir()] == [made.root.name]


def test_records_and_outputs_stay_out_of_git(made: Project) -> None:
    (made.state / "workbench.db").write_text("")
    for rest in ("__pycache__/x.pyc", ".ipynb_checkpoints/x.ipynb"):
        (made.root / "notebooks" / rest).parent.mkdir(exist_ok=True)
        (made.root / "notebooks" / rest).write_text("")
    assert Repository(made.root).status().changed == []


def test_its_definitions_and_factories_can_be_read(made: Project) -> None:
    load_definitions(made)
    for name in list_factories(made):
        factory = load(name, made)
        spine = load_definitions(made).spine(factory.spec.spine)
        assert factory.key == spine.key
        for reference in [*factory.spec.features, *factory.spec.exclude]:
            view = load_definitions(made).view(reference.partition(":")[0])
            assert reference.partition(":")[2] in ("", *view.features)
        for notebook in (factory.spec.training.notebook, factory.spec.monitor.notebook):
            contract = {p.name for p in read_parameters(load_notebook(made.root / notebook), "")}
            assert contract
        training = read_parameters(load_notebook(made.root / factory.spec.training.notebook), "")
        assert set(factory.spec.training.grid) <= {parameter.name for parameter in training}


def test_its_notebooks_are_valid_without_outputs_and_with_a_contract_that_is_read(
    made: Project,
) -> None:
    paths = sorted((made.root / "notebooks").rglob("*.ipynb"))
    paths = [path for path in paths if ".ipynb_checkpoints" not in path.parts]
    assert len(paths) >= 2
    for path in paths:
        notebook = load_notebook(path)
        nbformat.validate(notebook)
        read_parameters(notebook, path.name)
        assert notebook.nbformat == 4
        ids = [cell.id for cell in notebook.cells]
        assert len(set(ids)) == len(ids)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                assert cell.outputs == []
                assert cell.execution_count is None


def test_a_blank_project_has_the_name_of_its_folder(tmp_path: Path) -> None:
    project = create_project(tmp_path / 'quote " and é')
    assert project.name == 'quote " and é'
    assert Project.find(tmp_path / 'quote " and é').name == project.name
    assert "# " in (project.root / "workbench.toml").read_text()  # its comments are kept


def test_folders_above_are_made_and_an_empty_one_is_used(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert create_project(empty).root == empty
    assert create_project(tmp_path / "a" / "b").root == tmp_path / "a" / "b"


def test_a_relative_path_and_a_home_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert create_project(Path("here")).root == tmp_path / "here"
    assert create_project(Path("~/there")).root == tmp_path / "there"


def tree(folder: Path) -> dict[str, Any]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / ".hidden").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = tree(tmp_path)
    for name in ("full", "file"):
        with pytest.raises(
            UsageError, match=rf"{name}: not empty; name a new folder .*workbench.toml"
        ):
            create_project(tmp_path / name)
    assert tree(tmp_path) == before


def test_a_project_is_not_made_twice(blank_project: Project) -> None:
    before = tree(blank_project.root)
    with pytest.raises(UsageError, match="not empty"):
        create_project(blank_project.root, "flights")
    assert tree(blank_project.root) == before


def test_an_unknown_template_is_answered_with_what_exists(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"unknown template 'flight': did you mean flights\?"):
        create_project(tmp_path / "project", "flight")
    for escape in ("", "..", "../templates/blank"):
        with pytest.raises(NotFoundError):
            create_project(tmp_path / "project", escape)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"file/project: can't be made: Not a directory"):
        create_project(tmp_path / "file" / "project")


def test_of_two_that_make_the_same_project_one_does(tmp_path: Path) -> None:
    outcomes: list[str] = []

    def make() -> None:
        try:
            outcomes.append(create_project(tmp_path / "project").name)
        except UsageError:
            outcomes.append("refused")

    makers = [threading.Thread(target=make) for _ in range(4)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert sorted(outcomes) == ["project", "refused", "refused", "refused"]
    assert Repository(tmp_path / "project").status().changed == []
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


MAKE = """
import sys
from pathlib import Path
from workbench.factory.scaffold import create_project
print("ready", flush=True)
sys.stdin.readline()
create_project(Path(sys.argv[1]), "flights")
print("made", flush=True)
"""


@pytest.mark.parametrize("step", ["workbench.toml", ".git/HEAD", ".git/index*"])
def test_a_process_that_is_killed_leaves_a_whole_project_or_none(tmp_path: Path, step: str) -> None:
    target = tmp_path / "project"
    with subprocess.Popen(
        [sys.executable, "-c", MAKE, target],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("\n")
        process.stdin.flush()
        until = time.monotonic() + 10
        while not any(tmp_path.glob(f"*project*/{step}")) and time.monotonic() < until:
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGKILL)  # with the git that it may have started
    if not target.exists():
        create_project(target, "flights")
    assert Repository(target).status().changed == []
    assert git(target, "rev-list", "--count", "HEAD").strip() == "1"
    assert load("flights", Project.find(target)).spec.model == "flights-late"
