"""Models in SQL: the same numbers as the library gives by itself, whatever the batches are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import mlflow
import numpy as np
import polars as pl
import pytest

from tests.projects import ready_project
from workbench import Project
from workbench.errors import DataError, NotFoundError, UsageError
from workbench.lineage import observing_use
from workbench.registry import Scorer
from workbench.serving.batch import score_window, scored_frame
from workbench.serving.sql import gathering, sql
from workbench.tracking import client, create_run, finish_run, load_model
from workbench.tracking.flavors import log_model

ROWS = 5000
COLUMNS = ["a", "b", "c"]

Fitted = dict[str, tuple[Any, pl.DataFrame]]


def rows(height: int = ROWS) -> pl.DataFrame:
    random = np.random.default_rng(1)
    numbers = random.normal(size=(height, 3))
    texts = random.choice(["UA", "AA", "B6"], height)
    return pl.DataFrame(numbers, schema=COLUMNS, orient="row").with_columns(
        carrier=pl.Series(texts), flight=pl.int_range(height)
    )


def with_nulls(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        pl.when(pl.col("flight") % 7 == 0).then(None).otherwise(pl.col("a")).alias("a"),
        pl.when(pl.col("flight") % 11 == 0).then(float("nan")).otherwise(pl.col("b")).alias("b"),
    )


def _fit() -> Iterator[tuple[str, Any, pl.DataFrame]]:
    import catboost
    import lightgbm
    import xgboost
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    frame = rows(400)
    x, mixed = frame.select(COLUMNS), frame.select(*COLUMNS, "carrier")
    binary = (frame["a"] + frame["b"] > 0).cast(pl.Int64).to_numpy()
    three = np.array(["low", "mid", "top"])[np.digitize(frame["a"].to_numpy(), [-0.5, 0.5])]
    number = (frame["a"] * 2 - frame["c"]).to_numpy()
    matrix, few = x.to_numpy(), {"n_estimators": 5}
    quiet = {"iterations": 5, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
    yield "xgboost", xgboost.XGBClassifier(**few).fit(matrix, binary), x
    yield "xgboost-number", xgboost.XGBRegressor(**few).fit(matrix, number), x
    codes = np.unique(three, return_inverse=True)[1]
    yield "xgboost-three", xgboost.XGBClassifier(**few).fit(matrix, codes), x
    yield "lightgbm", lightgbm.LGBMClassifier(**few, verbose=-1).fit(matrix, binary), x
    yield "lightgbm-number", lightgbm.LGBMRegressor(**few, verbose=-1).fit(matrix, number), x
    yield "lightgbm-three", lightgbm.LGBMClassifier(**few, verbose=-1).fit(matrix, three), x
    yield "catboost", catboost.CatBoostClassifier(**quiet).fit(matrix, binary), x
    yield "catboost-number", catboost.CatBoostRegressor(**quiet).fit(matrix, number), x
    yield "catboost-three", catboost.CatBoostClassifier(**quiet).fit(matrix, three), x
    trees = HistGradientBoostingClassifier(max_iter=5)
    yield "sklearn", trees.fit(x.to_pandas(), binary), x
    yield "sklearn-linear", LogisticRegression().fit(matrix, binary), x
    yield "sklearn-number", LinearRegression().fit(matrix, number), x
    yield "sklearn-three", LogisticRegression().fit(x.to_pandas(), three), x

    encoder = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["carrier"]), remainder="passthrough"
    )
    pipeline = make_pipeline(encoder, LogisticRegression(max_iter=500))
    yield "sklearn-texts", pipeline.fit(mixed.to_pandas(), binary), mixed
    native = catboost.CatBoostClassifier(**quiet, cat_features=["carrier"])
    yield "catboost-texts", native.fit(mixed.to_pandas(), binary), mixed
    kinds = mixed.with_columns(pl.col("carrier").cast(pl.Categorical)).to_pandas()
    wide = lightgbm.LGBMClassifier(**few, verbose=-1, min_data_per_group=1)
    yield "lightgbm-texts", wide.fit(kinds, binary), kinds
    tree = xgboost.XGBClassifier(**few, enable_categorical=True)
    yield "xgboost-texts", tree.fit(kinds, binary), kinds


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return ready_project(tmp_path_factory.mktemp("models") / "project")


@pytest.fixture(scope="module")
def fitted(project: Project) -> Fitted:
    """Every kind of model, each a version of its own name with the alias champion."""
    mlflow.set_tracking_uri(project.tracking_uri)
    mlflow.set_registry_uri(project.tracking_uri)
    registry, found = client(project), {}
    run_id = create_run(project, "train", tags={}, params={})
    for name, model, example in _fit():
        uri = log_model(model, example=example, project=project, run_id=run_id)
        registry.create_registered_model(name)
        version = registry.create_model_version(name, uri, run_id=run_id).version
        registry.set_registered_model_alias(name, "champion", str(version))
        found[name] = (model, example)
    nameless, example = found["xgboost"]
    uri = log_model(nameless, example=example.to_numpy(), project=project, run_id=run_id)
    registry.create_registered_model("nameless")
    registry.create_model_version("nameless", uri, run_id=run_id)
    finish_run(project, run_id, "FINISHED")
    return found


def _binary(model: Any, x: Any) -> Any:
    return model.predict_proba(x)[:, 1]


def _plain(model: Any, x: Any) -> Any:
    return np.asarray(model.predict(x)).reshape(len(x))


NUMBERS = ["xgboost", "lightgbm", "catboost", "sklearn", "sklearn-linear"]
BY_ITSELF: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys([*NUMBERS, *(f"{name}-texts" for name in NUMBERS[:4])], _binary),
    **dict.fromkeys(
        [f"{name}-{kind}" for name in NUMBERS[:4] for kind in ("number", "three")], _plain
    ),
}


def as_fitted(name: str, model: Any, frame: pl.DataFrame) -> Any:
    """Give rows to a model as its own user would."""
    if not name.endswith("-texts"):
        x = frame.select(COLUMNS)
        return x.to_pandas() if hasattr(model, "feature_names_in_") else x.to_numpy()
    x = frame.select(*COLUMNS, "carrier")
    if name.startswith(("xgboost", "lightgbm")):
        x = x.with_columns(pl.col("carrier").cast(pl.Categorical))
    return x.to_pandas()


@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@pytest.mark.parametrize("name", BY_ITSELF)
def test_sql_and_the_library_agree_to_the_last_bit(
    project: Project, fitted: Fitted, name: str
) -> None:
    model, _ = fitted[name]
    frame = rows()
    if not name.startswith("sklearn") or name == "sklearn":
        frame = with_nulls(frame)
    query = f"SELECT flight, predict('{name}@champion', *) AS p FROM t"
    answer = sql(query, project, tables={"t": frame})
    expected = BY_ITSELF[name](model, as_fitted(name, model, frame))
    assert answer["flight"].equals(frame["flight"])
    assert np.array_equal(answer["p"].to_numpy(), expected)
    none = sql(query, project, tables={"t": frame.clear()})
    assert none.schema == answer.schema


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost", "sklearn", "sklearn-texts"])
def test_gathered_rows_have_the_same_answers(
    project: Project, fitted: Fitted, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = rows(9_000) if name == "sklearn-texts" else with_nulls(rows(9_000))
    query = (
        f"SELECT flight, predict('{name}/1', *) AS p, predict('{name}/1', t.*) * 2 AS q FROM t "
        f"WHERE predict('{name}/1', *) > 0.3 ORDER BY flight"
    )
    plain = sql(query, project, tables={"t": frame})
    monkeypatch.setattr(gathering, "_FEW_ROWS", 3_000)
    monkeypatch.setattr(gathering, "_BATCH", 5_000)
    assert sql(query, project, tables={"t": frame}).equals(plain)
    assert 0 < plain.height < frame.height


def test_gathering_asks_a_model_a_few_times_and_never_changes_a_query(
    project: Project, fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.serving.sql.models import ModelVersion

    asked: list[int] = []
    predict = ModelVersion.predict

    def counted(self: ModelVersion, rows: pl.DataFrame) -> pl.Series:
        asked.append(rows.height)
        return predict(self, rows)

    monkeypatch.setattr(ModelVersion, "predict", counted)
    frame = rows(40_000)
    sql("SELECT sum(predict('xgboost/1', *)) AS p FROM t", project, tables={"t": frame})
    assert max(asked) == 40_000
    assert len(asked) < 10
    plain, tried = "predict('xgboost/1', *)", "TRY(predict('xgboost/1', *))"
    answers = [
        sql(f"SELECT {it} AS p FROM t", project, tables={"t": frame}) for it in (plain, tried)
    ]
    assert answers[0].equals(answers[1])
    odd = "SELECT predict('xgboost/1', random(), b, c) AS p FROM t"
    assert sql(odd, project, tables={"t": frame})["p"].is_between(0, 1).all()


def test_rows_that_are_plain_to_see_are_not_asked_for_by_a_run(
    project: Project, fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.serving.sql.asking import _Asking

    runs: list[None] = []
    dry_run = _Asking._dry_run
    monkeypatch.setattr(_Asking, "_dry_run", lambda self: (runs.append(None), dry_run(self)))
    monkeypatch.setattr(gathering, "_FEW_ROWS", 3_000)
    frame = with_nulls(rows(9_000))
    pieces = pl.concat([frame[:1_000], frame[1_000:]], rechunk=False)
    expected = scored_frame(Scorer.load(project, "xgboost", "1"), frame, ["flight"])["prediction"]
    plain = (
        "SELECT flight, predict('xgboost/1', *) AS p FROM t",
        "SELECT *, predict('xgboost/1', x.a, B, c) AS p FROM t x ORDER BY flight",
        "SELECT predict('xgboost/1', *) AS p, round(predict('xgboost/1', t.*)) AS q FROM t",
    )
    for query in plain:
        for table in (frame, pieces):
            assert sql(query, project, tables={"t": table})["p"].equals(expected), query
    assert not runs
    others = (
        "SELECT predict('xgboost/1', *) AS p FROM t WHERE flight >= 0",
        "SELECT predict('xgboost/1', a + 0, b, c) AS p FROM t",
        "SELECT predict('xgboost/1', *) AS p FROM (SELECT a, b, c FROM t)",
        "SELECT CASE WHEN flight >= 0 THEN predict('xgboost/1', *) END AS p FROM t",
        "WITH u AS (FROM t) SELECT predict('xgboost/1', *) AS p FROM u",
        "SELECT predict('xgboost/1', *) AS p FROM t LIMIT 9000",
        "SELECT predict('xgboost/1', *) AS p, predict('xgboost/1', c, b, a) AS q FROM t",
    )
    for number, query in enumerate(others):
        assert sql(query, project, tables={"t": frame})["p"].equals(expected), query
        assert len(runs) == number + 1, query


def test_rows_that_were_foreseen_wrongly_are_asked_for(
    project: Project, fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.serving.sql import asking

    frame = rows(9_000)
    plain = sql("SELECT predict('xgboost/1', *) AS p FROM t", project, tables={"t": frame})
    monkeypatch.setattr(gathering, "_FEW_ROWS", 3_000)
    others = frame.select("a", "b", "c").reverse()
    monkeypatch.setattr(asking, "foreseen", lambda *_: others)
    again = sql("SELECT predict('xgboost/1', *) AS p FROM t", project, tables={"t": frame})
    assert again.equals(plain)


def test_what_a_model_says_of_many_rows_is_named(
    project: Project, fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "_FEW_ROWS", 3_000)
    frame = with_nulls(rows(9_000)).with_columns(
        pl.when(pl.col("flight") > 8_000).then("a").otherwise(0.0),
        pl.when(pl.col("flight") > 8_000).then("b").otherwise(0.0),
    )
    for where in ("", "WHERE flight >= 0"):
        with pytest.raises(
            DataError,
            match=r"model sklearn-linear/1: LogisticRegression .*: ValueError: Input X",
        ):
            sql(
                f"SELECT predict('sklearn-linear/1', *) AS p FROM t {where}",
                project,
                tables={"t": frame},
            )


def test_batch_scoring_gives_the_same(project: Project, fitted: Fitted) -> None:
    frame = with_nulls(rows())
    for name in ("xgboost", "lightgbm", "catboost", "sklearn"):
        scored = scored_frame(Scorer.load(project, name, "1"), frame, ["flight"])
        answer = sql(f"SELECT predict('{name}/1', *) AS p FROM t", project, tables={"t": frame})
        assert answer["p"].equals(scored["prediction"])


def test_scored_windows_are_a_table(project: Project, fitted: Fitted) -> None:
    with pytest.raises(NotFoundError, match="no window was scored yet"):
        sql("FROM predictions", project)
    window = datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 2, 1, tzinfo=UTC)
    scorer, frame = Scorer.load(project, "xgboost", "1"), with_nulls(rows(100))
    score_window(project, scorer, frame, factory="f", keep=["flight"], window=window, name="w")
    query = "SELECT *, predict('xgboost/1', *) AS again FROM predictions"
    answer = sql(query, project)
    assert answer["again"].equals(answer["prediction"])
    assert answer["window_start"].unique().to_list() == [window[0]]
    assert (answer["factory"] == "f").all()


def test_types_that_are_numbers_are_taken_as_such(project: Project, fitted: Fitted) -> None:
    frame = rows(50).with_columns(
        pl.col("a").cast(pl.Float32), b=pl.col("flight").cast(pl.Int16), c=pl.col("flight") % 2 == 0
    )
    answer = sql("SELECT predict('xgboost/1', *) AS p FROM t", project, tables={"t": frame})
    model = fitted["xgboost"][0]
    matrix = frame.select(pl.col(COLUMNS).cast(pl.Float64)).to_numpy()
    assert np.array_equal(answer["p"].to_numpy(), model.predict_proba(matrix)[:, 1])


def test_columns_are_given_by_place_or_by_name(project: Project, fitted: Fitted) -> None:
    frame = rows(20)
    query = (
        "SELECT predict('xgboost/1', *) AS p, predict('xgboost/1', a, b, c) AS q, "
        "predict('xgboost/1', x.*) AS r, predict('nameless/1', a, b, c) AS s, "
        "predict('xgboost/1', -a, b + 0, CASE WHEN c > 0 THEN c END) AS t FROM mine x"
    )
    answer = sql(query, project, tables={"mine": frame})
    for column in "qrs":
        assert answer[column].equals(answer["p"]), column
    assert not answer["t"].equals(answer["p"])


def test_classes_of_more_than_two_are_labels_and_shares(project: Project, fitted: Fitted) -> None:
    frame = rows(100)
    query = (
        "SELECT predict('lightgbm-three/1', *) AS label, predict_proba('lightgbm-three/1', *) AS p,"
        " predict_proba('xgboost/1', *) AS two FROM t"
    )
    answer = sql(query, project, tables={"t": frame})
    assert answer.schema["p"] == pl.Struct(dict.fromkeys(["low", "mid", "top"], pl.Float64))
    expected = fitted["lightgbm-three"][0].predict_proba(frame.select(COLUMNS).to_numpy())
    assert np.array_equal(answer["p"].struct.unnest().to_numpy(), expected)
    assert [field.name for field in answer.schema["two"].fields] == ["0", "1"]  # type: ignore[attr-defined]
    codes = sql("SELECT predict('xgboost-three/1', *) AS c FROM t", project, tables={"t": frame})
    assert codes.schema["c"] == pl.Int64


def test_the_version_is_told(project: Project, fitted: Fitted) -> None:
    told: list[str] = []
    query = "SELECT predict('xgboost@champion', *) AS p, model_version('xgboost@champion') AS v"
    with observing_use(told.append):
        answer = sql(f"{query} FROM t", project, tables={"t": rows(3)})
    assert answer["v"].to_list() == ["1", "1", "1"]
    assert told == ["model:xgboost/1"]


def test_a_model_stands_wherever_sql_has_functions(project: Project, fitted: Fitted) -> None:
    frame = rows(3_000)
    query = """
        WITH scored AS (SELECT *, predict('xgboost@champion', *) AS p FROM t)
        SELECT carrier, avg(p) AS mean, max(predict('catboost/1', a, b, c)) AS most
        FROM scored JOIN (SELECT carrier, count(*) AS n FROM t GROUP BY ALL) USING (carrier)
        WHERE n > 0 GROUP BY carrier ORDER BY carrier
    """
    answer = sql(query, project, tables={"t": frame})
    p = load_model(project, "models:/xgboost/1").model.predict_proba(
        frame.select(COLUMNS).to_numpy()
    )
    expected = frame.with_columns(p=p[:, 1]).group_by("carrier").agg(pl.col("p").mean())
    assert answer["mean"].to_list() == pytest.approx(expected.sort("carrier")["p"].to_list())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("predict('xgbost@champion', *)", "unknown model 'xgbost': did you mean xgboost"),
        ("predict('xgboost@chmpion', *)", "unknown alias 'chmpion' of model xgboost: did you mean"),
        ("predict('xgboost/7', *)", "unknown version '7' of model xgboost: there are: 1"),
        ("predict('xgboost', *)", "which version.*xgboost@champion, xgboost/1"),
        ("predict(carrier, *)", r"named by a text that stands in the query.*\(line 1, column 8\)"),
        ("predict()", "named by a text"),
        ("predict('xgboost/1', a, b)", "2 columns given; expected 3: a, b, c"),
        ("predict('xgboost/1')", "0 columns given; expected 3: a, b, c"),
        ("predict('xgboost/1', * EXCLUDE (a))", "all of them"),
        ("predict('xgboost/1', carrier, b, c)", "xgboost/1: column a is String; expected a number"),
        ("predict('xgboost/1', DATE '2013-01-01', b, c)", "column a is Date; expected a number"),
        ("predict('sklearn-texts/1', a, b, c, 1)", "column carrier is Int32; expected string"),
        ("predict('xgboost/1', other.*)", "other"),
        ("predict('nameless/1', *)", "no names, so . can't tell"),
        ("predict_proba('xgboost-number/1', *)", "tells no classes apart: use predict"),
        ("predict('nameless/1', a, b)", "nameless/1"),
        ("predict(DISTINCT 'xgboost/1')", "no aggregate"),
    ],
)
def test_what_is_wrong_is_said(project: Project, fitted: Fitted, call: str, message: str) -> None:
    with pytest.raises((UsageError, NotFoundError, DataError), match=message) as caught:
        sql(f"SELECT {call} AS p FROM t", project, tables={"t": rows(10)})
    assert "__workbench" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_without_a_column_of_the_model_is_told(project: Project, fitted: Fitted) -> None:
    with pytest.raises(
        UsageError, match="no table has the column b, which model xgboost/1 asks for"
    ):
        sql("SELECT predict('xgboost/1', *) FROM t", project, tables={"t": rows(3).drop("b")})
