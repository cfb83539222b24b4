"""The catalogue: what features there are, listed and found without running any project code."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, computed_field
from sqlalchemy import select
from sqlalchemy.orm import Session

from workbench.errors import NotFoundError
from workbench.features.search.details import Sparkline, materialized, sparklines
from workbench.features.search.facets import NOTHING, Chosen, Counted
from workbench.features.search.finding import count as counted
from workbench.features.search.finding import find, known_usage
from workbench.features.search.formulas import columns_of_others, formulas
from workbench.features.search.inserting import Spines, code_for
from workbench.features.search.usage import UNUSED, Usage, usage
from workbench.features.search.views import definitions
from workbench.project import Project
from workbench.store import FeatureViewRow, database

__all__ = ["FeatureEntry", "catalogue", "count", "entries", "entry", "search"]


class FeatureEntry(BaseModel):
    """One feature as the catalogue shows it.

    Attributes
    ----------
    dtype
        The type of its values; None where that isn't known before there are some.
    formula
        The expression that computes it, where its view writes one out.
    freshness
        How old it may be online, as its view promises.
    materialized_at
        When its view was last brought to an online store.
    statistics
        What its values were, window by window; None before it is materialised.
    used_by
        The models and the notebooks that its view led to, as `model:NAME` and `notebook:PATH`.
    uses
        How many runs and models that were.
    code
        Python that joins it to the project's spine, or to a frame called `spine`.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    view: str
    feature: str
    description: str
    view_description: str
    dtype: str | None
    formula: str | None
    entity: list[str]
    owner: str
    tags: list[str]
    availability: str
    ttl: str | None
    freshness: str | None
    materialized_at: datetime | None
    statistics: Sparkline | None
    used_by: list[str]
    uses: int
    code: str

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property
    @property
    def column(self) -> str:
        """The feature's column in a training frame."""
        return f"{self.view}__{self.feature}"


def catalogue(project: Project) -> list[FeatureEntry]:
    """List every registered feature, by view and in the order they were declared."""
    with database(project).session() as session:
        names = session.scalars(select(FeatureViewRow.name).order_by(FeatureViewRow.name)).all()
    return _entries(project, dict.fromkeys(names), usage(project, "feature"))


def search(
    project: Project, text: str, limit: int = 20, *, offset: int = 0, chosen: Chosen = NOTHING
) -> list[FeatureEntry]:
    """List the features that fit `text` best; all of its words have to fit.

    A word is the beginning of a word of the name, the description, the columns, the tags, the
    owner or the formula; where nothing fits, of one that is a letter off. Hits in the name come
    first, and of those the most used. Without a word, the most used of all are listed. `tag:air`,
    `owner:ada`, `entity:origin` and `used_by:flights-late` narrow a search, by the beginnings of
    words.

    Parameters
    ----------
    offset
        How many hits to leave out: those of the pages before.
    chosen
        Values, to the letter, of `entity`, `tag`, `availability` and `owner`. A feature has one of
        those of each.
    """
    hits = find(project, text, offset + limit, chosen)[offset:]
    return entries(project, [hit.name for hit in hits])


def count(project: Project, text: str, chosen: Chosen = NOTHING) -> Counted:
    """Count what `search` would find, in all and by entity, tag, availability and owner.

    Beside a value stands how many have it, with what is chosen of the other facets.
    """
    return counted(project, text, chosen)


def entries(project: Project, names: Sequence[str]) -> list[FeatureEntry]:
    """Return the features with these names, in this order, but those that are gone."""
    wanted: dict[str, list[str]] = {}
    for name in names:
        view, _, feature = name.partition(":")
        wanted.setdefault(view, []).append(feature)
    found = {e.name: e for e in _entries(project, wanted, known_usage(project))}
    return [found[name] for name in names if name in found]


def entry(project: Project, name: str) -> FeatureEntry:
    """Return the feature called `view:feature`.

    Raises
    ------
    NotFoundError
        If there is none of that name.
    """
    view, _, feature = name.partition(":")
    for found in _entries(project, {view: [feature]}, usage(project, "feature", [name])):
        return found
    raise NotFoundError.named("feature", name, (known.name for known in catalogue(project)))


def _entries(
    project: Project,
    wanted: Mapping[str, Collection[str] | None],
    used: Mapping[str, Usage],
) -> list[FeatureEntry]:
    """Make the entries of features by their views; None stands for all that a view has."""
    with database(project).session() as session:
        views = definitions(session, wanted)
        features = [
            (view, name)
            for view, names in wanted.items()
            for name in views.get(view, {"features": {}})["features"]
            if names is None or name in names
        ]
        needed = _needed(session, views, features)
        moments, values = materialized(session, views), sparklines(session, features)
    spines = Spines(project)
    return [
        FeatureEntry(
            **_declared(view, feature, views[view]),
            materialized_at=moments.get(view),
            statistics=values.get((view, feature)),
            used_by=used.get(f"{view}:{feature}", UNUSED).names,
            uses=used.get(f"{view}:{feature}", UNUSED).weight,
            code=code_for(
                [*needed.get((view, feature), ()), f"{view}:{feature}"], spines.of_view(view)
            ),
        )
        for view, feature in features
    ]


def _declared(view: str, feature: str, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Say what the definition says of a feature."""
    return {
        **{key: definition[key] for key in ("entity", "owner", "tags", "availability", "ttl")},
        "name": f"{view}:{feature}",
        "view": view,
        "feature": feature,
        "description": definition["features"][feature],
        "view_description": definition["description"],
        "dtype": definition.get("types", {}).get(feature),
        "formula": _formula(definition, feature),
        "freshness": definition.get("freshness"),
    }


def _formula(definition: Mapping[str, Any], feature: str) -> str | None:
    code = definition.get("code", "")
    if feature not in code:
        return None  # as with most: it is a column that the source has
    return formulas(code, tuple(definition["features"])).get(feature)


def _needed(
    session: Session,
    views: Mapping[str, dict[str, Any]],
    features: Collection[tuple[str, str]],
) -> dict[tuple[str, str], list[str]]:
    """List the features of other views that a request's formula has to find in its frame."""
    columns = {
        (view, feature): columns_of_others(_formula(views[view], feature) or "")
        for view, feature in features
        if views[view]["kind"] == "request"
    }
    others = {view for found in columns.values() for view, _ in found}
    known = definitions(session, others) if others else {}
    return {
        feature: [f"{v}:{f}" for v, f in found if f in known.get(v, {"features": {}})["features"]]
        for feature, found in columns.items()
    }
