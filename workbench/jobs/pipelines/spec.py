"""What a pipeline file says."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from workbench.errors import UsageError
from workbench.jobs.outputs import check_name
from workbench.jobs.requests import Limits, Retries

__all__ = ["NAME_RULE", "PipelineSpec", "StepSpec", "is_name"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
"""Of a pipeline or a step: also an id in Airflow and on GitHub."""

NAME_RULE = "letters, digits, _ and -, a letter first"


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StepSpec(_Spec):
    """One notebook of a pipeline."""

    notebook: str = Field(description="from the project's root")
    parameters: dict[str, Any] = Field(
        default={}, description='values; "${name}" is the pipeline\'s parameter of that name'
    )
    inputs: dict[str, str] = Field(
        default={}, description='parameter → "step.output": what that step gave out'
    )
    outputs: list[str] = Field(
        default=[], description="outputs that the notebook's own cells don't show"
    )
    after: list[str] = Field(default=[], description="steps to wait for without taking data")
    data: list[str] = Field(
        default=[], description="named sources that it reads: their content counts for the cache"
    )
    limits: Limits = Field(default=Limits(), description="how far its job may go")
    retries: Retries = Field(default=Retries(), description="when its job is tried again")

    @field_validator("outputs")
    @classmethod
    def _names(cls, names: list[str]) -> list[str]:
        for name in names:
            try:
                check_name(name)
            except UsageError as error:
                raise ValueError(str(error)) from error
        return names

    @field_validator("inputs")
    @classmethod
    def _references(cls, inputs: dict[str, str]) -> dict[str, str]:
        for reference in inputs.values():
            if not all(reference.partition(".")):
                raise ValueError(f'expected "step.output" and not {reference!r}')
        return inputs


class _About(_Spec):
    description: str = Field(description="what it is for, in a sentence")


class PipelineSpec(_Spec):
    """A whole pipeline."""

    pipeline: _About
    parameters: dict[str, Any] = Field(
        default={}, description="its own parameters, with their defaults"
    )
    steps: dict[str, StepSpec] = Field(min_length=1, description="notebooks, by the step's name")

    @field_validator("parameters", "steps")
    @classmethod
    def _good_names(cls, named: dict[str, Any]) -> dict[str, Any]:
        for name in named:
            if not is_name(name):
                raise ValueError(f"{name!r} is no name: expected {NAME_RULE}")
        return named


def is_name(name: str) -> bool:
    """Tell whether a pipeline, a step or a parameter of a pipeline can be called so."""
    return _NAME.fullmatch(name) is not None
