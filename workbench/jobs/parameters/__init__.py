"""The parameters cell is the contract: names, types from annotations, defaults, descriptions.

It is read without running it. Values are checked against it before anything starts, go into the
notebook as literals, and into records as JSON from which the same values come back.

Names load on first use: a parameters cell that imports `Range` shall cost its kernel nothing more.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.jobs.parameters.checking import (
        check_parameters,
        from_json,
        parse_parameters,
        to_json,
    )
    from workbench.jobs.parameters.contract import Parameter, load_notebook, read_parameters
    from workbench.jobs.parameters.grids import read_grid, read_table
    from workbench.jobs.parameters.inject import parameterize
    from workbench.jobs.parameters.markers import Range, Secret
    from workbench.jobs.parameters.secrets import HIDDEN, secret, secret_variable, split_secrets

_HOME = {
    "checking": ("check_parameters", "from_json", "parse_parameters", "to_json"),
    "contract": ("Parameter", "load_notebook", "read_parameters"),
    "grids": ("read_grid", "read_table"),
    "inject": ("parameterize",),
    "markers": ("Range", "Secret"),
    "secrets": ("HIDDEN", "secret", "secret_variable", "split_secrets"),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "HIDDEN",
    "Parameter",
    "Range",
    "Secret",
    "check_parameters",
    "from_json",
    "load_notebook",
    "parameterize",
    "parse_parameters",
    "read_grid",
    "read_parameters",
    "read_table",
    "secret",
    "secret_variable",
    "split_secrets",
    "to_json",
]


def __getattr__(name: str) -> Any:
    if name in _MODULE:
        module = importlib.import_module(f"workbench.jobs.parameters.{_MODULE[name]}")
        return getattr(module, name)
    raise AttributeError(f"module 'workbench.jobs.parameters' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
