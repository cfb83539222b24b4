"""The four libraries' models: stored in their own format, loaded without running pickled code.

XGBoost, LightGBM and CatBoost have formats of their own; scikit-learn goes through skops, which
loads the types that it and the project's settings trust and refuses all others.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, MissingExtraError, NotFoundError, UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from workbench.project import Project

__all__ = ["FLAVORS", "LoadedModel", "flavor_of", "load_model", "log_model", "positive_probability"]

FLAVORS = {
    "xgboost": ["xgboost"],
    "lightgbm": ["lightgbm"],
    "catboost": ["catboost"],
    "sklearn": ["scikit-learn", "skops"],
}
"""MLflow's flavors that we store, and the distributions each needs to load."""

_NATIVE = {
    "xgboost": ("model_class", {"xgboost.sklearn.XGBClassifier", "xgboost.core.Booster"}),
    "lightgbm": ("model_class", {"lightgbm.basic.Booster"}),
    "catboost": ("model_type", {"CatBoostClassifier"}),
    "sklearn": ("serialization_format", {"skops"}),
}
"""What an MLmodel file has to say for its model to be loaded without running code of its own."""


@dataclass(frozen=True)
class LoadedModel:
    """A model in its library's own type, and the columns that its signature asks for, in order."""

    model: Any
    columns: list[str]


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
    raise UsageError(f"a model of {type(model).__module__}; expected one of: {known}")


def log_model(model: Any, columns: Sequence[str], trusted_types: list[str]) -> str:
    """Log a fitted model to the active run with its signature; return its URI.

    Signature and requirements are stated, not inferred: a sample of rows can't tell which columns
    may be missing, and inferring requirements loads the model in another process for seconds.

    Raises
    ------
    DataError
        If it has scikit-learn types that the project doesn't trust.
    """
    from mlflow.exceptions import MlflowException

    flavor = flavor_of(model)
    module = _flavor_module(flavor)
    options: dict[str, Any] = {}
    if flavor == "sklearn":
        options = {"skops_trusted_types": trusted_types, "pyfunc_predict_fn": "predict_proba"}
    elif flavor == "lightgbm":
        # Only the booster has a text format; the scikit-learn wrapper would be pickled.
        model = getattr(model, "booster_", model)
    try:
        info = module.log_model(
            model,
            name="model",
            signature=_signature(columns),
            pip_requirements=_requirements(flavor),
            **options,
        )
    except MlflowException as error:
        if "untrusted types" not in error.message:
            raise
        raise _untrusted(type(model).__name__, error) from error
    return str(info.model_uri)


def load_model(project: Project, uri: str) -> LoadedModel:
    """Load a stored model without running anything that it brings along.

    MLflow's own loaders go by what the model's file says of itself, pickles and trusted types
    included; here the project's settings decide.

    Raises
    ------
    NotFoundError
        If there is no such model.
    DataError
        If it could only be loaded by unpickling, by running code of its own, or with types that
        the project doesn't trust; or it has no signature.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    mlflow.set_tracking_uri(project.tracking_uri)
    mlflow.set_registry_uri(project.tracking_uri)
    try:
        path = Path(mlflow.artifacts.download_artifacts(uri))
        stored = mlflow.models.Model.load(path)
    except (MlflowException, OSError) as error:
        raise NotFoundError(f"{uri}: can't be loaded: {error}") from error
    flavor, options = _loadable(stored.flavors, uri)
    if stored.signature is None:
        raise DataError(f"{uri}: has no signature, so nothing says which columns it needs")
    if flavor == "sklearn":
        model = _load_skops(path / options["pickled_model"], project.settings.trusted_types)
    else:
        model = _flavor_module(flavor).load_model(str(path))
    return LoadedModel(model, stored.signature.inputs.input_names())


def _loadable(flavors: Mapping[str, Any], uri: str) -> tuple[str, dict[str, Any]]:
    for flavor, (key, accepted) in _NATIVE.items():
        options = flavors.get(flavor)
        if options is None:
            continue
        if options.get(key) in accepted and not options.get("code"):
            return flavor, options
        raise DataError(
            f"{uri}: a {flavor} model with {key} {options.get(key)!r} could only be loaded by "
            f"running code of its own; expected {' or '.join(sorted(accepted))}"
        )
    raise DataError(f"{uri}: expected one of {', '.join(_NATIVE)}; it is {', '.join(flavors)}")


def _load_skops(path: Path, trusted_types: list[str]) -> Any:
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.io.load(path, trusted=trusted_types)
    except UntrustedTypesFoundException as error:
        raise _untrusted(path.name, error) from error


def _untrusted(what: str, error: Exception) -> DataError:
    named = re.search(r"file: (\[.*?\])", str(error))
    types = named[1] if named else "unknown types"
    return DataError(
        f"{what} has types that the project doesn't trust: {types}; "
        "if you do, add them to trusted_types in workbench.toml"
    )


def _signature(columns: Sequence[str]) -> Any:
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    inputs = [ColSpec("double", column, required=False) for column in columns]
    return ModelSignature(Schema(inputs), Schema([TensorSpec(np.dtype("float64"), (-1,))]))


def positive_probability(model: Any, features: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the probability of the positive class.

    Parameters
    ----------
    model
        A fitted binary classifier of one of the four libraries, or a LightGBM booster.
    features
        Shape (rows, features), in the order of the model's signature.

    Returns
    -------
    numpy.ndarray
        Shape (rows,).
    """
    import numpy as np

    matrix = np.asarray(features, dtype=np.float64)
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(matrix), dtype=np.float64)[:, 1]
    return np.asarray(model.predict(matrix), dtype=np.float64)  # a booster gives probabilities


def _flavor_module(flavor: str) -> Any:
    library = "skops" if flavor == "sklearn" else flavor
    if importlib.util.find_spec(library) is None:
        raise MissingExtraError.of(library, "boosting")
    return importlib.import_module(f"mlflow.{flavor}")


def _requirements(flavor: str) -> list[str]:
    names = ["mlflow", "numpy", "pandas", "scikit-learn", *FLAVORS[flavor]]
    return [f"{name}=={importlib.metadata.version(name)}" for name in dict.fromkeys(names)]
