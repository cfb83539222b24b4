"""How good a model is, and what speaks against it: intervals, slices, checks with stable codes.

One idea: a figure without its chance, its rows and its reasons to doubt is no evidence. So every
metric comes with a bootstrap interval, every claim is asked again of parts of the rows, and each
way in which a good figure is commonly wrong (leakage, rows of the future, rows seen in training,
chance) is a check with a code that a gate can name.

>>> import workbench as wb
>>> report = wb.evaluation.evaluate(model, june, "late", train=spring)  # doctest: +SKIP
>>> report.metric("roc_auc").interval  # doctest: +SKIP
Interval(low=0.73, high=0.75, level=0.95, resamples=200)

What each code looks for, when it doesn't apply and how to mend what it finds: docs/evaluation.md.
"""

from workbench.evaluation.bootstrap import compare
from workbench.evaluation.checks import CHECKS, Check, find_check, find_checks
from workbench.evaluation.evaluating import evaluate
from workbench.evaluation.labels import Labels, labels_of
from workbench.evaluation.metrics import (
    Metric,
    find_metric,
    measure,
    measure_all,
    metric_names,
)
from workbench.evaluation.outcomes import (
    CheckResult,
    Comparison,
    CurvePoint,
    Interval,
    MetricValue,
    Outcome,
    SliceResult,
    Task,
)
from workbench.evaluation.predictors import Predictor
from workbench.evaluation.report import EvaluationReport

__all__ = [
    "CHECKS",
    "Check",
    "CheckResult",
    "Comparison",
    "CurvePoint",
    "EvaluationReport",
    "Interval",
    "Labels",
    "Metric",
    "MetricValue",
    "Outcome",
    "Predictor",
    "SliceResult",
    "Task",
    "compare",
    "evaluate",
    "find_check",
    "find_checks",
    "find_metric",
    "labels_of",
    "measure",
    "measure_all",
    "metric_names",
]
