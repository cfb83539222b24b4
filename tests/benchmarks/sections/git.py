"""Git's own time: to commit a notebook of 150 cells with 2 MB of outputs, cleaned, from the call to
the commit's hash, and to read the status when that notebook has been executed again, both the
median of several in a repository of 300 files. No peer.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from tests.benchmarks.figures import Figure
from workbench.git.repository import Repository

_TIMES = 15
_CELLS = 150
_FILES = 300


def figures() -> Iterator[Figure]:
    """Commit and look, again and again."""
    with tempfile.TemporaryDirectory() as folder:
        repository = Repository.init(Path(folder) / "project")
        for number in range(_FILES):
            (repository.root / f"module_{number}.py").write_text(f"x = {number}\n" * 50)
        repository.commit(["."], "Begin")
        yield Figure("git", "commit_150_cells", _median(_commits(repository)), "ms")
        yield Figure("git", "status_150_cells", _median(_looks(repository)), "ms")


def _median(steps: Iterator[Callable[[], object]]) -> float:
    """Take the steps, each made ready before its time is taken; in milliseconds."""
    seconds = []
    for step in steps:
        began = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds) * 1000


def _commits(repository: Repository) -> Iterator[Callable[[], object]]:
    for number in range(_TIMES):
        _write(repository, number)
        yield lambda: repository.commit(["notebook.ipynb"], "Go on")


def _looks(repository: Repository) -> Iterator[Callable[[], object]]:
    for number in range(_TIMES):
        _write(repository, _TIMES - 1, seed=number)
        yield repository.status


def _write(repository: Repository, version: int, seed: int = 0) -> None:
    """Write a notebook as an analysis has it: every third cell a picture, the others text."""
    random = Random(seed)
    cells = [_cell(place, version, random) for place in range(_CELLS)]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (repository.root / "notebook.ipynb").write_text(json.dumps(notebook, indent=1) + "\n")


def _cell(place: int, version: int, random: Random) -> dict[str, object]:
    changed = version if place % 10 == 0 else 0
    source = [
        f"frame_{place} = load({changed})\n",
        *(f"step_{n}(frame_{place})\n" for n in range(9)),
    ]
    if place % 3:
        lines = [f"{random.random()} {random.random()}\n" for _ in range(40)]
        output = {"output_type": "stream", "name": "stdout", "text": lines}
    else:
        picture = b64encode(random.randbytes(25_000)).decode()
        data = {"image/png": picture, "text/plain": ["<Figure>"]}
        output = {"output_type": "display_data", "data": data, "metadata": {}}
    return {
        "cell_type": "code",
        "execution_count": place,
        "id": f"cell-{place}",
        "metadata": {"execution": {"iopub.status.busy": str(random.random())}},
        "outputs": [output],
        "source": source,
    }
