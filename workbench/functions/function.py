"""A function that can be called, and knows what it is."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from typing import Any

from workbench.errors import UsageError
from workbench.functions.calling import call
from workbench.functions.signature import Signature
from workbench.lineage import used
from workbench.lineage.observers import listening

__all__ = ["Function"]

_TELL_AGAIN = 1.0
"""Seconds after which a call of single rows is told again: a million of them are one use."""


class Function:
    """A function of the project's: called with values, polars Series or expressions.

    What is only declared has no version yet; what is registered is exactly that version's text, and
    tells the run that it is called in.

    Attributes
    ----------
    description
        The first line of the docstring, or what the declaration says instead.
    test
        Pairs of arguments and the answer expected.
    """

    def __init__(
        self,
        build: Callable[..., Any],
        signature: Signature,
        *,
        owner: str,
        tags: Sequence[str],
        description: str,
        test: Sequence[tuple[tuple[Any, ...], Any]],
    ) -> None:
        self.name = build.__name__
        self.signature = signature
        self.owner = owner
        self.tags = list(tags)
        self.description = description
        self.test = list(test)
        self.build = build
        self.version: int | None = None
        self.digest = ""
        self._told = float("-inf")
        self._told_to: object = None
        self.__name__ = build.__name__
        self.__doc__ = inspect.getdoc(build) or ""
        self.__wrapped__ = build  # for help() and the shift+tab of a notebook

    @property
    def told(self) -> str:
        """How errors name it."""
        return f"function {self.name}"

    @property
    def node(self) -> str:
        """The version's name in the lineage; empty if it isn't registered."""
        return f"function:{self.name}@{self.version}" if self.version is not None else ""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Answer for one row, for the rows of polars Series, or as a polars expression.

        Raises
        ------
        UsageError
            If the arguments don't fit the parameters.
        DataError
            If a value, or the answer, isn't of the type that it is declared to have.
        """
        self._tell()
        return self.answer(*args, **kwargs)

    def answer(self, /, *args: Any, **kwargs: Any) -> Any:
        """Answer without telling the run: for a test, which is no use, and SQL, which tells."""
        try:
            bound = inspect.signature(self.build).bind(*args, **kwargs)
        except TypeError as error:
            raise UsageError(f"function {self.name}{self.signature}: {error}") from None
        bound.apply_defaults()
        return call(self.name, self.signature, self.build, list(bound.arguments.values()))

    def _tell(self) -> None:
        now = time.monotonic()
        told = self._told_to == listening() and now - self._told < _TELL_AGAIN
        if self.version is not None and not told:
            self._told, self._told_to = now, listening()
            used(self.node)

    def __repr__(self) -> str:
        """Say what it takes and gives, and which version it is."""
        version = f"@{self.version}" if self.version is not None else " (not registered)"
        return f"<function {self.name}{version} {self.signature}>"
