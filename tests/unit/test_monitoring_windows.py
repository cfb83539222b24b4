"""The judgement of a window, on data whose answer is known."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from workbench.errors import DataError, NotFoundError
from workbench.monitoring import MonitorInputs, MonitorSpec, evaluate, profile, reliability
from workbench.monitoring.performance import standard_errors

START, END = datetime(2013, 12, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC)
SPEC = MonitorSpec(notebook="monitor.ipynb", owner="ops")


def scored(rows: int, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make scored rows whose predictions are the true probabilities, and their labels."""
    random = np.random.default_rng(seed)
    wind = random.gamma(2.0, 5.0, rows)
    probability = 1 / (1 + np.exp(2 - 0.15 * wind))
    late = random.random(rows) < probability
    keys = [f"f{i}" for i in range(rows)]
    known = START + timedelta(hours=6)
    frame = {
        "flight_id": pl.Series(keys, dtype=pl.String),
        "wind": wind,
        "rain": random.random(rows) < 0.1,
    }
    labels = {"flight_id": keys, "label": late, "known_at": [known] * rows}
    return (
        pl.DataFrame({**frame, "prediction": probability}),
        pl.DataFrame(
            labels,
            schema={
                "flight_id": pl.String,
                "label": pl.Boolean,
                "known_at": pl.Datetime("us", "UTC"),
            },
        ),
    )


def inputs(rows: int = 4000, *, spec: MonitorSpec = SPEC, seed: int = 1) -> MonitorInputs:
    from workbench.evaluation import measure_all

    reference, truth = scored(20_000)
    frame, labels = scored(rows, seed)
    return MonitorInputs(
        monitor="flights",
        model="late",
        version="3",
        spec=spec,
        reference=profile(reference, ["wind", "rain", "prediction"]),
        expected=measure_all(truth["label"].to_numpy(), reference["prediction"].to_numpy()),
        scored=frame,
        labels=labels,
        key="flight_id",
        window_start=START,
        window_end=END,
        as_of=END,
    )


def changed(given: MonitorInputs, *columns: pl.Expr) -> MonitorInputs:
    return dataclasses.replace(given, scored=given.scored.with_columns(*columns))


def kinds(result) -> list[tuple[str, str | None]]:
    return [(finding.kind, finding.column or finding.metric) for finding in result.findings]


def test_a_window_like_the_reference_is_ok_and_fully_measured():
    given = inputs()
    result = evaluate(given)
    assert (result.status, result.findings) == ("ok", ())
    metrics = result.metrics
    assert (metrics["rows"], metrics["labelled"], metrics["labelled_share"]) == (4000, 4000, 1.0)
    squared = (given.scored["prediction"] - given.labels["label"].cast(pl.Int8)) ** 2
    assert metrics["brier"] == pytest.approx(squared.mean(), rel=1e-12)
    assert metrics["base_rate"] == pytest.approx(given.labels["label"].mean())
    assert set(metrics["psi"]) == {"wind", "rain", "prediction"}
    assert max(metrics["psi"].values()) < 0.02
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_the_same_inputs_give_the_same_result_in_any_order_of_rows():
    given = inputs()
    shuffled = dataclasses.replace(
        given,
        scored=given.scored.sample(fraction=1, shuffle=True, seed=5),
        labels=given.labels.sample(fraction=1, shuffle=True, seed=6),
    )
    first, again, other = evaluate(given), evaluate(given), evaluate(shuffled)
    assert first == again
    assert other.metrics["psi"] == first.metrics["psi"]
    assert other.metrics["roc_auc"] == pytest.approx(first.metrics["roc_auc"], rel=1e-12)


def test_a_feature_that_moves_only_warns_unless_the_spec_says_otherwise():
    moved = changed(inputs(), pl.col("wind") + 10)
    result = evaluate(moved)
    assert (result.status, kinds(result)) == ("warning", [("feature_drift", "wind")])
    [finding] = result.findings
    assert finding.value == result.metrics["psi"]["wind"] > finding.threshold == 0.2
    assert result.table.row(0, named=True) == finding.model_dump()
    strict = SPEC.model_copy(update={"alert_on": ["feature_drift"]})
    assert evaluate(dataclasses.replace(moved, spec=strict)).status == "alert"
    relaxed = SPEC.model_copy(update={"ignore": ["wind"]})
    ignored = evaluate(dataclasses.replace(moved, spec=relaxed))
    assert (ignored.status, ignored.metrics["psi"]) == ("ok", result.metrics["psi"])


