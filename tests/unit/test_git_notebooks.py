"""Cleaning, comparing and merging notebooks."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import NotebookError, NotFoundError, UsageError
from workbench.git.notebook_merge import NotebookMerge, Own, merge3
from workbench.git.notebooks import clean, clean_bytes, diff, parse, to_bytes

Notebook = dict[str, Any]


def cell(
    source: str, cell_id: str | None = None, kind: str = "code", **more: Any
) -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source, **more}
    if kind == "code":
        output = {"output_type": "stream", "name": "stdout", "text": f"ran {source}"}
        made = {"outputs": [output], "execution_count": 7, **made}
    return made if cell_id is None else {**made, "id": cell_id}


def notebook(*cells: dict[str, Any], minor: int = 5, **metadata: Any) -> Any:
    made = {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": minor}
    return parse(json.dumps(made).encode())


def simple(**sources: str) -> Any:
    return notebook(*(cell(source, cell_id) for cell_id, source in sources.items()))


def sources(merge: NotebookMerge) -> list[str]:
    return [one["source"] for one in merge.notebook["cells"]]


# Cleaning


def test_what_a_run_left_goes_and_what_somebody_wrote_stays() -> None:
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python", "version": "3.11.2"},
        "widgets": {"state": {}},
        "papermill": {"duration": 1},
        "title": "Mine",
    }
    of_cell = {
        "tags": ["parameters"],
        "slideshow": {"slide_type": "slide"},
        "execution": {"iopub.status.busy": "now"},
        "collapsed": True,
        "scrolled": True,
        "ExecuteTime": {},
        "papermill": {"status": "completed"},
    }
    before = notebook(
        cell("x = 1", "a", metadata=of_cell), cell("# Title", "b", "markdown"), **metadata
    )
    kept = copy.deepcopy(before)
    cleaned = clean(before)
    assert before == kept
    assert cleaned["cells"][0] == {
        "cell_type": "code",
        "id": "a",
        "source": "x = 1",
        "metadata": {"tags": ["parameters"], "slideshow": {"slide_type": "slide"}},
        "outputs": [],
        "execution_count": None,
    }
    assert cleaned["cells"][1] == before["cells"][1]
    assert cleaned["metadata"] == {
        "kernelspec": metadata["kernelspec"],
        "language_info": {"name": "python"},
        "title": "Mine",
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no JSON",
        b"{}",
        b"[]",
        b"null",
        b'{"nbformat": 3, "worksheets": []}',
        b'{"nbformat": 4, "cells": [1], "metadata": {}}',
        b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}], "metadata": {}}',
        b'{"nbformat": 4, "cells": {}, "metadata": {}}',
        b'{"nbformat": 4, "cells": [], "metadata": []}',
        b"\xff\xfe",
        b'\xef\xbb\xbf{"nbformat": 4}',
        b"[" * 100_000,
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
        b'{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"raw",'
        b'"metadata":{},"source":"\\ud800"}]}',
    ],
)
def test_what_is_no_notebook_is_left_as_it_is(content: bytes) -> None:
    assert clean_bytes(content) == content


def test_an_old_notebook_is_not_converted() -> None:
    before = notebook(cell("x"), minor=4)
    cleaned = json.loads(clean_bytes(to_bytes(before)))
    assert cleaned["nbformat_minor"] == 4
    assert "id" not in cleaned["cells"][0]


def test_a_notebook_of_another_format_is_refused_with_the_reason() -> None:
    with pytest.raises(NotebookError, match="not a notebook of format 4"):
        parse(b"{}")


words = st.text(st.sampled_from("ab \n=#é\r\t'\"\\"), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
keys = st.sampled_from(["tags", "collapsed", "execution", "x", "y"])


@st.composite
def any_cell(draw: st.DrawFn, ids: st.SearchStrategy[str | None]) -> dict[str, Any]:
    kind = draw(st.sampled_from(["code", "markdown", "raw"]))
    metadata = draw(st.dictionaries(keys, values, max_size=2))
    return cell(draw(words), draw(ids), kind, metadata=metadata)


def some_cells(ids: st.SearchStrategy[str | None]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(any_cell(ids), max_size=5)


some_ids = st.sampled_from(["a", "b", "c", "d", "e", "f"])
some_notebooks = st.builds(
    lambda cells, metadata: notebook(*cells, **metadata),
    some_cells(some_ids | st.none()),
    st.dictionaries(st.sampled_from(["kernelspec", "widgets", "x"]), values, max_size=2),
)


@settings(max_examples=60, deadline=None)
@given(some_notebooks)
def test_cleaning_twice_is_cleaning_once(before: Notebook) -> None:
    once = clean_bytes(to_bytes(before))
    assert clean_bytes(once) == once
    assert [one["source"] for one in parse(once)["cells"]] == [
        one["source"] for one in before["cells"]
    ]


# Comparing


def test_a_difference_is_told_by_cells() -> None:
    before = simple(a="x = 1\ny = 2", b="gone", c="same", d="moves")
    after = simple(d="moves", a="x = 1\ny = 3", c="same", n="new")
    after["cells"][2]["metadata"]["tags"] = ["parameters"]
    found = {change.cell_id: change for change in diff(before, after).cells}
    assert {name: change.kind for name, change in found.items()} == {
        "a": "changed",
        "b": "removed",
        "c": "changed",
        "d": "moved",
        "n": "added",
    }
    assert found["a"].diff == "@@ -1,2 +1,2 @@\n x = 1\n-y = 2\n+y = 3"
    assert (found["a"].base_index, found["a"].other_index) == (0, 1)
    assert (found["c"].diff, found["c"].changed) == ("", ("metadata",))
    assert (found["b"].base_index, found["b"].other_index) == (1, None)
    assert (found["n"].base_index, found["n"].other_index) == (None, 3)
    assert found["n"].diff == "@@ -0,0 +1 @@\n+new"


def test_a_notebook_that_only_ran_does_not_differ() -> None:
    before = simple(a="x = 1")
    after = clean(before)
    after["metadata"]["widgets"] = {"state": {}}
    assert not diff(before, after)
    after["metadata"]["kernelspec"] = {"name": "r"}
    assert diff(before, after).metadata == ("kernelspec",)


@settings(max_examples=60, deadline=None)
@given(some_notebooks, some_notebooks)
def test_a_difference_accounts_for_every_cell(before: Any, after: Any) -> None:
    changes = diff(before, after).cells
    gone = {change.base_index for change in changes} - {None}
    come = {change.other_index for change in changes} - {None}
    assert len([c for c in changes if c.base_index is not None]) == len(gone)
    assert len([c for c in changes if c.other_index is not None]) == len(come)
    old, new = clean(before)["cells"], clean(after)["cells"]
    rest_old = [(c["cell_type"], c["source"]) for n, c in enumerate(old) if n not in gone]
    rest_new = [(c["cell_type"], c["source"]) for n, c in enumerate(new) if n not in come]
    assert rest_old == rest_new
    assert not diff(before, before)


# Merging


def test_changes_of_different_cells_and_lines_go_together() -> None:
    base = simple(a="1", b="x\ny\nz", c="3", d="4")
    ours = simple(a="one", b="X\ny\nz", c="3", new="ours", d="4")
    theirs = simple(a="1", b="x\ny\nZ", c="3", other="theirs")
    merge = merge3(base, ours, theirs)
    assert merge.conflicts == ()
    assert sources(merge) == ["one", "X\ny\nZ", "3", "ours", "theirs"]


def test_outputs_come_with_the_source_that_gave_them() -> None:
    base = simple(a="1", b="2", c="x\ny\nz", d="same")
    ours = simple(a="ours", b="2", c="X\ny\nz", d="same")
    theirs = simple(a="1", b="theirs", c="x\ny\nZ", d="same")
    theirs["cells"][3]["outputs"][0]["text"] = "another time"
    theirs["cells"][3]["execution_count"] = 99
    theirs["cells"][3]["metadata"]["collapsed"] = True
    merge = merge3(base, ours, theirs)
    assert merge.conflicts == ()
    outputs = [[o["text"] for o in one["outputs"]] for one in merge.notebook["cells"]]
    assert outputs == [["ran ours"], ["ran theirs"], [], ["ran same"]]
    assert [one["execution_count"] for one in merge.notebook["cells"]] == [7, 7, None, 7]


def test_both_changed_one_line_and_it_is_to_be_chosen() -> None:
    base, ours, theirs = simple(a="x = 1"), simple(a="x = 2"), simple(a="x = 3")
    merge = merge3(base, ours, theirs)
    (conflict,) = merge.conflicts
    assert (conflict.id, conflict.cell_id, conflict.kind) == ("a", "a", "source")
    assert (conflict.base, conflict.ours, conflict.theirs) == ("x = 1", "x = 2", "x = 3")
    chosen = {
        "ours": "x = 2",
        "theirs": "x = 3",
        "base": "x = 1",
        "both": "x = 2\nx = 3",
        Own(text="x = 4"): "x = 4",
    }
    for choice, text in chosen.items():
        answered = merge3(base, ours, theirs, {"a": choice})  # type: ignore[dict-item]
        assert (sources(answered), answered.conflicts) == ([text], ())


def test_a_cell_that_one_deleted_and_the_other_changed_is_to_be_chosen() -> None:
    base, changed, gone = simple(a="1", b="x"), simple(a="1", b="y"), simple(a="1")
    for ours, theirs in ((changed, gone), (gone, changed)):
        (conflict,) = merge3(base, ours, theirs).conflicts
        assert conflict.kind == "deleted"
        mine = "ours" if ours is changed else "theirs"
        other = "theirs" if mine == "ours" else "ours"
        for choice, left in ((mine, ["1", "y"]), (other, ["1"]), ("base", ["1", "x"])):
            assert sources(merge3(base, ours, theirs, {"b": choice})) == left  # type: ignore[dict-item]
        assert sources(merge3(base, ours, theirs, {"b": Own(text="z")})) == ["1", "z"]


def test_a_cell_that_only_ran_can_be_deleted() -> None:
    base, ran, gone = simple(a="1", b="x"), simple(a="1", b="x"), simple(a="1")
    ran["cells"][1]["outputs"] = []
    assert sources(merge3(base, ran, gone)) == ["1"]
    assert sources(merge3(base, gone, ran)) == ["1"]


def test_cells_that_both_added_at_one_place_are_both_there() -> None:
    base = simple(a="1", z="9")
    ours, theirs = simple(a="1", m="ours", n="too", z="9"), simple(a="1", o="theirs", z="9")
    assert sources(merge3(base, ours, theirs)) == ["1", "ours", "too", "theirs", "9"]
    same = simple(a="1", p="ours", z="9")
    assert sources(merge3(base, ours, same)) == ["1", "ours", "too", "9"]


def test_a_cell_that_both_added_under_one_id_is_one_cell() -> None:
    base, ours, theirs = simple(a="1"), simple(a="1", n="ours"), simple(a="1", n="theirs")
    (conflict,) = merge3(base, ours, theirs).conflicts
    assert (conflict.kind, conflict.base) == ("added", None)
    assert sources(merge3(base, ours, theirs, {"n": "both"})) == ["1", "ours\ntheirs"]


def test_cells_that_one_side_moved_are_moved() -> None:
    base = simple(a="1", b="2", c="3")
    moved = simple(c="3", a="1", b="2", n="new")
    edited = simple(a="1", b="two", c="3", m="mine")
    assert sources(merge3(base, moved, edited)) == ["3", "mine", "1", "two", "new"]
    assert sources(merge3(base, edited, moved)) == ["3", "mine", "1", "two", "new"]


def test_cells_that_both_moved_otherwise_are_to_be_chosen() -> None:
    base = simple(a="1", b="2", c="3")
    ours, theirs = simple(c="3", a="1", b="2"), simple(b="2", a="1", c="3")
    (conflict,) = merge3(base, ours, theirs).conflicts
    assert (conflict.kind, conflict.ours, conflict.theirs) == ("order", "3\n1\n2", "2\n1\n3")
    assert sources(merge3(base, ours, theirs, {"order": "theirs"})) == ["2", "1", "3"]
    assert sources(merge3(base, ours, theirs, {"order": "ours"})) == ["3", "1", "2"]
    with pytest.raises(UsageError, match="order: 'both' can't be chosen here: ours, theirs"):
        merge3(base, ours, theirs, {"order": "both"})


def test_metadata_is_merged_by_keys_and_tags_one_by_one() -> None:
    def tagged(**metadata: Any) -> Any:
        return notebook(cell("x", "a", metadata=metadata), title=metadata.get("title", "t"))

    base = tagged(tags=["x", "y"], deep={"one": 1, "two": 2})
    ours = tagged(tags=["x", "y", "ours"], deep={"one": 1, "two": 3}, title="ours")
    theirs = tagged(tags=["y", "theirs"], deep={"one": 9, "two": 2})
    merge = merge3(base, ours, theirs)
    assert merge.conflicts == ()
    assert merge.notebook["cells"][0]["metadata"] == {
        "tags": ["y", "ours", "theirs"],
        "deep": {"one": 9, "two": 3},
        "title": "ours",
    }
    assert merge.notebook["metadata"]["title"] == "ours"


def test_metadata_that_both_changed_is_to_be_chosen() -> None:
    base, ours, theirs = (notebook(cell("x", "a"), owner=name) for name in ("b", "o", "t"))
    (conflict,) = merge3(base, ours, theirs).conflicts
    assert (conflict.id, conflict.kind, conflict.ours) == ("metadata", "metadata", '{"owner": "o"}')
    merged = merge3(base, ours, theirs, {"metadata": "theirs"})
    assert merged.notebook["metadata"] == {"owner": "t"}
    with pytest.raises(UsageError, match="can't be chosen here: ours, theirs, base"):
        merge3(base, ours, theirs, {"metadata": Own(text="{}")})


def test_the_machine_that_a_notebook_ran_on_is_no_conflict() -> None:
    def of(name: str, version: str) -> Any:
        kernel = {"name": "python3", "display_name": name}
        info = {"name": "python", "version": version}
        return notebook(cell("x", "a"), kernelspec=kernel, language_info=info)

    merge = merge3(of("b", "3.11"), of("o", "3.12"), of("t", "3.13"))
    assert merge.conflicts == ()
    assert merge.notebook["metadata"]["kernelspec"]["display_name"] == "o"


def test_a_choice_for_no_conflict_is_refused_with_what_there_is() -> None:
    base, ours, theirs = simple(cell1="1"), simple(cell1="2"), simple(cell1="3")
    with pytest.raises(NotFoundError, match="unknown conflict 'cell2': did you mean cell1"):
        merge3(base, ours, theirs, {"cell2": "ours"})


def test_cells_without_ids_are_matched_by_what_they_say() -> None:
    def old(*texts: str) -> Any:
        return notebook(*(cell(text) for text in texts), minor=4)

    base = old("import polars as pl", "frame = pl.read_csv('x')", "frame.describe()")
    ours = old("import polars as pl", "frame = pl.read_csv('y')", "frame.describe()")
    theirs = old("# Title", "import polars as pl", "frame = pl.read_csv('x')", "frame.head()")
    merge = merge3(base, ours, theirs)
    assert merge.conflicts == ()
    assert sources(merge) == ["# Title", *(c["source"] for c in ours["cells"][:2]), "frame.head()"]
    assert all("id" not in one for one in merge.notebook["cells"])
    (conflict,) = merge3(base, ours, old("x", "frame = pl.read_csv('z')", "y")).conflicts[:1]
    assert conflict.id == "cell:2"


def test_cells_that_got_new_ids_on_both_sides_are_still_the_same() -> None:
    base = notebook(cell("x = 1\ny = 2"), cell("z"), minor=4)
    ours = simple(o1="x = 1\ny = 2", o2="z", o3="new")
    theirs = simple(t1="x = 1\ny = 2", t2="zz = 3")
    merge = merge3(base, ours, theirs)
    assert sources(merge)[0] == "x = 1\ny = 2"
    assert len({one["id"] for one in merge.notebook["cells"]}) == len(merge.notebook["cells"])


def test_without_a_base_what_is_the_same_stays() -> None:
    ours, theirs = simple(a="1", b="2"), simple(a="1", b="3", c="4")
    merge = merge3(None, ours, theirs)
    assert [conflict.id for conflict in merge.conflicts] == ["b"]
    assert sources(merge) == ["1", "2", "4"]


def identities(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each cell an id of its own."""
    return [{**one, "id": f"{n}-{one['cell_type']}"} for n, one in enumerate(cells)]


