"""The forking parent, a process of its own: `python -m workbench.jobs.kernels.parent …`.

It imports what notebooks import and executes nothing of it; then each kernel is a fork of it, and
has all that in a tenth of a second. It is two processes. The *server* imports, listens on a socket
and forks. The *guard* has started it, imports nothing and waits: for the end of its owner, after
which it ends everything; for the end of the server, after which it ends what that has left; and for
a server that met modules that make forking unsafe, for which it starts another without them.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from workbench.jobs.kernels.importing import UnfitModuleError, import_ahead
from workbench.jobs.kernels.linux import (
    UNFIT,
    become_subreaper,
    die_with_parent,
    end_children,
    tidy,
)
from workbench.jobs.kernels.preload import ALWAYS, and_packages, came_ahead
from workbench.jobs.kernels.server import Server

__all__ = ["main"]

_UNFIT_CODE = 3
_MOST_ATTEMPTS = 5


def main(arguments: list[str] | None = None) -> NoReturn:
    """Guard a server until it or the owner ends."""
    parser = argparse.ArgumentParser(prog="workbench.jobs.kernels.parent")
    parser.add_argument("address", type=Path, help="socket; its folder is removed at the end")
    parser.add_argument("--control", type=int, required=True, help="socket of the owner")
    parser.add_argument("--owner", type=int, required=True, help="process that this one serves")
    given = parser.parse_args(arguments)
    if sys.path and sys.path[0] in ("", str(Path.cwd())):
        del sys.path[0]  # as ipykernel's launcher does: what lies there is nobody's package
    become_subreaper()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    control = socket.socket(fileno=given.control)
    try:
        _guard(given.address, control, os.pidfd_open(given.owner))
    finally:
        end_children()
        tidy(given.address)
        os._exit(0)


def _guard(address: Path, control: socket.socket, owner: int) -> None:
    with control.makefile("rb", buffering=0) as lines:
        order = json.loads(lines.readline() or b"[]")
    unfit: dict[str, str] = {}
    for attempt in range(_MOST_ATTEMPTS):
        guard, server = os.getpid(), os.fork()
        if server == 0:
            os.close(owner)
            names = order if attempt < _MOST_ATTEMPTS - 1 else []
            _serve(address, control, names, unfit, guard)
        if not _outlived(server, control, owner):
            return
        _, status = os.waitpid(server, 0)
        if os.waitstatus_to_exitcode(status) != _UNFIT_CODE:
            return
        unfit.update(json.loads(address.with_name(UNFIT).read_text(encoding="utf-8")))
        needed = {part for name in ALWAYS for part in and_packages(name)} & unfit.keys()
        if needed:
            _report(control, error="; ".join(f"{name} {unfit[name]}" for name in sorted(needed)))
            return


def _outlived(server: int, control: socket.socket, owner: int) -> bool:
    """Wait for the end of the server or of the owner; say whether it was the server alone."""
    ended = os.pidfd_open(server)
    poll = select.poll()
    for descriptor in (control.fileno(), owner, ended):
        poll.register(descriptor, select.POLLIN)
    ready = {descriptor for descriptor, _ in poll.poll()}
    os.close(ended)
    return ready == {ended}


def _serve(
    address: Path, control: socket.socket, order: list[str], unfit: dict[str, str], guard: int
) -> NoReturn:
    code = 1
    try:
        signal.signal(signal.SIGTERM, _end)
        die_with_parent(guard, signal.SIGTERM)
        code = _import_and_run(address, control, order, unfit)
    except BaseException:
        traceback.print_exc()
    finally:
        _end(code=code)


def _import_and_run(
    address: Path, control: socket.socket, order: list[str], unfit: dict[str, str]
) -> int:
    server = Server(address, control)
    try:
        failed = import_ahead([*ALWAYS, *order], list(unfit))
    except UnfitModuleError as error:
        address.unlink()
        address.with_name(UNFIT).write_text(json.dumps(error.reasons), encoding="utf-8")
        return _UNFIT_CODE
    came_ahead(sys.modules)
    gc.collect()
    gc.freeze()  # so that no collection in a fork touches, and copies, all this memory
    gc.disable()
    _report(control, failed=failed, unfit=unfit, modules=len(sys.modules))
    server.run()


def _report(control: socket.socket, **report: Any) -> None:
    control.sendall(json.dumps(report).encode() + b"\n")


def _end(*_: object, code: int = 0) -> NoReturn:
    with suppress(Exception):
        end_children()
    os._exit(code)


if __name__ == "__main__":
    main()
