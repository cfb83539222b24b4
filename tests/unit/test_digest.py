"""Digests of nested columns, of streams, and of what other versions of polars will write."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workbench.data import frame_digest
from workbench.data.digest import digest_parts, type_words

LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    pl.Int16: st.integers(-5, 5),
    pl.Float32: st.sampled_from([0.0, 1.5, float("nan")]),
    pl.String: st.text(max_size=2),
    pl.Binary: st.binary(max_size=2),
    pl.Boolean: st.booleans(),
    pl.Date: st.dates(date(2000, 1, 1), date(2030, 1, 1)),
    pl.Categorical(): st.sampled_from(["a", "b"]),
}


@st.composite
def nested(draw: st.DrawFn, depth: int = 2) -> tuple[Any, st.SearchStrategy[Any]]:
    """A type, nested or not, and its values, nulls included at each depth."""
    kind = draw(st.sampled_from(["leaf", "list", "array", "struct"] if depth else ["leaf"]))
    if kind == "leaf":
        dtype = draw(st.sampled_from(list(LEAVES)))
        return dtype, LEAVES[dtype] | st.none()
    inner, values = draw(nested(depth=depth - 1))
    if kind == "list":
        return pl.List(inner), st.lists(values, max_size=3) | st.none()
    if kind == "array":
        return pl.Array(inner, 2), st.lists(values, min_size=2, max_size=2) | st.none()
    return pl.Struct({"x": inner, "y": pl.Int8}), (
        st.fixed_dictionaries({"x": values, "y": st.integers(-1, 1) | st.none()}) | st.none()
    )


@st.composite
def nested_series(draw: st.DrawFn) -> tuple[pl.Series, st.SearchStrategy[Any]]:
    dtype, values = draw(nested())
    cells = draw(st.lists(values, min_size=1, max_size=5))
    return pl.Series("a", cells, dtype), values


@settings(max_examples=100, deadline=None)
@given(made=nested_series(), cut=st.integers(0, 5))
def test_nested_columns_are_the_same_however_they_lie_in_memory(
    made: tuple[pl.Series, Any], cut: int
) -> None:
    frame = made[0].to_frame()
    expected = frame_digest(frame)
    pieces = pl.concat([frame.head(cut), frame.slice(cut)], rechunk=False)
    assert frame_digest(pieces) == expected
    assert frame_digest(pl.concat([frame, frame]).slice(frame.height)) == expected
    assert frame_digest(frame.lazy()) == expected
    rebuilt = pl.DataFrame({"a": pl.Series(frame["a"].to_list(), dtype=frame.schema["a"])})
    assert frame_digest(rebuilt) == expected


@settings(max_examples=100, deadline=None)
@given(made=nested_series(), data=st.data())
def test_a_cell_changed_within_changes_the_digest(
    made: tuple[pl.Series, st.SearchStrategy[Any]], data: st.DataObject
) -> None:
    series, values = made
    row = data.draw(st.integers(0, len(series) - 1))
    cell = data.draw(values)
    changed = series.to_list()
    assume(repr(changed[row]) != repr(cell))
    changed[row] = cell
    other = pl.Series("a", changed, series.dtype)
    assume(repr(other.to_list()) != repr(series.to_list()))  # a word may be one that polars cuts
    assert frame_digest(other.to_frame()) != frame_digest(series.to_frame())


@pytest.mark.parametrize(
    ("one", "other", "dtype"),
    [
        ([[1], [2, 3]], [[1, 2], [3]], pl.List(pl.Int64)),
        ([[]], [None], pl.List(pl.Int64)),
        ([[None]], [[]], pl.List(pl.Int64)),
        ([["ab"], ["c"]], [["a"], ["bc"]], pl.List(pl.String)),
        ([{"x": None}], [None], pl.Struct({"x": pl.Int64})),
        ([[None, None]], [None], pl.Array(pl.Int64, 2)),
        ([[[1], []]], [[[], [1]]], pl.List(pl.List(pl.Int64))),
        ([b"", b"\0"], [b"\0", b""], pl.Binary),
    ],
)
def test_nested_cells_that_look_alike_are_told_apart(
    one: list[Any], other: list[Any], dtype: Any
) -> None:
    digests = {frame_digest(pl.DataFrame({"a": pl.Series(v, dtype=dtype)})) for v in (one, other)}
    assert len(digests) == 2


@pytest.mark.parametrize("name", ["*", "^.*$", "^x.*$", "a\0b", "\0", "count"])
def test_any_name_can_be_digested(name: str) -> None:
    plain = {"x": 1, name: "a"}
    other = {"x": 1, name: "b"}
    frames = [pl.DataFrame([row]) for row in (plain, other)]
    structs = [pl.DataFrame({"s": [row], name: [b"b"]}) for row in (plain, other)]
    money = pl.DataFrame({name: pl.Series([Decimal("1.5")])})
    assert len({frame_digest(frame) for frame in (*frames, *structs, money)}) == 5


def test_fields_have_names_and_arrays_a_width() -> None:
    x = pl.DataFrame({"a": [{"x": 1}]})
    y = pl.DataFrame({"a": [{"y": 1}]})
    assert frame_digest(x) != frame_digest(y)
    ones = pl.Series([1, 1, 1, 1])
    wide = ones.reshape((1, 4)).to_frame("a")
    deep = ones.reshape((1, 2, 2)).to_frame("a")
    as_list = wide.select(pl.col("a").arr.to_list())
    assert len({frame_digest(frame) for frame in (wide, deep, as_list)}) == 3


def long_frame(rows: int) -> pl.DataFrame:
    """More rows than a block has, of columns whose blocks differ."""
    number = pl.int_range(rows, eager=True)
    return pl.DataFrame(
        {
            "number": number,
            "gap": number.to_frame("n").select(pl.when(pl.col("n") % 7 != 3).then(pl.col("n") / 3))[
                "n"
            ],
            "word": (number % 1013).cast(pl.String),
            "colour": (number % 3).replace_strict(
                {0: "red", 1: "green", 2: None}, return_dtype=pl.Categorical
            ),
            "list": number.to_frame("n").select(pl.concat_list("n", pl.col("n") % 2))["n"],
            "price": (number % 100).cast(pl.Decimal(9, 2)),
        }
    )


@pytest.mark.parametrize("rows", [0, 1, 65_535, 65_536, 65_537, 140_000])
def test_a_stream_in_batches_has_the_digest_of_the_whole(rows: int, tmp_path: Path) -> None:
    frame = long_frame(rows)
    expected = frame_digest(frame)
    frame.write_parquet(tmp_path / "a.parquet", row_group_size=10_007)
    assert frame_digest(pl.scan_parquet(tmp_path / "a.parquet")) == expected
    for part, piece in enumerate(frame.iter_slices(33_333)):
        piece.write_parquet(tmp_path / f"part{part}.parquet")
    if rows:
        parts = [tmp_path / f"part{part}.parquet" for part in range(-(-rows // 33_333))]
        assert frame_digest(pl.scan_parquet(parts)) == expected


@pytest.mark.parametrize("row", [0, 65_535, 65_536, 139_999])
def test_a_cell_in_any_block_counts(row: int) -> None:
    frame = long_frame(140_000)
    before = digest_parts(frame)
    number = frame["number"].clone()
    number[row] = -1
    after = digest_parts(frame.with_columns(number))
    assert after.value != before.value
    differ = [name for name in frame.columns if after.columns[name] != before.columns[name]]
    assert differ == ["number"]


ALL_TYPES = {
    "i8": pl.Series([1, None, -3], dtype=pl.Int8),
    "u64": pl.Series([2**63, None, 0], dtype=pl.UInt64),
    "i128": pl.Series([2**100, None, -1], dtype=pl.Int128),
    "f32": pl.Series([1.5, None, float("nan")], dtype=pl.Float32),
    "f64": pl.Series([-0.0, None, float("-inf")], dtype=pl.Float64),
    "bool": pl.Series([True, None, False]),
    "text": pl.Series(["a", None, "é\0"]),
    "bytes": pl.Series([b"a", None, b""]),
    "date": pl.Series([date(2024, 2, 29), None, date(1, 1, 1)]),
    "time": pl.Series([time(1, 2, 3), None, time(0)]),
    "moment": pl.Series([datetime(2024, 1, 1, tzinfo=UTC), None, datetime(1969, 1, 1, tzinfo=UTC)]),
    "span": pl.Series([timedelta(1), None, timedelta(-1)]),
    "money": pl.Series([Decimal("1.50"), None, Decimal("-2.25")], dtype=pl.Decimal(12, 2)),
    "category": pl.Series(["b", None, "a"], dtype=pl.Categorical),
    "enum": pl.Series(["b", None, "a"], dtype=pl.Enum(["a", "b"])),
    "list": pl.Series([[1, None], None, []], dtype=pl.List(pl.Int64)),
    "array": pl.Series([[1, 2], None, [None, 3]], dtype=pl.Array(pl.Int64, 2)),
    "struct": pl.Series([{"x": 1}, None, {"x": None}], dtype=pl.Struct({"x": pl.Int64})),
    "nothing": pl.Series([None, None, None], dtype=pl.Null),
}


def test_the_definition_stays_what_it_is() -> None:
    """Records hold digests: another machine, or another polars, must find the same ones.

    polars 1.36, 2.0 and 2.1 gave these.
    """
    digests = digest_parts(pl.DataFrame(ALL_TYPES)).columns
    shown = {name: digest[:8] for name, digest in digests.items()}
    assert shown == {
        "i8": "a204d1e1",
        "u64": "c810e754",
        "i128": "f97fdf46",
        "f32": "ba14c008",
        "f64": "c92554e7",
        "bool": "8b74055f",
        "text": "93d8a3f8",
        "bytes": "caee68c4",
        "date": "030bdfa4",
        "time": "75e0fcfe",
        "moment": "ee9d29c4",
        "span": "9798591c",
        "money": "579dac32",
        "category": "15bf1af8",
        "enum": "c85dfff3",
        "list": "169d2b62",
        "array": "852a53fb",
        "struct": "39af0b01",
        "nothing": "3239e5d2",
    }
    assert frame_digest(pl.DataFrame(ALL_TYPES)) == (
        "642ef23509991b5d8a63ff40a49b6450cc77456d533efbf09a19c4345ea6265f"
    )


def test_an_extension_counts_by_its_name_and_what_it_is_stored_as() -> None:
    def frame(name: str, cells: list[Any], stored: Any) -> str:
        series = pl.Series("a", cells, stored).ext.to(pl.Extension(name, stored))
        return frame_digest(pl.DataFrame([series]))

    digests = [
        frame("orchard.metres", [100, None], pl.Int64),
        frame("orchard.feet", [100, None], pl.Int64),
        frame("orchard.metres", [101, None], pl.Int64),
        frame("orchard.metres", [100, None], pl.Int32),
        frame("orchard.words", ["a", None], pl.String),
        frame("orchard.words", ["b", None], pl.String),
    ]
    assert len(set(digests)) == len(digests)
    assert digests[0] == frame("orchard.metres", [100, None], pl.Int64)


def test_types_are_spelt_in_our_own_words() -> None:
    words = {name: type_words(series.dtype, name) for name, series in ALL_TYPES.items()}
    assert words["moment"] == ["Datetime", "us", "UTC"]
    assert words["money"] == ["Decimal", 12, 2]
    assert words["enum"] == ["Enum", ["a", "b"]]
    assert words["array"] == ["Array", "Int64", 2]
    assert words["struct"] == ["Struct", [["x", "Int64"]]]
    assert words["i8"] == "Int8"


def test_a_digest_by_hand() -> None:
    """The definition of the docstring, written out once more for two columns."""
    import hashlib
    import json

    def piece(content: bytes) -> bytes:
        return len(content).to_bytes(8, "little") + content

    def column(*buffers: bytes) -> str:
        block = hashlib.sha256(b"".join(map(piece, buffers))).digest()
        return hashlib.sha256(block).hexdigest()

    numbers = column(b"\x40", (7).to_bytes(8, "little") + (9).to_bytes(8, "little"))
    lengths = b"".join(n.to_bytes(4, "little") for n in (2, 0, 1))
    words = column(b"", lengths, b"abc")
    text = json.dumps(["workbench-frame-1", 3, [["n", "Int64", numbers], ["w", "String", words]]])
    frame = pl.DataFrame({"n": [7, None, 9], "w": ["ab", "", "c"]})
    assert frame_digest(frame) == hashlib.sha256(text.encode()).hexdigest()
