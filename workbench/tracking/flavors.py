"""The four libraries' models, and the project's own: logged in a tenth of a second, loaded without
running code that comes with them.

>>> import workbench as wb
>>> wb.tracking.log_model(model, example=frame)  # doctest: +SKIP
'models:/m-4f0e...'

MLflow's own `log_model` loads each model once more in another process to see what it imports, and
its loaders do what a stored file says of itself. Here requirements are looked up, the signature is
read off the example, and the project's settings say what may be loaded. What is stored is MLflow's
format all the same: its loaders, `pyfunc` and its UI read it.
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, NotFoundError, StoreError, UsageError
from workbench.lineage import fitted
from workbench.project import Project
from workbench.tracking import custom
from workbench.tracking.asking import answers, gives_probabilities
from workbench.tracking.integrity import DIGEST, check_files, folder_digest
from workbench.tracking.libraries import flavor_of
from workbench.tracking.models import Written, kind_of, read_model, write_model
from workbench.tracking.recorded import write_recorded
from workbench.tracking.requirements import requirements, write_environment
from workbench.tracking.signatures import Example, named_columns, signature_of, take_example
from workbench.tracking.store import client

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from mlflow.entities import Run as MlflowRun
    from mlflow.models import Model

__all__ = [
    "LoadedModel",
    "fetch_model",
    "load_model",
    "log_model",
    "positive_probability",
    "store_model",
]


@dataclass(frozen=True)
class LoadedModel:
    """A model in its library's own type, and the columns that its signature asks for, in order.

    `columns` is empty where the model was logged with a matrix whose columns have no names.
    `classes` are a classifier's labels in the order of its probabilities, which a booster on its
    own doesn't remember; None for anything else.
    """

    model: Any
    columns: list[str]
    classes: list[Any] | None = None
    size: int = 0
    """Bytes of its files."""
    types: tuple[str, ...] = ()
    """The signature's type of each of `columns`."""


def log_model(
    model: Any,
    name: str = "model",
    *,
    example: Any = None,
    columns: Sequence[str] | None = None,
    project: Project | None = None,
    run_id: str | None = None,
) -> str:
    """Log a fitted model to the run; return its URI.

    Parameters
    ----------
    model
        A classifier, regressor or ranker of XGBoost, LightGBM or CatBoost, a booster, a
        scikit-learn estimator or pipeline, or an object of a class of the project's own with
        `fit`, `predict` and a `schema`.
    example
        Rows like those it was fitted on (all of them are best: a few can't tell which columns may
        be missing): a polars or pandas frame, or a matrix.
    columns
        The names of a matrix's columns, or those of the frame that are features. Without an
        example they alone are the signature: numbers, each of which may be missing.
    run_id
        The run to log to; unless given, the one that this notebook or job is in.

    Raises
    ------
    UsageError
        If there is neither an example nor columns, or the name can't be used.
    DataError
        If the model could only be pickled, or has types that the project doesn't trust; the
        message names them and both ways out. If it can't predict on the example.
    """
    project = project or Project.find()
    if run_id is None:
        from workbench.tracking.session import current_run

        # The run sends on first what it was given before.
        return current_run(project).log_model(model, columns, name=name, example=example)
    model = custom.as_stored(model, project)
    return store_model(project, run_id, model, name, _shown(model, example, columns))


