"""What can be asked of monitors, over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_server.auth.identity import IdentityProvider, User

from workbench.project import Project
from workbench.server.extension import DASHBOARDS
from workbench.store import AlertRow, WindowRow, database, now

Ask = Callable[..., Awaitable[Any]]

PROBLEM = "application/problem+json"
SCRIPT = "<script>alert(1)<script>"
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def project(served: Path) -> Project:
    """Three windows of a model; two of them have alerts of one cause, one is resolved."""
    root = served / "watched"
    (root / "notebooks" / "dashboards").mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(), root / "notebooks/dashboards/over view.ipynb")
    (root / "workbench.toml").write_text(
        'name = "watched"\n[roles]\nviewer = ["*"]\ndeveloper = ["dev"]\n'
    )
    project = Project.find(root)
    with database(project).session() as session:
        for at, status in enumerate(("ok", "alert", "alert", "alert")):
            start = START + at * DAY
            session.add(_window(start, status))
            if status == "alert":
                state = "resolved" if at == 1 else "open"
                session.add(_alert(start, state))
    return project


def _window(start: datetime, status: str) -> WindowRow:
    return WindowRow(
        monitor="m",
        model="late",
        version="1",
        window_start=start,
        window_end=start + DAY,
        status=status,
        findings=[],
        metrics={},
        job_id=None,
        evaluated_at=now(),
    )


def _alert(start: datetime, state: str) -> AlertRow:
    return AlertRow(
        monitor="m",
        model="late",
        version="1",
        window_start=start,
        state=state,
        cause="missing: temp",
        message=SCRIPT,
        owner="ops",
        job_id=None,
        opened_at=now(),
    )


@pytest.fixture
def log_in(jp_serverapp: Any) -> Iterator[Callable[[str], None]]:
    """Let requests come from somebody."""
    settings = jp_serverapp.web_app.settings
    provider = settings["identity_provider"]

    def log_in(username: str) -> None:
        class Named(IdentityProvider):
            def get_user(self, handler: Any) -> User:
                return User(username)

            def is_token_authenticated(self, handler: Any) -> bool:
                return True  # as a script is, of which no XSRF token is asked

        settings["identity_provider"] = Named(parent=jp_serverapp, log=jp_serverapp.log)

    yield log_in
    settings["identity_provider"] = provider


@pytest.mark.usefixtures("project")
async def test_how_models_fare(ask: Ask) -> None:
    [model] = (await ask("monitors", path="watched")).body
    assert (model["model"], model["light"], model["champion"]) == ("late", "unwatched", None)
    assert (model["open_alerts"], model["seen_alerts"]) == (2, 0)
    assert [window["status"] for window in model["windows"]] == ["ok", "alert", "alert", "alert"]
    assert model["windows"][0]["period"] == "2026-01-01"


async def test_alerts_are_grouped_and_acknowledged(
    ask: Ask, send: Ask, project: Project, log_in: Callable[[str], None]
) -> None:
    log_in("dev")
    [group] = (await ask("monitors/alerts", path="watched")).body["items"]
    assert (group["cause"], group["count"], len(group["open"])) == ("missing: temp", 2, 2)
    assert group["newest"][0]["message"] == SCRIPT
    assert group["newest"][0]["period"] == "2026-01-04"
    route, body = "monitors/alerts/acknowledged", {"alerts": group["open"]}
    log_in("viewer")
    answer = await send("POST", route, body, path="watched")
    assert (answer.status, answer.content_type) == (403, PROBLEM)
    log_in("dev")
    answer = await send("POST", route, body, path="watched")
    assert [alert["state"] for alert in answer.body] == ["acknowledged"] * 2
    [group] = (await ask("monitors/alerts", path="watched", state="acknowledged")).body["items"]
    assert (group["open"], group["count"]) == ([], 2)
    assert (await ask("monitors/alerts", path="watched", state="open")).body["items"] == []
    every = (await ask("monitors/alerts", path="watched", state="all", model="late")).body
    assert every["items"][0]["count"] == 3
    assert (await send("POST", route, {"alerts": [999]}, path="watched")).status == 404
    for wrong in ([], ["x"], [0], [2**40]):
        assert (await send("POST", route, {"alerts": wrong}, path="watched")).status == 400


@pytest.mark.usefixtures("project")
async def test_dashboards_of_the_project(ask: Ask) -> None:
    [page] = (await ask("dashboards", path="watched")).body
    assert page["address"] == "voila/render/watched/notebooks/dashboards/over%20view.ipynb"
    assert (page["name"], page["refusal"]) == ("over view", "")


@pytest.mark.usefixtures("project")
async def test_a_notebook_that_judged_no_window(ask: Ask) -> None:
    answer = await ask("monitors/notebook", path="watched", job="../../secret")
    assert (answer.status, answer.content_type) == (404, PROBLEM)


def test_voila_in_this_server_serves_as_ours_does(jp_serverapp: Any) -> None:
    from workbench.panels.voila import EXTENSIONS, TEMPLATE

    assert {"template": TEMPLATE, "extension_allowlist": list(EXTENSIONS)} == DASHBOARDS
    kept = jp_serverapp.config.VoilaConfiguration
    assert {name: kept[name] for name in DASHBOARDS} == DASHBOARDS
    settings = jp_serverapp.web_app.settings
    assert (settings["mathjax_url"], settings["mathjax_config"]) == (None, None)  # no CDN's
