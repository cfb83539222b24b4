"""Notebooks tied together: steps are notebooks, arrows are what one gives out and another takes.

A pipeline is a file, `pipelines/NAME.toml`. It is checked as a whole before anything starts; each
step is then a job, started when what it needs is there, and not done again where an earlier job did
the same. So going on after a fix is running the pipeline again.
"""

from workbench.jobs.pipelines.drawing import svg, text
from workbench.jobs.pipelines.export import EXPORTS, ExportTarget
from workbench.jobs.pipelines.plan import (
    Arrow,
    Plan,
    PlannedStep,
    list_pipelines,
    load_pipeline,
    plan_pipeline,
)
from workbench.jobs.pipelines.records import (
    PipelineRun,
    StepRecord,
    get_pipeline_run,
    list_pipeline_runs,
    settle_pipelines,
)
from workbench.jobs.pipelines.references import parsed
from workbench.jobs.pipelines.run import run_pipeline
from workbench.jobs.pipelines.spec import PipelineSpec, StepSpec
from workbench.jobs.pipelines.states import RunState, StepState

__all__ = [
    "EXPORTS",
    "Arrow",
    "ExportTarget",
    "PipelineRun",
    "PipelineSpec",
    "Plan",
    "PlannedStep",
    "RunState",
    "StepRecord",
    "StepSpec",
    "StepState",
    "get_pipeline_run",
    "list_pipeline_runs",
    "list_pipelines",
    "load_pipeline",
    "parsed",
    "plan_pipeline",
    "run_pipeline",
    "settle_pipelines",
    "svg",
    "text",
]