def store_model(
    project: Project,
    run_id: str,
    model: Any,
    name: str,
    shown: Example,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Store a model of which an example was taken earlier; `tags` are the model's."""
    flavor = kind_of(model)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        written = write_model(model, folder, project)
        record = _record(model, flavor, written, shown)
        if flavor == custom.CUSTOM:
            custom.check_same(model, record.flavors, folder, project, shown.rows)
        if shown.rows is not None and shown.real:
            write_recorded(folder, model, shown.rows)
        pickled = written.format == "pickle"
        inner = getattr(model, "own", model)
        pinned = requirements(flavor, inner, written.packages, pickled=pickled)
        write_environment(folder, pinned)
        with _as_workbench_error():
            uri = _publish(project, run_id, name, folder, record, written, tags or {})
    fitted(run_id, _inputs(record))
    return uri


def _inputs(record: Model) -> list[str]:
    """Return the names of a model's input columns; none if it takes a bare matrix."""
    inputs = record.signature.inputs if record.signature is not None else None
    if inputs is None or inputs.is_tensor_spec():
        return []
    return [str(name) for name in inputs.input_names()]


def _shown(model: Any, example: Any, columns: Sequence[str] | None) -> Example:
    """Take the example, or make do with the columns or the names that the model has of them."""
    if isinstance(model, custom.StoredModel):
        return custom.shown(model, example, columns)
    flavor_of(model)  # before the example's faults, that there is no use for it
    if example is not None:
        return take_example(example, columns)
    names = columns if columns is not None else getattr(model, "feature_names_in_", None)
    if names is None:
        raise UsageError("log_model: give example=, some rows as the model was fitted on")
    return named_columns(list(names))


def _record(model: Any, flavor: str, written: Written, shown: Example) -> Model:
    """Fill in MLflow's MLmodel file, but for where it will be."""
    from mlflow.models import Model

    labels = _classes(model)
    record = Model(
        signature=signature_of(model, flavor, shown),
        metadata=None if labels is None else {"classes": labels},
    )
    record.add_flavor(
        "python_function",
        python_version=platform.python_version(),
        env={"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
        **{"loader_module": f"mlflow.{written.flavor}", **written.pyfunc},
    )
    record.add_flavor(written.flavor, code=None, **written.options)
    return record


def _classes(model: Any) -> list[Any] | None:
    labels = getattr(model, "classes_", None)
    if labels is None or getattr(labels, "ndim", 1) != 1 or len(labels) == 0:
        return None
    return [str(label) if isinstance(label, str) else _plain(label) for label in labels]


def _plain(label: Any) -> Any:
    """Turn NumPy's scalars into Python's, which YAML can hold."""
    return label.item() if hasattr(label, "item") else str(label)


def _publish(
    project: Project,
    run_id: str,
    name: str,
    folder: Path,
    record: Model,
    written: Written,
    tags: Mapping[str, str],
) -> str:
    """Make the model known once all of it is written; it is ready when its files have arrived."""
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    mlflow = client(project)
    run = mlflow.get_run(run_id)
    described = {"workbench.model_format": written.format, **_origin(run), **tags}
    made = mlflow.create_logged_model(
        experiment_id=run.info.experiment_id,
        name=name,
        source_run_id=run_id,
        tags=described,
        params=run.data.params,
    )
    try:
        record.artifact_path = made.artifact_location
        record.run_id, record.model_uuid, record.model_id = run_id, made.model_id, made.model_id
        files = (path for path in folder.rglob("*") if path.is_file())
        record.model_size_bytes = sum(path.stat().st_size for path in files)
        record.save(folder / "MLmodel")
        mlflow.set_logged_model_tags(made.model_id, {DIGEST: folder_digest(folder)})
        mlflow.log_model_artifacts(made.model_id, str(folder))
        mlflow.log_outputs(run_id, [LoggedModelOutput(made.model_id, step=0)])
        _attach_metrics(project, run, made.model_id)
        if written.format == "pickle":
            mlflow.set_tag(run_id, "workbench.model_format", "pickle")
    except BaseException:
        mlflow.finalize_logged_model(made.model_id, LoggedModelStatus.FAILED)
        raise
    mlflow.finalize_logged_model(made.model_id, LoggedModelStatus.READY)
    return f"models:/{made.model_id}"


def _origin(run: MlflowRun) -> dict[str, str]:
    """Repeat on the model where its run's code came from, as MLflow does."""
    prefixes = ("mlflow.source.", "mlflow.user", "mlflow.project")
    return {key: value for key, value in run.data.tags.items() if key.startswith(prefixes)}


def _attach_metrics(project: Project, run: MlflowRun, model_id: str) -> None:
    """Let the run's metrics as they stand be found at the model as well."""
    from mlflow.entities import Metric

    metrics = [
        Metric(
            one.key, one.value, one.timestamp, one.step, model_id=model_id, run_id=run.info.run_id
        )
        for one in run.data.to_proto().metrics
    ]
    for start in range(0, len(metrics), 1000):  # MLflow's limit of a batch
        client(project).log_batch(run.info.run_id, metrics=metrics[start : start + 1000])


@contextmanager
def _as_workbench_error() -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        wrong = error.error_code == "INVALID_PARAMETER_VALUE"
        raise (UsageError if wrong else StoreError)(f"log_model: {error.message}") from error


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
        the project doesn't trust; its files were changed since it was logged; or it has no
        signature.
    """
    import mlflow

    path = fetch_model(project, uri)
    stored = mlflow.models.Model.load(path)
    model = read_model(stored.flavors, path, project, uri)
    if stored.signature is None or stored.signature.inputs is None:
        raise DataError(f"{uri}: has no signature, so nothing says which columns it needs")
    inputs = stored.signature.inputs
    named = not inputs.is_tensor_spec()
    columns = [str(name) for name in inputs.input_names()] if named else []
    types = tuple(str(getattr(t, "name", t)) for t in inputs.input_types()) if named else ()
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return LoadedModel(model, columns, (stored.metadata or {}).get("classes"), size, types)


def fetch_model(project: Project, uri: str) -> Path:
    """Return the folder of a stored model's files, after a look at whether they are as logged.

    Raises
    ------
    NotFoundError
        If there is no such model, or its files are gone.
    DataError
        If they were changed since it was logged.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    mlflow.set_tracking_uri(project.tracking_uri)
    mlflow.set_registry_uri(project.tracking_uri)
    try:
        path = Path(mlflow.artifacts.download_artifacts(uri))
        mlflow.models.Model.load(path)
        check_files(project, uri, path)
    except (MlflowException, OSError) as error:
        raise NotFoundError(f"{uri}: can't be loaded: {error}") from error
    return path


def positive_probability(model: Any, features: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the probability of the positive class.

    Parameters
    ----------
    model
        A fitted binary classifier of one of the four libraries, or a booster of one.
    features
        Shape (rows, features), in the order of the model's signature.

    Returns
    -------
    numpy.ndarray
        Shape (rows,).

    Raises
    ------
    DataError
        If the model doesn't tell two classes apart.
    """
    import numpy as np

    if not gives_probabilities(model):
        raise DataError(f"{type(model).__name__} gives no probabilities; expected a classifier")
    answer = answers(model, np.asarray(features, dtype=np.float64))
    if answer.ndim != 1:
        raise DataError(f"{type(model).__name__} tells {answer.shape[1]} classes apart, not two")
    return answer
