"""The four libraries' models: stored in their own format, loaded without running pickled code.

XGBoost, LightGBM and CatBoost have formats of their own; scikit-learn goes through skops, which
loads the types that it and the project's settings trust and refuses all others.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, MissingExtraError, NotFoundError, UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from workbench.project import Project

__all__ = ["FLAVORS", "flavor_of", "load_model", "log_model", "positive_probability"]

FLAVORS = {
    "xgboost": ["xgboost"],
    "lightgbm": ["lightgbm"],
    "catboost": ["catboost"],
    "sklearn": ["scikit-learn", "skops"],
}
"""MLflow's flavors that we store, and the distributions each needs to load."""


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


def log_model(model: Any, signature: Any, trusted_types: list[str]) -> str:
    """Log a fitted model to the active run with its signature; return its URI.

    The requirements are stated, not inferred: inferring loads the model in another process, which
    takes seconds and finds the same.
    """
    flavor = flavor_of(model)
    module = _flavor_module(flavor)
    options: dict[str, Any] = {}
    if flavor == "sklearn":
        options = {"skops_trusted_types": trusted_types, "pyfunc_predict_fn": "predict_proba"}
    elif flavor == "lightgbm":
        # Only the booster has a text format; the scikit-learn wrapper would be pickled.
        model = getattr(model, "booster_", model)
    info = module.log_model(
        model,
        name="model",
        signature=signature,
        pip_requirements=_requirements(flavor),
        **options,
    )
    return str(info.model_uri)


def load_model(project: Project, uri: str) -> Any:
    """Load a stored model in its library's own type.

    Raises
    ------
    DataError
        If its flavor isn't one of the four, or it holds types that the project doesn't trust.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    mlflow.set_tracking_uri(project.tracking_uri)
    mlflow.set_registry_uri(project.tracking_uri)
    try:
        flavors = mlflow.models.get_model_info(uri).flavors
        flavor = next((name for name in FLAVORS if name in flavors), None)
        if flavor is None:
            raise DataError(f"{uri}: its flavors are {', '.join(flavors)}; can't be loaded here")
        return _flavor_module(flavor).load_model(uri)
    except MlflowException as error:
        raise NotFoundError(f"{uri}: can't be loaded: {error.message}") from error


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
