"""A real browser, and a real JupyterLab on a copy of the demo."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import BrowserType, expect

from tests.projects import copy_folder
from tests.server.running import Jupyter, jupyter_server

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
    path = chromium(Path(browser_type.executable_path))
    return {**browser_type_launch_args, "executable_path": str(path), "args": CHROMIUM_ARGS}


def chromium(playwrights: Path) -> Path:
    """Find a Chromium: the machine's, else Playwright's; one is installed where that can be."""
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
    served = tmp_path / "served"
    project = served / "flights-demo"
    copy_folder(demo_project, project)
    with jupyter_lab(tmp_path / "jupyter", served) as server:
        yield Lab(server.url.rstrip("/"), server.token, served, project)


@contextmanager
def jupyter_lab(
    folder: Path,
    served: Path,
    *options: str,
    has_ours: bool = True,
    extensions: Sequence[str] = ("workbench.server",),
    base_url: str = "/",
    settings: Mapping[str, Any] = SETTINGS,
    env: Mapping[str, str] | None = None,
) -> Iterator[Jupyter]:
    """Run JupyterLab with this tree's sidebar and server, whatever is installed, for the block.

    Without them (`has_ours`) an installed sidebar is still found, if `options` don't forbid it.
    """
    if not (BUNDLE / "package.json").is_file():
        pytest.fail(f"{BUNDLE} is not built: `pip install -e .`, or in extension/: jlpm build:prod")
    bundles = folder / "labextensions"
    bundles.mkdir(parents=True)
    if has_ours:
        (bundles / "jupyter-workbench").symlink_to(BUNDLE)
    for name, content in settings.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    python_path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with jupyter_server(
        folder,
        served,
        "--expose-app-in-browser",
        f"--LabApp.extra_labextensions_path={bundles}",
        *options,
        module="jupyterlab",
        extensions=extensions if has_ours else (),
        base_url=base_url,
        env={"PYTHONPATH": python_path, **(env or {})},
    ) as server:
        yield server
