"""How a model of each library stands in a folder, and how it is read back from one.

XGBoost, LightGBM's boosters and CatBoost have formats of their own, and scikit-learn goes through
skops; none of them runs code that comes with the file. A class of the project's own is stored with
its source (`workbench.tracking.custom`). What has none of these can only be pickled, which the
project's settings have to allow, and which is on record.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workbench.errors import DataError, MissingExtraError, WorkbenchError
from workbench.tracking.custom import CUSTOM, StoredModel, read_custom, write_custom
from workbench.tracking.libraries import flavor_of
from workbench.tracking.signatures import sklearn_method
from workbench.tracking.trusted import TRUSTED_TYPES, check_trees

if TYPE_CHECKING:
    from workbench.project import Project
    from workbench.settings import Settings

__all__ = [
    "Format",
    "Written",
    "format_of",
    "kind_of",
    "read_model",
    "write_model",
]

Format = Literal["native", "skops", "custom", "pickle"]

_XGBOOST = {
    "xgboost.core.Booster",
    *(
        f"xgboost.sklearn.XGB{kind}"
        for kind in ("Classifier", "Regressor", "Ranker", "RFClassifier", "RFRegressor")
    ),
}
_CATBOOST = {"CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker"}
_NATIVE = {
    "xgboost": ("model_class", _XGBOOST),
    "lightgbm": ("model_class", {"lightgbm.basic.Booster"}),
    "catboost": ("model_type", _CATBOOST),
    "sklearn": ("serialization_format", {"skops"}),
}
"""What an MLmodel file has to say for its model to be loaded without running code of its own."""

_PICKLES = {"pickle", "cloudpickle"}

_logger = logging.getLogger("workbench.tracking")


@dataclass(frozen=True)
class Written:
    """What MLmodel has to say of a model that was written: the flavor's entry, and pyfunc's."""

    flavor: str
    options: dict[str, Any]
    pyfunc: dict[str, Any]
    format: Format
    packages: frozenset[str] = frozenset()
    """What its code and its state need beside the flavor's own."""


def kind_of(model: object) -> str:
    """Name the flavor of a fitted model, or what it is if its class is the project's own."""
    return CUSTOM if isinstance(model, StoredModel) else flavor_of(model)


def format_of(flavors: Mapping[str, Any]) -> Format:
    """Say how a model is stored, by its MLmodel file: what is no pickle may still be refused."""
    if CUSTOM in flavors:
        return "pickle" if flavors[CUSTOM].get("pickled") else "custom"
    known = next((flavor for flavor in _NATIVE if flavor in flavors), None)
    if known is None:
        return "pickle"  # MLflow's other flavors are, or bring code of their own
    key, accepted = _NATIVE[known]
    if flavors[known].get(key) not in accepted:
        return "pickle"
    return "skops" if known == "sklearn" else "native"


def write_model(model: Any, folder: Path, project: Project) -> Written:
    """Write `model` into `folder`, in its library's own format where there is one.

    Raises
    ------
    DataError
        If it could only be pickled, or has types that the project doesn't trust.
    """
    flavor = kind_of(model)
    require(flavor)
    if flavor == CUSTOM:
        options, pyfunc, packages, pickled = write_custom(model, folder, project)
        options["pickled"] = pickled
        kind: Format = "pickle" if pickled else "custom"
        return Written(CUSTOM, options, pyfunc, kind, frozenset(packages))
    try:
        return _WRITERS[flavor](model, folder, project.settings)
    except DataError:
        if project.settings.trust_pickle:
            return _write_pickle(model, folder)
        raise


