"""What may be logged: checked when it is logged, where a mistake can still be put right.

MLflow would say so only when a batch arrives, which is later and elsewhere. The rules are its own
(names, lengths, 64-bit numbers), and on top of them what no database keeps.
"""

from __future__ import annotations

import math
import operator
import re
from typing import Any

from workbench.errors import UsageError

__all__ = [
    "PARAM_LIMIT",
    "TAG_LIMIT",
    "Entry",
    "NotANumberError",
    "check_name",
    "check_path",
    "check_text",
    "metric_number",
    "shortened",
    "whole_number",
]

Entry = list[Any]
"""One thing logged, as a JSON array that begins with its kind: `["metric", key, value, …]`."""

PARAM_LIMIT = 6000
TAG_LIMIT = 8000
"""The characters that MLflow keeps of a value."""

_NAME_LIMIT = 250
_NAME = re.compile(r"[/\w.\- :]+")
_INT64 = 2**63


class NotANumberError(UsageError, TypeError):
    """A metric's value, step or time that is no number."""


def check_name(kind: str, name: object) -> str:
    """Return `name` if MLflow takes it as the name of a `kind` of thing.

    Raises
    ------
    UsageError
        If it doesn't; the message says what a name may hold.
    """
    if not isinstance(name, str):
        raise UsageError(f"{kind} {name!r}: a name is a str, not {type(name).__name__}")
    if len(name) > _NAME_LIMIT:
        raise UsageError(
            f"{kind} {name[:40]!r}…: {len(name)} characters; a name has {_NAME_LIMIT} at most"
        )
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{kind} {name!r}: a name has letters, digits, spaces and any of _ - . : / and nothing "
            "else"
        )
    if _leads_elsewhere(name):
        raise UsageError(
            f"{kind} {name!r}: names may stand for files, so none of their parts may be empty or "
            "'.', and none may begin with '..'"
        )
    return name


def check_path(path: str) -> str:
    """Return `path` if it can be an artifact's, from the run's folder.

    Raises
    ------
    UsageError
        If it leads out of there, or can't be a file's.
    """
    if _leads_elsewhere(path) or "\0" in path or "\\" in path:
        raise UsageError(f"artifact {path!r}: expected a path such as reports/roc.json")
    return path


def metric_number(key: str, value: Any) -> float:
    """Return a metric's value as the 64-bit float that is stored; NaN and infinities are values.

    Numbers of Python and numpy, truth values and decimals are taken.

    Raises
    ------
    NotANumberError
        If it is no number; text isn't one, whatever it spells.
    UsageError
        If it is too large for a float.
    """
    if type(value) is float:
        return value
    if isinstance(value, (str, bytes, bytearray)):
        raise NotANumberError(f"metric {key!r}: {value[:40]!r} is text; expected a number")
    try:
        return float(value)
    except OverflowError as error:
        raise UsageError(f"metric {key!r}: too large for a 64-bit float") from error
    except (TypeError, ValueError) as error:
        kind = type(value).__name__
        raise NotANumberError(f"metric {key!r}: a {kind} is no number; expected one") from error


def whole_number(what: str, value: Any, least: int = -_INT64) -> int:
    """Return a step or a time in milliseconds as an int of 64 bits.

    Raises
    ------
    NotANumberError
        If it isn't whole.
    UsageError
        If it is out of range.
    """
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    try:
        number = operator.index(value)
    except TypeError as error:
        raise NotANumberError(f"{what} {value!r}: expected a whole number") from error
    if not least <= number < _INT64:
        raise UsageError(f"{what} {value!r}: expected {least} to {_INT64 - 1}")
    return number


def check_text(kind: str, key: str, value: Any) -> str:
    """Return a parameter's or tag's value as the text that is stored, of any length.

    Raises
    ------
    UsageError
        If no database could keep it: a NUL character, or half of a surrogate pair.
    """
    text = value if type(value) is str else str(value)
    if "\0" in text:
        raise UsageError(f"{kind} {key!r}: its text has a NUL character, which databases refuse")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{kind} {key!r}: character {error.start} is half of a surrogate pair, which is no text"
        ) from error
    return text


def _leads_elsewhere(path: str) -> bool:
    return path.startswith("..") or any(part in ("", ".", "..") for part in path.split("/"))


def shortened(text: str, limit: int) -> str:
    """Return `text` cut to `limit` characters; the last one, `…`, says that it was.

    >>> shortened("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
