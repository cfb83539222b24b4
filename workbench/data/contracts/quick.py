"""The quick answer to "is all well?", from the contract's own expressions.

pandera runs a query for each rule, which takes milliseconds even for one row. The expressions of
its rules can be asked for, and answered together in one query. This only ever says that all is
well; any other answer, and any contract that it doesn't understand, is pandera's to give.
"""

from __future__ import annotations

from typing import Any

import polars as pl

__all__ = ["QuickCheck", "changes"]


class QuickCheck:
    """Answers whether a frame keeps a contract: yes, or "ask pandera"."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._understood = _is_plain(schema)
        self._is_steady = all(map(_is_steady, _checks(schema)))
        self._queries: dict[tuple[tuple[str, pl.DataType], ...], list[pl.Expr] | None] = {}

    def passes(self, frame: pl.DataFrame) -> bool:
        """Say whether all is well for sure."""
        if not self._understood:
            return False
        shape = tuple(frame.schema.items())
        if shape not in self._queries:
            if len(self._queries) > 100:  # frames of ever other columns
                self._queries.clear()
            self._queries[shape] = self._query(frame)
        query = self._queries[shape]
        if query is None:
            return False
        try:
            if not self._is_steady:  # a rule of the project's own may ask for what time it is
                query = _rules(self._schema, frame.schema)
            answers = frame.select(rule.alias(str(place)) for place, rule in enumerate(query))
            return all(answer is True for answer in answers.row(0)) if query else True
        except Exception:  # whatever such a rule raises: pandera says it
            return False

    def _query(self, frame: pl.DataFrame) -> list[pl.Expr] | None:
        """Collect every rule's expression, or None if this shape or a rule needs pandera."""
        import pandera.errors

        try:
            # What is asked of names and types shows on an empty frame of the same shape.
            self._schema.validate(frame.clear(), lazy=True)
            return _rules(self._schema, frame.schema)
        except (pandera.errors.SchemaErrors, pandera.errors.SchemaError):
            return None
        except Exception:  # a rule of the project's own that isn't one expression
            return None


def changes(schema: Any) -> list[str]:
    """List what of a schema would make another frame of the one that is checked."""
    parts = (schema, *schema.columns.values())
    names = ("coerce", "parsers", "drop_invalid_rows", "add_missing_columns")
    found = [name for name in names if any(getattr(part, name, None) for part in parts)]
    if schema.strict == "filter":
        found.append("strict='filter'")
    if any(getattr(column, "default", None) is not None for column in schema.columns.values()):
        found.append("default")
    return found


def _is_plain(schema: Any) -> bool:
    """Tell whether every part of a schema is one that is understood here."""
    if schema.dtype is not None or any(column.regex for column in schema.columns.values()):
        return False
    return not any(check.element_wise or check.raise_warning for check in _checks(schema))


def _checks(schema: Any) -> list[Any]:
    return [check for part in (schema, *schema.columns.values()) for check in part.checks]


def _is_steady(check: Any) -> bool:
    """Tell whether a rule is pandera's own, which asks the same every time."""
    from pandera.api.function_dispatch import Dispatcher

    return isinstance(check._check_fn, Dispatcher)


class _Asked:
    """Stands for the frame that a rule selects from, and gives what it would select."""

    def select(self, *expressions: Any, **named: Any) -> list[pl.Expr]:
        if named:
            raise TypeError("named expressions")
        return list(expressions)


def _rules(schema: Any, columns: pl.Schema) -> list[pl.Expr]:
    found = [_holds(check, "*") for check in schema.checks]
    for name, column in schema.columns.items():
        if name not in columns:
            continue
        found += [_holds(check, name) for check in column.checks]
        if not column.nullable:
            present = pl.col(name).is_not_null()
            if columns[name].is_float():
                present &= pl.col(name).is_not_nan()
            found.append(present.all())
        if column.unique:
            found.append(~pl.col(name).is_duplicated().any())
    return [*found, *_joint(schema.unique or [], columns)]


def _joint(unique: list[Any], columns: pl.Schema) -> list[pl.Expr]:
    """Ask whether columns are unique together: one list of names, or several lists."""
    sets = [unique] if all(isinstance(name, str) for name in unique) else unique
    present = [[name for name in names if name in columns] for names in sets]
    return [~pl.struct(names).is_duplicated().any() for names in present if names]


def _holds(check: Any, key: str) -> pl.Expr:
    from pandera.api.polars.types import PolarsData

    asked: Any = _Asked()
    selected = _function(check)(PolarsData(asked, key), **check._check_kwargs)
    answer = selected[0] if len(selected) == 1 else pl.all_horizontal(selected)
    # Of nulls: no answer, which is left out, or with ignore_na=False no pass; as in pandera.
    return (answer if check.ignore_na else answer.fill_null(value=False)).all()


def _function(check: Any) -> Any:
    """Return what a rule calls; a schema may hold a copy of pandera's own from before it had
    those for polars.
    """
    from pandera.api.checks import Check
    from pandera.api.function_dispatch import Dispatcher

    called = check._check_fn
    if isinstance(called, Dispatcher):
        return Check.CHECK_FUNCTION_REGISTRY[called.__name__]
    return called
