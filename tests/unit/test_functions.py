"""Functions: declared, tested, registered, called from their own text, and found."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import nbformat
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from sqlalchemy import update

from workbench import Project
from workbench.access import acting_as
from workbench.catalogue import list_entries, search, show
from workbench.errors import (
    ConfigError,
    DataError,
    ForbiddenError,
    NotebookError,
    NotFoundError,
    UsageError,
)
from workbench.functions import (
    Function,
    check,
    function,
    get,
    history,
    list_functions,
    register_cell,
    register_file,
    register_notebook,
)
from workbench.git import Repository
from workbench.lineage import observing_use, upstream
from workbench.store import FunctionRow, database

LATE = '''
import workbench as wb

LIMIT = 15
UNUSED = 1 / 3

def _over(delay):
    return delay >= LIMIT

@wb.function(owner="Ada", tags=["delay"], test=[((20.0,), True), ((3.0,), False)])
def is_late(delay: float) -> bool:
    """Whether a flight counts as late."""
    return _over(delay)

print("nothing else of the file runs")
'''


@function(test=[((1.0, None), 1.0), ((1.0, 2.0), 3.0)])
def add(one: float, other: float | None = None) -> float:
    """Add two numbers, the second of which may be missing."""
    return one + (other or 0.0)


@function(returns=float, test=[(([1.0, 2.0], [3.0, 4.0]), [3.0, 8.0])])
def product(one: Annotated[pl.Series, float], other: Annotated[pl.Series, float]) -> pl.Series:
    """Multiply two columns."""
    return one * other


@function(test=[(([1, None], ["a", "b"]), ["a1", None])])
def joined(
    number: Annotated[pl.Expr, int], text: Annotated[pl.Expr, str]
) -> Annotated[pl.Expr, str]:
    """Put a number behind a text."""
    return text + number.cast(pl.String)


@function(test=[(0, "zero"), (None, "none")])
def word(number: int | None) -> str:
    """Name a number, or that there is none."""
    return "none" if number is None else {0: "zero"}.get(number, "some")


def write(project: Project, text: str, name: str = "late.py") -> Path:
    path = project.root / "functions" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("made", [add, product, joined, word])
def test_what_is_declared_passes_its_own_test(made: Function) -> None:
    assert check(made) == len(made.test)


def test_one_function_takes_values_columns_and_expressions() -> None:
    frame = pl.DataFrame({"a": [1.0, None, math.nan], "b": [None, 2.0, 3.0], "n": [0, 1, None]})
    assert add(1) == 1.0
    assert add(None) is None
    assert add(one=1, other=2) == 3.0
    assert add(frame["a"], frame["b"]).to_list()[:2] == [1.0, None]
    assert add(frame["a"], 1)[0] == 2.0
    assert product(2.0, 3.0) == 6.0
    assert joined(1, "a") == "a1"
    assert joined(frame["n"], "a").to_list() == ["a0", "a1", None]
    assert word(frame["n"]).to_list() == ["zero", "some", "none"]
    answers = frame.select(
        add(pl.col("a"), pl.col("b")).alias("add"),
        product(pl.col("a"), 2).alias("product"),
        joined(pl.col("n"), "x"),
        word(pl.col("n")),
    )
    assert answers["add"].equals(add(frame["a"], frame["b"]))
    assert answers["product"].equals(product(frame["a"], 2.0))
    assert answers["joined"].to_list() == ["x0", "x1", None]
    assert answers["word"].to_list() == ["zero", "some", "none"]


@pytest.mark.parametrize("made", [add, product])
def test_no_rows_have_no_answers(made: Function) -> None:
    empty = pl.Series([], dtype=pl.Float64)
    answer = made(empty, empty)
    assert (answer.len(), answer.dtype) == (0, pl.Float64)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.none() | st.floats(), st.none() | st.floats()), min_size=1))
def test_a_column_is_answered_as_its_rows_are(rows: list[tuple[float | None, ...]]) -> None:
    one, other = (pl.Series(column, dtype=pl.Float64) for column in zip(*rows, strict=True))
    for made in (add, product):
        alone = pl.Series([made(*row) for row in rows], dtype=pl.Float64)
        assert made(one, other).equals(alone, null_equal=True)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (bool, True, True),
        (int, 2**60, 2**60),
        (float, 3, 3.0),
        (str, "ä", "ä"),
        (bytes, b"\x00", b"\x00"),
        (date, date(2013, 1, 1), date(2013, 1, 1)),
        (datetime, datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 1, tzinfo=UTC)),
        (list[float], [1, 2.5], [1.0, 2.5]),
        (list[str], ["a"], ["a"]),
    ],
)
def test_each_type_is_the_same_as_a_value_and_in_a_column(
    annotation: Any, value: Any, expected: Any
) -> None:
    def same(it: Any) -> Any:
        """Return it."""
        return it

    same.__annotations__ = {"it": annotation, "return": annotation}
    made = function(test=[((value,), expected)])(same)
    check(made)
    assert made(value) == expected
    column = pl.Series([value, None], dtype=made.signature.returns.dtype)
    assert made(column).to_list() == [expected, None]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: add("1"), "one is '1', a str; expected float"),
        (lambda: add(one=True), "one is True, a bool; expected float"),
        (lambda: add(), "missing a required argument: 'one'"),
        (lambda: add(1, 2, 3), "too many positional arguments"),
        (lambda: add(pl.Series(["1"])), "one is String; expected float"),
        (lambda: word(pl.Series([1.5])), "number is Float64; expected int"),
        (lambda: add(pl.Series([1.0]), pl.Series([1.0, 2.0])), "one has 1, other has 2"),
    ],
)
def test_a_wrong_call_is_refused(call: Any, message: str) -> None:
    with pytest.raises((UsageError, DataError), match=message):
        call()


def test_a_time_has_a_zone() -> None:
    @function(test=[(datetime(2013, 1, 1, tzinfo=UTC), 0)])
    def hour(at: datetime) -> int:
        """Tell the hour."""
        return at.hour

    with pytest.raises(DataError, match="a time without a zone; expected datetime"):
        hour(datetime(2013, 1, 1))  # noqa: DTZ001 - it is refused
    with pytest.raises(DataError, match="give it a zone"):
        hour(pl.Series([datetime(2013, 1, 1)]))  # noqa: DTZ001
    oslo = pl.Series([datetime(2013, 1, 1, 12, tzinfo=UTC)]).dt.convert_time_zone("Europe/Oslo")
    assert hour(oslo).to_list() == [12]


def declared(text: str) -> str:
    return f"import polars as pl\nimport workbench as wb\n{text}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@wb.function(test=[(1, 1)])\ndef f(x: int) -> int:\n    return x", "has no docstring"),
        ("@wb.function\ndef f(x: int) -> int:\n    'Doc.'\n    return x", "has no test"),
        ("@wb.function(test=[(1, 1)])\ndef f(x) -> int:\n    'D.'\n    return x", "x has no annot"),
        ("@wb.function(test=[(1, 1)])\ndef f(x: int):\n    'D.'\n    return x", "answer has no"),
        ("@wb.function(test=[(1, 1)])\ndef f(x: set) -> int:\n    'D.'", "is annotated set; exp"),
        ("@wb.function(test=[(1, 1)])\ndef f() -> int:\n    'D.'", "takes nothing"),
        ("@wb.function(test=[(1, 1)])\ndef f(*x: int) -> int:\n    'D.'", "expected plain param"),
        ("@wb.function(test=[1])\ndef f(x: int) -> int:\n    'D.'", "1 is no example"),
        ("@wb.function(test=[(1, 1)])\ndef f(x: pl.Series) -> pl.Series:\n    'D.'", "no type of"),
        ("@wb.function(test=[(1, 1)])\ndef f(x: pl.Series) -> int:\n    'D.'", "be of one kind"),
        ("@wb.function(test=[(1, 2)])\ndef f(x: int) -> int:\n    'D.'\n    return x", "1; exp"),
        ("@wb.function(test=[(1, 1)])\ndef f(x: int) -> int:\n    'D.'\n    return 'a'", "a str;"),
        ("@wb.function(test=[(1, 1)])\ndef f(x: int) -> int:\n    'D.'", "is None; expected int"),
        ("@wb.function(test=[(1, 1)])\ndef f(x: int) -> int:\n    'D.'\n    1 / 0", "ZeroDivision"),
        ("@wb.function\ndef f(x: int) -> int:\n    '''D.\n\n    >>> f(1)\n    2\n    '''\n"
         "    return x", "doctest fails"),
        ("@wb.function(tags='a', test=[(1, 1)])\ndef f(x: int) -> int:\n    'D.'", "a list"),
        ("@wb.function(test=[(([1.0, 2.0],), [1.0, 2.0])], returns=float)\n"
         "def f(x: pl.Series) -> pl.Series:\n    'D.'\n    return x.head(1)", "1 answers for 2"),
        ("@wb.function(test=[(([1.0, 2.0],), [1.0, 2.0])], returns=float)\n"
         "def f(x: pl.Series) -> pl.Series:\n    'D.'\n    return [1.0]", "polars' Series"),
        ("@wb.function(test=[(([1.0, 3.0],), [-1.0, 1.0])], returns=float)\n"
         "def f(x: pl.Series) -> pl.Series:\n    'D.'\n    return x - x.mean()", "other rows"),
        ("@wb.function(test=[(1.0, 1.0)], returns=float)\n"
         "def f(x: pl.Series) -> pl.Series:\n    'D.'\n    return x", "has one row"),
        ("N = []\n@wb.function(test=[(1, 1), (2, 2)])\n"
         "def f(x: int) -> int:\n    'D.'\n    N.append(x)\n    return len(N)", "nor remember"),
        ("def f(x:\n", "line 3: not plain Python"),
        ("@wb.function(test=[(1, 1)])\ndef f(x: int) -> int:\n    'D.'\n    return np.abs(x)",
         "function f uses np, which isn't defined there"),
        ("raise_ = 1 / 0\n@wb.function(test=[(1, 1)])\ndef f(x: int) -> int:\n    'D.'\n"
         "    return raise_", "can't be run: ZeroDivisionError"),
        ("x = 1", "declares no function"),
    ],
)  # fmt: skip
def test_what_can_not_be_registered_says_why(
    blank_project: Project, text: str, message: str
) -> None:
    with pytest.raises((UsageError, DataError, ConfigError), match=message):
        register_file(write(blank_project, declared(text)), blank_project)
    assert list_functions(blank_project) == []


def test_a_version_is_the_digest_of_its_text(blank_project: Project) -> None:
    path = write(blank_project, LATE)
    assert [(r.label, r.new) for r in register_file(path, blank_project)] == [("is_late@1", True)]
    path.write_text(LATE.replace("UNUSED = 1 / 3", "UNUSED = 1") + "\n# a comment\n")
    assert [(r.label, r.new) for r in register_file(path, blank_project)] == [("is_late@1", False)]
    path.write_text(LATE.replace("LIMIT = 15", "LIMIT = 2"))
    with pytest.raises(DataError, match=r"is_late\(3.0\) is True; expected False"):
        register_file(path, blank_project)
    path.write_text(LATE.replace("LIMIT = 15", "LIMIT = 5"))
    assert [r.label for r in register_file(path, blank_project)] == ["is_late@2"]
    path.write_text(LATE)
    assert [r.label for r in register_file(path, blank_project)] == ["is_late@1"]

    assert [v.version for v in history(blank_project, "is_late")] == [2, 1]
    old, new = get("is_late@1", blank_project), get("is_late", blank_project)
    assert (old(10.0), new(10.0)) == (False, True)
    assert get("is_late/1", blank_project) is old
    assert "UNUSED" not in history(blank_project, "is_late")[1].source


def test_a_version_has_the_modules_that_it_was_registered_with(blank_project: Project) -> None:
    root = blank_project.root
    (root / "ownpkg").mkdir()
    (root / "ownpkg" / "__init__.py").write_text("from .inner import LIMIT\n")
    inner = root / "ownpkg" / "inner.py"
    inner.write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\nLIMIT = 1\n"
        "@dataclass\nclass Box:\n    it: int\n"
    )
    text = (
        "import workbench as wb\nimport ownpkg.inner\nfrom ownpkg import LIMIT\n"
        "@wb.function(test=[(0, 0)])\ndef scaled(x: int) -> int:\n"
        '    """Scale."""\n    from ownpkg.inner import Box\n'
        "    return Box(x * LIMIT * ownpkg.inner.LIMIT).it\n"
    )
    path = write(blank_project, text)
    register_file(path, blank_project)
    inner.write_text(inner.read_text().replace("LIMIT = 1", "LIMIT = 10"))
    assert [r.label for r in register_file(path, blank_project)] == ["scaled@2"]
    inner.unlink()
    assert [get(f"scaled@{v}", blank_project)(2) for v in (1, 2)] == [2, 200]
    assert set(history(blank_project, "scaled")[0].modules) == {"ownpkg", "ownpkg.inner"}


def test_what_was_changed_in_the_record_is_not_run(blank_project: Project) -> None:
    register_file(write(blank_project, LATE), blank_project)
    with database(blank_project).session() as session:
        changed = FunctionRow.source.concat("print('injected')\n")
        session.execute(update(FunctionRow).values(source=changed))
    with pytest.raises(DataError, match="is_late@1: its stored text was changed"):
        get("is_late", blank_project)


def test_what_there_is_not_is_said(blank_project: Project) -> None:
    register_file(write(blank_project, LATE), blank_project)
    with pytest.raises(NotFoundError, match="did you mean is_late"):
        get("is_lat", blank_project)
    with pytest.raises(NotFoundError, match="unknown version '3' of function is_late"):
        get("is_late@3", blank_project)
    with pytest.raises(UsageError, match="expected a name, or a name and version"):
        get("is_late@champion", blank_project)


def test_who_may_only_look_registers_nothing(blank_project: Project) -> None:
    settings = blank_project.root / "workbench.toml"
    path = write(blank_project, LATE)
    settings.write_text(settings.read_text() + '\n[roles]\ndeveloper = ["Ada"]\nviewer = ["*"]\n')
    project = Project.find(blank_project.root)
    with acting_as("Bob"), pytest.raises(ForbiddenError, match="may not register function is_late"):
        register_file(path, project)
    with acting_as("Ada"):
        register_file(path, project)
    with acting_as("Bob"):  # the same text is nothing new
        assert not register_file(path, project)[0].new
    assert history(project, "is_late")[0].created_by == "Ada"


CELL = '''
import math

def _half(x):
    return x / 2

def root(x: float) -> float:
    """Take the root of half of it.

    >>> root(8.0)
    2.0
    """
    return math.sqrt(_half(x))

@wb.function(test=[("a", 1)])
def length(text: str) -> int:
    """Count the characters."""
    return len(text)
'''


def test_a_tagged_cell_registers_its_public_functions(blank_project: Project) -> None:
    made = register_cell(CELL, blank_project, "notebooks/play.ipynb")
    assert [one.label for one in made] == ["root@1", "length@1"]
    assert get("root", blank_project)(18.0) == 3.0
    # The decorator's own name is imported in another cell, and stands in the text now.
    assert history(blank_project, "length")[0].source.startswith("import workbench as wb\n")


def test_a_notebook_registers_tagged_cells_alone(blank_project: Project) -> None:
    path = blank_project.root / "notebooks" / "play.ipynb"
    tagged = new_code_cell(CELL, metadata={"tags": ["function"]})
    cells = [new_markdown_cell("# Play"), new_code_cell("1 / 0"), tagged]
    nbformat.write(new_notebook(cells=cells), path)
    made = register_notebook(path, blank_project)
    assert [one.label for one in made] == ["root@1", "length@1"]
    edges = {(e.source, e.relation) for e in upstream(blank_project, "function:root@1")}
    assert edges == {("notebook:notebooks/play.ipynb", "defined")}
    nbformat.write(new_notebook(cells=cells[:2]), path)
    with pytest.raises(NotebookError, match="no cell has the tag 'function'"):
        register_notebook(path, blank_project)


def test_only_a_commit_that_has_the_text_is_named(blank_project: Project) -> None:
    path = write(blank_project, LATE)
    register_file(path, blank_project)
    assert upstream(blank_project, "function:is_late@1") == []
    repository = Repository(blank_project.root)
    path.write_text(LATE.replace("15", "16"))
    commit = repository.commit(["functions/late.py"], "Add it")
    register_file(path, blank_project)
    edges = upstream(blank_project, "function:is_late@2")
    assert [edge.source for edge in edges] == [f"commit:{commit}"]


def test_a_call_is_told_to_the_run(blank_project: Project) -> None:
    register_file(write(blank_project, LATE), blank_project)
    late = get("is_late", blank_project)
    told: list[str] = []
    with observing_use(told.append):
        for _ in range(1000):
            late(1.0)
    assert set(told) == {"function:is_late@1"}
    assert len(told) < 10


def test_a_notebooks_cell_registers_what_it_declares(
    blank_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.chdir(blank_project.root)
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    cell = (
        "LIMIT = 15\n@wb.function(test=[(20.0, True)])\ndef late(delay: float) -> bool:\n"
        "    'Late.'\n    return delay >= LIMIT\n"
    )
    for text in ("import workbench as wb", cell, "LIMIT = 50", "seen = late(20.0), late.node"):
        shell.run_cell(text).raise_error()
    assert shell.user_ns["seen"] == (True, "function:late@1")
    assert [(f.label, f.origin) for f in list_functions(blank_project)] == [("late@1", "")]
    with pytest.raises(DataError, match=r"late.*False; expected True"):
        shell.run_cell(cell.replace("15", "50")).raise_error()
    assert [f.label for f in list_functions(blank_project)] == ["late@1"]


def test_the_catalogue_has_it(blank_project: Project, cli_json: Any) -> None:
    register_file(write(blank_project, LATE), blank_project)
    for words in ("late", "counts", "column:delay", "owner:ada", "tag:delay", "is_late"):
        found = search(blank_project, words, "function")
        assert [entry.name for entry in found] == ["is_late"], words
    entry = next(e for e in list_entries(blank_project) if e.kind == "function")
    assert (entry.address, entry.columns) == ("is_late@1", ["delay"])
    assert "(delay: float) -> bool" in entry.description
    assert show(blank_project, "function:is_late").entry == entry
    folder = blank_project.root
    assert cli_json("functions", "search", "counts", folder=folder)[0]["name"] == "is_late"
    assert cli_json("functions", "search", "nowhere", folder=folder) == []


def test_the_command_line(blank_project: Project, cli: Any, cli_json: Any) -> None:
    folder = blank_project.root
    assert cli("functions", "register", folder=folder).returncode == 2
    path = write(blank_project, LATE)
    assert "is_late@1 registered" in cli("functions", "register", folder=folder).stdout
    assert "is_late@1 unchanged" in cli("functions", "register", path, folder=folder).stdout
    assert "(delay: float) -> bool" in cli("functions", "list", folder=folder).stdout
    shown = cli("functions", "show", "is_late", folder=folder).stdout
    assert "def is_late" in shown
    assert "Ada" in shown
    assert cli_json("functions", "show", "is_late@1", folder=folder)["version"] == 1
    assert cli_json("functions", "list", folder=folder)[0]["name"] == "is_late"
    assert "is_late@1 passed" in cli("functions", "test", folder=folder).stdout
    missing = cli("functions", "show", "is_lat", folder=folder)
    assert (missing.returncode, "did you mean is_late" in missing.stderr) == (2, True)


def test_a_test_that_fails_again_later_is_exit_code_1(
    blank_project: Project, cli: Any, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    text = (
        "from pathlib import Path\nimport workbench as wb\n"
        f"@wb.function(test=[(1, 1)])\ndef f(x: int) -> int:\n    'D.'\n"
        f"    return x + Path({str(flag)!r}).exists()\n"
    )
    register_file(write(blank_project, text), blank_project)
    flag.touch()
    done = cli("functions", "test", "f", folder=blank_project.root)
    assert (done.returncode, "f(1) is 2; expected 1" in done.stdout) == (1, True)
