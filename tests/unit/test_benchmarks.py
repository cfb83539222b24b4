"""A figure says how many times better we are, and a section is rewritten without its neighbours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.figures import Figure, machine, rewrite, table
from tests.benchmarks.peers import peer_python
from tests.benchmarks.processes import measured
from workbench.errors import DataError, JobError

ROOT = Path(__file__).parents[2]
positive = st.floats(1e-6, 1e9)


@given(positive, positive)
def test_better_is_above_one_whichever_direction_is_better(ours: float, peer: float) -> None:
    seconds = Figure("s", "c", ours, "s", peer)
    rows_a_second = Figure("s", "c", ours, "rows/s", peer, higher_is_better=True)
    assert seconds.ratio == pytest.approx(peer / ours)
    assert rows_a_second.ratio == pytest.approx(ours / peer)
    assert (seconds.ratio > 1) == (ours < peer)


def test_without_a_peer_or_a_measure_there_is_no_ratio() -> None:
    assert Figure("s", "c", 1.0, "s").ratio is None
    assert Figure("s", "c", 0.0, "s", 1.0).ratio is None


def test_a_figure_is_one_line_of_json() -> None:
    line = Figure("drift", "wide", 0.716234, "s", 16.0).json()
    assert "\n" not in line
    assert json.loads(line) == {
        "section": "drift",
        "case": "wide",
        "ours": 0.7162,
        "peer": 16.0,
        "unit": "s",
        "ratio": 22.34,
    }


def test_the_table_shows_a_dash_where_there_is_no_peer() -> None:
    shown = table(
        [
            Figure("demo", "total", 123.456, "s"),
            Figure("d", "rows", 2e6, "rows/s", 1e6, higher_is_better=True),
        ]
    )
    assert "| total | 123.5 | – | s | – |" in shown
    assert "| rows | 2,000,000 | 1,000,000 | rows/s | 2 |" in shown


DOCUMENT = """# Benchmarks

By hand.

## demo

<!-- bench:demo -->
old
<!-- /bench:demo -->

Also by hand.
"""


def test_a_section_is_replaced_between_its_markers() -> None:
    new = rewrite(DOCUMENT, "demo", "new\n")
    assert new == DOCUMENT.replace("old", "new")


def test_a_new_section_goes_to_the_end_and_can_be_rewritten() -> None:
    new = rewrite(DOCUMENT, "joins", "first")
    assert new.startswith(DOCUMENT)
    assert new.endswith("## joins\n\n<!-- bench:joins -->\nfirst\n<!-- /bench:joins -->\n")
    assert rewrite(new, "joins", "second") == new.replace("first", "second")


@pytest.mark.parametrize(
    "broken",
    [
        "<!-- bench:demo -->\nno end",
        "<!-- /bench:demo -->\nno start",
        "<!-- /bench:demo -->\n<!-- bench:demo -->",
        DOCUMENT + DOCUMENT,
    ],
)
def test_a_document_with_broken_markers_is_left_alone(broken: str) -> None:
    with pytest.raises(DataError, match="section demo"):
        rewrite(broken, "demo", "new")


def test_the_machine_is_described_but_not_named() -> None:
    import socket

    assert " cores, " in machine()
    assert socket.gethostname() not in machine()


def test_memory_of_all_descendants_is_counted() -> None:
    block = "import time; data = bytearray(100 * 2**20); time.sleep(1.5)"
    code = (
        "import subprocess, sys\n"
        f"children = [subprocess.Popen([sys.executable, '-c', {block!r}]) for _ in range(2)]\n"
        "[child.wait() for child in children]"
    )
    usage = measured([sys.executable, "-c", code])
    assert 200 < usage.peak_mib < 400
    assert usage.seconds > 1.5


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(JobError, match=r"exit code 3: it broke"):
        measured([sys.executable, "-c", "print('it broke'); raise SystemExit(3)"])


def test_an_unknown_section_says_which_there_are() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "dmeo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "did you mean demo?" in done.stderr
    assert done.stdout == ""


def test_a_peer_has_an_environment_of_its_own_made_once(tmp_path: Path) -> None:
    python = peer_python("nothing", [], cache=tmp_path)
    made = python.lstat().st_mtime_ns
    code = "import sys, importlib.util; print(sys.prefix, importlib.util.find_spec('workbench'))"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(python.parents[1]), "None"]
    assert peer_python("nothing", [], cache=tmp_path) == python
    assert python.lstat().st_mtime_ns == made
