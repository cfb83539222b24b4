"""Which operation an address means."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from urllib.parse import unquote

from workbench.server.operation import Operation

__all__ = ["NoOperationError", "Table", "operations"]


class NoOperationError(Exception):
    """There is nothing at the address, or it takes other methods, which `allowed` has."""

    def __init__(self, path: str, allowed: Iterable[str] = ()) -> None:
        super().__init__(path)
        self.allowed = sorted(allowed)


class Table:
    """The operations by their paths and methods."""

    def __init__(self, every: Iterable[Operation]) -> None:
        self._paths: dict[str, dict[str, Operation]] = defaultdict(dict)
        for operation in every:
            self._paths[operation.path][operation.method] = operation
        # A path that is said in full is meant before one with a parameter in its place.
        ranked = sorted(self._paths, key=lambda path: path.count("{"))
        self._patterns = [
            (re.compile(next(iter(self._paths[path].values())).pattern), path) for path in ranked
        ]

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """Return the operation, and the parameters in its path.

        Parameters
        ----------
        path
            As it came, still quoted: a name may have a slash in it.

        Raises
        ------
        NoOperationError
            If there is none.
        """
        for pattern, template in self._patterns:
            if found := pattern.fullmatch(path):
                known = self._paths[template]
                if method not in known:
                    raise NoOperationError(path, known)
                return known[method], {key: unquote(it) for key, it in found.groupdict().items()}
        raise NoOperationError(path)


@cache
def operations() -> Table:
    """Return all operations; the first call imports what they call, which takes a second."""
    from workbench.server.resources import OPERATIONS

    return Table(OPERATIONS)
