"""The libraries whose models are stored, and which of them a model belongs to."""

from __future__ import annotations

from workbench.errors import UsageError

__all__ = ["FLAVORS", "flavor_of"]

FLAVORS = ("xgboost", "lightgbm", "catboost", "sklearn")
"""MLflow's flavors that we store."""


def flavor_of(model: object) -> str:
    """Name the flavor of a fitted model.

    Raises
    ------
    UsageError
        If it belongs to none of the four libraries.
    """
    for base in type(model).__mro__:
        library = base.__module__.partition(".")[0]
        if library in FLAVORS:
            return library
    known = ", ".join(FLAVORS)
    raise UsageError(
        f"a model of {type(model).__module__}; expected one of: {known}; or a class of the "
        "project's own with fit, predict and a schema"
    )
