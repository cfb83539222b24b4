"""Whoever of a forked kernel's processes is killed, nothing is left of what needed it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.jobs.forked_kernels import kernel, wait_until_gone
from tests.jobs.job_folders import JobProcess, executed, job_folder, wait_until
from workbench.jobs.kernels import ADDRESS_VARIABLE, ForkingError, ForkingParent


@pytest.fixture
def parent() -> Iterator[ForkingParent]:
    parent = ForkingParent()
    try:
        assert parent.wait_ready(60), parent.why_not
        yield parent
    finally:
        parent.close()


def test_a_killed_kernel_takes_all_that_it_started(parent: ForkingParent) -> None:
    with kernel(parent) as forked:
        family = forked.family()
        os.kill(forked.pid, signal.SIGKILL)
        wait_until_gone(family)
        assert forked.manager.provisioner.process.wait(30) == -signal.SIGKILL
    with kernel(parent) as forked:
        family = forked.family()
    wait_until_gone(family)  # shut down, not killed
    assert parent.ready


# The thread that sends outputs is busy when the kernel is asked to leave.
BUSY_LATER = """
import sys, time
sys.stdout.pub_thread.io_loop.call_later(0.5, time.sleep, 1.0)
"""


def test_a_kernel_that_is_slow_to_send_its_last_outputs_leaves_by_itself(
    parent: ForkingParent,
) -> None:
    with kernel(parent) as forked:
        forked.run(BUSY_LATER)
        time.sleep(0.7)
        forked.manager.request_shutdown()
        assert forked.manager.provisioner.process.wait(9) == 0


FLOOD = """
kernel = get_ipython().kernel
for number in range(20_000):
    kernel.session.send(
        kernel.iopub_socket, "display_data",
        {"data": {"text/plain": str(number)}, "metadata": {}, "transient": {}},
        parent=kernel.get_parent(), ident=b"display_data",
    )
"""


def test_a_flood_of_outputs_is_all_there(tmp_path: Path, parent: ForkingParent) -> None:
    folder = job_folder(tmp_path / "job", [FLOOD])
    environment = {ADDRESS_VARIABLE: parent.address}
    with JobProcess(folder, environment=environment) as process:
        assert process.wait()["kernel"] == "forked", process.log
    [cell] = executed(folder).cells
    assert [output.data["text/plain"] for output in cell.outputs] == [
        str(number) for number in range(20_000)
    ]


@pytest.mark.parametrize("killed", ["server", "guard"])
def test_a_killed_parent_takes_its_kernels(killed: str, parent: ForkingParent) -> None:
    guard = psutil.Process(parent.pid)
    (server,) = guard.children()
    folder = Path(parent.address).parent
    with kernel(parent) as forked:
        family = forked.family()
        {"server": server, "guard": guard}[killed].kill()
        wait_until_gone([*family, server, guard])
        wait_until(lambda: not parent.ready)
        assert parent.why_not == "the forking parent has ended"
        with pytest.raises(ForkingError, match="has ended"):
            parent.start_job(folder, environment={}, cwd=folder, log=folder / "log")
    parent.close()
    assert not folder.exists()


OWNER = """
import json, os, sys, time
from tests.jobs.forked_kernels import kernel
from workbench.jobs.kernels import ForkingParent
parent = ForkingParent() if sys.argv[1] == "own" else None
assert parent is None or parent.wait_ready(60)
class Theirs:
    address = sys.argv[1]
with kernel(parent or Theirs()) as forked:
    pids = [process.pid for process in forked.family()]
    if parent:
        pids.append(parent.pid)
    print(json.dumps({"pids": pids, "address": parent.address if parent else ""}), flush=True)
    if os.fork() == 0:
        time.sleep(600)  # holds all connections open
    time.sleep(600)
"""


Popen = subprocess.Popen[bytes]


def _owner(address: str, temporary: Path) -> tuple[Popen, list[psutil.Process], Path]:
    """Start a process that owns or uses a parent; return it, what it started and the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, address],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert process.stdout is not None
    with process.stdout as lines:
        told = json.loads(lines.readline())
    started = [psutil.Process(pid) for pid in told["pids"]]
    return process, started, Path(told["address"]).parent


def _copies(owner: Popen, started: list[psutil.Process]) -> list[psutil.Process]:
    """Wait for the fork that the owner makes of itself, and return it."""
    process = psutil.Process(owner.pid)
    wait_until(lambda: set(process.children()) - set(started))
    return [child for child in process.children() if child not in started]


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM])
def test_a_parent_ends_with_its_owner(signal_number: int, tmp_path: Path) -> None:
    owner, started, folder = _owner("own", tmp_path)
    copies = _copies(owner, started)
    owner.send_signal(signal_number)
    owner.wait(30)
    wait_until_gone(started, folder)
    for copy in copies:
        copy.kill()


def test_a_kernel_ends_with_the_process_that_asked_for_it(
    parent: ForkingParent, tmp_path: Path
) -> None:
    requester, started, _ = _owner(parent.address, tmp_path)
    copies = _copies(requester, started)
    requester.kill()
    requester.wait(30)
    wait_until_gone(started)
    for copy in copies:
        copy.kill()
    assert parent.ready


def test_a_parent_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "papermill.py").write_text("raise SystemExit('no papermill here')")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    parent = ForkingParent(environment={**os.environ, "PYTHONPATH": path})
    try:
        assert parent.wait_ready(60)  # it does without, as an ordinary kernel would
        assert parent.left_out["papermill"] == "SystemExit: no papermill here"
    finally:
        parent.close()
    assert parent.why_not == "the forking parent was closed"
