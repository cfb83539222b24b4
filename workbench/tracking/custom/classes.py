"""Whether an object is one that can be stored: of a class of the project's, with a schema."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, UsageError
from workbench.project import Project
from workbench.tracking.custom.loader import DTYPES, StoredModel, asked_by

if TYPE_CHECKING:
    import polars as pl

__all__ = ["as_stored", "own_file", "titled"]

_LIBRARIES = {"xgboost", "lightgbm", "catboost", "sklearn"}
_INSTALLED = {"site-packages", "dist-packages"}


def as_stored(model: Any, project: Project) -> Any:
    """Put what asks it around an object of a class of the project's; leave everything else alone.

    A subclass of one of the four libraries' is the project's own if it has a schema.

    Raises
    ------
    UsageError
        If its class stands where nobody finds it again, or lacks something; says what to do.
    DataError
        If the schema can't be one.
    """
    cls = type(model)
    if isinstance(model, StoredModel):
        raise UsageError(f"{cls.__name__} was loaded from where it is stored already")
    of_library = any(base.__module__.partition(".")[0] in _LIBRARIES for base in cls.__mro__)
    has_schema = getattr(model, "schema", None) is not None
    if not hasattr(cls, "predict") or (of_library and not has_schema) or _is_installed(cls):
        return model
    _check_place(cls, project)
    for method in ("fit", "predict"):
        if not callable(getattr(cls, method, None)):
            raise UsageError(f"{titled(cls)} has no {method}: a model has fit and predict")
    if not has_schema:
        raise UsageError(
            f"{titled(cls)} has no schema, so nothing says which columns it needs: give the class "
            'one, such as schema = {"distance": pl.Float64}'
        )
    if hasattr(model, "predict_proba") and getattr(model, "classes_", None) is None:
        raise UsageError(
            f"{titled(cls)} has predict_proba but no classes_: let fit set it to the labels, in "
            "the order of the probabilities"
        )
    return asked_by(model, _columns(model), DataError)


def titled(cls: type) -> str:
    """Name a class with its module."""
    return f"{cls.__module__}.{cls.__qualname__}"


def own_file(module: object, project: Project) -> Path | None:
    """Return the source file of a module of the project; None if it isn't the project's own."""
    file = getattr(module, "__file__", None)
    if not file or not file.endswith(".py"):
        return None
    path, root = Path(file).resolve(), project.root.resolve()
    if not path.is_relative_to(root) or _INSTALLED & set(path.relative_to(root).parts):
        return None
    return path


def _is_installed(cls: type) -> bool:
    """Say whether a class is some package's, which nobody here can move or give a schema."""
    if cls.__module__ == "__main__" or cls.__module__ not in sys.modules:
        return False
    file = getattr(sys.modules[cls.__module__], "__file__", None)
    return file is None or bool(_INSTALLED & set(Path(file).parts))


def _check_place(cls: type, project: Project) -> None:
    if cls.__module__ == "__main__":
        raise UsageError(
            f"{cls.__qualname__} is defined in the notebook, where nobody who loads it finds it: "
            f"write it into a module of the project (%%writefile {cls.__name__.lower()}.py), "
            "import it from there and fit again"
        )
    module = sys.modules.get(cls.__module__)
    if own_file(module, project) is None:
        raise UsageError(
            f"{titled(cls)} is defined in {getattr(module, '__file__', 'no file')}, outside the "
            f"project {project.root}: move its module there"
        )
    found: Any = module
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    if found is not cls:
        why = "defined in a function" if "<locals>" in cls.__qualname__ else "not what it is now"
        raise UsageError(
            f"{titled(cls)} is {why}; it has to be found in its module by its name: define it at "
            "the top of the module, and make and fit the model anew once that is imported"
        )


def _columns(model: Any) -> list[tuple[str, str]]:
    """Read the schema, a mapping or pandera's, as names and types.

    Raises
    ------
    DataError
        If it has no columns, or a type that there is no word for.
    """
    schema = model.schema
    if not hasattr(schema, "items"):
        if "schema" in getattr(model, "__dict__", {}):
            raise DataError(f"{titled(type(model))}: a schema of pandera's has to be the class's")
        schema = _of_pandera(schema, type(model))
    found = [(str(name), _dtype(str(name), dtype, type(model))) for name, dtype in schema.items()]
    if not found:
        raise DataError(f"the schema of {titled(type(model))} has no columns")
    return found


def _of_pandera(schema: Any, cls: type) -> dict[str, Any]:
    made = schema.to_schema() if hasattr(schema, "to_schema") else schema
    if not hasattr(made, "columns") or not hasattr(made, "validate"):
        raise DataError(
            f"the schema of {titled(cls)} is a {type(schema).__name__}; expected a mapping of "
            "columns to polars types, or a pandera schema"
        )
    return {name: getattr(column.dtype, "type", None) for name, column in made.columns.items()}


def _dtype(name: str, dtype: pl.DataType | type[pl.DataType], cls: type) -> str:
    word = str(dtype.base_type()) if hasattr(dtype, "base_type") else str(dtype)
    if word not in DTYPES or getattr(dtype, "time_zone", None):
        raise DataError(
            f"the schema of {titled(cls)} says {name} is {dtype}; expected one of polars' "
            f"{', '.join(DTYPES)} (a time without a zone, categories as String)"
        )
    return word
