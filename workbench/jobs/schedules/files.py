"""The schedules as their files stand: read again when one changed, complained of once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.jobs.schedules.spec import (
    FOLDER,
    Schedule,
    check_target,
    list_schedules,
    load_schedule,
)
from workbench.project import Project

__all__ = ["ScheduleFiles"]

_Version = tuple[int, int, int]


class ScheduleFiles:
    """The schedules of a project, kept between looks."""

    def __init__(self, project: Project, on_problem: Callable[[str, WorkbenchError], None]) -> None:
        self._project = project
        self._problem = on_problem
        self._read: dict[str, tuple[_Version, Schedule | None]] = {}

    def read(self) -> dict[str, Schedule | None]:
        """Return the schedules by name; None for one whose file can't be used as it is."""
        found = {}
        for name in list_schedules(self._project):
            version = _version(self._project.root / FOLDER / f"{name}.toml")
            if name not in self._read or self._read[name][0] != version:
                self._read[name] = version, self._load(name)
            found[name] = self._read[name][1]
        self._read = {name: self._read[name] for name in found}
        return found

    def _load(self, name: str) -> Schedule | None:
        try:
            schedule = load_schedule(self._project, name, check=False)
        except WorkbenchError as error:
            self._problem(name, error)
            return None
        try:  # a notebook may come later than its schedule; until then its ticks fail, and say so
            check_target(self._project, schedule)
        except WorkbenchError as error:
            self._problem(name, error)
        return schedule


def _version(path: Path) -> _Version:
    try:
        state = path.stat()
    except OSError:  # gone in this moment: reading it will say so
        return 0, 0, 0
    return state.st_mtime_ns, state.st_size, state.st_ino
