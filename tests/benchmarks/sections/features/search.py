"""Searching features as one types: `wb.features.search` in a warm process, from the text to the 20
entries with their usage and statistics, at the 95th percentile of 2,000 searches. The catalogue has
1,000,000 or 100,000 features in views of 50, in words drawn by Zipf's law from 20,000 that are made
of syllables (so that they have more near neighbours than English has); the features of one view in
twenty were used by runs and models. A search is for one to three words of a feature's name and
description: cut off anywhere, as if being typed, or whole with one letter of one word left out,
added, replaced or swapped. `found` is the share, of the features that are among the first 10 hits
without the mistake, that are among them with it. `index_1m` is the time to index all from nothing,
`update_1m` to bring the index up to date after one view has changed.
"""

from __future__ import annotations

import itertools
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.benchmarks.figures import Figure
from workbench.project import Project
from workbench.settings import Settings

__all__ = ["figures", "fill"]

VIEW = 50
SEARCHES = 2_000
_CONSONANTS, _VOWELS, _LETTERS = "bcdfghklmnprstvwz", "aeiou", "abcdefghijklmnopqrstuvwxyz"


class _Wanted(NamedTuple):
    name: str
    words: list[str]


def figures() -> Iterator[Figure]:
    """Fill a catalogue of each size, then search it."""
    for size, count in (("1m", 1_000_000), ("100k", 100_000)):
        with tempfile.TemporaryDirectory() as folder:
            yield from _of_size(Project(Path(folder), Settings(name="bench")), size, count)


def _of_size(project: Project, size: str, count: int) -> Iterator[Figure]:
    from workbench.features.search import refresh

    drawn = random.Random(0)
    wanted = fill(project, count, drawn)
    began = time.perf_counter()
    refresh(project)
    indexing = time.perf_counter() - began
    began = time.perf_counter()
    _touch(project)
    refresh(project)
    updating = time.perf_counter() - began
    typed = [_typed(drawn.choice(wanted), drawn) for _ in range(SEARCHES)]
    yield Figure("features", f"search_{size}_prefix", _p95(project, typed), "ms")
    pairs = [_mistyped(drawn.choice(wanted), drawn) for _ in range(SEARCHES)]
    mistyped = [text for _, _, text in pairs]
    yield Figure("features", f"search_{size}_typo", _p95(project, mistyped), "ms")
    if size == "1m":
        yield Figure("features", "search_1m_typo_found", 100 * _found(project, pairs), "%")
        yield Figure("features", "index_1m", indexing, "s")
        yield Figure("features", "update_1m", updating, "s")


def _p95(project: Project, texts: Sequence[str]) -> float:
    from workbench.features import search

    for text in texts[:100]:
        search(project, text)
    return float(np.percentile([_milliseconds(search, project, text) for text in texts], 95))


def _milliseconds(call: Callable[..., object], *arguments: object) -> float:
    began = time.perf_counter()
    call(*arguments)
    return (time.perf_counter() - began) * 1e3


def _found(project: Project, pairs: Sequence[tuple[str, str, str]]) -> float:
    from workbench.features.search import find

    def is_found(name: str, text: str) -> bool:
        return name in [hit.name for hit in find(project, text, 10)]

    possible = [(name, typo) for name, clean, typo in pairs if is_found(name, clean)]
    return sum(is_found(name, typo) for name, typo in possible) / len(possible)


def _typed(wanted: _Wanted, drawn: random.Random) -> str:
    text = " ".join(drawn.sample(wanted.words, drawn.randint(1, 3)))
    return text[: drawn.randint(1, len(text))]


def _mistyped(wanted: _Wanted, drawn: random.Random) -> tuple[str, str, str]:
    words = drawn.sample(wanted.words, drawn.randint(1, 3))
    wrong, place = list(words), drawn.randrange(len(words))
    wrong[place] = _one_edit(wrong[place], drawn)
    return wanted.name, " ".join(words), " ".join(wrong)


