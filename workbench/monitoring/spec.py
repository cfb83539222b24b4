"""What a monitor watches and when it speaks: the `[monitor]` table of a factory."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["FindingKind", "MonitorSpec"]

FindingKind = Literal["performance", "missing", "prediction_drift", "feature_drift"]
"""What can be wrong with a window, gravest first."""


class MonitorSpec(BaseModel):
    """The thresholds of one monitor; a value beyond its threshold is a finding.

    A finding of a kind in `alert_on` makes the window an alert, any other a warning. Drift of the
    features alone only warns by default: seasons move features, and a model that still predicts
    well needs nobody at night.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    notebook: str = Field(description="the notebook that evaluates one window, run as a job")
    owner: str = Field(description="who is asked when a window alerts: a name, team or address")
    psi: float = Field(default=0.2, gt=0, description="largest PSI of a feature")
    prediction_psi: float = Field(default=0.2, gt=0, description="largest PSI of the predictions")
    missing_increase: float = Field(
        default=0.1, gt=0, le=1, description="largest rise of a column's missing share, absolute"
    )
    roc_auc_drop: float = Field(
        default=0.03, gt=0, le=1, description="largest fall of ROC AUC since promotion, absolute"
    )
    brier_increase: float = Field(
        default=0.2, gt=0, description="largest rise of the Brier score since promotion, relative"
    )
    min_rows: int = Field(
        default=500, ge=1, description="rows (and labelled rows) below which nothing is judged"
    )
    min_labelled: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of rows with a known label below which performance isn't judged: "
        "labels that come first are seldom a fair sample",
    )
    ignore: list[str] = Field(
        default=[], description="features that are measured but not judged, such as the month"
    )
    alert_on: list[FindingKind] = Field(
        default=["performance", "missing", "prediction_drift"],
        description="kinds of finding that alert; the others warn",
    )
