"""One TOML file that ties features, training, gate, scoring, monitoring and retraining.

`load` opens it, in a notebook too; `run` carries it out, stage by stage. Each step is written down
with a digest of what went in: running again continues where the last run stopped and redoes
nothing whose inputs are the same.
"""

from workbench.factory.factory import Factory, factory_of, list_factories, load, policies_of
from workbench.factory.make import gate_question, gate_version
from workbench.factory.run import Outcome, run, status
from workbench.factory.spec import FactorySpec
from workbench.factory.steps import Reporter, Silent, Stage

__all__ = [
    "Factory",
    "FactorySpec",
    "Outcome",
    "Reporter",
    "Silent",
    "Stage",
    "factory_of",
    "gate_question",
    "gate_version",
    "list_factories",
    "load",
    "policies_of",
    "run",
    "status",
]
