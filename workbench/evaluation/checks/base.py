"""What every check is: a code, thresholds that a gate may set, and one look at the evidence.

A check is a frozen pydantic model. Its fields are its thresholds, so the factory file may set them
and a misspelt one is an error that names what exists. `look` says what it found, or raises
`NotApplicable` where it has nothing to look at. `run` never raises: an evaluation doesn't end
because one of its checks did.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict

from workbench.evaluation.outcomes import CheckResult, Interval, Outcome

if TYPE_CHECKING:
    from workbench.evaluation.evidence import Evidence

__all__ = ["Check", "Finding", "NotApplicable"]


class NotApplicable(Exception):
    """There is nothing for the check to look at; its text says what is missing."""


@dataclass(frozen=True)
class Finding:
    """What a check found."""

    outcome: Outcome
    explanation: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    interval: Interval | None = None
    columns: Sequence[str] = ()


class Check(BaseModel, ABC):
    """One check; its subclasses are the modules beside this one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: ClassVar[str]
    title: ClassVar[str]
    advice: ClassVar[str]
    """What to do where it finds something."""
    of_predictions: ClassVar[bool] = True
    """Whether it has nothing to look at where no row has a label and a prediction."""

    @abstractmethod
    def look(self, evidence: Evidence) -> Finding:
        """Look at the evidence.

        Raises
        ------
        NotApplicable
            If it lacks what the check looks at.
        """

    def run(self, evidence: Evidence) -> CheckResult:
        """Look, and turn whatever happens into a result."""
        try:
            if self.of_predictions and not evidence.test.rows:
                raise NotApplicable("no row has a prediction")
            found = self.look(evidence)
        except NotApplicable as reason:
            found = Finding("not applicable", _sentence(str(reason)))
        except Exception as error:  # one check that breaks is no reason to know nothing
            first = next(iter(str(error).splitlines()), "")
            kind = type(error).__name__
            said = f"The check could not be carried out: {kind}: {first}"
            found = Finding("skipped", _sentence(said))
        return CheckResult(
            code=self.code,
            title=self.title,
            outcome=found.outcome,
            explanation=found.explanation,
            numbers=dict(found.numbers),
            interval=found.interval,
            advice=self.advice if found.outcome in ("issue", "tip") else "",
            columns=tuple(found.columns),
        )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."
