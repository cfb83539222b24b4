"""Recipes, `data diff`, `data rebuild` and the other commands, on real files and records."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Finished
from workbench import Project
from workbench.data import (
    Dataset,
    derived,
    diff,
    find_dataset,
    frame_diff,
    frame_digest,
    frame_of,
    list_datasets,
    read,
    rebuild,
    record,
)
from workbench.data.recipes import Recipe, from_reader, from_source
from workbench.errors import DataError, NotFoundError, UsageError

SALES = pl.DataFrame(
    {
        "id": [1, 2, 3, 4],
        "shop": ["north", "south", None, "north"],
        "price": [1.5, 2.5, float("nan"), None],
        "day": [date(2024, 1, day) for day in (1, 2, 3, 4)],
    }
)
CHANGED = pl.DataFrame(
    {
        "id": [1, 2, 3, 5],
        "shop": ["north", "west", "east", "north"],
        "price": [1.5, 2.0, float("nan"), None],
        "day": [date(2024, 1, day) for day in (1, 2, 3, 4)],
    }
)

SETTINGS = """name = "x"
[sources.sales]
address = "sales.parquet"
description = "what was sold"
key = "id"
[sources.notes]
address = "notes.csv"
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    (root / "workbench.toml").write_text(SETTINGS)
    SALES.write_parquet(root / "sales.parquet")
    (root / "notes.csv").write_text("a,b\n1,x\n2,y\n")
    return Project.find(root)


def newest(project: Project, name: str) -> Dataset:
    return next(found for found in list_datasets(project) if found.name == name)


# Recipes


def test_a_read_leaves_how_it_was_read(project: Project) -> None:
    read("sales", project, columns=["id", "shop"], where=pl.col("id") > 1)
    found = newest(project, "sales")
    assert found.recipe.kind == "source"
    assert found.recipe.columns == ["id", "shop"]
    assert list(found.recipe.cells) == ["id", "shop"]
    assert (
        found.recipe.told() == 'read from source sales, columns id, shop, where [(col("id")) > (1)]'
    )
    again = rebuild(found.label, project)
    assert again.same
    assert again.changes == []
    assert found.rows == 3


FILTERS = [
    pl.col("id") > 1,
    (pl.col("shop") == "no'rth") | pl.col("price").is_nan(),
    pl.col("day").is_between(date(2024, 1, 2), date(2024, 1, 3)),
    pl.col("shop").is_in(["north", "west"]),
]


@pytest.mark.parametrize("where", FILTERS, ids=str)
def test_a_filter_is_kept_as_a_value(where: pl.Expr) -> None:
    recipe = from_source("sales", where=where)
    kept = Recipe.model_validate(json.loads(json.dumps(recipe.stored())))
    expression = kept.expression()
    assert expression is not None
    assert SALES.filter(expression).equals(SALES.filter(where))


@settings(max_examples=100)
@given(value=st.floats(allow_nan=False))
def test_a_float_in_a_filter_is_kept_to_its_last_bit(value: float) -> None:
    where = pl.col("x") == value
    kept = Recipe.model_validate(json.loads(json.dumps(from_source("s", where=where).stored())))
    expression = kept.expression()
    assert expression is not None
    assert expression.meta.eq(where)


def test_a_filter_with_a_function_is_kept_as_text_only() -> None:
    where = pl.col("id").map_batches(lambda ids: ids > 1, return_dtype=pl.Boolean)
    recipe = from_source("sales", where=where)
    assert recipe.where
    assert recipe.filter == ""
    with pytest.raises(DataError, match="holds a Python function: it isn't kept"):
        recipe.expression()


def test_a_filter_of_another_polars_is_said() -> None:
    recipe = Recipe(kind="source", source="sales", where="x > 1", filter='{"Unheard": 1}')
    with pytest.raises(DataError, match="kept by another version of polars"):
        recipe.expression()


