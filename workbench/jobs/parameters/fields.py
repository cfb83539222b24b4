"""A form's fields against the contract: texts as on a command line, and what is wrong with each.

A command line stops at the first mistake; a form shows all of them, each at its field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import NotebookError, ParameterError
from workbench.jobs.parameters.checking import parse_parameters
from workbench.jobs.parameters.contract import Parameter
from workbench.jobs.parameters.grids import read_grid

__all__ = ["Filled", "read_fields"]


@dataclass(frozen=True)
class Filled:
    """What a form says: the parameters of each job, or what is wrong, by the parameter's name."""

    jobs: list[dict[str, Any]]
    problems: dict[str, str]


def read_fields(
    contract: Sequence[Parameter], values: Mapping[str, str], grid: Mapping[str, str], name: str
) -> Filled:
    """Read a form's texts: one value for a parameter, or in `grid` a list of those that it takes.

    Parameters
    ----------
    name
        The notebook's.

    Raises
    ------
    ParameterError
        If the fields are right and yet there are too many jobs.
    """
    problems = {}
    for key in {**values, **grid}:
        if (wrong := _wrong(contract, values, grid, name, key)) is not None:
            problems[key] = wrong
    for each in contract:
        if each.required and each.name not in {**values, **grid}:
            problems[each.name] = f"expected {each.kind.expected}: it has no default"
    if problems:
        return Filled([], problems)
    shared = parse_parameters(contract, [f"{key}={text}" for key, text in values.items()], name)
    rows = read_grid(contract, [f"{key}={text}" for key, text in grid.items()], name)
    return Filled([{**shared, **row} for row in rows], {})


def _wrong(
    contract: Sequence[Parameter],
    values: Mapping[str, str],
    grid: Mapping[str, str],
    name: str,
    key: str,
) -> str | None:
    """Say what is wrong with one field, without what the form says of itself."""
    try:
        if key in values and key in grid:
            return "given once as a value and once in the grid; expected one of them"
        if key in values:
            parse_parameters(contract, [f"{key}={values[key]}"], name)
        else:
            read_grid(contract, [f"{key}={grid[key]}"], name)
    except (ParameterError, NotebookError) as error:
        return str(error).removeprefix(f"{name}: ").removeprefix(f"{key}: ")
    return None
