"""`explain`: which way a model is explained, and whether the values add up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import index
from typing import Any

import polars as pl

from workbench.errors import DataError, UsageError
from workbench.explanation.boosters import catboost_way, lightgbm_way, xgboost_way
from workbench.explanation.frames import Rows, take_rows
from workbench.explanation.linear import is_linear, linear_way
from workbench.explanation.pipelines import Route, is_pipeline, route_of, summed
from workbench.explanation.result import OUTPUT, Explanation
from workbench.explanation.storing import stored_background
from workbench.explanation.subjects import Subject, library_of, subject_of, width_of
from workbench.explanation.trees import tree_way
from workbench.explanation.walks import walking_way
from workbench.explanation.ways import Answer, Background, Way, asked
from workbench.project import Project

__all__ = ["explain"]

_SINGLE, _DOUBLE = (1e-4, 2e-6), (1e-8, 1e-11)
"""How far values may miss the output, by precision: of the sum of their sizes, and of the output's
own size, which is rounded before they are added."""


def explain(
    model: Any,
    frame: Any,
    *,
    background: Any = None,
    columns: Sequence[str] | None = None,
    rows: int | Sequence[int] | None = None,
    approximate: bool = False,
    project: Project | None = None,
) -> Explanation:
    """Say what each column added to what a model says of each row.

    Parameters
    ----------
    model
        A fitted model: of XGBoost, LightGBM or CatBoost, of scikit-learn, a pipeline of these, or
        anything else with `predict_proba`, `decision_function` or `predict`. Or a version by its
        name: `flights-late@champion`, `flights-late/3`, `models:/…`. Or what
        `wb.tracking.load_model` gives.
    frame
        The rows: a polars or pandas frame that has the model's columns and may have more, or a
        matrix.
    background
        The rows that a linear model, or one that is explained by approximation, is compared with:
        a frame, or an earlier explanation, whose background is taken. Unless given, the one that
        was stored with the version, or else `frame` itself.
    columns
        The names of what the model was fitted on, if neither it nor its signature knows them.
    rows
        Explain so many of the rows at the most, or the rows of these numbers. Unless given, all of
        them, or where that would take long (forests, approximations) as many as take some seconds.
    approximate
        Explain by approximation even if the model has values of its own.
    project
        Where the version is registered; unless given, the one of this folder.

    Returns
    -------
    Explanation
        Its values in the order of the frame's columns. The same row, model and background give
        the same values, whichever rows are beside it (of LightGBM's models but for rounding).

    Raises
    ------
    NotFoundError
        If a column is missing, or there is no such version.
    UsageError
        If a column has the wrong type, there are no rows, or the model predicts nothing.
    DataError
        If the model refuses the rows, or the values don't add up to what it says.
    """
    wanted = None if rows is None else _wanted(rows)
    subject = subject_of(model, project, columns)
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    given = take_rows(frame, subject.columns, width_of(subject.model))
    behind = partial(_background, background, subject, project)
    way, route = _way(subject, given, behind, approximate=approximate)
    count = len(given.frame)
    places = _sample(count, way.affordable if wanted is None else wanted)
    chosen = given.pick(places)
    with asked(subject.model):
        answer = way.answer(chosen if route is None else route.rows(chosen))
    checked = _check(subject.text, way, answer)
    if route is not None:
        answer = summed(answer, route, len(given.columns))
    order = [str(name) for name in getattr(frame, "columns", given.columns)]
    return _explanation(subject, way, answer, chosen, order, (count, places), checked)


def _background(given: Any, subject: Subject, project: Project | None) -> Background | None:
    """Take the background that was given, or else the one stored with the version."""
    if isinstance(given, Background):
        return given
    if isinstance(given, Explanation):
        return given.background
    if given is not None:
        rows = take_rows(given, subject.columns, width_of(subject.model))
        return Background(f"the {len(rows.frame):,} rows given", rows=rows.frame)
    if subject.named is None or subject.named.run_id is None:
        return None
    return stored_background(project or Project.find(), subject.named)


def _way(
    subject: Subject,
    given: Rows,
    background: Callable[[], Background | None],
    *,
    approximate: bool,
) -> tuple[Way, Route | None]:
    """Choose how to explain; through a pipeline's steps if they let columns be told."""

    def behind() -> tuple[Background, Rows | None]:
        known = background()
        if known is None and len(given.frame) == 1:
            raise UsageError(
                "one row alone would be compared with itself: give background=, the rows that the "
                "model was fitted on or some like them"
            )
        if known is None:
            return Background(f"the {len(given.frame):,} rows of the frame"), given
        if known.rows is None:
            return known, None
        return known, take_rows(known.rows, given.columns)

    model = subject.model
    route: Route | None = None
    notes: tuple[str, ...] = ()
    if approximate:
        return walking_way(model, *behind()), None
    if is_pipeline(model):
        last = model[-1]
        if last is None or last == "passthrough":
            raise UsageError("the pipeline ends without a model: there is nothing to explain")
        found = route_of(model[:-1], given) if len(model) > 1 else None
        if isinstance(found, str):
            notes = (f"{found} mixes columns, so the pipeline is explained as a whole",)
        else:
            route = found
        way = None if notes else _own_way(last, behind, route)
    else:
        way = _own_way(model, behind, None)
    if way is None:
        return walking_way(model, *behind(), notes), None
    return way, route


def _own_way(
    model: Any, behind: Callable[[], tuple[Background, Rows | None]], route: Route | None
) -> Way | None:
    """Explain by the model's own structure; None if it has none that is known."""
    library = library_of(model)
    if library in _BOOSTERS:
        return _BOOSTERS[library](model)
    if library != "sklearn":
        return None
    if not is_linear(model):
        return tree_way(model)
    background, rows = behind()
    if route is not None and rows is not None:
        rows = route.rows(rows)
    return linear_way(model, background, rows)


def _wanted(rows: Any) -> int | list[int]:
    """Take a number or numbers, NumPy's too: `np.flatnonzero(…)` is how rows are found."""
    try:
        found = list(map(index, rows)) if isinstance(rows, Iterable) else index(rows)
    except TypeError:
        raise UsageError(f"rows={rows!r}: expected a number, or rows' numbers") from None
    if isinstance(found, int) and found < 1:
        raise UsageError(f"rows={found}: expected at least 1")
    return found


def _sample(count: int, rows: int | list[int] | None) -> list[int] | None:
    """Choose which rows are explained; None if all are."""
    if isinstance(rows, list):
        outside = [str(row) for row in rows if not 0 <= row < count][:1]
        if outside or not rows:
            said = f"row {outside[0]}" if outside else "none"
            raise UsageError(f"rows: {said} is asked for; there are {count:,}, from 0 on")
        return rows
    if rows is None or count <= rows:
        return None
    import numpy as np

    chosen = np.random.default_rng(0).choice(count, rows, replace=False)
    return [int(row) for row in np.sort(chosen)]


def _check(text: str, way: Way, answer: Answer) -> tuple[float, float]:
    """Hold the sums against what the model says; return the largest difference and the limit."""
    import numpy as np

    share, rounding = _SINGLE if way.single else _DOUBLE
    if answer.said.shape != answer.values.shape[:2]:
        raise DataError(
            f"{text}: {way.method} gives {answer.values.shape[:2]} outputs and rows, the model "
            f"{answer.said.shape}"
        )
    sums = answer.values.sum(axis=2) + answer.base[:, None]
    error = float(np.abs(sums - answer.said).max())
    size = np.abs(answer.said).max() + np.abs(answer.base).max()
    tolerance = float(share * np.abs(answer.values).sum(axis=2).max() + rounding * size)
    if not error <= tolerance:
        raise DataError(
            f"{text}: values by {way.method} miss the model's {way.units} by {error:.2g}, more "
            f"than {tolerance:.2g}: not additive; approximate=True explains any model that predicts"
        )
    return error, tolerance


def _explanation(
    subject: Subject,
    way: Way,
    answer: Answer,
    chosen: Rows,
    order: Sequence[str],
    sampled: tuple[int, list[int] | None],
    checked: tuple[float, float],
) -> Explanation:
    """Put the columns back into the order in which they were given."""
    rows, places = sampled
    columns = [name for name in order if name in chosen.columns]
    back = [chosen.columns.index(name) for name in columns]
    outputs = len(answer.base)
    classes = [] if subject.classes is None else [str(label) for label in subject.classes]
    named = classes if len(classes) == outputs else [str(place) for place in range(outputs)]
    return Explanation(
        model=subject.text,
        method=way.method,
        flavor=way.flavor,
        units=way.units,
        labels=(OUTPUT,) if outputs == 1 else tuple(named),
        positive=classes[1] if outputs == 1 and len(classes) == 2 else None,
        data=chosen.frame.select(columns),
        array=answer.values[:, :, back],
        base=answer.base,
        said=answer.said,
        additivity_error=checked[0],
        tolerance=checked[1],
        rows=rows,
        places=None if places is None else tuple(places),
        background=way.background,
        errors=None if answer.errors is None else answer.errors[:, :, back],
        notes=way.notes,
    )


_BOOSTERS = {"xgboost": xgboost_way, "lightgbm": lightgbm_way, "catboost": catboost_way}
