"""MLflow's own pages, through Jupyter's login."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jupyter_server.auth.identity import IdentityProvider, User
from tornado.httpclient import HTTPClientError

from workbench.project import Project
from workbench.server import mlflow_proxy
from workbench.server.mlflow_server import MlflowServers
from workbench.tracking import list_runs

Fetch = Callable[..., Awaitable[Any]]

API = "ajax-api/2.0/mlflow"


@pytest.fixture
def servers(jp_serverapp: Any) -> Iterator[MlflowServers]:
    """The extension's own; ended with the test, as with the server."""
    every = jp_serverapp.extension_manager.extension_apps.values()
    found = next(app._mlflow for apps in every for app in apps if hasattr(app, "_mlflow"))
    yield found
    found.stop()


@pytest.fixture
def fetch(jp_fetch: Fetch) -> Fetch:
    """Ask for something under MLflow's address; a refusal is an answer too."""

    async def fetch(*path: str, method: str = "GET", body: Any = None, **how: Any) -> Any:
        sent = {} if body is None else {"Content-Type": "application/json"}
        how["headers"] = sent | how.get("headers", {})
        try:
            return await jp_fetch(
                *("workbench", "mlflow", *path),
                method=method,
                body=None if body is None else json.dumps(body),
                allow_nonstandard_methods=True,
                follow_redirects=False,
                request_timeout=120,
                **how,
            )
        except HTTPClientError as refusal:
            return refusal.response

    return fetch


@pytest.mark.parametrize("path", [(), ("0123456789abcdef",), ("0123456789abcdef", "version")])
async def test_nobody_comes_without_a_login(fetch: Fetch, path: tuple[str, ...]) -> None:
    answer = await fetch(*path, headers={"Authorization": "token wrong"})
    assert answer.code in (302, 403)
    if answer.code == 302:
        assert "/login" in answer.headers["Location"]


async def test_pages_that_do_not_run_say_where_to_open_them(fetch: Fetch) -> None:
    answer = await fetch("0123456789abcdef", "version")
    assert answer.code == 404
    assert "panel Runs" in json.loads(answer.body)["detail"]


async def test_only_a_projects_pages_start(fetch: Fetch) -> None:
    for path, code in (("plain", 404), ("..", 400), ("nowhere", 404)):
        assert (await fetch(params={"path": path})).code == code
    assert (await fetch(params={"path": "flights", "run": "<script>"})).code == 400


@pytest.mark.parametrize(
    "path",
    [
        "ajax-api/3.0/mlflow/assistant/chat",
        "ajax-api/2.0/mlflow/gateway-proxy",
        "ajax-api/3.0/jobs/search",
        "gateway/x/mlflow/invocations",
        "api/2.0/mlflow/runs/search",
    ],
)
async def test_what_mlflow_lets_anybody_on_the_machine_do_is_out_of_reach(
    fetch: Fetch, path: str
) -> None:
    answer = await fetch("0123456789abcdef", *path.split("/"))
    assert answer.code == 404
    assert "nothing at" in json.loads(answer.body)["detail"]


def test_reading_and_writing_are_told_apart() -> None:
    for path in (
        f"{API}/runs/search",
        f"{API}/experiments/search-datasets",
        "ajax-api/3.0/mlflow/traces/search",
        "graphql",
    ):
        assert mlflow_proxy._ASKED_BY_POST.fullmatch(path), path
    for path in (f"{API}/runs/set-tag", f"{API}/runs/delete", f"{API}/registered-models/alias"):
        assert not mlflow_proxy._ASKED_BY_POST.fullmatch(path), path
    assert mlflow_proxy._WRITTEN.fullmatch(f"{API}/runs/set-tag")
    assert not mlflow_proxy._WRITTEN.fullmatch(f"{API}/registered-models/alias")


