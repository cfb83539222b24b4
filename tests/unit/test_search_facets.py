"""Facets: counts are what choosing would show, whatever is in the index and however it is split."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.features.search import Chosen, Document, Index

VALUES = st.sampled_from(["a", "ab", "A", "é <b>"])
FACETS = st.sets(st.tuples(st.sampled_from(["tag", "owner"]), VALUES), max_size=4)
GROUPS = st.lists(
    st.tuples(st.sampled_from(["temp", "wind", "tempest"]), FACETS), min_size=1, max_size=8
)
CHOSEN = st.dictionaries(
    st.sampled_from(["tag", "owner", "other"]), st.lists(VALUES, max_size=2), max_size=3
)


def documents(groups: list[tuple[str, set[tuple[str, str]]]]) -> list[Document]:
    return [
        Document(f"n{g}-{n}", f"g{g}", n, f"{word} {n}", (), (), (), tuple(facets))
        for g, (word, facets) in enumerate(groups)
        for n in range(3)
    ]


def indexed(folder: Path, found: list[Document]) -> Index:
    """Index all but the last group first, so that there are two parts where that is small."""
    index = Index(folder, "x")
    last = found[-1].group
    for stamps in (
        {d.group: "1" for d in found if d.group != last},
        {d.group: "2" if d.group == last else "1" for d in found},
    ):
        index.update(stamps, lambda groups: [d for d in found if d.group in groups])
    return index


def has(document: Document, chosen: Chosen, but: str = "") -> bool:
    return all(
        key == but or not values or any((key, value) in document.facets for value in values)
        for key, values in chosen.items()
    )


@settings(max_examples=100, deadline=None)
@given(GROUPS, CHOSEN, st.sampled_from(["", "temp", "wind 1", "tmep", "nowhere"]))
def test_counts_are_what_choosing_would_show(
    groups: list[tuple[str, set[tuple[str, str]]]], chosen: Chosen, text: str
) -> None:
    found = documents(groups)
    with TemporaryDirectory() as folder:
        index = indexed(Path(folder), found)
        hits = {hit.name for hit in index.find(text, 1000)}
        narrowed = {hit.name for hit in index.find(text, 1000, chosen)}
        counted = index.count(text, chosen)
    fitting = [d for d in found if d.name in hits]
    assert narrowed == {d.name for d in fitting if has(d, chosen)}
    assert counted.total == len(narrowed)
    for key, values in counted.facets.items():
        for each in values:
            others = [d for d in fitting if has(d, chosen, but=key)]
            assert each.count == sum((key, each.value) in d.facets for d in others)


def test_a_page_goes_on_where_the_one_before_ended(tmp_path: Path) -> None:
    index = indexed(tmp_path, documents([("temp", {("tag", "a")}), ("tempest", set())] * 4))
    every = [hit.name for hit in index.find("temp", 1000)]
    assert [hit.name for hit in index.find("temp", 7)] == every[:7]
    assert [hit.name for hit in index.find("temp", 7, {"tag": ["a"]})] == [
        name for name in every if int(name[1]) % 2 == 0
    ][:7]


def test_the_most_frequent_come_first_and_what_is_chosen_stays(tmp_path: Path) -> None:
    found = documents([("temp", {("tag", "a")}), ("temp", {("tag", "ab"), ("owner", "é <b>")})])
    counted = indexed(tmp_path, found).count("", {"owner": ["é <b>"], "tag": ["gone"]})
    assert counted.total == 0
    assert [(each.value, each.count) for each in counted.facets["tag"]] == [("ab", 3), ("gone", 0)]
    assert counted.values == {"owner": 0, "tag": 1}


def test_an_empty_index_counts_nothing(tmp_path: Path) -> None:
    assert Index(tmp_path, "x").count("temp").total == 0


@pytest.mark.parametrize("text", ["tempr", "tmep"])
def test_a_choice_does_not_change_how_a_word_is_read(tmp_path: Path, text: str) -> None:
    """Else a narrowed search would show what the wider one doesn't have."""
    found = documents([("temp", {("tag", "a")}), ("tempr", {("tag", "ab")})])
    index = indexed(tmp_path, found)
    wide = {hit.name for hit in index.find(text, 100)}
    assert {hit.name for hit in index.find(text, 100, {"tag": ["a"]})} <= wide
