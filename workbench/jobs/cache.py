"""What a job does, as a digest: an earlier job with the same one needn't be done again.

Counted are the notebook's cells, its parameters, the data it declares, every file of the work tree
that may be code, Python and the packages. A parameter that names a file counts by the file's
content. Notebooks, Markdown, pipelines and schedules don't count as code: a step of a pipeline is
mended without those before it being done again. A secret counts by its name alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.data import stamp
from workbench.git import Repository
from workbench.git.command import run_git
from workbench.jobs.requests import JobRequest
from workbench.project import Project
from workbench.tracking.capture.environment import environment

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["CacheKeys"]

_NOT_CODE = (".ipynb", ".md", ".rst")
_OF_OURS = ("pipelines/", "schedules/")


class CacheKeys:
    """Computes the keys of many jobs, looking at the work tree and the packages once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._code: dict[Path, str] = {}
        self._files: dict[Path, str] = {}
        installed = environment()
        self._environment = [installed.python, installed.packages]

    def key(
        self, request: JobRequest, notebook: NotebookNode, parameters: Mapping[str, Any]
    ) -> str:
        """Return the digest of what the request would do.

        Parameters
        ----------
        parameters
            All of them, the notebook's own included, in the form that records have.
        """
        root = request.code or self._project.root
        declared = notebook.metadata.get("workbench", {}).get("data", [])
        content = {
            "kernel": notebook.metadata.get("kernelspec", {}).get("name"),
            "cells": [cell.source for cell in notebook.cells if cell.cell_type == "code"],
            "parameters": {
                name: request.digests.get(name) or self._value(root, value)
                for name, value in sorted(parameters.items())
            },
            "data": {
                name: stamp(name, self._project) for name in sorted({*request.data, *declared})
            },
            "code": self._code_of(root),
            "environment": self._environment,
            "variables": dict(request.environment),
        }
        text = json.dumps(content, sort_keys=True, default=str)
        return f"cache:{hashlib.sha256(text.encode()).hexdigest()}"

    def _value(self, root: Path, value: Any) -> Any:
        """Let a file's name count by what is in the file; a folder's is but its name."""
        if isinstance(value, list):
            return [self._value(root, item) for item in value]
        if isinstance(value, str) and value and "\n" not in value and len(value) < 1000:
            try:
                path = root / value
                if path.is_file():
                    return [value, self._file(path)]
            except OSError:
                pass  # a text that no file can be called
        return value

    def _file(self, path: Path) -> str:
        if path not in self._files:
            with path.open("rb") as file:
                self._files[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._files[path]

    def _code_of(self, root: Path) -> str:
        if root not in self._code:
            digest = hashlib.sha256()
            for name, content in sorted(_contents(root, self._file).items()):
                digest.update(f"{name}\0{content}\0".encode())
            self._code[root] = digest.hexdigest()
        return self._code[root]


def _contents(root: Path, digest: Callable[[Path], str]) -> dict[str, str]:
    """Name the files that may be code, each with something that changes with its content."""
    repository = Repository(root)
    if not repository.exists:
        return {path.relative_to(root).as_posix(): digest(path) for path in root.rglob("*.py")}
    listing = run_git(root, "ls-files", "--stage", "-z", "--", ".").stdout
    entries = (entry.partition("\t") for entry in os.fsdecode(listing).split("\0")[:-1])
    found = {name: blob for blob, _, name in entries}
    for changed in repository.status().changed:
        path = root / changed.path
        found[changed.path] = digest(path) if path.is_file() else "gone"
    return {name: content for name, content in found.items() if _is_code(name)}


def _is_code(name: str) -> bool:
    """Tell whether a notebook may depend on a file; what says when to run it is no part of it."""
    return not (name.endswith(_NOT_CODE) or (name.startswith(_OF_OURS) and name.endswith(".toml")))
