"""What takes long: a run made a version, a version put through its gate or made anew."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from workbench.access import require
from workbench.factory import factory_of, gate_version
from workbench.jobs import Progress
from workbench.project import Project
from workbench.registry import get_model as find_model
from workbench.registry import register
from workbench.reproduction import Reproduction, reproduce
from workbench.reproduction import list_reproductions as find_reproductions
from workbench.server.operation import Operation, Page, PageQuery, paged
from workbench.server.resources.models.listing import find_versions
from workbench.server.tasks import Ended, Say, Task, start
from workbench.server.tasks import list_tasks as find_tasks
from workbench.tracking import get_run as find_run

__all__ = ["OPERATIONS"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Registering(_Body):
    """Which run becomes a version."""

    run: str = Field(min_length=1, max_length=64, description="the id of a run that logged a model")
    owner: str = Field(
        default="", max_length=200, description="who answers for the model; as it was if empty"
    )


class Gating(_Body):
    """By whose policy."""

    factory: str = Field(default="", max_length=200, description="needed if several make the model")


class Reproducing(_Body):
    """In what environment."""

    same_env: bool = Field(
        default=False, description="with the packages that are here, not those that were recorded"
    )


class ReproductionQuery(PageQuery):
    """Of which version."""

    version: str = Field(default="", description="a version; all of the model's if empty")


def register_run(project: Project, name: str, body: Registering) -> Task:
    """Make the model that a run logged a version, explained, in the background."""
    person = require(project, "developer", f"register a version of {name}")
    run = find_run(project, body.run)

    def work(say: Say) -> Ended:
        say("checking where it comes from, and explaining it")
        version = register(project, name, run.run_id, owner=body.owner.strip())
        return Ended(f"version {version}")

    return start(project.root, "register", f"run:{run.run_id} as {name}", person.name, work)


def gate_again(project: Project, name: str, version: str, body: Gating) -> Task:
    """Put a version through its factory's gate, in the background; `tasks` tell how it goes."""
    person = require(project, "developer", f"put {name} version {version} through its gate")
    find_versions(project, name, version)
    factory = factory_of(project, name, body.factory)

    def work(say: Say) -> Ended:
        say("reading the rows")
        report = gate_version(factory, version, _Telling(say))
        failed = "; ".join(check.title for check in report.failed)
        said = f"{report.outcome}: {failed}" if failed else report.outcome
        return Ended(said, report.outcome == "passed")

    return start(project.root, "gate", f"model:{name}/{version}", person.name, work)


def reproduce_version(project: Project, name: str, version: str, body: Reproducing) -> Task:
    """Make a version again from its record, in the background; `tasks` tell how it goes."""
    person = require(project, "developer", f"reproduce {name}")
    find_versions(project, name, version)

    def work(say: Say) -> Ended:
        report = reproduce(project, name, version, same_env=body.same_env, reporter=say)
        return Ended(f"{report.verdict}: {report.reason}", report.verdict != "different")

    return start(project.root, "reproduce", f"model:{name}/{version}", person.name, work)


def list_reproductions(project: Project, name: str, query: ReproductionQuery) -> Page[Reproduction]:
    """List the attempts to make versions of a model again, newest first."""
    found = find_reproductions(project, find_model(project, name).name, query.version or None)
    return paged(found[query.offset : query.offset + query.limit + 1], query)


def list_tasks(project: Project) -> list[Task]:
    """List what the server does and did beside its requests, newest first."""
    return find_tasks(project.root)


class _Telling:
    """A stage of a factory that tells how far it is."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def done(self, what: str) -> None:
        self._say(f"{what}: judged")

    def working(self, what: str) -> None:
        self._say(what)

    def job(self, progress: Progress) -> None:
        self._say(f"job {progress.job.id}: cell {progress.cell} of {progress.cells}")


OPERATIONS = (
    Operation("POST", "/models/{name}/versions", register_run, status=202),
    Operation("POST", "/models/{name}/versions/{version}/gate", gate_again, status=202),
    Operation(
        "POST", "/models/{name}/versions/{version}/reproductions", reproduce_version, status=202
    ),
    Operation("GET", "/models/{name}/reproductions", list_reproductions),
    Operation("GET", "/tasks", list_tasks),
)