def test_predictions_that_move_alert():
    result = evaluate(changed(inputs(), (pl.col("prediction") * 0.5)))
    assert result.status == "alert"
    assert ("prediction_drift", "prediction") in kinds(result)


def test_values_that_go_missing_alert_with_both_shares():
    gone = pl.when(pl.int_range(pl.len()) % 4 == 0).then(None).otherwise(pl.col("wind"))
    result = evaluate(changed(inputs(), gone.alias("wind")))
    assert (result.status, kinds(result)) == ("alert", [("missing", "wind")])
    [finding] = result.findings
    assert (finding.value, finding.threshold) == (0.25, 0.1)
    assert "wind is missing in 25.0% of the rows: 0.0% in the reference" in finding.message


def test_a_feature_that_is_not_there_at_all_is_missing_not_an_accident():
    given = inputs()
    result = evaluate(dataclasses.replace(given, scored=given.scored.drop("rain")))
    assert kinds(result) == [("missing", "rain")]
    assert result.metrics["missing"]["rain"] == 1.0
    assert result.metrics["psi"]["rain"] is None


def test_predictions_without_a_value_are_missing_and_not_judged():
    gone = pl.when(pl.int_range(pl.len()) % 2 == 0).then(float("nan")).otherwise("prediction")
    result = evaluate(changed(inputs(), gone.alias("prediction")))
    assert kinds(result) == [("missing", "prediction")]
    assert result.metrics["labelled"] == 2000
    assert 0 < result.metrics["prediction_mean"] < 1


def test_performance_that_falls_is_named_first():
    given = inputs()
    blind = changed(given, pl.col("prediction").shuffle(seed=1), pl.col("wind") + 10)
    result = evaluate(blind)
    assert result.status == "alert"
    assert kinds(result)[:2] == [("performance", "roc_auc"), ("performance", "brier")]
    assert result.findings[0].value == result.metrics["roc_auc"] == pytest.approx(0.5, abs=0.03)
    assert result.findings[0].threshold == pytest.approx(given.expected["roc_auc"] - 0.03)


def test_a_fall_that_chance_explains_is_no_finding():
    few = SPEC.model_copy(update={"min_rows": 100})
    results = [evaluate(inputs(150, spec=few, seed=seed)) for seed in range(2, 42)]
    falls = [r.metrics["expected"]["roc_auc"] - r.metrics["roc_auc"] for r in results]
    assert sum(fall > 0.03 for fall in falls) >= 5  # the bare threshold would cry wolf
    alarms = [r for r in results if any(f.metric == "roc_auc" for f in r.findings)]
    assert len(alarms) <= 1


def test_standard_errors_match_the_spread_of_repeated_windows():
    from workbench.evaluation import measure_all

    found = []
    for seed in range(200):
        frame, labels = scored(400, seed)
        found.append(measure_all(labels["label"].to_numpy(), frame["prediction"].to_numpy()))
    frame, labels = scored(400, 0)
    errors = standard_errors(
        labels["label"].to_numpy(), frame["prediction"].to_numpy(), found[0]["roc_auc"]
    )
    for name in ("roc_auc", "brier"):
        assert errors[name] == pytest.approx(np.std([f[name] for f in found]), rel=0.35)


@pytest.mark.parametrize("rows", [0, 1, 499])
def test_few_rows_are_measured_and_not_judged(rows):
    result = evaluate(changed(inputs(rows), pl.col("wind") + 100, pl.col("prediction") * 0))
    assert (result.status, result.findings) == ("insufficient", ())
    assert result.metrics["rows"] == rows
    assert (result.metrics["psi"]["wind"] is None) == (rows == 0)
    assert json.dumps(result.metrics, allow_nan=False)


def test_exactly_enough_rows_are_judged():
    assert evaluate(changed(inputs(500, seed=2), pl.col("wind") + 100)).status == "warning"


@pytest.mark.parametrize("late", [True, False])
def test_one_class_alone_has_no_ranking_but_a_brier_score(late):
    given = inputs()
    labels = given.labels.with_columns(label=pl.lit(late))
    result = evaluate(dataclasses.replace(given, labels=labels))
    assert result.metrics["roc_auc"] is result.metrics["log_loss"] is None
    assert result.metrics["base_rate"] == float(late)
    assert result.metrics["brier"] == pytest.approx(
        ((given.scored["prediction"] - late) ** 2).mean()
    )
    assert result.status == "ok"


