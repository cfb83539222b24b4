"""`${name}` in a step's values: the pipeline's parameter of that name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from workbench.errors import ConfigError, ParameterError, what_exists

__all__ = ["chosen", "filled", "parsed"]

_REFERENCE = re.compile(r"(\$?)\$\{([^{}]*)\}")


def filled(value: Any, parameters: Mapping[str, Any], where: str) -> Any:
    """Put the pipeline's parameters where `value`, or what is in it, names them.

    A text that is nothing but a reference becomes the parameter with its type; in a longer one it
    becomes text. `$${name}` stays `${name}`.

    >>> filled({"m": "${month}", "f": "to-${month}", "s": "$${month}"}, {"month": 6}, "")
    {'m': 6, 'f': 'to-6', 's': '${month}'}

    Raises
    ------
    ConfigError
        If there is no such parameter.
    """
    if isinstance(value, dict):
        return {key: filled(inner, parameters, where) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, parameters, where) for inner in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole and not whole[1]:
        return _named(whole[2], parameters, where)

    def text(match: re.Match[str]) -> str:
        escaped, name = match.groups()
        return match[0][1:] if escaped else str(_named(name, parameters, where))

    return _REFERENCE.sub(text, value)


def _named(name: str, parameters: Mapping[str, Any], where: str) -> Any:
    if name not in parameters:
        raise ConfigError(
            f"{where}: unknown parameter {name!r} of the pipeline; {what_exists(name, parameters)}"
        )
    return parameters[name]


def chosen(defaults: Mapping[str, Any], given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the pipeline's parameters: the `given` ones, and of the rest the defaults.

    Raises
    ------
    ParameterError
        For an unknown name, or a value that hasn't its default's type.
    """
    return {**defaults, **{key: _checked(defaults, key, given[key], name) for key in given}}


def parsed(defaults: Mapping[str, Any], texts: Sequence[str], name: str) -> dict[str, Any]:
    """Read `NAME=VALUE` texts; where the default is no text, a value is written as in TOML.

    Raises
    ------
    ParameterError
        For an unknown name, a text without `=` or a value that can't be read.
    """
    values = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"{name}: {text!r}: expected NAME=VALUE")
        values[key] = value if isinstance(defaults.get(key), str) else _literal(value)
    return values


def _literal(text: str) -> Any:
    try:
        content = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return content["value"] if len(content) == 1 else text


def _checked(defaults: Mapping[str, Any], key: str, value: Any, name: str) -> Any:
    if key not in defaults:
        raise ParameterError(f"{name}: unknown parameter {key!r}; {what_exists(key, defaults)}")
    expected = type(defaults[key])
    try:
        # Strict: True is no number. But a whole number may be given where a float is expected.
        return TypeAdapter(expected).validate_python(value, strict=True)
    except ValidationError as error:
        raise ParameterError(
            f"{name}: {key}: expected {expected.__name__} like {defaults[key]!r}, found {value!r}"
        ) from error
