"""What is explained: the model itself, taken out of what holds it, and what is known beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import UsageError
from workbench.explanation.boosters import catboost_names, lightgbm_names
from workbench.explanation.naming import Named, find_version
from workbench.project import Project
from workbench.tracking import load_model

__all__ = ["Subject", "library_of", "subject_of", "width_of"]


@dataclass(frozen=True)
class Subject:
    """A model, how to call it, its columns' names and its classes, as far as they are known."""

    model: Any
    text: str
    columns: list[str] | None
    classes: Sequence[Any] | None
    named: Named | None = None


def subject_of(model: Any, project: Project | None, columns: Sequence[str] | None) -> Subject:
    """Load a version by its name, and take a model out of what holds it."""
    named = None
    if isinstance(model, str):
        project = project or Project.find()
        named = find_version(project, model)
        model = load_model(project, named.uri)
    classes = getattr(model, "classes", None)
    if hasattr(model, "model") and hasattr(model, "columns"):
        columns = columns or model.columns or None
        model = model.model
    model = getattr(model, "best_estimator_", model)
    _check_fitted(model)
    text = type(model).__name__ if named is None else named.text
    known = list(columns) if columns is not None else _names(model)
    own = getattr(model, "classes_", None)
    return Subject(model, text, known, classes if own is None else own, named)


def _check_fitted(model: Any) -> None:
    """Refuse a model that has learnt nothing yet, in one way for all libraries."""
    told = getattr(model, "__sklearn_is_fitted__", None) or getattr(model, "is_fitted", None)
    if callable(told):
        fitted = bool(told())
    elif type(model).__module__.partition(".")[0] == "sklearn":
        from sklearn.exceptions import NotFittedError
        from sklearn.utils.validation import check_is_fitted

        try:
            check_is_fitted(model)
            fitted = True
        except NotFittedError:
            fitted = False
    else:
        fitted = True
    if not fitted:
        raise UsageError(f"the {type(model).__name__} isn't fitted: there is nothing to explain")


def _names(model: Any) -> list[str] | None:
    """Give the names of the columns that a model was fitted on, where it knows them."""
    library = library_of(model)
    if library == "xgboost":
        names = model.get_booster().feature_names if _wrapped(model) else model.feature_names
        return None if names is None else list(names)
    if library == "lightgbm":
        return lightgbm_names(model)
    if library == "catboost":
        return catboost_names(model)
    names = getattr(model, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def _wrapped(model: Any) -> bool:
    return hasattr(model, "get_booster")


def width_of(model: Any) -> int | None:
    """Say how many columns a model was fitted on, where it knows."""
    library = library_of(model)
    if library == "xgboost" and not _wrapped(model):
        return int(model.num_features())
    if library == "lightgbm":
        return int(getattr(model, "booster_", model).num_feature())
    if library == "catboost":
        return len(model.feature_names_)
    width = getattr(model, "n_features_in_", None)
    return None if width is None else int(width)


def library_of(model: Any) -> str | None:
    """Name the library whose own values a model has."""
    for base in type(model).__mro__:
        library = base.__module__.partition(".")[0]
        if library in ("xgboost", "lightgbm", "catboost", "sklearn"):
            return library
    return None
