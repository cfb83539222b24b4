"""Versions and the evidence on which an alias moves.

A version is a model that a run logged; it never changes. An alias (`champion`, `challenger`) moves,
and only on a passed gate: no evidence, no promotion. Every move is a decision that stays.
"""

from workbench.registry.decisions import Decision, list_decisions, promote, record_refusal
from workbench.registry.evaluation import binary_metrics
from workbench.registry.gate import Check, GateReport, GateSpec, Threshold, evaluate_gate
from workbench.registry.scorer import Scorer
from workbench.registry.versions import Model, Version, get_model, list_models, model_uri, register

__all__ = [
    "Check",
    "Decision",
    "GateReport",
    "GateSpec",
    "Model",
    "Scorer",
    "Threshold",
    "Version",
    "binary_metrics",
    "evaluate_gate",
    "get_model",
    "list_decisions",
    "list_models",
    "model_uri",
    "promote",
    "record_refusal",
    "register",
]
