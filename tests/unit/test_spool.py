"""The spool: lines that outlive their process, read by whoever may send them."""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.tracking.spool import Spool, encode, left_behind

HEAD = {"run_id": "r1", "create": None}
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ENTRIES = st.lists(
    st.one_of(
        st.tuples(
            st.just("metric"), _TEXT, st.floats(allow_nan=False), st.integers(), st.integers()
        ),
        st.tuples(st.sampled_from(["param", "tag"]), _TEXT, _TEXT),
        st.tuples(st.just("input"), st.dictionaries(_TEXT, _TEXT, max_size=3), _TEXT),
    ).map(list),
    max_size=40,
)


def _all(spool: Spool, limit: int = 7) -> list[Any]:
    entries: list[Any] = []
    while chunk := _next(spool, limit):
        entries += chunk
    return entries


def _next(spool: Spool, limit: int) -> list[Any]:
    chunk = spool.read(limit)
    assert not chunk.unreadable
    assert len(chunk.entries) <= limit
    spool.advance(chunk.end)
    return chunk.entries


@given(ENTRIES, st.integers(1, 50))
def test_what_goes_in_comes_out_in_order(entries: list[Any], limit: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool.create(Path(folder), HEAD)
        for entry in entries:
            spool.append(encode([entry]))
        assert spool.waiting() == len(entries)
        assert _all(spool, limit) == entries
        assert spool.waiting() == 0
        spool.remove()


@given(ENTRIES, st.integers(0, 3), st.data())
def test_a_file_cut_anywhere_gives_its_whole_lines_and_names_the_rest(
    entries: list[Any], already_sent: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool.create(Path(folder), HEAD)
        start = spool.size
        spool.append(encode(entries))
        chunk = spool.read(max(1, already_sent))
        spool.advance(chunk.end)
        cut = data.draw(st.integers(chunk.end, spool.size))
        spool.release()
        with spool.path.open("r+b") as file:
            content = file.read(cut)
            file.truncate(cut)
        [found] = left_behind(Path(folder))
        whole = content[start:].count(b"\n") - len(chunk.entries)
        assert _all(found) == entries[len(chunk.entries) :][:whole]
        assert found.torn() == content.rpartition(b"\n")[2].decode(errors="replace")
        found.release()


def test_numbers_that_json_has_no_word_for_come_back(tmp_path: Path) -> None:
    spool = Spool.create(tmp_path, HEAD)
    spool.append(
        encode([["metric", "a", value, 1, 0] for value in (math.nan, math.inf, -math.inf)])
    )
    nan, high, low = (entry[2] for entry in _all(spool))
    assert math.isnan(nan)
    assert (high, low) == (math.inf, -math.inf)
    spool.release()


def test_a_line_longer_than_a_block_is_read_whole(tmp_path: Path) -> None:
    spool = Spool.create(tmp_path, HEAD)
    entries = [["input", {"schema": "x" * (1 << 20)}, ""], ["tag", "a", "b"]]
    spool.append(encode(entries))
    assert _all(spool) == entries
    spool.release()


def test_garbage_between_lines_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    spool = Spool.create(tmp_path, HEAD)
    spool.append(
        encode([["tag", "a", "1"]]) + b"\x00\xff{\n" + b'"text"\n' + encode([["tag", "b", "2"]])
    )
    chunk = spool.read(10)
    assert chunk.entries == [["tag", "a", "1"], ["tag", "b", "2"]]
    assert len(chunk.unreadable) == 2
    spool.release()


def test_a_spool_is_left_alone_while_its_writer_lives(tmp_path: Path) -> None:
    spool = Spool.create(tmp_path, HEAD)
    spool.append(encode([["tag", "a", "b"]]))
    look = "import sys; from pathlib import Path; from workbench.tracking.spool import left_behind;"
    look += "print(len(list(left_behind(Path(sys.argv[1])))))"
    command = [sys.executable, "-c", look, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"0\n"
    spool.release()
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"1\n"


def test_of_one_run_or_of_all(tmp_path: Path) -> None:
    for run_id in ("one", "one2", "two"):
        Spool.create(tmp_path, {"run_id": run_id, "create": None}).release()
    for asked, expected in (("one", ["one"]), (None, ["one", "one2", "two"])):
        found = list(left_behind(tmp_path, asked))
        assert sorted(spool.head["run_id"] for spool in found) == expected
        for spool in found:
            spool.release()


def test_what_was_sent_is_remembered(tmp_path: Path) -> None:
    spool = Spool.create(tmp_path, HEAD)
    spool.append(encode([["tag", "a", "1"], ["tag", "b", "2"]]))
    spool.advance(spool.read(1).end)
    spool.release()
    [again] = left_behind(tmp_path)
    assert _all(again) == [["tag", "b", "2"]]
    again.remove()
    assert not list(left_behind(tmp_path))


def test_a_long_file_begins_anew_once_it_is_sent(tmp_path: Path) -> None:
    spool = Spool.create(tmp_path, HEAD)
    empty = spool.size
    spool.append(encode([["tag", "a", "x" * 8000]] * 600))
    spool.shrink()
    assert spool.size > empty  # not before
    _all(spool, 1000)
    spool.shrink()
    assert spool.size == empty
    spool.append(encode([["tag", "b", "y"]]))
    assert _all(spool) == [["tag", "b", "y"]]
    spool.release()


def test_a_write_that_fails_leaves_no_half_line(tmp_path: Path) -> None:
    program = """
import resource, signal, sys
from pathlib import Path
from workbench.tracking.spool import Spool, encode
spool = Spool.create(Path(sys.argv[1]), {"run_id": "r1", "create": None})
spool.append(encode([["tag", "a", "1"]]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (spool.size + 20, spool.size + 20))
try:
    spool.append(encode([["tag", "b", "x" * 100]]))
except OSError as error:
    print("refused")
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"refused\n"
    [spool] = left_behind(tmp_path)
    assert _all(spool) == [["tag", "a", "1"]]
    assert spool.torn() == ""
    spool.release()


@pytest.mark.parametrize("content", [b"", b"00000000000000000030\n", b"\x00" * 60])
def test_a_file_without_a_head_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r1-1-0.jsonl"
    path.write_bytes(content)
    assert not list(left_behind(tmp_path))
    assert path.read_bytes() == content
