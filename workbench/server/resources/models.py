"""Registered models."""

from __future__ import annotations

from workbench.project import Project
from workbench.registry import Model
from workbench.registry import list_models as find_models
from workbench.server.operation import Operation

__all__ = ["OPERATIONS"]


def list_models(project: Project) -> list[Model]:
    """List the registered models."""
    return find_models(project)


OPERATIONS = (Operation("GET", "/models", list_models),)
