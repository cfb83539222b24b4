"""Python processes for tests that have done their imports, which take seconds, already."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Fork", "Forks", "forking"]

_WARM = """
import json, os, sys

exec(sys.argv.pop(1))
for _line in sys.stdin:
    _order = json.loads(_line)
    if "wait" in _order:
        print(os.waitstatus_to_exitcode(os.waitpid(_order["wait"], 0)[1]), flush=True)
        continue
    _child = os.fork()
    if _child == 0:
        break  # to end as a script does, with its exit handlers
    print(_child, flush=True)
else:
    os._exit(0)
os.close(0)
for _stream in (1, 2):
    os.dup2(os.open(_order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND), _stream)
os.chdir(_order["folder"])
sys.argv[1:] = _order["arguments"]
exec(compile(_order["program"], "program", "exec"))
"""


@contextmanager
def forking(folder: Path, preamble: str) -> Iterator[Forks]:
    """Start the process whose forks they are, for the block; `folder` gets what they say.

    `preamble` is what all of them do first, and once: their imports.
    """
    command = [sys.executable, "-c", _WARM, preamble]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as warm:
        yield Forks(warm, folder)


class Forks:
    """Starts them, and waits for them."""

    def __init__(self, warm: subprocess.Popen[str], logs: Path) -> None:
        self._warm, self._logs = warm, logs

    def start(self, program: str, *arguments: object, folder: Path | None = None) -> Fork:
        """Run a program in a process of its own, with these as `sys.argv[1:]`, in a folder."""
        log = self._logs / f"{time.monotonic_ns()}.log"
        log.touch()
        order = {
            "program": program,
            "arguments": [str(argument) for argument in arguments],
            "folder": str(folder or Path.cwd()),
            "log": str(log),
        }
        return Fork(self, self.tell(order), log)

    def tell(self, order: dict[str, Any]) -> int:
        assert self._warm.stdin is not None
        assert self._warm.stdout is not None
        self._warm.stdin.write(f"{json.dumps(order)}\n")
        self._warm.stdin.flush()
        return int(self._warm.stdout.readline())


class Fork:
    """One of those processes."""

    def __init__(self, forks: Forks, pid: int, log: Path) -> None:
        self.pid = pid
        self._forks = forks
        self._log = log

    @property
    def said(self) -> str:
        """What it has printed until now, and complained of."""
        return self._log.read_text()

    def until(self, pattern: str) -> str:
        """Wait until it has said something; return what the pattern's group is, or all of it."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            found = re.search(pattern, self.said)
            if found:
                return found[found.re.groups and 1]
            time.sleep(0.003)
        raise AssertionError(f"never said {pattern}: {self.said}")

    def wait(self) -> int:
        """Wait for its end; return its exit code."""
        return self._forks.tell({"wait": self.pid})

    def kill(self, how: signal.Signals = signal.SIGKILL) -> int:
        """Send it a signal and wait for its end."""
        os.kill(self.pid, how)
        return self.wait()
