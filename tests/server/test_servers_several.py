"""Several projects in one server, a base URL as JupyterHub gives, other extensions beside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.projects import ready_project
from tests.server.beside import BESIDE, install_beside
from tests.server.running import jupyter_server
from workbench.project import Project
from workbench.tracking import create_run, finish_run

UNDER = "/user/ann/"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("served")
    for name in ("one", "other", "one/notebooks/inner"):
        settings = ready_project(root / name).root / "workbench.toml"
        settings.write_text(settings.read_text().replace('"project"', f'"{name}"'))
        project = Project.find(settings.parent)
        run_id = create_run(project, f"run of {name}", tags={}, params={})
        finish_run(project, run_id, "FINISHED")
    (root / "plain").mkdir()
    return root


@pytest.fixture(params=[UNDER, "/user/workbench/api/"])
def jp_base_url(request: pytest.FixtureRequest) -> str:
    """As under JupyterHub; the second is of the server `api` of somebody called `workbench`."""
    base_url: str = request.param
    return base_url


async def test_each_folder_has_its_own_project(ask: Callable[..., Any], served: Path) -> None:
    asked = {
        "one": "one",
        "one/notebooks": "one",
        "one/notebooks/inner": "one/notebooks/inner",
        "other": "other",
    }
    for path, name in asked.items():
        told = (await ask("project", path=path)).body
        assert (told["name"], told["folder"]) == (name, name)
        [run] = (await ask("runs", path=path)).body["items"]
        assert run["name"] == f"run of {name}"
    assert (await ask("project", path="plain")).status == 404


def test_beside_the_extensions_for_git_and_schedules(served: Path, tmp_path: Path) -> None:
    env = install_beside(tmp_path / "others")
    with jupyter_server(
        tmp_path / "server",
        served,
        module="jupyterlab",
        extensions=["workbench.server", *BESIDE.values()],
        base_url=UNDER,
        env=env,
    ) as server:
        assert server.get("workbench/api/project", path="one").json()["name"] == "one"
        assert server.get("workbench/api/runs", path="other").json()["items"]
        page = server.get("lab").text
        for name in ("@jupyterlab/git", "@jupyterlab/scheduler"):
            assert f'"{name}"' in page
        assert server.get("git/settings").ok
        assert server.get("scheduler/runtime_environments").ok
        assert "Traceback" not in server.log.read_text()
