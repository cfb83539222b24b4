"""Why a model says what it says: one call for the four libraries, additivity checked.

XGBoost, LightGBM and CatBoost compute exact tree SHAP values themselves; scikit-learn's trees go
through `shap`. All are the path-dependent kind (Lundberg et al., 2020), in log-odds.
"""

from workbench.explain.shap_values import ShapSummary, shap_summary

__all__ = ["ShapSummary", "shap_summary"]
