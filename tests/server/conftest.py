"""A real Jupyter server with our extension, serving a folder that holds a real project."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest

# Imported here rather than by `pytest_plugins`, which pytest only takes at the top: these fixtures
# and hooks (event loop, coroutine tests) are for this folder's tests alone.
from pytest_jupyter.jupyter_server import *  # noqa: F403
from tornado.httpclient import HTTPClientError, HTTPResponse

from workbench.features import apply
from workbench.git import Repository
from workbench.project import Project
from workbench.tracking import client, create_run, finish_run

VIEWS = '''
"""Features of the test project."""

import polars as pl

import workbench as wb


@wb.features.feature_view(
    entity="origin",
    event_time="time_hour",
    ttl="3h",
    owner="ops",
    tags=["sky"],
    features={"temp": "Temperature", "wind_speed": "Wind at the origin"},
)
def weather(weather):
    """Hourly weather at the origin."""
    return weather


@wb.features.request_view(owner="network", features={"hour": "Scheduled hour"})
def schedule():
    """What the timetable says."""
    return {"hour": pl.col("scheduled").dt.hour()}
'''


SETTINGS = """
name = "flights"

[sources.skies]
address = "skies.csv"
description = "what the weather was"
owner = "ops"
tags = ["sky"]

[sources.gone]
address = "gone.csv"
"""


class Answer(NamedTuple):
    """What the server said."""

    status: int
    content_type: str
    body: Any


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the server serves: a project, a folder that isn't one, a link to outside."""
    root = tmp_path_factory.mktemp("served")
    outside = tmp_path_factory.mktemp("outside")
    (outside / "workbench.toml").write_text('name = "secret"\n')
    (root / "plain").mkdir()
    (root / "link").symlink_to(outside, target_is_directory=True)
    (root / "circle").symlink_to(root / "circle")
    _make_project(root / "flights")
    return root


def _make_project(root: Path) -> None:
    (root / "features").mkdir(parents=True)
    (root / "notebooks").mkdir()
    (root / "workbench.toml").write_text(SETTINGS)
    (root / "skies.csv").write_text("origin,<b>temp\nEWR,39.0\nJFK,41.5\n")
    (root / ".gitignore").write_text(".workbench/\n")
    (root / "features" / "views.py").write_text(VIEWS)
    repository = Repository.init(root)
    files = [".gitignore", "workbench.toml", "features", "skies.csv"]
    repository.commit(files, "Start")
    (root / "notes.md").write_text("new\n")
    project = Project.find(root)
    apply(project)
    run_id = create_run(project, "train", tags={}, params={"depth": 6})
    client(project).log_metric(run_id, "roc_auc", 0.77)
    client(project).log_metric(run_id, "lift", float("nan"))
    finish_run(project, run_id, "FINISHED")


@pytest.fixture
def jp_root_dir(served: Path) -> Path:
    return served


@pytest.fixture
def jp_server_config(served: Path) -> dict[str, Any]:
    # Loopback, because the machine's name may not resolve.
    return {"ServerApp": {"jpserver_extensions": {"workbench.server": True}, "ip": "127.0.0.1"}}


@pytest.fixture
def ask(jp_fetch: Callable[..., Awaitable[HTTPResponse]]) -> Callable[..., Awaitable[Answer]]:
    """Ask a route of ours; a refusal is an answer too."""

    async def ask(route: str, *, headers: dict[str, str] | None = None, **query: str) -> Answer:
        try:
            response = await jp_fetch(
                "workbench", "api", route, params=query, headers=dict(headers or {})
            )
        except HTTPClientError as refusal:
            response = cast(HTTPResponse, refusal.response)
        return Answer(response.code, response.headers["Content-Type"], json.loads(response.body))

    return ask


@pytest.fixture
def send(jp_fetch: Callable[..., Awaitable[HTTPResponse]]) -> Callable[..., Awaitable[Answer]]:
    """Send a route of ours something, or ask it by another method; a refusal is an answer too."""

    async def send(
        method: str,
        route: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Answer:
        sent = {} if body is None else {"Content-Type": "application/json"}
        try:
            response = await jp_fetch(
                "workbench",
                "api",
                *route.split("/"),
                method=method,
                params=query,
                headers={**sent, **(headers or {})},
                body=None if body is None else json.dumps(body),
                allow_nonstandard_methods=True,
            )
        except HTTPClientError as refusal:
            response = cast(HTTPResponse, refusal.response)
        return Answer(response.code, response.headers["Content-Type"], json.loads(response.body))

    return send
