"""The parts of a reproduction: environments made by uv without a network, numbers compared."""

from __future__ import annotations

import base64
import hashlib
import math
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import workbench
from workbench.data import Dataset, Recipe
from workbench.errors import ForbiddenError, UsageError
from workbench.project import Project
from workbench.reproduction import DataCheck, Difference, Reproduction, reproduce
from workbench.reproduction.checking import settle_checks
from workbench.reproduction.comparing import compare_numbers
from workbench.reproduction.environments import (
    changed_packages,
    left_out,
    lock_lines,
    rebuild_environment,
)
from workbench.reproduction.judging import first_cause
from workbench.reproduction.showing import as_html
from workbench.store import now
from workbench.tracking.capture.environment import Environment, environment


def _wheel(folder: Path, name: str, version: str) -> None:
    """Make a wheel of one module, as an index would have it (PEP 427)."""
    told = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = '{version}'\n",
        f"{told}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{told}/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    lines = []
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            lines.append(f"{path},sha256={digest.rstrip(b'=').decode()},{len(text)}")
        wheel.writestr(f"{told}/RECORD", "\n".join([*lines, f"{told}/RECORD,,"]) + "\n")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where uv may look for packages."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for version in ("1.0", "2.0"):
        _wheel(folder, "tinyscale", version)
    for name, value in {
        "UV_OFFLINE": "1",
        "UV_NO_INDEX": "1",
        "UV_FIND_LINKS": str(folder),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    return folder


def _recorded(packages: dict[str, str], direct: dict[str, str] | None = None) -> Environment:
    update = {"packages": packages, "direct": direct or {}}
    return environment().model_copy(update=update)


def test_an_environment_has_just_what_was_recorded(blank_project: Project, wheels: Path) -> None:
    said: list[str] = []
    recorded = _recorded({"tinyscale": "1.0", "jupyter-workbench": "0.1.0"})
    python = rebuild_environment(blank_project, recorded, said.append)
    code = "import tinyscale, workbench; print(tinyscale.VERSION, workbench.__version__)"
    done = subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=False, cwd=wheels
    )
    assert done.stdout.split() == ["1.0", workbench.__version__], done.stderr
    missing = subprocess.run([python, "-I", "-c", "import numpy"], capture_output=True, check=False)
    assert missing.returncode == 1, "what is installed here isn't there"

    assert rebuild_environment(blank_project, recorded, said.append) == python
    assert "made before" in said[-1]
    other = rebuild_environment(blank_project, _recorded({"tinyscale": "2.0"}), said.append)
    assert other != python


def test_a_version_that_nobody_has(blank_project: Project, wheels: Path) -> None:
    left = blank_project.state / "environments"
    with pytest.raises(UsageError, match=r"can't be made again: uv: .*tinyscale.*--same-env"):
        rebuild_environment(blank_project, _recorded({"tinyscale": "3.0"}), lambda _: None)
    assert [path.suffix for path in left.iterdir()] == [".lock"], "no half of an environment"


def test_what_can_be_fetched_and_what_cannot() -> None:
    recorded = _recorded(
        {"a": "1.0", "mine": "0.1", "git-one": "2.0", "jupyter-workbench": "0.1.0"},
        {"mine": "file:", "git-one": "git+https://example.org/one@0f3a"},
    )
    assert lock_lines(recorded) == ["a==1.0", "git-one @ git+https://example.org/one@0f3a"]
    assert left_out(recorded) == ["mine"]


def test_the_models_own_packages_come_first() -> None:
    before, after = _recorded({"a": "1", "z": "1", "m": "1"}), _recorded({"a": "2", "z": "2"})
    changed = changed_packages(before, after, ["z"])
    assert [str(change) for change in changed] == [
        "z 1, now 2",
        "a 1, now 2",
        "m 1, now not there",
    ]


def test_the_record_of_an_environment_tells_no_place() -> None:
    told = environment()
    assert told.variables is not None
    assert all(not address.startswith("file:/") for address in told.direct.values())


@settings(max_examples=50)
@given(arrays.arrays(np.float64, st.integers(0, 9), elements=st.floats(allow_nan=True)))
def test_equal_numbers_are_bit_equal(numbers: np.ndarray) -> None:
    found = compare_numbers(numbers, numbers.copy(), "sklearn", "rows")
    assert found.same_bits
    assert found.within
    assert found.largest == 0.0


@pytest.mark.parametrize(
    ("other", "library", "same", "within"),
    [
        ([0.5, 1e9], "sklearn", True, True),
        ([0.5 + 1e-12, 1e9], "sklearn", False, True),
        ([0.5, 1e9 + 0.5], "sklearn", False, True),
        ([0.5 + 1e-7, 1e9], "sklearn", False, False),
        ([0.5 + 1e-7, 1e9], "xgboost", False, True),
        ([0.5 + 1e-4, 1e9], "xgboost", False, False),
        ([math.nan, 1e9], "xgboost", False, False),
        ([math.inf, 1e9], "xgboost", False, False),
        ([0.5], "xgboost", False, False),
    ],
)
def test_how_far_answers_may_be_apart(
    other: list[float], library: str, *, same: bool, within: bool
) -> None:
    found = compare_numbers(np.array([0.5, 1e9]), np.array(other), library, "rows")
    assert (found.same_bits, found.within) == (same, within)


def test_one_input_decides_the_next() -> None:
    differences = [Difference(kind=kind, what=kind) for kind in ("threads", "data", "environment")]
    assert first_cause(differences, failed=False).kind == "environment"
    assert first_cause([], failed=False).what.endswith("isn't deterministic")


def _dataset(name: str, digest: str, cells: dict[str, str]) -> Dataset:
    return Dataset(
        name=name,
        address=f"{name}.csv",
        columns=dict.fromkeys(cells, "Int64"),
        rows=3,
        digest=digest * 64,
        read_at=now(),
        recipe=Recipe(kind="source", source=name, cells=cells),
    )


def test_what_was_read_counts_more_than_what_could_be() -> None:
    before, after = (
        _dataset("s", "a", {"x": "1", "y": "1"}),
        _dataset("s", "b", {"x": "1", "y": "2"}),
    )
    by_recipe = [DataCheck(dataset=before.label, outcome="same")]
    nodes = [before.node, "dataset:derived@0123456789ab", "dataset:left@0123456789ab"]
    made = ["dataset:derived@ba9876543210"]
    found = settle_checks(nodes, [before], by_recipe, [after], made, finished=True)
    assert [check.outcome for check in found] == ["changed", "changed", "not made"]
    assert found[0].changes == ["column y: other cells"]


def test_a_viewer_may_not(blank_project: Project) -> None:
    with (blank_project.root / "workbench.toml").open("a") as file:
        file.write('\n[roles]\nadmin = ["nobody-here"]\n')
    with pytest.raises(ForbiddenError, match="may not reproduce m"):
        reproduce(Project.find(blank_project.root), "m", "1")


def test_nothing_in_a_report_is_markup(blank_project: Project) -> None:
    report = Reproduction(
        model="<b>m</b>",
        version="1",
        verdict="different",
        reason="<script>",
        run_id="r",
        job_id="j",
        notebook="n.ipynb",
        parameters={"x": "<i>"},
        commit=None,
        snapshot="0" * 40,
        environment="present",
        seconds=1.0,
        reproduced_by="somebody",
        reproduced_at=now(),
    )
    html = as_html(report)
    assert "<script>" not in html
    assert "<b>" not in html
    assert "<i>" not in html
    assert sys.getsizeof(report._repr_html_()) == sys.getsizeof(html)
