"""WB008: too few rows of a class to say anything."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from workbench.evaluation.checks.base import Check, Finding, NotApplicable
from workbench.evaluation.evidence import Evidence
from workbench.evaluation.wording import between, percent, several

__all__ = ["Imbalance"]


class Imbalance(Check):
    """A class has so few rows that figures rest on chance, or is so rare that accuracy lies."""

    code: ClassVar[str] = "WB008"
    title: ClassVar[str] = "label imbalance"
    advice: ClassVar[str] = (
        "Judge on a longer period or more rows, until the rarest class has a hundred. With a rare "
        "class go by average precision, recall and the Brier score, not by accuracy."
    )

    min_rows: int = Field(default=30, ge=1, description="rows of a class below which it's an issue")
    enough_rows: int = Field(
        default=100, ge=1, description="rows of a class below which it's a tip"
    )
    rare: float = Field(
        default=0.01, ge=0, lt=1, description="share of a class that is worth a tip"
    )

    def look(self, evidence: Evidence) -> Finding:
        """Count the rows of each class."""
        if evidence.task == "regression":
            raise NotApplicable("a number has no classes")
        labels = evidence.test.labels.astype(np.int64)
        counts = np.bincount(labels, minlength=len(evidence.labels.classes))
        rarest = int(counts.argmin())
        rows, share = int(counts[rarest]), float(counts[rarest] / labels.size)
        is_it = (labels == rarest).astype(np.float64)
        resampler = evidence.resampler("imbalance")
        drawn = resampler.replicates({"": lambda w: (w @ is_it) / w.sum(axis=1)})[""]
        interval = resampler.interval(drawn)
        name = str(evidence.labels.classes[rarest])
        few = rows < self.enough_rows or share < self.rare
        return Finding(
            "issue" if rows < self.min_rows else "tip" if few else "passed",
            f"The rarest class, {name}, has {several(rows, 'row')} of {labels.size:,}: "
            f"{percent(share)} {between(interval)}.",
            {"rows": float(rows), "share": share, "classes": float(counts.size)},
            interval,
        )
