"""The tours through the registry, each run from top to bottom in a finished flights demo."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.projects import copy_folder
from workbench.project import Project
from workbench.registry import get_model, list_decisions

TOURS = Path(__file__).parents[2] / "notebooks" / "tour"

pytestmark = pytest.mark.demo


@pytest.fixture(scope="module")
def folder(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo that the tours may change, one after the other."""
    copy = tmp_path_factory.mktemp("tours") / "flights"
    return copy_folder(demo_project, copy)


def toured(name: str, folder: Path) -> dict[str, str]:
    """Execute a tour with the project's folder as its own; return the text of each cell."""
    notebook = nbformat.read(TOURS / f"{name}.ipynb", as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=500, resources=resources).execute()
    return {cell.id: _text(cell) for cell in notebook.cells if cell.cell_type == "code"}


def _text(cell: nbformat.NotebookNode) -> str:
    return "".join(
        output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
        for output in cell.outputs
    )


def test_evaluation(folder: Path) -> None:
    shown = toured("evaluation", folder)
    assert "issue - delay alone reaches ROC AUC" in shown["leak"]
    assert "WB003" in shown["seen"]
    assert "advantage" in shown["compare"]
    assert "did you mean WB005" in shown["gate"]
    [page] = (folder / ".workbench" / "evaluation").glob("*.html")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_gate(folder: Path) -> None:
    project = Project.find(folder)
    champion = get_model(project, "flights-late").aliases["champion"]
    shown = toured("gate", folder)
    assert "it lacks a commit" in shown["trace"]
    assert "an owner" in shown["trace"]
    assert "GT008" in shown["report"]
    assert shown["parity"].count("true") == 3
    assert "put it through the gate again" in shown["refused"]
    assert "broken: []" in shown["log"]
    assert get_model(project, "flights-late").aliases == {"champion": champion}
    moves = [decision.outcome for decision in list_decisions(project, "flights-late")]
    assert moves == ["promoted", "promoted", "rolled back", "promoted"]


@pytest.mark.parametrize("name", ["explanation", "lineage", "panels"])
def test_the_others_run_to_their_end(folder: Path, name: str) -> None:
    assert toured(name, folder)


def test_reproduction(folder: Path) -> None:
    shown = toured("reproduction", folder)
    assert any("same bytes" in text or "same predictions" in text for text in shown.values())
