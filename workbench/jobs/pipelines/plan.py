"""A pipeline with its parameters, checked as a whole: what can be run, drawn and exported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from workbench.errors import (
    ConfigError,
    NotFoundError,
    ParameterError,
    WorkbenchError,
    what_exists,
)
from workbench.jobs.parameters import (
    Parameter,
    check_parameters,
    load_notebook,
    read_parameters,
    to_json,
)
from workbench.jobs.parameters.secrets import public_values
from workbench.jobs.pipelines.given import Given, given_outputs
from workbench.jobs.pipelines.references import chosen, filled
from workbench.jobs.pipelines.spec import NAME_RULE, PipelineSpec, StepSpec, is_name
from workbench.jobs.requests import Limits, Retries
from workbench.project import Project
from workbench.settings import load_toml, validate

__all__ = ["Arrow", "Plan", "PlannedStep", "list_pipelines", "load_pipeline", "plan_pipeline"]

_FOLDER = "pipelines"


@dataclass(frozen=True)
class Arrow:
    """An output of `source` that becomes a parameter; with `as_path`, always its file's path."""

    source: str
    output: str
    parameter: str
    as_path: bool = False


@dataclass(frozen=True)
class PlannedStep:
    """A step whose parameters are known, but for what the steps before it give out."""

    name: str
    notebook: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    arrows: tuple[Arrow, ...] = ()
    after: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    retries: Retries = field(default_factory=Retries)
    written: Mapping[str, Any] = field(default_factory=dict)
    """The parameters as records have them, in the form of JSON."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The steps before it, each once."""
        return tuple(dict.fromkeys([*(arrow.source for arrow in self.arrows), *self.after]))


@dataclass(frozen=True)
class Plan:
    """A pipeline that can be carried out. `steps` are in an order that the arrows allow."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    steps: tuple[PlannedStep, ...]

    @property
    def digest(self) -> str:
        """The SHA-256 of what is to be done; notebooks count by their names."""
        said = json.dumps(self.shown(), sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()

    def shown(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        steps = [
            {**asdict(replace(step, parameters=step.written)), "needs": step.needs}
            for step in self.steps
        ]
        for step in steps:
            del step["written"]
        plain: dict[str, Any] = to_jsonable_python({**vars(self), "steps": steps})
        return plain


def list_pipelines(project: Project) -> list[str]:
    """List the names of the project's pipelines: `pipelines/*.toml`."""
    return sorted(path.stem for path in (project.root / _FOLDER).glob("*.toml"))


def load_pipeline(project: Project, name: str) -> PipelineSpec:
    """Read `pipelines/NAME.toml`.

    Raises
    ------
    NotFoundError
        If there is no such file.
    ConfigError
        If it can't be used as it is.
    """
    if name not in list_pipelines(project):
        raise NotFoundError.named("pipeline", name, list_pipelines(project))
    if not is_name(name):
        raise ConfigError(f"{_where(name)}: a pipeline is named by {NAME_RULE}")
    return validate(PipelineSpec, load_toml(_file(project, name)), _where(name))


def plan_pipeline(project: Project, name: str, parameters: Mapping[str, Any] | None = None) -> Plan:
    """Check a pipeline and everything that it names; nothing is run.

    Raises
    ------
    NotFoundError
        If there is no such pipeline.
    ParameterError
        For parameters that it doesn't take, or that a notebook of its doesn't.
    NotebookError
        For a notebook that is missing or can't be read.
    ConfigError
        For anything else: an unknown step or output, a cycle, a parameter given twice.
    """
    spec = load_pipeline(project, name)
    values = chosen(spec.parameters, parameters or {}, name)
    where = _where(name)
    order = _ordered(spec, where)
    notebooks = {step: _Notebook.read(project, spec.steps[step], where, step) for step in order}
    steps = [
        _step(project, step, spec.steps[step], values, notebooks, f"{where}: steps.{step}")
        for step in order
    ]
    return Plan(name, spec.pipeline.description, values, tuple(steps))


