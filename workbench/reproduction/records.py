"""What a reproduction found, and where that is kept."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from workbench.lineage import link
from workbench.project import Project
from workbench.store import ReproductionRow, database

__all__ = [
    "KINDS",
    "VERDICTS",
    "DataCheck",
    "Difference",
    "Kind",
    "MetricPair",
    "PackageChange",
    "Predictions",
    "Reproduction",
    "Verdict",
    "keep_report",
    "list_reproductions",
]

Verdict = Literal["same bytes", "same predictions", "same metrics", "different"]

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""From the strictest to none."""

Kind = Literal["code", "environment", "data", "parameters", "threads", "machine", "not recorded"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order in which a cause is looked for."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class PackageChange(_Record):
    """A package, or Python itself, that isn't as it was; None where it isn't there."""

    name: str
    recorded: str | None
    now: str | None

    def __str__(self) -> str:
        """Write it as `numpy 2.3.0, now 2.4.6`."""
        return f"{self.name} {self.recorded or 'not there'}, now {self.now or 'not there'}"


class DataCheck(_Record):
    """One dataset that the run was made from, and whether it is still what it was."""

    dataset: str
    outcome: Literal["same", "changed", "gone", "not digested", "not made"]
    changes: list[str] = []


class MetricPair(_Record):
    """A metric as the run logged it, and as it is now; None where one of them has none."""

    name: str
    recorded: float | None
    now: float | None


class Predictions(_Record):
    """Both models on the same rows: how far the farthest two numbers are apart."""

    rows: int
    of: str
    """Where the rows are from."""
    library: str
    same_bits: bool
    within: bool
    largest: float
    """The largest difference; infinite where one of the two is no number."""
    tolerance: float
    """The library's: relative, and absolute below one."""


class Difference(_Record):
    """An input of the run that isn't as it was."""

    kind: Kind
    what: str


class Reproduction(_Record):
    """An attempt to make a version again: how alike the two are, and what wasn't alike before."""

    id: int = 0
    model: str
    version: str
    verdict: Verdict
    reason: str
    """What the verdict rests on."""
    cause: Difference | None = None
    """The first input that differs; None where it makes no difference to the predictions."""
    differences: list[Difference] = []
    run_id: str
    job_id: str
    notebook: str
    parameters: dict[str, Any]
    commit: str | None
    snapshot: str
    environment: Literal["rebuilt", "present"]
    packages: list[PackageChange] = []
    data: list[DataCheck] = []
    predictions: Predictions | None = None
    metrics: list[MetricPair] = []
    new_job_id: str | None = None
    error: str | None = None
    """Why the notebook didn't come to its end, if it didn't."""
    error_cell: int | None = None
    notes: list[str] = []
    kept: Path | None = None
    """Where everything of it is, if it was to be kept."""
    seconds: float
    reproduced_by: str
    reproduced_at: datetime

    @property
    def node(self) -> str:
        """Its name in the lineage."""
        return f"reproduction:{self.id}"

    def _repr_html_(self) -> str:
        from workbench.reproduction.showing import as_html

        return as_html(self)


def keep_report(project: Project, report: Reproduction) -> Reproduction:
    """Write a report down; return it with its number."""
    row = ReproductionRow(
        model=report.model,
        version=report.version,
        verdict=report.verdict,
        report=report.model_dump(mode="json", exclude={"id"}),
        job_id=report.new_job_id,
        reproduced_by=report.reproduced_by,
        reproduced_at=report.reproduced_at,
    )
    with database(project).session() as session:
        session.add(row)
        session.flush()
        numbered = report.model_copy(update={"id": row.id})
    link(project, [f"model:{report.model}/{report.version}"], numbered.node, "reproduced")
    return numbered


def list_reproductions(
    project: Project, model: str | None = None, version: str | None = None
) -> list[Reproduction]:
    """List what was tried before, newest first; of one model or version, if asked for."""
    query = select(ReproductionRow).order_by(ReproductionRow.id.desc())
    if model is not None:
        query = query.where(ReproductionRow.model == model)
    if version is not None:
        query = query.where(ReproductionRow.version == version)
    with database(project).session() as session:
        rows = [(row.id, row.report) for row in session.scalars(query)]
    return [Reproduction.model_validate({**report, "id": number}) for number, report in rows]
