"""The metrics are scikit-learn's, for every weighting of the rows; the intervals are honest."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as oracle

from workbench.errors import DataError, NotFoundError, UsageError
from workbench.evaluation import compare, find_metric, measure, metric_names
from workbench.evaluation.bootstrap import Resampler, interval_of, numbered
from workbench.evaluation.outcomes import Task

Array = np.ndarray[Any, Any]


def _called(predictions: Array) -> Array:
    return predictions >= 0.5


BINARY = {
    "roc_auc": lambda y, p, w: oracle.roc_auc_score(y, p, sample_weight=w),
    "average_precision": lambda y, p, w: oracle.average_precision_score(y, p, sample_weight=w),
    "brier": lambda y, p, w: oracle.brier_score_loss(y, p, sample_weight=w),
    "log_loss": lambda y, p, w: oracle.log_loss(y, p, sample_weight=w),
    "accuracy": lambda y, p, w: oracle.accuracy_score(y, _called(p), sample_weight=w),
    "f1": lambda y, p, w: oracle.f1_score(y, _called(p), sample_weight=w, zero_division=0),
    "precision": lambda y, p, w: oracle.precision_score(
        y, _called(p), sample_weight=w, zero_division=0
    ),
    "recall": lambda y, p, w: oracle.recall_score(y, _called(p), sample_weight=w),
    "base_rate": lambda y, p, w: np.average(y, weights=w),
}
MULTICLASS = {
    "roc_auc": lambda y, p, w: oracle.roc_auc_score(y, p, multi_class="ovr", sample_weight=w),
    "brier": lambda y, p, w: oracle.brier_score_loss(
        y, p, sample_weight=w, labels=range(p.shape[1]), scale_by_half=False
    ),
    "log_loss": lambda y, p, w: oracle.log_loss(y, p, labels=range(p.shape[1]), sample_weight=w),
    "accuracy": lambda y, p, w: oracle.accuracy_score(y, p.argmax(1), sample_weight=w),
    "balanced_accuracy": lambda y, p, w: oracle.balanced_accuracy_score(
        y, p.argmax(1), sample_weight=w
    ),
    "f1": lambda y, p, w: oracle.f1_score(
        y, p.argmax(1), average="macro", sample_weight=w, zero_division=0
    ),
    "precision": lambda y, p, w: oracle.precision_score(
        y, p.argmax(1), average="macro", sample_weight=w, zero_division=0
    ),
    "recall": lambda y, p, w: oracle.recall_score(
        y, p.argmax(1), average="macro", sample_weight=w, zero_division=0
    ),
}
REGRESSION = {
    "rmse": lambda y, p, w: oracle.root_mean_squared_error(y, p, sample_weight=w),
    "mae": lambda y, p, w: oracle.mean_absolute_error(y, p, sample_weight=w),
    "median_absolute_error": lambda y, p, w: oracle.median_absolute_error(
        np.repeat(y, w), np.repeat(p, w)
    ),
    "mape": lambda y, p, w: oracle.mean_absolute_percentage_error(y, p, sample_weight=w),
    "r2": lambda y, p, w: oracle.r2_score(y, p, sample_weight=w),
    "bias": lambda y, p, w: np.average(p - y, weights=w),
}
ORACLES: dict[Task, dict[str, Any]] = {
    "binary": BINARY,
    "multiclass": MULTICLASS,
    "regression": REGRESSION,
}
CASES = [(task, name) for task, names in ORACLES.items() for name in names]


def rows(task: Task, seed: int, *, ties: bool) -> tuple[Array, Array]:
    """Make labels and predictions that have something to do with each other."""
    random = np.random.default_rng(seed)
    count = int(random.integers(60, 120))
    if task == "binary":
        predictions = random.random(count)
        predictions = predictions.round(1) if ties else predictions
        return (random.random(count) < predictions).astype(float), predictions
    if task == "multiclass":
        predictions = random.dirichlet([1, 1, 1], count)
        labels = np.array([random.choice(3, p=row) for row in predictions])
        return labels, predictions
    labels = random.normal(5, 2, count)
    noise = random.normal(0, 1, count)
    return labels, labels + (noise.round() if ties else noise)


def test_every_metric_has_an_oracle() -> None:
    for task, names in ORACLES.items():
        assert metric_names(task) == list(names)


@pytest.mark.parametrize(("task", "name"), CASES)
@pytest.mark.parametrize("ties", [False, True])
def test_a_metric_is_scikit_learns(task: Task, name: str, ties: bool) -> None:  # noqa: FBT001
    for seed in range(4):
        labels, predictions = rows(task, seed, ties=ties)
        whole = ORACLES[task][name](labels, predictions, np.ones(labels.size, int))
        assert measure(name, labels, predictions, task=task) == pytest.approx(whole, rel=1e-9)
        # A resample is a weighting: many at once give what each gives by itself.
        drawn = np.random.default_rng(seed).multinomial(
            labels.size, np.full(labels.size, 1 / labels.size), size=3
        )
        found = find_metric(name, task).prepare(labels, predictions)(drawn.astype(float))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = [ORACLES[task][name](labels, predictions, weights) for weights in drawn]
        assert found == pytest.approx(wanted, rel=1e-9)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_ranks_with_any_ties_and_weights(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 30))
    labels = data.draw(hnp.arrays(float, count, elements=st.sampled_from([0.0, 1.0])))
    labels[:2] = 0.0, 1.0
    predictions = data.draw(hnp.arrays(float, count, elements=st.sampled_from([0.1, 0.4, 0.4001])))
    weights = data.draw(hnp.arrays(np.int64, count, elements=st.integers(0, 3)))
    weights[:2] = 1
    for name in ("roc_auc", "average_precision"):
        found = find_metric(name).prepare(labels, predictions)(weights[None, :].astype(float))[0]
        assert found == pytest.approx(BINARY[name](labels, predictions, weights), abs=1e-12)
        # A weight is what repeating the row would be.
        repeated = measure(name, np.repeat(labels, weights), np.repeat(predictions, weights))
        assert found == pytest.approx(repeated, abs=1e-12)


def test_what_is_not_defined_is_nan() -> None:
    for name in ("roc_auc", "average_precision", "recall"):
        assert np.isnan(measure(name, [0, 0, 0], [0.1, 0.2, 0.9])), name
    assert np.isnan(measure("r2", [1.0, 1.0], [1.0, 2.0], task="regression"))
    assert measure("log_loss", [1], [0.0]) == pytest.approx(
        oracle.log_loss([1], [0.0], labels=[0, 1])
    )


def test_thresholds_stand_in_the_name() -> None:
    labels, predictions = rows("binary", 3, ties=False)
    for name, score in (("recall", oracle.recall_score), ("precision", oracle.precision_score)):
        wanted = score(labels, predictions >= 0.25)
        assert measure(f"{name}@0.25", labels, predictions) == pytest.approx(wanted)
        assert find_metric(f"{name}@0.25").name == f"{name}@0.25"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: measure("roc_acu", [0, 1], [0, 1]), NotFoundError, "did you mean roc_auc"),
        (lambda: find_metric("rmse"), NotFoundError, "of a binary task"),
        (lambda: find_metric("recall@2"), UsageError, "between 0 and 1"),
        (lambda: find_metric("roc_auc@0.5"), UsageError, "accuracy, f1, precision, recall"),
        (lambda: measure("brier", [], []), DataError, "no rows"),
        (lambda: measure("brier", [1, 0], [0.1]), DataError, "shape"),
        (lambda: measure("brier", [1, 0], [0.1, np.nan]), DataError, "missing"),
        (lambda: measure("brier", [2, 0], [0.1, 0.2]), DataError, "true and false"),
        (lambda: measure("f1", [3], [[0.1, 0.9]], task="multiclass"), DataError, "0 to 1"),
        (lambda: compare("brier", [1, 0], [1, 0], [1]), DataError, "shape"),
        (lambda: compare("roc_auc", [1, 1], [1, 0], [1, 1]), DataError, "not defined"),
        (lambda: compare("brier", [1, 0], [1, 0], [1, 1], groups=[1]), DataError, "groups"),
        (lambda: compare("brier", [1, 0], [1, 0], [1, 1], resamples=0), UsageError, "resamples"),
    ],
)
def test_a_wrong_question_is_told(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 400), st.integers(1, 60), st.integers(0, 2**32))
def test_a_resample_draws_as_many_as_there_are(count: int, resamples: int, seed: int) -> None:
    resampler = Resampler(count, seed=seed, resamples=resamples)
    weights = np.concatenate(list(resampler.weights()))
    assert weights.shape == (resamples, count)
    assert (weights.sum(axis=1) == count).all()
    assert (weights == np.concatenate(list(resampler.weights()))).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=60), st.integers(0, 99))
def test_a_group_is_drawn_whole(words: list[str], seed: int) -> None:
    groups = numbered(np.array(words))
    resampler = Resampler(len(words), groups=groups, seed=seed, resamples=20)
    for block in resampler.weights():
        for weights in block:
            by_group = [set(weights[groups == group]) for group in range(resampler.units)]
            assert all(len(times) == 1 for times in by_group)
            assert sum(times.pop() for times in by_group) == resampler.units


def test_blocks_do_not_change_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(Resampler(50, resamples=30, seed=4).weights()))
    monkeypatch.setattr("workbench.evaluation.bootstrap._BLOCK", 130)
    assert (np.concatenate(list(Resampler(50, resamples=30, seed=4).weights())) == whole).all()


def test_purposes_and_seeds_draw_different_ones() -> None:
    drawn = [
        np.concatenate(list(Resampler(40, seed=seed, purpose=purpose).weights()))
        for seed, purpose in ((0, "all"), (1, "all"), (0, "slice:x"))
    ]
    assert not any((drawn[0] == other).all() for other in drawn[1:])


def test_the_interval_of_a_mean_is_the_textbooks() -> None:
    """Of many rows the bootstrap's interval of a mean is mean ± 1.96 standard errors."""
    random = np.random.default_rng(0)
    labels = random.normal(size=2_000)
    result = compare(
        "mae",
        labels,
        labels + 1 + random.normal(0, 0.1, 2_000),
        labels,
        task="regression",
        resamples=2_000,
    )
    error = 0.1 / np.sqrt(2_000)
    assert result.difference == pytest.approx(1, abs=3 * error)
    assert result.interval.high - result.interval.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for seed in range(150):
        random = np.random.default_rng(seed)
        labels = random.random(300) < 0.3
        resampler = Resampler(300, seed=seed, resamples=200, level=0.9)
        statistic = find_metric("base_rate").prepare(labels, np.zeros(300))
        interval = resampler.interval(resampler.replicates({"": statistic})[""])
        assert interval is not None
        held += interval.holds(0.3)
    assert 0.83 < held / 150 < 0.96


