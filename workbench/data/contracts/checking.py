"""Asking a contract: `check` tells and keeps all that is wrong, `guard` stops what would go on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import polars as pl
from sqlalchemy import delete, select

from workbench.data.contracts.files import Contract, has_contract, load_contract
from workbench.data.contracts.outcome import BadRow, BrokenRule, Check
from workbench.data.digest import frame_digest
from workbench.errors import ConfigError, DataError, UsageError
from workbench.project import Project
from workbench.store import CheckRow, database, now

__all__ = ["check", "guard", "guard_by", "guard_source", "last_checks"]

_ROWS = 20
_RULES = 200
_TOLD = 3
_Frame = TypeVar("_Frame", pl.DataFrame, pl.LazyFrame)
_OUTPUT = "check_output"  # pandera's word for the column that says which rows pass


def check(name: str, frame: pl.DataFrame | pl.LazyFrame, project: Project | None = None) -> Check:
    """Check a frame by the contract called `name` and keep what was found.

    Of each broken rule the first 20 rows are named and all are counted.

    Raises
    ------
    NotFoundError
        If there is no such contract.
    ConfigError
        If its file can't be used.
    """
    project = project or Project.find()
    contract = load_contract(project, name)
    content = _content(frame)
    found = _outcome(contract, frame_digest(content), content)
    _keep(project, found)
    return found


def guard(name: str, frame: _Frame, project: Project | None = None) -> _Frame:
    """Return the frame if it keeps the contract called `name`; otherwise stop here.

    Quick enough for single requests: rows that are well cost one query. A lazy frame is collected
    for it, and stays lazy.

    Raises
    ------
    DataError
        Saying in one line which rules are broken, by how many rows, and the first of them.
    NotFoundError
        If there is no such contract.
    """
    guard_by(load_contract(project or Project.find(), name), frame)
    return frame


def guard_by(contract: Contract, frame: pl.DataFrame | pl.LazyFrame) -> None:
    """Stop here unless the frame keeps a contract, as `guard` does."""
    content = _content(frame)
    if broken := _broken(contract, content):
        raise _refusal(contract, broken, content.height)


def guard_source(
    name: str, digest: str, rows: Callable[[], pl.DataFrame | pl.LazyFrame], project: Project
) -> None:
    """Stop here unless the content of a source keeps its contract, if it has one.

    A content that was found to keep the contract as it is today isn't read for it again.

    Parameters
    ----------
    digest
        What the content is known by.

    Raises
    ------
    DataError
        As `guard` does; which rows they are is kept, and `workbench data show` tells.
    """
    if not has_contract(project, name):
        return
    contract = load_contract(project, name)
    if _passed(project, contract, digest):
        return
    found = _outcome(contract, digest, _content(rows()))
    _keep(project, found)
    if found.broken:
        raise _refusal(contract, found.broken, found.rows)


def last_checks(project: Project) -> list[Check]:
    """List what was found of each content of each source, newest first."""
    with database(project).session() as session:
        rows = session.scalars(select(CheckRow).order_by(CheckRow.checked_at.desc())).all()
        return [Check.model_validate(row.report) for row in rows]


def _outcome(contract: Contract, digest: str, content: pl.DataFrame) -> Check:
    broken = _broken(contract, content)
    return Check(
        source=contract.name,
        digest=digest,
        contract=contract.label,
        outcome="failed" if broken else "passed",
        rows=content.height,
        broken=broken[:_RULES],
        checked_at=now(),
    )


def _refusal(contract: Contract, broken: Sequence[BrokenRule], rows: int) -> DataError:
    told = "; ".join(rule.told(rows) for rule in broken[:_TOLD])
    more = f"; and {len(broken) - _TOLD} more rules" if len(broken) > _TOLD else ""
    return DataError(f"{contract.name} breaks its contract {contract.path}: {told}{more}")


def _passed(project: Project, contract: Contract, digest: str) -> bool:
    same = select(CheckRow.outcome).where(
        CheckRow.source == contract.name,
        CheckRow.digest == digest,
        CheckRow.contract == contract.label,
    )
    with database(project).session() as session:
        return session.scalars(same).first() == "passed"


def _keep(project: Project, found: Check) -> None:
    row = CheckRow(
        source=found.source,
        digest=found.digest,
        contract=found.contract,
        outcome=found.outcome,
        report=found.model_dump(mode="json"),
        checked_at=found.checked_at,
    )
    same = delete(CheckRow).where(
        CheckRow.source == found.source,
        CheckRow.digest == found.digest,
        CheckRow.contract == found.contract,
    )
    with database(project).session() as session:
        session.execute(same)
        session.add(row)


def _content(frame: Any) -> pl.DataFrame:
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if not isinstance(frame, pl.DataFrame):
        kind = f"{type(frame).__module__.partition('.')[0]}.{type(frame).__qualname__}"
        raise UsageError(f"expected a frame of polars, got {kind}: pl.DataFrame(...) makes one")
    return frame


def _broken(contract: Contract, frame: pl.DataFrame) -> list[BrokenRule]:
    import pandera.errors

    if contract.quick.passes(frame):
        return []
    try:
        with warnings.catch_warnings():
            # A rule may ask for a warning in place of an error; it is the contract's own word.
            warnings.simplefilter("default", pandera.errors.SchemaWarning)
            contract.schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        return [_rule(single, frame) for single in _telling(error.schema_errors)]
    except pandera.errors.SchemaError as error:
        return [_rule(error, frame)]
    except Exception as error:  # of the contract's own definition
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{contract.path}: {type(error).__name__}: {reason}") from error
    return []


def _telling(errors: list[Any]) -> list[Any]:
    """Leave out rules that couldn't be asked because their column has another type."""
    wrong = {error.schema.name for error in errors if error.reason_code.name == "WRONG_DATATYPE"}
    return [
        error
        for error in errors
        if error.reason_code.name != "CHECK_ERROR" or error.schema.name not in wrong
    ]


def _rule(error: Any, frame: pl.DataFrame) -> BrokenRule:
    column = getattr(error.schema, "name", None)
    column = column if column in frame.columns else None
    rule = _rule_name(error)
    passes = error.check_output
    if not isinstance(passes, pl.DataFrame) or passes.height != frame.height:
        return BrokenRule(column=column, rule=rule, count=None, found=_found(error))
    bad = passes[_OUTPUT].fill_null(value=False).not_().arg_true()
    first = bad.head(_ROWS)
    values = _values(frame, column, first)
    rows = [BadRow(row=row, value=value) for row, value in zip(first, values, strict=True)]
    return BrokenRule(column=column, rule=rule, count=len(bad), rows=rows)


def _rule_name(error: Any) -> str:
    check = error.check
    name = check if isinstance(check, str) else check.error or check.name or str(check)
    return " ".join(str(name).split())[:300]


def _found(error: Any) -> str:
    """Say what was found in place of rows; of an error of polars the first line."""
    return str(error.failure_cases).partition("\n")[0].strip()[:200]


def _values(frame: pl.DataFrame, column: str | None, rows: pl.Series) -> list[str | None]:
    picked = frame[rows]
    values = picked.rows(named=True) if column is None else picked[column].to_list()
    return [None if value is None else str(value)[:200] for value in values]
