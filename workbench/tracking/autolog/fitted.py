"""Models that were fitted, kept in mind until their run ends.

Of a run's models the last is held, the others only as long as the notebook holds them: a loop that
fits a hundred models isn't made to keep a hundred in memory. Of the rows no more than a few are.
"""

from __future__ import annotations

import logging
import threading
import weakref
from dataclasses import dataclass
from typing import Any

from workbench.project import Project
from workbench.tracking.autolog.pictures import log_importance
from workbench.tracking.flavors import store_model
from workbench.tracking.signatures import Example, take_example
from workbench.tracking.store import client

__all__ = ["log_fitted_models", "remember"]

_MOST = 10
"""Models of one run that are stored by themselves; who fits more says which of them count."""

_AUTOLOGGED = {"workbench.autologged": "true"}

_logger = logging.getLogger("workbench.tracking")
_lock = threading.Lock()
_of_run: dict[str, _Models] = {}


@dataclass(frozen=True)
class _Fitted:
    model: weakref.ReferenceType[Any]
    example: Example


class _Models:
    def __init__(self, project: Project) -> None:
        self.project = project
        self.last: Any = None
        self.fitted: list[_Fitted] = []

    def add(self, model: Any, example: Example) -> None:
        others = [
            one for one in self.fitted if one.model() is not None and one.model() is not model
        ]
        self.fitted = [*others, _Fitted(weakref.ref(model), example)][-_MOST:]
        self.last = model


def remember(project: Project, run_id: str, model: Any, data: Any) -> None:
    """Keep a model in mind with an example of what it was fitted on.

    Fitted again, it counts once, as it is then.
    """
    example = take_example(data)
    with _lock:
        _of_run.setdefault(run_id, _Models(project)).add(model, example)


def log_fitted_models(run_id: str) -> list[str]:
    """Log the models fitted in the run and the runs within it, in the order in which they were.

    Nothing is logged to a run that has a model already: whoever logs one says which of them
    counts. A model that can't be stored is named in the log, with the reason. Returns the URIs.
    """
    with _lock:
        waiting = {known: _of_run[known].project for known in _of_run}
    inner = [
        known for known in waiting if known != run_id and _parent(waiting[known], known) == run_id
    ]
    return [uri for known in (*inner, run_id) if known in waiting for uri in _log(known)]


def _parent(project: Project, run_id: str) -> str | None:
    parent = client(project).get_run(run_id).data.tags.get("mlflow.parentRunId")
    return None if parent is None else str(parent)


def _log(run_id: str) -> list[str]:
    with _lock:
        models = _of_run.pop(run_id, None)
    if models is None:
        return []
    living = [(one, model) for one in models.fitted if (model := one.model()) is not None]
    if not models.project.settings.autolog_plots:
        for _, model in living:
            log_importance(models.project, run_id, model)
    if client(models.project).get_run(run_id).outputs.model_outputs:
        return []
    uris = []
    for one, model in living:
        try:
            uris.append(
                store_model(models.project, run_id, model, "model", one.example, _AUTOLOGGED)
            )
        except Exception as error:
            name = type(model).__name__
            _logger.warning("the %s fitted in run %s is not stored: %s", name, run_id, error)
    return uris
