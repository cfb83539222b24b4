"""Contracts: what the rows of a source must be like, beside the code that relies on it.

>>> import workbench as wb
>>> flights = wb.data.guard("flights", wb.data.read("flights"))  # doctest: +SKIP

A contract is a schema of pandera in `contracts/NAME.py`. It is the project's own code, like its
notebooks, and is run as such. The same one guards a training (`guard` stops the job before it
trains), a batch and a single request; `check` tells every row that breaks it and keeps the answer.
"""

from workbench.data.contracts.checking import check, guard, guard_source, last_checks
from workbench.data.contracts.files import contract_path, has_contract, load_contract
from workbench.data.contracts.inference import infer_contract
from workbench.data.contracts.outcome import BadRow, BrokenRule, Check

__all__ = [
    "BadRow",
    "BrokenRule",
    "Check",
    "check",
    "contract_path",
    "guard",
    "guard_source",
    "has_contract",
    "infer_contract",
    "last_checks",
    "load_contract",
]
