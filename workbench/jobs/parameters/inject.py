"""The cell that gives a notebook its values: literals, never source that somebody wrote.

It is the cell that papermill would inject, and where it would: after the parameters cell, in place
of an earlier one.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from workbench.errors import ParameterError
from workbench.jobs.parameters.cell import INJECTED_TAG, TAG, Cell, parameters_cell
from workbench.jobs.parameters.checking import to_json
from workbench.jobs.parameters.contract import Parameter
from workbench.jobs.parameters.names import Names
from workbench.jobs.parameters.secrets import is_secret

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["parameterize"]


def parameterize(
    notebook: NotebookNode, contract: Sequence[Parameter], values: Mapping[str, Any]
) -> NotebookNode:
    """Return a copy of the notebook in which the checked `values` hold.

    A secret may come as its value, as `***` or as its reference: the cell has only the call that
    fetches it. Without values there is no injected cell, also no earlier one: the defaults hold.
    """
    from nbformat import v4

    made = copy.deepcopy(notebook)
    made = v4.upgrade(made) or made
    earlier = _first(made.cells, INJECTED_TAG)
    position = max(_first(made.cells, TAG) + 1, earlier)
    kept = [
        (number, cell)
        for number, cell in enumerate(made.cells)
        if INJECTED_TAG not in cell.metadata.get("tags", [])
    ]
    made.cells = [cell for _, cell in kept]
    if values:
        cell = v4.new_code_cell(_source(made, contract, values))
        cell.metadata["tags"] = [INJECTED_TAG]
        made.cells.insert(sum(number < position for number, _ in kept), cell)
    _note(made, to_json(contract, values))
    return made


def _source(
    notebook: NotebookNode, contract: Sequence[Parameter], values: Mapping[str, Any]
) -> str:
    kernel = notebook.metadata.get("kernelspec", {})
    info = notebook.metadata.get("language_info", {})
    language = info.get("name") or kernel.get("language") or "python"
    if language != "python":
        return _translated(kernel.get("name", ""), language, contract, values)
    tagged = parameters_cell(notebook, "")
    names = Cell.parse(tagged.source, "").names if tagged is not None else Names({})
    known = {parameter.name: parameter for parameter in contract}
    lines = [f"{key} = {_spelled(known[key], value, names)}\n" for key, value in values.items()]
    return "".join(["# Parameters\n", *lines])


def _translated(
    kernel: str, language: str, contract: Sequence[Parameter], values: Mapping[str, Any]
) -> str:
    """Write the assignments in another language than Python: papermill knows several."""
    from papermill.exceptions import PapermillException
    from papermill.translators import translate_parameters

    known = {parameter.name: parameter for parameter in contract}
    secret = next((key for key, value in values.items() if is_secret(known[key], value)), None)
    if secret is not None:
        raise ParameterError(f"{secret}: a secret needs a notebook in Python, not {language}")
    try:
        plain = to_json(contract, values)
        return str(translate_parameters(kernel, language, plain, "Parameters"))
    except (PapermillException, NotImplementedError) as error:
        raise ParameterError(f"parameters can't be written in {language}: {error}") from error


def _spelled(parameter: Parameter, value: Any, names: Names) -> str:
    if is_secret(parameter, value):
        return f'__import__("workbench").secret("{parameter.name}")'
    return parameter.kind.spell(value, names)


def _first(cells: Sequence[NotebookNode], tag: str) -> int:
    tagged = (n for n, cell in enumerate(cells) if tag in cell.metadata.get("tags", []))
    return next(tagged, -1)


def _note(notebook: NotebookNode, parameters: dict[str, Any]) -> None:
    """Leave what papermill leaves of parameters, so that its own tools find them."""
    from nbformat import from_dict

    empty = {"default_parameters": {}, "environment_variables": {}, "version": version("papermill")}
    earlier = notebook.metadata.get("papermill", {})
    notebook.metadata["papermill"] = from_dict({**empty, **earlier, "parameters": parameters})
