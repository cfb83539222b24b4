"""Models of a project's own classes: stored without a pickle, served alike, run as they were."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import mlflow
import numpy as np
import polars as pl
import pytest
import yaml

from tests.models import logged
from tests.projects import ready_project
from workbench.errors import DataError, UsageError
from workbench.evaluation import evaluate
from workbench.explanation import explain
from workbench.gates import compare_ways
from workbench.git import Repository
from workbench.project import Project
from workbench.registry import Scorer, register
from workbench.serving.sql import sql
from workbench.tracking import client, create_run
from workbench.tracking.flavors import fetch_model, load_model, log_model
from workbench.tracking.integrity import DIGEST, folder_digest

SCALING = """
CENTRE = 10.0


def centred(values):
    return values - CENTRE
"""

PUNCTUAL = '''
"""How likely a flight is late: its carrier's rate, and what a model of the numbers says."""

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression

from parts import scaling


class Punctual:
    schema = {"distance": pl.Float64, "hour": pl.Int64, "carrier": pl.String}
    weight = 0.5

    def fit(self, frame, late):
        self.classes_ = np.array(["early", "late"])
        known = frame.with_columns(late=late).drop_nulls("carrier")
        self.rates = dict(known.group_by("carrier").agg(pl.col("late").mean()).iter_rows())
        self.model = LogisticRegression().fit(self._numbers(frame), late)
        return self

    def predict_proba(self, frame):
        known = frame["carrier"].replace_strict(self.rates, default=0.5, return_dtype=pl.Float64)
        said = self.model.predict_proba(self._numbers(frame))[:, 1]
        late = self.weight * known.fill_null(0.5).to_numpy() + (1 - self.weight) * said
        return np.column_stack([1 - late, late])

    def predict(self, frame):
        return self.classes_[self.predict_proba(frame).argmax(axis=1)]

    def _numbers(self, frame):
        import parts.columns

        numbers = frame.select(parts.columns.NUMBERS).fill_null(0).cast(pl.Float64)
        return scaling.centred(numbers.to_numpy())
'''

MEANS = '''
import json

import polars as pl


class Means:
    """The mean delay of each carrier, which it keeps as JSON."""

    schema = {"carrier": pl.String, "day": pl.Date, "heavy": pl.Boolean}

    def fit(self, frame, delay):
        known = frame.with_columns(delay=delay).drop_nulls("carrier")
        self.means = dict(known.group_by("carrier").agg(pl.col("delay").mean()).iter_rows())
        return self

    def predict(self, frame):
        said = frame["carrier"].replace_strict(self.means, default=0.0, return_dtype=pl.Float64)
        more = frame["heavy"].fill_null(False).cast(pl.Float64) + frame["day"].dt.weekday()
        return said.fill_null(-1.0) + more

    def save(self, folder):
        (folder / "means.json").write_text(json.dumps(self.means))

    @classmethod
    def load(cls, folder):
        made = cls()
        made.means = json.loads((folder / "means.json").read_text())
        return made
