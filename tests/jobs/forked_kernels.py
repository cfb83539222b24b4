"""Kernels for tests, started through jupyter_client, and the processes that belong to them."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from jupyter_client import KernelManager

from tests.jobs.job_folders import wait_until
from workbench.jobs.kernels import ADDRESS_VARIABLE, ForkingParent, prepare

# A child in the kernel's own group, and one that hides: nobody's child, in a session of its own.
FAMILY = """
import os, subprocess, sys, time
hide = "import os, sys, time; os.setsid(); os.fork() and os._exit(0); " \\
       "print(os.getpid(), flush=True); time.sleep(600)"
child = subprocess.Popen(["sleep", "600"])
hider = subprocess.Popen([sys.executable, "-c", hide], stdout=subprocess.PIPE, text=True)
print(os.getpid(), child.pid, int(hider.stdout.readline()))
hider.wait()
"""


class Kernel:
    """A kernel that runs."""

    def __init__(self, manager: Any, client: Any) -> None:
        self.manager, self.client = manager, client

    @property
    def pid(self) -> int:
        return int(self.manager.provisioner.pid)

    def ready(self) -> None:
        self.client.wait_for_ready(timeout=60)

    def outputs(self, code: str) -> list[dict[str, Any]]:
        """Execute and return what came: the content of each message but its state."""
        got: list[dict[str, Any]] = []
        self.client.execute_interactive(
            textwrap.dedent(code),
            timeout=60,
            output_hook=lambda message: got.append(message["content"]),
        )
        return [content for content in got if "execution_state" not in content]

    def run(self, code: str) -> str:
        """Execute and return what was printed."""
        outputs = self.outputs(code)
        failed = ["\n".join(content["traceback"]) for content in outputs if "ename" in content]
        assert not failed, failed[0]
        return "".join(content.get("text", "") for content in outputs).strip()

    def family(self) -> list[psutil.Process]:
        """Let it start processes of its own; return it and them."""
        return [psutil.Process(int(pid)) for pid in self.run(FAMILY).split()]


@contextmanager
def kernel(
    parent: ForkingParent | None, *, name: str = "python3", how: str = "forked", **start: Any
) -> Iterator[Kernel]:
    """Start a kernel, from `parent` if there is one, and end it."""
    manager = KernelManager(kernel_name=name)
    environment = dict(start.pop("env", os.environ))
    if parent is not None:
        environment[ADDRESS_VARIABLE] = parent.address
        choice = prepare(manager, environment)
        assert choice.how == how, choice
    manager.start_kernel(env=environment, **start)
    client = manager.client()
    try:
        client.start_channels()
        started = Kernel(manager, client)
        started.ready()
        yield started
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.context.destroy(linger=0)


def lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until_gone(processes: list[psutil.Process], folder: Path | None = None) -> None:
    """Wait until nothing is left of them, nor of a parent's folder."""
    wait_until(lambda: not any(map(lives, processes)))
    if folder is not None:
        wait_until(lambda: not folder.exists())
