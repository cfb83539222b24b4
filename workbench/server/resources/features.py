"""Features."""

from __future__ import annotations

from pydantic import Field

from workbench.features import FeatureEntry, search
from workbench.project import Project
from workbench.server.operation import Operation, Query

__all__ = ["OPERATIONS", "FeatureQuery"]


class FeatureQuery(Query):
    """What a feature must have."""

    q: str = Field(default="", description="words, maybe misspelt")
    limit: int = Field(default=50, ge=1, le=1000, description="how many features")


def search_features(project: Project, query: FeatureQuery) -> list[FeatureEntry]:
    """List the features that have all of the words, the best first."""
    return search(project, query.q, limit=query.limit)


OPERATIONS = (Operation("GET", "/features", search_features),)
