"""Which models there are, which of them are in production, and their versions."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import NotFoundError
from workbench.factory import list_factories, load
from workbench.monitoring import InProduction, production
from workbench.project import Project
from workbench.registry import (
    Decision,
    Model,
    Verification,
    Version,
    held_by,
    list_decided,
    verify_decisions,
)
from workbench.registry import get_model as find_model
from workbench.registry import list_decisions as find_decisions
from workbench.registry import list_models as find_models
from workbench.server.operation import Operation, Page, PageQuery, paged

__all__ = ["OPERATIONS", "DecisionInfo", "find_versions", "told"]


class ModelQuery(PageQuery):
    """Which models."""

    q: str = Field(default="", max_length=200, description="a part of the name")
    only: Literal["all", "production"] = Field(default="all", description="of which kind")


class ModelSummary(BaseModel):
    """A model, with those of its versions that matter most."""

    model_config = ConfigDict(frozen=True)

    name: str
    aliases: dict[str, str]
    versions: int = Field(description="how many there are")
    shown: list[Version] = Field(description="those with an alias, else the newest one")
    production: list[InProduction]


class ModelDetail(ModelSummary):
    """A model, with what can be done with it."""

    back: dict[str, str] = Field(description="the version that each alias would be rolled back to")
    factories: list[str] = Field(description="those that make it: whose gate counts")


class DecisionInfo(BaseModel):
    """A decision without its evidence, which its digest stands for."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: int
    factory: str
    alias: str
    version: str
    previous: str | None
    outcome: Literal["promoted", "kept", "rolled back"]
    reason: str
    decided_by: str
    role: str
    override: bool
    decided_at: datetime
    hash: str
    evidence: str = Field(description="the digest of the gate's report; empty without one")


def list_models(project: Project, query: ModelQuery) -> Page[ModelSummary]:
    """List the registered models, those in production first."""
    models = find_models(project)
    produced = _in_production(project, models)
    words = query.q.casefold().split()
    wanted = [
        model
        for model in models
        if all(word in model.name.casefold() for word in words)
        and (query.only == "all" or model.name in produced)
    ]
    wanted.sort(key=lambda model: (model.name not in produced, model.name))
    rows = wanted[query.offset : query.offset + query.limit + 1]
    return paged([ModelSummary(**_summary(model, produced)) for model in rows], query)


def get_model(project: Project, name: str) -> ModelDetail:
    """Say what is in production of a model, and what its aliases can be rolled back to."""
    model = find_model(project, name)
    decisions = list_decided(project, name)
    held = {alias: held_by(decisions, alias) for alias in model.aliases}
    return ModelDetail(
        **_summary(model, _in_production(project, [model])),
        back={alias: moves[-2].version for alias, moves in held.items() if len(moves) > 1},
        factories=_makers(project, name),
    )


def list_versions(project: Project, name: str, query: PageQuery) -> Page[Version]:
    """List the versions of a model, newest first."""
    versions = find_model(project, name).versions
    return paged(versions[query.offset : query.offset + query.limit + 1], query)


def list_decisions(project: Project, name: str, query: PageQuery) -> Page[DecisionInfo]:
    """List who moved which alias of a model when and why, newest first."""
    decisions = find_decisions(project, find_model(project, name).name)[::-1]
    rows = decisions[query.offset : query.offset + query.limit + 1]
    return paged([told(decision) for decision in rows], query)


def check_decisions(project: Project) -> Verification:
    """Follow the chain of all decisions and say whether it is as it was written."""
    return verify_decisions(project)


def find_versions(project: Project, name: str, *numbers: str) -> list[Version]:
    """Return versions of a model by their numbers.

    Raises
    ------
    NotFoundError
        If there is no such model or version.
    """
    known = {version.version: version for version in find_model(project, name).versions}
    for number in numbers:
        if number not in known:
            raise NotFoundError.named("version", number, known, f" of model {name}")
    return [known[number] for number in numbers]


def told(decision: Decision) -> DecisionInfo:
    """Say a decision without its evidence."""
    said = decision.model_dump(exclude={"evidence"})
    return DecisionInfo(**said, evidence=str(decision.evidence.get("digest") or ""))


def _in_production(project: Project, models: list[Model]) -> dict[str, list[InProduction]]:
    found: dict[str, list[InProduction]] = {}
    for one in production(project, models):
        found.setdefault(one.model, []).append(one)
    return found


def _summary(model: Model, produced: dict[str, list[InProduction]]) -> dict[str, object]:
    named = [version for version in model.versions if version.aliases]
    return {
        "name": model.name,
        "aliases": model.aliases,
        "versions": len(model.versions),
        "shown": named or model.versions[:1],
        "production": produced.get(model.name, []),
    }


def _makers(project: Project, name: str) -> list[str]:
    known = list_factories(project)
    return [factory for factory in known if load(factory, project).spec.model == name]


OPERATIONS = (
    Operation("GET", "/models", list_models),
    Operation("GET", "/models/{name}", get_model),
    Operation("GET", "/models/{name}/versions", list_versions),
    Operation("GET", "/models/{name}/decisions", list_decisions),
    Operation("GET", "/decisions/verification", check_decisions),
)