def _one_edit(word: str, drawn: random.Random) -> str:
    place, letter = drawn.randrange(len(word) - 1), drawn.choice(_LETTERS)
    head, rest = word[:place], word[place:]
    edits = (
        head + rest[1:],
        head + letter + rest,
        head + letter + rest[1:],
        head + rest[1] + rest[0] + rest[2:],
    )
    return drawn.choice(edits)


def fill(project: Project, count: int, drawn: random.Random) -> list[_Wanted]:
    """Register the views and return some features with the words to search them by."""
    from workbench.store import EdgeRow, FeatureViewRow, database, now

    say = _speaker(drawn)
    wanted = []
    for start in range(0, count // VIEW, 500):
        views, edges = [], []
        for number in range(start, min(start + 500, count // VIEW)):
            name = f"{'_'.join(say(2))}_{number}"
            definition = _definition(name, say, drawn)
            views.append(
                {
                    "name": name,
                    "digest": f"{number:064x}",
                    "definition": definition,
                    "applied_at": now(),
                }
            )
            if number % 20 == 0:
                edges += _use(name, number, definition["features"])
            feature, text = drawn.choice(list(definition["features"].items()))
            words = [word for word in (*feature.split("_"), *text.split()) if len(word) >= 4]
            wanted.append(_Wanted(f"{name}:{feature}", words))
        with database(project).session() as session:
            session.execute(FeatureViewRow.__table__.insert(), views)
            session.execute(EdgeRow.__table__.insert(), edges)
    return wanted


def _speaker(drawn: random.Random) -> Callable[[int], list[str]]:
    """Return a function that says so many words."""

    def syllable() -> str:
        tail = drawn.choice(_CONSONANTS) if drawn.random() < 0.4 else ""
        return drawn.choice(_CONSONANTS) + drawn.choice(_VOWELS) + tail

    made = ("".join(syllable() for _ in range(drawn.choice((2, 3, 3, 4)))) for _ in range(20_000))
    vocabulary = np.array(list(dict.fromkeys(made)))
    shares = np.cumsum(1 / np.arange(1, len(vocabulary) + 1))
    random_ = np.random.default_rng(0)

    def say(count: int) -> list[str]:
        places = np.searchsorted(shares / shares[-1], random_.random(count))
        return vocabulary[places].tolist()  # type: ignore[no-any-return]

    return say


def _definition(name: str, say: Callable[[int], list[str]], drawn: random.Random) -> dict[str, Any]:
    words = say(11 * VIEW)
    features = {
        f"{words[n]}_{words[n + 1]}_{drawn.choice((1, 7, 30))}d": " ".join(words[n + 2 : n + 9])
        for n in range(0, len(words), 11)
    }
    return {
        "kind": "view",
        "description": " ".join(say(8)),
        "entity": say(1),
        "features": features,
        "types": dict.fromkeys(features, "Float64"),
        "sources": say(1),
        "owner": f"team-{drawn.randrange(200)}",
        "tags": [f"tag{drawn.randrange(100)}"],
        "availability": "batch",
        "ttl": None,
        "code": f"def {name}(rows):\n    return rows",
    }


def _use(view: str, number: int, features: Iterable[str]) -> list[dict[str, Any]]:
    from workbench.store import now

    frame = f"dataset:f{number}@1"
    chain = [frame, f"run:{number}", f"model:m{number % 50}/1"]
    pairs = [(f"feature:{view}:{name}@1", frame) for name in features]
    pairs += itertools.pairwise(chain)
    return [
        {"source": source, "target": target, "relation": "made", "at": now()}
        for source, target in pairs
    ]


def _touch(project: Project) -> None:
    """Change one view, as `features apply` does."""
    from workbench.store import FeatureViewRow, database

    with database(project).session() as session:
        row = session.query(FeatureViewRow).first()
        assert row is not None
        row.digest = "f" * 64
