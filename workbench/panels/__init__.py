"""View-models and their faces: the same numbers in a notebook, in Voila and in a file.

One idea: a page reads what was stored and computes nothing. `workbench.panels.view` arranges the
records, `html` and `figures` give them a face, and `page` puts the faces together:

    from workbench import panels
    panels.overview()                 # in a notebook, or as a Voila page

The heavy libraries load when a page is built, not with this module.
"""

from workbench.panels.page import overview, prepare, resolve_project
from workbench.panels.view import DriftCell, Health, ModelView, Point, load_models
from workbench.panels.voila import query, voila_command, voila_environment

__all__ = [
    "DriftCell",
    "Health",
    "ModelView",
    "Point",
    "load_models",
    "overview",
    "prepare",
    "query",
    "resolve_project",
    "voila_command",
    "voila_environment",
]
