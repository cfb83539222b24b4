"""What the records say of nodes: read for all of them at once, from our own tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workbench.lineage.edges import chunks
from workbench.lineage.nodes import kind_of
from workbench.project import Project
from workbench.store import (
    DatasetRow,
    DecisionRow,
    EdgeRow,
    GateRow,
    JobRow,
    PredictionRow,
    ReproductionRow,
    WindowRow,
    database,
)

__all__ = ["facts_of"]

Facts = dict[str, dict[str, str]]

# Without the documents, which are large and say nothing that a node has room for.
_GATES = select(
    GateRow.model, GateRow.version, GateRow.digest, GateRow.outcome, GateRow.evaluated_at
).order_by(GateRow.id)
_DECISIONS = select(
    DecisionRow.id,
    DecisionRow.model,
    DecisionRow.version,
    DecisionRow.alias,
    DecisionRow.outcome,
    DecisionRow.reason,
    DecisionRow.decided_by,
    DecisionRow.decided_at,
).order_by(DecisionRow.id)
_REPRODUCTIONS = select(
    ReproductionRow.id,
    ReproductionRow.verdict,
    ReproductionRow.reproduced_by,
    ReproductionRow.reproduced_at,
)


def facts_of(project: Project, names: Iterable[str]) -> Facts:
    """Return what is known of each node that has a record; a few queries for all."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_kind[kind_of(name)].append(name)
    found: Facts = {}
    with database(project).session() as session:
        for kind, look in _LOOKS.items():
            for part in chunks(by_kind.get(kind, [])):
                found.update(look(session, part))
    return found


def _jobs(session: Session, names: Sequence[str]) -> Facts:
    ids = [name.partition(":")[2] for name in names]
    rows = session.scalars(select(JobRow).where(JobRow.id.in_(ids)))
    return {f"job:{row.id}": _of_job(row) for row in rows}


def _runs(session: Session, names: Sequence[str]) -> Facts:
    ids = [name.partition(":")[2] for name in names]
    rows = session.scalars(select(JobRow).where(JobRow.run_id.in_(ids)))
    return {f"run:{row.run_id}": _of_job(row) for row in rows}


def _of_job(row: JobRow) -> dict[str, str]:
    return _told(
        label=row.label,
        notebook=row.notebook,
        state=row.state,
        finished=_moment(row.finished_at),
    )


def _datasets(session: Session, names: Sequence[str]) -> Facts:
    wanted = set(names)
    titles = {name.partition(":")[2].rpartition("@")[0] for name in names}
    found: Facts = {}
    for row in session.scalars(select(DatasetRow).where(DatasetRow.name.in_(titles))):
        node = f"dataset:{row.name}@{row.digest[:12]}"
        if node in wanted:
            found[node] = _told(
                address=row.address, rows=f"{row.rows:,}", read=_moment(row.read_at)
            )
    return found


def _predictions(session: Session, names: Sequence[str]) -> Facts:
    digests = {name.rpartition("@")[2]: name for name in names}
    factories = {name.partition(":")[2].partition("/")[0] for name in names}
    found: Facts = {}
    for row in session.scalars(select(PredictionRow).where(PredictionRow.factory.in_(factories))):
        node = digests.get(row.digest[:12])
        if node is not None:
            version = f"{row.model}/{row.version}"
            found[node] = _told(model=version, rows=f"{row.rows:,}", scored=_moment(row.scored_at))
    return found


def _windows(session: Session, names: Sequence[str]) -> Facts:
    """Find windows by the jobs that judged them: a node has a day, and a record a moment."""
    judged = select(EdgeRow.source, EdgeRow.target).where(
        EdgeRow.target.in_(names), EdgeRow.relation == "monitored", EdgeRow.source.like("job:%")
    )
    nodes = {source.partition(":")[2]: target for source, target in session.execute(judged)}
    rows = session.scalars(select(WindowRow).where(WindowRow.job_id.in_(list(nodes))))
    return {nodes[str(row.job_id)]: _of_window(row) for row in rows}


def _of_window(row: WindowRow) -> dict[str, str]:
    auc = row.metrics.get("roc_auc")
    shown = f"{auc:.3f}" if isinstance(auc, float) else None
    version = f"{row.model}/{row.version}"
    return _told(model=version, status=row.status, roc_auc=shown, judged=_moment(row.evaluated_at))


def _models(session: Session, names: Sequence[str]) -> Facts:
    titles = {name.partition(":")[2].rpartition("/")[0] for name in names}
    found: Facts = defaultdict(dict)
    for gate in session.execute(_GATES.where(GateRow.model.in_(titles))):
        found[f"model:{gate.model}/{gate.version}"]["gate"] = gate.outcome
    moved = _DECISIONS.where(DecisionRow.model.in_(titles), DecisionRow.outcome == "promoted")
    for row in session.execute(moved):
        node = f"model:{row.model}/{row.version}"
        found[node]["promoted"] = f"{row.alias}, {_moment(row.decided_at)}, {row.decided_by}"
    return {name: found[name] for name in names if name in found}


def _gates(session: Session, names: Sequence[str]) -> Facts:
    titles = {name.partition(":")[2].rpartition("/")[0] for name in names}
    found: Facts = {}
    for row in session.execute(_GATES.where(GateRow.model.in_(titles))):
        node = f"gate:{row.model}/{row.version}@{row.digest[:12]}"
        found[node] = _told(outcome=row.outcome, judged=_moment(row.evaluated_at))
    return {name: found[name] for name in names if name in found}


def _decisions(session: Session, names: Sequence[str]) -> Facts:
    rows = session.execute(_DECISIONS.where(DecisionRow.id.in_(_numbers(names))))
    return {
        f"decision:{row.id}": _told(
            outcome=f"{row.model}/{row.version} {row.outcome} for {row.alias}",
            by=row.decided_by,
            at=_moment(row.decided_at),
            reason=row.reason,
        )
        for row in rows
    }


def _reproductions(session: Session, names: Sequence[str]) -> Facts:
    rows = session.execute(_REPRODUCTIONS.where(ReproductionRow.id.in_(_numbers(names))))
    return {
        f"reproduction:{row.id}": _told(
            outcome=row.verdict, by=row.reproduced_by, at=_moment(row.reproduced_at)
        )
        for row in rows
    }


def _numbers(names: Sequence[str]) -> list[int]:
    return [int(text) for name in names if (text := name.partition(":")[2]).isdecimal()]


def _told(**facts: Any) -> dict[str, str]:
    return {name: str(value) for name, value in facts.items() if value}


def _moment(at: Any) -> str | None:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else None


_LOOKS: dict[str, Callable[[Session, Sequence[str]], Facts]] = {
    "job": _jobs,
    "run": _runs,
    "dataset": _datasets,
    "predictions": _predictions,
    "window": _windows,
    "model": _models,
    "gate": _gates,
    "decision": _decisions,
    "reproduction": _reproductions,
}
