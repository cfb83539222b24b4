"""Named outputs: what goes out of a notebook is whole, indexed and what the next one reads."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
import string
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError, StoreError, UsageError
from workbench.jobs.outputs import check_name, job_outputs, output, read_outputs
from workbench.project import Project


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a job whose kernel we are."""
    monkeypatch.setenv("WORKBENCH_JOB_FOLDER", str(tmp_path / "job"))
    return tmp_path / "job" / "outputs"


def test_a_polars_frame(job: Path) -> None:
    frame = pl.DataFrame({"a": [1, 2, None], "b": ["x", "ü", None]})
    path = output("frame", frame)
    assert path == job / "frame.parquet"
    assert pl.read_parquet(path).equals(frame)
    [found] = read_outputs(job).values()
    assert (found.name, found.kind, found.rows, found.columns) == ("frame", "frame", 3, ["a", "b"])
    assert found.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.handed_on() == found.handed_on(as_path=True) == str(path)


def test_a_pandas_frame_keeps_its_index(job: Path) -> None:
    frame = pd.DataFrame({"a": [1.5, 2.5]}, index=pd.Index(["x", "y"], name="key"))
    pd.testing.assert_frame_equal(pd.read_parquet(output("frame", frame)), frame)
    assert (read_outputs(job)["frame"].rows, read_outputs(job)["frame"].columns) == (2, ["a"])


@pytest.mark.parametrize("library", [pl, pd])
def test_the_same_frame_has_the_same_digest(job: Path, library: Any) -> None:
    columns = {"a": list(range(300_000)), "b": ["x", "y", "z"] * 100_000}
    output("one", library.DataFrame(columns))
    output("two", library.DataFrame(columns))
    output("other", library.DataFrame({**columns, "a": [1] * 300_000}))
    digests = {name: found.digest for name, found in read_outputs(job).items()}
    assert digests["one"] == digests["two"] != digests["other"]


def test_a_frame_that_parquet_cannot_hold(job: Path) -> None:
    with pytest.raises(DataError, match="output 'odd': Parquet can't hold this frame"):
        output("odd", pd.DataFrame({"a": [1, "x", object()]}))
    assert read_outputs(job) == {}
    assert [path.name for path in job.iterdir()] == [".lock"]


def test_a_file_is_copied(job: Path, tmp_path: Path) -> None:
    source = tmp_path / "report of june.html"
    source.write_bytes(b"<p>")
    path = output("report", source)
    assert path == job / "report.html"
    source.write_bytes(b"later")
    assert path.read_bytes() == b"<p>"
    assert read_outputs(job)["report"].kind == "file"


@pytest.mark.parametrize(("there", "said"), [(True, "a folder"), (False, "not there")])
def test_what_is_no_file(job: Path, tmp_path: Path, *, there: bool, said: str) -> None:
    source = tmp_path / "thing"
    if there:
        source.mkdir()
    with pytest.raises(UsageError, match=f"expected an existing file, and .*thing is {said}"):
        output("thing", source)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"depth": [1, None, True, "ü"]}, {"depth": [1, None, True, "ü"]}),
        (np.int64(3), 3),
        (np.array([1.5, 2.5]), [1.5, 2.5]),
        ({"at": datetime.date(2013, 6, 1)}, {"at": "2013-06-01"}),
        ((1, Decimal("0.10")), [1, "0.10"]),
        ("text", "text"),
        (None, None),
    ],
)
def test_a_value_of_json(job: Path, value: Any, read: Any) -> None:
    path = output("value", value)
    assert json.loads(path.read_text()) == read
    found = read_outputs(job)["value"]
    assert (found.kind, found.rows, found.columns) == ("json", None, None)
    assert found.handed_on() == read
    assert found.handed_on(as_path=True) == str(path)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"x", "bytes say nothing"),
        (bytearray(b"x"), "bytes say nothing"),
        ({"x": b"y"}, "bytes isn't one"),
        (float("nan"), "Out of range float"),
        (object(), "object isn't one"),
        ({(1, 2): 3}, "keys must be"),
    ],
)
def test_what_is_no_value(job: Path, value: Any, said: str) -> None:
    with pytest.raises(UsageError, match=f"output 'value': .*{said}"):
        output("value", value)
    assert read_outputs(job) == {}


@pytest.mark.parametrize(
    "name", ["", "../x", "a/b", ".hidden", "_x", "a b", "a.b", "ü", "x\n", "a" * 101, "outputs", 3]
)
def test_bad_names(job: Path, name: Any) -> None:
    with pytest.raises(UsageError, match="expected a name of letters"):
        output(name, 1)
    assert not job.exists()


@given(st.text(max_size=5))
def test_a_name_that_passes_is_one_of_a_file(name: str) -> None:
    try:
        check_name(name)
    except UsageError:
        return
    assert set(name) <= set(string.ascii_letters + string.digits + "_-")


def test_written_twice_the_last_stands(job: Path) -> None:
    first = output("result", pl.DataFrame({"a": [1]}))
    output("kept", 1)
    last = output("result", {"a": 2})
    assert not first.exists()
    assert {name: found.kind for name, found in read_outputs(job).items()} == {
        "result": "json",
        "kept": "json",
    }
    assert read_outputs(job)["result"].path == last


def test_a_failed_second_time_leaves_the_first(job: Path) -> None:
    output("result", 1)
    with pytest.raises(UsageError):
        output("result", object())
    assert read_outputs(job)["result"].handed_on() == 1


def test_threads_do_not_lose_each_others(job: Path) -> None:
    threads = [threading.Thread(target=output, args=(f"n{n}", n)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: out.handed_on() for name, out in read_outputs(job).items()} == {
        f"n{n}": n for n in range(12)
    }


def test_outside_of_a_job_it_says_where(
    blank_project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WORKBENCH_JOB_FOLDER", raising=False)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.chdir(blank_project.root)
    path = output("value", 1)
    assert path == blank_project.state / "outputs" / "session" / "value.json"
    assert str(path) in capsys.readouterr().out
    monkeypatch.setenv("JPY_SESSION_NAME", str(blank_project.root / "look.ipynb"))
    assert output("value", 1).parent.name == "look"


def test_the_outputs_of_a_job(blank_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert job_outputs(blank_project, "none") == {}
    folder = blank_project.state / "jobs" / "one"
    monkeypatch.setenv("WORKBENCH_JOB_FOLDER", str(folder))
    output("value", [1])
    moved = shutil.move(folder, folder.with_name("two"))
    assert job_outputs(blank_project, "two")["value"].handed_on() == [1], moved


def test_an_index_that_is_broken(job: Path) -> None:
    output("value", 1)
    (job / "outputs.json").write_text("{")
    with pytest.raises(StoreError, match=r"outputs\.json: can't be read"):
        read_outputs(job)
