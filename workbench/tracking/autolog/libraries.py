"""Turning on the autologgers, each once its library is there."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from typing import Any

from mlflow.utils.autologging_utils import AutologgingEventLogger, autologging_is_disabled

from workbench.project import Project
from workbench.tracking.autolog.fitted import remember
from workbench.tracking.autolog.listener import Listener
from workbench.tracking.autolog.params import Fits, guard_params
from workbench.tracking.autolog.pictures import without_plots

__all__ = ["turn_on"]

_logger = logging.getLogger("workbench.tracking")


def turn_on(library: str, project: Project, undo: ExitStack) -> None:
    """Turn on the autologger of a library that is imported; `undo` learns how to turn it off."""
    listener = _listener(project, undo)
    if library == "catboost":
        from workbench.tracking.autolog import catboost

        catboost.autolog(listener)
        undo.callback(catboost.autolog, listener, disable=True)
        return
    flavor = importlib.import_module(f"mlflow.{library}")
    if library == "sklearn":
        importlib.import_module("workbench.tracking.autolog.estimators")
    if not autologging_is_disabled(library):
        return  # somebody has turned it on as they like it
    options = {} if project.settings.autolog_plots else without_plots(library, undo)
    flavor.autolog(log_models=False, log_datasets=False, silent=True, **options)
    undo.callback(flavor.autolog, disable=True)
    if library != "sklearn":
        undo.callback(_remember_boosters(importlib.import_module(library), project))


def _listener(project: Project, undo: ExitStack) -> Listener:
    """Give the one that listens already, or begin to."""
    known = AutologgingEventLogger.get_logger()
    if isinstance(known, Listener):
        return known
    fits = Fits()
    listener = Listener(project, fits)
    before = AutologgingEventLogger._event_logger
    undo.callback(guard_params(fits))
    undo.callback(AutologgingEventLogger.set_logger, before)
    AutologgingEventLogger.set_logger(listener)
    return listener


def _remember_boosters(library: Any, project: Project) -> Callable[[], None]:
    """Keep in mind what `xgboost.train` and `lightgbm.train` give back, of which MLflow's hooks
    don't tell; returns what takes it back.
    """
    train = library.train

    @wraps(train)
    def remembering(*args: Any, **kwargs: Any) -> Any:
        booster = train(*args, **kwargs)
        try:
            import mlflow

            run = mlflow.active_run()
            data = args[1] if len(args) > 1 else kwargs.get("dtrain", kwargs.get("train_set"))
            if run is not None:
                remember(project, run.info.run_id, booster, data)
        except Exception as error:
            _logger.warning("the trained booster is not logged by itself: %s", error)
        return booster

    library.train = remembering

    def undo() -> None:
        if library.train is remembering:
            library.train = train

    return undo
