"""Streaming views: the events of a stream become features at once, and history by the way.

One idea: the definition that makes training rows is applied to each event as it comes, and time
itself is an input: windows move with the clock, so a value decays without new events. Place in the
stream, windows, and what the stores outside haven't confirmed are one transaction, so a consumer
that is killed anywhere goes on as if it hadn't been.

- An event counts online from its arrival until it is as old as the window, to about a second.
- One that is behind the watermark (the latest event time less the source's `lateness`) goes to the
  offline store alone, and is counted and said.
- One that can't be read, or is of the future, goes to a file of dead letters with the reason.
"""

from workbench.features.streaming.reporting import StreamReport
from workbench.features.streaming.running import stream

__all__ = ["StreamReport", "stream"]