'''


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    random = np.random.default_rng(0)
    distance = random.normal(10, 3, size=300)
    carrier = random.choice(["UA", "AA", "B6"], 300)
    late = random.random(300) < 1 / (1 + np.exp(-(distance - 10) - (carrier == "UA")))
    day = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 10, 26), eager=True)
    frame = pl.DataFrame(
        {
            "distance": distance,
            "hour": random.integers(5, 23, 300),
            "carrier": carrier,
            "day": day,
            "heavy": random.random(300) > 0.5,
            "late": np.where(late, "late", "early"),
            "delay": 5 * distance + random.normal(size=300),
        }
    )
    missing = pl.int_range(pl.len()) % 7 == 3
    return frame.with_columns(
        pl.when(missing).then(None).otherwise(pl.col(name)).alias(name)
        for name in ("distance", "hour", "carrier")
    )


class Code:
    """The modules of a project, and what is imported of them."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.write("parts/scaling.py", SCALING)
        self.write("parts/columns.py", 'NUMBERS = ["distance", "hour"]\n')
        self.write("punctual.py", PUNCTUAL)
        self.write("means.py", MEANS)

    def write(self, path: str, text: str) -> None:
        file = self.project.root / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        self.forget()

    def forget(self) -> None:
        """Let what is imported next be what is on disk now."""
        root = str(self.project.root)
        for name, module in list(sys.modules.items()):
            places = [getattr(module, "__file__", None), *getattr(module, "__path__", [])]
            if any(str(place).startswith(root) for place in places):
                del sys.modules[name]
        for compiled in list(self.project.root.glob("**/__pycache__")):
            shutil.rmtree(compiled, ignore_errors=True)
        importlib.invalidate_caches()

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(name)

    def defined(self, text: str, name: str = "odd") -> Any:
        """Write a module and return the class `Odd` in it."""
        self.write(f"{name}.py", text)
        return self.module(name).Odd


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One project for the module, whose code each test finds as it is written above."""
    return ready_project(tmp_path_factory.mktemp("custom") / "project")


@pytest.fixture
def code(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Code]:
    monkeypatch.syspath_prepend(str(project.root))
    mlflow.set_tracking_uri(project.tracking_uri)
    mlflow.set_registry_uri(project.tracking_uri)
    made = Code(project)
    yield made
    made.forget()


@pytest.fixture
def log(project: Project) -> Callable[..., str]:
    """Log a model to a run of its own; return the model's address."""

    def call(model: Any, example: Any = None, **more: Any) -> str:
        run_id = create_run(project, "custom", tags={}, params={})
        return log_model(model, example=example, project=project, run_id=run_id, **more)

    return call


def _registered(project: Project, name: str, model: Any, example: pl.DataFrame) -> str:
    return register(project, name, logged(project, model, example=example), owner="ada")


def _punctual(code: Code, rows: pl.DataFrame) -> Any:
    return code.module("punctual").Punctual().fit(rows, (rows["late"] == "late").to_numpy())


def _folder(project: Project, uri: str) -> Path:
    stored = client(project).get_logged_model(uri.removeprefix("models:/"))
    return Path(stored.artifact_location.removeprefix("file://"))


def _forge(project: Project, uri: str) -> None:
    """Write the digest of changed files as well, as somebody could who has the whole store."""
    digest = {DIGEST: folder_digest(_folder(project, uri))}
    client(project).set_logged_model_tags(uri.removeprefix("models:/"), digest)


def _with(project: Project, **settings: Any) -> Project:
    return Project(project.root, project.settings.model_copy(update=settings))


# What works


def test_a_classifier_is_served_explained_and_evaluated_like_any_other(
    project: Project, code: Code, rows: pl.DataFrame
) -> None:
    model = _punctual(code, rows)
    version = _registered(project, "punctual", model, rows)
    expected = model.predict_proba(rows.select(list(model.schema)))[:, 1]
    scorer = Scorer.load(project, "punctual", version)
    assert scorer.columns == ["distance", "hour", "carrier"]
    np.testing.assert_allclose(scorer.score(rows), expected, rtol=1e-12)
    asked = f"SELECT predict('punctual/{version}', *) AS late FROM rows"
    answered = sql(asked, project, tables={"rows": rows.select(list(model.schema))})
    np.testing.assert_allclose(answered["late"].to_numpy(), expected, rtol=1e-12)

    reports = compare_ways(project, "punctual", version, same_environment=True)
    assert [(one.way, one.agrees, one.rows) for one in reports] == [
        ("batch", True, 300),
        ("sql", True, 300),
        ("fresh", True, 300),
    ], reports

    loaded = load_model(project, f"models:/punctual/{version}")
    assert loaded.classes == ["early", "late"]
    report = evaluate(loaded, rows, "late", resamples=20)
    assert report.metric("roc_auc").value > 0.7
    explained = explain(f"punctual/{version}", rows.head(20), background=rows, project=project)
    assert explained.flavor == "approximation"
    assert explained.columns == ["distance", "hour", "carrier"]
    assert explained.additivity_error <= explained.tolerance


def test_a_model_that_saves_itself_is_served_alike(
    project: Project, code: Code, rows: pl.DataFrame
) -> None:
    model = code.module("means").Means().fit(rows, rows["delay"])
    version = _registered(project, "means", model, rows)
    reports = compare_ways(project, "means", version, same_environment=True)
    assert [(one.way, one.agrees) for one in reports] == [
        ("batch", True),
        ("sql", True),
        ("fresh", True),
    ], reports
    folder = fetch_model(project, f"models:/means/{version}")
    assert json.loads((folder / "state" / "means.json").read_text()) == model.means


def test_what_is_stored_says_what_it_is(
    project: Project, code: Code, rows: pl.DataFrame, log: Callable[..., str]
) -> None:
    uri = log(_punctual(code, rows), rows)
    folder = _folder(project, uri)
    told = yaml.safe_load((folder / "MLmodel").read_text())["flavors"]["custom"]
    # What a function imports is there too, and packages' own files.
    assert set(told["sources"]) == {"punctual.py", "parts/scaling.py", "parts/columns.py"}
    assert (folder / "code" / "punctual.py").read_text() == PUNCTUAL
    needed = (folder / "requirements.txt").read_text()
    assert "polars==" in needed
    assert "skops==" in needed
    assert "workbench" not in needed
    tags = client(project).get_logged_model(uri.removeprefix("models:/")).tags
    assert tags["workbench.model_format"] == "custom"
    signature = mlflow.models.get_model_info(uri).signature
    assert signature.inputs.input_names() == ["distance", "hour", "carrier"]


def test_mlflow_itself_loads_it(
    project: Project, code: Code, rows: pl.DataFrame, log: Callable[..., str]
) -> None:
    model = _punctual(code, rows)
    uri = log(model, rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path])  # MLflow puts the model's code there
        loaded = mlflow.pyfunc.load_model(uri)
        answer = loaded.predict(rows.select(list(model.schema)).to_pandas())
    expected = model.predict_proba(rows.select(list(model.schema)))
    np.testing.assert_allclose(answer, expected, rtol=1e-12)
    load_model(project, uri)  # what Python compiled beside the code is none of the model's files


def test_versions_live_side_by_side_and_outlive_their_class(
    project: Project, code: Code, rows: pl.DataFrame, log: Callable[..., str]
) -> None:
    first = log(_punctual(code, rows), rows)
    old = load_model(project, first).model.predict_proba(rows)
    code.write("punctual.py", PUNCTUAL.replace("weight = 0.5", "weight = 0.9"))
    code.write("parts/scaling.py", SCALING.replace("10.0", "0.0"))
    second = log(_punctual(code, rows), rows)
    one, other = (load_model(project, uri).model for uri in (first, second))
    np.testing.assert_array_equal(one.predict_proba(rows), old)
    assert np.abs(other.predict_proba(rows) - old).max() > 0.01
    assert type(one.own) is not type(other.own)
    # What the first one imports is what it imported then.
    assert sys.modules[type(one.own).__module__].scaling.CENTRE == 10.0
    for name in ("punctual.py", "parts/scaling.py", "parts/columns.py"):
        (project.root / name).unlink()
    code.forget()
    shutil.rmtree(project.root / "parts")
    np.testing.assert_array_equal(load_model(project, first).model.predict_proba(rows), old)


def test_code_that_git_ignores_or_nobody_committed_is_kept_with_the_project(
    project: Project, code: Code, rows: pl.DataFrame, log: Callable[..., str]
) -> None:
    with (project.root / ".gitignore").open("a") as file:
        file.write("parts/\n")
    code.write("punctual.py", f"{PUNCTUAL}# of this test\n")
    code.write("parts/scaling.py", f"{SCALING}# of this test\n")
    uri = log(_punctual(code, rows), rows)
    for name in ("punctual.py", "parts/scaling.py"):
        (project.root / name).unlink()
    repository = Repository(project.root)
    repository.git("reflog", "expire", "--expire=all", "--all")
    repository.git("gc", "--prune=now", "--quiet")
    load_model(project, uri)
    assert repository.git("for-each-ref", "refs/workbench/models").stdout


def test_without_a_repository_ours_keeps_the_code(
    project: Project, code: Code, rows: pl.DataFrame, log: Callable[..., str]
) -> None:
    repository = project.root / ".git"
    repository.rename(project.root.parent / "aside.git")
    try:
        code.write("punctual.py", f"{PUNCTUAL}# outside of Git\n")
        uri = log(_punctual(code, rows), rows)
        code.write("punctual.py", "")
        load_model(project, uri)
    finally:
        (project.root.parent / "aside.git").rename(repository)
    load_model(project, uri)  # the project came under Git after its first models


def test_without_git_the_file_of_today_vouches(
    project: Project, code: Code, rows: pl.DataFrame, log: Callable[..., str]
) -> None:
    uri = log(_punctual(code, rows), rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")
        load_model(project, uri)
        code.write("punctual.py", PUNCTUAL + "\n")
        with pytest.raises(DataError, match=r"its code punctual\.py isn't run"):
            load_model(project, uri)


def test_a_schema_of_panderas_checks_the_rows(code: Code, log: Callable[..., str]) -> None:
    text = """
import pandera.polars as pa

class Odd:
    schema = pa.DataFrameSchema({"x": pa.Column(float, pa.Check.gt(0)), "n": pa.Column(int)})

    def fit(self, frame):
        return self

    def predict(self, frame):
        return frame["x"] * frame["n"]
"""
    model = code.defined(text)()
    good = pl.DataFrame({"x": [1.0, 2.0], "n": [1, 2]})
    loaded = load_model(code.project, log(model, good)).model
    assert loaded.predict(good).tolist() == [1.0, 4.0]
    # As numbers alone, the way that batch scoring asks.
    assert loaded.predict(np.array([[1.0, 1.0], [2.0, 2.0]])).tolist() == [1.0, 4.0]
    with pytest.raises(DataError, match=r"Odd: against its schema: .*greater_than"):
        loaded.predict(pl.DataFrame({"x": [-1.0], "n": [1]}))


def test_models_of_the_four_libraries_can_be_parts_of_one(
    code: Code, log: Callable[..., str]
) -> None:
    text = """
import polars as pl
from lightgbm import LGBMRegressor
from sklearn.linear_model import Ridge
from xgboost import XGBRegressor

class Odd:
    def __init__(self):
        self.schema = {"x": pl.Float64, "y": pl.Float32}
        self.parts = [XGBRegressor(n_estimators=3, n_jobs=1), Ridge()]
        self.last = {"one": LGBMRegressor(n_estimators=3, verbose=-1, n_jobs=1, min_data_in_leaf=1)}

    def fit(self, frame, y):
        for part in (*self.parts, self.last["one"]):
            part.fit(frame.to_numpy(), y)
        return self

    def predict(self, frame):
        frame = frame.select(list(self.schema))
        return sum(part.predict(frame.to_numpy()) for part in (*self.parts, self.last["one"]))
"""
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 2))
    frame = pl.DataFrame({"x": x[:, 0], "y": x[:, 1].astype("float32")})
    model = code.defined(text)().fit(frame, x.sum(axis=1))
    uri = log(model, frame)
    loaded = load_model(code.project, uri).model
    np.testing.assert_allclose(loaded.predict(frame), model.predict(frame), rtol=1e-6)
    needed = (_folder(code.project, uri) / "requirements.txt").read_text()
    assert "xgboost==" in needed
    assert "lightgbm==" in needed


# What is refused


def test_code_that_was_edited_in_the_store_is_not_run(
    project: Project, code: Code, rows: pl.DataFrame, log: Callable[..., str], tmp_path: Path
) -> None:
    uri = log(_punctual(code, rows), rows)
    file = _folder(project, uri) / "code" / "parts" / "scaling.py"
    trap = f"import os\nos.mkdir({str(tmp_path / 'exploded')!r})\n"
    file.write_text(trap + SCALING)
    with pytest.raises(DataError, match="its files were changed after it was logged"):
        load_model(project, uri)
    _forge(project, uri)
    with pytest.raises(DataError, match=r"its code parts/scaling\.py isn't run"):
        load_model(project, uri)
    about = file.parents[2] / "MLmodel"
    told = yaml.safe_load(about.read_text())
    import hashlib

    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    told["flavors"]["custom"]["sources"]["parts/scaling.py"] = digest
    about.write_text(yaml.safe_dump(told))
    _forge(project, uri)
    with pytest.raises(DataError, match=r"neither the project's repository nor the files"):
        load_model(project, uri)
    assert not (tmp_path / "exploded").exists()


def test_a_fresh_process_runs_no_edited_code_either(
    project: Project, code: Code, rows: pl.DataFrame, tmp_path: Path
) -> None:
    version = _registered(project, "trapped", _punctual(code, rows), rows)
    source = client(project).get_model_version("trapped", version).source
    folder = _folder(project, f"models:/{source.rpartition('/')[2]}")
    trap = f"import os\nos.mkdir({str(tmp_path / 'exploded')!r})\n"
    for name in ("workbench_model.py", "punctual.py"):
        file = folder / "code" / name
        file.write_text(trap + file.read_text())
        client(project).set_model_version_tag("trapped", version, DIGEST, folder_digest(folder))
        [report] = compare_ways(project, "trapped", version, ways=["fresh"], same_environment=True)
        # The loader is ours in any case; the class isn't.
        assert report.agrees == (name == "workbench_model.py"), report
    assert "isn't run" in report.told
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    ("flavor", "lie"),
    [
        ("custom", {"class": "np.ndarray"}),
        ("custom", {"class": "Nobody"}),
        ("custom", {"class": 3}),
        ("custom", {"module": "os"}),
        ("custom", {"sources": {"../../../punctual.py": "0"}}),
        ("custom", {"sources": {"/etc/passwd.py": "0"}}),
        ("custom", {"schema": [["distance", "Object"]]}),
        ("custom", {"schema": None}),
        ("custom", {"code": "code"}),
        ("python_function", {"loader_module": "os"}),
        ("python_function", {"code": "../code"}),
        ("python_function", {"data": "elsewhere"}),
        ("sklearn", {"pickled_model": "model.pkl", "serialization_format": "pickle"}),
    ],
)
def test_a_file_that_lies_is_not_believed(
    project: Project,
    code: Code,
    rows: pl.DataFrame,
    log: Callable[..., str],
    flavor: str,
    lie: dict[str, Any],
) -> None:
    uri = log(_punctual(code, rows), rows)
    file = _folder(project, uri) / "MLmodel"
    content = yaml.safe_load(file.read_text())
    content["flavors"].setdefault(flavor, {}).update(lie)
    file.write_text(yaml.safe_dump(content))
    _forge(project, uri)
    with pytest.raises(DataError, match=uri):
        load_model(project, uri)


def test_the_state_is_no_way_in(
    project: Project, code: Code, rows: pl.DataFrame, log: Callable[..., str], tmp_path: Path
) -> None:
    import pickle

    import skops.io
    from sklearn.neighbors import KNeighborsClassifier

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path(tmp_path / "exploded").mkdir, ()  # type: ignore[return-value]

    uri = log(_punctual(code, rows), rows)
    state = _folder(project, uri) / "state" / "state.skops"
    state.write_bytes(pickle.dumps(Bomb()))
    _forge(project, uri)
    for trusting in (project, _with(project, trust_pickle=True)):
        with pytest.raises(DataError, match="its state can't be read"):
            load_model(trusting, uri)
    near = KNeighborsClassifier(algorithm="kd_tree").fit([[0.0], [1.0]], [0, 1])
    skops.io.dump({"model": near}, state)
    _forge(project, uri)
    with pytest.raises(DataError, match=r"its state can't be read.*KDTree"):
        load_model(project, uri)
    assert not (tmp_path / "exploded").exists()


def test_a_module_that_was_edited_since_its_import_is_noticed(
    project: Project, code: Code, rows: pl.DataFrame, log: Callable[..., str]
) -> None:
    model = _punctual(code, rows)
    (project.root / "punctual.py").write_text(PUNCTUAL.replace("weight = 0.5", "weight = 0.1"))
    with pytest.raises(DataError, match="edited after it was imported"):
        log(model, rows)


PLAIN = """
import polars as pl

class Odd:
    schema = {"x": pl.Float64}

    def fit(self, frame):
        return self

    def predict(self, frame):
        return frame["x"] * 2
"""


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (("    schema = {", "    other = {"), "has no schema, .* give the class one"),
        (('{"x": pl.Float64}', "{}"), "has no columns"),
        (('{"x": pl.Float64}', "7"), "schema of odd.Odd is a int; expected a mapping"),
        (("pl.Float64", "pl.Categorical"), "says x is Categorical; expected one of .* String"),
        (("pl.Float64", "float"), "says x is <class 'float'>; expected one of"),
        (("    def fit(self", "    def learn(self"), "odd.Odd has no fit"),
        (('frame["x"] * 2', '[1.0]'), r"Odd.predict answers with the shape \(1,\) for 4 rows"),
        (('frame["x"] * 2', 'frame["x"].cast(str)'), "answers with object; expected numbers"),
        (('frame["x"] * 2', 'frame["z"]'), 'can\'t predict on it: .*z'),
        (("def predict(", "def predict_proba(self, frame):\n        return 0\n\n    def predict("),
         "has predict_proba but no classes_"),
        (("return self", "self.f = lambda x: x\n        return self"),
         "attribute f, a function, can't be stored without a pickle.*save"),
        (("return self", "self.t = frame\n        return self"), "attribute t, a DataFrame, can't"),
        (("    schema", "    __slots__ = ()\n    schema"), "has __slots__: give it save"),
        (("import polars as pl", "import polars as pl\nimport random"), ""),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_class_is_said(
    code: Code, log: Callable[..., str], change: tuple[str, str], match: str
) -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]})
    model = code.defined(PLAIN.replace(*change))()
    if hasattr(model, "fit"):
        model.fit(frame)
    if not match:
        load_model(code.project, log(model, frame))
        return
    with pytest.raises((DataError, UsageError), match=match):
        log(model, frame)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"y": [1.0]}, "the rows lack x; its schema has x"),
        ({"x": ["one"]}, "column x is String, and not each of its values is a Float64"),
        ([[1.0, 2.0]], "a matrix of 2 columns; its schema has 1"),
        (7, "int is no table of rows"),
    ],
)
def test_rows_that_do_not_fit_the_schema_are_refused(
    code: Code, log: Callable[..., str], given: Any, match: str
) -> None:
    model = code.defined(PLAIN)()
    example = pl.DataFrame({"x": [1, 2]})  # whole numbers are numbers
    loaded = load_model(code.project, log(model, example)).model
    assert loaded.predict(pl.DataFrame({"x": [None, 1.5]})).tolist()[1] == 3.0
    assert loaded.predict(example.clear()).shape == (0,)
    asked = pl.DataFrame(given) if isinstance(given, dict) else given
    with pytest.raises(DataError, match=match):
        loaded.predict(np.array(asked) if isinstance(asked, list) else asked)


def test_an_example_has_to_fit_the_schema(code: Code, log: Callable[..., str]) -> None:
    text = PLAIN.replace("pl.Float64", "pl.Int64")
    model = code.defined(text)()
    with pytest.raises(DataError, match=r"column x is Float64, and not each .* is a Int64"):
        log(model, pl.DataFrame({"x": [1.5]}))
    with pytest.raises(UsageError, match="leave columns out"):
        log(model, pl.DataFrame({"x": [1.0]}), columns=["y"])
    uri = log(model)  # the schema alone is a signature
    assert load_model(code.project, uri).columns == ["x"]
    assert load_model(code.project, log(model, pl.DataFrame({"x": [1.0, None]}))).columns == ["x"]


def test_a_class_has_to_be_found_again(
    project: Project, code: Code, log: Callable[..., str], tmp_path: Path
) -> None:
    made = type("Made", (), {"fit": 1, "predict": 1, "schema": {}, "__module__": "__main__"})
    with pytest.raises(UsageError, match=r"defined in the notebook, .*%%writefile made\.py"):
        log(made())
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "outsider.py").write_text(PLAIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(outside))
        with pytest.raises(UsageError, match=r"outsider\.py, outside the project .*: move its"):
            log(importlib.import_module("outsider").Odd())
    del sys.modules["outsider"]
    inner = code.defined(f"def make():\n    {PLAIN.strip().replace(chr(10), chr(10) + '    ')}\n"
                         "    return Odd\nOdd = make()\n")  # fmt: skip
    with pytest.raises(UsageError, match="defined in a function"):
        log(inner())
    old = code.defined(PLAIN)
    code.forget()
    code.module("odd")
    with pytest.raises(UsageError, match=r"not what it is now; .* make and fit the model anew"):
        log(old())
    loaded = load_model(project, log(code.module("odd").Odd())).model
    with pytest.raises(UsageError, match="stored already"):
        log(loaded)


def test_a_subclass_of_a_library_is_the_projects_own_if_it_has_a_schema(
    code: Code, log: Callable[..., str]
) -> None:
    text = """
import polars as pl
from sklearn.linear_model import LinearRegression

class Odd(LinearRegression):
    schema = {"x": pl.Float64}

    def fit(self, frame, y):
        return super().fit(frame.to_numpy(), y)

    def predict(self, frame):
        return super().predict(frame.to_numpy()).clip(0, None)
"""
    frame = pl.DataFrame({"x": [0.0, 1.0, 2.0]})
    model = code.defined(text)().fit(frame, [-1.0, 0.0, 1.0])
    loaded = load_model(code.project, log(model, frame)).model
    np.testing.assert_allclose(loaded.predict(frame), [0, 0, 1], atol=1e-12)


SAVING = (
    PLAIN
    + """
    def save(self, folder):
        import pickle
        (folder / "weights").write_bytes(pickle.dumps({"w": 1.0}))

    @classmethod
    def load(cls, folder):
        import pickle
        pickle.loads((folder / "weights").read_bytes())
        return cls()
"""
)


def test_a_class_that_saves_pickles_is_on_record_or_refused(
    project: Project, code: Code, log: Callable[..., str]
) -> None:
    model, frame = code.defined(SAVING)(), pl.DataFrame({"x": [1.0]})
    with pytest.raises(DataError, match=r"weights is a pickle, .* set trust_pickle = true"):
        log(model, frame)
    trusting = _with(project, trust_pickle=True)
    run_id = create_run(project, "trusting", tags={}, params={})
    uri = log_model(model, example=frame, project=trusting, run_id=run_id)
    assert client(project).get_run(run_id).data.tags["workbench.model_format"] == "pickle"
    tags = client(project).get_logged_model(uri.removeprefix("models:/")).tags
    assert tags["workbench.model_format"] == "pickle"
    load_model(trusting, uri)
    with pytest.raises(DataError, match="weights is a pickle"):
        load_model(project, uri)
