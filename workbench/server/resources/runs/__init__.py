"""Runs."""

from __future__ import annotations

from workbench.server.operation import Operation
from workbench.server.resources.runs.comparing import compare_runs, draw_runs
from workbench.server.resources.runs.listing import (
    count_run_facets,
    get_run,
    list_runs,
    list_sparklines,
)
from workbench.server.resources.runs.using import (
    check_out_run,
    get_run_notebook,
    get_run_origin,
    mark_run,
)

__all__ = ["OPERATIONS"]

OPERATIONS = (
    Operation("GET", "/runs", list_runs),
    Operation("GET", "/runs/facets", count_run_facets),
    Operation("GET", "/runs/sparklines", list_sparklines),
    Operation("GET", "/runs/comparison", compare_runs),
    Operation("GET", "/runs/picture", draw_runs),
    Operation("GET", "/runs/{run_id}", get_run),
    Operation("PATCH", "/runs/{run_id}", mark_run),
    Operation("GET", "/runs/{run_id}/notebook", get_run_notebook),
    Operation("GET", "/runs/{run_id}/origin", get_run_origin),
    Operation("POST", "/runs/{run_id}/checkout", check_out_run, status=201),
)
