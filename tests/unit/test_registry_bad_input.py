"""Bad input to the registry: each is one clear line, and nothing was done."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import Finished
from tests.models import judged, late_rows, made
from workbench.errors import ConfigError, DataError, GateRefusedError
from workbench.evaluation import evaluate
from workbench.factory.scaffold import create_project
from workbench.gates import GateSpec
from workbench.monitoring import MonitorInputs, MonitorSpec, profile
from workbench.project import Project
from workbench.registry import (
    Scorer,
    aliases_of,
    list_decided,
    promote,
    rollback,
    verify_decisions,
)
from workbench.settings import validate
from workbench.tracking import client

CLI = Callable[..., Finished]


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return late_rows()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, rows: pl.DataFrame) -> Project:
    """Two versions of `late`, the second of which is the champion, after the first."""
    project = create_project(tmp_path_factory.mktemp("bad") / "project")
    for version in ("1", "2"):
        made(project, rows)
        judged(project, rows, "late", version)
        promote(project, "late", version, "champion", reason="r")
    return project


@pytest.fixture
def unchanged(project: Project) -> Callable[[], bool]:
    before = list_decided(project), aliases_of(project, "late")
    return lambda: before == (list_decided(project), aliases_of(project, "late"))


def files_of(project: Project, name: str, version: str) -> Path:
    source = client(project).get_model_version(name, version).source
    model = client(project).get_logged_model(source.rpartition("/")[2])
    return Path(model.artifact_location.removeprefix("file://"))


def test_a_monitor_without_a_reference_is_refused() -> None:
    """Else every distance would be unknown, and the window within every threshold."""
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    scored = pl.DataFrame({"id": [1], "x": [1.0], "prediction": [0.5]})
    known = {"id": [1], "label": [True], "known_at": [moment]}
    with pytest.raises(DataError, match="late: the reference has no rows to compare with"):
        MonitorInputs(
            monitor="late",
            model="late",
            version="1",
            spec=MonitorSpec(notebook="n.ipynb", owner="ada"),
            reference=profile(scored.clear(), ["x", "prediction"]),
            expected={"roc_auc": 0.7, "brier": 0.2},
            scored=scored,
            labels=pl.DataFrame(known),
            key="id",
            window_start=moment,
            window_end=moment,
            as_of=moment,
        )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("rollback", "late", "--alias", "champoin"), 2, "unknown alias 'champoin' of model late"),
        (("promote", "late", "1", "--alias", "latest"), 2, "alias 'latest': expected letters"),
        (("promote", "late", "1", "--alias", "v3"), 2, "latest, v1, v2 and so on are MLflow's"),
        (("promote", "late", "1", "--alias", "a b"), 2, "alias 'a b': expected letters"),
        (("promote", "late", "1", "--alias", "x\n"), 2, r"alias 'x\n': expected letters"),
        (("promote", "late", "01"), 2, "unknown version '01' of model late: did you mean 1"),
        (("promote", "late", "two"), 2, "unknown version 'two' of model late"),
        (("promote", "lat", "1"), 2, "unknown model 'lat': did you mean late"),
        (("history", "lat"), 2, "unknown model 'lat': did you mean late"),
        (("explain", "late@champoin"), 2, "unknown alias 'champoin' of model late: did you mean"),
    ],
)
def test_a_name_that_is_wrong(
    project: Project,
    cli: CLI,
    unchanged: Callable[[], bool],
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    done = cli("models", *arguments, folder=project.root)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert done.stderr.count("\n") == 1
    assert unchanged()


def test_a_version_whose_files_are_edited_or_gone_gets_no_alias(
    project: Project, rows: pl.DataFrame, cli: CLI
) -> None:
    version = made(project, rows, "files")
    judged(project, rows, "files", version)
    [stored] = files_of(project, "files", version).glob("model.*")
    content = stored.read_bytes()
    stored.write_bytes(content + b" ")
    done = cli("models", "promote", "files", version, folder=project.root)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "its files were changed after it was logged" in done.stderr
    stored.write_bytes(content)
    moved = files_of(project, "files", version).rename(project.root / "elsewhere")
    done = cli("models", "promote", "files", version, folder=project.root)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "files/1: can't be loaded" in done.stderr
    assert aliases_of(project, "files") == {}
    shutil.move(moved, files_of(project, "files", version))
    assert cli("models", "promote", "files", version, folder=project.root).returncode == 0


def test_there_is_no_way_back_to_what_is_gone(project: Project, rows: pl.DataFrame) -> None:
    for version in ("1", "2"):
        made(project, rows, "back")
        judged(project, rows, "back", version)
        promote(project, "back", version, "champion", reason="r")
    requirements = files_of(project, "back", "1") / "requirements.txt"
    requirements.write_text("evil==1.0\n")
    with pytest.raises(GateRefusedError, match=r"version 1 had champion before, and .* changed"):
        rollback(project, "back")
    client(project).delete_model_version("back", "1")
    with pytest.raises(GateRefusedError, match=r"version 1 had champion before, and .* be loaded"):
        rollback(project, "back")
    assert aliases_of(project, "back") == {"champion": "2"}
    assert verify_decisions(project).broken == []


def test_what_was_decided_of_a_version_that_is_gone_stops_nobody(
    project: Project, rows: pl.DataFrame
) -> None:
    """Killed between the decision and the alias, and then the version was deleted."""
    for version in ("1", "2"):
        made(project, rows, "gone")
        judged(project, rows, "gone", version)
    promote(project, "gone", "1", "champion", reason="r")
    mlflow = client(project)
    mlflow.delete_registered_model_tag("gone", "workbench.decision.champion")
    mlflow.delete_model_version("gone", "1")
    judged(project, rows, "gone", "2")
    assert promote(project, "gone", "2", "champion", reason="r").version == "2"


def test_a_gate_file_with_an_unknown_check_names_it() -> None:
    with pytest.raises(ConfigError, match=r"^factories/f.toml: .*unknown check 'WB999'") as raised:
        validate(GateSpec, {"checks": ["WB999"]}, "factories/f.toml")
    assert "\n" not in str(raised.value)


def test_a_reference_without_rows_is_no_reference(project: Project, rows: pl.DataFrame) -> None:
    scorer = Scorer.load(project, "late", "2")
    with pytest.raises(DataError, match="train: the reference has no rows"):
        evaluate(scorer, rows, "late", train=rows.clear())
    with pytest.raises(DataError, match="there are no rows to evaluate"):
        evaluate(scorer, rows.clear(), "late")
    with pytest.raises(DataError, match="late version 2: there are no labelled rows in all"):
        judged(project, rows.clear(), "late", "2")


def test_a_schema_that_changed_is_told(project: Project, rows: pl.DataFrame) -> None:
    with pytest.raises(DataError, match="late version 2 needs signal") as raised:
        judged(project, rows.rename({"signal": "sgnal"}), "late", "2")
    assert "\n" not in str(raised.value)
