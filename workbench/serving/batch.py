"""Scoring a window of rows into a Parquet file that says who scored them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl
from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete, select

from workbench.data import frame_digest
from workbench.errors import NotFoundError
from workbench.lineage import link
from workbench.project import Project
from workbench.registry import Scorer
from workbench.store import PredictionRow, database, now, write_atomic

__all__ = ["Prediction", "list_predictions", "read_predictions", "score_window", "scored_frame"]


class Prediction(BaseModel):
    """A scored window: which version scored how many rows, and where they are."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    factory: str
    model: str
    version: str
    window_start: datetime
    window_end: datetime
    rows: int
    path: str
    digest: str
    scored_at: datetime

    @property
    def node(self) -> str:
        """The window's name in the lineage."""
        return f"predictions:{self.factory}/{self.window_start:%Y-%m-%d}@{self.digest[:12]}"


def scored_frame(scorer: Scorer, frame: pl.DataFrame, keep: list[str]) -> pl.DataFrame:
    """Return the `keep` columns, the features, `prediction`, `model_name`, `model_version`.

    The prediction is the positive class's probability, or the number; of more than two classes it
    is the likeliest label, and `probabilities` has those of all, by label.
    """
    return frame.select(*keep, *scorer.columns).with_columns(
        *_said(scorer, frame),
        model_name=pl.lit(scorer.name),
        model_version=pl.lit(scorer.version),
    )


def _said(scorer: Scorer, frame: pl.DataFrame) -> list[pl.Series]:
    answers = scorer.score(frame)
    if answers.ndim == 1:
        return [pl.Series("prediction", answers, dtype=pl.Float64)]
    labels = scorer.classes or list(range(answers.shape[1]))
    likeliest = pl.Series("prediction", answers.argmax(axis=1), dtype=pl.UInt32)
    shares = pl.DataFrame(answers, schema=[str(label) for label in labels])
    return [
        pl.Series("prediction", labels).gather(likeliest),
        shares.to_struct("probabilities"),
    ]


def score_window(
    project: Project,
    scorer: Scorer,
    frame: pl.DataFrame,
    *,
    factory: str,
    keep: list[str],
    window: tuple[datetime, datetime],
    name: str,
    made_from: Sequence[str] = (),
) -> Prediction:
    """Score the rows of one window and store them; scoring it again replaces them.

    The file holds what `scored_frame` gives, `keep` being key and time, and is there whole before
    the record names it.

    Parameters
    ----------
    name
        The file's name without its ending, such as the window's first day.
    made_from
        The lineage nodes that the rows were taken from.
    """
    scored = scored_frame(scorer, frame, keep)
    path = project.state / "predictions" / factory / f"{name}.parquet"
    with write_atomic(path) as beside:
        scored.write_parquet(beside)
    prediction = Prediction(
        factory=factory,
        model=scorer.name,
        version=scorer.version,
        window_start=window[0],
        window_end=window[1],
        rows=scored.height,
        path=project.relative(path),
        digest=frame_digest(scored),
        scored_at=now(),
    )
    _store(project, prediction)
    model = f"model:{scorer.name}/{scorer.version}"
    link(project, [model, *made_from], prediction.node, "scored")
    return prediction


def list_predictions(project: Project, factory: str | None = None) -> list[Prediction]:
    """List scored windows in order of time."""
    query = select(PredictionRow).order_by(PredictionRow.factory, PredictionRow.window_start)
    if factory is not None:
        query = query.where(PredictionRow.factory == factory)
    with database(project).session() as session:
        return [Prediction.model_validate(row) for row in session.scalars(query)]


def read_predictions(project: Project, prediction: Prediction) -> pl.DataFrame:
    """Read a scored window's rows.

    Raises
    ------
    NotFoundError
        If its file is gone.
    """
    path = project.root / prediction.path
    if not path.exists():
        raise NotFoundError(f"{prediction.path}: gone; `workbench score` makes it again")
    return pl.read_parquet(path, glob=False)  # a folder may have brackets in its name


def _store(project: Project, prediction: Prediction) -> None:
    with database(project).session() as session:
        session.execute(
            delete(PredictionRow)
            .where(PredictionRow.factory == prediction.factory)
            .where(PredictionRow.window_start == prediction.window_start)
        )
        session.add(PredictionRow(**prediction.model_dump()))
