"""What is configured: one declaration gives defaults, types, help and error messages.

Settings stand in `workbench.toml` at the project's root. An environment variable
`WORKBENCH_<KEY>` overrides the file (`WORKBENCH_STATE_DIR=/fast/disk`), which is also how a job
tells its kernel where the project keeps its state.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from workbench.errors import ConfigError, what_exists

__all__ = [
    "CostSettings",
    "LineageSettings",
    "RoleSettings",
    "Settings",
    "SourceSettings",
    "load_settings",
    "load_toml",
    "validate",
]

_Model = TypeVar("_Model", bound=BaseModel)
_PREFIX = "WORKBENCH_"


class SourceSettings(BaseModel):
    """A named source of data: where it is, how it is read, and what the catalogue says of it.

    A credential never stands here. An address or an option names it: `${NAME}` is a variable of
    the environment and `${keyring:SERVICE/USER}` an entry of the keyring, wherever in a text they
    are; an option may also be `env:NAME` or `keyring:SERVICE/USER` as a whole.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str = Field(
        description="a path from the project's root, package:NAME/path for a packaged file, or "
        "s3://…, postgresql://…, https://…, redis+stream://… and the like"
    )
    format: Literal["parquet", "csv", "jsonl", "arrow", "delta"] | None = Field(
        default=None, description="how the files are written, where their names don't tell"
    )
    glob: bool = Field(default=False, description="whether *, ? and [] in the address are wild")
    table: str | None = Field(default=None, description="a database's table, or schema.table")
    query: str | None = Field(default=None, description="a database's query, in place of a table")
    description: str = Field(default="", description="what the rows are, for the catalogue")
    owner: str = Field(default="", description="who answers for it, for the catalogue")
    tags: list[str] = Field(default=[], description="words to find it by, for the catalogue")
    key: list[str] = Field(default=[], description="the columns that say what a row is about")
    event_time: str | None = Field(default=None, description="the column of when it happened")
    label_time: str | None = Field(
        default=None, description="the column of when a label became known, which may be later"
    )
    created: str | None = Field(default=None, description="the column of when a row was written")
    null_values: list[str] = Field(default=["", "NA"], description="texts that mean null in a CSV")
    sha256: str | None = Field(
        default=None, pattern="^[0-9a-f]{64}$", description="what a fetched file has to hash to"
    )
    max_mb: float = Field(
        default=1024,
        gt=0,
        description="the most that a fetched file may be, or an archive unpack to",
    )
    retries: int = Field(
        default=3, ge=0, le=20, description="how often a fetch that failed is tried again"
    )
    options: dict[str, str | int | float | bool] = Field(
        default={},
        description="of object storage and databases: their own; of HTTP: headers to send",
    )

    @field_validator("key", mode="before")
    @classmethod
    def _one_column_is_a_list_of_one(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class CostSettings(BaseModel):
    """What an hour of the machine costs, so that runs can say what they did."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_hour: float | None = Field(default=None, ge=0, description="money an hour of wall time")
    currency: str = Field(default="EUR", description="what the money is counted in")


class RoleSettings(BaseModel):
    """Who may do what: names of people as Jupyter, JupyterHub or Git knows them; `*` is everybody.

    Each role may do what the ones before it may. Without any of them everybody is an admin, as
    everybody is who can write the files of a project of their own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    viewer: list[str] = Field(default=[], description="who may look")
    developer: list[str] = Field(default=[], description="who may run, log and register")
    approver: list[str] = Field(default=[], description="who may approve what a gate found")
    admin: list[str] = Field(default=[], description="who may override a gate, giving a reason")


class LineageSettings(BaseModel):
    """Where the chain is told to others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    openlineage_url: str = Field(
        default="", description="where OpenLineage events are sent: https://…, or file:PATH"
    )
    namespace: str = Field(
        default="", description="the jobs' namespace in them; the project's name if empty"
    )


class Settings(BaseSettings):
    """All keys of `workbench.toml`."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    name: str = Field(min_length=1, description="the project's name, and its MLflow experiment")
    state_dir: Path = Field(default=Path(".workbench"), description="where records and data go")
    data_dir: Path = Field(default=Path(), description="where relative addresses start from")
    database_url: str = Field(default="", description="our tables; SQLite in state_dir if empty")
    tracking_uri: str = Field(default="", description="MLflow; SQLite in state_dir if empty")
    artifacts_uri: str = Field(
        default="", description="runs' files; the server's choice, or in state_dir, if empty"
    )
    protected_branch: str = Field(default="main", description="the branch production follows")
    production_aliases: list[str] = Field(
        default=["champion"], description="aliases that only the protected branch may move"
    )
    keep_outputs: bool = Field(default=False, description="commit notebooks with their outputs")
    snapshot_file_mb: float = Field(
        default=10, gt=0, description="a larger file is left out of the snapshot of a run"
    )
    snapshot_total_mb: float = Field(
        default=100, gt=0, description="the most that the snapshot of a run adds"
    )
    workers: int = Field(default=2, ge=1, le=256, description="notebook jobs at the same time")
    trusted_types: list[str] = Field(
        default=[], description="types that skops may load from a stored scikit-learn model"
    )
    trust_pickle: bool = Field(
        default=False, description="store and load models that have no format but a pickle"
    )
    autolog_plots: bool = Field(
        default=False, description="let MLflow draw pictures of what was fitted, at each fit"
    )
    serve_schedules: bool = Field(
        default=False, description="run the project's schedules in its Jupyter server"
    )
    online_store: str = Field(
        default="", description="online features: redis://…, or SQLite in state_dir if empty"
    )
    memory_mb: int = Field(
        default=4096,
        ge=256,
        description="the most that a join of features, or a query in SQL, may take at once",
    )
    cost: CostSettings = Field(default=CostSettings(), description="what runs cost")
    roles: RoleSettings = Field(default=RoleSettings(), description="who may do what")
    lineage: LineageSettings = Field(
        default=LineageSettings(), description="where the chain is told to others"
    )
    sources: dict[str, SourceSettings] = Field(default={}, description="named sources of data")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, which comes in as the call's arguments."""
        assert isinstance(init_settings, InitSettingsSource)
        return env_settings, init_settings


def load_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    ConfigError
        If it can't be read or isn't TOML; the message names the file and the place.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from error


def load_settings(path: Path) -> Settings:
    """Read the project's settings from the file at `path`, then from the environment.

    Raises
    ------
    ConfigError
        Naming the file, or the environment variable, that holds what can't be used.
    """
    content = load_toml(path)
    for key in content:  # before the call: it takes a few arguments that are no settings
        if key not in Settings.model_fields:
            known = what_exists(key, Settings.model_fields)
            raise ConfigError(f"{path}: {key}: unknown key; {known}")
    try:
        return Settings(**content)
    except ValidationError as error:
        problem = _first(error)
        variable = _variable(problem["loc"])
        raise _config_error(Settings, error, f"${variable}" if variable else path) from error
    except SettingsError as error:
        suspects = " or ".join(f"${name}" for name in _not_json())
        raise ConfigError(f"{suspects}: a list or a table has to be written as JSON") from error


def validate(model: type[_Model], content: dict[str, Any], where: Path | str) -> _Model:
    """Build `model` from `content`, naming file, key and expectation in one line if it can't be.

    Raises
    ------
    ConfigError
        For an unknown key, a missing one or a wrong type.
    """
    try:
        return model(**content)
    except ValidationError as error:
        raise _config_error(model, error, where) from error


def _config_error(model: type[BaseModel], error: ValidationError, where: Path | str) -> ConfigError:
    problem = _first(error)
    key = ".".join(str(part) for part in problem["loc"])
    rest = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return ConfigError(f"{where}: {key}: {_expectation(model, problem)}{rest}")


def _first(error: ValidationError) -> Any:
    """Pick the problem to speak of: a misspelt key explains the missing one beside it."""
    problems = error.errors(include_url=False)
    return min(problems, key=lambda problem: problem["type"] != "extra_forbidden")


def _expectation(model: type[BaseModel], problem: Any) -> str:
    if problem["type"] == "extra_forbidden":
        known = _keys_at(model, problem["loc"][:-1])
        return f"unknown key; {what_exists(str(problem['loc'][-1]), known)}"
    if problem["type"] == "missing":
        return "missing, and it has no default"
    message = problem["msg"][0].lower() + problem["msg"][1:]
    return f"{message}, found {problem['input']!r}"


def _keys_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """List the keys allowed at `loc`, walking into nested models, lists and tables of models."""
    for part in loc:
        field = model.model_fields.get(str(part))
        if field is None:
            continue  # an index of a list or a key of a table: the model stays the item's
        nested = [t for t in _types(field.annotation) if _is_model(t)]
        if not nested:
            return []
        model = nested[0]
    return list(model.model_fields)


def _types(annotation: Any) -> list[Any]:
    args = getattr(annotation, "__args__", ())
    return [annotation, *(inner for arg in args for inner in _types(arg))]


def _is_model(candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)


def _variable(loc: Sequence[str | int]) -> str | None:
    """Name the environment variable that gave the value at `loc`, if one did."""
    given = {name.upper(): name for name in os.environ}
    for length in range(len(loc), 0, -1):
        name = _PREFIX + "__".join(str(part) for part in loc[:length]).upper()
        if name in given:
            return given[name]
    return None


def _not_json() -> list[str]:
    """Name the environment variables under a list or a table whose value isn't JSON."""
    keys = [key for key, field in Settings.model_fields.items() if get_origin(field.annotation)]
    found = []
    for name, value in os.environ.items():
        if name.upper().startswith(tuple(_PREFIX + key.upper() for key in keys)):
            try:
                json.loads(value)
            except ValueError:
                found.append(name)
    return found
