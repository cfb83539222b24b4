"""What DuckDB says of a query, in one line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from workbench.errors import DataError, NotFoundError, UsageError, WorkbenchError
from workbench.serving.sql.gathering import TooManyError

__all__ = ["Raised", "naming", "place", "told"]

_WRONG_QUERY = ("BinderException", "CatalogException", "ParserException", "SyntaxException")

_REFUSED = "SQL reads no files and no network: expected tables of the project, or given by tables="


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Say in one line what was asked that raised an error.

    Raises
    ------
    DataError
        For whatever a model or the project's code raises.
    """
    try:
        yield
    except (WorkbenchError, TooManyError):
        raise
    except Exception as error:
        line = str(error).strip().partition("\n")[0]
        raise DataError(f"{what}: {type(error).__name__}: {line}") from error


class Raised:
    """The error that one of our functions raised within DuckDB, which passes on its text alone."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    @contextmanager
    def keeping(self, what: str) -> Iterator[None]:
        """Keep the error of the block, in a line that says what it was about."""
        try:
            with naming(what):
                yield
        except (WorkbenchError, TooManyError) as error:
            self.error = self.error or error
            raise


def place(query: str, position: int | None) -> str:
    """Say where in a query a position is; DuckDB counts it in bytes.

    >>> place("SELECT 1\\nFROM", 9)
    ' (line 2, column 1)'
    """
    if position is None:
        return ""
    before = query.encode()[:position].decode(errors="ignore")
    begins = before.rfind("\n") + 1
    return f" (line {before.count(chr(10)) + 1}, column {len(before) - begins + 1})"


@contextmanager
def told(
    query: str, raised: Raised, functions: Iterable[str], asked: Mapping[str, str]
) -> Iterator[None]:
    """Turn an error of DuckDB's into one of ours.

    Parameters
    ----------
    functions
        The functions that there are beside DuckDB's.
    asked
        The columns that models ask for, and by which model each is.

    Raises
    ------
    UsageError
        If the query is wrong.
    DataError
        If running it failed: a value that can't be cast, or more than there is memory for.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        if raised.error is not None:
            raise raised.error from error
        kind = type(error).__name__
        if unknown := re.search(r"Function with name (\S+) does not exist", str(error)):
            name, where = unknown[1], place(query, _only_place(query, unknown[1]))
            if name in {*functions, "predict", "predict_proba"}:
                raise UsageError(
                    f"SQL: {name} is called as {name}(…): not OVER a window, nor as "
                    f"x.{name}(){where}"
                ) from error
            told_ = NotFoundError.named("function", name, functions, " of the project")
            raise NotFoundError(f"SQL: {told_}{where}") from error
        if kind == "PermissionException":
            raise UsageError(f"SQL: {_REFUSED}") from error
        is_wrong = kind in _WRONG_QUERY or "parameter" in str(error).lower()
        wrong = UsageError if is_wrong else DataError
        raise wrong(f"SQL: {_message(query, str(error), asked)}") from error


def _message(query: str, text: str, asked: Mapping[str, str]) -> str:
    """Shorten the message to what was wrong and what there is, and find its place.

    DuckDB's place is one in the query that we wrote; it is the user's where the name that the
    message is about stands in it once.
    """
    lines = [line.strip() for line in text.partition("\nLINE ")[0].splitlines() if line.strip()]
    first = re.sub(r"^[A-Z][A-Za-z -]*Error: ", "", lines[0]) if lines else "failed"
    more = [line for line in lines[1:] if line.startswith(("Candidate bindings", "Did you mean"))]
    named = re.search(r'"([^"]+)"|with name (\S+)', first)
    if named and named[1] in asked and not _places(query, named[1]) and "not found" in first:
        return f"no table has the column {named[1]}, which {asked[named[1]]} asks for"
    where = _only_place(query, named[1] or named[2]) if named else None
    return " ".join([first, *more]) + place(query, where)


def _only_place(query: str, name: str) -> int | None:
    found = _places(query, name)
    return found[0] if len(found) == 1 else None


def _places(query: str, name: str) -> list[int]:
    found = re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", query, re.IGNORECASE)
    return [len(query[: match.start()].encode()) for match in found]
