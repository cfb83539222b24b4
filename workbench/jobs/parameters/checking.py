"""Values against the contract, from Python, from a command line and from JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.errors import NotebookError, ParameterError, what_exists
from workbench.jobs.parameters.cell import TAG
from workbench.jobs.parameters.contract import Parameter
from workbench.jobs.parameters.kinds import Mismatch
from workbench.jobs.parameters.secrets import public_values

__all__ = [
    "check_known",
    "check_parameters",
    "check_value",
    "from_json",
    "parse_parameters",
    "to_json",
]

_LONGEST = 80


def check_parameters(
    contract: Sequence[Parameter], given: Mapping[str, Any], name: str
) -> dict[str, Any]:
    """Check values against the contract; return them in the contract's types.

    Scalars of numpy, moments of pandas and whole numbers for floats become what is declared.

    Parameters
    ----------
    contract
        What `read_parameters` found.
    given
        A value for each parameter that isn't to have its default.
    name
        What the values are for, or where they are from: it begins the message.

    Raises
    ------
    NotebookError
        If there are values and the notebook has no parameters cell.
    ParameterError
        For an unknown name, a value that isn't what is declared, or a missing one.
    """
    values = _checked(contract, given, name, lambda p, value: p.kind.check(value))
    check_complete(contract, values, name)
    return values


def parse_parameters(
    contract: Sequence[Parameter], given: Sequence[str], name: str
) -> dict[str, Any]:
    """Read `NAME=VALUE` texts, each value in the type that the contract declares.

    Required parameters may be missing: a grid or a table may give them.

    Raises
    ------
    ParameterError
        As `check_parameters` does otherwise, and for a text without `=`.
    """
    texts: dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"{name}: {_shown(text)}: expected NAME=VALUE")
        texts[key] = value
    return _checked(contract, texts, name, lambda p, text: p.kind.read(text))


def to_json(contract: Sequence[Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn checked values into JSON for records; of a secret it has `***` or its reference."""
    kinds = {parameter.name: parameter.kind for parameter in contract}
    public = public_values(contract, values)
    return {key: kinds[key].dump(value) for key, value in public.items()}


def from_json(
    contract: Sequence[Parameter], data: Mapping[str, Any], name: str = "parameters"
) -> dict[str, Any]:
    """Turn JSON back into values; refuse what isn't the JSON of what is declared."""
    return _checked(contract, data, name, lambda p, value: p.kind.load(value))


def check_known(contract: Sequence[Parameter], given: Mapping[str, Any], name: str) -> None:
    """Refuse names that the contract doesn't have, with those that it has."""
    if given and not contract:
        raise NotebookError(
            f"{name}: takes no parameters (no cell is tagged {TAG!r}, or it assigns nothing), "
            f"given: {', '.join(given)}"
        )
    known = [parameter.name for parameter in contract]
    for key in given:
        if key not in known:
            exists = what_exists(str(key), known)  # a key of YAML may be anything
            raise ParameterError(f"{name}: unknown parameter {key!r}; {exists}")


def check_value(
    parameter: Parameter, value: Any, name: str, take: Callable[[Parameter, Any], Any]
) -> Any:
    """Return what `take` makes of the value, or say what was expected."""
    try:
        return take(parameter, value)
    except (Mismatch, RecursionError) as error:
        # Not even the reason may hold a secret.
        found = f"a {type(value).__name__}" if parameter.secret else _shown(value)
        raise ParameterError(
            f"{name}: {parameter.name}: expected {parameter.kind.expected}, found {found}"
        ) from (None if parameter.secret else error)


def check_complete(contract: Sequence[Parameter], given: Mapping[str, Any], name: str) -> None:
    """Refuse values among which a required parameter is missing."""
    missing = [p for p in contract if p.required and p.name not in given]
    if missing:
        wanted = ", ".join(f"{p.name} ({p.kind.expected})" for p in missing)
        raise ParameterError(f"{name}: required and not given: {wanted}")


def _checked(
    contract: Sequence[Parameter],
    given: Mapping[str, Any],
    name: str,
    take: Callable[[Parameter, Any], Any],
) -> dict[str, Any]:
    check_known(contract, given, name)
    known = {parameter.name: parameter for parameter in contract}
    return {key: check_value(known[key], value, name, take) for key, value in given.items()}


def _shown(value: Any) -> str:
    """Show a value in one line, whatever it is."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # somebody else's repr, or an integer too long to be written
        text = f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
