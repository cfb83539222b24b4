"""The forking parents that a process keeps for the kernels that it starts by itself.

JupyterLab's server, or papermill's own command, is nobody's job: no executor has given it the
address of a parent. It starts one when the first kernel is asked for, and they end together.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.jobs.kernels.forked import ForkingParent
from workbench.jobs.kernels.handle import ForkingError, describe
from workbench.project import Project

__all__ = ["close_own_parents", "own_parent"]

_MOST = 3
"""More than these end once none of their kernels runs any more."""

_parents: OrderedDict[str, ForkingParent] = OrderedDict()
_lock = threading.Lock()


async def own_parent(environment: Mapping[str, str], cwd: Path, timeout: float) -> str:
    """Return the address of a parent for kernels with `environment` in the folder `cwd`.

    Raises
    ------
    ForkingError
        If there is none within `timeout` seconds.
    """
    parent = await asyncio.to_thread(_parent, environment, cwd)
    if not await asyncio.to_thread(parent.wait_ready, timeout):
        raise ForkingError(parent.why_not or "the forking parent is still importing")
    return parent.address


def close_own_parents() -> None:
    """End them all; they end with this process in any case."""
    with _lock:
        while _parents:
            _parents.popitem()[1].close()


def _parent(environment: Mapping[str, str], cwd: Path) -> ForkingParent:
    new = ForkingParent(_state(environment, cwd), environment=environment)
    key = new.key
    with _lock:
        known = _parents.pop(key, None)
        if known is None or known.why_not:
            if known:
                known.close()
            known = new
        _parents[key] = known  # the last one used is the last one that is ended
        for other in list(_parents)[:-_MOST]:
            if _is_idle(_parents[other]):
                _parents.pop(other).close()
    known.start()
    return known


def _is_idle(parent: ForkingParent) -> bool:
    if not parent.ready:
        return bool(parent.why_not)
    try:
        return not describe(parent.address)["running"]
    except ForkingError:  # it is gone
        return True


def _state(environment: Mapping[str, str], cwd: Path) -> Path | None:
    if given := environment.get("WORKBENCH_STATE_DIR"):
        return Path(given)
    try:
        return Project.find(cwd).state
    except WorkbenchError:
        return None  # not in a project: nothing is learnt, and ipykernel alone is imported
