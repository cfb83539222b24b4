"""Versions and the evidence on which an alias moves.

A version is a model that a run logged; it never changes. An alias (`champion`, `challenger`) moves,
and only on a passed gate: no evidence, no promotion. Every move is a decision that stays.
"""

from workbench.registry.decisions import (
    Approval,
    Decided,
    Decision,
    Verification,
    approve,
    held_by,
    list_approvals,
    list_decided,
    list_decisions,
    promote,
    record_refusal,
    rollback,
    verify_decisions,
)
from workbench.registry.registering import register
from workbench.registry.reports import Check, GateReport
from workbench.registry.scorer import Scorer
from workbench.registry.versions import (
    Model,
    Version,
    aliases_of,
    get_model,
    list_models,
    model_uri,
)

__all__ = [
    "Approval",
    "Check",
    "Decided",
    "Decision",
    "GateReport",
    "Model",
    "Scorer",
    "Verification",
    "Version",
    "aliases_of",
    "approve",
    "get_model",
    "held_by",
    "list_approvals",
    "list_decided",
    "list_decisions",
    "list_models",
    "model_uri",
    "promote",
    "record_refusal",
    "register",
    "rollback",
    "verify_decisions",
]
