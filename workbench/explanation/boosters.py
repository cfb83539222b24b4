"""XGBoost, LightGBM and CatBoost: their own TreeSHAP, on the trees that they predict with.

Many rows of a LightGBM model go our way, which is faster there.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError
from workbench.explanation.frames import Rows
from workbench.explanation.lightgbm_trees import MANY, read_trees, values_of
from workbench.explanation.ways import BLOCK, Answer, Background, Way

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["catboost_names", "catboost_way", "lightgbm_names", "lightgbm_way", "xgboost_way"]

_LOG_ODDS, _TARGET, _LOG_TARGET = "log-odds", "target units", "log of the target"
_RANKING, _MARGIN = "ranking margin", "margin"

_XGBOOST_UNITS = {
    **dict.fromkeys(("binary:logistic", "binary:logitraw", "reg:logistic"), _LOG_ODDS),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), _LOG_TARGET),
    **dict.fromkeys(
        (
            "reg:squarederror",
            "reg:pseudohubererror",
            "reg:absoluteerror",
            "reg:quantileerror",
            "reg:squaredlogerror",
            "reg:expectileerror",
        ),
        _TARGET,
    ),
    **dict.fromkeys(("rank:ndcg", "rank:map", "rank:pairwise"), _RANKING),
}
_LIGHTGBM_UNITS = {
    **dict.fromkeys(("binary", "multiclassova", "cross_entropy"), _LOG_ODDS),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), _LOG_TARGET),
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape"), _TARGET),
    **dict.fromkeys(("lambdarank", "rank_xendcg"), _RANKING),
}
_CATBOOST_UNITS = {
    **dict.fromkeys(("Logloss", "CrossEntropy", "MultiClassOneVsAll"), _LOG_ODDS),
    **dict.fromkeys(("Poisson", "Tweedie"), _LOG_TARGET),
    **dict.fromkeys(
        ("RMSE", "MAE", "Quantile", "MAPE", "Huber", "Expectile", "LogCosh", "Lq"), _TARGET
    ),
    **dict.fromkeys(
        (
            *("YetiRank", "YetiRankPairwise", "PairLogit", "PairLogitPairwise"),
            *("QueryRMSE", "QuerySoftMax", "StochasticRank", "LambdaMart", "StochasticFilter"),
        ),
        _RANKING,
    ),
}


def xgboost_way(model: Any) -> Way:
    """Explain a booster or one of the scikit-learn wrappers, up to the iteration it stops at."""
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    learner = json.loads(booster.save_config())["learner"]
    linear = learner["gradient_booster"]["name"] == "gblinear"
    upto = (0, 0 if model is booster or linear else _best(model))

    def run(rows: Rows) -> Answer:
        import numpy as np

        table = _dmatrix(booster, rows)
        options = {"iteration_range": upto, "strict_shape": True}
        found = booster.predict(table, pred_contribs=True, **options)
        said = booster.predict(table, output_margin=True, **options)
        return _split(np.moveaxis(found, 1, 0), said)

    return Way(
        method="XGBoost's own values" if linear else "XGBoost's own TreeSHAP",
        flavor="interventional" if linear else "path-dependent",
        units=_XGBOOST_UNITS.get(learner["objective"]["name"], _MARGIN),
        run=run,
        single=True,
        background=Background("zero, as XGBoost has it for gblinear") if linear else None,
    )


def lightgbm_way(model: Any) -> Way:
    """Explain a booster or one of the scikit-learn wrappers."""
    booster = getattr(model, "booster_", model)
    # The model's own text has one name for each objective; what it was asked for has many.
    told = re.search(r"^objective=(\S+)", booster.model_to_string(1), re.MULTILINE)

    def run(rows: Rows) -> Answer:
        import numpy as np

        table = _lightgbm_table(booster, rows)
        trees = read_trees(booster) if len(rows.frame) >= MANY else None
        if trees is not None and isinstance(table, np.ndarray):
            said = np.asarray(booster.predict(table, raw_score=True))
            return Answer(*values_of(trees, table), said.reshape(len(rows.frame), -1).T)
        width = len(rows.columns) + 1
        found = np.asarray(booster.predict(table, pred_contrib=True))
        said = np.asarray(booster.predict(table, raw_score=True))
        values = found.reshape(len(rows.frame), -1, width)
        return _split(np.moveaxis(values, 1, 0), said.reshape(len(rows.frame), -1))

    units = _LIGHTGBM_UNITS.get(told[1] if told else "", _MARGIN)
    return Way("TreeSHAP of LightGBM's trees", "path-dependent", units, run, block=BLOCK)


def catboost_way(model: Any) -> Way:
    """Explain one of CatBoost's models."""
    loss = str(model.get_all_params().get("loss_function", "")).partition(":")[0]

    def run(rows: Rows) -> Answer:
        import catboost
        import numpy as np

        pool = _pool(model, rows)
        found = np.asarray(model.get_feature_importance(pool, type="ShapValues"))
        # A ranker's own predict takes no type.
        said = catboost.CatBoost.predict(model, pool, prediction_type="RawFormulaVal")
        if found.ndim == 2:
            found = found[:, None, :]
        return _split(np.moveaxis(found, 1, 0), np.reshape(said, (len(rows.frame), -1)))

    units = _CATBOOST_UNITS.get(loss, _MARGIN)
    return Way("CatBoost's own TreeSHAP", "path-dependent", units, run)


