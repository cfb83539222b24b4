"""Changing the files of schedules, for who doesn't write them by hand."""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import to_jsonable_python

from workbench.access import require
from workbench.errors import JobError, ParameterError, UsageError
from workbench.jobs.schedules.spec import (
    FOLDER,
    Schedule,
    ScheduleSpec,
    check_target,
    load_schedule,
)
from workbench.project import Project
from workbench.store import write_atomic

__all__ = ["add_schedule", "set_enabled"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def add_schedule(project: Project, name: str, spec: ScheduleSpec) -> Schedule:
    """Write the file of a new schedule, once it is known that what it runs is there.

    Raises
    ------
    ForbiddenError
        If who asks isn't a developer.
    UsageError
        If it can't be called so.
    ConfigError
        If what it runs isn't there or doesn't take its parameters.
    ParameterError
        If a value can't be written down: a secret, or none at all.
    JobError
        If there is one of this name.
    """
    import tomlkit

    require(project, "developer", f"add schedule {name}")
    if not _NAME.fullmatch(name):
        raise UsageError(f"schedule {name!r}: expected a name of letters, digits, - and _")
    schedule = Schedule(name, spec)
    check_target(project, schedule)
    _check_written(project, spec)
    content: dict[str, Any] = to_jsonable_python(spec.model_dump(exclude_defaults=True))
    path = project.root / FOLDER / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(tomlkit.dumps(content))
    except FileExistsError as error:
        raise JobError(f"there is a schedule {name!r} already: {FOLDER}/{name}.toml") from error
    return schedule


def _check_written(project: Project, spec: ScheduleSpec) -> None:
    """Refuse values that a file in Git can't or shouldn't hold."""
    if spec.notebook is None:
        return
    from workbench.jobs.parameters import load_notebook, read_parameters
    from workbench.jobs.parameters.secrets import public_values

    contract = read_parameters(load_notebook(project.inside(spec.notebook)), spec.notebook)
    public = public_values(contract, spec.parameters)
    for name, value in spec.parameters.items():
        if public[name] != value:
            raise ParameterError(
                f"{name} is a secret, and a schedule is written down: "
                "give it as secret://NAME, of an environment variable"
            )
        if value is None:
            raise ParameterError(f"{name}: TOML, in which schedules are written, has no None")


def set_enabled(project: Project, name: str, *, enabled: bool) -> None:
    """Write into the schedule's file whether it runs, and change nothing else in it.

    Raises
    ------
    ForbiddenError
        If who asks isn't a developer.
    """
    import tomlkit

    require(project, "developer", f"change schedule {name}")
    load_schedule(project, name, check=False)
    path = project.root / FOLDER / f"{name}.toml"
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    if "enabled" in document:
        document["enabled"] = enabled
    elif not enabled:  # at the top: further down it would belong to a table
        document = tomlkit.parse(f"enabled = false\n{path.read_text(encoding='utf-8')}")
    with write_atomic(path) as beside:
        beside.write_text(tomlkit.dumps(document), encoding="utf-8")