@dataclass(frozen=True)
class _Notebook:
    contract: list[Parameter]
    given: Given

    def parameter(self, name: str) -> Parameter | None:
        return next((each for each in self.contract if each.name == name), None)

    @classmethod
    def read(cls, project: Project, step: StepSpec, where: str, name: str) -> _Notebook:
        try:
            notebook = load_notebook(project.inside(step.notebook))
            contract = read_parameters(notebook, step.notebook)
        except WorkbenchError as error:
            raise type(error)(f"{where}: steps.{name}.notebook: {error}") from error
        given = given_outputs(notebook)
        names = given.names | set(step.outputs)
        return cls(contract, Given(names, more=given.more))


def _step(
    project: Project,
    name: str,
    step: StepSpec,
    values: Mapping[str, Any],
    notebooks: Mapping[str, _Notebook],
    where: str,
) -> PlannedStep:
    filled_in = filled(step.parameters, values, f"{where}.parameters")
    for source in step.data:
        if source not in project.settings.sources:
            known = what_exists(source, project.settings.sources)
            raise ConfigError(f"{where}.data: unknown source {source!r}; {known}")
    contract = notebooks[name].contract
    parameters = _checked(step, filled_in, contract, where)
    return PlannedStep(
        name,
        step.notebook,
        parameters,
        tuple(
            _arrow(step, key, reference, notebooks[name], notebooks, where)
            for key, reference in step.inputs.items()
        ),
        tuple(step.after),
        tuple(step.data),
        step.limits,
        step.retries,
        to_json(contract, parameters),
    )


def _checked(
    step: StepSpec, given: Mapping[str, Any], contract: list[Parameter], where: str
) -> dict[str, Any]:
    """Check the values; what an arrow brings is checked when it is there."""
    twice = sorted(set(given) & set(step.inputs))
    if twice:
        raise ConfigError(f"{where}: {twice[0]}: given twice, as a value and as an input")
    asked = [
        each.model_copy(update={"required": False}) if each.name in step.inputs else each
        for each in contract
    ]
    values = check_parameters(asked, given, f"{where}: {step.notebook}")
    public = public_values(contract, values)
    plain = [key for key in values if public[key] != values[key]]
    if plain:
        raise ParameterError(
            f"{where}: {plain[0]} is a secret, and a pipeline is written down: "
            "give it as secret://NAME, of an environment variable"
        )
    return values


def _arrow(
    step: StepSpec,
    key: str,
    reference: str,
    notebook: _Notebook,
    notebooks: Mapping[str, _Notebook],
    where: str,
) -> Arrow:
    parameter = notebook.parameter(key)
    if parameter is None:
        known = what_exists(key, [each.name for each in notebook.contract])
        raise ParameterError(f"{where}.inputs: {step.notebook} has no parameter {key!r}; {known}")
    source, _, output = reference.partition(".")
    given = notebooks[source].given
    if output not in given.names and not given.more:
        raise ConfigError(
            f"{where}.inputs.{key}: step {source!r} gives no output {output!r}; "
            f"{what_exists(output, given.names)}"
        )
    return Arrow(source, output, key, as_path="Path" in parameter.type)


def _ordered(spec: PipelineSpec, where: str) -> list[str]:
    """Sort the steps so that each comes after those it needs, else as they are written."""
    graph = {}
    for name, step in spec.steps.items():
        named = {f"inputs.{key}": text.partition(".")[0] for key, text in step.inputs.items()}
        named |= {f"after.{place}": before for place, before in enumerate(step.after)}
        for key, before in named.items():
            if before not in spec.steps:
                known = what_exists(before, spec.steps)
                raise ConfigError(f"{where}: steps.{name}.{key}: unknown step {before!r}; {known}")
        graph[name] = set(named.values())
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        _, cycle = error.args
        raise ConfigError(f"{where}: steps wait for each other: {' → '.join(cycle)}") from error


def _file(project: Project, name: str) -> Path:
    return project.root / _where(name)


def _where(name: str) -> str:
    return f"{_FOLDER}/{name}.toml"
