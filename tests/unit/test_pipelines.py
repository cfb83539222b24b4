"""A pipeline's file is checked with everything that it names before anything starts."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.jobs.notebooks import write_notebook
from workbench.errors import ConfigError, NotebookError, NotFoundError, ParameterError
from workbench.jobs.pipelines import Plan, list_pipelines, plan_pipeline
from workbench.jobs.pipelines.given import given_outputs
from workbench.jobs.pipelines.references import chosen, filled, parsed
from workbench.project import Project

WriteFile = Callable[..., None]

STEPS = """
[steps.prepare]
notebook = "prepare.ipynb"
parameters = {month = "${month}"}
[steps.train]
notebook = "train.ipynb"
parameters = {library = "xgboost"}
inputs = {frame = "prepare.frame", depth = "prepare.depth"}
[steps.report]
notebook = "report.ipynb"
after = ["train"]
"""


@pytest.fixture
def write(blank_project: Project) -> WriteFile:
    """Write a pipeline called `p` on a few notebooks."""
    root = blank_project.root
    write_notebook(
        root / "prepare.ipynb",
        "import workbench as wb\n%time x = 1\nwb.output('frame', x)",
        "wb.output(name='depth', value=3)",
        parameters="month: int = 1\nday: str = 'mo'",
    )
    write_notebook(
        root / "train.ipynb",
        "from workbench import output",
        "output('model', 1)",
        parameters="from pathlib import Path\nframe: str\ndepth: int\nlibrary: str = 'x'\n"
        "where: Path = Path('.')\ntoken: str = 't'",
    )
    write_notebook(root / "report.ipynb", "1")
    write_notebook(root / "open.ipynb", "import workbench\nworkbench.output(f'a{1}', 1)")
    (root / "pipelines").mkdir()

    def text(steps: str = STEPS, parameters: str = "month = 6", name: str = "p") -> None:
        head = f'[pipeline]\ndescription = "A test"\n[parameters]\n{parameters}\n'
        (root / "pipelines" / f"{name}.toml").write_text(head + steps, encoding="utf-8")

    return text


def test_a_pipeline(blank_project: Project, write: WriteFile) -> None:
    write()
    plan = plan_pipeline(blank_project, "p", {"month": 7})
    assert (plan.name, plan.description, dict(plan.parameters)) == ("p", "A test", {"month": 7})
    prepare, train, report = plan.steps
    assert prepare.parameters == {"month": 7}
    assert [(a.source, a.output, a.parameter) for a in train.arrows] == [
        ("prepare", "frame", "frame"),
        ("prepare", "depth", "depth"),
    ]
    assert (prepare.needs, train.needs, report.needs) == ((), ("prepare",), ("train",))
    assert list_pipelines(blank_project) == ["p"]
    assert plan.shown()["steps"][1]["parameters"] == {"library": "xgboost"}


def test_the_digest_is_of_what_is_to_be_done(blank_project: Project, write: WriteFile) -> None:
    write()
    digests = [plan_pipeline(blank_project, "p", {"month": m}).digest for m in (6, 6, 7)]
    assert digests[0] == digests[1] != digests[2]
    assert plan_pipeline(blank_project, "p").digest == digests[0]


def test_limits_retries_and_data(blank_project: Project, write: WriteFile) -> None:
    write(
        '[steps.a]\nnotebook = "report.ipynb"\nlimits = {wall_seconds = 60, memory_mb = 500}\n'
        'retries = {attempts = 2, kinds = ["cell"]}\n'
    )
    [step] = plan_pipeline(blank_project, "p").steps
    assert (step.limits.wall_seconds, step.limits.memory_mb) == (60, 500)
    assert (step.retries.attempts, step.retries.kinds) == (2, frozenset({"cell"}))


def test_a_parameter_that_is_a_path_takes_the_path(
    blank_project: Project, write: WriteFile
) -> None:
    steps = STEPS.replace('depth = "prepare.depth"', 'depth = "prepare.depth", where = "prepare.x"')
    write(steps.replace("[steps.train]", 'outputs = ["x"]\n[steps.train]'))
    arrows = plan_pipeline(blank_project, "p").steps[1].arrows
    assert [(arrow.parameter, arrow.as_path) for arrow in arrows] == [
        ("frame", False),
        ("depth", False),
        ("where", True),
    ]


def test_names_that_only_running_tells_are_let_through(
    blank_project: Project, write: WriteFile
) -> None:
    write(
        '[steps.a]\nnotebook = "open.ipynb"\n'
        '[steps.b]\nnotebook = "prepare.ipynb"\ninputs = {month = "a.a1"}\n'
    )
    assert plan_pipeline(blank_project, "p").steps[1].arrows[0].output == "a1"


def a(more: str) -> str:
    return f'[steps.a]\nnotebook = "prepare.ipynb"\n{more}\n'


@pytest.mark.parametrize(
    ("steps", "error", "said"),
    [
        ("", ConfigError, "steps: missing|steps: .*at least 1"),
        (a("after = ['b']"), ConfigError, "steps.a.after.0: unknown step 'b'; there are: a"),
        (
            a("inputs = {month = 'aa.x'}"),
            ConfigError,
            "steps.a.inputs.month: unknown step 'aa'; did you mean a",
        ),
        (a("inputs = {month = 'frame'}"), ConfigError, 'expected "step.output" and not'),
        (a("after = ['a']"), ConfigError, "steps wait for each other: a → a"),
        (
            a("after = ['b']") + '[steps.b]\nnotebook = "report.ipynb"\nafter = ["a"]',
            ConfigError,
            "steps wait for each other: (a → b → a|b → a → b)",
        ),
        (
            a("") + '[steps.b]\nnotebook = "prepare.ipynb"\ninputs = {month = "a.frmae"}',
            ConfigError,
            "step 'a' gives no output 'frmae'; did you mean frame. There are: depth, frame",
        ),
        (
            a("parameters = {mnth = 1}"),
            ParameterError,
            "steps.a: prepare.ipynb: unknown parameter 'mnth'; did you mean month",
        ),
        (a("parameters = {month = 'x'}"), ParameterError, "month: expected int, found 'x'"),
        (
            a("") + '[steps.b]\nnotebook = "prepare.ipynb"\ninputs = {mnth = "a.frame"}',
            ParameterError,
            "steps.b.inputs: prepare.ipynb has no parameter 'mnth'; did you mean month",
        ),
        (
            '[steps.a]\nnotebook = "train.ipynb"\nparameters = {depth = 1}',
            ParameterError,
            r"steps.a: train.ipynb: required and not given: frame \(str\)",
        ),
        (a("parameters = {month = '${moth}'}"), ConfigError, "unknown parameter 'moth' of the pip"),
        (
            a("parameters = {month = 1}\ninputs = {month = 'b.frame'}")
            + '[steps.b]\nnotebook = "prepare.ipynb"',
            ConfigError,
            "steps.a: month: given twice",
        ),
        (a("data = ['flights']"), ConfigError, "steps.a.data: unknown source 'flights'"),
        (a("limits = {wall = 1}"), ConfigError, "steps.a.limits.wall: unknown key"),
        (a("notbook = 1"), ConfigError, "steps.a.notbook: unknown key; did you mean notebook"),
        (a("outputs = ['a b']"), ConfigError, "output 'a b': expected a name"),
        ('[steps."a b"]\nnotebook = "report.ipynb"', ConfigError, "'a b' is no name"),
        (
            '[steps.a]\nnotebook = "gone.ipynb"',
            NotebookError,
            "pipelines/p.toml: steps.a.notebook: .*gone.ipynb: no such notebook",
        ),
        (
            '[steps.a]\nnotebook = "../x.ipynb"',
            Exception,
            "steps.a.notebook: .*outside the project",
        ),
        ("[steps.a", ConfigError, "p.toml: not valid TOML"),
    ],
)
def test_what_is_refused(
    blank_project: Project, write: WriteFile, steps: str, error: type[Exception], said: str
) -> None:
    write(steps)
    with pytest.raises(error, match=said) as caught:
        plan_pipeline(blank_project, "p")
    assert "\n" not in str(caught.value)
    assert "p.toml" in str(caught.value)


def test_a_pipeline_that_is_not_there(blank_project: Project, write: WriteFile) -> None:
    write()
    with pytest.raises(NotFoundError, match="unknown pipeline 'pp': did you mean p"):
        plan_pipeline(blank_project, "pp")
    write(name="a b")
    with pytest.raises(ConfigError, match=r"a b\.toml: a pipeline is named by letters"):
        plan_pipeline(blank_project, "a b")


@pytest.mark.parametrize("value", ["plain", "${month}"])
def test_a_secret_is_only_named(blank_project: Project, write: WriteFile, value: str) -> None:
    write_notebook(
        blank_project.root / "s.ipynb",
        parameters="from typing import Annotated\nfrom workbench.jobs import Secret\n"
        "token: Annotated[str, Secret]",
    )
    steps = '[steps.a]\nnotebook = "s.ipynb"\nparameters = {token = "VALUE"}\n'
    write(steps.replace("VALUE", value), parameters="month = 'hush'")
    with pytest.raises(ParameterError, match=r"token is a secret.* secret://NAME") as caught:
        plan_pipeline(blank_project, "p")
    assert "hush" not in str(caught.value)
    write(steps.replace("VALUE", "secret://TOKEN"))
    assert plan_pipeline(blank_project, "p").steps[0].written == {"token": "secret://TOKEN"}


@pytest.mark.parametrize(
    ("source", "names", "more"),
    [
        ("wb.output('a', 1); wb.output('b', 2)", {"a", "b"}, False),
        ("if x:\n    workbench.output(\n        'a',\n        frame)", {"a"}, False),
        ("output(name, 1)", set(), True),
        ("%matplotlib inline\n!ls\nwb.output('a', 1)", {"a"}, False),
        ("this is no Python", set(), False),
        ("widgets.Output()\nprint('output')\nx.y.output('no', 1)", set(), False),
        ("# wb.output('a', 1)", set(), False),
    ],
)
def test_outputs_are_read_from_the_cells(source: str, names: set[str], *, more: bool) -> None:
    cells = [nbformat.v4.new_code_cell(source), nbformat.v4.new_markdown_cell("output('x', 1)")]
    found = given_outputs(nbformat.v4.new_notebook(cells=cells))
    assert (found.names, found.more) == (names, more)


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.dates()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)


@given(VALUES)
def test_a_reference_keeps_type_and_value(value: Any) -> None:
    given_value = {"x": value}
    assert filled("${x}", given_value, "") == value
    assert type(filled(["${x}"], given_value, "")[0]) is type(value)


@given(VALUES)
def test_values_without_a_reference_stay_as_they_are(value: Any) -> None:
    if "${" not in repr(value):
        assert filled(value, {}, "") == value


def test_references_in_longer_texts() -> None:
    values = {"month": 6, "day": datetime.date(2013, 6, 1)}
    assert filled("to-${month}-${day}.csv", values, "") == "to-6-2013-06-01.csv"
    assert filled("$${month} $x ${month}", values, "") == "${month} $x 6"
    with pytest.raises(ConfigError, match=r"here: unknown parameter 'mont'.*did you mean month"):
        filled({"a": ["x${mont}"]}, values, "here")


DEFAULTS = {
    "month": 6,
    "rate": 0.5,
    "name": "x",
    "on": False,
    "day": datetime.date(2013, 1, 1),
    "days": [1, 2],
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("month=7", 7),
        ("rate=2", 2.0),
        ("name=7", "7"),
        ("name=a=b 'c'", "a=b 'c'"),
        ("on=true", True),
        ("day=2013-06-01", datetime.date(2013, 6, 1)),
        ("days=[3]", [3]),
    ],
)
def test_parameters_on_the_command_line(text: str, value: Any) -> None:
    key = text.partition("=")[0]
    found = chosen(DEFAULTS, parsed(DEFAULTS, [text], "p"), "p")[key]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("month", "expected NAME=VALUE"),
        ("mnth=1", "unknown parameter 'mnth'; did you mean month"),
        ("month=x", "month: expected int like 6, found 'x'"),
        ("month=true", "month: expected int"),
        ("month=1\nother = 2", "month: expected int"),
        ("on=1", "on: expected bool"),
    ],
)
def test_parameters_that_are_refused(text: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        chosen(DEFAULTS, parsed(DEFAULTS, [text], "p"), "p")


@given(st.sampled_from(sorted(DEFAULTS)), st.text())
def test_any_text_is_a_value_or_refused(key: str, text: str) -> None:
    try:
        found = chosen(DEFAULTS, parsed(DEFAULTS, [f"{key}={text}"], "p"), "p")[key]
    except ParameterError:
        return
    assert type(found) is type(DEFAULTS[key])


def test_plans_are_made_of_files_alone(blank_project: Project, write: WriteFile) -> None:
    write()
    before = {path for path in Path(blank_project.root).rglob("*") if path.is_file()}
    assert isinstance(plan_pipeline(blank_project, "p"), Plan)
    assert {path for path in Path(blank_project.root).rglob("*") if path.is_file()} == before
