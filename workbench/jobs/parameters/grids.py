"""Many jobs from one line or one table: a grid on the command line, a file with a job a row."""

from __future__ import annotations

import ast
import itertools
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.errors import ParameterError
from workbench.jobs.parameters.checking import check_complete, check_known, check_value
from workbench.jobs.parameters.contract import Parameter
from workbench.jobs.parameters.kinds import Mismatch

__all__ = ["read_grid", "read_table"]

_MOST_JOBS = 100_000
"""More than anybody means; a slip like `1..1e9` shall not fill the memory."""

_RANGE = re.compile(r"(-?\d{1,18})\.\.(-?\d{1,18})")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_QUOTES = "'\""
_QUOTED = re.compile(r"""(['"])(?:\\.|(?!\1)[^\\])*\1""", re.DOTALL)


def read_grid(
    contract: Sequence[Parameter],
    texts: Sequence[str],
    name: str,
    common: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Combine `NAME=VALUE,VALUE,...` texts into the parameters of jobs; the last varies fastest.

    A comma inside of quotes or brackets parts nothing; `1..12` is each whole number of the range
    where the parameter isn't a text.

    Parameters
    ----------
    contract
        What `read_parameters` found.
    texts
        One for each parameter that varies.
    name
        The notebook's: it begins the message.
    common
        What all jobs are given besides. If it is known, a required parameter that is neither there
        nor in `texts` is refused.

    Raises
    ------
    ParameterError
        For a text that can't be read, an unknown name and a value that isn't what is declared.
    """
    axes: dict[str, list[Any]] = {}
    for text in texts:
        key, equals, values = text.partition("=")
        if not equals:
            raise ParameterError(f"{name}: {text!r}: expected NAME=VALUE,VALUE,...")
        if key in axes:
            raise ParameterError(f"{name}: {key!r} is given twice in the grid")
        check_known(contract, {key: values}, name)
        parameter = next(each for each in contract if each.name == key)
        axes[key] = _axis(parameter, values, name)
    jobs = math.prod(map(len, axes.values()))
    if jobs > _MOST_JOBS:
        raise ParameterError(f"{name}: a grid of {jobs:,} jobs; expected at most {_MOST_JOBS:,}")
    if common is not None:
        check_complete(contract, {**common, **axes}, name)
    return [dict(zip(axes, row, strict=True)) for row in itertools.product(*axes.values())]


def read_table(
    contract: Sequence[Parameter],
    path: Path,
    name: str,
    common: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Read a table of parameters, one job a row: .csv, .parquet, .yaml, .yml or .json.

    An empty cell gives no value, so that the default holds. A CSV file's cells are read as on a
    command line; YAML and JSON files are lists of mappings. `common` is what all jobs are given
    besides: if it is known, a row that lacks a required parameter is refused.

    Raises
    ------
    ParameterError
        If the file can't be read, and as `check_parameters` does; it says in which row, counted
        from 1.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(_READERS)
        raise ParameterError(f"{path}: not a table that can be read; expected {known}")
    if not path.is_file():
        raise ParameterError(f"{path}: no such file")
    try:
        rows = reader(path)
    except Exception as error:  # each library has its own for a file that it can't read
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ParameterError(f"{path}: can't be read: {reason}") from error
    take = _from_text if path.suffix.lower() == ".csv" else _from_cell
    if not isinstance(rows, list):
        raise ParameterError(f"{path}: expected a list of mappings, found {type(rows).__name__}")
    where = f"{name}: {path}, row"
    jobs = [_job(contract, row, f"{where} {number}", take) for number, row in enumerate(rows, 1)]
    if common is not None:
        for number, job in enumerate(jobs, 1):
            check_complete(contract, {**common, **job}, f"{where} {number}")
    return jobs


def _job(
    contract: Sequence[Parameter], row: Any, where: str, take: Callable[[Parameter, Any], Any]
) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise ParameterError(f"{where}: expected a mapping, found {type(row).__name__}")
    check_known(contract, row, where)
    known = {parameter.name: parameter for parameter in contract}
    return {
        key: check_value(known[key], cell, where, take)
        for key, cell in row.items()
        if cell is not None
    }


def _from_text(parameter: Parameter, cell: str) -> Any:
    return parameter.kind.read(cell)


def _from_cell(parameter: Parameter, cell: Any) -> Any:
    """Take a cell as the value that it is, or as the JSON of one: a date may be a text."""
    try:
        return parameter.kind.check(cell)
    except Mismatch:
        return parameter.kind.load(cell)


def _read_csv(path: Path) -> Any:
    import polars

    # The contract says what each text means, so that "007" stays one where a text is declared.
    return polars.read_csv(path, infer_schema=False).to_dicts()


def _read_parquet(path: Path) -> Any:
    import polars

    return polars.read_parquet(path).to_dicts()


def _read_yaml(path: Path) -> Any:
    import yaml

    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


_READERS: dict[str, Callable[[Path], Any]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
    ".json": _read_json,
}


def _axis(parameter: Parameter, text: str, name: str) -> list[Any]:
    try:
        pieces = _pieces(text)
    except ValueError as error:
        raise ParameterError(f"{name}: {parameter.name}: {error}") from error
    return [value for piece in pieces for value in _values(parameter, piece, name)]


def _values(parameter: Parameter, piece: str, name: str) -> list[Any]:
    """Read one piece between commas: a value, or a range of whole numbers."""
    ends = _RANGE.fullmatch(piece)
    is_text = parameter.kind.holds(piece) and not parameter.kind.is_any
    if ends is None or is_text:
        return [check_value(parameter, _unquoted(piece), name, _from_text)]
    first, last = int(ends[1]), int(ends[2])
    if not 0 <= last - first < _MOST_JOBS:
        raise ParameterError(
            f"{name}: {parameter.name}: expected FIRST..LAST, upwards and of at most "
            f"{_MOST_JOBS:,} numbers, found {piece}"
        )
    numbers = range(first, last + 1)
    return [check_value(parameter, number, name, _from_cell) for number in numbers]


def _unquoted(piece: str) -> str:
    """Take the quotes off a piece that is all in quotes: they were there for its commas."""
    if len(piece) < 2 or piece[0] not in _QUOTES or piece[0] != piece[-1]:
        return piece
    for reader in (json.loads, ast.literal_eval):
        try:
            return str(reader(piece))
        except (ValueError, SyntaxError):
            continue
    return piece


def _pieces(text: str) -> list[str]:
    """Part a text at its commas, but for those inside of quotes and brackets.

    >>> _pieces("1,[2,3],'4,5'")
    ['1', '[2,3]', "'4,5'"]
    """
    pieces, start, place, closing = [], 0, 0, [""]
    while place < len(text):
        letter = text[place]
        # An apostrophe inside of a word opens nothing.
        opens = letter in _QUOTES and (place == start or len(closing) > 1)
        quoted = _QUOTED.match(text, place) if opens else None
        if opens and quoted is None and place == start:
            raise ValueError(f"the list ends inside of a quote: expected {letter}")
        place = quoted.end() if quoted else place + 1
        if letter in _CLOSING:
            closing.append(_CLOSING[letter])
        elif letter == closing[-1]:
            closing.pop()
        elif letter == "," and len(closing) == 1:
            pieces.append(text[start : place - 1])
            start = place
    if len(closing) > 1:
        raise ValueError(f"the list ends inside of a bracket: expected {closing[-1]}")
    return [*pieces, text[start:]]
