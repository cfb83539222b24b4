"""A pipeline as an Airflow DAG of papermill operators.

The file is the fixed code of `dag_template.txt`, which needs nothing of ours, after a table of
literals: nothing from the pipeline's file is ever source.
"""

from __future__ import annotations

import json
import pprint
from pathlib import Path
from typing import Any

from workbench.errors import ParameterError
from workbench.jobs.pipelines.plan import Plan, PlannedStep
from workbench.project import Project

__all__ = ["airflow"]

_TEMPLATE = Path(__file__).with_name("dag_template.txt")
_CUT = "# --- what `workbench pipeline export` writes ---\n"


def airflow(project: Project, plan: Plan) -> str:
    """Write the DAG file.

    Raises
    ------
    ParameterError
        If a value has no literal (NaN and the infinities), or is a secret.
    """
    before, _, after = _TEMPLATE.read_text(encoding="utf-8").partition(_CUT)
    _, _, after = after.partition(_CUT)
    state = project.settings.state_dir
    named = {
        "PIPELINE": plan.name,
        "DESCRIPTION": plan.description,
        "STATE": state.as_posix(),
        "STEPS": {step.name: _step(step) for step in plan.steps},
    }
    table = "".join(f"{name} = {_literal(value)}\n" for name, value in named.items())
    return f"{before}{table}{after}"


def _step(step: PlannedStep) -> dict[str, Any]:
    # Airflow tries again whatever happened; only who asked for that of cells' errors wants it.
    again = step.retries.attempts - 1 if "cell" in step.retries.kinds else 0
    return {
        "notebook": step.notebook,
        "parameters": _plain(step),
        "inputs": {a.parameter: (a.source, a.output, a.as_path) for a in step.arrows},
        "needs": list(step.needs),
        "retries": again,
        "seconds": step.limits.wall_seconds,
    }


def _plain(step: PlannedStep) -> Any:
    for name, value in step.written.items():
        if isinstance(value, str) and value.startswith("secret://"):
            raise ParameterError(
                f"step {step.name}: {name}: Airflow would keep the secret in its records; "
                "let the notebook read it from a connection"
            )
    try:
        json.dumps(dict(step.parameters), allow_nan=False, default=str)
        return json.loads(json.dumps(step.written))
    except ValueError as error:
        raise ParameterError(f"step {step.name}: a value has no literal: {error}") from error


def _literal(value: Any) -> str:
    return pprint.pformat(value, width=98, sort_dicts=False)
