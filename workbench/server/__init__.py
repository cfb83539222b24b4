"""The Jupyter server extension: the project's records over HTTP, and what can be done with them.

One idea: an operation is a function from a project and what was sent to records, and nothing else.
The functions stand in `resources/`, call what a notebook or the command line would call, and know
no Tornado. One handler carries out all of them: it lets the user in, keeps the work off the event
loop and says what went wrong as `application/problem+json` (RFC 9457). Their signatures are the
contract: requests are checked by them, and `openapi.json` and the sidebar's types are made of them.
"""

from __future__ import annotations

from workbench.server.extension import WorkbenchExtension

__all__ = ["WorkbenchExtension"]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    return [{"module": "workbench.server", "app": WorkbenchExtension}]
