"""Two answers to the same rows, and whether they are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from workbench.gates.parity.recorded import Answers, Recorded

__all__ = ["ParityReport", "compared", "failed", "tolerance_of"]

_TOLERANCES = {"xgboost": 1e-5, "lightgbm": 1e-9, "catboost": 1e-9, "sklearn": 1e-9}
"""Largest difference that means nothing: XGBoost adds up its trees in single precision."""

_SHOWN = 5


class ParityReport(BaseModel):
    """Whether one way of serving answers as the model did when it was trained."""

    model_config = ConfigDict(frozen=True)

    way: str
    agrees: bool
    rows: int
    largest: float | None
    """The largest difference, absolute below 1 and relative above; None if there was no answer."""
    tolerance: float
    told: str
    differing: list[dict[str, Any]] = []
    """The rows that differ most, with both answers; a few of them."""


def tolerance_of(flavor: str) -> float:
    """Return the largest difference that means nothing for a library's models."""
    return _TOLERANCES.get(flavor, 1e-9)


def compared(recorded: Recorded, way: str, tolerance: float, answers: Answers) -> ParityReport:
    """Hold a way's answers against those of the notebook."""
    import numpy as np

    expected = recorded.answers
    if answers.shape != expected.shape:
        told = f"answers of shape {answers.shape}; the notebook's are {expected.shape}"
        return failed(recorded, way, tolerance, told)
    distance = np.abs(answers - expected) / np.maximum(1.0, np.abs(expected))
    distance = np.where(np.isnan(answers) & np.isnan(expected), 0.0, distance)
    by_row = np.nan_to_num(distance.reshape(len(distance), -1).max(axis=1), nan=np.inf)
    wrong = np.flatnonzero(by_row > tolerance)
    worst = wrong[np.argsort(-by_row[wrong], kind="stable")][:_SHOWN]
    largest = float(by_row.max(initial=0.0))
    return ParityReport(
        way=way,
        agrees=not len(wrong),
        rows=len(expected),
        largest=largest if np.isfinite(largest) else None,
        tolerance=tolerance,
        told=f"{len(wrong):,} of {len(expected):,} rows differ" if len(wrong) else "all rows agree",
        differing=[_row(recorded, answers, int(place)) for place in worst],
    )


def failed(recorded: Recorded, way: str, tolerance: float, told: str) -> ParityReport:
    """Say that a way gave no answer that could be compared."""
    return ParityReport(
        way=way,
        agrees=False,
        rows=len(recorded.answers),
        largest=None,
        tolerance=tolerance,
        told=told,
    )


def _row(recorded: Recorded, answers: Answers, place: int) -> dict[str, Any]:
    values = {name: _plain(value) for name, value in recorded.rows.row(place, named=True).items()}
    return {
        "row": place,
        "notebook": recorded.answers[place].tolist(),
        "here": answers[place].tolist(),
        "values": values,
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
