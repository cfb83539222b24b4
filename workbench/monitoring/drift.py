"""How far a window is from the reference, column by column, on the reference's own bins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from workbench.monitoring.profile import ColumnProfile, Profile

__all__ = ["FLOOR", "ColumnDrift", "drift", "jensen_shannon", "psi"]

FLOOR = 1e-4
"""Smallest share a bin counts with in the PSI, which has no value at zero."""


class ColumnDrift(BaseModel):
    """One column of a window against the reference; None where a side has no finite value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    psi: float | None = Field(description="population stability index, ≥ 0")
    jensen_shannon: float | None = Field(description="distance in [0, √ln 2]")
    missing: float | None = Field(description="share of the window's rows with no finite value")
    missing_reference: float | None = Field(description="the same share of the reference")
    finite: int = Field(description="values of the window that were compared")
    finite_reference: int = Field(description="values of the reference that they were compared to")

    @property
    def missing_increase(self) -> float | None:
        """Rise of the missing share, absolute; negative for a fall."""
        if self.missing is None or self.missing_reference is None:
            return None
        return self.missing - self.missing_reference


def psi(reference: Sequence[int], current: Sequence[int]) -> float:
    """Population stability index of two lists of bin counts: Σ (c - r) · ln(c / r), c and r shares.

    The sum of both Kullback-Leibler divergences: symmetric, zero for equal shares. The common
    reading (Siddiqi, Credit Risk Scorecards, 2006): under 0.1 stable, over 0.25 shifted. Of two
    samples of the same source, n and m large, expect about (bins - 1) · (1/n + 1/m) (Yurdakul,
    Statistical Properties of Population Stability Index, 2018).

    A share below `FLOOR` counts as `FLOOR`. Evidently fills zeros with the same 1e-4; a floor
    gives the same values there, and doesn't let a bin of one row weigh more than an empty one.

    >>> round(psi([50, 50], [80, 20]), 6)  # 0.3·ln(0.8/0.5) - 0.3·ln(0.2/0.5)
    0.415888
    """
    r, c = (np.maximum(_shares(counts), FLOOR) for counts in (reference, current))
    return float(np.sum((c - r) * np.log(c / r)))


def jensen_shannon(reference: Sequence[int], current: Sequence[int]) -> float:
    """Jensen-Shannon distance of two lists of bin counts: √(½·KL(r‖m) + ½·KL(c‖m)), m = (r+c)/2.

    Natural logarithm, so 0 for equal shares and √ln 2 ≈ 0.8326 for shares that never meet
    (Endres and Schindelin, A new metric for probability distributions, 2003). Needs no fill: m is
    zero only where both are. Equals `scipy.spatial.distance.jensenshannon`.
    """
    r, c = _shares(reference), _shares(current)
    middle = (r + c) / 2
    divergence = (_divergence(r, middle) + _divergence(c, middle)) / 2
    return float(np.sqrt(max(divergence, 0.0)))  # rounding can leave -1e-17


def drift(reference: Profile, current: Profile) -> tuple[ColumnDrift, ...]:
    """Compare `current`, counted into the bins of `reference`, with it; in the order of columns."""
    return tuple(
        _column_drift(name, column, current.columns[name])
        for name, column in reference.columns.items()
    )


def _column_drift(name: str, reference: ColumnProfile, current: ColumnProfile) -> ColumnDrift:
    comparable = reference.finite > 0 and current.finite > 0
    return ColumnDrift(
        column=name,
        psi=psi(reference.counts, current.counts) if comparable else None,
        jensen_shannon=jensen_shannon(reference.counts, current.counts) if comparable else None,
        missing=current.missing_share,
        missing_reference=reference.missing_share,
        finite=current.finite,
        finite_reference=reference.finite,
    )


def _shares(counts: Sequence[int]) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.asarray(counts, dtype=np.float64)
    return values / np.sum(values)


def _divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    some = p > 0
    return float(np.sum(p[some] * np.log(p[some] / q[some])))
