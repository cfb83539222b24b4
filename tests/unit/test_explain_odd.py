"""Explaining odd input: one row, columns that never move, steps that keep names and mix values."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import polars as pl
import pytest
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer

from workbench.errors import UsageError
from workbench.explanation import explain

N = 300
RANDOM = np.random.default_rng(5)
FRAME = pl.DataFrame({"a": RANDOM.normal(size=N), "b": RANDOM.normal(size=N), "same": [1.0] * N})
LATE = FRAME["a"].to_numpy() + RANDOM.normal(size=N) > 0


@pytest.mark.parametrize("form", ["pandas", "polars", "matrix"])
def test_one_row_is_explained_as_it_is_among_others(form: str) -> None:
    """A step that names nothing is asked what moves with what; that isn't seen in one row."""
    shapes: dict[str, Any] = {
        "pandas": lambda frame: frame.to_pandas(),
        "polars": lambda frame: frame,
        "matrix": lambda frame: frame.to_numpy(),
    }
    given = shapes[form]
    model = make_pipeline(FunctionTransformer(np.abs), LogisticRegression())
    model.fit(given(FRAME), LATE)
    of_all = explain(model, given(FRAME))
    alone = explain(model, given(FRAME[7:8]), background=of_all)
    assert (of_all.flavor, alone.flavor) == ("interventional", "interventional")
    np.testing.assert_allclose(alone.array[:, 0], of_all.array[:, 7], rtol=1e-12)
    assert not of_all.notes


def test_a_normalizer_mixes_columns_though_it_keeps_their_names() -> None:
    model = make_pipeline(Normalizer(), LogisticRegression()).fit(FRAME.to_pandas(), LATE)
    found = explain(model, FRAME, rows=3)
    assert found.flavor == "approximation"
    assert found.notes[0].startswith("Normalizer mixes columns")


def test_a_row_alone_may_lack_its_category() -> None:
    kinds = FRAME.with_columns(kind=pl.Series(["x", "y", "z"] * (N // 3)))
    known = kinds.with_columns(pl.col("kind").cast(pl.Categorical)).to_pandas()
    model = xgboost.XGBClassifier(n_estimators=3, enable_categorical=True).fit(known, LATE)
    lacking = kinds.with_columns(kind=pl.when(pl.int_range(pl.len()) > 0).then("kind"))
    among, alone = explain(model, lacking), explain(model, lacking[:1])
    np.testing.assert_allclose(alone.array[:, 0], among.array[:, 0], rtol=1e-5)


def test_pandas_frames_that_polars_cannot_read_are_told() -> None:
    model = LogisticRegression().fit(FRAME.to_pandas(), LATE)
    mixed = FRAME.to_pandas().assign(other=[1, "x"] + [2] * (N - 2))
    with pytest.raises(UsageError, match="pandas' frame can't be read"):
        explain(model, mixed)


def test_letters_that_the_font_lacks_are_no_warning() -> None:
    names = ["名前", "a\nb", "<script>"]
    frame = pl.DataFrame(FRAME.to_numpy(), schema=names, orient="row")
    why = explain(LogisticRegression().fit(frame.to_pandas(), LATE), frame)
    assert why.summary().png
    assert why.local(3).png
    assert "<script>" not in why._repr_html_()


def test_rows_are_numbers_of_any_kind() -> None:
    model = LogisticRegression().fit(FRAME.to_pandas(), LATE)
    for rows in (np.array([1, 5]), pl.Series([1, 5]), (1, 5)):
        assert explain(model, FRAME, rows=rows).places == (1, 5)  # type: ignore[arg-type]
    assert len(explain(model, FRAME, rows=np.int64(5)).data) == 5  # type: ignore[arg-type]
    for odd in ("ab", 1.5, [0.5]):
        with pytest.raises(UsageError, match="expected a number, or rows' numbers"):
            explain(model, FRAME, rows=odd)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "units"),
    [
        ({"objective": "mae"}, "target units"),
        ({"objective": "mse"}, "target units"),
        ({"app": "binary"}, "log-odds"),
        ({"objective": "poisson"}, "log of the target"),
    ],
)
def test_lightgbms_other_names_of_objectives_have_units_too(
    options: dict[str, str], units: str
) -> None:
    data = lightgbm.Dataset(FRAME.to_pandas(), label=LATE.astype(float))
    booster = lightgbm.train({**options, "verbose": -1}, data, 3)
    again = lightgbm.Booster(model_str=booster.model_to_string())
    for one in (booster, again):
        assert explain(one, FRAME).units == units
