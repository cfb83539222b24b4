"""Plain MLflow code in a notebook that has a run already.

`with mlflow.start_run():` is how most notebooks begin, and MLflow refuses it where a run is active.
Here the first such block takes up the notebook's run, as MLflow itself does with a run that it is
given in the environment; each further one is a run of its own within it. The end of a block isn't
the end of the notebook's run.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["share_run"]


def share_run(run_id: str) -> Callable[[], None]:
    """Let `mlflow.start_run` and `end_run` know the notebook's run; return what undoes it."""
    import mlflow
    from mlflow.tracking import fluent

    start, end = fluent.start_run, fluent.end_run
    taken = False

    def ours() -> Any:
        active = fluent.active_run()
        return active if active is not None and active.info.run_id == run_id else None

    @functools.wraps(start)
    def start_run(*args: Any, **kwargs: Any) -> Any:
        nonlocal taken
        active = ours()
        if active is None or args or kwargs.get("run_id") or kwargs.get("nested"):
            return start(*args, **kwargs)
        if taken or kwargs.get("experiment_id") or kwargs.get("parent_run_id"):
            return start(**{**kwargs, "nested": True})
        taken = True
        if named := _tags(**kwargs):
            mlflow.set_tags(named)
        return active

    @functools.wraps(end)
    def end_run(*args: Any, **kwargs: Any) -> Any:
        return None if ours() else end(*args, **kwargs)

    def replace(starting: Any, ending: Any) -> None:
        for module in (mlflow, fluent):
            module.start_run, module.end_run = starting, ending

    replace(start_run, end_run)
    return lambda: replace(start, end)


def _tags(
    run_name: str | None = None,
    tags: dict[str, Any] | None = None,
    description: str | None = None,
    **_others: Any,
) -> dict[str, Any]:
    """Turn what a run is started with into the tags that it would have got."""
    named = {"mlflow.runName": run_name, "mlflow.note.content": description}
    return {**(tags or {}), **{key: value for key, value in named.items() if value}}
