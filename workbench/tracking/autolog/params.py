"""Parameters that a run already has with another value: kept under a name of their own.

MLflow's autologgers send all parameters of a fit in one batch, and a run's parameters never change.
So a notebook whose parameter is called `random_state`, or a second fit, would lose the whole batch.
Here what clashes is stored as `sklearn.random_state`, of a second fit as `sklearn_2.random_state`,
and all else under its plain name.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Param
from mlflow.exceptions import MlflowException
from mlflow.utils.autologging_utils import MlflowAutologgingQueueingClient

__all__ = ["Fits", "guard_params", "renamed"]

_inputs_lock = threading.Lock()


class Fits:
    """Which library is being fitted, and for which time in its run. Safe to share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str | None, str]] = Counter()
        self._current = ("autolog", 1)

    def begin(self, run_id: str | None, library: str) -> None:
        """Count one more fit."""
        with self._lock:
            self._counts[run_id, library] += 1
            self._current = (library, self._counts[run_id, library])

    @property
    def current(self) -> tuple[str, int]:
        """The library and the number of the fit that goes on."""
        with self._lock:
            return self._current


def renamed(
    params: Sequence[tuple[str, str]], stored: Mapping[str, str], library: str, number: int
) -> list[tuple[str, str]]:
    """Rename the parameters that clash, with what is stored or with an earlier one of their own.

    All that clash with what is stored get one prefix: the fit's, or the next one under which
    nothing does.

    >>> renamed([("C", "1"), ("tol", "2")], {"C": "3"}, "sklearn", 1)
    [('sklearn.C', '1'), ('tol', '2')]
    """
    known = dict(stored)
    clashing = [one for one in params if stored.get(*one) != one[1]]
    while any(
        stored.get(_prefixed(library, number, key), value) != value for key, value in clashing
    ):
        number += 1
    kept = {}
    for key, value in params:
        name, attempt = key, number
        while known.setdefault(name, value) != value:
            name, attempt = _prefixed(library, attempt, key), attempt + 1
        kept[name] = value
    return list(kept.items())


def _prefixed(library: str, number: int, key: str) -> str:
    return f"{library}.{key}" if number == 1 else f"{library}_{number}.{key}"


class _Guard(MlflowClient):  # type: ignore[misc] # MLflow publishes no types
    """A client whose batches lose nothing over a parameter that can't be stored."""

    def __init__(self, tracking_uri: str | None, fit: tuple[str, int]) -> None:
        super().__init__(tracking_uri)
        self._fit = fit

    def log_batch(
        self, run_id: str, metrics: Any = (), params: Any = (), *rest: Any, **more: Any
    ) -> Any:
        try:
            return super().log_batch(run_id, metrics, params, *rest, **more)
        except MlflowException:
            given = [(param.key, param.value) for param in params]
            kept = renamed(given, self.get_run(run_id).data.params, *self._fit)
            if kept == given:
                raise  # it was something else
        again = [Param(key, value) for key, value in kept]
        return super().log_batch(run_id, metrics, again, *rest, **more)

    def log_inputs(self, *args: Any, **kwargs: Any) -> None:
        # A search logs its children's datasets, all the same one, from several threads at once:
        # in the SQL store one of them wins and the others fail.
        with _inputs_lock:
            super().log_inputs(*args, **kwargs)


def guard_params(fits: Fits) -> Callable[[], None]:
    """Have MLflow's autologgers send through a guarded client; returns what takes it back."""
    original = MlflowAutologgingQueueingClient.__init__

    def guarded(self: Any, tracking_uri: str | None = None) -> None:
        original(self, tracking_uri)
        self._client = _Guard(tracking_uri, fits.current)

    MlflowAutologgingQueueingClient.__init__ = guarded

    def undo() -> None:
        if MlflowAutologgingQueueingClient.__init__ is guarded:
            MlflowAutologgingQueueingClient.__init__ = original

    return undo
