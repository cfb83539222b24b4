"""Logging a fitted model of 200 trees with its signature and its requirements, to a SQLite store:
`workbench.log_model` with the rows as its example, beside the library's own `mlflow.*.log_model`
as people write it, which infers both. One process, a store each; a call ahead of the measured
ones, of which the median is taken.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.figures import Figure

ROWS, FEATURES, TREES = 5_000, 12, 200
OURS, PEER = 9, 3
"""How often each is measured; a call of the peer takes seconds."""


def figures() -> Iterator[Figure]:
    """Log one model of each library both ways."""
    warnings.simplefilter("ignore")  # of MLflow's and of the libraries': they are no figure
    from workbench.factory.scaffold import create_project
    from workbench.tracking.flavors import log_model
    from workbench.tracking.session import current_run

    frame, labels = _rows()
    with tempfile.TemporaryDirectory() as folder:
        project = create_project(Path(folder) / "project")
        for library, make in _MODELS.items():
            model = make().fit(frame, labels)
            run = current_run(project)
            run.log_params({"trees": TREES})
            run.log_metrics({"roc_auc": 0.5})
            ours = _seconds(partial(log_model, model, example=frame, project=project), OURS)
            _end_run()
            peer = _peer(library, model, frame, Path(folder))
            yield Figure("tracking", f"log_model_{library}", ours, "s", peer)


def _rows() -> tuple[Any, Any]:
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(0)
    values = random.normal(size=(ROWS, FEATURES))
    labels = values[:, 0] + random.normal(size=ROWS) > 0
    return pd.DataFrame(values, columns=[f"f{i}" for i in range(FEATURES)]), labels.astype(int)


def _peer(library: str, model: Any, frame: Any, folder: Path) -> float:
    """Measure MLflow's call, on a store of its own."""
    import importlib

    import mlflow

    flavor = importlib.import_module(f"mlflow.{library}")
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'peer.db'}")
    name = f"peer-{library}"
    experiment = mlflow.create_experiment(name, artifact_location=(folder / name).as_uri())
    options = {"skops_trusted_types": [TREE]} if library == "sklearn" else {}
    with mlflow.start_run(experiment_id=experiment):
        return _seconds(
            lambda: flavor.log_model(model, name="model", input_example=frame.head(5), **options),
            PEER,
        )


def _end_run() -> None:
    import mlflow

    mlflow.end_run()


def _seconds(call: Callable[[], object], times: int) -> float:
    call()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return median(taken)


def _xgboost() -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(n_estimators=TREES, max_depth=5, n_jobs=1)


def _lightgbm() -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_estimators=TREES, n_jobs=1, verbose=-1)


def _catboost() -> Any:
    from catboost import CatBoostClassifier

    return CatBoostClassifier(
        iterations=TREES, thread_count=1, verbose=False, allow_writing_files=False
    )


def _sklearn() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=TREES)


TREE = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
_MODELS: dict[str, Callable[[], Any]] = {
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "catboost": _catboost,
    "sklearn": _sklearn,
}
