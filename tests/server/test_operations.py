"""The routes, asked of a real server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth.authorizer import Authorizer
from tornado.httpclient import HTTPClientError

from workbench.git import Repository
from workbench.server.resources import OPERATIONS

Ask = Callable[..., Awaitable[Any]]

PROBLEM = "application/problem+json"
every_route = pytest.mark.parametrize(
    "route", [one.path.lstrip("/") for one in OPERATIONS if one.method == "GET" and not one.names]
)


@every_route
@pytest.mark.parametrize("token", ["", "token wrong"])
async def test_refuses_who_is_not_logged_in(ask: Ask, route: str, token: str) -> None:
    answer = await ask(route, path="flights", headers={"Authorization": token})
    assert (answer.status, answer.content_type) == (403, PROBLEM)
    assert answer.body["status"] == 403
    assert set(answer.body) == {"type", "title", "status", "detail"}


@every_route
async def test_refuses_who_may_not_read(ask: Ask, jp_serverapp: Any, route: str) -> None:
    asked: list[tuple[str, str]] = []

    class Nobody(Authorizer):
        def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
            asked.append((action, resource))
            return False

    jp_serverapp.web_app.settings["authorizer"] = Nobody()
    answer = await ask(route, path="flights")
    assert (answer.status, answer.content_type) == (403, PROBLEM)
    assert asked == [("read", "workbench")]


async def test_a_write_is_asked_for_as_one_after_a_read(
    ask: Ask, jp_fetch: Ask, jp_serverapp: Any
) -> None:
    asked: list[tuple[str, str]] = []

    class Reader(Authorizer):
        def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
            asked.append((action, resource))
            return action == "read"

    jp_serverapp.web_app.settings["authorizer"] = Reader()
    assert (await ask("project", path="flights")).status == 200
    with pytest.raises(HTTPClientError, match="403"):
        await jp_fetch("workbench", "api", "project", method="POST", body="{}")
    assert asked == [("read", "workbench"), ("write", "workbench")]


@every_route
async def test_says_what_to_do_where_there_is_no_project(ask: Ask, route: str) -> None:
    answer = await ask(route, path="plain")
    assert (answer.status, answer.content_type) == (404, PROBLEM)
    assert answer.body["type"] == "urn:workbench:not-a-project"
    assert "workbench init" in answer.body["detail"]


@every_route
@pytest.mark.parametrize("path", ["..", "flights/../../outside0", "/etc", "link"])
async def test_does_not_leave_the_served_folder(ask: Ask, route: str, path: str) -> None:
    answer = await ask(route, path=path)
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert answer.body["type"] == "urn:workbench:usage"
    assert "secret" not in str(answer.body)


async def test_names_a_folder_that_is_not_there(ask: Ask) -> None:
    answer = await ask("project", path="flights/nowhere")
    assert answer.status == 404
    assert answer.body["detail"] == "flights/nowhere: there is no such folder"


@pytest.mark.parametrize("path", ["x" * 300, "circle"], ids=["long", "circle"])
async def test_refuses_a_path_that_leads_nowhere(ask: Ask, path: str) -> None:
    answer = await ask("project", path=path)
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert answer.body["detail"] == f"{path!r}: can't be followed"


async def test_names_a_route_that_is_not_there(ask: Ask) -> None:
    answer = await ask("nothing")
    assert (answer.status, answer.content_type) == (404, PROBLEM)


async def test_project_from_a_folder_inside_it(ask: Ask, served: Path) -> None:
    answer = await ask("project", path="flights/notebooks")
    assert (answer.status, answer.content_type) == (200, "application/json")
    told = {"name": "flights", "root": str((served / "flights").resolve()), "folder": "flights"}
    assert told.items() <= answer.body.items()
    assert answer.body["role"] == "admin"  # of a project without roles


async def test_branch(ask: Ask, served: Path) -> None:
    answer = await ask("branch", path="flights")
    head = Repository(served / "flights").status()
    assert answer.body["branch"] == "main"
    assert answer.body["commit"] == head.commit
    assert answer.body["detached"] is False
    assert answer.body["changed"] == [{"path": "notes.md", "state": "untracked", "was": None}]


async def test_runs_with_a_metric_that_json_has_no_number_for(ask: Ask) -> None:
    answer = await ask("runs", path="flights")
    [run] = answer.body["items"]
    assert answer.body["next"] is None
    assert run["name"] == "train"
    assert run["status"] == "FINISHED"
    assert run["params"] == {"depth": "6"}
    assert run["metrics"] == {"roc_auc": 0.77, "lift": "NaN"}
    assert run["start_time"].endswith("Z")


@pytest.mark.parametrize("limit", ["0", "1001", "many"])
async def test_runs_refuse_a_limit_out_of_bounds(ask: Ask, limit: str) -> None:
    answer = await ask("runs", path="flights", limit=limit)
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert answer.body["detail"].startswith("query: limit: ")


async def test_models_of_a_project_without_any(ask: Ask) -> None:
    assert (await ask("models", path="flights")).body == {"items": [], "next": None}


async def test_keys_that_jupyter_adds_do_no_harm(ask: Ask) -> None:
    assert (await ask("project", path="flights", **{"1700000000000": ""})).status == 200


async def test_says_which_records_cannot_be_read(ask: Ask, served: Path) -> None:
    broken = served / "broken"
    (broken / ".workbench").mkdir(parents=True)
    (broken / "workbench.toml").write_text('name = "broken"\n')
    (broken / ".workbench" / "workbench.db").write_bytes(b"not a database" * 100)
    answer = await ask("features", path="broken")
    assert (answer.status, answer.content_type) == (503, PROBLEM)
    assert answer.body["type"] == "urn:workbench:store"


async def test_names_the_key_of_a_settings_file_that_is_wrong(ask: Ask, served: Path) -> None:
    (served / "wrong").mkdir(exist_ok=True)
    (served / "wrong" / "workbench.toml").write_text('name = "x"\nworker = 2\n')
    answer = await ask("project", path="wrong")
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert answer.body["type"] == "urn:workbench:config"
    assert "did you mean workers?" in answer.body["detail"]


async def test_keeps_the_unexpected_to_itself(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(repository: Repository) -> None:
        raise RuntimeError("hidden detail")

    monkeypatch.setattr(Repository, "status", fail)
    answer = await ask("branch", path="flights")
    assert (answer.status, answer.content_type) == (500, PROBLEM)
    assert "hidden" not in str(answer.body)


async def test_slow_work_holds_nobody_up(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    status = Repository.status

    def slow(repository: Repository, **how: Any) -> Any:
        begun.set()
        assert go_on.wait(timeout=30)
        return status(repository, **how)

    monkeypatch.setattr(Repository, "status", slow)
    branch = asyncio.ensure_future(ask("branch", path="flights"))
    try:
        assert await asyncio.to_thread(begun.wait, 30)
        assert (await ask("project", path="flights")).status == 200
        assert not branch.done()
    finally:
        go_on.set()
    assert (await branch).status == 200
