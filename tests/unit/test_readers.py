"""What a notebook reads with polars or pandas is heard; what libraries read is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from workbench.data import Dataset, ReaderTap, frame_digest, list_datasets, observing, read
from workbench.project import Project

FRAME = pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})


@pytest.fixture
def heard(blank_project: Project) -> Iterator[list[Dataset]]:
    """What is read while the tap is on polars and pandas."""
    tap, found = ReaderTap(blank_project), []
    tap.attach(pl)
    tap.attach(pd)
    tap.attach(pl)  # twice is once
    with observing(found.append):
        yield found
    tap.detach()


def test_reading_with_polars_is_a_dataset(blank_project: Project, heard: list[Dataset]) -> None:
    path = blank_project.root / "rows.parquet"
    FRAME.write_parquet(path)
    assert pl.read_parquet(path).equals(FRAME)
    [dataset] = heard
    assert (dataset.name, dataset.address, dataset.rows) == ("rows", "rows.parquet", 3)
    assert dataset.columns == {"a": "Int64", "b": "String"}
    assert dataset.digest == frame_digest(FRAME)
    assert [known.digest for known in list_datasets(blank_project)] == [dataset.digest]


def test_pandas_and_polars_agree_on_the_same_data(
    blank_project: Project, heard: list[Dataset]
) -> None:
    path = blank_project.root / "rows.csv"
    FRAME.write_csv(path)
    pl.read_csv(path)
    pd.read_csv(path)
    assert [dataset.name for dataset in heard] == ["rows", "rows"]
    assert heard[0].digest == heard[1].digest


def test_a_library_that_reads_is_not_the_user(
    blank_project: Project, heard: list[Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FRAME.write_csv(tmp_path / "inner.csv")
    library = Path(pd.__file__).parents[1] / "some_library.py"
    code = compile(
        "def load(path):\n    import polars\n    return polars.read_csv(path)", str(library), "exec"
    )
    names: dict[str, object] = {}
    exec(code, names)
    load = names["load"]
    assert callable(load)
    assert load(tmp_path / "inner.csv").height == 3
    assert heard == []


def test_a_named_source_is_heard_once(blank_project: Project, heard: list[Dataset]) -> None:
    settings = blank_project.root / "workbench.toml"
    settings.write_text(settings.read_text() + '\n[sources.rows]\naddress = "rows.csv"\n')
    FRAME.write_csv(blank_project.root / "rows.csv")
    read("rows", Project.find(blank_project.root))
    assert [dataset.name for dataset in heard] == ["rows"]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (
            "https://ada:secret@example.org/a/rows.csv?token=secret",
            "https://example.org/a/rows.csv",
        ),
        ("s3://bucket/rows.parquet", "s3://bucket/rows.parquet"),
    ],
)
def test_no_secret_stays_in_an_address(blank_project: Project, address: str, shown: str) -> None:
    from workbench.data.readers import _name_and_address

    assert _name_and_address(blank_project, "read_csv", address) == ("rows", shown)


def test_what_cannot_be_recorded_is_still_the_users(
    blank_project: Project, heard: list[Dataset], caplog: pytest.LogCaptureFixture
) -> None:
    path = blank_project.root / "nested.json"
    path.write_text('[{"a": 1}, {"a": "x"}]')
    assert pd.read_json(path).shape == (2, 1)
    assert heard == []
    assert "not in the run's record" in caplog.text


def test_keywords_name_what_was_read_and_never_the_connection(
    blank_project: Project, heard: list[Dataset]
) -> None:
    path = blank_project.root / "rows.csv"
    FRAME.write_csv(path)
    pd.read_csv(sep=",", filepath_or_buffer=path)
    database = blank_project.root / "rows.db"
    FRAME.write_database("rows", f"sqlite:///{database}")
    pd.read_sql(con=f"sqlite:///file:{database}?uri=true&mode=ro", sql="select * from rows")
    assert [(found.name, found.address) for found in heard] == [
        ("rows", "rows.csv"),
        ("query", "select * from rows"),
    ]


def test_detached_readers_are_the_libraries_own(blank_project: Project) -> None:
    before = pl.read_csv, pd.read_csv
    tap = ReaderTap(blank_project)
    tap.attach(pl)
    tap.attach(sys.modules["pandas"])
    assert pl.read_csv is not before[0]
    tap.detach()
    assert (pl.read_csv, pd.read_csv) == before
