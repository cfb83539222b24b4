"""What goes on in MLflow's autologging, through the hooks that it has for this.

MLflow tells of every function that it has patched: when it is called, when the library's own
function begins and ends, and when all of it is through. Calls inside of calls belong to one
session; the first call of a session is the one that the notebook made.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

from mlflow.utils.autologging_utils import AutologgingEventLogger

from workbench.project import Project
from workbench.tracking.autolog.fitted import remember
from workbench.tracking.autolog.params import Fits

__all__ = ["Listener"]

_FITS = {"fit", "fit_transform", "fit_predict", "train"}
_QUIET = "(?#workbench)"  # a pattern that matches every message, and tells our filter from others

_logger = logging.getLogger("workbench.tracking")


class Listener(AutologgingEventLogger):  # type: ignore[misc] # MLflow publishes no types
    """Follows the notebook's own fits: for the run they belong to and the models they give."""

    def __init__(self, project: Project, fits: Fits) -> None:
        self._project, self._fits = project, fits
        self._session: str | None = None
        self._function: str | None = None
        self._subject: Any = None
        self._run_id: str | None = None
        self._depth = 0

    def is_outermost(self, model: Any) -> bool:
        """Tell whether `model` is what the notebook fits, and no part of what it fits."""
        return self._function in _FITS and self._subject is model

    def log_patch_function_start(
        self, session: Any, patch_obj: Any, function_name: str, call_args: Any, call_kwargs: Any
    ) -> None:
        """Take note of what the notebook called."""
        if session.id == self._session:
            # A class's `fit` that calls its base's: the outer one is through when both are.
            self._depth += self._is_root(session, function_name, call_args)
            return
        self._depth = 1
        _speak()  # in case the last one was interrupted
        self._session, self._function = session.id, function_name
        self._subject = call_args[0] if call_args else None
        self._run_id = None
        if function_name in _FITS:
            self._run_id = _run_of(self._project)
            self._fits.begin(self._run_id, session.integration.removeprefix("workbench_"))

    @property
    def prefix(self) -> str:
        """What sets the results of a library's second fit in a run apart from the first's."""
        library, number = self._fits.current
        return "" if number == 1 else f"{library}_{number}."

    def log_original_function_success(
        self, session: Any, patch_obj: Any, function_name: str, call_args: Any, call_kwargs: Any
    ) -> None:
        """From here on it is MLflow that computes: its warnings are none of the notebook's."""
        if self._is_root(session, function_name, call_args) and self._depth == 1:
            warnings.filterwarnings("ignore", message=_QUIET)

    def log_patch_function_success(
        self, session: Any, patch_obj: Any, function_name: str, call_args: Any, call_kwargs: Any
    ) -> None:
        """See whether the notebook's own fit is through."""
        if not self._is_root(session, function_name, call_args):
            return
        self._depth -= 1
        if not self._depth:
            self._end(call_args, call_kwargs)

    def log_patch_function_error(
        self,
        session: Any,
        patch_obj: Any,
        function_name: str,
        call_args: Any,
        call_kwargs: Any,
        exception: Exception,
    ) -> None:
        """Say what went wrong with logging; the fit itself is through, and gave its model."""
        if not self._is_root(session, function_name, call_args):
            return
        _logger.warning("not all of %s was logged: %s", function_name, exception)
        self._end(call_args, call_kwargs)

    def _is_root(self, session: Any, function_name: str, call_args: Any) -> bool:
        return (
            session.id == self._session
            and function_name == self._function
            and function_name in _FITS
            and bool(call_args)
            and call_args[0] is self._subject
        )

    def _end(self, call_args: Any, call_kwargs: Any) -> None:
        """Keep the model in mind, and let go of all else."""
        try:
            if self._run_id is not None and hasattr(self._subject, "predict"):
                given = call_args[1] if len(call_args) > 1 else next(iter(call_kwargs.values()))
                remember(self._project, self._run_id, self._subject, given)
        except Exception as error:
            name = type(self._subject).__name__
            _logger.warning("the fitted %s is not logged by itself: %s", name, error)
        finally:
            _speak()
            self._function = self._subject = self._run_id = None


def _speak() -> None:
    """Let warnings be heard again."""
    filters: list[Any] = warnings.filters  # type: ignore[assignment] # a list, typed as less
    filters[:] = [one for one in filters if getattr(one[1], "pattern", None) != _QUIET]


def _run_of(project: Project) -> str | None:
    """Name the run that a fit belongs to; one is begun if there is none, as for anything else."""
    from workbench.tracking.session import current_run

    try:
        return current_run(project).run_id
    except Exception as error:
        _logger.warning("a fit belongs to no run: %s", error)
        return None
