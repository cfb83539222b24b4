"""The operations of the panel Data and of the launcher, asked of a real server."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from workbench.server import handlers

Ask = Callable[..., Awaitable[Any]]

PROBLEM = "application/problem+json"


async def test_a_source_before_and_after_its_report(ask: Ask) -> None:
    told = {"name": "skies", "description": "what the weather was", "owner": "ops"}
    never = {"rows": None, "columns": None, "read_at": None, "contract": None}
    [skies, gone] = (await ask("sources", path="flights")).body
    assert skies == {**told, "tags": ["sky"], **never}
    assert gone["name"] == "gone"

    report = (await ask("sources/report", path="flights", name="skies")).body
    assert report["name"] == "skies"
    assert "&lt;b&gt;temp" in report["html"]
    assert "<b>temp" not in report["html"]
    assert "<script" not in report["html"]

    [skies, _] = (await ask("sources", path="flights")).body
    assert (skies["rows"], skies["columns"]) == (2, 2)
    assert skies["read_at"].endswith("Z")

    [row] = (await ask("catalogue", path="flights", kind="source", q="skies")).body["items"]
    assert row["rows"] == 2
    assert row["columns"] == ["origin", "<b>temp"]


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [("skyes", 404, "did you mean skies?"), ("gone", 409, "gone.csv: no such file")],
)
async def test_a_report_of_what_cannot_be_read(ask: Ask, name: str, status: int, said: str) -> None:
    answer = await ask("sources/report", path="flights", name=name)
    assert (answer.status, answer.content_type) == (status, PROBLEM)
    assert said in answer.body["detail"]


async def test_the_catalogue_by_kind_and_by_words(ask: Ask) -> None:
    page = (await ask("catalogue", path="flights", kind="source")).body
    assert [row["name"] for row in page["items"]] == ["gone", "skies"]
    assert page["next"] is None
    skies = page["items"][1]
    assert skies["code"] == 'wb.data.read("skies")'
    assert skies["contract"] is None
    every = (await ask("catalogue", path="flights")).body["items"]
    kinds = {(row["kind"], row["name"]) for row in every}
    assert {("source", "skies"), ("view", "weather"), ("function", "schedule")} <= kinds
    assert "feature" not in {row["kind"] for row in every}
    [view] = (await ask("catalogue", path="flights", kind="view", q="wether")).body["items"]
    assert '"weather:temp", "weather:wind_speed"' in view["code"]
    features = (await ask("catalogue", path="flights", kind="feature", q="temp")).body["items"]
    assert [row["name"] for row in features] == ["weather:temp"]


async def test_pages_of_the_catalogue(ask: Ask) -> None:
    first = (await ask("catalogue", path="flights", limit="1")).body
    rest = (await ask("catalogue", path="flights", cursor=first["next"])).body
    every = (await ask("catalogue", path="flights")).body
    assert [*first["items"], *rest["items"]] == every["items"]


async def test_how_many_there_are_of_each_kind(ask: Ask) -> None:
    counts = {
        one["kind"]: one["count"] for one in (await ask("catalogue/counts", path="flights")).body
    }
    assert counts["source"] == 2
    assert counts["view"] == 1
    assert counts["model"] == 0
    none = (await ask("catalogue/counts", path="flights", q="submarine")).body
    assert all(one["count"] == 0 for one in none)


async def test_an_unknown_kind_to_list(ask: Ask) -> None:
    answer = await ask("catalogue", path="flights", kind="sauce")
    assert (answer.status, answer.content_type) == (400, PROBLEM)


async def test_a_thing_with_the_chain_around_it(ask: Ask) -> None:
    found = (await ask("catalogue/view/weather", path="flights")).body
    assert found["entry"]["name"] == "weather"
    assert (found["broken"], found["checked_at"]) == ([], None)


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ("catalogue/source/skyes", "did you mean skies?"),
        ("catalogue/sauce/skies", "did you mean source?"),
        ("catalogue/source/<script>", "'<script>'"),
    ],
)
async def test_a_thing_that_is_not_there(ask: Ask, route: str, said: str) -> None:
    answer = await ask(route, path="flights")
    assert (answer.status, answer.content_type) == (404, PROBLEM)
    assert said in answer.body["detail"]


@pytest.fixture
def template(served: Path) -> Iterator[Path]:
    """A template whose title has markup in it, which was run and printed something."""
    folder = served / "flights" / "notebooks" / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    printed = nbformat.v4.new_output("stream", text="secret")
    content = nbformat.v4.new_notebook()
    content.cells = [
        nbformat.v4.new_markdown_cell("# <script>Trees</script>\n\nGrow some."),
        nbformat.v4.new_code_cell("trees: int = 1", outputs=[printed], execution_count=3),
    ]
    path = folder / "trees.ipynb"
    nbformat.write(content, path)
    yield path
    path.unlink()
    for made in (served / "flights" / "notebooks").glob("*.ipynb"):
        made.unlink()


@pytest.mark.usefixtures("template")
async def test_an_experiment_begins_with_a_copy(ask: Ask, send: Ask, served: Path) -> None:
    offered = (await ask("notebook-templates", path="flights")).body
    assert [one["id"] for one in offered] == ["template:trees", "workbench:first"]
    assert offered[0]["title"] == "<script>Trees</script>"
    assert offered[0]["description"] == "Grow some."
    body = {"template": "template:trees", "name": "more trees"}
    answer = await send("POST", "notebooks", body, path="flights")
    assert (answer.status, answer.body) == (201, {"notebook": "notebooks/more trees.ipynb"})
    text = (served / "flights" / "notebooks" / "more trees.ipynb").read_text()
    assert "trees: int = 1" in text
    assert "secret" not in text
    assert json.loads(text)["cells"][1]["execution_count"] is None
    again = await send("POST", "notebooks", body, path="flights")
    assert (again.status, again.content_type) == (400, PROBLEM)
    assert "there is one already" in again.body["detail"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"template": "workbench:first"}, 400, "name"),
        ({"template": "workbench:first", "name": "x", "more": 1}, 400, "more"),
        ({"template": "workbench:first", "name": "../x"}, 400, "expected letters"),
        ({"template": "workbench:first", "name": ".hidden"}, 400, "expected letters"),
        ({"template": "workbench:frist", "name": "x"}, 404, "did you mean workbench:first?"),
    ],
)
async def test_a_copy_that_cannot_be_made(
    send: Ask, body: dict[str, str], status: int, said: str
) -> None:
    answer = await send("POST", "notebooks", body, path="flights")
    assert (answer.status, answer.content_type) == (status, PROBLEM)
    assert said in answer.body["detail"]


@pytest.fixture
def viewer(served: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let whoever asks be a viewer, for one test."""
    settings = served / "flights" / "workbench.toml"
    before = settings.read_text()
    settings.write_text(before + '\n[roles]\nviewer = ["*"]\nadmin = ["ann"]\n')
    monkeypatch.setattr(handlers, "names_of", lambda *_: ("vic",))
    yield
    settings.write_text(before)


@pytest.mark.usefixtures("viewer")
async def test_who_may_only_look_starts_nothing(send: Ask, served: Path) -> None:
    body = {"template": "workbench:first", "name": "mine"}
    answer = await send("POST", "notebooks", body, path="flights")
    assert (answer.status, answer.content_type) == (403, PROBLEM)
    assert answer.body["detail"].startswith("vic is viewer here")
    assert not (served / "flights" / "notebooks" / "mine.ipynb").exists()


async def test_dashboards_are_those_that_this_server_can_show(ask: Ask, served: Path) -> None:
    for shipped in (await ask("dashboards", path="flights")).body:
        assert shipped["address"] is None
        assert "outside of what this server serves" in shipped["refusal"]
    folder = served / "flights" / "notebooks" / "dashboards"
    folder.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(), folder / "the <b> page.ipynb")
    try:
        [found] = (await ask("dashboards", path="flights")).body
    finally:
        (folder / "the <b> page.ipynb").unlink()
        folder.rmdir()
    address = "voila/render/flights/notebooks/dashboards/the%20%3Cb%3E%20page.ipynb"
    assert found == {"name": "the <b> page", "address": address, "refusal": ""}
