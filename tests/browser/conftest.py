"""A real browser, and a real JupyterLab on a copy of the demo."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import BrowserType, expect

from tests.projects import copy_folder

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "workbench" / "labextension"
# The last four keep Chromium from calling home, which a test has no business doing.
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 20_000  # ms
SETTINGS = {
    # News and updates are asked of the internet, and cover the corner of a screenshot.
    "apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
}


class Lab(NamedTuple):
    """A running JupyterLab."""

    url: str
    token: str
    served: Path
    project: Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run this folder's tests last: Playwright keeps an event loop running until the session ends.

    A test with a loop of its own, like those of the server, would fail after it.
    """
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.is_relative_to(here))


@pytest.fixture(autouse=True, scope="session")
def patience() -> None:
    """Wait longer than five seconds: behind a click are Git and stores, on a busy machine."""
    expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def base_url() -> None:
    """None: a test has a server of its own. pytest-playwright's fixture warns in pytest 9.2."""


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], browser_type: BrowserType
) -> dict[str, Any]:
    """Start the Chromium that this machine has."""
    path = _chromium(Path(browser_type.executable_path))
    return {**browser_type_launch_args, "executable_path": str(path), "args": CHROMIUM_ARGS}


def _chromium(playwrights: Path) -> Path:
    if found := _installed():
        return found
    if playwrights.exists():
        return playwrights
    if os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["apt-get", "update"], ["apt-get", "install", "-y", "chromium"]):
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL, timeout=300)
        if found := _installed():
            return found
    pytest.skip(
        "NO BROWSER, SO THE SIDEBAR IS NOT TESTED: "
        "install Debian's chromium, or `playwright install chromium`"
    )


def _installed() -> Path | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((Path(path) for name in names if (path := shutil.which(name))), None)


@pytest.fixture
def lab(demo_project: Path, tmp_path: Path) -> Iterator[Lab]:
    """JupyterLab on a folder that holds a copy of the demo, with nothing of the user's."""
    if not (BUNDLE / "package.json").is_file():
        pytest.fail(f"{BUNDLE} is not built: `pip install -e .`, or in extension/: jlpm build:prod")
    served = tmp_path / "served"
    project = served / "flights-demo"
    copy_folder(demo_project, project)
    token, port = secrets.token_hex(16), _free_port()
    lab = Lab(f"http://127.0.0.1:{port}", token, served, project)
    with (tmp_path / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            _command(lab, port, tmp_path),
            env=_environment(tmp_path),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its kernels are in its group, and end with it
        )
        try:
            _wait_for(lab, process, Path(log.name))
            yield lab
        finally:
            _stop(process)


def _command(lab: Lab, port: int, tmp_path: Path) -> list[str]:
    extensions = tmp_path / "labextensions"
    extensions.mkdir()
    (extensions / "jupyter-workbench").symlink_to(BUNDLE)  # this tree's, whatever is installed
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        "--expose-app-in-browser",
        f"--LabApp.extra_labextensions_path={extensions}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={lab.served}",
        "--ServerApp.jpserver_extensions={'workbench.server': True}",
        f"--IdentityProvider.token={lab.token}",
    ]


def _environment(tmp_path: Path) -> dict[str, str]:
    settings = tmp_path / "settings"
    for name, content in SETTINGS.items():
        path = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    python_path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
        "PYTHONPATH": os.pathsep.join(python_path),
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(lab: Lab, process: subprocess.Popen[bytes], log: Path) -> None:
    request = urllib.request.Request(
        f"{lab.url}/api/status", headers={"Authorization": f"token {lab.token}"}
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-4000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Let the server end its kernels; after half a minute end what is left of its group."""
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