def test_what_becomes_known_later_is_not_used():
    given = inputs()
    later = pl.when(pl.int_range(pl.len()) % 5 == 0).then(END + timedelta(seconds=1))
    labels = given.labels.with_columns(later.otherwise(pl.col("known_at")).alias("known_at"))
    lied = labels.with_columns(pl.col("label") ^ (pl.col("known_at") > END))
    honest, other = (evaluate(dataclasses.replace(given, labels=each)) for each in (labels, lied))
    assert honest.metrics == other.metrics
    assert honest.metrics["labelled_share"] == pytest.approx(0.8)
    complete = evaluate(dataclasses.replace(given, labels=labels, as_of=END + timedelta(hours=1)))
    assert complete.metrics == {**evaluate(given).metrics, "as_of": complete.metrics["as_of"]}


def test_a_label_known_at_the_moment_of_judging_counts():
    given = inputs()
    at = given.labels["known_at"][0]
    assert evaluate(dataclasses.replace(given, as_of=at)).metrics["labelled"] == 4000
    before = dataclasses.replace(given, as_of=at - timedelta(microseconds=1))
    assert evaluate(before).metrics["labelled"] == 0
    assert evaluate(before).metrics["roc_auc"] is None


def test_the_first_labels_to_arrive_are_not_judged():
    given = inputs()
    blind = changed(given, pl.col("prediction").shuffle(seed=1))
    few = dataclasses.replace(blind, labels=given.labels.head(1999))
    enough = dataclasses.replace(blind, labels=given.labels.head(2000))
    assert evaluate(few).status == "ok"
    assert evaluate(enough).status == "alert"


def test_a_corrected_label_wins_and_a_null_one_is_no_label():
    given = inputs()
    one_hour = pl.col("known_at") + timedelta(hours=1)
    corrected = given.labels.with_columns(~pl.col("label"), one_hour)
    withdrawn = given.labels.with_columns(pl.lit(None, pl.Boolean).alias("label"), one_hour)
    both = pl.concat([corrected, given.labels, withdrawn])
    result = evaluate(dataclasses.replace(given, labels=both))
    assert result.metrics["labelled"] == 4000
    assert result.metrics["base_rate"] == pytest.approx(1 - given.labels["label"].mean())


def test_a_row_scored_twice_is_refused():
    given = inputs()
    twice = pl.concat([given.scored, given.scored.head(1)])
    with pytest.raises(DataError, match="repeat a flight_id"):
        evaluate(dataclasses.replace(given, scored=twice))


def test_inputs_on_which_something_would_go_unwatched_are_refused():
    given = inputs(10)
    misspelt = SPEC.model_copy(update={"ignore": ["wnd"]})
    with pytest.raises(NotFoundError, match="'wnd' in `ignore`: did you mean wind"):
        dataclasses.replace(given, spec=misspelt)
    with pytest.raises(DataError, match="lack roc_auc"):
        dataclasses.replace(given, expected={"brier": 0.1})
    with pytest.raises(NotFoundError, match="'prediction' of scored"):
        dataclasses.replace(given, scored=given.scored.drop("prediction"))
    with pytest.raises(DataError, match="'label' has to be Boolean"):
        dataclasses.replace(given, labels=given.labels.with_columns(pl.col("label").cast(pl.Int8)))
    numbered = given.labels.with_columns(pl.int_range(pl.len()).alias("flight_id"))
    with pytest.raises(DataError, match="flight_id is String in scored and Int64 in labels"):
        dataclasses.replace(given, labels=numbered)
    naive = given.labels.with_columns(pl.col("known_at").dt.replace_time_zone(None))
    with pytest.raises(DataError, match="'known_at' needs a time zone"):
        dataclasses.replace(given, labels=naive)
    with pytest.raises(DataError, match="need a time zone"):
        dataclasses.replace(given, as_of=datetime(2014, 1, 1))  # noqa: DTZ001 - the case at hand


def test_reliability_keeps_all_rows_and_their_means():
    given = inputs()
    scores, labels = given.scored["prediction"].to_numpy(), given.labels["label"].to_numpy()
    bins = reliability(labels, scores)
    assert [b.rows for b in bins] == [400] * 10
    assert np.average([b.predicted for b in bins], weights=[400] * 10) == pytest.approx(
        scores.mean()
    )
    assert bins[0].observed == pytest.approx(labels[np.argsort(scores)[:400]].mean())
    assert [b.rows for b in reliability(labels, np.full(4000, 0.3))] == [4000]
    assert reliability(labels[:0], scores[:0]) == ()
