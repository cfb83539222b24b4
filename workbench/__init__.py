"""Workbench: notebooks as the unit of work, on one chain that records itself.

    cell → commit → data → features → run → model → predictions → drift → retraining

Everything a notebook needs hangs on the sub-packages, which load on first use:

>>> import workbench as wb
>>> wb.__version__
'0.1.0'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench import (
        access,
        catalogue,
        data,
        evaluation,
        experiments,
        explanation,
        factory,
        features,
        functions,
        gates,
        git,
        jobs,
        lineage,
        monitoring,
        panels,
        registry,
        reproduction,
        serving,
        tracking,
    )
    from workbench.explanation.explaining import explain
    from workbench.functions.declare import function
    from workbench.jobs.outputs import output
    from workbench.jobs.parameters.secrets import secret
    from workbench.project import Project
    from workbench.serving.sql import sql
    from workbench.tracking.flavors import log_model

__version__ = "0.1.0"

__all__ = [
    "Project",
    "__version__",
    "access",
    "catalogue",
    "data",
    "evaluation",
    "experiments",
    "explain",
    "explanation",
    "factory",
    "features",
    "function",
    "functions",
    "gates",
    "git",
    "jobs",
    "lineage",
    "log_model",
    "monitoring",
    "output",
    "panels",
    "registry",
    "reproduction",
    "secret",
    "serving",
    "sql",
    "tracking",
]

_HOME = {
    "Project": "project",
    "explain": "explanation.explaining",
    "function": "functions.declare",
    "log_model": "tracking.flavors",
    "output": "jobs.outputs",
    "secret": "jobs.parameters.secrets",
    "sql": "serving.sql",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"workbench.{_HOME[name]}"), name)
    if name in __all__:
        return importlib.import_module(f"workbench.{name}")
    raise AttributeError(f"module 'workbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: Any) -> None:
    """Give this notebook a run: `%load_ext workbench`."""
    importlib.import_module("workbench.tracking.capture.notebook").load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """End the notebook's run: `%unload_ext workbench`."""
    importlib.import_module("workbench.tracking.capture.notebook").unload(shell)
    importlib.import_module("workbench.jobs.kernels.learning").tell()
