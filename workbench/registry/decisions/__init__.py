"""Decisions: who moved which alias when, why and on what evidence. Only ever appended.

The log is a chain: each decision holds the hash of the one before, so that none can be changed or
taken out unseen (`verify_decisions`), and no two can follow the same one: of two promotions at
once one wins, and the other is told. A decision is written before its alias moves; a call that was
cut short between the two is completed by the next one.
"""

from workbench.registry.decisions.approving import Approval, approve, list_approvals
from workbench.registry.decisions.chain import Decided, Decision, Verification, verify_decisions
from workbench.registry.decisions.log import list_decided, list_decisions
from workbench.registry.decisions.promoting import promote, record_refusal
from workbench.registry.decisions.rolling_back import held_by, rollback

__all__ = [
    "Approval",
    "Decided",
    "Decision",
    "Verification",
    "approve",
    "held_by",
    "list_approvals",
    "list_decided",
    "list_decisions",
    "promote",
    "record_refusal",
    "rollback",
    "verify_decisions",
]
