"""What Jupyter Server loads: the routes, under `/workbench/api/`."""

# jupyter_server's types are skipped (pyproject.toml), so its classes are Any to mypy.
# mypy: disable-error-code=misc

from __future__ import annotations

import asyncio
from pathlib import Path

from jupyter_server.extension.application import ExtensionApp

from workbench.server.handlers import ReadHandler, UnknownRouteHandler
from workbench.server.routes import ROUTES
from workbench.server.schedules import ServedSchedules

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

    def initialize_settings(self) -> None:
        """Begin to run the project's schedules, if it wants that here."""
        folder = Path(self.settings["server_root_dir"]).expanduser()
        self._schedules = ServedSchedules(folder, self.log)
        self._schedules.start()

    async def stop_extension(self) -> None:
        """End what runs beside the server's loop."""
        await asyncio.to_thread(self._schedules.stop)
