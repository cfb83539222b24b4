"""A pipeline as a workflow of GitHub Actions: a job a step, outputs handed on as artifacts."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Sequence
from typing import Any

from workbench.errors import ParameterError
from workbench.jobs.parameters import (
    Parameter,
    load_notebook,
    parse_parameters,
    read_parameters,
)
from workbench.jobs.pipelines.plan import Arrow, Plan, PlannedStep
from workbench.project import Project

__all__ = ["github_actions"]

_STATE = ".workbench"
_HANDED = f"{_STATE}/handed"
_SECRET = re.compile(r"secret://([A-Za-z_][A-Za-z0-9_]*)")


def github_actions(project: Project, plan: Plan) -> str:
    """Write the workflow, as YAML.

    Raises
    ------
    ParameterError
        If a value can't be written on a command line.
    """
    import yaml

    wanted = {arrow.source for step in plan.steps for arrow in step.arrows}
    workflow = {
        "name": plan.name,
        "on": {"workflow_dispatch": {}},
        "permissions": {"contents": "read"},
        "jobs": {
            step.name: _job(project, step, is_wanted=step.name in wanted) for step in plan.steps
        },
    }

    class Dumper(yaml.SafeDumper):
        """Writes commands as one reads them."""

    Dumper.add_representer(str, _represented)
    text: str = yaml.dump(workflow, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=98)
    return text


def _represented(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _job(project: Project, step: PlannedStep, *, is_wanted: bool) -> dict[str, Any]:
    job: dict[str, Any] = {"runs-on": "ubuntu-latest"}
    if step.needs:
        job["needs"] = list(step.needs)
    if step.limits.wall_seconds:
        job["timeout-minutes"] = math.ceil(step.limits.wall_seconds / 60)
    job["env"] = {"WORKBENCH_STATE_DIR": _STATE, **_secrets(step)}
    before = dict.fromkeys(arrow.source for arrow in step.arrows)
    job["steps"] = [
        {"uses": "actions/checkout@v4"},
        {"uses": "actions/setup-python@v5", "with": {"python-version": "3.12"}},
        {"run": "pip install jupyter-workbench"},
        *(_download(source) for source in before),
        {"run": _command(project, step)},
        *([{"run": _collect(step.name)}, _upload(step.name)] if is_wanted else []),
        _upload_notebook(step.name),
    ]
    return job


def _command(project: Project, step: PlannedStep) -> str:
    contract = read_parameters(load_notebook(project.inside(step.notebook)), step.notebook)
    texts = [_given(contract, step, name) for name in step.parameters]
    values = [f"-p {_quoted(text)}" for text in texts]
    # Each is a line of its own: in an argument, what went wrong in it would go unnoticed.
    taken = [_taken(place, arrow) for place, arrow in enumerate(step.arrows)]
    values += [
        f'-p {_quoted(arrow.parameter + "=")}"$input_{place}"'
        for place, arrow in enumerate(step.arrows)
    ]
    run = " \\\n  ".join(["workbench run", *values, f"-- {_quoted(step.notebook)}"])
    return "\n".join([*taken, run]) + "\n"


def _taken(place: int, arrow: Arrow) -> str:
    option = "--path " if arrow.as_path else ""
    folder = f"{_HANDED}/{arrow.source}"
    return f'input_{place}="$(workbench pipeline output {option}{folder} {arrow.output})"'


def _given(contract: Sequence[Parameter], step: PlannedStep, name: str) -> str:
    """Write a value as `NAME=VALUE`, which is read as the same value again."""
    value, written = step.parameters[name], step.written[name]
    texts = [written] if isinstance(written, str) else []
    for text in (*texts, json.dumps(written, ensure_ascii=False)):
        try:
            read = parse_parameters(contract, [f"{name}={text}"], step.notebook)
        except ParameterError:
            continue
        same = read[name] == value and type(read[name]) is type(value)
        if same and "\0" not in text:  # a shell has no such letter
            return f"{name}={text}"
    raise ParameterError(f"step {step.name}: {name}: {value!r} can't be written on a command line")


def _secrets(step: PlannedStep) -> dict[str, str]:
    """Hand the repository's secrets to the steps that take them."""
    texts = [value for value in step.written.values() if isinstance(value, str)]
    named = [match[1] for text in texts if (match := _SECRET.fullmatch(text))]
    return {name: f"${{{{ secrets.{name} }}}}" for name in named}


def _quoted(text: str) -> str:
    """Quote for the shell, and so that GitHub finds no `${{ … }}` to put in before."""
    return shlex.quote(text).replace("${{", "$''{{")


def _collect(name: str) -> str:
    return f"mkdir -p {_HANDED}/{name}\ncp -R {_STATE}/jobs/*/outputs/. {_HANDED}/{name}/\n"


def _upload(name: str) -> dict[str, Any]:
    return {
        "uses": "actions/upload-artifact@v4",
        "with": {
            "name": f"outputs-{name}",
            "path": f"{_HANDED}/{name}",
            "include-hidden-files": True,
        },
    }


def _download(name: str) -> dict[str, Any]:
    return {
        "uses": "actions/download-artifact@v4",
        "with": {"name": f"outputs-{name}", "path": f"{_HANDED}/{name}"},
    }


def _upload_notebook(name: str) -> dict[str, Any]:
    return {
        "if": "always()",
        "uses": "actions/upload-artifact@v4",
        "with": {
            "name": f"notebook-{name}",
            "path": f"{_STATE}/jobs/*/executed.ipynb",
            "include-hidden-files": True,
        },
    }