def test_groups_make_the_interval_as_wide_as_they_deserve() -> None:
    """Ten copies of each row say no more than the row: only the bootstrap of groups knows."""
    random = np.random.default_rng(1)
    predictions = np.repeat(random.random(100), 10)
    labels = np.repeat(random.random(100) < 0.5, 10)
    other = np.repeat(random.random(100), 10)
    groups = np.repeat(np.arange(100), 10)
    by_row = compare("brier", labels, predictions, other).interval
    by_group = compare("brier", labels, predictions, other, groups=groups).interval
    ratio = (by_group.high - by_group.low) / (by_row.high - by_row.low)
    assert 2.3 < ratio < 4.2  # the root of ten


def test_a_paired_comparison_sees_what_two_intervals_hide() -> None:
    random = np.random.default_rng(2)
    truth = random.random(4_000)
    labels = random.random(4_000) < truth
    worse = np.clip(truth + random.normal(0, 0.1, 4_000), 0, 1)
    found = compare("brier", labels, truth, worse)
    assert found.better()
    assert found.difference < 0 < found.advantage  # lower is better
    assert found.interval.low <= found.advantage <= found.interval.high
    alone = [compare("brier", labels, one, np.full(4_000, 0.5)) for one in (truth, worse)]
    assert alone[0].interval.low < alone[1].interval.high, "each on its own they overlap"


