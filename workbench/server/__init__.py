"""The Jupyter server extension: the project's records over HTTP, for the sidebar.

One idea: a route is a function from a project and a query to records, and nothing else. The
functions stand in `routes`, call what a notebook or the command line would call, and know no
Tornado. One handler carries all of them: it lets the user in, keeps the work off the event loop
and says what went wrong as `application/problem+json` (RFC 9457).
"""

from __future__ import annotations

from workbench.server.extension import WorkbenchExtension

__all__ = ["WorkbenchExtension"]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    return [{"module": "workbench.server", "app": WorkbenchExtension}]
