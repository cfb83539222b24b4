"""Models made again from their record: every verdict and every cause, in real processes."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.jobs.notebooks import write_notebook
from tests.projects import ready_project
from workbench.errors import NotFoundError, UsageError
from workbench.git import Repository
from workbench.git.snapshots import prune_snapshots
from workbench.jobs import JobRequest, get_job, list_jobs, run_jobs
from workbench.jobs.waiting import options_of, source_path
from workbench.lineage import upstream
from workbench.project import Project
from workbench.registry import model_uri, register
from workbench.reproduction import Reproduction, list_reproductions, reproduce
from workbench.reproduction.workplace import PREFIX
from workbench.store import JobRow, database
from workbench.tracking import fetch_model, list_runs, tag_run

BOOSTED = """\
import os
import workbench as wb
from xgboost import XGBClassifier

rows = wb.data.read("sales")
columns = ["a", "b", "c"]
depth = int(os.environ.get("TEST_DEPTH", 2))
model = XGBClassifier(n_estimators=trees, max_depth=depth, random_state=seed, n_jobs=1)
model.fit(rows.select(columns).to_numpy(), rows["y"].to_numpy())
share = float(model.predict_proba(rows.select(columns).to_numpy())[:, 1].mean())
run = wb.tracking.current_run()
run.log_params({"depth": depth})
run.log_metrics({"share": share})
run.log_model(model, columns)
"""

SCALED = """\
import sys
sys.path.insert(0, folder)
from helper import times
from tinyscale import FACTOR

import polars as pl
import workbench as wb
from sklearn.linear_model import LinearRegression

rows = pl.read_csv("data/local.csv")
target = rows["a"].to_numpy() * times() * FACTOR
model = LinearRegression().fit(rows.select("a", "b").to_pandas(), target)
run = wb.tracking.current_run()
run.log_metrics({"slope": float(model.coef_[0])})
run.log_model(model, example=rows.select("a", "b"))
"""

UNSEEDED = """\
import workbench as wb
from sklearn.tree import ExtraTreeRegressor

rows = wb.data.read("sales")
some = rows.head(60)
model = ExtraTreeRegressor().fit(some.select("a", "b", "c").to_pandas(), some["y"].to_numpy())
run = wb.tracking.current_run()
run.log_model(model, example=rows.select("a", "b", "c"))
"""


def _sales(shift: float = 0.0) -> pl.DataFrame:
    a = [float(value % 17) for value in range(200)]
    b = [float(value % 5) + shift for value in range(200)]
    c = [float(value % 3) for value in range(200)]
    y = [int(x + z > 9) for x, z in zip(a, b, strict=True)]
    return pl.DataFrame({"a": a, "b": b, "c": c, "y": y})


def _package(folder: Path, version: str, factor: float) -> None:
    """Install a package of one constant into a folder that is on the path."""
    shutil.rmtree(folder, ignore_errors=True)
    told = folder / f"tinyscale-{version}.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: tinyscale\nVersion: {version}\n")
    (folder / "tinyscale.py").write_text(f"FACTOR = {factor}\n")


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, patch: pytest.MonkeyPatch) -> Project:
    """Three models of versions that jobs made; data and a module aren't in Git."""
    top = tmp_path_factory.mktemp("reproduction")
    patch.setattr(tempfile, "tempdir", str(top / "temporary"))
    patch.setenv("TMPDIR", str(top / "temporary"))
    (top / "temporary").mkdir()
    _package(top / "site-packages", "1.0", 2.0)
    own = os.environ.get("PYTHONPATH", "")
    patch.setenv("PYTHONPATH", f"{top / 'site-packages'}{os.pathsep}{own}")
    root = ready_project(top / "project").root
    with (root / "workbench.toml").open("a") as settings:
        settings.write('\n[sources.sales]\naddress = "data/sales.csv"\n')
    with (root / ".gitignore").open("a") as ignored:
        ignored.write("data/\n")
    (root / "data").mkdir()
    _sales().write_csv(root / "data" / "sales.csv")
    _sales().write_csv(root / "data" / "local.csv")
    (top / "library").mkdir()
    (top / "library" / "helper.py").write_text("def times():\n    return 3.0\n")
    notebooks = root / "notebooks"
    write_notebook(notebooks / "boosted.ipynb", BOOSTED, parameters="trees: int = 5\nseed: int = 1")
    write_notebook(notebooks / "scaled.ipynb", SCALED, parameters='folder: str = ""')
    write_notebook(notebooks / "unseeded.ipynb", UNSEEDED)
    project = Project.find(root)
    Repository(root).commit([".gitignore", "workbench.toml"], "Read sales")  # notebooks are dirty
    jobs = run_jobs(
        project,
        [
            JobRequest("notebooks/boosted.ipynb", {"trees": 7}),
            JobRequest("notebooks/scaled.ipynb", {"folder": str(top / "library")}),
            JobRequest("notebooks/unseeded.ipynb"),
        ],
    )
    for job in jobs:
        assert job.state == "succeeded", job.error
        assert job.run_id is not None
        register(project, Path(job.notebook).stem, job.run_id, owner="somebody")
    return project


