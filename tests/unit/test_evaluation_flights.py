"""Evaluation on real data: flights of 2013 from New York, and scikit-learn's sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import polars as pl
import pytest

from workbench.data import read
from workbench.evaluation import CHECKS, EvaluationReport, compare, evaluate
from workbench.factory.scaffold import create_project

FEATURES = ["hour", "day", "distance", "carrier_code", "origin_code"]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Flights that arrived, with what a timetable says of them."""
    project = create_project(tmp_path_factory.mktemp("flights") / "project", "flights")
    known = read("flights", project).filter(pl.col("arr_delay").is_not_null())
    return known.filter(pl.col("month") <= 4).select(
        "hour",
        "day",
        "month",
        "dep_delay",
        "carrier",
        "origin",
        "tailnum",
        pl.col("distance").cast(pl.Float64),
        moment=pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC"),
        carrier_code=pl.col("carrier").rank("dense").cast(pl.Int64),
        origin_code=pl.col("origin").rank("dense").cast(pl.Int64),
        late=pl.col("arr_delay") > 15,
    )


@pytest.fixture(scope="module")
def sides(flights: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    train = flights.filter(pl.col("month") <= 3).sample(20_000, seed=0)
    return train, flights.filter(pl.col("month") == 4).sample(6_000, seed=0)


def fitted(train: pl.DataFrame, columns: list[str]) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(max_iter=30, random_state=0)
    return model.fit(train.select(columns).to_pandas(), train["late"].to_numpy())


@pytest.fixture(scope="module")
def report(sides: tuple[pl.DataFrame, pl.DataFrame]) -> EvaluationReport:
    train, april = sides
    return evaluate(
        fitted(train, FEATURES),
        april,
        "late",
        train=train,
        time="moment",
        slices=["carrier", "origin", "origin = 'EWR' and hour >= 17"],
        floors={"roc_auc": 0.55, "brier": 0.25},
        resamples=100,
    )


def test_an_honest_model_of_the_timetable(report: EvaluationReport) -> None:
    assert report.task == "binary"
    assert report.rows == 6_000
    assert [check.code for check in report.checks] == list(CHECKS)
    outcomes = {check.code: check.outcome for check in report.checks}
    assert "skipped" not in outcomes.values(), report.text()
    for code in ("WB001", "WB003", "WB006", "WB008", "WB009", "WB010", "WB011"):
        assert outcomes[code] == "passed", report.check(code).explanation
    auc = report.metric("roc_auc")
    assert auc.interval is not None
    assert 0.55 < auc.interval.low < (auc.value or 0) < auc.interval.high < 0.8
    assert len(report.html()) < 300_000


def test_delay_at_departure_is_a_suspect(sides: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    train, april = sides
    columns = [*FEATURES, "dep_delay"]
    found = evaluate(fitted(train, columns), april, "late", checks=["WB001"], resamples=50)
    check = found.check("WB001")
    assert check.outcome == "passed", "at 0.93 it is strong, but planes do catch up"
    assert max(check.numbers, key=lambda name: check.numbers[name]) == "dep_delay"
    arrival = april.with_columns(dep_delay=pl.col("late") * 60.0 + pl.col("day"))
    leaky = evaluate(fitted(train, columns), arrival, "late", checks=["WB001"], resamples=50)
    assert leaky.check("WB001").columns == ("dep_delay",)
    assert leaky.check("WB001").outcome == "issue"


def test_a_random_split_of_time_is_told(flights: pl.DataFrame) -> None:
    mixed = flights.sample(8_000, seed=1)
    found = evaluate(
        fitted(mixed[:6_000], FEATURES),
        mixed[6_000:],
        "late",
        train=mixed[:6_000],
        time="moment",
        checks=["WB003"],
        resamples=20,
    )
    assert found.check("WB003").outcome == "issue"


def test_planes_as_groups(sides: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    train, april = sides
    model = fitted(train, FEATURES)
    found = evaluate(model, april, "late", key="tailnum", checks=[], metrics=["brier"])
    assert found.groups == april["tailnum"].n_unique()


def test_the_weaker_of_two_is_told(sides: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    train, april = sides
    truth = april["late"].to_numpy()
    whole, part = (
        fitted(train, columns).predict_proba(april.select(columns).to_pandas())[:, 1]
        for columns in (FEATURES, ["distance"])
    )
    found = compare("roc_auc", truth, whole, part, resamples=200)
    assert found.better()
    assert not compare("roc_auc", truth, part, whole, resamples=200).not_worse(tolerance=0.01)


def test_a_tumour_is_told_by_one_measure() -> None:
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier

    loaded = load_breast_cancer(as_frame=True)
    rows = pl.from_pandas(loaded.frame).sample(fraction=1.0, shuffle=True, seed=0)
    train, test = rows[:300], rows[300:]
    names = list(loaded.data.columns)
    model = RandomForestClassifier(50, random_state=0)
    model.fit(train.select(names).to_pandas(), train["target"])
    found = evaluate(model, test, "target", train=train, resamples=60)
    assert found.positive == "1"
    assert found.check("WB001").outcome == "tip"  # worst perimeter and the like: real, and strong
    assert found.check("WB002").outcome == "passed"
    assert found.check("WB007").outcome == "passed"
    assert found.metric("roc_auc").train == pytest.approx(1.0)
    again = evaluate(model, pl.concat([test, train[:80]]), "target", train=train, resamples=20)
    assert again.check("WB007").outcome == "issue"
    assert again.check("WB007").numbers["rows"] == 80


def test_handwritten_digits() -> None:
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    digits = load_digits()
    pixels = digits.data[:, ::4] / 16
    rows = pl.DataFrame(pixels, schema=[f"p{n}" for n in range(pixels.shape[1])])
    rows = rows.with_columns(digit=pl.Series(digits.target))
    model = LogisticRegression(max_iter=2_000).fit(pixels[:1_000], digits.target[:1_000])
    found = evaluate(model, rows[1_000:], "digit", train=rows[:1_000], resamples=40)
    assert found.task == "multiclass"
    wanted = np.mean(model.predict(pixels[1_000:]) == digits.target[1_000:])
    assert found.metric("accuracy").value == pytest.approx(wanted)
    assert not [check for check in found.checks if check.outcome == "skipped"], found.text()


def test_the_guide_and_the_code_say_the_same() -> None:
    guide = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    for code, check in CHECKS.items():
        assert f"### {code} {check.title}\n" in guide
        for option in check.model_fields:
            assert f"`{option}" in guide, f"{code}: {option}"
    tour = nbformat.read(ROOT / "notebooks" / "tour" / "evaluation.ipynb", as_version=4)
    assert "wb.evaluation.evaluate" in "".join(cell.source for cell in tour.cells)
