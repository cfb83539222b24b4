"""Whether a kernel is forked or an ordinary one, and why not forked."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Literal

from workbench.jobs.kernels.forked import ADDRESS_VARIABLE
from workbench.jobs.kernels.handle import ForkingError, describe
from workbench.jobs.kernels.keys import same_at_import
from workbench.jobs.kernels.linux import supported

__all__ = ["PROVISIONER", "Choice", "chosen", "kernel_arguments", "prepare", "unforkable"]

PROVISIONER = "workbench-forked"
"""The name of our provisioner in jupyter_client's entry points."""

_CLASS = "workbench.jobs.kernels.provisioner:ForkingProvisioner"
_NAMES = {"python", f"python{sys.version_info.major}", "python{}.{}".format(*sys.version_info)}
"""The bare names instead of which jupyter_client takes the Python that it runs in itself."""


@dataclass(frozen=True)
class Choice:
    """How a kernel is started; `why` is empty where it is forked."""

    how: Literal["forked", "ordinary"]
    why: str = ""


def prepare(manager: Any, environment: Mapping[str, str] | None = None) -> Choice:
    """Choose for a jupyter_client kernel manager that hasn't started its kernel yet.

    If the kernel can be forked from the parent that `WORKBENCH_FORKING_PARENT` in `environment`
    (default: this process's own) names, the manager is told to. That may still fail while it is
    started, in which case an ordinary kernel takes its place: ask `chosen` afterwards.
    """
    wanted = os.environ if environment is None else environment
    spec = manager.kernel_spec
    why = unforkable(spec.language, spec.argv) or _unreachable(wanted)
    if why:
        return Choice("ordinary", why)
    _register()
    spec.metadata = {**spec.metadata, "kernel_provisioner": {"provisioner_name": PROVISIONER}}
    return Choice("forked")


def chosen(manager: Any) -> Choice:
    """Say how the kernel of a manager was started."""
    provisioner = manager.provisioner
    if isinstance(choice := getattr(provisioner, "choice", None), Choice):
        return choice
    return Choice("ordinary", "another provisioner started it" if provisioner else "not started")


def unforkable(language: str, argv: Sequence[str]) -> str:
    """Say why a kernel with this language and command can't be a fork of this Python, or nothing.

    >>> unforkable("R", ["R", "--slave"])
    "its language is 'R', not Python"
    """
    if not supported():
        return "forking kernels takes Linux 5.3 or later"
    if language.lower() != "python":
        return f"its language is {language!r}, not Python"
    if not argv or not _is_this_python(argv[0]):
        return f"it runs in another environment ({argv[0] if argv else 'no command'})"
    if kernel_arguments(argv) is None:
        return "its command isn't ipykernel's own"
    return ""


def kernel_arguments(argv: Sequence[str]) -> list[str] | None:
    """Return what a kernel's command gives to ipykernel; None for another command."""
    options = list(argv[1:])
    while options and options[0] in ("-Xfrozen_modules=off", "-Xfrozen_modules=on"):
        del options[0]
    return options[2:] if options[:2] == ["-m", "ipykernel_launcher"] else None


def _is_this_python(command: str) -> bool:
    # The folder counts too, since each virtual environment has a link to the same file.
    ours, theirs = Path(sys.executable), Path(command)
    same = theirs.parent == ours.parent and theirs.resolve() == ours.resolve()
    return command in _NAMES or same


def _unreachable(environment: Mapping[str, str]) -> str:
    address = environment.get(ADDRESS_VARIABLE, "")
    if not address:
        return "there is no forking parent"
    try:
        parent = describe(address)
    except ForkingError as error:
        return str(error)
    if parent["executable"] != sys.executable:
        return "the forking parent runs in another environment"
    differing = same_at_import(parent["environment"], environment)
    return f"{', '.join(differing)}: read at import, and set differently" if differing else ""


def _register() -> None:
    """Make our provisioner known where Workbench isn't installed but on the path."""
    from jupyter_client.provisioning import KernelProvisionerFactory

    known = KernelProvisionerFactory.instance().provisioners
    known.setdefault(
        PROVISIONER, EntryPoint(PROVISIONER, _CLASS, KernelProvisionerFactory.GROUP_NAME)
    )
