"""Which online store a project has."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from workbench.errors import ConfigError
from workbench.features.online.protocol import OnlineStore
from workbench.features.online.redis import RedisStore
from workbench.features.online.sqlite import SQLiteStore
from workbench.project import Project

__all__ = ["online_store"]

_REDIS = ("redis://", "rediss://", "unix://")


def online_store(project: Project) -> OnlineStore:
    """Open the store that the setting `online_store` names; one for each process.

    Raises
    ------
    ConfigError
        If the setting is no address that we know.
    MissingExtraError
        If the store's client isn't installed.
    """
    url = project.settings.online_store
    if not url:
        return _sqlite(project.state / "online.db")
    if url.startswith(_REDIS):
        return _redis(url, project.name)
    raise ConfigError(
        "online_store: not an address that we know; "
        "expected redis://HOST:PORT/NUMBER, or nothing for SQLite in state_dir"
    )


@lru_cache(maxsize=32)
def _sqlite(path: Path) -> SQLiteStore:
    return SQLiteStore(path)


@lru_cache(maxsize=32)
def _redis(url: str, name: str) -> RedisStore:
    return RedisStore(url, name)
