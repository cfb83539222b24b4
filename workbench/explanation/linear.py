"""Linear models, in closed form: what a column adds is its coefficient times how far the row lies
from the mean (Štrumbelj and Kononenko, 2014; Lundberg and Lee, 2017, corollary 1).

The mean is that of the background, which therefore is a part of the answer.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError
from workbench.explanation.frames import Rows
from workbench.explanation.ways import Answer, Background, Way

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["is_linear", "linear_way"]

_HOMES = ("sklearn.linear_model.", "sklearn.svm._classes", "sklearn.discriminant_analysis")


def is_linear(model: Any) -> bool:
    """Tell whether the model sums up its columns, each times a coefficient."""
    from sklearn.base import is_classifier, is_regressor

    if not any(base.__module__.startswith(_HOMES) for base in type(model).__mro__):
        return False
    fitted = hasattr(model, "coef_") and hasattr(model, "intercept_")
    return fitted and (is_classifier(model) or is_regressor(model)) and not _curved(model)


def _curved(model: Any) -> bool:
    """Tell of support vectors: with them the coefficients are those of a kernel, if any."""
    return hasattr(model, "support_vectors_") and getattr(model, "kernel", "linear") != "linear"


def linear_way(model: Any, background: Background, rows: Rows | None) -> Way:
    """Explain beside the mean of `background`, of which `rows` are the rows if it has any."""
    if background.mean is None:
        assert rows is not None, "a background has a mean or rows"
        mean = tuple(rows.matrix().mean(axis=0).tolist())
    else:
        mean = background.mean
    return Way(
        method="closed form of a linear model",
        flavor="interventional",
        units=_units(model),
        run=partial(_run, model, mean),
        background=Background(background.told, mean=mean),
    )


def _run(model: Any, mean: tuple[float, ...], rows: Rows) -> Answer:
    import numpy as np

    coefficients = np.atleast_2d(np.asarray(_dense(model.coef_), dtype=np.float64))
    if len(mean) != coefficients.shape[1]:
        raise UsageError(
            f"the background is of {len(mean)} columns; the model has {coefficients.shape[1]}"
        )
    distance = rows.matrix() - np.array(mean)
    base = coefficients @ np.array(mean) + np.ravel(model.intercept_)
    return Answer(coefficients[:, None, :] * distance, base, _said(model, rows))


def _said(model: Any, rows: Rows) -> Floats:
    import numpy as np

    given = rows.named(model)
    if hasattr(model, "decision_function"):
        said = np.asarray(model.decision_function(given), dtype=np.float64)
    else:
        said = np.asarray(model.predict(given), dtype=np.float64)
        said = np.log(said) if _log_link(model) else said
    return said[None, :] if said.ndim == 1 else said.T


def _units(model: Any) -> str:
    from sklearn.base import is_classifier

    if not is_classifier(model):
        return "log of the target" if _log_link(model) else "target units"
    logistic = type(model).__name__ in ("LogisticRegression", "LogisticRegressionCV")
    logistic = logistic or getattr(model, "loss", "") == "log_loss"
    return "log-odds" if logistic and len(model.classes_) == 2 else "margin"


def _log_link(model: Any) -> bool:
    """Tell whether the model is one of the generalised linear ones that predict exp of the sum."""
    from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor

    if isinstance(model, TweedieRegressor):
        return bool(model.link == "log" or (model.link == "auto" and model.power > 0))
    return isinstance(model, (PoissonRegressor, GammaRegressor))


def _dense(matrix: Any) -> Any:
    return matrix.toarray() if hasattr(matrix, "toarray") else matrix
