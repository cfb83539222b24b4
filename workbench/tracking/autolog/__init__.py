"""Autologging: what is fitted is in the run, without a line of code.

scikit-learn, XGBoost and LightGBM are logged by MLflow's own autologgers and CatBoost, for which
it has none, by one of ours that runs on the same machinery. Around them stands what they lack:

- nothing is imported before the notebook imports it;
- a parameter that the run already has with another value costs none of the others (`params`);
- the fitted model itself is stored at the run's end, by the fast `log_model` (`fitted`).

Training never fails for it: what can't be logged is said in the log of `workbench.tracking`.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from functools import partial

from workbench.project import Project
from workbench.tracking.autolog.fitted import log_fitted_models
from workbench.tracking.autolog.imports import when_imported

__all__ = ["disable", "enable", "log_fitted_models"]

_LIBRARIES = ("sklearn", "xgboost", "lightgbm", "catboost")

_lock = threading.Lock()
_undo: ExitStack | None = None


def enable(project: Project) -> None:
    """Log each fit from here on; a library that is imported later from when it is.

    Where somebody has turned on one of MLflow's autologgers already, it stays as it is.
    """
    global _undo
    with _lock:
        if _undo is None:
            _undo = ExitStack()
            undo = _undo
            for library in _LIBRARIES:
                undo.callback(when_imported(library, partial(_on, library, project, undo)))


def disable() -> None:
    """Give everything back as it was. Models that were fitted can still be logged."""
    global _undo
    with _lock:
        undo, _undo = _undo, None
    if undo is not None:
        undo.close()


def _on(library: str, project: Project, undo: ExitStack) -> None:
    from workbench.tracking.autolog.libraries import turn_on

    turn_on(library, project, undo)
