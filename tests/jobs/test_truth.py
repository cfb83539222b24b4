"""A job's record says the truth, whatever ends it: real processes, real kernels, real kills."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.job_folders import JobProcess, executed, job_folder, statuses, wait_until
from workbench.jobs.engine.journal import replay, states
from workbench.jobs.process import UNWRITABLE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process trees of Linux")

_DAEMON = """
import subprocess
for session in (False, True):
    subprocess.Popen(["sleep", "300"], start_new_session=session)
subprocess.Popen(["sh", "-c", "setsid sleep 300 & exit"]).wait()
"""


@dataclass(frozen=True)
class Case:
    """Cells, of which the second is the interesting one, and what has to be said of them."""

    cell: str
    failure: str
    error: str
    cells: tuple[str, str, str] = ("completed", "failed", "pending")
    limits: dict[str, float] = field(default_factory=dict)
    error_cell: int | None = 1
    kernel: str = "python3"


_NOT_STARTED: dict[str, Any] = {"cells": ("pending",) * 3, "error_cell": None}

CASES = {
    "unknown-kernel": Case("1", "start", "no-such-kernel", kernel="no-such-kernel", **_NOT_STARTED),
    "kernel-without-program": Case("1", "start", "/nowhere/python", kernel="gone", **_NOT_STARTED),
    "kernel-that-ends": Case("1", "start", "exit code 3", kernel="ends", **_NOT_STARTED),
    "exception": Case("1 / 0", "cell", "ZeroDivisionError: division by zero"),
    "sys-exit": Case("import sys; sys.exit(0)", "exit", "SystemExit: 0"),
    "exit": Case("exit()", "exit", "SystemExit"),
    "os-exit": Case("import os; os._exit(0)", "exit", "exit code 0"),
    "killed": Case(
        "import os; os.kill(os.getpid(), 9)", "kernel", "Kernel died: killed by SIGKILL"
    ),
    "crashed": Case("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "kernel", "SIGSEGV"),
    "input": Case("input()", "input", "asked for input"),
    "cell-timeout": Case(
        "import time; time.sleep(300)", "timeout", "timed out", limits={"cell_seconds": 0.5}
    ),
    "memory": Case(
        "import time\nkept = [bytearray(50_000_000)]\n"
        "while True:\n    kept.append(bytearray(50_000_000)); time.sleep(0.1)",
        "memory",
        "its limit is 300 MB",
        limits={"memory_mb": 300},
    ),
    "memory-error": Case(
        "bytearray(20_000_000_000)", "memory", "limit 300 MB", limits={"memory_mb": 300}
    ),
}


def _alone(process: JobProcess) -> None:
    """Nothing that the job started is left, two seconds after its end at the latest."""
    wait_until(lambda: not process.family(), 2)


def _install_kernel(root: Path, name: str, command: list[str]) -> None:
    spec = root / "kernels" / name / "kernel.json"
    spec.parent.mkdir(parents=True)
    about = {"argv": command, "display_name": name, "language": "python"}
    spec.write_text(json.dumps(about), encoding="utf-8")


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[JobProcess]]]:
    """All cases, a few at a time: what they do most is wait."""
    root = tmp_path_factory.mktemp("a {strange} name")
    _install_kernel(root, "gone", ["/nowhere/python", "{connection_file}"])
    _install_kernel(root, "ends", [sys.executable, "-c", "raise SystemExit(3)"])

    def run(name: str) -> JobProcess:
        case = CASES[name]
        cells = [_DAEMON, case.cell, "never = 1"]
        folder = job_folder(root / name, cells, kernel=case.kernel, **case.limits)
        with JobProcess(folder, environment={"JUPYTER_PATH": str(root)}) as process:
            process.wait()
            _alone(process)
        return process

    with ThreadPoolExecutor(4) as pool:
        yield {name: pool.submit(run, name) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_the_record_of_what_went_wrong(name: str, ended: dict[str, Future[JobProcess]]) -> None:
    case, process = CASES[name], ended[name].result()
    result = process.wait()
    assert (result["state"], result["failure"]) == ("failed", case.failure), process.log
    assert case.error in result["error"]
    assert result["error_cell"] == case.error_cell
    assert statuses(executed(process.folder)) == list(case.cells)
    assert states(process.folder) == list(case.cells)
    assert replay(process.folder).cells[1].outputs == executed(process.folder).cells[1].outputs


def _without_root() -> tuple[str, ...]:
    """Return what starts a program that rights of files hold for."""
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root may write everywhere, and there is no setpriv(1) here")
    return () if os.geteuid() else ("setpriv", "--bounding-set=-dac_override")


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    prefix, folder = _without_root(), job_folder(tmp_path / "job", ["1"])
    with JobProcess(folder, *prefix) as process:
        pass  # its log is made here
    (folder / "lock").unlink(missing_ok=True)
    before = set(folder.iterdir())
    folder.chmod(0o500)
    with JobProcess(folder, *prefix) as process:
        assert process.process.wait(60) == UNWRITABLE
        _alone(process)
    assert "Permission denied" in process.log
    assert set(folder.iterdir()) == before


def test_a_folder_that_can_not_be_written_any_more(tmp_path: Path) -> None:
    cells = ["import os; os.chmod('.', 0o500); print('small')", "1"]
    folder = job_folder(tmp_path / "job", cells)
    with JobProcess(folder, *_without_root()) as process:
        assert process.process.wait(60) == UNWRITABLE
        _alone(process)
    assert "result.json: can't be written: Permission denied" in process.log
    assert states(folder) == ["completed", "completed"]
    assert replay(folder).cells[0].outputs[0].text == "small\n"


@pytest.mark.parametrize(
    "content", ['{"cells": [', "[]", '{"cells": 3, "nbformat": 4, "nbformat_minor": 5}']
)
def test_a_notebook_that_is_none(tmp_path: Path, content: str) -> None:
    folder = job_folder(tmp_path / "job", ["1"])
    (folder / "input.ipynb").write_text(content)
    with JobProcess(folder) as process:
        result = process.wait()
    assert (result["state"], result["failure"]) == ("failed", "notebook"), process.log
    assert result["error_cell"] is None
    assert not (folder / "executed.ipynb").exists()


def test_sigterm_cancels_and_the_running_cell_was_running(tmp_path: Path) -> None:
    cells = [_DAEMON, "print('begun', flush=True)\nimport time; time.sleep(300)", "never = 1"]
    with JobProcess(job_folder(tmp_path / "job", cells)) as process:
        journal = process.folder / "journal.jsonl"
        wait_until(lambda: journal.exists() and "begun" in journal.read_text())
        process.process.send_signal(signal.SIGTERM)
        result = process.wait()
        _alone(process)
    assert (result["state"], result["failure"], result["error_cell"]) == ("cancelled",) * 2 + (1,)
    notebook = executed(process.folder)
    assert statuses(notebook) == ["completed", "running", "pending"]
    assert notebook.cells[1].outputs[0].text == "begun\n"


def test_the_end_of_who_started_it_ends_everything(tmp_path: Path) -> None:
    cells = [_DAEMON, "print('begun', flush=True)\nimport time; time.sleep(300)"]
    temporary = Path(tempfile.mkdtemp(prefix="wb-", dir="/tmp"))  # sockets have short addresses
    environment = {"TMPDIR": str(temporary)}
    with JobProcess(job_folder(tmp_path / "job", cells), environment=environment) as process:
        journal = process.folder / "journal.jsonl"
        wait_until(lambda: journal.exists() and "begun" in journal.read_text())
        assert process.process.stdin is not None
        assert list(temporary.iterdir())
        process.process.stdin.close()
        assert process.process.wait(10) != 0
        _alone(process)
    temporary.rmdir()  # nothing is in it
    notebook = replay(process.folder)
    assert statuses(notebook) == ["completed", "running"]
    assert notebook.cells[1].outputs[0].text == "begun\n"


_TINY = """
mount --make-rprivate / && mount -t tmpfs -o size={size} none {folder} || exit 77
cp -r {origin}/. {folder} && shift 0 && "$@"; code=$?
cp {folder}/.*.tmp {folder}/* {kept}/ 2>/dev/null; exit $code
"""


@pytest.mark.skipif(not shutil.which("unshare"), reason="no unshare(1) here")
def test_a_full_disk_ends_the_job_and_is_said(tmp_path: Path) -> None:
    cells = ["print('small')", "for i in range(40): print('x' * 20_000, flush=True)", "never = 1"]
    folder = job_folder(tmp_path / "job", cells)
    origin, kept = tmp_path / "origin", tmp_path / "kept"
    shutil.copytree(folder, origin)
    kept.mkdir()
    script = _TINY.format(size="200k", folder=folder, origin=origin, kept=kept)
    prefix = ("unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh")
    with JobProcess(folder, *prefix) as process:
        code = process.process.wait(60)
        if code == 77 or "unshare" in process.log:
            pytest.skip("no file system of our own can be mounted here")
        wait_until(lambda: not process.family(), 5)
    shutil.rmtree(folder)
    kept.rename(folder)
    result = json.loads((folder / "result.json").read_text())
    assert (result["state"], result["failure"]) == ("failed", "disk")
    assert "No space left on device" in result["error"]
    assert not (folder / "executed.ipynb").exists()
    assert states(folder)[0] == "completed"
    assert replay(folder).cells[0].outputs[0].text == "small\n"


def _memory_controller() -> tuple[Path, str]:
    """Say where groups that limit memory are made, and what their limit is called."""
    top = Path("/sys/fs/cgroup")
    with suppress(OSError):
        if "memory" in (top / "cgroup.subtree_control").read_text("ascii").split():
            return top, "memory.max"
    if (top / "memory" / "cgroup.procs").exists():
        return top / "memory", "memory.limit_in_bytes"
    pytest.skip("no control groups limit memory here")


@contextmanager
def _control_group(limit: int) -> Iterator[Path]:
    """A control group, of whichever version is here, whose processes may have so many bytes."""
    top, limit_file = _memory_controller()
    group = top / f"workbench-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        (group / limit_file).write_text(str(limit), encoding="ascii")
        with suppress(OSError):  # without swap there is no such file
            (group / "memory.swap.max").write_text("0", encoding="ascii")
        yield group
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text("ascii"))
        group.rmdir()


def test_a_kernel_that_the_system_killed_for_its_memory(tmp_path: Path) -> None:
    cells = [_DAEMON, "kept = b'x' * 1_000_000_000", "never = 1"]
    with _control_group(400_000_000) as group:
        enter = ("sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh")
        with JobProcess(job_folder(tmp_path / "job", cells), *enter) as process:
            result = process.wait()
            _alone(process)
    assert (result["state"], result["failure"]) == ("failed", "memory"), process.log
    assert "killed by the system, which was out of memory" in result["error"]
    assert statuses(executed(process.folder)) == ["completed", "failed", "pending"]


def test_secrets_are_nowhere(tmp_path: Path) -> None:
    secret = 'open "sesame"\n<now>'
    cells = [
        "import os, sys\ns = os.environ['WORKBENCH_SECRET_TOKEN']\nprint(s)",
        "import time\nfor c in s: print(c, end='', flush=True); time.sleep(0.02)",
        "from IPython.display import HTML, display\nimport html, json\n"
        "display(HTML(html.escape(s)), {'k': s})\njson.dumps(s)",
        "sys.__stderr__.write(s); sys.__stderr__.flush()\nraise ValueError(s)",
    ]
    folder = job_folder(tmp_path / "job", cells)
    with JobProcess(folder, environment={"WORKBENCH_SECRET_TOKEN": secret}) as process:
        result = process.wait()
    assert result["error"] == "ValueError: ***"
    for path in folder.iterdir():
        assert "sesame" not in path.read_text("utf-8", "replace"), path.name
    assert [output.get("text") for output in executed(folder).cells[1].outputs] == ["***"]