async def test_the_pages_start_show_and_stop(
    fetch: Fetch, servers: MlflowServers, served: Path, jp_serverapp: Any
) -> None:
    project = Project.find(served / "flights")
    run = list_runs(project)[0]
    started = await fetch(params={"path": "flights", "run": run.run_id})
    assert started.code == 302
    location = started.headers["Location"]
    assert location.endswith(f"/#/runs/{run.run_id}")
    key = location.split("/workbench/mlflow/")[1].split("/")[0]
    assert (await fetch(params={"path": "flights"})).headers["Location"].split("#")[0] == (
        location.split("#")[0]
    )  # the same one again

    page = await fetch(key, "")
    assert b"static-files/" in page.body
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" not in page.headers["Content-Security-Policy"]

    search = {"experiment_ids": ["1"], "max_results": 5}
    found = await fetch(key, *f"{API}/runs/search".split("/"), method="POST", body=search)
    assert run.run_id in [one["info"]["run_id"] for one in json.loads(found.body)["runs"]]

    tag = {"run_id": run.run_id, "key": "seen", "value": "yes"}
    assert (
        await fetch(key, *f"{API}/runs/set-tag".split("/"), method="POST", body=tag)
    ).code == 200
    assert list_runs(project)[0].tags["seen"] == "yes"
    alias = {"name": "late", "alias": "champion", "version": "1"}
    refused = await fetch(
        key, *f"{API}/registered-models/alias".split("/"), method="POST", body=alias
    )
    assert refused.code == 403
    assert "gates" in json.loads(refused.body)["detail"]

    await _as_a_viewer(fetch, served, jp_serverapp, key, tag)
    await _forged(fetch, jp_serverapp, key, tag)

    process = servers.find(key).process  # type: ignore[union-attr]
    servers.stop()
    assert process.poll() is not None
    assert (await fetch(key, "version")).code == 404


async def _as_a_viewer(
    fetch: Fetch, served: Path, jp_serverapp: Any, key: str, tag: dict[str, str]
) -> None:
    settings = served / "flights" / "workbench.toml"
    before = settings.read_text()
    settings.write_text(before + '\n[roles]\nviewer = ["*"]\n')
    provider = jp_serverapp.web_app.settings["identity_provider"]

    class Named(IdentityProvider):
        def get_user(self, handler: Any) -> User:
            return User("vic")

        def is_token_authenticated(self, handler: Any) -> bool:
            return True

    jp_serverapp.web_app.settings["identity_provider"] = Named(parent=jp_serverapp)
    try:
        search = {"experiment_ids": ["1"]}
        found = await fetch(key, *f"{API}/runs/search".split("/"), method="POST", body=search)
        refused = await fetch(key, *f"{API}/runs/set-tag".split("/"), method="POST", body=tag)
    finally:
        jp_serverapp.web_app.settings["identity_provider"] = provider
        settings.write_text(before)
    assert found.code == 200
    assert refused.code == 403
    assert json.loads(refused.body)["detail"].startswith("vic is viewer here")


async def _forged(fetch: Fetch, jp_serverapp: Any, key: str, tag: dict[str, str]) -> None:
    """A request with the browser's cookie alone counts only if MLflow's own page sent it."""
    provider = jp_serverapp.web_app.settings["identity_provider"]

    class ByCookie(IdentityProvider):
        def get_user(self, handler: Any) -> User:
            return User("ann")

        def is_token_authenticated(self, handler: Any) -> bool:
            return False

    jp_serverapp.web_app.settings["identity_provider"] = ByCookie(parent=jp_serverapp)
    path = f"{API}/runs/set-tag".split("/")
    asked = urlsplit((await fetch(key, "version")).request.url)
    own = f"{asked.scheme}://{asked.netloc}"
    try:
        codes = [
            (await fetch(key, *path, method="POST", body=tag, headers=headers)).code
            for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": own})
        ]
    finally:
        jp_serverapp.web_app.settings["identity_provider"] = provider
    assert codes[0] == 403
    assert codes[1] in (403, 404)
    assert codes[2] == 200
