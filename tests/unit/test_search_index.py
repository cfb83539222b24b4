"""The index of words: what is in it is found, typed in part or mistyped, whatever befalls it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from workbench.errors import StoreError
from workbench.features.search import Document, Index, words
from workbench.features.search.arrays import read_arrays, write_arrays

TEXTS = st.text(max_size=60)
DOCUMENTS = st.lists(st.tuples(TEXTS, TEXTS, TEXTS, st.integers(0, 3)), min_size=1, max_size=8).map(
    lambda drawn: [
        Document(f"name{n}", f"group{n % 3}", uses, title, (labels,), (text,))
        for n, (title, labels, text, uses) in enumerate(drawn)
    ]
)


def indexed(folder: Path, documents: Iterable[Document], name: str = "x") -> Index:
    """Make an index of all the documents."""
    index, found = Index(folder, name), list(documents)
    stamps = {document.group: str(hash(tuple(found))) for document in found}
    index.update(stamps, lambda groups: [d for d in found if d.group in groups])
    return index


def names(index: Index, text: str, limit: int = 20) -> list[str]:
    return [hit.name for hit in index.find(text, limit)]


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return indexed(
        tmp_path,
        [
            Document("temp", "weather", 1, "weather:temp", ("ada", "air"), ("how warm it is",)),
            Document("temp_max", "weather", 1, "weather:temp_max", ("ada",), ("warmest",)),
            Document("wind", "weather", 1, "weather:wind", ("ada",), ("temperature of wind",)),
            Document("age", "planes", 7, "planes:age", ("temp",), ("years since 1950",)),
            Document("Größe", "planes", 0, "planes:Größe", (), ("wingSpan, in mètres",)),
        ],
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("temp", ["temp", "temp_max", "age", "wind"]),  # in the name, the labels, the text
        ("weather temp", ["temp", "temp_max", "wind"]),  # nothing but these words first
        ("TEMP_M", ["temp_max"]),
        ("gros", ["Größe"]),
        ("grösse metres", ["Größe"]),
        ("span", ["Größe"]),
        ("wingspan", ["Größe"]),
        ("1950", ["age"]),
        ("", ["age", "temp", "wind", "temp_max", "Größe"]),
        (" \n", ["age", "temp", "wind", "temp_max", "Größe"]),
        ("?", []),
        ("nowhere", []),
        ("temp nowhere", []),
    ],
)
def test_hits_in_the_name_come_first_and_then_the_most_used(
    index: Index, text: str, found: list[str]
) -> None:
    assert names(index, text) == found
    assert names(index, text, 2) == found[:2]


@pytest.mark.parametrize(
    "typed", ["wether", "waether", "weatther", "weatherr", "wwather", "eather", "weaxher", "wethe"]
)
def test_a_word_with_one_letter_wrong_is_taken_for_the_nearest(index: Index, typed: str) -> None:
    assert names(index, f"{typed} wind") == ["wind"]


def test_a_word_is_corrected_only_where_it_has_to_be(index: Index) -> None:
    assert names(index, "plans") == ["age", "Größe"]
    assert names(index, "wnd") == []  # too short to be sure
    assert names(index, "waethre") == []  # two mistakes
    assert names(index, "1951") == []  # a number is another number
    assert names(index, "warm") == ["temp", "temp_max"]  # and not `ward` or `farm`


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, st.data())
def test_every_word_is_found_by_any_of_its_beginnings(
    documents: list[Document], data: st.DataObject
) -> None:
    said = [
        (document, word)
        for document in documents
        for text in (document.title, *document.labels, *document.text)
        for word in words(text)
        if len(word) >= 2
    ]
    assume(said)
    document, word = data.draw(st.sampled_from(said))
    typed = word[: data.draw(st.integers(2, len(word)))]
    with TemporaryDirectory() as folder:
        assert document.name in names(indexed(Path(folder), documents), typed)


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, st.text(max_size=200), st.integers(1, 30))
@example([Document("n", "g", 0, "title", (), ())], "é" * 10_000, 20)
@example([Document("n", "g", 0, "title", (), ())], "a b c " * 2_000, 20)
@example([Document("n", "g", 0, "title", (), ())], 'tag:" OR NEAR( * \0 \ud800 😀 "x', 20)
@example([Document("n", "g", 0, "title", (), ())], "tag:", 1)
def test_no_text_is_an_error(documents: list[Document], text: str, limit: int) -> None:
    with TemporaryDirectory() as folder:
        index = indexed(Path(folder), documents)
        found = names(index, text, limit)
        assert len(found) == len(set(found)) <= limit
        assert set(found) <= {document.name for document in documents}
        assert Index(Path(folder), "none").find(text, limit) == []


LETTERS = st.text("abcdé1", min_size=4, max_size=9)


@settings(max_examples=100, deadline=None)
@given(st.lists(LETTERS, min_size=1, max_size=6), st.data())
def test_one_edit_anywhere_still_finds_the_word(titles: list[str], data: st.DataObject) -> None:
    word = words(data.draw(st.sampled_from(titles)))[0]
    place = data.draw(st.integers(0, len(word) - 1))
    head, rest = word[:place], word[place:]
    letter = data.draw(st.sampled_from("abcdex"))
    edits = [head + rest[1:], head + letter + rest, head + letter + rest[1:]]
    typed = data.draw(st.sampled_from([*edits, head + rest[1:2] + rest[:1] + rest[2:]]))
    assume(len(typed) >= 4 and typed.count("1") == word.count("1"))
    documents = [Document(f"n{n}", "g", 0, title, (), ()) for n, title in enumerate(titles)]
    with TemporaryDirectory() as folder:
        index = indexed(Path(folder), documents)
        wanted = {d.name for d in documents if word in words(d.title)}
        begun = {d.name for d in documents if any(w.startswith(typed) for w in words(d.title))}
        assert set(names(index, typed)) >= (begun or wanted)


def test_a_large_index_says_what_a_plain_search_does(tmp_path: Path) -> None:
    """Large enough for its longest lists to be bitmaps."""
    drawn = np.random.default_rng(0)
    vocabulary = np.array([f"{a}{b}{c}" for a in "bcdf" for b in "aeiou" for c in "lmnr"])
    documents = [
        Document(f"n{n}", f"g{n // 10}", int(drawn.integers(4)), title, (label,), (text,))
        for n, (title, label, text) in enumerate(drawn.choice(vocabulary, (6_000, 3)).tolist())
    ]
    index = indexed(tmp_path, documents)
    ordered = sorted(documents, key=lambda d: (-d.uses, d.group, 1, d.name))
    for text in ("b", "ba", "bal", "bal c", "ba ce", "fur fur", "d e"):
        asked = text.split()
        fields = [(d.title, *d.labels, *d.text) for d in ordered]
        found = [
            d.name
            for d, said in zip(ordered, fields, strict=True)
            if all(any(word.startswith(a) for word in said) for a in asked)
        ]
        assert sorted(names(index, text, 10_000)) == sorted(found)
        titled = [d.name for d in ordered if all(d.title.startswith(a) for a in asked)]
        exact = [d.name for d in ordered if all(d.title == a for a in asked)]
        first = list(dict.fromkeys([*exact, *titled]))
        assert names(index, text, 10_000)[: len(first)] == first


def documents_of(stamps: dict[str, str], count: int = 5) -> Iterator[Document]:
    for group, stamp in stamps.items():
        for n in range(count):
            yield Document(f"{group}:{n}@{stamp}", group, 0, f"{group} state{stamp}", (), ())


def update(index: Index, stamps: dict[str, str], asked: list[str] | None = None) -> None:
    def documents(groups: Collection[str]) -> Iterator[Document]:
        if asked is not None:
            asked.extend(groups)
        return documents_of({group: stamps[group] for group in groups})

    index.update(stamps, documents)


def test_what_changed_is_indexed_and_nothing_else(tmp_path: Path) -> None:
    index = Index(tmp_path, "x")
    stamps = {f"group{n}": "1" for n in range(20)}
    update(index, stamps)
    asked: list[str] = []
    update(index, stamps, asked)
    assert asked == []
    update(index, stamps | {"group3": "2", "new": "1"}, asked)
    assert sorted(asked) == ["group3", "new"]
    assert len(names(index, "group3 state2")) == 5
    assert names(index, "group3 state1") == []
    assert len(names(index, "new")) == 5
    del stamps["group4"]
    update(index, stamps)
    assert names(index, "group4") == []
    assert len(names(index, "group3 state1")) == 5
    assert names(Index(tmp_path, "x"), "", 200) == names(index, "", 200)
    update(index, dict.fromkeys(stamps, "3"), asked := [])
    assert sorted(asked) == sorted(stamps)
    assert len(list(tmp_path.glob("*.part"))) == 1  # what it was before is gone


@pytest.mark.parametrize("damage", ["manifest", "part", "end", "gone", "empty", "other"])
def test_a_damaged_index_is_made_again(tmp_path: Path, damage: str) -> None:
    stamps = {"one": "1"}
    update(Index(tmp_path, "x"), stamps)
    [part] = tmp_path.glob("*.part")
    if damage == "manifest":
        (tmp_path / "x.json").write_text('{"format": 1, "parts": [{')
    elif damage == "other":
        (tmp_path / "x.json").write_text('{"format": 99, "parts": []}')
    elif damage == "gone":
        part.unlink()
    else:
        body = bytearray(part.read_bytes())
        body[len(body) // 2] ^= 0xFF
        part.write_bytes({"part": bytes(body), "end": body[:-9], "empty": b""}[damage])
    index = Index(tmp_path, "x")
    assert not index.ready
    assert index.find("one", 20) == []
    update(index, stamps)
    assert len(names(index, "one")) == 5


def test_arrays_come_back_as_they_were_written(tmp_path: Path) -> None:
    arrays = {
        "none": np.zeros((0, 3), np.uint32),
        "odd": np.arange(7, dtype=np.uint8),
        "wide": np.arange(12, dtype=np.int64).reshape(3, 4)[:, ::2],
    }
    write_arrays(tmp_path / "a", arrays)
    read = read_arrays(tmp_path / "a")
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)
    with pytest.raises(StoreError, match="can't be read"):
        read_arrays(tmp_path / "b")


KEEP_UPDATING = """
import sys
from pathlib import Path
from workbench.features.search import Document, Index

