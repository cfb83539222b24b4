"""What is configured: one declaration gives defaults, types, help and error messages.

Settings stand in `workbench.toml` at the project's root. An environment variable
`WORKBENCH_<KEY>` overrides the file (`WORKBENCH_STATE_DIR=/fast/disk`), which is also how a job
tells its kernel where the project keeps its state.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from workbench.errors import ConfigError, what_exists

__all__ = ["Settings", "SourceSettings", "load_settings", "load_toml", "validate"]

_Model = TypeVar("_Model", bound=BaseModel)


class SourceSettings(BaseModel):
    """A named source of data: where it is, and how its text is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str = Field(
        description="a path from the project's root, or package:NAME/path for a packaged file"
    )
    description: str = Field(default="", description="what the rows are, for the catalogue")
    null_values: list[str] = Field(default=["", "NA"], description="texts that mean null in a CSV")


class Settings(BaseSettings):
    """All keys of `workbench.toml`."""

    model_config = SettingsConfigDict(
        env_prefix="WORKBENCH_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    name: str = Field(description="the project's name, and its MLflow experiment")
    state_dir: Path = Field(default=Path(".workbench"), description="where records and data go")
    database_url: str = Field(default="", description="our tables; SQLite in state_dir if empty")
    tracking_uri: str = Field(default="", description="MLflow; SQLite in state_dir if empty")
    protected_branch: str = Field(default="main", description="the branch production follows")
    workers: int = Field(default=2, ge=1, le=256, description="notebook jobs at the same time")
    trusted_types: list[str] = Field(
        default=[], description="types that skops may load from a stored scikit-learn model"
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
        first, *more = error.errors(include_url=False)
        key = ".".join(str(part) for part in first["loc"])
        rest = f" (and {len(more)} more)" if more else ""
        raise ConfigError(f"{where}: {key}: {_expectation(model, first)}{rest}") from error


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


def load_settings(path: Path) -> Settings:
    """Read the project's settings from the file at `path`, then from the environment."""
    return validate(Settings, load_toml(path), path)
