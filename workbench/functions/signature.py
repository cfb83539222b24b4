"""What a function takes and gives, as its annotations say it."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench.errors import UsageError
from workbench.functions.types import Kind, Type, type_of

__all__ = ["Parameter", "Signature", "signature_of"]


@dataclass(frozen=True)
class Parameter:
    """One parameter; `required` unless it has a default."""

    name: str
    type: Type
    required: bool


@dataclass(frozen=True)
class Signature:
    """All parameters, of one kind, and the type of the answer."""

    kind: Kind
    parameters: tuple[Parameter, ...]
    returns: Type

    @property
    def names(self) -> list[str]:
        """The parameters' names."""
        return [parameter.name for parameter in self.parameters]

    @property
    def required(self) -> int:
        """How many of the parameters have to be given."""
        return sum(parameter.required for parameter in self.parameters)

    def __str__(self) -> str:
        """Write it as a definition would."""
        given = ", ".join(
            f"{p.name}: {p.type.word}{'' if p.required else ' = …'}" for p in self.parameters
        )
        return f"({given}) -> {self.returns.word}"

    def described(self) -> dict[str, Any]:
        """Return it as a record has it."""
        return {
            "kind": self.kind,
            "parameters": [
                {"name": p.name, "type": p.type.word, "required": p.required}
                for p in self.parameters
            ],
            "returns": self.returns.word,
            "text": str(self),
        }


def signature_of(build: Callable[..., Any], returns: Any = None) -> Signature:
    """Read a function's annotations.

    Parameters
    ----------
    returns
        The type of one value of the answer, where a bare `pl.Series` doesn't say it.

    Raises
    ------
    UsageError
        If an annotation is missing or unknown, or the parameters are of several kinds.
    """
    name = build.__name__
    hints = _hints(build)
    kinds: dict[Kind, str] = {}
    parameters = []
    for parameter in inspect.signature(build).parameters.values():
        what = f"function {name}: parameter {parameter.name}"
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
            raise UsageError(f"{what} can't be given by its place; expected plain parameters")
        if parameter.name not in hints:
            raise UsageError(
                f"{what} has no annotation: say its type, like {parameter.name}: float"
            )
        kind, found = type_of(hints[parameter.name], what)
        if kind == "row" and parameter.default is None and not found.optional:
            raise UsageError(f"{what} is None by default: say {found.word} | None")
        kinds.setdefault(kind, parameter.name)
        parameters.append(
            Parameter(parameter.name, found, parameter.default is inspect.Parameter.empty)
        )
    if not parameters:
        raise UsageError(f"function {name}: takes nothing; expected at least one parameter")
    answer_kind, answer = _answer(name, hints, returns)
    kinds.setdefault(answer_kind, "its answer")
    if len(kinds) > 1:
        told = ", ".join(f"{what} is of a {kind}" for kind, what in kinds.items())
        raise UsageError(f"function {name}: parameters and answer have to be of one kind: {told}")
    return Signature(answer_kind, tuple(parameters), answer)


def _hints(build: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(build, include_extras=True)
    except Exception as error:  # whatever an annotation's text does when it is evaluated
        raise UsageError(
            f"function {build.__name__}: its annotations can't be read: {error}"
        ) from error


def _answer(name: str, hints: dict[str, Any], returns: Any) -> tuple[Kind, Type]:
    what = f"function {name}: its answer"
    if "return" not in hints:
        raise UsageError(f"{what} has no annotation: say its type, like -> float")
    kind, found = type_of(hints["return"], what)
    if returns is not None:
        found = type_of(returns, f"function {name}: returns=")[1]
    if found.scalar is None:
        raise UsageError(
            f"{what} says no type of its values: annotate it Annotated[pl.Series, float], or give "
            "returns=float"
        )
    return kind, found
