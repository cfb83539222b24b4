"""The client that talks to the kernel: nbclient's, sooner ready, sooner gone, and never wrong."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Empty
from typing import Any

import psutil
import zmq
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async, run_hook, run_sync
from papermill.clientwrap import PapermillNotebookClient

from workbench.jobs.engine import endings, tree
from workbench.jobs.engine.channel import Channel
from workbench.jobs.engine.endings import ExitAskedError, StartError, Trouble
from workbench.jobs.engine.limits import Guard
from workbench.jobs.engine.outlet import Outlet
from workbench.jobs.engine.record import Record
from workbench.project import JOB_FOLDER

__all__ = ["Client"]

_FORKING_PARENT = (
    "WORKBENCH_FORKING_PARENT"  # as in workbench.jobs.kernels, which is slow to import
)
_ALIVE_SECONDS = 0.2
_GRACE_SECONDS = 1.2
_RECONNECT_MILLISECONDS = 10


class Client(Outlet, PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
    """Executes the notebook of a record in a kernel of its own.

    `execute` leaves the kernel asked to go; `close` waits for that, and comes after the notebook
    is written. `trouble` says what went wrong, `kernel` how the kernel came to be.
    """

    km: Any
    kc: Any

    def __init__(self, record: Record, guard: Guard, **traits: Any) -> None:
        # A cell's time may have fractions, which nbclient's own setting may not.
        seconds = guard.bounds.cell_seconds
        if seconds is not None:
            traits["timeout_func"] = lambda _: seconds
        super().__init__(record, **{"shell_timeout_interval": 1, "iopub_timeout": 60, **traits})
        self._guard = guard
        self._family: list[psutil.Process] = []
        self.trouble: Trouble | None = None
        self.kernel = "ordinary"
        self.usage: dict[str, float] = {}

    def execute(self, **options: Any) -> Any:
        """Start the kernel, execute the cells and ask the kernel to leave.

        An exception in a cell isn't raised: it is in the notebook, from where papermill raises it.
        """
        self.reset_execution_trackers()
        run_sync(self._run)(**options)
        return self.nb

    def close(self) -> None:
        """See the kernel gone, with everything that it started."""
        run_sync(self._close)()

    def widgets(self) -> Mapping[str, Any] | None:
        """Return the state of the notebook's widgets, as it is kept in a notebook's metadata."""
        if not self.widget_state:
            return None
        self.set_widgets_metadata()
        state: Mapping[str, Any] = self.nb.metadata.widgets
        return state

    async def _run(self, **options: Any) -> None:
        self._guard.begin()
        try:
            await self._start(**options)
            await self._silently("%load_ext workbench")
            await self._execute_cells()
        except BaseException as error:
            self.trouble = self.trouble or self._guard.stop.trouble or endings.of_error(error)
            raise
        finally:
            self._guard.end()
            await self._ask_to_leave()

    async def _start(self, **options: Any) -> None:
        try:
            self.create_kernel_manager()
            self.km.context.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MILLISECONDS)
            self.km.context.setsockopt(zmq.RCVHWM, 0)  # else a flood of outputs loses some
            started = _prepare(self.km)
            await self.async_start_new_kernel(**options)
            self._watch_kernel()
            language = await self._ready()
        except Exception as error:
            raise StartError(f"kernel {self.kernel_name!r}: {_said(error)}") from error
        how, why = started()
        self.kernel = f"{how}: {why}" if why else how
        await run_hook(self.on_notebook_start, notebook=self.nb)
        pid = getattr(self.km.provisioner, "pid", None)
        self.nb_man.kernel_ready(self.kernel_name, how, why, pid, language)

    def _watch_kernel(self) -> None:
        pid = getattr(self.km.provisioner, "pid", None)
        with suppress(psutil.Error):
            if pid is not None:
                kernel = psutil.Process(pid)
                self._family = [kernel]
                self._guard.watch(kernel)

    async def _ready(self) -> Mapping[str, Any]:
        """Wait for the kernel's answer, and for anything on the channel of outputs.

        That channel is a subscription: what was said before it stood is lost. So the question is
        put again until something is heard there.
        """
        self.kc = self.km.client(context=self.km.context)
        self.kc.shell_channel_class = self.kc.iopub_channel_class = Channel
        self.kc.start_channels(stdin=False, hb=False)
        self.kc.allow_stdin = False
        deadline = time.monotonic() + self.startup_timeout
        self.kc.kernel_info()
        reply = None
        while reply is None:
            with suppress(Empty):
                reply = await ensure_async(self.kc.shell_channel.get_msg(timeout=0.05))
            await self._still_starting(deadline)
        while True:
            try:
                await ensure_async(self.kc.iopub_channel.get_msg(timeout=0.02))
            except Empty:
                await self._still_starting(deadline)
                self.kc.kernel_info()
            else:
                language: Mapping[str, Any] = reply["content"].get("language_info", {})
                return language

    async def _still_starting(self, deadline: float) -> None:
        code = await self._exit_code()
        if code is not None:
            raise StartError(f"it ended with exit code {code} before it was ready")
        if time.monotonic() > deadline:
            raise StartError(f"it wasn't ready after {self.startup_timeout} s")

    async def _silently(self, magic: str) -> None:
        """Let a tracked job's kernel record for its run, without a trace in the notebook."""
        tracked = self.nb.metadata.kernelspec.get("language", "python") == "python"
        if not (tracked and JOB_FOLDER in os.environ and "MLFLOW_RUN_ID" in os.environ):
            return
        with suppress(DeadKernelError):  # of which the cell's own state tells
            sent = self.kc.execute(magic, silent=True, allow_stdin=False)
            reply = await self.async_wait_for_reply(sent)
            if reply and reply["content"]["status"] == "error":
                self.log.warning("%s: %s", magic, reply["content"].get("evalue"))

    async def _execute_cells(self) -> None:
        for index, cell in enumerate(self.nb.cells):
            self.nb_man.cell_start(cell, index)
            try:
                await self.async_execute_cell(cell, index)
            except BaseException as error:
                self.trouble = (await self._judge(error)).at(index)
                running = self.trouble.kind == "cancelled"
                status = "running" if running else "failed"
                self.nb_man.cell_end(index, status, self.trouble.text)
                if not isinstance(error, CellExecutionError) or self.trouble.kind == "exit":
                    raise
                break
            self.nb_man.cell_end(index, "completed")
        await self._silently("%unload_ext workbench")

    async def _judge(self, error: BaseException) -> Trouble:
        if self._guard.stop.trouble is not None:
            return self._guard.stop.trouble
        if isinstance(error, CellExecutionError):
            return endings.of_cell(error.ename, error.evalue, self._guard.memory_used())
        if isinstance(error, ExitAskedError):
            return Trouble("exit", "SystemExit: a cell called exit()")
        if isinstance(error, CellTimeoutError):
            return Trouble("timeout", _said(error))
        if isinstance(error, DeadKernelError):
            code = await self._exit_code(patience=0.5)
            lacked = self._guard.out_of_memory()
            return endings.died(code, lacked, self._guard.memory_used())
        return endings.of_error(error)

    async def _check_raise_for_error(self, cell: Any, index: int, reply: Any) -> None:
        await super()._check_raise_for_error(cell, index, reply)
        payloads = (reply or {}).get("content", {}).get("payload", ())
        if any(payload.get("source") == "ask_exit" for payload in payloads):
            raise ExitAskedError

    async def _async_poll_kernel_alive(self) -> None:
        while await self._exit_code() is None:
            await asyncio.sleep(_ALIVE_SECONDS)
        assert self.task_poll_for_reply is not None
        self.task_poll_for_reply.cancel()

    async def _exit_code(self, patience: float = 0.0) -> int | None:
        """Return the kernel's exit code if it is gone; with patience, until it is."""
        deadline = time.monotonic() + patience
        while (code := await self.km.provisioner.poll()) is None and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
        return code if code is None else int(code)

    async def _ask_to_leave(self) -> None:
        """Measure the kernel's tree and ask it to go; a busy one can't hear more than a signal."""
        if self.km is None or not self.km.has_kernel:
            return
        for process in self._family[:1]:
            self._family = [process, *tree.descendants(process.pid)]
        self.usage = {
            "cpu_seconds": tree.cpu_seconds(self._family),
            "peak_memory_bytes": max(map(tree.peak_memory, self._family), default=0),
        }
        if await self._exit_code() is not None:
            return
        if self.trouble is None or self.trouble.kind in ("cell", "exit", "input", "memory"):
            await ensure_async(self.km.request_shutdown())
        else:
            await self.km.provisioner.terminate()

    async def _close(self) -> None:
        if self.km is None:
            return
        try:
            if self.km.has_kernel and await self._exit_code(patience=_GRACE_SECONDS) is None:
                await self.km.provisioner.kill()
                await self._exit_code(patience=_GRACE_SECONDS / 2)
            tree.end(self._family, patience=0.5)
        finally:
            if self.kc is not None:
                self.kc.stop_channels()
            await ensure_async(self.km.cleanup_resources())
            self.kc = self.km = None


def _prepare(manager: Any) -> Callable[[], tuple[str, str]]:
    """Let the kernel be forked where it can; return what says, once it runs, how it was started."""
    if not os.environ.get(_FORKING_PARENT):
        return lambda: ("ordinary", "there is no forking parent")
    from workbench.jobs.kernels import chosen, prepare

    choice = prepare(manager)

    def how() -> tuple[str, str]:
        real = chosen(manager) if choice.how == "forked" else choice
        return real.how, real.why

    return how


def _said(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
