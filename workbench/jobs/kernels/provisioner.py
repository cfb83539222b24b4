"""The face to jupyter_client: a kernel provisioner that forks (entry point `workbench-forked`)."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Float

from workbench.jobs.kernels.choice import Choice, kernel_arguments, unforkable
from workbench.jobs.kernels.forked import ADDRESS_VARIABLE
from workbench.jobs.kernels.handle import ForkedProcess, ForkingError, fork
from workbench.jobs.kernels.own_parents import own_parent

__all__ = ["ForkingProvisioner"]


class ForkingProvisioner(LocalProvisioner):  # type: ignore[misc]
    """Forks the kernel; where that can't be, starts an ordinary one and keeps the reason."""

    parent_wait = Float(
        20.0, config=True, help="Seconds to wait for a forking parent that is still importing."
    )

    process: Any  # of subprocess, or forked
    choice: Choice = Choice("ordinary", "not started")

    @property
    def how(self) -> str:
        """How the kernel was started: "forked" or "ordinary"."""
        return self.choice.how

    @property
    def why(self) -> str:
        """Why it wasn't forked; empty if it was."""
        return self.choice.why

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel, or launch it as jupyter_client does."""
        try:
            process = await self._fork(cmd, kwargs)
        except ForkingError as error:
            self.log.info("an ordinary kernel, not a forked one: %s", error)
            self.choice = Choice("ordinary", str(error))
            return await super().launch_kernel(cmd, **kwargs)
        self.choice = Choice("forked")
        self.process, self.pid, self.pgid = process, process.pid, process.pid
        self.cwd = kwargs.get("cwd") or Path.cwd()
        return self.connection_info

    async def send_signal(self, signum: int) -> None:
        """Signal the kernel's process group, by way of the parent, who knows if it still is."""
        if isinstance(self.process, ForkedProcess):
            self.process.send_signal(signum)
        else:
            await super().send_signal(signum)

    async def kill(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - inherited
        """Kill the kernel and everything that it has started."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - inherited
        """Ask the kernel's process group to end."""
        await self.send_signal(signal.SIGTERM)

    async def cleanup(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - inherited
        """Let go of the process, which ends what is left of it."""
        if isinstance(self.process, ForkedProcess):
            self.process.close()
            self.process = None
        await super().cleanup(restart=restart)

    async def _fork(self, cmd: list[str], kwargs: Mapping[str, Any]) -> ForkedProcess:
        why = unforkable(self.kernel_spec.language, cmd)
        if why:
            raise ForkingError(why)
        environment = dict(kwargs.get("env") or os.environ)
        cwd = str(kwargs.get("cwd") or Path.cwd())
        address = environment.get(ADDRESS_VARIABLE)
        if not address:
            address = await own_parent(environment, Path(cwd), self.parent_wait)
        request = {"argv": kernel_arguments(cmd), "environment": environment, "cwd": cwd}
        with ExitStack() as opened:
            out, errors = (
                _descriptor(kwargs.get(name), number, opened)
                for name, number in (("stdout", 1), ("stderr", 2))
            )
            return fork(address, request, out, errors)


def _descriptor(given: Any, ours: int, opened: ExitStack) -> int:
    """Return the descriptor that an ordinary kernel would get from subprocess.

    Raises
    ------
    ForkingError
        If it would get a pipe: who wants one reads it from a `subprocess.Popen`.
    """
    if given is None:
        return ours
    if given == subprocess.DEVNULL:
        return opened.enter_context(open(os.devnull, "wb")).fileno()  # noqa: PTH123 - no path of ours
    if isinstance(given, int) and given < 0:
        raise ForkingError("its output is to be a pipe")
    return given if isinstance(given, int) else given.fileno()
