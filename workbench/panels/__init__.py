"""View-models and their faces: the same numbers in a notebook, in Voila and in a file.

One idea: a page reads what was stored and computes nothing. `workbench.panels.view` arranges the
records, `html` and `figures` give them a face, and `page` puts the faces together:

    from workbench import panels
    panels.overview()                 # in a notebook, or as a Voila page

The sidebar's views for a cell (`runs`, `models`, `features`, `jobs`, `monitors`, `lineage`) are in
`notebook`: they can be worked with while there is a kernel, and leave a table and a picture behind.

The heavy libraries load when a page is built, not with this module.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from workbench.panels.page import overview, prepare, resolve_project
from workbench.panels.view import DriftCell, Health, ModelView, Point, load_models
from workbench.panels.voila import query, voila_command, voila_environment

if TYPE_CHECKING:
    from workbench.panels.notebook.features import features
    from workbench.panels.notebook.jobs import jobs
    from workbench.panels.notebook.lineage import lineage
    from workbench.panels.notebook.models import models
    from workbench.panels.notebook.monitors import monitors
    from workbench.panels.notebook.panel import Panel
    from workbench.panels.notebook.runs import runs

_VIEWS = ("features", "jobs", "lineage", "models", "monitors", "runs")

__all__ = [
    "DriftCell",
    "Health",
    "ModelView",
    "Panel",
    "Point",
    "features",
    "jobs",
    "lineage",
    "load_models",
    "models",
    "monitors",
    "overview",
    "prepare",
    "query",
    "resolve_project",
    "runs",
    "voila_command",
    "voila_environment",
]


def __getattr__(name: str) -> Any:
    if name in _VIEWS or name == "Panel":
        module = name if name in _VIEWS else "panel"
        return getattr(importlib.import_module(f"workbench.panels.notebook.{module}"), name)
    raise AttributeError(f"module 'workbench.panels' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
