"""Pipelines: values of the last step's columns, added up by the input column that they came from.

Where a step mixes columns (a projection, products of two) there is no such column; then the whole
pipeline is explained as one model, by approximation, and the result says so.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from workbench.errors import DataError
from workbench.explanation.frames import Rows, as_pandas, take_rows
from workbench.explanation.probing import dense, probed
from workbench.explanation.ways import Answer, asked

__all__ = ["Route", "is_pipeline", "route_of", "summed"]

_PROBE = 200
"""So many rows show which outputs of an unknown step move with which input."""

_OPEN, _CLOSE = "\ue000", "\ue001"
"""Around a column's number, in names given to a step: in no name that somebody would write."""


class Route:
    """The way of rows through a pipeline's first steps, and of their columns back.

    `origins[k]` is the input column of the last step's column k.
    """

    def __init__(self, steps: Any, origins: Sequence[int], takes: str) -> None:
        self.origins = list(origins)
        self._steps = steps
        self._takes = takes

    def rows(self, rows: Rows) -> Rows:
        """Send rows to the last step."""
        with asked(self._steps):
            sent = self._steps.transform(_as(self._takes, rows))
        return take_rows(sent, None, len(self.origins))


def is_pipeline(model: Any) -> bool:
    """Tell whether the model is one of scikit-learn's pipelines."""
    from sklearn.pipeline import Pipeline

    return isinstance(model, Pipeline)


def route_of(steps: Any, rows: Rows) -> Route | str:
    """Find the way through a pipeline's first steps, or say which of them mixes columns."""
    takes = _takes(steps, rows)
    probe = _as(takes, rows.pick(range(min(len(rows.frame), _PROBE))))
    with asked(steps):
        origins = _origins(steps, probe, len(rows.columns))
    mixing = next((origin for origin in origins if isinstance(origin, str)), None)
    if mixing is not None:
        return mixing
    return Route(steps, [origin for origin in origins if isinstance(origin, int)], takes)


def summed(answer: Answer, route: Route, columns: int) -> Answer:
    """Add up the values of the columns that came from one."""
    import numpy as np

    values = np.zeros((*answer.values.shape[:2], columns))
    for place, origin in enumerate(route.origins):
        values[:, :, origin] += answer.values[:, :, place]
    return answer._replace(values=values)


def _takes(steps: Any, rows: Rows) -> str:
    """Find the kind of table that the steps take: as it came, pandas, or a matrix."""
    first = rows.pick([0])
    refused: Exception | None = None
    for kind in ("given", "pandas", "matrix"):
        try:
            steps.transform(_as(kind, first))
        except Exception as error:
            refused = refused or error
        else:
            return kind
    with asked(steps):
        raise refused or DataError("takes no rows")
    raise AssertionError("what was refused was raised")


def _as(kind: str, rows: Rows) -> Any:
    if kind == "given":
        return rows.given
    return as_pandas(rows.frame) if kind == "pandas" else rows.matrix()


Origin = int | str
"""An input column's number, or the name of the step that doesn't let it be told."""


def _origins(step: Any, rows: Any, width: int) -> list[Origin]:
    """Say where each of the step's outputs comes from."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.preprocessing import Normalizer

    if step is None or step == "passthrough":
        return list(range(width))
    if isinstance(step, Pipeline):
        return _through(step, rows, width)
    if isinstance(step, ColumnTransformer):
        return _side_by_side(step, rows)
    if isinstance(step, FeatureUnion):
        parts = (_origins(one, rows, width) for _, one in step.transformer_list if one != "drop")
        return [origin for part in parts for origin in part]
    if isinstance(step, Normalizer):  # it keeps the names, and divides each by all
        return [type(step).__name__] * width
    return _named(step, width) or probed(step, rows, width)


def _through(pipeline: Any, rows: Any, width: int) -> list[Origin]:
    origins: list[Origin] = list(range(width))
    for _, step in pipeline.steps:
        if step is None or step == "passthrough":
            continue
        found = _origins(step, rows, len(origins))
        origins = [origin if isinstance(origin, str) else origins[origin] for origin in found]
        rows = dense(step.transform(rows))
    return origins


def _side_by_side(transformer: Any, rows: Any) -> list[Origin]:
    """Join what the parts say, in the order of their outputs."""
    width = sum(part.stop - part.start for part in transformer.output_indices_.values())
    origins: list[Origin] = [type(transformer).__name__] * width
    for name, step, columns in transformer.transformers_:
        part = transformer.output_indices_[name]
        if part.stop == part.start:
            continue
        places = _places(columns, rows)
        if len(places) == 1:
            origins[part] = places * (part.stop - part.start)
            continue
        found = _origins(step, _selected(rows, places), len(places))
        origins[part] = [o if isinstance(o, str) else places[o] for o in found]
    return origins


def _places(columns: Any, rows: Any) -> list[int]:
    """Turn what a ColumnTransformer calls its columns into their numbers."""
    import numpy as np

    count = rows.shape[1]
    names = list(getattr(rows, "columns", range(count)))
    if isinstance(columns, slice):
        if isinstance(columns.start, str) or isinstance(columns.stop, str):
            return list(range(names.index(columns.start), names.index(columns.stop) + 1))
        return list(range(count))[columns]
    listed = [columns] if isinstance(columns, (str, int)) else list(columns)
    if listed and isinstance(listed[0], (bool, np.bool_)):
        return [place for place, chosen in enumerate(listed) if chosen]
    return [names.index(c) if isinstance(c, str) else range(count)[int(c)] for c in listed]


def _selected(rows: Any, places: Sequence[int]) -> Any:
    if hasattr(rows, "iloc"):
        return rows.iloc[:, list(places)]
    return rows[:, list(places)]


def _named(step: Any, width: int) -> list[Origin] | None:
    """Read the origins off the names that the step makes of names given to it; None if it can't."""
    tokens = [f"{_OPEN}{place}{_CLOSE}" for place in range(width)]
    nameless = copy.copy(step)
    vars(nameless).pop("feature_names_in_", None)
    try:
        made = [str(name) for name in nameless.get_feature_names_out(tokens)]
    except (AttributeError, TypeError, ValueError):
        return None
    origins: list[Origin] = []
    for name in made:
        found = set(_tokens(name))
        if not found:
            return None
        origins.append(found.pop() if len(found) == 1 else type(step).__name__)
    return origins


def _tokens(name: str) -> Iterator[int]:
    for piece in name.split(_OPEN)[1:]:
        yield int(piece.partition(_CLOSE)[0])
