"""The tables of MLflow that we read and write by SQL; of others we ask MLflow."""

__all__ = ["KNOWN_REVISIONS"]

KNOWN_REVISIONS = frozenset({"dc11669786a5"})
"""The revisions that our queries were written for (MLflow 3.17)."""