def test_values_of_a_readers_options_are_never_kept() -> None:
    recipe = from_reader("polars.read_csv", ["a.csv", "secret"], {"separator": "secret"})
    assert recipe.options == ["argument 2", "separator"]
    assert "secret" not in json.dumps(recipe.stored())


def test_what_code_made_can_only_be_made_by_it(project: Project) -> None:
    read("sales", project)
    parent = newest(project, "sales")
    recipe = derived([parent.node], "notebooks/clean.ipynb at 1a2b3c")
    made = record(project, "clean", "memory", SALES.head(2), recipe)
    assert made.recipe.made_from == [parent.node]
    with pytest.raises(DataError, match=r"clean@.*derived from dataset:sales@.* by notebooks/cl"):
        rebuild(made.label, project)


def test_a_record_from_before_there_were_recipes(project: Project) -> None:
    old = record(project, "sales", "sales.parquet", SALES)
    assert old.recipe.kind == "unknown"
    assert rebuild(old.label, project).same


# Which dataset is meant


def test_datasets_are_found_by_name_and_shortened_digest(project: Project) -> None:
    first = record(project, "a", "x", SALES)
    second = record(project, "a", "x", CHANGED)
    assert find_dataset(project, "a") == second
    for label in (first.label, f"a@{first.digest[:5]}", first.digest, first.digest[:6]):
        assert find_dataset(project, label) == first
    with pytest.raises(NotFoundError, match="unknown dataset 'b@12'"):
        find_dataset(project, "b@12")
    for number in range(17):  # of so many, two begin with the same digit
        record(project, "b", "x", pl.DataFrame({"a": [number]}))
    begins = [found.digest[0] for found in list_datasets(project) if found.name == "b"]
    twice = next(digit for digit in begins if begins.count(digit) > 1)
    with pytest.raises(UsageError, match=r"b@.: means several datasets: b@"):
        find_dataset(project, f"b@{twice}")


# Rebuilding


def test_rebuilding_says_what_changed(project: Project) -> None:
    read("sales", project)
    before = newest(project, "sales")
    SALES.with_columns(
        pl.col("price").fill_null(9.0), pl.col("day").cast(pl.String), new=pl.lit(1)
    ).drop("shop").head(3).write_parquet(project.root / "sales.parquet")
    found = rebuild(before.label, project)
    assert not found.same
    assert found.changes == [
        "rows: 4, now 3",
        "column shop: gone",
        "column new: new (Int32)",
        "column day: type Date, now String",
        "column id: other cells",
        "column price: other cells",
    ]
    SALES.write_parquet(project.root / "sales.parquet", row_group_size=1)
    assert rebuild(before.label, project).same


