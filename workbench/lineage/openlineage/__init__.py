"""Jobs told to others, as OpenLineage events: when one starts, and how it ends.

An event is a file in the project's state before it is sent, so that a kill or a server that is away
loses none; it is sent from a thread, and a job neither waits for that nor fails by it.
"""

from workbench.lineage.openlineage.outbox import Sent, deliver
from workbench.lineage.openlineage.telling import tell

__all__ = ["Sent", "deliver", "tell"]
