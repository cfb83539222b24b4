"""Where we are: a Git repository with `workbench.toml` at its root."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from workbench.errors import NotAProjectError, StoreError, UsageError
from workbench.settings import Settings, load_settings

__all__ = ["JOB_FOLDER", "SETTINGS_FILE", "Project"]

SETTINGS_FILE = "workbench.toml"

JOB_FOLDER = "WORKBENCH_JOB_FOLDER"
"""The environment variable by which a kernel knows the job that it works for."""


@dataclass(frozen=True)
class Project:
    """A project: its root folder and its settings. Immutable, cheap, safe to share.

    The code is under `root`; records are under `state` and files of data under `data`, which a
    job that runs in another work tree of the same repository shares with the main one.
    """

    root: Path
    settings: Settings

    @classmethod
    def find(cls, start: Path | str | None = None) -> Project:
        """Open the project that `start` (default: the working directory) is in.

        Raises
        ------
        NotAProjectError
            If neither `start` nor a folder above holds `workbench.toml`.
        ConfigError
            If that file can't be used.
        """
        here = Path(start or Path.cwd()).expanduser().resolve()
        for folder in (here, *here.parents):
            if (folder / SETTINGS_FILE).exists():
                return cls(folder, load_settings(folder / SETTINGS_FILE))
        raise NotAProjectError(
            f"no {SETTINGS_FILE} in {here} or above it: "
            "make a project with `workbench init DIR`, or go to one"
        )

    def at(self, root: Path) -> Project:
        """Return the same project, records and all, as its code stands in another work tree."""
        settings = load_settings(root / SETTINGS_FILE)
        shared = {"state_dir": self.state, "data_dir": self.data}
        return Project(root, settings.model_copy(update=shared))

    @property
    def name(self) -> str:
        """The project's name."""
        return self.settings.name

    @cached_property
    def state(self) -> Path:
        """The folder of records and data (`.workbench`); made on first use."""
        path = self.root / self.settings.state_dir  # an absolute state_dir stands for itself
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{path}: can't be made: {error.strerror}") from error
        if not os.access(path, os.W_OK):
            raise StoreError(f"{path}: not writable; Workbench keeps its records there")
        return path

    @property
    def data(self) -> Path:
        """The folder that relative addresses of sources start from; work trees share it."""
        return self.root / self.settings.data_dir

    @property
    def database_url(self) -> str:
        """The address of our own tables."""
        return self.settings.database_url or f"sqlite:///{self.state / 'workbench.db'}"

    @property
    def tracking_uri(self) -> str:
        """The address of MLflow's store."""
        return self.settings.tracking_uri or f"sqlite:///{self.state / 'mlflow.db'}"

    def relative(self, path: Path) -> str:
        """Write `path` as records do: from the root, with forward slashes."""
        try:
            return path.resolve().relative_to(self.root).as_posix()
        except ValueError:
            return path.as_posix()

    def inside(self, path: Path | str) -> Path:
        """Resolve a user's `path` against the root.

        Raises
        ------
        UsageError
            If it leads out of the project.
        """
        resolved = (self.root / path).resolve()
        if not resolved.is_relative_to(self.root):
            raise UsageError(f"{path}: outside the project {self.root}")
        return resolved
