"""The ways a process ends, and what has to be done then: at exit, on SIGTERM, and after a fork.

SIGKILL leaves no time for anything; what was logged is in the spool by then.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Literal

__all__ = ["Ending", "on_end", "watch_sigterm"]

Ending = Literal["FINISHED", "FAILED", "KILLED", "UNKNOWN"]
"""How the process ends; unknown where a handler of somebody else's decides on that."""

_ends: list[Callable[[Ending, bool], None]] = []
_previous: Callable[[int, FrameType | None], object] | int | None = None
_terminated = False


def on_end(end: Callable[[Ending, bool], None], forked: Callable[[], None]) -> None:
    """Have `end` called when the process ends, and `forked` in every forked child.

    `end` gets how it ends, and whether it is called by a signal's handler: then it must be quick
    and take no lock that isn't reentrant.
    """
    if not _ends:
        atexit.register(_at_exit)
    _ends.append(end)
    os.register_at_fork(after_in_child=forked)


def watch_sigterm() -> None:
    """Take notice of SIGTERM before whoever handled it so far; once, and in the main thread only.

    A handler that isn't Python's can't be called from here, so it stays in its place.
    """
    global _previous
    if threading.current_thread() is not threading.main_thread() or _previous is not None:
        return
    current = signal.getsignal(signal.SIGTERM)
    if current is not None and current is not signal.SIG_IGN:
        _previous = current
        signal.signal(signal.SIGTERM, _on_sigterm)


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    global _terminated
    _terminated = True
    if callable(_previous):
        _call("UNKNOWN", in_handler=True)
        _previous(number, frame)
        return
    _call("KILLED", in_handler=True)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


def _at_exit() -> None:
    if _terminated:
        _call("KILLED", in_handler=False)
    elif hasattr(sys, "last_value") and not _in_ipython():
        _call("FAILED", in_handler=False)  # what ended the script is the interpreter's last error
    else:
        _call("FINISHED", in_handler=False)


def _call(ending: Ending, *, in_handler: bool) -> None:
    for end in _ends:
        end(ending, in_handler)


def _in_ipython() -> bool:
    """Tell whether errors are a cell's, after which the session goes on."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None
