"""`pip install .` on a machine without node: the sidebar is built all the same, and found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = "jupyter-workbench"
TOOLS = ("sh", "env", "uname", "dirname", "basename", "readlink", "sed", "git", "cat", "mkdir")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with Workbench out of a copy of the sources, installed without node.

    What Workbench depends on is taken from here: installing it again would show nothing.
    """
    folder = tmp_path_factory.mktemp("fresh")
    path = _path_without_node(folder / "bin")
    _run([sys.executable, "-m", "venv", str(folder / "env")], os.environ["PATH"])
    python = folder / "env" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps"]
    done = _run([*install, str(_copy(folder))], path)
    if done.returncode and _is_offline(done.stderr):
        pytest.skip(f"no network: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr[-4000:]
    [packages] = (folder / "env" / "lib").glob("python*/site-packages")
    (packages / "here.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "env"


def _copy(folder: Path) -> Path:
    """Copy what a clone has, as it is in the work tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    source = folder / "source"
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    assert not (source / "workbench" / "labextension").exists()
    return source


def _path_without_node(folder: Path) -> str:
    folder.mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    assert shutil.which("node", path=str(folder)) is None
    return str(folder)


def _run(command: list[str], path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )


def _is_offline(said: str) -> bool:
    words = ("dns error", "Could not connect", "ENOTFOUND", "RequestError", "ConnectError")
    return any(word in said for word in words)


def test_the_sidebar_is_there(environment: Path) -> None:
    extension = environment / "share" / "jupyter" / "labextensions" / NAME
    about = json.loads((extension / "package.json").read_text())
    entry = extension / about["jupyterlab"]["_build"]["load"]
    assert entry.is_file()
    assert (extension / "install.json").is_file()
    assert (extension / "schemas" / NAME / "sidebar.json").is_file()
    done = _run(
        [str(environment / "bin" / "python"), "-m", "jupyterlab.labextensions", "list"],
        str(environment / "bin"),
    )
    [line] = [line for line in done.stderr.splitlines() if NAME in line]
    assert "enabled" in line
    assert "OK" in line


def test_the_server_has_it_without_being_told(environment: Path) -> None:
    config = environment / "etc" / "jupyter" / "jupyter_server_config.d"
    [found] = [json.loads(path.read_text()) for path in config.iterdir()]
    assert found["ServerApp"]["jpserver_extensions"] == {"workbench.server": True}
    [packages] = (environment / "lib").glob("python*/site-packages")
    language = packages / "workbench" / "locale" / "es_ES" / "LC_MESSAGES"
    assert (language / "jupyter_workbench.json").is_file()
