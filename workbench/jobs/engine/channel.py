"""A channel to the kernel that looks again by itself."""

from __future__ import annotations

import time
from queue import Empty
from typing import Any

from jupyter_client.channels import AsyncZMQSocketChannel

__all__ = ["Channel"]

_LOOK_SECONDS = 0.2


class Channel(AsyncZMQSocketChannel):  # type: ignore[misc]  # its library has no types here
    """Waits for a message in short steps, each of which begins with a look.

    ZeroMQ says once that a message is there, and sending takes notice of it too: an answer that
    comes while nbclient sends the state of an output widget was then waited for for ever.
    """

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """Return the next message; `Empty` if none comes in so many seconds."""
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            try:
                message: dict[str, Any] = await super().get_msg(min(left, _LOOK_SECONDS))
            except Empty:
                if time.monotonic() >= deadline:
                    raise
            else:
                return message