folder, states = Path(sys.argv[1]), int(sys.argv[2])
for state in map(str, range(1, states)):
    Index(folder, "x").update(
        {f"group{n}": state for n in range(30)},
        lambda groups: [
            Document(f"{group}:{n}@{state}", group, 0, f"{group} state{state}", (), ())
            for group in groups
            for n in range(5)
        ],
    )
    print(state, flush=True)
"""


def updating(folder: Path, states: int) -> subprocess.Popen[str]:
    """Start a process that updates an index again and again, each time all groups at once."""
    command = [sys.executable, "-c", KEEP_UPDATING, str(folder), str(states)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def states_of(index: Index) -> set[str]:
    """Say in which states the groups are, all of which have to be there."""
    hits = index.find("", 1_000)
    assert len(hits) == 150
    return {hit.name.rpartition("@")[2] for hit in hits}


def test_a_kill_in_an_update_leaves_the_old_index_or_the_new_one(tmp_path: Path) -> None:
    drawn = np.random.default_rng(1)
    for _ in range(6):
        with updating(tmp_path, 10_000) as writer:
            assert writer.stdout is not None
            said = writer.stdout.readline()
            time.sleep(float(drawn.uniform(0, 0.1)))
            writer.kill()
            said += writer.stdout.read()
        index = Index(tmp_path, "x")
        [state] = states_of(index)
        assert int(state) - int(said.split()[-1]) in {0, 1}
    update(index, {"last": "1"})
    assert len(names(index, "last")) == 5
    assert len(list(tmp_path.iterdir())) == 3  # manifest, lock and one part: nothing is left over


def test_two_writers_and_readers_at_once(tmp_path: Path) -> None:
    update(Index(tmp_path, "x"), {f"group{n}": "0" for n in range(30)})
    index, seen = Index(tmp_path, "x"), set()
    with updating(tmp_path, 30) as one, updating(tmp_path, 30) as other:
        while one.poll() is None or other.poll() is None:
            [state] = states_of(index)
            seen.add(state)
        for writer in (one, other):
            writer.communicate(timeout=30)
    assert (one.returncode, other.returncode) == (0, 0)
    assert states_of(index) == {"29"}
    assert seen >= {"0"}
