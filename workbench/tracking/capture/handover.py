"""What a kernel noticed, on its way to the run's record.

A job's kernel needs no MLflow to notice things: it appends a line to a file in the job's folder,
and whoever closes the job stores them. So a kernel that is killed has told what it knew by then.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from workbench.data import Dataset
from workbench.errors import StoreError
from workbench.lineage import Edge, Touch, link_all
from workbench.lineage.columns import input_edges
from workbench.project import Project
from workbench.tracking.capture.environment import Environment
from workbench.tracking.session import Run
from workbench.tracking.store import client, initialise

__all__ = [
    "Captured",
    "Note",
    "append",
    "read_notes",
    "store_captured",
    "tag_experiment",
]

_FILE = "captured.jsonl"


class Note(BaseModel):
    """One thing that was noticed."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["environment", "dataset", "node", "modules", "memory", "made", "fitted"]
    cell: int = 0
    """The kernel's count of the cell that it was noticed in; 0 outside of any."""
    environment: Environment | None = None
    dataset: Dataset | None = None
    node: str = ""
    columns: list[str] = []
    modules: list[str] = []
    peak_memory_bytes: int = 0


class Captured(BaseModel):
    """All that was noticed of one run."""

    model_config = ConfigDict(frozen=True)

    environment: Environment | None = None
    datasets: list[Dataset] = []
    nodes: list[str] = []
    modules: list[Path] = []
    peak_memory_bytes: int = 0
    touches: list[Touch] = []
    fitted: dict[str, list[str]] = {}
    """The input columns of the last model that was stored with each run, by the run's node."""

    @classmethod
    def of(cls, notes: Sequence[Note]) -> Captured:
        """Put notes together: the last word of each kind, every dataset once."""
        environments = [note.environment for note in notes if note.environment]
        datasets = {note.dataset.node: note.dataset for note in notes if note.dataset}
        modules = dict.fromkeys(path for note in notes for path in note.modules)
        return cls(
            environment=environments[-1] if environments else None,
            datasets=list(datasets.values()),
            nodes=list(dict.fromkeys(note.node for note in notes if note.kind == "node")),
            modules=[Path(path) for path in modules],
            peak_memory_bytes=max((note.peak_memory_bytes for note in notes), default=0),
            touches=list(dict.fromkeys(touch for note in notes for touch in _touches(note))),
            fitted={note.node: note.columns for note in notes if note.kind == "fitted"},
        )

    @property
    def read(self) -> list[str]:
        """The lineage nodes of all that was read and joined."""
        return [*(dataset.node for dataset in self.datasets), *self.nodes]


_RELATIONS = {"dataset": "reads", "node": "joins", "made": "makes", "fitted": "logged"}


def _touches(note: Note) -> list[Touch]:
    node = note.dataset.node if note.dataset else note.node
    if not note.cell or note.kind not in _RELATIONS:
        return []
    return [Touch(count=note.cell, relation=_RELATIONS[note.kind], node=node)]


def append(folder: Path, note: Note) -> None:
    """Add a note to those in `folder`."""
    line = note.model_dump_json(exclude_defaults=True, exclude_none=True) + "\n"
    with (folder / _FILE).open("a", encoding="utf-8") as file:
        file.write(line)


def read_notes(folder: Path) -> list[Note]:
    """Read the notes in `folder`; a last line that was cut short by a kill counts for nothing."""
    try:
        lines = (folder / _FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    notes = []
    for line in lines:
        try:
            notes.append(Note.model_validate_json(line))
        except ValueError:
            continue
    return notes


def tag_experiment(project: Project, key: str, value: str) -> None:
    """Set a tag of the project's experiment.

    Raises
    ------
    StoreError
        If MLflow can't be reached or refuses it.
    """
    from mlflow.exceptions import MlflowException

    experiment_id = initialise(project)
    try:
        client(project).set_experiment_tag(experiment_id, key, value)
    except MlflowException as error:
        raise StoreError(f"experiment {project.name}: tag {key}: {error.message}") from error


def store_captured(run: Run, captured: Captured, cells: Sequence[Edge] = ()) -> None:
    """Give the run what was noticed; giving it again changes nothing.

    Parameters
    ----------
    cells
        What leads from the run's cells to it.
    """
    if captured.environment is not None:
        content = json.dumps(captured.environment.model_dump(mode="json"), indent=2)
        run.writer.file(content.encode(), "environment.json")
    for dataset in captured.datasets:
        fields = {
            "name": dataset.name,
            "digest": dataset.digest[:32],  # MLflow keeps 36 characters
            "source_type": "workbench",
            "source": json.dumps({"project": run.project.name, "address": dataset.address}),
            "schema": json.dumps(dataset.columns),
            "profile": json.dumps({"num_rows": dataset.rows}),
        }
        run.writer.dataset(fields, "read")
    read = [Edge(source=node, target=run.node, relation="read") for node in captured.read]
    inputs = input_edges(run.project, captured.fitted, captured.read)
    link_all(run.project, [*read, *cells, *inputs])
