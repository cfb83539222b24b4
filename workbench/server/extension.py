"""What Jupyter Server loads: the routes, under `/workbench/api/`."""

# jupyter_server's types are skipped (pyproject.toml), so its classes are Any to mypy.
# mypy: disable-error-code=misc

from __future__ import annotations

from jupyter_server.extension.application import ExtensionApp

from workbench.server.handlers import ReadHandler, UnknownRouteHandler
from workbench.server.routes import ROUTES

__all__ = ["WorkbenchExtension"]


class WorkbenchExtension(ExtensionApp):
    """Adds Workbench's routes to the Jupyter server."""

    name = "workbench"

    def initialize_handlers(self) -> None:
        """Register one handler for each route, and one for what isn't a route."""
        self.handlers.extend(
            (rf"/workbench/api/{name}", ReadHandler, {"read": read})
            for name, read in ROUTES.items()
        )
        self.handlers.append((r"/workbench/api/(.*)", UnknownRouteHandler))
