"""What every way to explain a model has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import polars as pl

from workbench.errors import DataError, WorkbenchError
from workbench.explanation.frames import Rows

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["BLOCK", "Answer", "Background", "Flavor", "Way", "asked"]

Flavor = Literal["path-dependent", "interventional", "approximation"]


class Answer(NamedTuple):
    """What was found: SHAP values, the value of knowing nothing, and what the model says."""

    values: Floats
    """Shape (outputs, rows, features)."""
    base: Floats
    """Shape (outputs,)."""
    said: Floats
    """Shape (outputs, rows); asked of the model itself, not summed up."""
    errors: Floats | None = None
    """Standard errors of an approximation's values, in their shape."""


@dataclass(frozen=True, eq=False)
class Background:
    """What a row is compared with, where values depend on that.

    `mean` is that of the columns that a linear model was fitted on, `rows` are what is put in the
    place of what isn't known of a row. Kept with an explanation, it makes later ones agree.
    """

    told: str
    mean: tuple[float, ...] | None = None
    rows: pl.DataFrame | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Way:
    """How a model is explained.

    Parameters
    ----------
    method
        The phrase that names it to people.
    single
        Whether the library sums in single precision, which bounds how well values add up.
    affordable
        How many rows can be explained in a matter of seconds; None for as many as there are.
    block
        How many rows are worked on at a time, where all of them would take much memory.
    notes
        What a reader of the values has to know.
    """

    method: str
    flavor: Flavor
    units: str
    run: Callable[[Rows], Answer]
    single: bool = False
    affordable: int | None = None
    background: Background | None = None
    block: int | None = None
    notes: tuple[str, ...] = ()

    def answer(self, rows: Rows) -> Answer:
        """Explain rows, a block after the other."""
        count = len(rows.frame)
        if self.block is None or count <= self.block:
            return self.run(rows)
        import numpy as np

        parts = np.array_split(np.arange(count), -(-count // self.block))
        found = [self.run(rows.pick(part.tolist())) for part in parts]
        values = np.concatenate([answer.values for answer in found], axis=1)
        said = np.concatenate([answer.said for answer in found], axis=1)
        return Answer(values, found[0].base, said)


BLOCK = 16_384
"""Of so many rows a tree's nodes fit into a few megabytes."""


@contextmanager
def asked(model: Any) -> Iterator[None]:
    """Say in one line what a library says of rows or models that it doesn't take.

    Raises
    ------
    DataError
        With its first line.
    """
    try:
        yield
    except WorkbenchError:
        raise
    except Exception as error:  # each library has its own ways to refuse
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise DataError(f"{type(model).__name__} can't answer these rows: {said[0]}") from error
