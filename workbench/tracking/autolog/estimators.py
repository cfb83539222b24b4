"""The list of scikit-learn's estimators, made when this module is imported.

MLflow goes through all of scikit-learn for it whenever its autologger is turned on. A forking
parent imports this module for all its kernels, which then have the list.
"""

from __future__ import annotations

from functools import cache

from mlflow.sklearn import utils

__all__: list[str] = []

utils._all_estimators = cache(utils._all_estimators)
utils._all_estimators()