def read_model(flavors: Mapping[str, Any], folder: Path, project: Project, uri: str) -> Any:
    """Load the model in `folder`, by the project's word and not by the file's.

    Parameters
    ----------
    flavors
        The entries of its MLmodel file; anyone may have written them.

    Raises
    ------
    DataError
        If it could only be loaded by unpickling, by running code of its own, or with types that
        the project doesn't trust.
    """
    settings = project.settings
    if CUSTOM in flavors:
        return read_custom(flavors, folder, project, uri)
    flavor, options = _loadable(flavors, uri, pickles=settings.trust_pickle)
    require(flavor)
    path = _inside(folder, options.get("pickled_model" if flavor == "sklearn" else "data"), uri)
    reader = _READERS[flavor]
    if options.get("serialization_format") in _PICKLES:
        _logger.warning("%s is unpickled, as workbench.toml says trust_pickle = true", uri)
        reader = _read_pickle
    try:
        return reader(options, path, settings)
    except WorkbenchError:
        raise
    except Exception as error:  # each library has its own ways to say that a file is no model
        raise DataError(f"{uri}: can't be read as a {flavor} model: {error}") from error


def require(flavor: str) -> None:
    """Fail with the line that installs what the flavor needs, if it isn't there.

    Raises
    ------
    MissingExtraError
        If the library isn't installed.
    """
    library = "skops" if flavor in ("sklearn", CUSTOM) else flavor
    if importlib.util.find_spec(library) is None:
        raise MissingExtraError.of(library, "boosting")


def _loadable(flavors: Mapping[str, Any], uri: str, *, pickles: bool) -> tuple[str, dict[str, Any]]:
    for flavor, (key, accepted) in _NATIVE.items():
        options = flavors.get(flavor)
        if options is None:
            continue
        pickled = flavor == "sklearn" and options.get(key) in _PICKLES
        if not options.get("code") and (options.get(key) in accepted or (pickled and pickles)):
            return flavor, options
        more = "; a pickle is loaded where workbench.toml says trust_pickle = true"
        raise DataError(
            f"{uri}: a {flavor} model with {key} {options.get(key)!r} could only be loaded by "
            f"running code of its own; expected {' or '.join(sorted(accepted))}"
            f"{more if pickled else ''}"
        )
    raise DataError(f"{uri}: expected one of {', '.join(_NATIVE)}; it is {', '.join(flavors)}")


def _inside(folder: Path, name: object, uri: str) -> Path:
    """Find the model's own file, which must be one of the folder's."""
    path = folder / str(name)
    if not name or not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise DataError(f"{uri}: has no file {name!r} of its own")
    return path


def _no_format(model: Any, accepted: set[str]) -> DataError:
    return DataError(
        f"{_class(model)} has no format but a pickle; expected {', '.join(sorted(accepted))}. "
        "Log one of these, or set trust_pickle = true in workbench.toml"
    )


def _class(model: Any) -> str:
    return f"{type(model).__module__}.{type(model).__qualname__}"


def _write_xgboost(model: Any, folder: Path, settings: Settings) -> Written:
    import xgboost

    if _class(model) not in _XGBOOST:
        raise _no_format(model, _XGBOOST)
    model.save_model(folder / "model.ubj")
    options = {
        "xgb_version": xgboost.__version__,
        "data": "model.ubj",
        "model_class": _class(model),
        "model_format": "ubj",
    }
    return Written("xgboost", options, {"data": "model.ubj"}, "native")


def _read_xgboost(options: Mapping[str, Any], path: Path, settings: Settings) -> Any:
    import xgboost

    model = getattr(xgboost, options["model_class"].rpartition(".")[2])()
    model.load_model(path)
    return model


def _write_lightgbm(model: Any, folder: Path, settings: Settings) -> Written:
    import lightgbm

    # Only the booster has a text format; the scikit-learn wrapper around it would be pickled.
    booster = getattr(model, "booster_", model)
    booster.save_model(folder / "model.lgb")
    options = {
        "lgb_version": lightgbm.__version__,
        "data": "model.lgb",
        "model_class": "lightgbm.basic.Booster",
    }
    return Written("lightgbm", options, {"data": "model.lgb"}, "native")


