"""A view joined a range of entities at a time: one after the other, or on a Dask cluster.

Neither the rows that are stored nor the machines that join them change an answer: each range has
all rows of its entities, and its answers are put where they were asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from workbench.errors import FeatureError, MissingExtraError
from workbench.features.definitions import FeatureView, duration
from workbench.features.join import UTC, Asked, asof_features, window_features
from workbench.features.join.asked import MOMENT
from workbench.features.offline import Partition, Stored, partitions
from workbench.features.offline.build import merged
from workbench.features.offline.files import reading

__all__ = ["join_view"]

_SHARE = 0.5
"""What of the memory the rows of a range get; questions and answers are there as well."""

_COPIES, _WINDOW_COPIES = 3, 12
"""How often a row is in memory while it is joined: as it is, or as an event of windows."""

_CLUSTER_ROWS = 2_000_000
"""About how many rows a task on a cluster gets, so that there are tasks for all workers."""

_SECONDS = 10
"""How long a scheduler may take to answer."""


def join_view(
    asked: Asked,
    stored: Stored,
    names: Sequence[str],
    height: int,
    *,
    memory_mb: int,
    cluster: str | None = None,
) -> pl.DataFrame:
    """Find the features `names` of a view for a spine of `height` rows, in its order.

    Parameters
    ----------
    memory_mb
        The most that the rows of a range may take, with what is made of them.
    cluster
        The address of a Dask scheduler whose workers see the project's folder; None: here.

    Raises
    ------
    FeatureError
        If a stored file is damaged, or no scheduler answers.
    """
    most = _CLUSTER_ROWS if cluster else _most_rows(stored.view, names, memory_mb)
    tasks = list(_tasks(asked, stored, names, most))
    answers = _on_cluster(tasks, cluster) if cluster else [task.run() for task in tasks]
    with reading(tasks[0].partition.paths):
        nobody = tasks[0].of_nobody()
    return asked.answered(pl.concat(answers), nobody, height)


@dataclass(frozen=True)
class _Task:
    """The questions about a range of entities, with all that is needed to answer them."""

    asked: Asked
    view: FeatureView
    names: Sequence[str]
    partition: Partition

    def run(self) -> pl.DataFrame:
        """Answer them."""
        with reading(self.partition.paths):
            if self.view.aggregates:
                return self._over_windows(self.asked.frame().lazy(), self.partition.runs())
            return self._asof()

    def of_nobody(self) -> pl.DataFrame:
        """Answer a question about a null entity: null, or what a window without events has."""
        nobody = self.asked.entities.clear(1).with_columns(pl.lit(None, UTC).alias(MOMENT))
        runs = [run.head(0) for run in self.partition.runs()]
        if self.view.aggregates:
            return self._over_windows(nobody.lazy(), runs)
        nothing = self._found(self.asked.between(0, 0), pl.collect_all(runs))
        return nothing.clear(1)

    def _asof(self) -> pl.DataFrame:
        view = self.view
        wanted = [*view.entity, "__event", "__available", *(["__created"] if view.created else [])]
        columns = list(dict.fromkeys([*wanted, *self.names]))
        runs = pl.collect_all([run.select(columns) for run in self.partition.runs()])
        return self._found(self.asked, runs)

    def _found(self, asked: Asked, runs: list[pl.DataFrame]) -> pl.DataFrame:
        ttl = duration(self.view.ttl) if self.view.ttl else None
        return asof_features(asked, runs, self.names, ttl, self.view.name)

    def _over_windows(self, spine: pl.LazyFrame, runs: list[pl.LazyFrame]) -> pl.DataFrame:
        found = window_features(spine, merged(runs, self.view), self.view, self.names, MOMENT)
        return found.select(f"{self.view.name}__{name}" for name in self.names).collect()


def _tasks(asked: Asked, stored: Stored, names: Sequence[str], most: float) -> Iterator[_Task]:
    # The view's function stays here: it is the project's, and nothing runs it any more.
    view = replace(stored.view, build=_built_elsewhere)
    ranges = [(part, *part.place(asked.entities)) for part in partitions(stored, most)]
    asking = [found for found in ranges if found[1] < found[2]]
    for part, first, last in asking or ranges[:1]:
        yield _Task(asked.between(first, last), view, tuple(names), part)


def _built_elsewhere() -> None:
    raise AssertionError("a view is built where its project is")


def _most_rows(view: FeatureView, names: Sequence[str], memory_mb: int) -> float:
    if view.aggregates:
        columns, copies = len(view.entity) + 2 + len(view.inputs), _WINDOW_COPIES
    else:
        columns, copies = len(view.entity) + 3 + len(names), _COPIES
    return memory_mb * 2**20 * _SHARE / (8 * columns * copies)


def _on_cluster(tasks: Sequence[_Task], address: str) -> list[pl.DataFrame]:
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError.of("distributed", "dask") from error
    try:
        client = Client(address, set_as_default=False, timeout=_SECONDS)
    except OSError as error:
        raise FeatureError(f"cluster {address}: no Dask scheduler answers") from error
    with client:
        return list(_in_order(tasks, client))


def _in_order(tasks: Sequence[_Task], client: Any) -> Iterator[pl.DataFrame]:
    """Give the answers in order; a few tasks are under way at once, and their questions with them.

    Workers are told the questions only then, so that they needn't have room for all of them.
    """
    room = 2 * max(1, sum(client.nthreads().values()))
    waiting: deque[Any] = deque()
    for task in tasks:
        if len(waiting) >= room:
            yield waiting.popleft().result()
        waiting.append(client.submit(_Task.run, task, pure=False))
    while waiting:
        yield waiting.popleft().result()
