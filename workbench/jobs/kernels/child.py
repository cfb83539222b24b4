"""What a forked process does first, and what it then is: a kernel, or a job's process."""

from __future__ import annotations

import atexit
import gc
import importlib.util
import os
import random
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from workbench.jobs.kernels.linux import become_subreaper, die_with_parent

__all__ = ["become"]


def become(request: dict[str, Any], streams: Sequence[int], parent: int, began: int) -> NoReturn:
    """Turn this process, just forked from `parent`, into what is requested; never return.

    Parameters
    ----------
    streams
        What it reads and writes: descriptors of stdin, stdout and stderr.
    began
        A pipe that is told when signals to the group reach this process and nothing else.
    """
    code: object = 1
    try:
        _be_its_own(parent)
        os.write(began, b".")
        os.close(began)
        _set_surroundings(request, streams)
        code = _run_kernel(request["argv"], parent) if "argv" in request else _run_job(request)
    except SystemExit as left:
        code = left.code
    except BaseException:
        traceback.print_exc()
    finally:
        _leave(code)


def _be_its_own(parent: int) -> None:
    os.setsid()
    become_subreaper()
    die_with_parent(parent, signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _set_surroundings(request: dict[str, Any], streams: Sequence[int]) -> None:
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    for descriptor in set(streams) - {0, 1, 2}:
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    os.chdir(request["cwd"])
    time.tzset()
    tempfile.tempdir = None  # found anew, as the environment says
    sys.modules["__main__"] = ModuleType("__main__")
    _reseed()
    gc.enable()


def _reseed() -> None:
    """Let no two kernels draw the same numbers."""
    random.seed()
    if "numpy" in sys.modules:
        import numpy as np

        np.random.seed(None)  # the generator that all share


def _run_kernel(argv: list[str], parent: int) -> object:
    launcher = importlib.util.find_spec("ipykernel_launcher")
    sys.argv = [str(launcher.origin) if launcher else "ipykernel_launcher", *argv]
    from workbench.jobs.kernels.app import KernelApp

    # ipykernel looked for the process that it belongs to when it was imported.
    app = KernelApp.instance(parent_handle=parent)
    app.initialize(argv)
    app.start()
    return 0


def _run_job(request: dict[str, Any]) -> object:
    from workbench.jobs.process import main

    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.argv = ["workbench.jobs.process", request["folder"]]
    return main(Path(request["folder"]))


def _leave(code: object) -> NoReturn:
    """End as the interpreter would, but for taking apart all the modules that were imported."""
    number = code if isinstance(code, int) else int(code is not None)
    try:
        if isinstance(code, str):
            print(code, file=sys.stderr)
        threading._shutdown()  # type: ignore[attr-defined]  # waits for those that aren't daemons
        atexit._run_exitfuncs()
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(BaseException):
                stream.flush()
        os._exit(number & 0xFF)
