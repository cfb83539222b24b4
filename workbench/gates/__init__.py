"""The gate: what a version must show before it may take an alias.

The policy stands in the factory file. Each thing that it can ask for is a requirement, a module of
`requirements/`, whose checks have stable codes and closed outcomes. All are judged from the stored
model on rows that it hasn't seen; what a notebook says of its own model doesn't count. What was
found is a document with a digest that never changes, stored with the version: a promotion names it.
"""

from workbench.gates.document import attach_notebook, stored_reports
from workbench.gates.judging import judge
from workbench.gates.parity import ParityReport, Way, compare_ways, ways
from workbench.gates.question import Question
from workbench.gates.spec import ExplanationSpec, GateSpec, ParitySpec, Threshold

__all__ = [
    "ExplanationSpec",
    "GateSpec",
    "ParityReport",
    "ParitySpec",
    "Question",
    "Threshold",
    "Way",
    "attach_notebook",
    "compare_ways",
    "judge",
    "stored_reports",
    "ways",
]
