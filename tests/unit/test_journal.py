"""The journal: what was written is read, whatever cut it short, and replayed it is the notebook."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from workbench.jobs.engine.journal import Journal, progress, read, replay, states
from workbench.jobs.engine.redact import Redactor
from workbench.jobs.engine.transcript import Transcript, blank

_CELLS = 4
_text = st.text(max_size=300)
_cell = st.integers(0, _CELLS - 1)
_event = st.one_of(
    st.fixed_dictionaries({"event": st.just("start"), "cell": _cell, "at": st.just(1.0)}),
    st.builds(
        lambda cell, name, text: {
            "event": "output",
            "cell": cell,
            "output": {"output_type": "stream", "name": name, "text": text},
        },
        _cell,
        st.sampled_from(["stdout", "stderr"]),
        _text,
    ),
    st.builds(
        lambda cell, text, shown: {
            "event": "output",
            "cell": cell,
            "output": {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}},
            "display_id": shown,
        },
        _cell,
        _text,
        st.sampled_from("ab"),
    ),
    st.fixed_dictionaries({"event": st.just("clear"), "cell": _cell}),
    st.builds(
        lambda shown, text: {
            "event": "update",
            "display_id": shown,
            "data": {"text/plain": text},
            "metadata": {},
        },
        st.sampled_from("ab"),
        _text,
    ),
    st.fixed_dictionaries(
        {
            "event": st.just("end"),
            "cell": _cell,
            "at": st.just(2.0),
            "status": st.sampled_from(["completed", "failed", "running"]),
            "execution_count": st.integers(1, 9),
        }
    ),
)
_BEGIN = {"event": "begin", "at": 0.0, "cells": _CELLS, "kernel": "python3"}


def _notebook() -> Any:
    notebook = new_notebook(cells=[new_code_cell(str(i), id=str(i)) for i in range(_CELLS)])
    notebook.metadata["papermill"] = {}
    return nbformat.from_dict(notebook)


@settings(deadline=None)
@given(st.lists(_event, max_size=30), st.data())
def test_a_journal_cut_anywhere_is_what_was_whole(events: list[Any], data: Any) -> None:
    written = [_BEGIN, *events]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        nbformat.write(_notebook(), folder / "input.ipynb")
        journal = Journal(folder / "journal.jsonl")
        for event in written:
            journal.write(event)
        journal.close()
        content = (folder / "journal.jsonl").read_bytes()
        cut = content[: data.draw(st.integers(0, len(content)))]
        (folder / "journal.jsonl").write_bytes(cut)
        whole = written[: cut.count(b"\n")]
        assert list(read(folder)) == whole
        assert states(folder) == _states(whole)
        assert progress(folder) == _progress(whole)
        notebook = _notebook()
        for cell in notebook.cells:
            cell.metadata.tags = []
        blank(notebook)
        transcript = Transcript(notebook)
        for event in whole:
            transcript.apply(event)
        transcript.settle()
        assert replay(folder).cells == notebook.cells


def _states(events: list[Any]) -> list[str]:
    found = ["pending"] * _CELLS
    for event in events:
        if event["event"] in ("start", "end"):
            found[event["cell"]] = event.get("status", "running")
    return found


def _progress(events: list[Any]) -> tuple[int, int]:
    at = [event for event in events if "cell" in event]
    if not events or not at:
        return 0, _CELLS if events else 0
    last = at[-1]
    return last["cell"] + (last.get("status") == "completed"), _CELLS


def test_an_enormous_line_is_read_back_as_a_whole(tmp_path: Path) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": "x" * 1_000_000}
    journal = Journal(tmp_path / "journal.jsonl")
    for event in (_BEGIN, {"event": "output", "cell": 2, "output": output}):
        journal.write(event)
    journal.close()
    assert progress(tmp_path) == (2, _CELLS)


@given(
    st.text(alphabet='ab"\\\n<é', min_size=4, max_size=12),
    st.text(alphabet='ab"\\\n<é '),
    st.data(),
)
def test_a_secret_in_a_stream_is_found_however_it_is_cut(secret: str, text: str, data: Any) -> None:
    redactor = Redactor({"s": secret})
    whole = text + secret + text
    assert secret not in redactor.text(whole)
    assert json.dumps(secret)[1:-1] not in redactor.text(json.dumps(whole))
    shown, held = "", ""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        out, held = redactor.split(held + whole[start:end])
        shown += out
    assert secret not in shown + redactor.text(held)


def test_a_short_secret_is_only_hidden_where_it_is_everything() -> None:
    redactor = Redactor({"pin": "42"})
    assert redactor.text(" '42'\n") == "***"
    assert redactor.text("1423") == "1423"
