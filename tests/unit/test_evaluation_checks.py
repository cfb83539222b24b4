"""Each check once where there is something to find and once where there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from workbench.errors import ConfigError
from workbench.evaluation import CHECKS, CheckResult, EvaluationReport, evaluate, find_check
from workbench.evaluation.checks import Check, Finding, find_checks
from workbench.evaluation.evidence import Evidence
from workbench.evaluation.wording import number

N = 2_000
START = datetime(2013, 1, 1, tzinfo=UTC)
FEATURES = ["one", "two", "three"]
Frame = pl.DataFrame


def rows(seed: int, count: int = N, later: int = 0) -> Frame:
    """Make rows in which the first two features say something of `late`, hour after hour."""
    random = np.random.default_rng(seed)
    one, two, three = random.normal(size=(3, count))
    truth = _logistic(one + 0.5 * two - 0.5)
    return Frame(
        {
            "id": [f"{seed}-{n}" for n in range(count)],
            "moment": [START + timedelta(days=later, minutes=n) for n in range(count)],
            "one": one,
            "two": two,
            "three": three,
            "carrier": random.choice(["AA", "DL", "UA"], count, p=[0.5, 0.3, 0.2]),
            "truth": truth,
            "late": random.random(count) < truth,
        }
    )


def _logistic(odds: Any) -> Any:
    return 1 / (1 + np.exp(-odds))


class Honest:
    """Knows how the rows were made; `of` is what becomes of its probabilities."""

    columns = FEATURES
    name = "honest"

    def __init__(self, of: Callable[[Any], Any] = lambda truth: truth) -> None:
        self._of = of

    def score(self, frame: Frame) -> Any:
        odds = frame["one"].to_numpy() + 0.5 * frame["two"].to_numpy() - 0.5
        return self._of(_logistic(odds))


TEST, TRAIN = rows(1, later=10), rows(2)


def asked(code: str, model: Any = None, frame: Frame = TEST, **options: Any) -> CheckResult:
    """Make one check."""
    options = {"checks": [code], "resamples": 100, **options}
    report = evaluate(model or Honest(), frame, "late", **options)
    return report.checks[0]


def expected(found: CheckResult, outcome: str, *words: str) -> None:
    """Check the outcome, the words, and that every figure of the words is a true one."""
    assert found.outcome == outcome, found.explanation
    for word in words:
        assert word in found.explanation
    assert bool(found.advice) == (outcome in ("issue", "tip"))
    assert all(np.isfinite(value) for value in found.numbers.values())


# WB001


class Leaky(Honest):
    columns = [*FEATURES, "leak"]  # noqa: RUF012 - a protocol's plain attribute


def test_leakage_of_a_copy_of_the_label() -> None:
    for leak in (pl.col("late").cast(pl.Int8), ~pl.col("late"), pl.col("late").cast(pl.String)):
        found = asked("WB001", Leaky(), TEST.with_columns(leak=leak))
        expected(found, "issue", "leak alone reaches ROC AUC 1")
        assert found.columns == ("leak",)
        assert found.numbers["leak"] == pytest.approx(1.0)
        assert found.interval is not None


def test_leakage_that_is_not_monotone() -> None:
    leak = pl.when("late").then(pl.lit(0.0)).otherwise(pl.lit(1.0) - 2 * (pl.col("two") > 0))
    noisy = TEST.with_columns(leak=leak + pl.col("three") * 0.01)
    expected(asked("WB001", Leaky(), noisy), "issue", "leak alone")


def test_leakage_by_being_missing() -> None:
    known = TEST.with_columns(leak=pl.when(~pl.col("late")).then(pl.col("three")))
    expected(asked("WB001", Leaky(), known), "issue", "leak alone")


def test_leakage_of_the_future() -> None:
    arrived = pl.col("moment") + pl.duration(hours=pl.when("late").then(2).otherwise(-1))
    found = asked("WB001", Leaky(), TEST.with_columns(leak=arrived), time="moment")
    expected(found, "issue", "have a leak after moment")
    before = TEST.with_columns(leak=pl.col("moment") - pl.duration(hours=1))
    expected(asked("WB001", Leaky(), before, time="moment"), "passed")


def test_names_of_rows_are_suspects() -> None:
    for leak in (pl.col("id"), pl.int_range(pl.len()).shuffle(3)):
        found = asked("WB001", Leaky(), TEST.with_columns(leak=leak))
        expected(found, "tip", "leak is another one in nearly every row")


def test_no_leakage_of_honest_features() -> None:
    found = asked("WB001")
    expected(found, "passed", "the strongest, one, reaches ROC AUC")
    assert 0.65 < found.numbers["one"] < 0.85
    assert found.numbers["three"] < 0.55, "a random feature gains nothing by its groups"
    assert asked("WB001", frame=TEST.head(40)).outcome == "not applicable"


# WB002


def test_overfitting() -> None:
    from sklearn.tree import DecisionTreeClassifier

    matrix, labels = TRAIN[FEATURES].to_numpy(), TRAIN["late"].to_numpy()
    deep = DecisionTreeClassifier(random_state=0).fit(matrix, labels)
    flat = DecisionTreeClassifier(max_depth=3, random_state=0).fit(matrix, labels)
    found = asked("WB002", deep, train=TRAIN, columns=FEATURES)
    expected(found, "issue", "roc_auc is 1 on training rows")
    assert found.interval is not None
    assert found.interval.holds(found.numbers["gap"])
    calm = asked("WB002", flat, train=TRAIN, columns=FEATURES)
    expected(calm, "passed")
    assert calm.numbers["lost"] < 0.2


def test_overfitting_needs_training_rows_and_a_skill() -> None:
    expected(asked("WB002"), "not applicable", "`train`")
    backwards = asked("WB002", Honest(lambda truth: 1 - truth), train=TRAIN)
    expected(backwards, "not applicable", "no better than a constant")


def test_an_apparent_gap_of_few_rows_is_chance() -> None:
    few = rows(8, 40, later=10)
    found = asked("WB002", frame=few, train=TRAIN, metrics=["brier"])
    expected(found, "passed")
    assert found.interval is not None
    assert found.interval.low < 0


# WB003


def test_training_before_test_is_in_order() -> None:
    expected(asked("WB003", train=TRAIN, time="moment"), "passed", "2013-01-01 00:00")


def test_training_among_test_rows() -> None:
    mixed = pl.concat([TRAIN, TEST.tail(100)])
    found = asked("WB003", train=mixed, time="moment")
    expected(found, "issue", "100 training rows (4.76 %)", "2,000 test rows (100 %)")
    allowed = find_check("WB003", {"tolerance": 0.1})
    report = evaluate(Honest(), TEST, "late", train=mixed, time="moment", checks=[allowed])
    assert report.checks[0].outcome == "tip"


def test_one_shared_moment_is_enough() -> None:
    found = asked("WB003", train=pl.concat([TRAIN, TEST.head(1)]), time="moment")
    expected(found, "issue", "1 training row (< 0.1 %)", "1 test row (< 0.1 %)")


def test_training_after_test() -> None:
    found = asked("WB003", frame=TRAIN, train=TEST, time="moment")
    expected(found, "issue", "judged on the past")


def test_moments_of_two_kinds_have_no_order() -> None:
    numbered = TRAIN.with_columns(moment=pl.int_range(pl.len()))
    expected(asked("WB003", train=numbered, time="moment"), "not applicable", "no order")
    expected(asked("WB003", train=TRAIN), "not applicable", "`time`")
    expected(asked("WB003", train=TRAIN.drop("moment"), time="moment"), "not applicable")
    naive = TRAIN.with_columns(pl.col("moment").dt.replace_time_zone(None))
    expected(asked("WB003", train=naive, time="moment"), "skipped", "could not be carried out")


# WB004


def _bad_for(carrier: str) -> Any:
    class Bad(Honest):
        columns = [*FEATURES, "carrier"]  # noqa: RUF012

        def score(self, frame: Frame) -> Any:
            turned = (frame["carrier"] == carrier).to_numpy()
            found = super().score(frame)
            return np.where(turned, 1 - found, found)

    return Bad()


def test_a_slice_below_its_floor() -> None:
    options: dict[str, Any] = {"slices": ["carrier"], "floors": {"roc_auc": 0.6, "brier": 0.3}}
    expected(asked("WB004", **options), "passed", "reaches roc_auc 0.6, brier 0.3")
    found = asked("WB004", _bad_for("UA"), **options)
    expected(found, "issue", "carrier = UA: roc_auc", "floor 0.6", "carrier = UA: brier")
    assert found.columns == ("carrier = UA",)
    assert found.numbers["carrier = UA: brier"] > 0.3


def test_below_the_floor_by_chance_is_a_tip() -> None:
    report = evaluate(Honest(), TEST, "late", slices=["carrier"], checks=[])
    values = [one.metrics[0].value or 0 for one in report.slices]
    floor = min(values) + 0.001
    options: dict[str, Any] = {"slices": ["carrier"], "floors": {"roc_auc": floor}}
    expected(asked("WB004", **options), "tip", "chance alone could do it")
    strict = [find_check("WB004", {"beyond_chance": False})]
    assert evaluate(Honest(), TEST, "late", checks=strict, **options).checks[0].outcome == "issue"


def test_a_floor_of_a_metric_that_was_not_asked_for_counts() -> None:
    options: dict[str, Any] = {"slices": ["carrier"], "floors": {"recall@0.3": 0.99}}
    expected(asked("WB004", metrics=["roc_auc"], **options), "issue", "recall@0.3")


def test_what_cannot_be_judged_is_said() -> None:
    floors = {"roc_auc": 0.6}
    expected(asked("WB004", floors=floors), "not applicable", "`slices`")
    expected(asked("WB004", slices=["carrier"]), "not applicable", "`floors`")
    expected(asked("WB004", slices=["one > 9"], floors=floors), "not applicable", "one > 9")
    some = asked("WB004", slices=["one > 9", "two > 0", "late"], floors={"roc_auc": 0.1})
    expected(some, "passed", "Not judged: one > 9", "roc_auc is not defined there")


# WB005


def test_calibration_of_the_truth() -> None:
    found = asked("WB005")
    expected(found, "passed")
    assert found.numbers["error"] < 0.04
    assert found.numbers["slope"] == pytest.approx(1, abs=0.2)
    assert found.numbers["intercept"] == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize(
    ("of", "slope"),
    [
        (lambda truth: _logistic(3 * np.log(truth / (1 - truth))), 1 / 3),
        (lambda truth: _logistic(np.log(truth / (1 - truth)) / 3), 3),
        (lambda truth: _logistic(np.log(truth / (1 - truth)) + 1), 1),
    ],
    ids=["too sure", "not sure enough", "another base rate"],
)
def test_calibration_that_is_off(of: Any, slope: float) -> None:
    found = asked("WB005", Honest(of), frame=rows(3, 6_000))
    expected(found, "issue", "Predictions miss what came true by")
    assert found.numbers["slope"] == pytest.approx(slope, rel=0.15)
    assert found.numbers["slope_low"] <= found.numbers["slope"] <= found.numbers["slope_high"]
    assert found.numbers["error"] > found.numbers["error_by_chance"]


def test_calibration_slope_and_error_are_those_of_the_peers() -> None:
    from sklearn.calibration import calibration_curve
    from sklearn.linear_model import LogisticRegression

    frame = rows(4, 5_000)
    found = asked("WB005", Honest(lambda truth: truth**2), frame=frame)
    predictions = Honest(lambda truth: truth**2).score(frame)
    labels = frame["late"].to_numpy()
    odds = np.log(predictions / (1 - predictions)).reshape(-1, 1)
    peer = LogisticRegression(C=np.inf, tol=1e-10).fit(odds, labels)
    assert found.numbers["slope"] == pytest.approx(peer.coef_[0, 0], rel=1e-4)
    assert found.numbers["intercept"] == pytest.approx(peer.intercept_[0], rel=1e-4)
    true, predicted = calibration_curve(labels, predictions, n_bins=10, strategy="quantile")
    assert found.numbers["error"] == pytest.approx(np.abs(true - predicted).mean(), abs=1e-3)


def test_few_rows_are_off_by_chance_alone() -> None:
    found = asked("WB005", frame=rows(5, 120))
    assert found.outcome == "passed", found.explanation
    assert found.numbers["error"] > 0.05, "more than would be allowed of many rows"


def test_calibration_where_there_is_none() -> None:
    expected(asked("WB005", Honest(lambda truth: 10 * truth)), "not applicable", "0 to 1")
    expected(asked("WB005", frame=TEST.head(50)), "not applicable", "too few")
    number_ = evaluate(Honest(), TEST, "truth", checks=["WB005"], task="regression")
    expected(number_.checks[0], "not applicable")


# WB006


def test_stable_under_noise() -> None:
    found = asked("WB006")
    expected(found, "passed", "Noise of 1 %")
    assert 0 < found.numbers["moved"] < 0.02
    assert found.interval is not None


def test_a_cliff_is_found() -> None:
    class Cliffs(Honest):
        def score(self, frame: Frame) -> Any:
            return (np.floor(frame["one"].to_numpy() * 100) % 2 == 0) * 0.8 + 0.1

    found = asked("WB006", Cliffs(), task="binary")
    expected(found, "issue", "rows change sides")
    assert found.numbers["flipped"] > 0.2


def test_another_answer_to_the_same_rows_is_found() -> None:
    random = np.random.default_rng(0)
    throws = Honest(lambda truth: np.clip(truth + random.normal(0, 0.01, truth.size), 0, 1))
    expected(asked("WB006", throws), "issue", "when asked again")


def test_words_and_codes_take_no_noise() -> None:
    class Codes(Honest):
        columns = ["carrier"]  # noqa: RUF012

        def score(self, frame: Frame) -> Any:
            return (frame["carrier"] == "AA").to_numpy() * 0.5 + 0.1

    expected(asked("WB006", Codes()), "not applicable")


def test_noise_keeps_types_and_what_is_missing() -> None:
    seen = []

    class Looks(Honest):
        def score(self, frame: Frame) -> Any:
            seen.append(frame)
            return np.full(frame.height, 0.5)

    whole = (pl.col("one") * 100).round().cast(pl.Int16)
    gaps = pl.when(pl.col("three") > 0).then(pl.col("two"))
    asked("WB006", Looks(), TEST.with_columns(one=whole, two=gaps))
    first, last = seen[0], seen[-1]
    assert last.schema == first.schema
    assert (last["two"].is_null() == first["two"].is_null()).all()
    assert (last["one"] != first["one"]).sum() > 0
    assert (last["carrier"] == first["carrier"]).all()


# WB007


def test_rows_seen_in_training_by_key() -> None:
    mixed = pl.concat([TRAIN, TEST.head(100)])
    expected(asked("WB007", train=TRAIN, key="id"), "passed")
    found = asked("WB007", train=mixed, key="id")
    expected(found, "issue", "100 test rows (5 %)", "by id")
    few = asked("WB007", train=pl.concat([TRAIN, TEST.head(3)]), key=["id", "carrier"])
    expected(few, "tip", "3 test rows", "by id and carrier")


def test_groups_seen_in_training_are_a_tip() -> None:
    found = asked("WB007", train=TRAIN, key="carrier")
    expected(found, "tip", "belong to groups that the model was trained on")


def test_rows_seen_in_training_by_content() -> None:
    expected(asked("WB007", train=TRAIN), "passed", "by all 4 columns")
    mixed = pl.concat([TRAIN, TEST.head(100)])
    expected(asked("WB007", train=mixed), "issue", "cell by cell")
    other = mixed.with_columns(pl.col("late").cast(pl.Int8), pl.col("one").cast(pl.Float32))
    same = TEST.with_columns(pl.col("one").cast(pl.Float32).cast(pl.Float64))
    expected(asked("WB007", frame=same, train=other), "issue", "100 test rows")


def test_rows_that_are_alike_by_nature_are_none() -> None:
    coarse = [pl.col(name).round(0) for name in FEATURES]
    found = asked("WB007", frame=TEST.with_columns(coarse), train=TRAIN.with_columns(coarse))
    expected(found, "passed")
    assert found.numbers["alike_in_training"] > 0.9
    expected(asked("WB007"), "not applicable", "`train`")


# WB008


def test_imbalance() -> None:
    expected(asked("WB008"), "passed", "The rarest class, True")
    late = TEST.filter("late")
    few = pl.concat([TEST.filter(~pl.col("late")), late.head(12)])
    found = asked("WB008", frame=few)
    expected(found, "issue", "12 rows")
    assert found.interval is not None
    assert found.interval.holds(found.numbers["share"])
    some = pl.concat([TEST.filter(~pl.col("late")), late.head(60)])
    expected(asked("WB008", frame=some), "tip")
    none = asked("WB008", frame=TEST.filter(~pl.col("late")))
    expected(none, "issue", "0 rows")


# WB009


def test_no_better_than_a_constant() -> None:
    expected(asked("WB009", train=TRAIN), "passed", "better than a constant")
    random = Honest(lambda truth: np.random.default_rng(0).random(truth.size))
    found = asked("WB009", random, train=TRAIN)
    expected(found, "issue", "no better than")
    assert found.numbers["advantage"] < 0
    few = TEST.head(60)
    turned = np.where(np.arange(60) % 3 < 1, -0.2, 0.2)  # it is right of two in three
    nearly = Honest(lambda truth: few["late"].mean() + turned * (truth - truth.mean()))
    expected(asked("WB009", nearly, few), "tip", "perhaps")
    expected(asked("WB009", Honest(lambda truth: 5 * truth)), "not applicable")


# WB010


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (lambda truth: np.where(truth > 0.7, np.nan, truth), "have none"),
        (lambda truth: np.where(truth > 0.7, np.inf, truth), "have none"),
        (lambda truth: 2 * truth, "outside of 0 to 1"),
        (lambda truth: np.full_like(truth, 0.3), "every row has the same"),
        (lambda truth: np.full_like(truth, np.nan), "2,000 rows (100 %) have none"),
    ],
)
def test_predictions_that_are_none(of: Any, words: str) -> None:
    expected(asked("WB010", Honest(of)), "issue", words)


def test_predictions_as_they_should_be() -> None:
    found = asked("WB010")
    expected(found, "passed", "Each of 2,000 rows has one")
    assert 0 < found.numbers["least"] < found.numbers["largest"] < 1


# WB011


class Wide(Honest):
    columns = [*FEATURES, "carrier"]  # noqa: RUF012


@pytest.mark.parametrize(
    ("change", "outcome", "words"),
    [
        (pl.lit(None, pl.Float64), "issue", "three is missing in every row"),
        (pl.lit(1.5), "issue", "three has the same value in every row"),
        (pl.col("three").cast(pl.String), "issue", "three was Float64 and is String"),
        (pl.when(pl.col("one") > 0).then("three"), "tip", "in training in 0 %"),
        (pl.when(pl.col("one") > 2).then("three").otherwise(np.nan), "tip", "missing in 9"),
        (pl.col("three").cast(pl.Float32), "passed", "All 4 features"),
    ],
)
def test_features_that_changed(change: pl.Expr, outcome: str, words: str) -> None:
    found = asked("WB011", Wide(), TEST.with_columns(three=change), train=TRAIN)
    expected(found, outcome, words)
    assert found.columns == (("three",) if outcome != "passed" else ())


def test_new_words_and_columns() -> None:
    renamed = TEST.with_columns(carrier=pl.col("carrier").replace("UA", "ZZ"))
    expected(asked("WB011", Wide(), renamed, train=TRAIN), "tip", "words unseen in training")
    found = asked("WB011", Wide(), train=TRAIN.drop("three"))
    expected(found, "issue", "three is no column of the training rows")


def test_training_rows_that_the_model_cannot_take() -> None:
    report = evaluate(Honest(), TEST, "late", train=TRAIN.drop("two"), resamples=20)
    assert report.check("WB002").outcome == "skipped"
    assert report.check("WB011").outcome == "issue"
    assert report.metric("brier").train is None
    assert "can't be predicted" in report.notes[0]
    assert "can&#x27;t be predicted" in report.html()


# WB012


def test_unequal_slices() -> None:
    expected(asked("WB012", slices=["carrier"]), "passed", "the largest gap is that of carrier")
    found = asked("WB012", _bad_for("UA"), slices=["carrier", "two"])
    expected(found, "issue", "carrier = UA")
    assert found.columns == ("carrier = UA",)
    assert found.interval is not None
    assert found.interval.low > 0.1
    expected(asked("WB012", slices=["two > 0", "two > 1"]), "not applicable")


# All of them


def test_every_check_says_what_it_is() -> None:
    for code, check in CHECKS.items():
        assert code == check.code
        assert check.title
        assert check.advice.endswith(".")
        assert check.__doc__
        for field in check.model_fields.values():
            assert field.description
    assert list(CHECKS) == [f"WB{place:03}" for place in range(1, len(CHECKS) + 1)]


@pytest.mark.parametrize(
    ("code", "options", "words"),
    [
        ("WB013", {}, "did you mean WB001|did you mean WB01"),
        ("leakage", {}, "there are: WB001, WB002"),
        ("WB005", {"max_eror": 0.1}, "unknown option 'max_eror': did you mean max_error"),
        ("WB005", {"max_error": "much"}, "max_error = 'much'"),
        ("WB006", {"noise": 3}, "less than or equal to 1"),
    ],
)
def test_a_gate_that_names_what_is_not_there(code: str, options: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=f"factories/x.toml: .*({words})") as caught:
        find_check(code, options, where="factories/x.toml: ")
    assert "\n" not in str(caught.value)


def test_an_evaluation_with_an_unknown_check_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown check 'WB99'"):
        asked("WB99")


def test_a_check_that_breaks_is_skipped() -> None:
    class Broken(Check):
        code = "XX001"
        title = "broken"
        advice = "mend it."

        def look(self, evidence: Evidence) -> Finding:
            raise ZeroDivisionError("by nothing")

    report = evaluate(Honest(), TEST, "late", checks=[Broken(), *find_checks(["WB010"])])
    assert [check.outcome for check in report.checks] == ["skipped", "passed"]
    expected(report.checks[0], "skipped", "ZeroDivisionError: by nothing")
    assert report.outcome == "skipped"


def test_all_checks_at_once_and_again() -> None:
    def once() -> EvaluationReport:
        return evaluate(
            Honest(),
            TEST,
            "late",
            train=TRAIN,
            time="moment",
            key="id",
            slices=["carrier", "one > 1"],
            floors={"roc_auc": 0.5},
            resamples=60,
        )

    report = once()
    assert [check.code for check in report.checks] == list(CHECKS)
    assert {check.outcome for check in report.checks} == {"passed"}, report.text()
    assert report.digest == once().digest
    assert number(report.metric("roc_auc").value) in report.check("WB002").explanation
