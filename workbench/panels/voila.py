"""The dashboards of a project, served by Voila."""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs

from workbench.errors import MissingExtraError, NotFoundError
from workbench.panels.page import PROJECT_VARIABLE
from workbench.project import Project

__all__ = ["EXTENSIONS", "TEMPLATE", "dashboards", "query", "voila_command", "voila_environment"]

TEMPLATE = "workbench"
"""Our template of Voila's, installed where it looks for them: without what asks the internet."""

EXTENSIONS = (
    "@voila-dashboards/widgets-manager8",
    "@jupyter-widgets/jupyterlab-manager",
    "@bokeh/jupyter_bokeh",
)
"""The only front-end extensions a dashboard needs. Voila would load all that are installed, each
against an older JupyterLab than it was built for."""

_IDLE_SECONDS = 600
_THEMES = ("light", "dark")


def dashboards(project: Project) -> Path:
    """The folder whose notebooks are served: the project's own, else the one that ships with us.

    Raises
    ------
    NotFoundError
        If none holds a notebook.
    """
    package = Path(str(files("workbench")))
    places = [
        project.root / "notebooks" / "dashboards",
        package / "_notebooks" / "dashboards",  # of an installed wheel
        package.parent / "notebooks" / "dashboards",  # of a clone
    ]
    for place in places:
        if any(place.glob("*.ipynb")):
            return place
    raise NotFoundError(f"no dashboard: there is no notebook in {places[0]}")


def voila_command(
    project: Project,
    *,
    port: int,
    open_browser: bool,
    host: str = "127.0.0.1",
    theme: str = "light",
    preheat: bool = False,
) -> list[str]:
    """Give the command line that serves the project's dashboards; asks for a token like Jupyter.

    Run it with `voila_environment(project)`. It prints the address, token included. A page is at
    `/voila/render/<notebook>`, with `?model=` and `?theme=` if wished. `preheat` keeps one kernel
    ready, which takes 330 MB and makes a page open at once.

    Raises
    ------
    MissingExtraError
        If the extra `dashboard` isn't installed.
    NotFoundError
        If there is no dashboard to serve.
    """
    if importlib.util.find_spec("voila") is None:
        raise MissingExtraError.of("voila", "dashboard")
    options = {
        "port": port,
        "Voila.ip": host,
        "template": TEMPLATE,
        "theme": theme,
        "preheat_kernel": preheat,
        "show_tracebacks": False,
        # A kernel would otherwise outlive its closed tab.
        "MappingKernelManager.cull_idle_timeout": _IDLE_SECONDS,
        "MappingKernelManager.cull_interval": 60,
    }
    command = [sys.executable, "-m", "workbench.panels.server", str(dashboards(project)), "--token"]
    command += [f"--{name}={value}" for name, value in options.items()]
    command += [f"--VoilaConfiguration.extension_allowlist={name}" for name in EXTENSIONS]
    return command if open_browser else [*command, "--no-browser"]


def voila_environment(project: Project) -> dict[str, str]:
    """Give this process's environment, with the project for the kernels.

    A token of your own can be given as JUPYTER_TOKEN.
    """
    return {**os.environ, PROJECT_VARIABLE: str(project.root)}


def query() -> dict[str, str]:
    """Read `model` and `theme` from the page's address; empty outside Voila.

    In a preheated kernel this waits until someone opens the page, so whatever can be done before
    that belongs in a cell above.
    """
    if os.environ.get("VOILA_PREHEAT", "False") != "False":
        from voila.utils import wait_for_request

        wait_for_request()
    fields = parse_qs(os.environ.get("QUERY_STRING", ""))
    chosen: dict[str, str] = {
        name: fields[name][-1] for name in ("model", "theme") if name in fields
    }
    if chosen.get("theme", _THEMES[0]) not in _THEMES:
        del chosen["theme"]
    return chosen
