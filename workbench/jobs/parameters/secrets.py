"""Secret parameters: in the kernel's environment, and in nothing that is written down.

A parameter is a secret if the cell says so (`Annotated[str, Secret]`), or if its value is given as
`secret://NAME`: then whoever starts the job reads it from the environment variable NAME.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.errors import ParameterError, what_exists

if TYPE_CHECKING:
    from workbench.jobs.parameters.contract import Parameter

__all__ = ["HIDDEN", "is_secret", "public_values", "secret", "secret_variable", "split_secrets"]

HIDDEN = "***"
"""What is shown of a secret."""

_REFERENCE = "secret://"
_VARIABLE = "WORKBENCH_SECRET_"


def secret(name: str) -> str:
    """Return the secret parameter `name` of the job in whose kernel this runs.

    Raises
    ------
    ParameterError
        If the job has no such secret, or if this is no job.
    """
    value = os.environ.get(secret_variable(name))
    if value is None:
        given = [key.removeprefix(_VARIABLE) for key in os.environ if key.startswith(_VARIABLE)]
        raise ParameterError(
            f"no secret {name!r} here: it is given to a job's kernel alone, "
            f"as {secret_variable(name)}; {what_exists(name.upper(), given)}"
        )
    return value


def secret_variable(name: str) -> str:
    """Name the environment variable in which a job's kernel has the secret parameter `name`.

    >>> secret_variable("token")
    'WORKBENCH_SECRET_TOKEN'
    """
    return _VARIABLE + name.upper()


def is_secret(parameter: Parameter | None, value: Any) -> bool:
    """Tell whether a value is to be hidden; None for a parameter of which nothing is known."""
    declared = parameter is not None and parameter.secret and value is not None
    return declared or _is_reference(value)


def public_values(contract: Sequence[Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as they may be written down: a secret as `***` or as its reference."""
    known = {parameter.name: parameter for parameter in contract}
    return {
        key: HIDDEN if is_secret(known.get(key), value) and not _is_reference(value) else value
        for key, value in values.items()
    }


def split_secrets(
    contract: Sequence[Parameter],
    values: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Part checked values into those that may be written down and the secrets.

    Returns
    -------
    tuple
        The values, in which a secret is `***` or `secret://NAME`; and each secret by its parameter,
        read from `environment` where it is a reference.

    Raises
    ------
    ParameterError
        If the environment lacks a secret, or two would share a variable of the kernel's.
    """
    known = {parameter.name: parameter for parameter in contract}
    secrets = {
        key: _looked_up(key, value, environment)
        for key, value in values.items()
        if is_secret(known.get(key), value)
    }
    variables: dict[str, str] = {}
    for key in secrets:
        other = variables.setdefault(secret_variable(key), key)
        if other != key:
            raise ParameterError(f"the secrets {other!r} and {key!r} differ in their case alone")
    return public_values(contract, values), secrets


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_REFERENCE)


def _looked_up(key: str, value: str, environment: Mapping[str, str]) -> str:
    if _is_reference(value):
        variable = value.removeprefix(_REFERENCE)
        if variable not in environment:
            raise ParameterError(
                f"{key}: {value}: the environment variable {variable!r} is not set "
                "where the job is started"
            )
        value = environment[variable]
    if "\0" in value:
        raise ParameterError(f"{key}: a secret can't hold a zero byte")
    return value
