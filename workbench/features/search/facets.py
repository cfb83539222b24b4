"""How many hits there are of each kind: by tag, owner, entity, availability.

Values of one facet widen what is found, facets narrow it: `owner` ada or ben, and `tag` air. Beside
a value stands how many there would be of it with what is chosen of the other facets, so that one
more of the same facet can be told before it is clicked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["NOTHING", "Chosen", "Counted", "FacetValue", "GroupFacets", "counted"]

Chosen = Mapping[str, Collection[str]]
"""What is chosen of each facet; of one without a value, everything."""

NOTHING: Chosen = {}

_MOST_VALUES = 100


class FacetValue(BaseModel):
    """A value of a facet, and how many have it."""

    model_config = ConfigDict(frozen=True)

    value: str
    count: int


class Counted(BaseModel):
    """How many hits there are in all, and of each value of each facet, the most frequent first."""

    model_config = ConfigDict(frozen=True)

    total: int
    facets: dict[str, list[FacetValue]]
    values: dict[str, int] = Field(
        description="how many values each facet has; the most frequent are listed"
    )


class GroupFacets:
    """What the groups of a part of the index are, by the numbers of both."""

    def __init__(
        self, keys: Sequence[str], values: Sequence[str], pairs: np.ndarray, groups: int
    ) -> None:
        self._facets = list(zip(keys, values, strict=True))
        self._numbers = {facet: number for number, facet in enumerate(self._facets)}
        self._group, self._facet = pairs[:, 0], pairs[:, 1]
        self._groups = groups

    def having(self, chosen: Chosen, but: str | None = None) -> np.ndarray:
        """Say of each group whether it has what is chosen, of all facets or of all but one."""
        has = np.ones(self._groups, np.bool_)
        for key, values in chosen.items():
            if values and key != but:
                wanted = np.zeros(len(self._facets), np.bool_)
                found = (self._numbers.get((key, value)) for value in values)
                wanted[[number for number in found if number is not None]] = True
                own = np.zeros(self._groups, np.bool_)
                own[self._group[wanted[self._facet]]] = True
                has &= own
        return has

    def count(self, hits: np.ndarray, chosen: Chosen) -> dict[tuple[str, str], int]:
        """Add up the hits of groups by facet and value."""
        found: dict[tuple[str, str], int] = {}
        everywhere = self._sums(hits * self.having(chosen))
        chosen_keys = {key for key, values in chosen.items() if values}
        sums = {key: self._sums(hits * self.having(chosen, but=key)) for key in chosen_keys}
        for number, facet in enumerate(self._facets):
            found[facet] = int(sums.get(facet[0], everywhere)[number])
        return found

    def _sums(self, hits: np.ndarray) -> np.ndarray:
        return np.bincount(self._facet, hits[self._group], minlength=len(self._facets))


def counted(parts: Iterable[tuple[GroupFacets, np.ndarray]], chosen: Chosen) -> Counted:
    """Put the counts of the index's parts together.

    Parameters
    ----------
    parts
        Of each part its facets, and how many hits its groups have.
    """
    total = 0
    sums: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for facets, hits in parts:
        total += int(hits[facets.having(chosen)].sum())
        for (key, value), count in facets.count(hits, chosen).items():
            sums[key][value] += count
    return Counted(
        total=total,
        facets={key: _listed(values, chosen.get(key, ())) for key, values in sorted(sums.items())},
        values={key: sum(map(bool, values.values())) for key, values in sorted(sums.items())},
    )


def _listed(values: Mapping[str, int], chosen: Collection[str]) -> list[FacetValue]:
    """Put the most frequent first, and keep what is chosen, even where there is none of it."""
    ranked = sorted((-count, value) for value, count in values.items() if count)[:_MOST_VALUES]
    rest = sorted(set(chosen) - {value for _, value in ranked})
    return [
        *(FacetValue(value=value, count=-count) for count, value in ranked),
        *(FacetValue(value=value, count=values.get(value, 0)) for value in rest),
    ]
