"""Why a model says what it says: what each column added, for every row, in the model's own units.

>>> import workbench as wb
>>> why = wb.explain("flights-late@champion", frame)  # doctest: +SKIP
>>> why.importance  # doctest: +SKIP
{'dep_delay': 1.31, 'origin__held_rate_1h': 0.42, ...}

XGBoost, LightGBM and CatBoost compute exact SHAP values of their trees themselves; scikit-learn's
boosted trees are worked out here, its forests by `shap`, linear models in closed form, and whatever
else predicts by an approximation that states its error. Values of pipelines are those of their
input columns. However they come, base value and values must add up to what the model itself says of
each row: that is checked on every call, and an explanation that misses is refused.
"""

from workbench.explanation.explaining import explain
from workbench.explanation.result import Explanation
from workbench.explanation.shap_values import ShapSummary, shap_summary
from workbench.explanation.storing import read_explanation, store_explanation
from workbench.explanation.ways import Background

__all__ = [
    "Background",
    "Explanation",
    "ShapSummary",
    "explain",
    "read_explanation",
    "shap_summary",
    "store_explanation",
]
