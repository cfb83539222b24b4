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

    A password is named in it, as in a source's address: `redis://:${NAME}@HOST:PORT/NUMBER`.

    Raises
    ------
    ConfigError
        If the setting is no address that we know, or a credential stands in it in full.
    MissingExtraError
        If the store's client isn't installed.
    """
    url = project.settings.online_store
    if not url:
        return _sqlite(project.state / "online.db")
    address = _address(url)
    if address.startswith(_REDIS):
        return _redis(address, project.name)
    raise ConfigError(
        "online_store: not an address that we know; "
        "expected redis://HOST:PORT/NUMBER, or nothing for SQLite in state_dir"
    )


def _address(url: str) -> str:
    """Put in the credentials that the setting names; the result is never shown."""
    from workbench.data.sources.credentials import look_up, refuse_literal

    try:
        refuse_literal(url, {}, "online_store")
    except ConfigError as error:
        # The setting is the address itself, and no table that has one.
        raise ConfigError(str(error).replace("online_store.address", "online_store")) from None
    return look_up(url, "online_store", quoted=True)[0]


@lru_cache(maxsize=32)
def _sqlite(path: Path) -> SQLiteStore:
    return SQLiteStore(path)


@lru_cache(maxsize=32)
def _redis(url: str, name: str) -> RedisStore:
    return RedisStore(url, name)