def _users_own(project: Project) -> dict[str, str]:
    """Digest the files of the project that aren't Workbench's own records, Git's among them."""
    files = [path for path in project.root.rglob("*") if path.is_file()]
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not path.is_relative_to(project.state) and "workbench-scratch" not in path.parts
    }


@pytest.fixture(scope="module")
def users_own(project: Project) -> dict[str, str]:
    """The user's files before anything was made again."""
    return _users_own(project)


@pytest.fixture(scope="module")
def made_again(project: Project, users_own: dict[str, str]) -> dict[str, Reproduction]:
    """Each model made again while nothing had changed."""
    names = ("boosted", "scaled", "unseeded")
    return {name: reproduce(project, name, "1", same_env=True) for name in names}


def test_a_seeded_booster_comes_out_byte_for_byte(made_again: dict[str, Reproduction]) -> None:
    report = made_again["boosted"]
    assert report.verdict == "same bytes", report
    assert "model.ubj" in report.reason
    assert report.cause is None
    assert report.differences == []
    assert [check.outcome for check in report.data] == ["same"]
    assert report.parameters == {"trees": 7}


def test_a_file_with_a_time_in_it_predicts_the_same(made_again: dict[str, Reproduction]) -> None:
    report = made_again["scaled"]
    assert report.verdict == "same predictions", report
    assert report.predictions is not None
    assert report.predictions.same_bits
    assert report.predictions.rows == 200
    assert report.predictions.of == "those recorded with the model"
    assert "bit-equal" in report.reason
    assert report.differences == []


def test_without_a_seed_it_is_the_notebook(made_again: dict[str, Reproduction]) -> None:
    report = made_again["unseeded"]
    assert report.verdict == "same metrics", report
    assert report.predictions is not None
    assert not report.predictions.within
    assert report.cause is not None
    assert report.cause.kind == "not recorded"
    assert "isn't deterministic" in report.cause.what


def test_nothing_of_the_project_changes(
    project: Project, users_own: dict[str, str], made_again: dict[str, Reproduction]
) -> None:
    assert len(list_jobs(project)) == 3
    assert len(list_runs(project)) == 3
    assert _users_own(project) == users_own
    kept = list_reproductions(project, "boosted", "1")
    assert made_again["boosted"] in kept
    [edge] = upstream(project, made_again["boosted"].node)[:1]
    assert (edge.source, edge.relation) == ("model:boosted/1", "reproduced")
    assert not list(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))


def test_other_data(project: Project, made_again: dict[str, Reproduction]) -> None:
    file = project.root / "data" / "sales.csv"
    _sales(shift=3.0).write_csv(file)
    try:
        report = reproduce(project, "boosted", "1", same_env=True)
    finally:
        _sales().write_csv(file)
    assert report.verdict == "different", report
    assert report.cause is not None
    assert report.cause.kind == "data"
    assert "column b: other cells" in report.cause.what
    assert "column a" not in report.cause.what


def test_data_that_is_gone(project: Project, made_again: dict[str, Reproduction]) -> None:
    file = project.root / "data" / "sales.csv"
    before = len(list_reproductions(project))
    file.unlink()
    try:
        with pytest.raises(
            NotFoundError, match=r"boosted version 1: data gone: sales@.*sales\.csv"
        ):
            reproduce(project, "boosted", "1", same_env=True)
    finally:
        _sales().write_csv(file)
    assert len(list_reproductions(project)) == before


def test_other_code_and_another_package(
    project: Project, made_again: dict[str, Reproduction]
) -> None:
    """Code comes first: with it in order the package is what is left."""
    top = project.root.parent
    helper = top / "library" / "helper.py"
    before = helper.read_text()
    _package(top / "site-packages", "2.0", 5.0)
    helper.write_text("def times():\n    return 4.0\n")
    try:
        both = reproduce(project, "scaled", "1", same_env=True)
        helper.write_text(before)
        package = reproduce(project, "scaled", "1", same_env=True)
    finally:
        _package(top / "site-packages", "1.0", 2.0)
        helper.write_text(before)
    assert both.verdict == package.verdict == "different"
    assert both.cause is not None
    assert both.cause.kind == "code"
    assert "helper.py: another content" in both.cause.what
    assert package.cause is not None
    assert package.cause.kind == "environment"
    assert "tinyscale 1.0, now 2.0" in package.cause.what


