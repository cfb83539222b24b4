"""The operations of the panel Features, asked of a real server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from workbench.project import Project
from workbench.store import (
    FeatureStatisticsRow,
    FeatureViewRow,
    MaterializationRow,
    database,
    now,
)

Ask = Callable[..., Awaitable[Any]]

PROBLEM = "application/problem+json"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def project(served: Path) -> Project:
    return Project.find(served / "flights")


@pytest.fixture
def many(project: Project) -> Iterator[None]:
    """Register many features more, for one test."""
    tags = {"a": ["sky"], "b": ["sky", SCRIPT], "c": []}
    with database(project).session() as session:
        for name, tag in tags.items():
            definition = _definition(f"many_{name}", tag, 40)
            session.add(
                FeatureViewRow(
                    name=f"many_{name}", digest=f"{name}1", definition=definition, applied_at=now()
                )
            )
    yield
    with database(project).session() as session:
        session.execute(delete(FeatureViewRow).where(FeatureViewRow.name.startswith("many_")))


def _definition(name: str, tags: list[str], count: int) -> dict[str, Any]:
    features = {f"f{number:02}": f"measure number {number}" for number in range(count)}
    return {
        "kind": "view",
        "description": f"All of {name}.",
        "entity": ["plane"],
        "features": features,
        "types": dict.fromkeys(features, "Float64"),
        "sources": [],
        "owner": "Fleet & Co",
        "tags": tags,
        "availability": "batch",
        "ttl": None,
        "freshness": "2h",
        "code": "",
    }


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("", ["schedule:hour", "weather:temp", "weather:wind_speed"]),
        ("ORIGIN wind", ["weather:wind_speed"]),
        ("sky", ["weather:temp", "weather:wind_speed"]),
        ("wind_spede", ["weather:wind_speed"]),
        ("submarine", []),
    ],
)
async def test_features_that_have_every_word(ask: Ask, words: str, names: list[str]) -> None:
    answer = await ask("features", path="flights", q=words)
    assert [feature["name"] for feature in answer.body["items"]] == names
    assert all(feature["name"] in feature["code"] for feature in answer.body["items"])
    counted = (await ask("features/counts", path="flights", q=words)).body
    assert counted["total"] == len(names)


@pytest.mark.usefixtures("many")
async def test_pages_of_a_search_have_each_feature_once(ask: Ask) -> None:
    names: list[str] = []
    cursor = ""
    while True:
        page = (await ask("features", path="flights", q="measure", limit="50", cursor=cursor)).body
        names += [feature["name"] for feature in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(names) == len(set(names)) == 120
    counted = (await ask("features/counts", path="flights", q="measure")).body
    assert counted["total"] == 120


@pytest.mark.usefixtures("many")
async def test_counts_beside_each_value_are_of_what_choosing_it_would_show(ask: Ask) -> None:
    counted = (await ask("features/counts", path="flights")).body
    assert counted["total"] == 123
    assert _values(counted, "tag") == {"sky": 82, SCRIPT: 40}
    assert _values(counted, "owner") == {"Fleet & Co": 120, "network": 1, "ops": 2}
    assert _values(counted, "entity") == {"plane": 120, "origin": 2}
    assert _values(counted, "availability") == {"batch": 122, "request": 1}
    chosen = (await ask("features/counts", path="flights", tag="sky", owner="ops")).body
    assert chosen["total"] == 2
    assert _values(chosen, "tag") == {"sky": 2}
    assert _values(chosen, "owner") == {"Fleet & Co": 80, "ops": 2}


def _values(counted: Any, facet: str) -> dict[str, int]:
    return {each["value"]: each["count"] for each in counted["facets"][facet]}


@pytest.mark.usefixtures("many")
async def test_several_values_of_a_facet_widen_it(jp_fetch: Any) -> None:
    response = await jp_fetch(
        *("workbench", "api", "features"),
        params=[("path", "flights"), ("owner", "ops"), ("owner", "network")],
    )
    names = {name for name in ("schedule:hour", "weather:temp") if name in response.body.decode()}
    assert names == {"schedule:hour", "weather:temp"}
    assert "many_" not in response.body.decode()


@pytest.mark.usefixtures("many")
async def test_a_value_is_taken_to_the_letter(ask: Ask) -> None:
    assert (await ask("features", path="flights", tag="sk")).body["items"] == []
    page = (await ask("features", path="flights", tag=SCRIPT, limit="1")).body
    assert page["items"][0]["tags"] == ["sky", SCRIPT]


@pytest.mark.parametrize(("key", "value"), [("limit", "0"), ("limit", "501"), ("cursor", "x")])
async def test_a_page_out_of_bounds(ask: Ask, key: str, value: str) -> None:
    answer = await ask("features", path="flights", **{key: value})
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert key in answer.body["detail"]


async def test_a_feature_that_was_never_materialised(ask: Ask) -> None:
    found = (await ask("features/weather:temp", path="flights")).body
    assert found["entry"]["name"] == "weather:temp"
    assert (found["summary"], found["windows"], found["histogram"]) == (None, [], None)
    assert found["freshness"]["state"] == "never"
    request = (await ask("features/schedule:hour", path="flights")).body
    assert request["freshness"] is None


@pytest.mark.usefixtures("many")
async def test_a_features_values_and_how_fresh_they_are(ask: Ask, project: Project) -> None:
    _materialize(project)
    found = (await ask("features/many_a:f01", path="flights")).body
    assert found["summary"]["rows"] == 20
    assert found["summary"]["nulls"] == 0.1
    assert [window["mean"] for window in found["windows"]] == [1.0, 2.0]
    assert found["histogram"] == {
        "edges": [0.0, 1.0, 2.0],
        "counts": [4, 10],
        "below": 0,
        "above": 4,
    }
    assert found["top"] == []
    assert (found["freshness"]["state"], found["freshness"]["promise"]) == ("late", "2h")
    assert found["freshness"]["age"] > 3600


def _materialize(project: Project) -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    with database(project).session() as session:
        for number in (0, 1):
            start = at + timedelta(days=number)
            histogram = {"edges": [0.0, 1.0, 2.0], "counts": [0, 2, 5, 2]}
            session.add(
                FeatureStatisticsRow(
                    view="many_a",
                    feature="f01",
                    digest="a1",
                    window_start=start,
                    window_end=start + timedelta(days=1),
                    rows=10,
                    statistics={"nulls": 1, "mean": number + 1.0, "histogram": histogram},
                    computed_at=now(),
                )
            )
        step = {"version": 1, "content": [], "since": None, "until": at.isoformat()}
        session.add(
            MaterializationRow(
                view="many_a",
                store="sqlite",
                digest="a1",
                state="complete",
                until=at,
                rows=20,
                progress={"step": step, "newest": at.isoformat()},
                started_at=now(),
                finished_at=now(),
            )
        )


async def test_a_feature_that_is_not_there(ask: Ask) -> None:
    answer = await ask("features/weather:tmep", path="flights")
    assert (answer.status, answer.content_type) == (404, PROBLEM)
    assert "did you mean weather:temp?" in answer.body["detail"]


async def test_a_name_with_markup_is_data(ask: Ask) -> None:
    answer = await ask("features/<script>", path="flights")
    assert (answer.status, answer.content_type) == (404, PROBLEM)
    assert answer.body["detail"].startswith("unknown feature '<script>'")
