"""A version made again from nothing but its record: the proof that the record is enough.

The code as the run had it goes into a clean folder, the packages that it named into an environment
of their own, the data are compared by digest, and the notebook runs again with its parameters, as
a job whose records are the folder's and not the project's. What comes out is compared with what is
stored, from the strictest demand to the mildest: the same bytes, the same predictions, the same
metrics. Where it is less than the same predictions the report names the first input that differs;
if none does, the notebook isn't deterministic, which is worth knowing too.

>>> import workbench as wb
>>> wb.reproduction.reproduce(project, "flights-late", "4").verdict  # doctest: +SKIP
'same bytes'

Names load on first use: the process that makes it again needs none of those who ask for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.reproduction.records import (
        VERDICTS,
        DataCheck,
        Difference,
        MetricPair,
        PackageChange,
        Predictions,
        Reproduction,
        Verdict,
        list_reproductions,
    )
    from workbench.reproduction.reproducing import reproduce

__all__ = [
    "VERDICTS",
    "DataCheck",
    "Difference",
    "MetricPair",
    "PackageChange",
    "Predictions",
    "Reproduction",
    "Verdict",
    "list_reproductions",
    "reproduce",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        home = "reproducing" if name == "reproduce" else "records"
        return getattr(importlib.import_module(f"workbench.reproduction.{home}"), name)
    raise AttributeError(f"module 'workbench.reproduction' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
