"""Who asks, when a server asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_server.auth.identity import IdentityProvider, User
from tornado.httpclient import HTTPClientError

from workbench.access import Person, act_as, acting_as, require, who
from workbench.errors import ForbiddenError
from workbench.project import Project
from workbench.server import handlers
from workbench.server.handlers import Handler
from workbench.server.identity import names_of
from workbench.server.operation import Operation
from workbench.server.problems import problem_of
from workbench.server.table import Table

Ask = Callable[..., Awaitable[Any]]

PROBLEM = "application/problem+json"
NOBODY_MAY_CHOOSE = ["color"]


@pytest.fixture
def roles(served: Path) -> Iterator[None]:
    """Give the served project roles, for one test."""
    settings = served / "flights" / "workbench.toml"
    before = settings.read_text()
    settings.write_text(before + '\n[roles]\nviewer = ["*"]\nadmin = ["ann", "Grace Hopper"]\n')
    yield
    settings.write_text(before)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Person]:
    """Let a route write, as a developer may, and say who asked."""
    found: list[Person] = []

    def write(project: Project) -> list[str]:
        """Write."""
        found.append(who(project))
        require(project, "developer", "promote late")
        return []

    every = Table(Operation("GET", path, write) for path in ("/models", "/runs"))
    monkeypatch.setattr(handlers, "operations", lambda: every)
    return found


@pytest.fixture
def logged_in(jp_serverapp: Any) -> Iterator[Callable[..., None]]:
    """Let requests come from a user that an identity provider names, as JupyterHub's does."""
    provider = jp_serverapp.web_app.settings["identity_provider"]

    def log_in(username: str, updatable: list[str] | None = None, **names: str) -> None:
        class Named(IdentityProvider):
            def get_user(self, handler: Any) -> User:
                return User(username, **names)

        named = Named(parent=jp_serverapp, log=jp_serverapp.log)
        named.updatable_fields = updatable or NOBODY_MAY_CHOOSE
        jp_serverapp.web_app.settings["identity_provider"] = named

    yield log_in
    jp_serverapp.web_app.settings["identity_provider"] = provider


@pytest.mark.usefixtures("roles")
async def test_what_a_route_calls_is_asked_by_the_requests_user(
    ask: Ask, asked: list[Person], logged_in: Callable[..., None]
) -> None:
    logged_in("ann", name="Ann Example")
    assert (await ask("models", path="flights")).status == 200
    assert asked[0].names == ("ann", "Ann Example")
    assert (asked[0].role, asked[0].known_by) == ("admin", "jupyter")


@pytest.mark.usefixtures("roles")
async def test_who_may_not_is_refused_with_a_problem(
    ask: Ask, asked: list[Person], logged_in: Callable[..., None]
) -> None:
    logged_in("vic")
    answer = await ask("models", path="flights")
    assert (answer.status, answer.content_type) == (403, PROBLEM)
    assert answer.body["type"] == "urn:workbench:forbidden"
    assert answer.body["detail"].startswith("vic is viewer here and may not promote late")
    assert (await ask("runs", path="flights")).status == 403


@pytest.mark.usefixtures("roles")
async def test_reading_takes_no_role(ask: Ask, logged_in: Callable[..., None]) -> None:
    logged_in("vic")
    for route in ("runs", "models", "features", "sources"):
        assert (await ask(route, path="flights")).status == 200


@pytest.mark.usefixtures("roles")
async def test_two_requests_at_once_are_asked_by_their_own_users(
    ask: Ask, asked: list[Person], jp_serverapp: Any, logged_in: Callable[..., None]
) -> None:
    class ByHeader(IdentityProvider):
        def get_user(self, handler: Any) -> User:
            return User(handler.request.headers["X-User"])

    logged_in("replaced")
    jp_serverapp.web_app.settings["identity_provider"] = ByHeader(parent=jp_serverapp)
    users = ["ann", "vic", "eve", "ann", "bob", "vic"]
    answers = await asyncio.gather(
        *(ask("models", path="flights", headers={"X-User": user}) for user in users)
    )
    assert [answer.status for answer in answers] == [200, 403, 403, 200, 403, 403]
    assert sorted(person.name for person in asked) == sorted(users)


async def test_the_servers_one_token_names_nobody(ask: Ask, asked: list[Person]) -> None:
    await ask("models", path="flights")
    assert asked[0].known_by in {"git", "system"}


@pytest.mark.usefixtures("roles")
async def test_a_name_that_its_user_may_choose_gives_no_role(
    ask: Ask, asked: list[Person], logged_in: Callable[..., None]
) -> None:
    logged_in("eve", updatable=["name", "display_name"], name="Grace Hopper")
    assert (await ask("models", path="flights")).status == 403
    logged_in("eve", name="Grace Hopper")
    assert (await ask("models", path="flights")).status == 200
    assert [person.names for person in asked] == [("eve",), ("eve", "Grace Hopper")]


async def test_who_is_not_let_in_asks_nobody(jp_fetch: Any, asked: list[Person]) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch("workbench", "api", "models", headers={"Authorization": "token wrong"})
    assert refused.value.code == 403
    assert asked == []


@pytest.mark.parametrize(
    ("username", "names"),
    [
        ("ann", ("ann", "Ann")),
        ("8f14e45fceea167a5a36dedd4bea2543", ()),
        ("anonymous", ()),
        ("", ()),
    ],
)
def test_names_of_a_user(username: str, names: tuple[str, ...]) -> None:
    user = SimpleNamespace(username=username, name="Ann", display_name="Ann")
    assert names_of(user, NOBODY_MAY_CHOOSE) == names
    assert names_of(None, NOBODY_MAY_CHOOSE) == ()


def test_every_handler_says_who_asks() -> None:
    from workbench.server import extension, handlers

    ours = [
        each
        for module in (extension, handlers)
        for each in vars(module).values()
        if isinstance(each, type)
        and each.__module__.startswith("workbench.server")
        and hasattr(each, "write_error")
    ]
    assert len(ours) >= 3
    assert all(each.prepare is Handler.prepare for each in ours)


def test_forbidden_is_403() -> None:
    problem = problem_of(ForbiddenError("said"))
    assert (problem.status, problem.type, problem.detail) == (
        403,
        "urn:workbench:forbidden",
        "said",
    )


async def test_a_context_goes_along_to_a_thread_and_not_to_a_bare_executor(
    blank_project: Project,
) -> None:
    """Why handlers use `to_thread`."""
    loop = asyncio.get_running_loop()

    async def request() -> tuple[str, str]:
        act_as("ann")
        taken = await asyncio.to_thread(who, blank_project)
        return taken.name, (await loop.run_in_executor(None, who, blank_project)).name

    with acting_as("outer"):
        ours, bare = await asyncio.create_task(request())
        assert who(blank_project).name == "outer"
    assert ours == "ann"
    assert bare != "ann"
