"""Evaluating: slices, what models are taken, the report as record and as page, bad input."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from workbench.errors import ConfigError, DataError, NotFoundError, UsageError
from workbench.evaluation import EvaluationReport, evaluate, measure
from workbench.evaluation.slicing import condition, parts_of

N = 1_500
RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=(N, 2))
FRAME = pl.DataFrame(
    {
        "x": X[:, 0],
        "y": X[:, 1],
        "carrier": RANDOM.choice(["AA", "DL", "<b>UA</b>"], N, p=[0.6, 0.3, 0.1]),
        "day": [datetime(2013, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(N)],
        "customer": RANDOM.integers(0, 40, N),
        "my count": RANDOM.integers(0, 4, N),
        "late": RANDOM.random(N) < 1 / (1 + np.exp(-X[:, 0])),
    }
).with_columns(gap=pl.when(pl.col("y") > 0).then(pl.col("y")))


class Model:
    """The simplest predictor there is."""

    columns: tuple[str, ...] = ("x", "y")

    def score(self, frame: pl.DataFrame) -> Any:
        return 1 / (1 + np.exp(-frame["x"].to_numpy()))


def quick(model: Any = None, frame: pl.DataFrame = FRAME, **options: Any) -> EvaluationReport:
    options = {"checks": [], "resamples": 30, **options}
    return evaluate(model or Model(), frame, options.pop("label", "late"), **options)


# Slices


def test_a_condition_is_the_filter_of_its_expression() -> None:
    asked = {
        "x > 1": pl.col("x") > 1,
        "carrier = 'AA' and y <= 0": (pl.col("carrier") == "AA") & (pl.col("y") <= 0),
        "\"my count\" in (1, 2) or carrier like 'D%'": pl.col("my count").is_in([1, 2])
        | pl.col("carrier").str.starts_with("D"),
        "gap > 0.5": pl.col("gap") > 0.5,
        "gap is null": pl.col("gap").is_null(),
        "not late": ~pl.col("late"),
    }
    report = quick(slices=list(asked))
    for found, (text, wanted) in zip(report.slices, asked.items(), strict=True):
        inside = FRAME.filter(wanted)
        assert (found.name, found.by, found.kind, found.rows) == (
            text,
            text,
            "condition",
            inside.height,
        )
        brier = found.metric("brier")
        assert brier is not None
        assert brier.value == pytest.approx(measure("brier", inside["late"], Model().score(inside)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("carier = 'AA'", "unknown column 'carier': did you mean carrier"),
        ("carier", "unknown column 'carier'"),
        ("x >", "neither a column nor a condition"),
        ("", "neither a column nor a condition"),
        ("x > 1; drop table flights", "neither a column nor a condition"),
        ("x > 1, y > 1", "neither a column nor a condition"),
        ("x + 1", "true or false of each row"),
        ("max(x) > 1", "true or false of each row"),
        ("true", "true or false of each row"),
        ("carrier > 1", "cannot compare"),
        ("exists(select * from read_csv('/etc/hostname'))", "slice"),
        ("x in (select x from late)", "slice"),
        ("read_csv('/etc/hostname') = 1", "unsupported function"),
    ],
)
def test_a_broken_condition_is_named(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        quick(slices=[text])
    assert repr(text) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_condition_may_have_a_name_of_its_own() -> None:
    report = quick(slices={"far out": "x > 1", "by airline": "carrier"})
    assert report.slices[0].name == "far out"
    assert report.slice("far out").by == "x > 1"
    assert {one.by for one in report.slices[1:]} == {"carrier"}


def test_a_columns_slices_part_its_rows() -> None:
    for column in ("carrier", "my count", "x", "gap", "day", "customer", "late"):
        parts = parts_of(FRAME, [column])
        masks = np.array([part.mask.to_numpy() for part in parts])
        assert (masks.sum(axis=0) == 1).all(), column
        assert len({part.name for part in parts}) == len(parts)
        assert all(part.kind == "column" and part.by == column for part in parts)


def test_how_columns_are_cut() -> None:
    def names(column: str) -> list[str]:
        return [part.name for part in parts_of(FRAME, [column])]

    assert names("carrier") == ["carrier = AA", "carrier = DL", "carrier = <b>UA</b>"]
    assert set(names("my count")) == {f"my count = {n}" for n in range(4)}
    assert len(names("x")) == 4
    assert names("gap")[-1] == "gap is missing"
    assert names("day")[0].startswith("day ≤ 2013-01-")
    many = FRAME.with_columns(name=pl.format("n{}", pl.col("customer")))
    assert len(parts_of(many, ["name"])) == 9
    assert parts_of(many, ["name"])[-1].name == "name: 32 other values"


def test_awkward_columns_are_cut_too() -> None:
    awkward = pl.DataFrame(
        {
            "nan": [np.nan, 1.0, 2.0] * 20,
            "none": pl.Series([None] * 60, dtype=pl.Float64),
            "same": [5.0] * 60,
            "zeros": [0.0] * 50 + [float(n) for n in range(1, 11)],
            "infinite": [float(n) for n in range(59)] + [np.inf],
        }
    )
    for column in awkward.columns:
        parts = parts_of(awkward, [column])
        assert sum(int(part.mask.sum()) for part in parts) == 60, column
    assert parts_of(awkward, ["nan"])[-1].name == "nan is missing"
    with pytest.raises(ConfigError, match="no values to slice by"):
        parts_of(awkward.with_columns(nested=pl.concat_list("same")), ["nested"])
    assert condition(pl.DataFrame({"a": [None, 1]}), "a > 0").to_list() == [False, True]


def test_small_slices_say_so() -> None:
    report = quick(slices=["x > 2.5", "x > 9"])
    few, none = report.slices
    assert 0 < few.rows < 30
    assert none.rows == 0
    assert "too few rows to judge" in few.note
    assert few.metrics == none.metrics == ()


def test_a_further_slice_changes_no_other() -> None:
    alone, both = quick(slices=["x > 0"]), quick(slices=["carrier", "x > 0"])
    assert alone.slice("x > 0") == both.slice("x > 0")


# Models


def _matrix(*columns: str) -> Any:
    return FRAME.select(columns).to_numpy()


def test_models_of_every_kind_are_taken() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    plain = LogisticRegression().fit(_matrix("x", "y"), FRAME["late"])
    named = LogisticRegression().fit(FRAME.select("y", "x").to_pandas(), FRAME["late"])
    piped = make_pipeline(StandardScaler(), LogisticRegression()).fit(
        _matrix("x", "y"), FRAME["late"]
    )
    wanted = measure("brier", FRAME["late"], plain.predict_proba(_matrix("x", "y"))[:, 1])
    for model, columns in ((plain, ["x", "y"]), (named, None), (piped, ["x", "y"])):
        report = quick(model, columns=columns)
        assert report.metric("brier").value == pytest.approx(wanted, rel=1e-3)
        assert (report.task, report.positive) == ("binary", "True")
    assert quick(named).columns == ("y", "x")
    assert quick(lambda rows: rows["x"].clip(0, 1).to_numpy(), columns=["x"]).columns == ("x",)
    with pytest.raises(UsageError, match="was fitted on 2 columns, the rows have 7"):
        quick(plain)


@pytest.mark.parametrize("library", ["xgboost", "lightgbm", "catboost", "sklearn"])
def test_the_four_libraries(library: str) -> None:
    if library == "xgboost":
        from xgboost import XGBClassifier as Kind

        options: dict[str, Any] = {"n_estimators": 5, "n_jobs": 1}
    elif library == "lightgbm":
        from lightgbm import LGBMClassifier as Kind

        options = {"n_estimators": 5, "n_jobs": 1, "verbose": -1}
    elif library == "catboost":
        from catboost import CatBoostClassifier as Kind

        options = {"iterations": 5, "verbose": False, "allow_writing_files": False}
    else:
        from sklearn.ensemble import HistGradientBoostingClassifier as Kind

        options = {"max_iter": 5}
    gaps = _matrix("x", "gap")
    model = Kind(**options).fit(gaps, FRAME["late"].to_numpy())
    report = quick(model, columns=["x", "gap"])
    wanted = measure("roc_auc", FRAME["late"], model.predict_proba(gaps)[:, 1])
    assert report.metric("roc_auc").value == pytest.approx(wanted, abs=1e-6)


def test_boosters_and_loaded_models() -> None:
    import lightgbm
    import xgboost

    from workbench.tracking import LoadedModel

    matrix, labels = _matrix("x", "y"), FRAME["late"].to_numpy()
    one = xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(matrix, labels)
    two = lightgbm.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1).fit(matrix, labels)
    for whole, booster in ((one, one.get_booster()), (two, two.booster_)):
        loaded = LoadedModel(booster, ["x", "y"], [False, True])
        wanted = quick(whole, columns=["x", "y"]).metric("log_loss").value
        report = quick(loaded)
        assert report.metric("log_loss").value == pytest.approx(wanted, abs=1e-6)
        assert report.task == "binary"


def test_a_stored_version_is_taken_as_it_is_scored() -> None:
    from workbench.registry import Scorer
    from workbench.tracking import LoadedModel

    class Classifier:
        __module__ = "sklearn.made"

        def predict_proba(self, rows: Any) -> Any:
            chance = np.clip(rows[:, 0] / 6 + 0.5, 0, 1)
            return np.column_stack([1 - chance, chance])

    report = quick(Scorer("flights-late", "3", LoadedModel(Classifier(), ["x", "y"])))
    assert report.model == "flights-late version 3"
    assert report.columns == ("x", "y")


def test_classes_and_numbers() -> None:
    from sklearn.datasets import load_diabetes, load_iris
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.metrics import r2_score, roc_auc_score

    iris = load_iris(as_frame=True)
    flowers = (
        pl.from_pandas(iris.frame)
        .with_columns(kind=pl.Series(iris.target_names[iris.target].astype(str)))
        .drop("target")
    )
    model = LogisticRegression(max_iter=500).fit(iris.data, flowers["kind"])
    report = quick(model, flowers, label="kind")
    assert (report.task, report.positive) == ("multiclass", None)
    assert report.classes == ("setosa", "versicolor", "virginica")
    wanted = roc_auc_score(flowers["kind"], model.predict_proba(iris.data), multi_class="ovr")
    assert report.metric("roc_auc").value == pytest.approx(wanted)
    whole = evaluate(model, flowers, "kind", resamples=40, slices=["petal width (cm)"])
    assert whole.check("WB001").outcome in ("tip", "issue"), "petals tell the kind alone"
    assert not [check for check in whole.checks if check.outcome == "skipped"], whole.text()

    sick = load_diabetes(as_frame=True)
    rows = pl.from_pandas(sick.frame)
    ridge = Ridge().fit(sick.data[:300], sick.target[:300])
    report = evaluate(
        ridge, rows[300:], "target", train=rows[:300], resamples=60, slices=["sex", "bmi"]
    )
    assert report.task == "regression"
    r2 = report.metric("r2")
    assert r2.value == pytest.approx(r2_score(sick.target[300:], ridge.predict(sick.data[300:])))
    assert r2.baseline is not None
    assert abs(r2.baseline) < 0.05
    assert report.check("WB005").outcome == report.check("WB008").outcome == "not applicable"
    assert report.check("WB009").outcome == "passed"
    assert not [check for check in report.checks if check.outcome == "skipped"], report.text()
    assert EvaluationReport.model_validate_json(report.model_dump_json()) == report
    assert "Reliability" not in report.html()


def test_hard_labels_are_certain_probabilities() -> None:
    from sklearn.svm import LinearSVC

    model = LinearSVC().fit(_matrix("x", "y"), FRAME["late"])
    report = quick(model, columns=["x", "y"])
    wanted = (model.predict(_matrix("x", "y")) == FRAME["late"].to_numpy()).mean()
    assert report.metric("accuracy").value == pytest.approx(wanted)
    assert report.metric("brier").value == pytest.approx(1 - wanted)


def test_labels_as_words_and_as_numbers_are_the_same() -> None:
    from sklearn.linear_model import LogisticRegression

    words = FRAME.with_columns(late=pl.when("late").then(pl.lit("yes")).otherwise(pl.lit("no")))
    model = LogisticRegression().fit(_matrix("x", "y"), words["late"])
    report = quick(model, words, columns=["x", "y"])
    assert (report.positive, report.classes) == ("yes", ("no", "yes"))
    numbers = FRAME.with_columns(pl.col("late").cast(pl.Float64))
    model = LogisticRegression().fit(_matrix("x", "y"), numbers["late"])
    assert quick(model, numbers, columns=["x", "y"]).metrics == report.metrics
    assert quick(model, FRAME, columns=["x", "y"]).metrics == report.metrics


def test_the_baseline_is_that_of_the_training_rows() -> None:
    train = FRAME.with_columns(late=pl.int_range(pl.len()) % 10 == 0)
    report = quick(train=train)
    rate = FRAME["late"].mean()
    assert report.metric("base_rate").value == pytest.approx(rate)
    wanted = measure("brier", FRAME["late"], np.full(N, 0.1))
    assert report.metric("brier").baseline == pytest.approx(wanted)
    assert report.metric("roc_auc").baseline == pytest.approx(0.5)
    assert report.metric("brier").train == pytest.approx(
        measure("brier", train["late"], Model().score(train))
    )
    assert quick().metric("base_rate").baseline == pytest.approx(rate)


# What is left out, and what can't be


def test_rows_without_label_or_prediction_are_counted() -> None:
    frame = FRAME.with_columns(
        late=pl.when(pl.int_range(pl.len()) >= 100).then("late"),
        x=pl.when(pl.int_range(pl.len()) < 1_450).then("x"),
    )
    report = quick(frame=frame)
    assert (report.rows, report.unlabelled, report.unpredicted) == (1_350, 100, 50)
    known = FRAME[100:1_450]
    wanted = measure("brier", known["late"], Model().score(known))
    assert report.metric("brier").value == pytest.approx(wanted)
    assert "50 rows without a finite prediction" in report.html()


def test_scores_that_are_no_probabilities_are_only_ranked() -> None:
    report = quick(lambda rows: rows["x"].to_numpy(), columns=["x"])
    assert report.metric("roc_auc").value == pytest.approx(
        measure("roc_auc", FRAME["late"], FRAME["x"])
    )
    for name in ("brier", "log_loss", "accuracy"):
        assert report.metric(name).value is None
        assert report.metric(name).interval is None


def test_one_class_only_leaves_ranking_undefined() -> None:
    report = evaluate(Model(), FRAME.filter("late"), "late", resamples=20, slices=["carrier"])
    assert report.metric("roc_auc").value is None
    assert report.metric("brier").value is not None
    assert "not defined" in report.slices[0].note
    assert report.check("WB008").outcome == "issue"
    assert not [check for check in report.checks if check.outcome == "skipped"], report.text()
    assert report.html()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: quick(frame=FRAME.clear()), DataError, "no rows to evaluate"),
        (lambda: quick(train=FRAME.clear()), DataError, "train: the reference has no rows"),
        (lambda: quick(frame=FRAME.with_columns(late=None)), DataError, "has a label"),
        (lambda: quick(label="lat"), NotFoundError, "unknown column 'lat'.*did you mean late"),
        (lambda: quick(time="dya"), NotFoundError, "unknown column 'dya'.*did you mean day"),
        (lambda: quick(key=["customr"]), NotFoundError, "did you mean customer"),
        (lambda: quick(train=FRAME.drop("late")), NotFoundError, "'late' of train"),
        (lambda: quick(metrics=["auc"]), NotFoundError, "unknown metric 'auc'"),
        (lambda: quick(metrics=[]), UsageError, "name at least one"),
        (lambda: quick(floors={"base_rate": 1}), UsageError, "neither good nor bad"),
        (lambda: quick(floors={"rocauc": 1}), NotFoundError, "did you mean roc_auc"),
        (lambda: quick(resamples=0), UsageError, "at least one resample"),
        (lambda: quick(level=1.5), UsageError, "between 0 and 1"),
        (lambda: quick(model=3), UsageError, "a int can't be evaluated"),
        (lambda: quick(lambda rows: [0.5], columns=["x"]), DataError, "expects \\(1500,\\)"),
        (lambda: quick(lambda rows: [0.5], columns=["z"]), NotFoundError, "unknown column 'z'"),
        (lambda: quick(label="carrier", task="regression"), DataError, "no number to predict"),
        (lambda: quick(label="carrier", task="binary"), DataError, "found 3"),
    ],
)
def test_what_cannot_be_evaluated_is_told(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_a_column_that_is_gone_is_told() -> None:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(FRAME.select("x", "y").to_pandas(), FRAME["late"])
    with pytest.raises(DataError, match="the rows lack y"):
        quick(model, FRAME.drop("y"), columns=None)


def _columns(seed: int, count: int) -> pl.DataFrame:
    """Make a column of every type that a frame may have."""
    random = np.random.default_rng(seed)
    whole = random.integers(0, 40, count)
    words = [str(number) for number in whole % 5]
    gaps = [None if number % 3 == 0 else float(number) for number in whole]
    return pl.DataFrame(
        {
            "float": random.normal(size=count),
            "nan": np.where(whole % 3 == 0, np.nan, whole),
            "infinite": np.where(whole % 7 == 0, np.inf, whole),
            "null": pl.Series([None] * count, dtype=pl.Float64),
            "gaps": pl.Series(gaps, dtype=pl.Float64),
            "tiny": pl.Series(whole, dtype=pl.Int8),
            "huge": pl.Series(random.integers(0, 2**63, count), dtype=pl.UInt64),
            "boolean": whole % 2 == 0,
            "text": pl.Series([word if word != "0" else None for word in words], dtype=pl.String),
            "category": pl.Series(words, dtype=pl.Categorical),
            "enum": pl.Series(words, dtype=pl.Enum(list("01234"))),
            "date": [datetime(2013, 1, 1, tzinfo=UTC).date() + timedelta(int(n)) for n in whole],
            "time": [datetime(2013, 1, 1, tzinfo=UTC) + timedelta(hours=int(n)) for n in whole],
            "duration": [timedelta(hours=int(n)) for n in whole],
            "decimal": pl.Series(whole).cast(pl.Decimal(10, 2)),
            "constant": [3] * count,
        }
    )


@pytest.mark.parametrize("count", [1, 2, 40, 400])
def test_columns_of_every_type_break_nothing(count: int) -> None:
    class Every(Model):
        columns = tuple(_columns(0, 1).columns)

        def score(self, frame: pl.DataFrame) -> Any:
            return (frame["huge"] % 1_000).to_numpy() / 1_000

    late = pl.Series("late", [True, *[False, True] * count])[:count]
    report = evaluate(
        Every(),
        _columns(1, count).with_columns(late),
        "late",
        train=_columns(2, count).with_columns(late),
        time="time",
        key="text",
        slices=Every.columns,
        floors={"brier": 0.1},
        resamples=20,
    )
    assert not [check for check in report.checks if check.outcome == "skipped"], report.text()
    assert EvaluationReport.model_validate_json(report.model_dump_json()) == report
    assert report.html()


def test_classes_that_only_training_has_are_classes() -> None:
    frame = FRAME.filter(pl.col("carrier") != "DL")
    report = quick(
        lambda rows: np.full((rows.height, 3), 1 / 3),
        frame,
        columns=["x"],
        label="carrier",
        train=FRAME,
    )
    assert report.classes == ("<b>UA</b>", "AA", "DL")
    with pytest.raises(DataError, match="train: none of 1,500 rows has a label"):
        quick(train=FRAME.with_columns(late=None))


# The report


def full() -> EvaluationReport:
    return evaluate(
        Model(),
        FRAME,
        "late",
        train=FRAME.with_columns(pl.col("day") - pl.duration(days=90), pl.col("x") + 0.1),
        time="day",
        key="customer",
        slices=["carrier", "x > 1", "gap"],
        floors={"roc_auc": 0.9},
        resamples=50,
    )


def test_the_report_survives_json_and_has_a_digest() -> None:
    report = full()
    again = EvaluationReport.model_validate_json(report.model_dump_json())
    assert again == report == full()
    assert again.digest == report.digest
    assert len(report.digest) == 64
    assert evaluate(Model(), FRAME, "late", resamples=50, checks=[]).digest != report.digest
    with pytest.raises(ValueError, match="frozen"):
        report.rows = 3  # type: ignore[misc]


def test_groups_are_drawn_where_keys_repeat() -> None:
    report = quick(key="customer", resamples=60)
    assert report.groups == FRAME["customer"].n_unique()
    numbered = FRAME.with_columns(row=pl.int_range(pl.len()))
    assert quick(frame=numbered, key="row").groups is None
    assert quick(frame=numbered, key=["customer", "row"]).groups is None


def test_the_report_answers_by_name() -> None:
    report = full()
    assert report.outcome == "issue"
    assert report.issues[0].code == "WB004"
    assert report.metric("roc_auc").interval is not None
    for ask in (report.metric, report.check, report.slice):
        with pytest.raises(NotFoundError, match="there are"):
            ask("nothing")
    frame = report.frame()
    assert frame.columns == ["slice", "rows", "metric", "value", "low", "high"]
    whole = frame.row(by_predicate=(pl.col("slice") == "all") & (pl.col("metric") == "brier"))
    assert whole[3] == report.metric("brier").value
    assert set(frame["slice"]) == {"all", *(one.name for one in report.slices if one.metrics)}


def test_the_text_says_what_was_found() -> None:
    text = full().text()
    assert "roc_auc" in text
    assert "WB004 issue" in text
    assert "50 bootstrap resamples of 40 groups of customer" in text
    assert "carrier = AA: roc_auc" in text


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_needs_nothing_else_and_runs_nothing(tmp_path: Path) -> None:
    report = full()
    page = report.to_html(tmp_path / "pages" / "report.html").read_text(encoding="utf-8")
    assert page == report.html()
    parsed = Tags()
    parsed.feed(page)
    assert not {"script", "link", "img", "iframe", "b>ua"} & set(parsed.tags)
    assert parsed.links == []
    assert "http" not in page
    assert "&lt;b&gt;UA&lt;/b&gt;" in page
    assert "<b>UA" not in page
    assert len(page) < 300_000
    for check in report.checks:
        assert check.code in page


def test_a_notebook_shows_page_and_text() -> None:
    report = full()
    shown = report._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}
    assert shown["text/html"].startswith('<div class="wb-report')
    assert shown["text/plain"] == report.text()
    assert repr(report) == "<EvaluationReport of Model on 1,500 rows: issue>"


def test_very_many_slices_are_counted_not_shown() -> None:
    conditions = {f"rule {place}": f"x > {place / 1000}" for place in range(250)}
    report = quick(slices=conditions, metrics=["brier"], resamples=5)
    assert len(report.slices) == 250
    page = report.html()
    assert "and 50 more" in page
    assert len(page) < 300_000


def test_hostile_names_are_escaped() -> None:
    strange = '<script>alert("x")</script>'
    frame = FRAME.rename({"carrier": strange, "late": "l<i>ate"})
    page = quick(frame=frame, label="l<i>ate", slices=[strange]).html()
    assert "<script>" not in page
    assert "<i>ate" not in page
