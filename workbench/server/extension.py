"""What Jupyter Server loads: the routes, under `/workbench/api/`."""

# jupyter_server's types are skipped (pyproject.toml), so its classes are Any to mypy.
# mypy: disable-error-code=misc

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp

from workbench.server.events import EventsHandler, Pulses
from workbench.server.handlers import OperationHandler
from workbench.server.joblog import JobLogHandler
from workbench.server.mlflow_proxy import mlflow_routes
from workbench.server.mlflow_server import MlflowServers
from workbench.server.schedules import ServedSchedules
from workbench.server.table import operations

__all__ = ["DASHBOARDS", "WorkbenchExtension"]

DASHBOARDS = {
    "template": "workbench",
    "extension_allowlist": [
        "@voila-dashboards/widgets-manager8",
        "@jupyter-widgets/jupyterlab-manager",
        "@bokeh/jupyter_bokeh",
    ],
}
"""What `workbench.panels.voila` starts Voila with; its import would hold the server's start up."""


class WorkbenchExtension(ExtensionApp):
    """Adds Workbench's routes to the Jupyter server."""

    name = "workbench"

    def _link_jupyter_server_extension(self, serverapp: Any) -> None:
        """Keep Voila, if it is in this server, from the internet and from JupyterLab's extensions.

        It reads its settings before our own extension is loaded, but after all are linked. What
        the user's own configuration says stays.
        """
        super()._link_jupyter_server_extension(serverapp)
        for name, value in DASHBOARDS.items():
            serverapp.config.VoilaConfiguration.setdefault(name, value)

    def initialize_handlers(self) -> None:
        """Register the handler of all operations, and get these ready beside the server's loop."""
        self._pulses = Pulses(self.log)
        self.handlers.append((r"/workbench/api/events", EventsHandler, {"pulses": self._pulses}))
        self.handlers.append((r"/workbench/api/jobs/([^/]+)/events", JobLogHandler))
        self.handlers.append((r"/workbench/api/(.*)", OperationHandler))
        self._mlflow = MlflowServers()
        self.handlers.extend(mlflow_routes(self._mlflow))
        threading.Thread(target=operations, name="workbench-imports", daemon=True).start()

    def initialize_settings(self) -> None:
        """Begin to run the project's schedules, if it wants that here."""
        for name in ("mathjax_url", "mathjax_config"):
            # Voila's pages take MathJax from a CDN unless the server says that it has none.
            self.serverapp.web_app.settings.setdefault(name, None)
        folder = Path(self.settings["server_root_dir"]).expanduser()
        self._schedules = ServedSchedules(folder, self.log)
        self._schedules.start()

    async def stop_extension(self) -> None:
        """End what runs beside the server's loop."""
        self._pulses.stop()
        await asyncio.to_thread(self._mlflow.stop)
        await asyncio.to_thread(self._schedules.stop)
        if "workbench.server.working" in sys.modules:  # else no job was asked for
            from workbench.server.working import WORKERS

            await asyncio.to_thread(WORKERS.stop)
