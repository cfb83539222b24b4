"""What runs can be drawn by: their metrics and parameters as axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import NotFoundError, UsageError
from workbench.tracking import RunRecord

__all__ = ["Axis", "axes_of", "chosen_axes"]

_LONGEST = 40
"""Characters of a text that still is a category: a longer one is a description."""

_BESIDE = ("base_rate", "baseline_", "cost_", "training_", "system/")
"""What is logged beside what is aimed at; chosen last."""


@dataclass(frozen=True)
class Axis:
    """A metric or a parameter, with its value in each run; None where there is none.

    `categories` are the texts in their order; an axis without any is of numbers.
    """

    name: str
    values: tuple[float | str | None, ...]
    categories: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its name without its kind."""
        return self.name.partition(".")[2]

    @property
    def places(self) -> list[float]:
        """Where each run is: numbers as they are, categories by their order, NaN for nothing."""
        order = {text: float(place) for place, text in enumerate(self.categories)}
        return [
            math.nan if value is None else order[value] if isinstance(value, str) else value
            for value in self.values
        ]


def axes_of(runs: Sequence[RunRecord]) -> dict[str, Axis]:
    """Find what at least two of the runs have: what differs first, parameters before metrics."""
    parts: dict[str, list[Mapping[str, Any]]] = {
        "params": [run.params for run in runs],
        "metrics": [run.metrics for run in runs],
    }
    found = [
        axis
        for part, columns in parts.items()
        for key in dict.fromkeys(key for column in columns for key in column)
        if (axis := _axis(f"{part}.{key}", [column.get(key) for column in columns])) is not None
    ]
    found.sort(key=lambda axis: not _differs(axis))
    return {axis.name: axis for axis in found}


def chosen_axes(known: Mapping[str, Axis], names: Sequence[str], most: int | None) -> list[Axis]:
    """Choose the axes by their names, or those that tell the most if there are none.

    Raises
    ------
    NotFoundError
        If no run has one of the names.
    UsageError
        If there aren't two, or are more than `most`.
    """
    for name in names:
        if name not in known:
            raise NotFoundError.named("axis", name, known)
    axes = [known[name] for name in names] if names else _usual(known, most)
    if len(axes) < 2 or (most is not None and len(axes) > most):
        raise UsageError(f"{len(axes)} axes: expected {'two' if most == 2 else 'two or more'}")
    return axes


def _axis(name: str, values: Sequence[float | str | None]) -> Axis | None:
    given = [value for value in values if value is not None]
    if len(given) < 2:
        return None
    numbers = [_number(value) for value in values]
    if all(
        number is not None
        for number, value in zip(numbers, values, strict=True)
        if value is not None
    ):
        finite = [
            number if number is not None and math.isfinite(number) else None for number in numbers
        ]
        return Axis(name, tuple(finite)) if sum(one is not None for one in finite) > 1 else None
    if any(len(str(value)) > _LONGEST for value in given):
        return None
    categories = tuple(sorted({str(value) for value in given}))
    return Axis(name, tuple(None if value is None else str(value) for value in values), categories)


def _number(value: float | str | None) -> float | None:
    if value is None or isinstance(value, float | int):
        return value
    try:
        return float(value)
    except ValueError:
        return None


def _differs(axis: Axis) -> bool:
    return len(set(axis.values)) > 1


def _usual(known: Mapping[str, Axis], most: int | None) -> list[Axis]:
    """Some parameters on the left, metrics on the right: what was chosen, then what came of it."""
    full = [axis for axis in known.values() if None not in axis.values and _differs(axis)]
    params = [axis for axis in full if axis.name.startswith("params.")]
    metrics = [axis for axis in full if axis.name.startswith("metrics.")]
    metrics.sort(key=lambda axis: axis.label.startswith(_BESIDE))
    if most == 2:
        two = [*metrics[:2]] if len(metrics) > 1 or not params else [params[0], *metrics[:1]]
        return two if len(two) == 2 else list(known.values())[:2]
    some = [*params[:4], *metrics[:3]]
    return some if len(some) > 1 else list(known.values())[:7]
