"""The document that stays of a gate: JSON and the executed notebook, with the version's run."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select, update

from workbench.lineage import link
from workbench.project import Project
from workbench.registry import GateReport
from workbench.store import GateRow, database, now
from workbench.tracking import client

__all__ = ["attach_notebook", "store_report", "stored_reports"]


def stored_reports(project: Project, model: str, version: str) -> list[GateReport]:
    """List what gates have found of a version, oldest first."""
    query = (
        select(GateRow)
        .where(GateRow.model == model, GateRow.version == version)
        .order_by(GateRow.id)
    )
    with database(project).session() as session:
        return [GateReport.model_validate(row.report) for row in session.scalars(query)]


def store_report(project: Project, report: GateReport) -> None:
    """Keep the report beside the version, where any MLflow client sees it, then in our table."""
    registry = client(project)
    run_id = registry.get_model_version(report.model, report.version).run_id
    content = report.model_dump(mode="json")
    path = f"gate/{report.digest[:12]}.json"
    registry.log_dict(run_id, content, path)
    registry.set_model_version_tag(report.model, report.version, "workbench.gate", report.outcome)
    # The edge first: a report that is stored is given again, and nobody would come here once more.
    node = f"gate:{report.model}/{report.version}@{report.digest[:12]}"
    link(project, [f"model:{report.model}/{report.version}"], node, "judged")
    with database(project).session() as session:
        session.add(
            GateRow(
                factory=report.factory,
                model=report.model,
                version=report.version,
                policy=report.policy,
                outcome=report.outcome,
                report=content,
                digest=report.digest,
                document=f"runs:/{run_id}/{path}",
                evaluated_at=now(),
            )
        )


def attach_notebook(project: Project, report: GateReport, executed: Path) -> str:
    """Keep the executed notebook that judged beside the report; return its address.

    Doing it again changes nothing: a document of a gate is never replaced.
    """
    registry = client(project)
    run_id = registry.get_model_version(report.model, report.version).run_id
    path = f"gate/{report.digest[:12]}.ipynb"
    there = {item.path for item in registry.list_artifacts(run_id, "gate")}
    if path not in there:
        registry.log_text(run_id, executed.read_text(encoding="utf-8"), path)
    address = f"runs:/{run_id}/{path}"
    with database(project).session() as session:
        session.execute(
            update(GateRow).where(GateRow.digest == report.digest).values(document=address)
        )
    return address
