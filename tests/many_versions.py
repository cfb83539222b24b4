"""A registry of thousands, written as rows: nobody trains three thousand models for a test."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import NullPool, create_engine
from sqlalchemy.orm import Session

from workbench.project import Project
from workbench.registry.decisions.chain import append, head
from workbench.store import DecisionRow, GateRow, database
from workbench.tracking import client, initialise

__all__ = ["seed_decisions", "seed_models", "seed_versions"]

_METRICS = ("roc_auc", "brier", *(f"m{number}" for number in range(10)))
_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_MILLISECONDS = int(_BEGIN.timestamp() * 1000)


def seed_models(project: Project, count: int, alias: str = "champion") -> list[str]:
    """Register `count` models of one version each, which has the alias; return their names."""
    from mlflow.store.model_registry.dbmodels.models import SqlRegisteredModelAlias

    names = [f"m{number:04}" for number in range(count)]
    with _mlflow(project) as session:
        for name in names:
            _add_model(session, project, name, 1)
        session.flush()
        session.add_all(SqlRegisteredModelAlias(name=n, alias=alias, version=1) for n in names)
    return names


def seed_versions(project: Project, name: str, count: int) -> None:
    """Register a model of `count` versions, each with a run, some metrics and our tags."""
    with _mlflow(project) as session:
        _add_model(session, project, name, count)


def _add_model(session: Session, project: Project, name: str, count: int) -> None:
    from mlflow.store.model_registry.dbmodels.models import (
        SqlModelVersion,
        SqlModelVersionTag,
        SqlRegisteredModel,
    )
    from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlRun

    experiment = int(initialise(project))
    session.add(SqlRegisteredModel(name=name, creation_time=_MILLISECONDS))
    for number in range(1, count + 1):
        run_id = hashlib.md5(f"{name}{number}".encode(), usedforsecurity=False).hexdigest()
        at = _MILLISECONDS + number * 60_000
        session.add(
            SqlRun(
                run_uuid=run_id,
                name="train",
                status="FINISHED",
                start_time=at,
                end_time=at + 1000,
                experiment_id=experiment,
                lifecycle_stage="active",
                artifact_uri=f"{project.state.as_uri()}/artifacts/{run_id}/artifacts",
            )
        )
        session.add_all(
            SqlLatestMetric(run_uuid=run_id, key=key, value=0.5, timestamp=at, step=0, is_nan=False)
            for key in _METRICS
        )
        session.add(
            SqlModelVersion(
                name=name,
                version=number,
                creation_time=at,
                last_updated_time=at,
                source=f"models:/m-{run_id}",
                run_id=run_id,
            )
        )
        session.add_all(
            SqlModelVersionTag(name=name, version=number, key=f"workbench.{key}", value="x")
            for key in ("owner", "gate", "digest", "model_format")
        )


def seed_decisions(
    project: Project, model: str, count: int, evidence: dict[str, Any], alias: str = "champion"
) -> None:
    """Write a gate and a promotion for each of the first versions of a model, with one evidence."""
    with database(project).session() as session:
        newest = head(session)
        for number in range(1, count + 1):
            said = {"factory": "f", "model": model, "version": str(number)}
            session.add(
                GateRow(
                    **said,
                    policy="p",
                    outcome="passed",
                    report=evidence,
                    digest="d",
                    evaluated_at=_BEGIN,
                )
            )
            row = DecisionRow(
                **said,
                alias=alias,
                previous=str(number - 1) if number > 1 else None,
                outcome="promoted",
                reason="better",
                evidence={"digest": "d", "report": evidence},
                decided_by="ada",
                role="approver",
                override=False,
                decided_at=_BEGIN + timedelta(minutes=number),
            )
            newest = append(session, row, newest).hash
    mlflow = client(project)
    mlflow.set_registered_model_alias(model, alias, str(count))
    mlflow.set_registered_model_tag(model, f"workbench.decision.{alias}", newest)


@contextmanager
def _mlflow(project: Project) -> Iterator[Session]:
    engine = create_engine(project.tracking_uri, poolclass=NullPool)
    with Session(engine) as session, session.begin():
        yield session