with_ids = some_cells(st.just("x")).map(lambda cells: notebook(*identities(cells)))


@settings(max_examples=60, deadline=None)
@given(with_ids, with_ids)
def test_what_one_side_did_is_the_merge(base: Any, changed: Any) -> None:
    expected = [(c["id"], c["source"], c["cell_type"]) for c in changed["cells"]]
    for merge in (merge3(base, changed, base), merge3(base, base, changed)):
        assert merge.conflicts == ()
        assert [(c["id"], c["source"], c["cell_type"]) for c in merge.notebook["cells"]] == expected
    assert clean(merge3(base, changed, changed).notebook) == clean(changed)


@settings(max_examples=80, deadline=None)
@given(some_notebooks, some_notebooks, some_notebooks)
def test_every_merge_can_be_answered_and_is_a_notebook(base: Any, ours: Any, theirs: Any) -> None:
    before = copy.deepcopy((base, ours, theirs))
    first = merge3(base, ours, theirs)
    pick: Callable[[str], Any]
    for pick in (lambda _: "ours", lambda _: "theirs"):
        choices = {conflict.id: pick(conflict.id) for conflict in first.conflicts}
        answered = merge3(base, ours, theirs, choices)
        assert answered.conflicts == ()
        assert parse(to_bytes(answered.notebook)) == answered.notebook
        ids = [one["id"] for one in answered.notebook["cells"]]
        assert len(ids) == len(set(ids))
    assert (base, ours, theirs) == before
