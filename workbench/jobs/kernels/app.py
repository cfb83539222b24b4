"""ipykernel as a forked kernel runs it: no output is dropped, and it leaves at once."""

from __future__ import annotations

from typing import Any

import zmq
from ipykernel.kernelapp import IPKernelApp

__all__ = ["KernelApp"]

_PATIENCE_SECONDS = 5.0


class KernelApp(IPKernelApp):
    """Differs from ipykernel's own in two things that lose outputs or time."""

    def init_iopub(self, context: Any) -> None:
        """Let outputs wait for their reader: by default the socket drops them from 1,000 on."""
        context.setsockopt(zmq.SNDHWM, 0)
        super().init_iopub(context)  # type: ignore[no-untyped-call]

    def start(self) -> None:
        """Run until it is asked to leave, and end the thread that was asked.

        That one is about to send what is left of outputs. At exit ipykernel ends the thread that
        sends them first, and each then waits ten seconds for the other.
        """
        super().start()  # type: ignore[no-untyped-call]
        control = self.control_thread
        if control is not None and control.is_alive():
            control.stop()
            control.join(_PATIENCE_SECONDS)