def test_what_was_too_large_to_digest_is_known_by_its_stamp(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.data.sources.reading._CHEAP_CELLS", 0)
    read("sales", project, lazy=True)
    before = newest(project, "sales")
    assert before.stamped
    assert rebuild(before.label, project).same
    CHANGED.head(3).write_parquet(project.root / "sales.parquet")
    found = rebuild(before.label, project)
    assert not found.same
    assert found.changes[0] == "rows: 4, now 3"
    assert diff(before.label, "sales", project).notes[-1].startswith("the record has no digests")


def test_what_a_reader_read_is_read_by_it_again(project: Project) -> None:
    path = project.root / "notes.csv"
    plain = record(
        project, "notes", "notes.csv", pl.read_csv(path), from_reader("polars.read_csv", [path], {})
    )
    assert rebuild(plain.label, project).same
    path.write_text("a,b\n1,x\n2,z\n")
    assert rebuild(plain.label, project).changes == ["column b: other cells"]
    odd = record(
        project,
        "odd",
        "notes.csv",
        pl.read_csv(path, n_rows=1),
        from_reader("polars.read_csv", [path], {"n_rows": 1}),
    )
    with pytest.raises(DataError, match=r"read by polars.read_csv with n_rows: only that code"):
        rebuild(odd.label, project)
    wrong = odd.model_copy(update={"recipe": from_reader("os.system", [path], {})})
    from workbench.data.rebuild import read_again

    with pytest.raises(DataError, match="isn't a file"):
        read_again(project, wrong)


# What changed


def test_rows_are_matched_by_the_key_that_the_source_declares(project: Project) -> None:
    CHANGED.sample(fraction=1, shuffle=True, seed=1).write_parquet(project.root / "new.parquet")
    found = diff("sales", str(project.root / "new.parquet"), project)
    assert found.key == ["id"]
    assert (found.rows_added, found.rows_removed, found.rows_changed) == (1, 1, 2)
    columns = {column.name: column for column in found.columns}
    assert {name: column.cells for name, column in columns.items()} == {"shop": 2, "price": 1}
    [example] = columns["price"].examples
    assert (example.row, example.before, example.after) == ("id=2", "2.5", "2.0")


def test_without_a_key_rows_are_matched_by_their_place() -> None:
    found = frame_diff(SALES, CHANGED)
    assert {column.name: column.cells for column in found.columns} == {
        "id": 1,
        "shop": 2,
        "price": 1,
    }
    assert found.columns[1].examples[1].row == "row 2"
    assert found.rows_added is None
    assert not found.rows_moved
    assert frame_diff(SALES, SALES.reverse()).rows_moved
    shorter = frame_diff(SALES, CHANGED.head(3))
    assert [column.cells for column in shorter.columns] == [None] * 4
    assert "--key" in shorter.notes[0]


def test_a_key_that_does_not_tell_rows_apart_is_said() -> None:
    found = frame_diff(SALES, CHANGED, ["shop"])
    assert found.key == []
    assert found.notes == [
        "rows are not matched by shop: 1 rows of before share their key with another"
    ]
    found = frame_diff(SALES, CHANGED, ["nope"])
    assert "no column nope" in found.notes[0]


NESTED = {
    "list": [[1], [2, None], None],
    "struct": [{"x": 1}, None, {"x": None}],
    "*": ["a", "b", None],
    "^.*$": [1.0, float("nan"), None],
}


def test_nested_cells_and_names_like_patterns_are_compared() -> None:
    before = pl.DataFrame({"id": [1, 2, 3], **NESTED})
    after = before.with_columns(
        pl.Series("list", [[1], [2, 2], None]), pl.Series("*", ["a", "b", "c"])
    )
    for key, row in ((["id"], "id=2"), ([], "row 1")):
        found = frame_diff(before, after, key)
        assert {column.name: column.cells for column in found.columns} == {"list": 1, "*": 1}
        [example] = found.columns[0].examples
        assert (example.row, example.before, example.after) == (row, "[2, None]", "[2, 2]")
    assert frame_diff(before, after, ["*"]).rows_added == 1
    assert frame_diff(before.select("id"), before.select("list")).columns == []


def test_columns_and_types_are_compared() -> None:
    other = SALES.select("day", "id", pl.col("price").cast(pl.Float32), shops="shop")
    found = frame_diff(SALES, other)
    assert found.columns_added == {"shops": "String"}
    assert found.columns_removed == {"shop": "String"}
    assert found.types_changed == {"price": ("Float64", "Float32")}
    assert found.columns_moved
    assert found.columns == []
    assert not found.same
    assert frame_diff(SALES, SALES.clone()).same


def test_what_was_too_large_to_digest_is_compared_while_its_source_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.data.sources.reading._CHEAP_CELLS", 0)
    read("sales", project, lazy=True)
    before = newest(project, "sales")
    assert before.stamped
    assert diff(before.label, "sales", project).same
    assert frame_of(before.label, project).equals(SALES)
    CHANGED.write_parquet(project.root / "sales.parquet")
    assert not diff(before.label, "sales", project).same


def test_of_content_that_is_gone_the_digests_speak(project: Project) -> None:
    read("sales", project)
    before = newest(project, "sales")
    CHANGED.write_parquet(project.root / "sales.parquet")
    found = diff(before.label, "sales", project)
    assert [(column.name, column.cells) for column in found.columns] == [
        ("id", None),
        ("shop", None),
        ("price", None),
    ]
    assert found.notes == [f"{before.label}: its cells can't be had any more, only its digests"]
    with pytest.raises(DataError, match="its recipe gives other content now"):
        frame_of(before.label, project)


cells = st.integers(0, 3) | st.none()
keyed = st.dictionaries(st.integers(0, 6), st.tuples(cells, st.sampled_from(["a", "b", None])))


@settings(max_examples=100, deadline=None)
@given(before=keyed, after=keyed)
def test_a_diff_by_key_is_what_dictionaries_say(
    before: dict[int, Any], after: dict[int, Any]
) -> None:
    schema = {"key": pl.Int64, "n": pl.Int64, "w": pl.String}

    def made(rows: dict[int, Any]) -> pl.DataFrame:
        return pl.DataFrame([(key, *row) for key, row in rows.items()], schema, orient="row")

    found = frame_diff(made(before), made(after), ["key"])
    assert found.same is (list(before.items()) == list(after.items()))
    if found.same:
        return
    both = before.keys() & after.keys()
    assert found.rows_added == len(after.keys() - both)
    assert found.rows_removed == len(before.keys() - both)
    assert found.rows_changed == sum(before[key] != after[key] for key in both)
    counts = {column.name: column.cells for column in found.columns}
    for place, name in enumerate(("n", "w")):
        changed = sum(before[key][place] != after[key][place] for key in both)
        assert counts.get(name, 0) == changed


# The commands


CLI = Callable[..., Finished]


def test_list_and_show(project: Project, cli: CLI, cli_json: Callable[..., Any]) -> None:
    first = cli_json("data", "list", folder=project.root)
    assert [(source["name"], source["rows"]) for source in first] == [
        ("notes", None),
        ("sales", None),
    ]
    read("sales", project)
    assert "what was sold" in cli("data", "list", folder=project.root).stdout
    [dataset] = cli_json("data", "list", "--all", folder=project.root)
    assert dataset["rows"] == 4
    shown = cli("data", "show", "sales", folder=project.root).stdout
    assert "read from source sales" in shown
    assert "price" in shown
    assert cli_json("data", "show", "sales", folder=project.root)["recipe"]["source"] == "sales"
    assert cli("data", "show", "nope", folder=project.root).returncode == 2


def test_the_list_has_what_was_last_read_of_a_source(
    project: Project, cli_json: Callable[..., Any]
) -> None:
    for content in (SALES, CHANGED, SALES):
        content.write_parquet(project.root / "sales.parquet")
        read("sales", project)
    record(project, "sales", "scratch/sales.csv", CHANGED.head(1), from_reader("polars.x", [], {}))
    listed = {source["name"]: source for source in cli_json("data", "list", folder=project.root)}
    assert listed["sales"]["digest"] == frame_digest(SALES)
    assert find_dataset(project, "sales").address == "scratch/sales.csv"


def test_a_contract_is_written_checked_and_broken(
    project: Project, cli: CLI, cli_json: Callable[..., Any]
) -> None:
    assert "workbench data contract" in cli("data", "check", folder=project.root).stdout
    done = cli("data", "contract", "sales", "--infer", folder=project.root)
    assert done.returncode == 0, done.stderr
    assert "wrote contracts/sales.py" in done.stderr
    assert "unique=True" in cli("data", "contract", "sales", folder=project.root).stdout
    assert cli("data", "contract", "sales", "--infer", folder=project.root).returncode == 2
    assert cli("data", "contract", "notes", folder=project.root).returncode == 2
    done = cli("data", "check", folder=project.root)
    assert done.returncode == 0
    assert "sales passed" in done.stdout
    pl.concat([SALES, SALES]).write_parquet(project.root / "sales.parquet")
    done = cli("data", "check", "sales", folder=project.root)
    assert done.returncode == 1
    assert "id: field_uniqueness broken by 8 of 8 rows (row 0: 1)" in done.stdout
    assert "row 4: 1" in done.stdout
    assert "and 3 more" in done.stdout
    [source] = [
        source
        for source in cli_json("data", "list", folder=project.root)
        if source["name"] == "sales"
    ]
    assert source["contract"] == "failed"
    found = json.loads(cli("data", "check", "--json", folder=project.root).stdout)
    assert [check["outcome"] for check in found] == ["failed"]
    (project.root / "contracts" / "_raw.py").write_bytes(
        (project.root / "contracts" / "sales.py").read_bytes()
    )
    with (project.root / "workbench.toml").open("a") as settings:
        settings.write('[sources._raw]\naddress = "sales.parquet"\n')
    found = json.loads(cli("data", "check", "--json", folder=project.root).stdout)
    assert [check["source"] for check in found] == ["_raw", "sales"]


def test_diff_and_rebuild(project: Project, cli: CLI, cli_json: Callable[..., Any]) -> None:
    read("sales", project)
    before = newest(project, "sales")
    assert cli("data", "diff", "sales", before.label, folder=project.root).stdout == (
        "the same: 4 rows\n"
    )
    CHANGED.write_parquet(project.root / "new.parquet")
    said = cli("data", "diff", "sales", "new.parquet", folder=project.root).stdout
    assert "by id: 1 new, 1 gone, 2 changed" in said
    assert "~ price: 1 cells" in said
    assert "id=2: 2.5 → 2.0" in said
    found = cli_json("data", "diff", "sales", "new.parquet", "--key", "id", folder=project.root)
    assert found["rows_changed"] == 2
    assert cli("data", "rebuild", before.label, folder=project.root).returncode == 0
    CHANGED.write_parquet(project.root / "sales.parquet")
    done = cli("data", "rebuild", before.label, folder=project.root)
    assert done.returncode == 1
    assert "not the same" in done.stdout
    assert "column price: other cells" in done.stdout
    done = cli("data", "diff", "sales", "gone.csv", folder=project.root)
    assert (done.returncode, done.stderr) == (1, "error: gone.csv: no such file\n")
    done = cli("data", "diff", "sales", "slaes", folder=project.root)
    assert done.returncode == 2
    assert "sources: notes, sales" in done.stderr


def test_report(project: Project, cli: CLI, cli_json: Callable[..., Any]) -> None:
    done = cli("data", "report", "sales", "--target", "shop", folder=project.root)
    assert "with shop" in done.stdout
    assert "north (2)" in done.stdout
    page = project.root / "out" / "page.html"
    done = cli("data", "report", "sales", "--html", page, folder=project.root)
    assert done.returncode == 0
    assert page.read_text().startswith("<!doctype html>")
    assert cli_json("data", "report", "notes.csv", folder=project.root)["rows"] == 2
    assert cli("data", "report", "sales", "--target", "x", folder=project.root).returncode == 2


def test_a_job_stops_before_it_trains(blank_project: Project, cli: CLI) -> None:
    root = blank_project.root
    (root / "contracts").mkdir(exist_ok=True)
    (root / "contracts" / "rows.py").write_text(
        "import pandera.polars as pa\n"
        "contract = pa.DataFrameSchema({'n': pa.Column(int, pa.Check.ge(0))})\n"
    )
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("import polars as pl\nimport workbench as wb"),
            nbformat.v4.new_code_cell('rows = wb.data.guard("rows", pl.DataFrame({"n": [1, -1]}))'),
            nbformat.v4.new_code_cell('open("trained.txt", "w").write("yes")'),
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}
        },
    )
    nbformat.write(notebook, root / "train.ipynb")
    done = cli("run", "train.ipynb", folder=root)
    assert done.returncode == 1
    assert "rows breaks its contract contracts/rows.py" in done.stdout + done.stderr
    assert "broken by 1 of 2 rows (row 1: -1)" in done.stdout + done.stderr
    assert not (root / "trained.txt").exists()
