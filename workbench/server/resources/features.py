"""Features."""

from __future__ import annotations

from pydantic import Field

from workbench.features import FeatureEntry, search
from workbench.features.catalogue import count
from workbench.features.profiles import FeatureProfile, profile
from workbench.features.search import Chosen, Counted
from workbench.project import Project
from workbench.server.operation import Operation, Page, PageQuery, Query, paged

__all__ = ["OPERATIONS", "FeatureFilter", "FeatureQuery"]

_WORDS = "words, maybe misspelt"
_MOST_CHOSEN = 100


class FeatureFilter(Query):
    """What a feature must have: one of the values of each facet."""

    q: str = Field(default="", max_length=1000, description=_WORDS)
    entity: list[str] = Field(default=[], max_length=_MOST_CHOSEN, description="key columns")
    tag: list[str] = Field(default=[], max_length=_MOST_CHOSEN, description="tags")
    availability: list[str] = Field(
        default=[], max_length=_MOST_CHOSEN, description="`batch`, `streaming`, `request`"
    )
    owner: list[str] = Field(default=[], max_length=_MOST_CHOSEN, description="owners")

    @property
    def chosen(self) -> Chosen:
        """The values by facet."""
        return {
            "entity": self.entity,
            "tag": self.tag,
            "availability": self.availability,
            "owner": self.owner,
        }


class FeatureQuery(FeatureFilter, PageQuery):
    """A page of the features that have it."""


def search_features(project: Project, query: FeatureQuery) -> Page[FeatureEntry]:
    """List the features that have all of the words, the best first."""
    found = search(
        project, query.q, limit=query.limit + 1, offset=query.offset, chosen=query.chosen
    )
    return paged(found, query)


def count_features(project: Project, query: FeatureFilter) -> Counted:
    """Count the features that have all of the words, in all and by facet."""
    return count(project, query.q, query.chosen)


def describe_feature(project: Project, name: str) -> FeatureProfile:
    """Say what is known of a feature: its values, how fresh it is and who uses it."""
    return profile(project, name)


OPERATIONS = (
    Operation("GET", "/features", search_features),
    Operation("GET", "/features/counts", count_features),
    Operation("GET", "/features/{name}", describe_feature),
)