def test_not_worse_is_a_question_of_the_interval() -> None:
    labels, predictions = rows("binary", 5, ties=False)
    same = compare("roc_auc", labels, predictions, predictions)
    assert (same.advantage, same.interval.low, same.interval.high) == (0, 0, 0)
    assert same.not_worse()
    assert not same.better()
    random = np.random.default_rng(0)
    other = np.clip(predictions + random.normal(0, 0.02, labels.size), 0, 1)
    close = compare("roc_auc", labels, other, predictions)
    assert close.interval.low < 0
    assert not close.not_worse()
    assert close.not_worse(tolerance=0.2)
    assert close.not_worse(certainly=False) == (close.advantage >= 0)
    turned = compare("roc_auc", labels, predictions, other)
    assert turned.advantage == pytest.approx(-close.advantage)
    assert turned.interval.low == pytest.approx(-close.interval.high)


def test_undefined_resamples_are_left_out_and_counted() -> None:
    labels = np.zeros(40)
    labels[0] = 1.0
    found = compare("roc_auc", labels, np.linspace(1, 0, 40), np.linspace(0, 1, 40))
    assert 200 < found.interval.resamples < 500  # the one positive is drawn in 63 % of them
    few = np.full(200, np.nan)
    few[:5] = 0.5
    assert interval_of(few, 0.95) is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["brier", "roc_auc", "accuracy"]))
def test_the_same_seed_gives_the_same_comparison(seed: int, name: str) -> None:
    labels, predictions = rows("binary", seed % 50, ties=True)
    other = predictions[::-1].copy()
    first, again = (
        compare(name, labels, predictions, other, seed=seed, resamples=40) for _ in "12"
    )
    assert first == again
    low, high = first.interval.low, first.interval.high
    assert low <= high
