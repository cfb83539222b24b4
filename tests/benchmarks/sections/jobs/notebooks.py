"""The notebooks that are run: one as people write them, and three that stress one thing each."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from workbench.project import Project

__all__ = ["CELLS", "OUTPUT", "TRAINING", "TRIVIAL", "make_project"]

TRAINING, CELLS, OUTPUT, TRIVIAL = "training.ipynb", "cells.ipynb", "output.ipynb", "trivial.ipynb"

_TRAINING = (
    "import os, time, json\nimport numpy as np\nimport pandas as pd",
    "import polars as pl",
    """\
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler""",
    "import xgboost as xgb",
    "import mlflow",
    """\
frame = load_breast_cancer(as_frame=True).frame
X, y = frame.drop(columns="target"), frame["target"]
print(X.shape)""",
    """\
means = pl.from_pandas(frame).group_by("target").agg(pl.all().mean())
means""",
    """\
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.3, random_state=seed, stratify=y
)""",
    """\
linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(X_train, y_train)
linear_auc = roc_auc_score(y_test, linear.predict_proba(X_test)[:, 1])
print(linear_auc)""",
    """\
model = xgb.XGBClassifier(
    n_estimators=n_estimators, max_depth=max_depth, learning_rate=0.1, n_jobs=1, random_state=seed
).fit(X_train, y_train)
auc = roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])
print(auc)""",
    """\
%matplotlib inline
import matplotlib.pyplot as plt
figure, axes = plt.subplots(figsize=(5, 4))
axes.barh(X.columns[:10], model.feature_importances_[:10])
plt.show()""",
    """\
result = {"auc": float(auc), "linear_auc": float(linear_auc), "max_depth": max_depth}
print(json.dumps(result))
pd.DataFrame([result])""",
)

_NOTEBOOKS = {
    TRAINING: ("seed = 0\nn_estimators = 100\nmax_depth = 4", *_TRAINING),
    CELLS: ("x = 1", *["x += 1"] * 300),
    OUTPUT: ("x = 1", *["print('a' * 1_000_000)"] * 20),
    TRIVIAL: ("x = 1",),
}


def make_project(folder: Path) -> Project:
    """Make a blank project as `workbench init` does, with the notebooks at its root."""
    from workbench.factory.scaffold import create_project  # with much that no job needs

    project = create_project(folder)
    for name, (parameters, *sources) in _NOTEBOOKS.items():
        cells = [new_code_cell(parameters, metadata={"tags": ["parameters"]})]
        cells += map(new_code_cell, sources)
        nbformat.write(new_notebook(cells=cells, metadata=_METADATA), folder / name)
    return project


_METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}
