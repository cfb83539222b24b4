"""A version's name as people write it, found in the registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import NotFoundError, StoreError, UsageError
from workbench.project import Project
from workbench.tracking import client, model_versions, registered_model

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["Named", "find_version"]

_DEFAULT = "champion"


@dataclass(frozen=True)
class Named:
    """A model to load: its address, how to call it, and the run that made it, if that is known."""

    uri: str
    text: str
    name: str | None = None
    version: str | None = None
    run_id: str | None = None


def find_version(project: Project, text: str, *, exact: bool = False) -> Named:
    """Find the version that `text` names.

    Parameters
    ----------
    text
        `NAME@alias`, `NAME/3`, `NAME` alone for its champion or, without one, its newest version;
        or MLflow's address of a model, `models:/…`.
    exact
        Refuse `NAME` alone, which means another version tomorrow without saying so.

    Raises
    ------
    NotFoundError
        If there is no such model, alias or version; the message says which there are.
    UsageError
        If it is no such text.
    """
    bare = text.removeprefix("models:/")
    if text.startswith("models:/m-"):
        return Named(text, bare)
    if not bare or bare.startswith(("runs:", "file:", "/")):
        raise UsageError(f"model {text!r}: expected NAME@alias, NAME/3 or models:/…")
    with _as_store_error():
        return _found(client(project), bare, exact=exact)


def _found(registry: MlflowClient, text: str, *, exact: bool) -> Named:
    name, alias, version = _parts(text)
    model = registered_model(registry, name)
    versions = {str(one.version): one for one in model_versions(registry, name)}
    aliases = {key: str(value) for key, value in model.aliases.items()}
    if alias is not None and alias not in aliases:
        raise NotFoundError.named("alias", alias, aliases, f" of model {name}")
    if alias is None and not version:
        if exact:
            known = [*(f"{name}@{one}" for one in aliases), *(f"{name}/{one}" for one in versions)]
            raise UsageError(
                f"model {text!r}: which version? Expected an alias or a number: "
                f"{', '.join(known[:5])}"
            )
        version = aliases.get(_DEFAULT) or max(versions, key=int, default="")
    version = version if alias is None else aliases[alias]
    if version not in versions:
        raise NotFoundError.named("version", str(version), versions, f" of model {name}")
    return Named(
        uri=f"models:/{name}/{version}",
        text=f"{name} version {version}",
        name=name,
        version=version,
        run_id=versions[version].run_id or None,
    )


def _parts(text: str) -> tuple[str, str | None, str | None]:
    """Take a name apart: MLflow allows neither a slash nor a colon in a model's name."""
    name, slash, version = text.partition("/")
    if slash:
        return name, None, version
    name, at, alias = text.rpartition("@")
    return (name, alias, None) if at else (text, None, None)


@contextmanager
def _as_store_error() -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise StoreError(f"MLflow's registry: {error.message}") from error
