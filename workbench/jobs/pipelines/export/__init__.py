"""Leaving is as easy as coming: a pipeline for the tools of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from workbench.jobs.pipelines.export.airflow import airflow
from workbench.jobs.pipelines.export.github_actions import github_actions
from workbench.jobs.pipelines.plan import Plan
from workbench.project import Project

__all__ = ["EXPORTS", "ExportTarget"]

ExportTarget = Literal["airflow", "github-actions"]

EXPORTS: dict[ExportTarget, Callable[[Project, Plan], str]] = {
    "airflow": airflow,
    "github-actions": github_actions,
}
"""What writes a plan for each of them; the file's text is returned."""