def test_on_the_command_line(
    project: Project,
    made_again: dict[str, Reproduction],
    cli: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    done = cli("-C", project.root, "models", "reproduce", "bosted", "1", "--same-env")
    assert done.returncode == 2
    assert "did you mean boosted" in done.stderr
    git = shutil.which("git")
    assert git is not None
    (tmp_path / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(tmp_path))  # on which there is no uv
    done = cli("-C", project.root, "models", "reproduce", "boosted", "1")
    assert done.returncode == 2
    assert "--same-env" in done.stderr


def test_bad_input(project: Project, made_again: dict[str, Reproduction]) -> None:
    with pytest.raises(NotFoundError, match="unknown version '7' of model boosted"):
        reproduce(project, "boosted", "7", same_env=True)
    run = next(run for run in list_runs(project) if run.params.get("trees") == "7")
    job = run.tags["workbench.job"]
    tag_run(project, run.run_id, "workbench.job", None)
    with pytest.raises(UsageError, match="wasn't made by a job"):
        reproduce(project, "boosted", "1", same_env=True)
    tag_run(project, run.run_id, "workbench.job", job)


def test_a_notebook_that_nobody_kept(project: Project, made_again: dict[str, Reproduction]) -> None:
    """Git ignored it, so it isn't in the snapshot, and the job's copy was removed."""
    job = get_job(project, made_again["boosted"].job_id)
    kept = source_path(project, options_of(project, job.id).source)
    aside = kept.with_suffix(".aside")
    kept.rename(aside)
    _rename_notebook(project, job.id, "notebooks/ignored.ipynb")
    try:
        with pytest.raises(NotFoundError, match=r"ignored\.ipynb isn't in snapshot .* nor kept"):
            reproduce(project, "boosted", "1", same_env=True)
    finally:
        aside.rename(kept)
        _rename_notebook(project, job.id, job.notebook)
    assert not list(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))


def _rename_notebook(project: Project, job_id: str, name: str) -> None:
    with database(project).session() as session:
        session.get_one(JobRow, job_id).notebook = name


@pytest.fixture
def copied(project: Project, made_again: dict[str, Reproduction]) -> Iterator[Path]:
    """The files of a stored model, put back after the test."""
    folder = fetch_model(project, model_uri("boosted", "1"))
    spare = folder.with_name("spare")
    shutil.copytree(folder, spare)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
    spare.rename(folder)


def test_a_stored_model_that_was_edited(project: Project, copied: Path) -> None:
    with (copied / "model.ubj").open("ab") as file:
        file.write(b" ")
    with pytest.raises(UsageError, match="were changed after it was logged"):
        reproduce(project, "boosted", "1", same_env=True)


def test_a_stored_model_that_is_gone(project: Project, copied: Path) -> None:
    shutil.rmtree(copied)
    with pytest.raises(NotFoundError, match="can't be loaded"):
        reproduce(project, "boosted", "1", same_env=True)


def test_killed_on_the_way(
    project: Project, made_again: dict[str, Reproduction], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody works on, and the next who comes along removes what was left.

    That one is in another environment, of which the notebook takes a parameter of the model's.
    """
    before = len(list_reproductions(project))
    command = [sys.executable, "-m", "workbench", "-C", str(project.root)]
    process = subprocess.Popen(
        [*command, "models", "reproduce", "boosted", "1", "--same-env"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if b"cell" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    left = list(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))
    assert len(left) == 1
    assert len(list_reproductions(project)) == before
    assert len(list_jobs(project)) == 3
    _wait_until_free(left[0])
    monkeypatch.setenv("TEST_DEPTH", "1")
    report = reproduce(project, "boosted", "1", same_env=True)
    assert report.verdict == "different", report
    assert report.cause is not None
    assert report.cause.kind == "parameters"
    assert "depth: 2, now 1" in [one.what for one in report.differences]
    assert not list(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))


def _wait_until_free(folder: Path) -> None:
    """Wait until the processes of a folder have noticed that they are alone."""
    import fcntl

    with (folder / "lock").open("rb") as lock:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
            else:
                return
    raise AssertionError(f"{folder} is still somebody's")


def test_a_snapshot_that_was_let_go(project: Project, made_again: dict[str, Reproduction]) -> None:
    run = next(run for run in list_runs(project) if run.params.get("trees") == "7")
    prune_snapshots(project.root, project.state, keep=(), among=[run.run_id])
    with pytest.raises(NotFoundError, match="has no snapshot"):
        reproduce(project, "boosted", "1", same_env=True)
