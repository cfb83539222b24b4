"""Which columns a feature needs: asked of polars, and not guessed where it can't tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.features import load_definitions
from workbench.features.columns import definition_edges, request_columns, view_columns
from workbench.features.definitions import Definitions
from workbench.features.frames import build_frame
from workbench.lineage import column_node, feature_node, show
from workbench.project import Project

VIEWS = '''
import polars as pl

from workbench.features import Count, Mean, Sum, feature_view, request_view, spine

ONE = {"entity": "shop", "owner": "us"}


@feature_view(features={"big": "x and y", "plain": "y", "text": "a constant"}, **ONE)
def made(shops):
    """Made of several."""
    big = pl.col("x") + pl.col("y")
    return shops.select("shop", "y", big=big, plain="y", text=pl.lit("a")).drop("y")


@feature_view(features={"big": "x"}, **ONE)
def asked(shops):
    """Expressions."""
    return {"big": pl.col("x") * 2}


@feature_view(features={"z": "of the other source", "y": "own"}, **ONE)
def joined(shops, towns):
    """Joined, filtered, renamed."""
    there = towns.rename({"size": "z"}).filter(pl.col("open"))
    return shops.join(there, on="town").select("shop", "z", "y")


@feature_view(features={"y": "y"}, **ONE)
def hidden(shops):
    """By a Python function of whole frames."""
    return shops.map_batches(lambda frame: frame)


@feature_view(features={"y": "y"}, **ONE)
def collected(shops, towns):
    """By a look at the rows."""
    names = towns.select("size").collect()["size"].to_list()
    return shops.with_columns(y=pl.col("y").is_in(names))


@feature_view(event_time="at", aggregates=[Mean("x", over="7d"), Count(over="7d")], **ONE)
def windows(shops):
    """Aggregates."""
    return shops.filter(pl.col("y") > 0)


@request_view(owner="us", features={"ratio": "y by a feature", "one": "nothing"})
def request():
    """Of the request."""
    return {"ratio": pl.col("y") / pl.col("made__big"), "one": pl.lit(1)}


@spine(key="shop", event_time="at", label="y", label_time="at")
def asks(shops):
    """Rows."""
    return shops.select("shop", "at", "x", y=pl.col("y") > 0)
'''

SHOPS = pl.Schema(
    {
        "shop": pl.String,
        "town": pl.String,
        "x": pl.Float64,
        "y": pl.Float64,
        "at": pl.Datetime("us", "UTC"),
        "odd name \"'[]": pl.Int64,
    }
)
TOWNS = pl.Schema({"town": pl.String, "size": pl.Float64, "open": pl.Boolean})
SCHEMAS = {"shops": SHOPS, "towns": TOWNS}
TABLES = {"shops": "dataset:shops@1", "towns": "dataset:towns@2"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("columns")
    (folder / "features").mkdir()
    (folder / "features" / "all.py").write_text(VIEWS)
    sources = "".join(f'[sources.{name}]\naddress = "{name}.parquet"\n' for name in SCHEMAS)
    (folder / "workbench.toml").write_text(f'name = "columns"\n{sources}')
    rows = {"shop": "a", "town": "t", "x": 1.0, "y": 2.0, "at": None, "odd name \"'[]": 1}
    shops = pl.DataFrame([rows], schema=SHOPS).with_columns(
        at=pl.lit("2024-01-01").str.to_datetime(time_zone="UTC")
    )
    shops.write_parquet(folder / "shops.parquet")
    pl.DataFrame({"town": ["t"], "size": [1.0], "open": [True]}).write_parquet(
        folder / "towns.parquet"
    )
    return Project.find(folder)


@pytest.fixture(scope="module")
def definitions(project: Project) -> Definitions:
    return load_definitions(project)


@pytest.mark.parametrize(
    ("view", "needed"),
    [
        # Of a constant polars asks a column all the same, to know how many rows there are.
        ("made", {"big": ["shops.x", "shops.y"], "plain": ["shops.y"], "text": ["shops.shop"]}),
        ("asked", {"big": ["shops.x"]}),
        (
            "joined",
            {
                "z": ["shops.town", "towns.open", "towns.size", "towns.town"],
                "y": ["shops.town", "shops.y", "towns.open", "towns.town"],
            },
        ),
        ("hidden", {"y": None}),
        ("collected", {"y": ["shops.y", "towns.size"]}),
        ("windows", {"x_mean_7d": ["shops.x", "shops.y"], "count_7d": ["shops.at", "shops.y"]}),
    ],
)
def test_what_a_feature_needs(
    definitions: Definitions, view: str, needed: dict[str, list[str] | None]
) -> None:
    made = definitions.view(view)
    schemas = {name: SCHEMAS[name] for name in made.sources}
    found = view_columns(made, f"view:{view}@9", schemas, TABLES)  # type: ignore[arg-type]
    assert {
        node.split(":")[2].partition("@")[0]: _shown(nodes) for node, nodes in found.items()
    } == needed


def _shown(nodes: list[str] | None) -> list[str] | None:
    if nodes is None:
        return None
    return sorted(node.partition(":")[2].partition("@")[0] for node in nodes)


def test_it_is_said_where_nobody_knows(project: Project) -> None:
    build_frame(project, "asks", ["hidden"])
    found = show("feature:hidden:y", down=False, depth=1, project=project)
    assert {edge.relation for edge in found.edges} == {"columns not known", "has"}
    assert "columns not known view:hidden@" in found._repr_mimebundle_()["text/plain"]


def test_what_a_request_needs(definitions: Definitions) -> None:
    view = definitions.view("request")
    views = {"made": "view:made@9"}
    found = request_columns(view, "view:request@8", views, "spine:asks@7")  # type: ignore[arg-type]
    assert found == {
        "feature:request:ratio@8": ["column:asks.y@7", "feature:made:big@9"],
        "feature:request:one@8": [],
    }
    alone = request_columns(view, "view:request@8", {}, None)  # type: ignore[arg-type]
    assert alone["feature:request:ratio@8"] == []


def test_a_column_is_one_of_its_table_and_a_stream_has_no_state(definitions: Definitions) -> None:
    made = definitions.view("made")
    edges = definition_edges(made, "view:made@9", {"shops": SHOPS}, {"shops": "dataset:shops"})  # type: ignore[arg-type]
    assert {edge.source for edge in edges if edge.target == "feature:made:plain@9"} == {
        "view:made@9",
        "column:shops.y",
    }
    assert not [edge for edge in edges if edge.source.startswith("dataset:")]


def test_a_factory_s_frame_has_its_columns(project: Project) -> None:
    build_frame(project, "asks", ["made", "request"])
    found = show("feature:request:ratio", down=False, project=project)
    names = {node.name.partition("@")[0] for node in found.nodes}
    assert {"column:asks.y", "column:shops.y", "column:shops.x", "feature:made:big"} <= names
    assert {"spine:asks", "view:made", "dataset:shops"} <= names
    below = show("column:shops.x", up=False, project=project)
    assert {"feature:made:big", "feature:request:ratio", "column:asks.x"} <= {
        node.name.partition("@")[0] for node in below.nodes
    }


def test_what_was_stored_before_columns_were_noted_gets_them(project: Project) -> None:
    from sqlalchemy import delete

    from workbench.features.offline import links
    from workbench.store import EdgeRow, database

    build_frame(project, "asks", ["joined"])
    with database(project).session() as session:
        session.execute(delete(EdgeRow))
    links._linked.clear()  # as another process
    build_frame(project, "asks", ["joined"])
    assert show("feature:joined:z", project=project).kind("column")


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.lists(NAMES, min_size=1, max_size=4, unique=True))
@settings(max_examples=40, deadline=None)
def test_any_column_is_told_from_any_other(names: list[str]) -> None:
    made = {column_node("dataset:a.b@1", name) for name in names}
    assert len(made) == len(names)
    assert len({feature_node("view:v@1", name) for name in names}) == len(names)


def test_the_command_line_shows_them(project: Project, cli: Callable[..., object]) -> None:
    build_frame(project, "asks", ["made"])
    shown = cli("lineage", "show", "feature:made:big", "--up", folder=Path(project.root))
    assert "column:shops.x" in shown.stdout  # type: ignore[attr-defined]
