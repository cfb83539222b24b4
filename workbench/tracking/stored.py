"""Which files of a stored model are the model itself, and whether two models' are the same."""

from __future__ import annotations

import filecmp
from pathlib import Path

__all__ = ["model_files", "same_files"]

_ABOUT_IT = {
    "MLmodel",
    "conda.yaml",
    "python_env.yaml",
    "recorded_rows.parquet",
    "registered_model_meta",
    "requirements.txt",
}
"""What says of a model when it was made, from what and by whom."""


def model_files(folder: Path) -> dict[str, Path]:
    """List the files that are the model itself, by their path in `folder`."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {
        name: path
        for name, path in sorted(found.items())
        if path.is_file() and name not in _ABOUT_IT and path.parent.name != "__pycache__"
    }


def same_files(one: Path, other: Path) -> bool:
    """Say whether the models in two folders are equal, file by file and byte for byte."""
    ours, theirs = model_files(one), model_files(other)
    return ours.keys() == theirs.keys() and all(
        filecmp.cmp(ours[name], theirs[name], shallow=False) for name in ours
    )
