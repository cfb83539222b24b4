"""What a check of a contract found."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["BadRow", "BrokenRule", "Check"]


class BadRow(BaseModel):
    """One row that breaks a rule: its number from 0, and the value as text (null is None)."""

    model_config = ConfigDict(frozen=True)

    row: int
    value: str | None


class BrokenRule(BaseModel):
    """A rule of the contract that rows break; the first of them, and how many there are."""

    model_config = ConfigDict(frozen=True)

    column: str | None
    """None for a rule of the whole frame."""
    rule: str
    count: int | None
    """How many rows break it; None for a rule of columns and types."""
    found: str = ""
    """What was found instead, where no rows can be named."""
    rows: list[BadRow] = []

    def told(self, height: int) -> str:
        """Say it in one line."""
        where = f"{self.column}: " if self.column else ""
        if self.count is None:
            return f"{where}{self.rule}{f': {self.found}' if self.found else ''}"
        first = ""
        if self.rows:
            value = "null" if self.rows[0].value is None else self.rows[0].value
            first = f" (row {self.rows[0].row}: {value})"
        return f"{where}{self.rule} broken by {self.count:,} of {height:,} rows{first}"


class Check(BaseModel):
    """What a contract found of one content of a source."""

    model_config = ConfigDict(frozen=True)

    source: str
    digest: str
    contract: str
    outcome: Literal["passed", "failed"]
    rows: int
    broken: list[BrokenRule] = []
    checked_at: datetime

    @property
    def passed(self) -> bool:
        """Whether every rule holds."""
        return self.outcome == "passed"
