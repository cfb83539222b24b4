"""The tour of features, as a new user runs it: made from its template, executed as a job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from workbench.lineage import upstream
from workbench.project import Project


def test_the_tour_goes_round_once(
    tmp_path: Path, cli: Callable[..., Any], cli_json: Callable[..., Any]
) -> None:
    folder = tmp_path / "features-tour"
    made = cli("init", folder, "--template", "tour")
    assert made.returncode == 0, made.stderr
    job = cli_json("run", "notebooks/features.ipynb", folder=folder)
    assert job["state"] == "succeeded", job["error"]
    said = _printed(folder / job["output"])
    assert "weather:temp - temperature, °F" in said, "the search forgave the slip"
    assert "weather 12 cells, 0 differ" in said
    assert "airport 9 cells, 0 differ" in said

    [run] = cli_json("runs", "list", folder=folder)
    assert 0.7 < run["metrics"]["roc_auc"] < 0.9
    [found] = cli_json("features", "search", "temprature", "--json", folder=folder)[:1]
    assert found["name"] == "weather:temp"
    edges = upstream(Project.find(folder), f"run:{run['run_id']}")
    sources = {edge.source.partition("@")[0] for edge in edges}
    assert {"view:weather", "view:airport", "spine:scheduled"} <= sources, sources


def _printed(path: Path) -> str:
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.get("text", "") for output in outputs)
