"""Evaluating odd input: labels that look alike, slices that read alike, keys of other types."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from workbench.errors import DataError, UsageError
from workbench.evaluation import EvaluationReport, evaluate

N = 1_000
RANDOM = np.random.default_rng(3)
FRAME = pl.DataFrame(
    {
        "id": pl.int_range(N, eager=True),
        "x": RANDOM.normal(size=N),
        "at": [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(N)],
    }
).with_columns(late=pl.col("x") + pl.Series(RANDOM.normal(size=N)) > 0)


def score(frame: pl.DataFrame) -> Any:
    return 1 / (1 + np.exp(-frame["x"].to_numpy()))


def judged(frame: Any = FRAME, **options: Any) -> EvaluationReport:
    options = {"columns": ["x"], "resamples": 30, "checks": [], **options}
    return evaluate(score, frame, options.pop("label", "late"), **options)


def test_classes_are_told_apart_however_long_their_numbers_are() -> None:
    class Model:
        columns = ("x",)
        classes = (10_000_001, 10_000_002)

        def score(self, frame: pl.DataFrame) -> Any:
            return (frame["x"] > 0).cast(pl.Float64).to_numpy()

    code = pl.when(pl.col("x") > 0).then(10_000_002).otherwise(10_000_001)
    found = evaluate(Model(), FRAME.with_columns(code=code), "code", resamples=5, checks=[])
    assert found.metric("accuracy").value == 1.0


def test_labels_of_two_kinds_are_told() -> None:
    words = FRAME.with_columns(late=pl.col("late").cast(pl.String))
    with pytest.raises(DataError, match="of another kind in frame than in train"):
        judged(words, train=FRAME)


def test_slices_that_read_alike_are_kept_apart() -> None:
    frame = FRAME.with_columns(near=pl.when(pl.col("x") > 1).then(0.123411).otherwise(0.123412))
    found = judged(frame, slices=["near"], checks=["WB012"])
    assert len({one.name for one in found.slices}) == len(found.slices) == 2
    rows = int((FRAME["x"] > 1).sum())
    assert found.slice("near = 0.1234").rows == N - rows
    assert found.slice("near = 0.1234 (2)").rows == rows


def test_pandas_and_lazy_frames_are_frames() -> None:
    plain = judged(train=FRAME)
    for form in (FRAME.lazy(), FRAME.drop("at").to_pandas()):
        assert judged(form, train=form).metrics == plain.metrics
    with pytest.raises(UsageError, match="frame: a list; expected a polars or pandas frame"):
        judged([1, 2])


@pytest.mark.parametrize("kind", [pl.Int32, pl.String])
def test_a_key_of_another_type_is_the_same_key(kind: Any) -> None:
    train = FRAME.head(100).with_columns(pl.col("id").cast(kind))
    found = judged(train=train, key="id", checks=["WB007"]).check("WB007")
    assert (found.outcome, found.numbers["rows"]) == ("issue", 100)


@pytest.mark.parametrize(
    "kind", [pl.Datetime("ms", "UTC"), pl.Datetime("us", "Europe/Berlin"), pl.Datetime("ns", "UTC")]
)
def test_the_future_is_seen_in_any_unit_and_zone(kind: pl.Datetime) -> None:
    for hours, outcome in ((1, "issue"), (-1, "passed")):
        seen = (pl.col("at") + timedelta(hours=hours)).cast(kind)
        frame = FRAME.with_columns(seen=seen)
        found = judged(frame, columns=["x", "seen"], time="at", checks=["WB001"])
        assert found.check("WB001").outcome == outcome


def test_where_no_row_has_a_prediction_that_alone_is_found() -> None:
    found = evaluate(
        lambda rows: np.full(rows.height, np.nan), FRAME, "late", train=FRAME, columns=["x"]
    )
    assert [one.code for one in found.issues] == ["WB010"]
    assert not [one for one in found.checks if one.outcome == "skipped"]
    assert "no row has a prediction" in found.check("WB006").explanation.lower()


@pytest.mark.parametrize("label", ["words", "raw"])
def test_what_is_no_label_is_told(label: str) -> None:
    odd = FRAME.with_columns(words=pl.concat_list("x"), raw=pl.lit(b"x"))
    with pytest.raises(DataError, match="neither a class nor a number"):
        judged(odd, label=label)


def test_r2_is_compared_as_it_is() -> None:
    frame = FRAME.with_columns(
        side=pl.Series(["one", "other"] * (N // 2)),
        number=pl.col("x") + pl.Series(RANDOM.normal(size=N) * 3),
    )
    numbers = {"label": "number", "metrics": ["r2"], "slices": ["side"], "checks": ["WB012"]}
    found = evaluate(lambda rows: rows["x"].to_numpy(), frame, columns=["x"], **numbers)
    values = [one.metric("r2") for one in found.slices]
    gap = abs(np.subtract(*(one.value for one in values if one and one.value is not None)))
    assert found.check("WB012").numbers["gap"] == pytest.approx(gap)


def test_scores_that_are_no_probabilities_move_by_their_own_spread() -> None:
    def far(frame: pl.DataFrame) -> Any:
        return 1_000 * frame["x"].to_numpy()

    found = evaluate(far, FRAME, "late", columns=["x"], resamples=30, checks=["WB006"])
    assert found.check("WB006").outcome == "passed"
    assert "of the predictions' spread" in found.check("WB006").explanation
