"""A store of runs that has every odd thing a reader can meet, and random questions about it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

__all__ = ["EXPERIMENTS", "conditions", "fill_store", "filters", "orders"]

EXPERIMENTS = ("project", "other")

_VALUES = [0.5, 0.5, 0.7, math.nan, 0.0, -1.5, math.inf, -math.inf, 1e-9, 3.0]
_TEXTS = ["xgboost", "LightGBM", "lightgbm", "10", "9", "%", "a_b", "weiß", "x" * 450]
_STATUSES = ["FINISHED", "FAILED", "KILLED"]
_START = 1_700_000_000_000


def fill_store(client: Any, runs: int = 36) -> None:
    """Log runs through MLflow's client: ties in time, gaps, NaN, infinity, deleted runs, data."""
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

    ids = [client.create_experiment(name) for name in EXPERIMENTS]
    for i in range(runs):
        run = client.create_run(
            ids[i % 4 == 3],
            start_time=_START + 1000 * (i // 3),
            run_name=f"run {i % 7}",
            tags={"mlflow.user": f"user{i % 3}"},
        )
        run_id = run.info.run_id
        metrics = [Metric("a", _VALUES[i % 10], _START, 0)] if i % 5 else []
        metrics += [Metric("b c", float(i % 4), _START, 0)] if i % 3 else []
        params = [Param("p", _TEXTS[i % 9])] if i % 4 else []
        params += [Param("q.r", str(i % 6))] if i % 2 else []
        tags = [RunTag("library", _TEXTS[(i + 3) % 9])] if i % 6 else []
        client.log_batch(run_id, metrics=metrics, params=params, tags=tags)
        if i % 3 == 1:
            inputs = [
                DatasetInput(
                    Dataset(f"data{n}", f"digest{i % 2}", "local", "{}"),
                    [InputTag("mlflow.data.context", ["training", "test"][(i + n) % 2])],
                )
                for n in range(1 + i % 2)
            ]
            client.log_inputs(run_id, inputs)
        if i % 8:
            client.set_terminated(run_id, _STATUSES[i % 3], _START + 5000 + 100 * (i % 5))
        if i % 9 == 4:
            client.delete_run(run_id)


def _spaced(parts: Sequence[str]) -> st.SearchStrategy[str]:
    return st.sampled_from([" ", "  "]).map(lambda blank: blank.join(parts))


def _condition(
    fields: Sequence[str], comparators: Sequence[str], values: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(fields), st.sampled_from(comparators), values).flatmap(_spaced)


_NUMBERS = st.sampled_from(["0.5", "0", "-1.5", "3", "1e-9", "0.7", "-2", "1E5", "2.0e-1"])
_TIMES = st.integers(-1, 13).map(lambda i: str(_START + 1000 * i))
_QUOTED = st.sampled_from(
    ["'xgboost'", '"lightgbm"', "'%gbm'", "'a_b'", "'%'", "'10'", "'5'", "'weiß'", "'LIGHT%'", "''"]
) | st.just(f"'{'x' * 450}'")
_NAMES = st.sampled_from(["'run 1'", "'run 5'", "'RUN%'", "'%3'", '"run 2"'])
_TEXTUAL = ["=", "!=", "LIKE", "like", "ILIKE"]
_NUMERICAL = ["=", "!=", ">", ">=", "<", "<="]
_METRICS = ["metrics.a", "metric.a", "metrics.`b c`", 'metrics."b c"', "metrics.none"]
_KEYED = ["params.p", "param.`q.r`", "parameters.q.r", "tags.library", "tag.none"]

conditions = st.one_of(
    _condition(_METRICS, _NUMERICAL, _NUMBERS),
    _condition(_KEYED, _TEXTUAL, _QUOTED),
    st.tuples(st.sampled_from(_KEYED), st.sampled_from(["IS NULL", "is not null"])).map(" ".join),
    _condition(["start_time", "attributes.end_time", "created", "run.Created"], _NUMERICAL, _TIMES),
    _condition(
        ["status", "attribute.status", "attr.status"],
        _TEXTUAL,
        st.sampled_from(["'FINISHED'", "'running'", "'F%'"]),
    ),
    _condition(["run_name", "attributes.`Run name`", "`run name`"], _TEXTUAL, _NAMES),
    _condition(["user_id", "attributes.user_id"], _TEXTUAL, st.sampled_from(["'user1'", "'U%'"])),
    _condition(["artifact_uri", "run_id"], _TEXTUAL, st.sampled_from(["'%a%'", "'x'"])),
    _condition(
        ["dataset.name", "datasets.name"], _TEXTUAL, st.sampled_from(["'data0'", "'DATA%'"])
    ),
    _condition(["dataset.digest"], _TEXTUAL, st.sampled_from(["'digest0'", "'d%'"])),
    _condition(["datasets.context"], _TEXTUAL, st.sampled_from(["'training'", "'t%'"])),
    _condition(
        ["dataset.name", "dataset.context"],
        ["IN", "not in"],
        st.sampled_from(["('data0', 'test')", "('data1','training')", "('x')"]),
    ),
    _condition(["run_id"], ["IN", "NOT IN"], st.sampled_from(["('x')", "('x', 'y')"])),
)
"""Conditions of every kind that MLflow accepts."""

filters = st.lists(conditions, max_size=3).map(" AND ".join)

_DIRECTION = st.sampled_from(["", " asc", " desc", "  DESC"])
_FIELDS = [
    *_METRICS,
    *_KEYED,
    *("start_time", "attributes.end_time", "status", "run_name", "user_id", "run_id", "created"),
]
orders = st.lists(
    st.tuples(st.sampled_from(_FIELDS), _DIRECTION).map("".join), min_size=1, max_size=3
)