def lightgbm_names(model: Any) -> list[str] | None:
    """Give the columns' names, if they are more than their places."""
    names = [str(name) for name in getattr(model, "booster_", model).feature_name()]
    made = [f"Column_{place}" for place in range(len(names))]
    return None if names == made else names


def catboost_names(model: Any) -> list[str] | None:
    """Give the columns' names, if they are more than their places."""
    names = [str(name) for name in model.feature_names_]
    return None if names == [str(place) for place in range(len(names))] else names


def _best(model: Any) -> int:
    """Give the end of the iterations that a wrapper predicts with; 0 for all."""
    try:
        return int(model.best_iteration) + 1
    except AttributeError:  # it wasn't stopped early
        return 0


def _dmatrix(booster: Any, rows: Rows) -> Any:
    import xgboost

    names, types = booster.feature_names, booster.feature_types
    if types is None or "c" not in types or not _knows_categories(booster):
        # Categories without values of their own are numbers already.
        options = {"feature_names": names, "feature_types": types, "enable_categorical": True}
        return xgboost.DMatrix(rows.matrix(), **options)
    categorical = [c for c, kind in zip(rows.columns, types, strict=True) if kind == "c"]
    table = rows.pandas(categorical)
    if names is not None:
        table.columns = names
    return xgboost.DMatrix(table, enable_categorical=True)


def _knows_categories(booster: Any) -> bool:
    """Tell whether the model holds the values of its categories, as those of frames are held."""
    if not hasattr(booster, "get_categories"):
        return False
    found = booster.get_categories(export_to_arrow=True).to_arrow()
    return any(values is not None for _, values in found)


def _lightgbm_table(booster: Any, rows: Rows) -> Any:
    """Give categories as pandas has them if the model was fitted so, else numbers."""
    levels = booster.pandas_categorical
    if not levels:
        return rows.matrix()
    categorical = _lightgbm_categorical(booster, rows)
    if len(categorical) != len(levels):
        raise UsageError(
            f"the model was fitted on {len(levels)} columns of categories, but "
            f"{len(categorical)} of the rows are such: {', '.join(categorical) or 'none'}"
        )
    return rows.pandas(categorical)


def _lightgbm_categorical(booster: Any, rows: Rows) -> list[str]:
    """Read off the model which columns have categories, or else off the rows."""
    found = re.search(
        r"^\[categorical_feature: ([\d,]+)\]$", booster.model_to_string(1), re.MULTILINE
    )
    if found is not None:
        return [rows.columns[int(place)] for place in found[1].split(",")]
    return [name for name, dtype in rows.frame.schema.items() if not dtype.is_numeric()]


def _pool(model: Any, rows: Rows) -> Any:
    """Give CatBoost its categories as texts or whole numbers, which it wants, and numbers fast."""
    import catboost

    places = model.get_cat_feature_indices()
    if not places:
        return catboost.Pool(rows.matrix(), feature_names=catboost_names(model))
    from workbench.explanation.frames import as_pandas

    table = as_pandas(rows.frame)
    for place in places:
        name = rows.columns[place]
        table[name] = table[name].astype(object)
    table.columns = model.feature_names_
    return catboost.Pool(table, cat_features=places)


def _split(found: Any, said: Any) -> Answer:
    """Take the base value, which stands last, off; `found` is (outputs, rows, features + 1)."""
    import numpy as np

    values = np.asarray(found[..., :-1], dtype=np.float64)
    base = np.asarray(found[:, 0, -1], dtype=np.float64)
    return Answer(values, base, np.asarray(said, dtype=np.float64).T)