def _read_lightgbm(options: Mapping[str, Any], path: Path, settings: Settings) -> Any:
    import lightgbm

    return lightgbm.Booster(model_file=path)


def _write_catboost(model: Any, folder: Path, settings: Settings) -> Written:
    import catboost

    if type(model).__module__ != "catboost.core" or type(model).__name__ not in _CATBOOST:
        raise _no_format(model, _CATBOOST)
    model.save_model(str(folder / "model.cb"))
    options = {
        "catboost_version": catboost.__version__,
        "data": "model.cb",
        "model_type": type(model).__name__,
        "save_format": "cbm",
    }
    return Written("catboost", options, {"data": "model.cb"}, "native")


def _read_catboost(options: Mapping[str, Any], path: Path, settings: Settings) -> Any:
    import catboost

    model = getattr(catboost, options["model_type"])()
    model.load_model(str(path), format=options.get("save_format") or "cbm")
    return model


def _write_sklearn(model: Any, folder: Path, settings: Settings) -> Written:
    import skops.io

    path = folder / "model.skops"
    try:
        with _no_collection():
            skops.io.dump(model, path)
            needed = skops.io.get_untrusted_types(file=path)
    except Exception as error:  # whatever an unknown object of the model's says of being written
        path.unlink(missing_ok=True)
        raise DataError(
            f"{_class(model)} has what skops can't write: {error}. Replace it, or set "
            "trust_pickle = true in workbench.toml"
        ) from error
    trusted = {*TRUSTED_TYPES, *settings.trusted_types}
    if unknown := sorted(set(needed) - trusted):
        path.unlink()
        raise _untrusted(type(model).__name__, unknown, ", or set trust_pickle = true there")
    options = {
        "sklearn_version": importlib.import_module("sklearn").__version__,
        "pickled_model": path.name,
        "serialization_format": "skops",
        "skops_trusted_types": needed or None,
    }
    asked = {"model_path": path.name, "predict_fn": sklearn_method(model)}
    return Written("sklearn", options, asked, "skops")


@contextmanager
def _no_collection() -> Iterator[None]:
    """Put off garbage collection: it would go through every module for skops's many small dicts."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read_sklearn(options: Mapping[str, Any], path: Path, settings: Settings) -> Any:
    import skops.io

    trusted = {*TRUSTED_TYPES, *settings.trusted_types}
    if unknown := sorted(set(skops.io.get_untrusted_types(file=path)) - trusted):
        raise _untrusted(path.name, unknown)
    model = skops.io.load(path, trusted=sorted(trusted))
    check_trees(model, path.name)
    return model


def _untrusted(what: str, unknown: list[str], otherwise: str = "") -> DataError:
    return DataError(
        f"{what} has types that the project doesn't trust: {unknown}; "
        f"if you do, add them to trusted_types in workbench.toml{otherwise}"
    )


def _write_pickle(model: Any, folder: Path) -> Written:
    import cloudpickle

    path = folder / "model.pkl"
    with path.open("wb") as file:
        cloudpickle.dump(model, file)
    options = {
        "sklearn_version": importlib.import_module("sklearn").__version__,
        "pickled_model": path.name,
        "serialization_format": "cloudpickle",
    }
    asked = {"model_path": path.name, "predict_fn": sklearn_method(model)}
    return Written("sklearn", options, asked, "pickle")


def _read_pickle(options: Mapping[str, Any], path: Path, settings: Settings) -> Any:
    import cloudpickle

    with path.open("rb") as file:
        return cloudpickle.load(file)


_WRITERS = {
    "xgboost": _write_xgboost,
    "lightgbm": _write_lightgbm,
    "catboost": _write_catboost,
    "sklearn": _write_sklearn,
}
_READERS = {
    "xgboost": _read_xgboost,
    "lightgbm": _read_lightgbm,
    "catboost": _read_catboost,
    "sklearn": _read_sklearn,
}
