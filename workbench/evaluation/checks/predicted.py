"""WB010: predictions that are none."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from workbench.evaluation.checks.base import Check, Finding
from workbench.evaluation.evidence import Evidence
from workbench.evaluation.wording import number, percent, several

__all__ = ["Predicted"]

_OFF = 1e-3


class Predicted(Check):
    """Predictions are missing, infinite, outside of 0 to 1, or the same for every row."""

    code: ClassVar[str] = "WB010"
    of_predictions: ClassVar[bool] = False
    title: ClassVar[str] = "predictions missing, out of range or constant"
    advice: ClassVar[str] = (
        "Missing ones come of missing features: let the model take them, or fill them as training "
        "did. Out of range is a score, not a probability: use predict_proba, or calibrate. "
        "Constant ones mean that the features say nothing: look at what the model is given."
    )

    def look(self, evidence: Evidence) -> Finding:
        """Look at every prediction."""
        raw = evidence.test.raw
        finite = np.isfinite(raw) if raw.ndim == 1 else np.isfinite(raw).all(axis=1)
        missing = int(len(raw) - finite.sum())
        known = raw[finite]
        outside = _outside(evidence, known)
        different = len(np.unique(known, axis=0)) if known.size else 0
        constant = different == 1 and len(known) > 1
        said = (
            [f"{several(missing, 'row')} ({percent(missing / len(raw))}) have none"]
            if missing
            else []
        )
        said += (
            [f"{several(outside, 'row')} are outside of 0 to 1 or don't add up to 1"]
            if outside
            else []
        )
        said += ["every row has the same one"] if constant else []
        low, high = (known.min(), known.max()) if known.size else (np.nan, np.nan)
        good = f"Each of {several(len(raw), 'row')} has one, from {number(low)} to {number(high)}"
        return Finding(
            "issue" if said else "passed",
            f"{'; '.join(said) if said else good}.",
            {
                "missing": float(missing),
                "outside": float(outside),
                "different": float(different),
                "least": float(low),
                "largest": float(high),
            },
        )


def _outside(evidence: Evidence, known: np.ndarray[Any, Any]) -> int:
    if evidence.task == "regression":
        return 0
    outside = (known < 0) | (known > 1)
    if known.ndim == 2:
        outside = outside.any(axis=1) | (np.abs(known.sum(axis=1) - 1) > _OFF)
    return int(outside.sum())
