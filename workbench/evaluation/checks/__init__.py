"""The checks by their codes. A code keeps its meaning for ever; a new check gets a new code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from workbench.errors import ConfigError, NotFoundError
from workbench.evaluation.checks.base import Check, Finding, NotApplicable
from workbench.evaluation.checks.calibrated import Calibration
from workbench.evaluation.checks.dummy import Dummy
from workbench.evaluation.checks.fairness import UnequalSlices
from workbench.evaluation.checks.floors import SliceFloor
from workbench.evaluation.checks.imbalance import Imbalance
from workbench.evaluation.checks.leakage import Leakage
from workbench.evaluation.checks.noise import Noise
from workbench.evaluation.checks.overfitting import Overfitting
from workbench.evaluation.checks.overlap import TimeOverlap
from workbench.evaluation.checks.predicted import Predicted
from workbench.evaluation.checks.schema import ChangedSchema
from workbench.evaluation.checks.twice import SeenRows

__all__ = ["CHECKS", "Check", "Finding", "NotApplicable", "find_check", "find_checks"]

_ALL: tuple[type[Check], ...] = (
    Leakage,
    Overfitting,
    TimeOverlap,
    SliceFloor,
    Calibration,
    Noise,
    SeenRows,
    Imbalance,
    Dummy,
    Predicted,
    ChangedSchema,
    UnequalSlices,
)

CHECKS: Mapping[str, type[Check]] = {check.code: check for check in _ALL}
"""Every check by its code."""


def find_check(code: str, options: Mapping[str, Any] | None = None, *, where: str = "") -> Check:
    """Return the check of that code, with its thresholds set by `options`.

    Parameters
    ----------
    where
        What to say of where the code stands, such as `"factories/x.toml: [gate] checks: "`.

    Raises
    ------
    ConfigError
        If there is no such check, or it has no such threshold; the message has those there are.
    """
    if code not in CHECKS:
        raise ConfigError(f"{where}{NotFoundError.named('check', code, CHECKS)}")
    try:
        return CHECKS[code].model_validate(dict(options or {}))
    except ValidationError as error:
        raise ConfigError(f"{where}check {code}: {_wrong(error, CHECKS[code])}") from None


def _wrong(error: ValidationError, check: type[Check]) -> str:
    first = error.errors()[0]
    name = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return str(NotFoundError.named("option", name, check.model_fields))
    return f"{name} = {first['input']!r}: {first['msg'].lower()}"


def find_checks(codes: Sequence[str | Check] | None = None, *, where: str = "") -> list[Check]:
    """Return those checks, with their usual thresholds; all of them for None."""
    chosen = list(CHECKS) if codes is None else codes
    return [one if isinstance(one, Check) else find_check(one, where=where) for one in chosen]
