"""Registering: a text becomes a version once its test has passed, and stays it."""

from __future__ import annotations

import inspect
import linecache
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select

from workbench.access import require
from workbench.errors import NotebookError, UsageError, WorkbenchError
from workbench.functions.examples import check
from workbench.functions.function import Function
from workbench.functions.records import FunctionVersion, find_version, versions_of
from workbench.functions.running import run
from workbench.functions.source import Text, declared_in, public_in, text_of
from workbench.git import Repository
from workbench.git.notebooks import parse
from workbench.lineage import link
from workbench.project import Project
from workbench.store import FunctionRow, database, file_lock, now

__all__ = [
    "FOLDER",
    "TAG",
    "Registered",
    "get",
    "register",
    "register_cell",
    "register_file",
    "register_notebook",
    "register_tagged",
]

FOLDER = "functions"
"""Where a project has functions in files."""

TAG = "function"
"""The tag of a notebook's cell, each public function of which is registered."""

_logger = logging.getLogger("workbench.functions")

_loaded: dict[str, Function] = {}
"""Functions by the digest of all their text: there is nothing else that they could differ in."""


class Registered(BaseModel):
    """What registering a text came to."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: int
    new: bool
    origin: str

    @property
    def label(self) -> str:
        """The version, as `get` takes it."""
        return f"{self.name}@{self.version}"


def get(reference: str, project: Project | None = None) -> Function:
    """Return a registered function, ready to be called.

    Parameters
    ----------
    reference
        `name` for the newest version, `name@2` or `name/2` for that one.

    Raises
    ------
    NotFoundError
        If there is no such function or version.
    DataError
        If its record was changed since it was registered.
    """
    return loaded(find_version(project or Project.find(), reference))


def loaded(version: FunctionVersion) -> Function:
    """Run a version's text, once in a process."""
    text = version.text()
    key = f"{version.label} {text.digest}"
    if key not in _loaded:
        function = run(text)
        function.version, function.digest = version.version, text.digest
        _loaded[key] = function
    return _loaded[key]


def register(function: Function, project: Project | None = None) -> Function:
    """Register a function that a notebook or a module declares; return the version.

    Raises
    ------
    UsageError
        If its text can't be read, or it uses what isn't defined beside it.
    DataError
        If its test fails.
    ForbiddenError
        If whoever asks may not.
    """
    project = project or Project.find()
    path = inspect.getfile(function.build)
    text = "".join(linecache.getlines(path))
    if not text:
        raise UsageError(
            f"function {function.name}: its text can't be read; declare it in a notebook's cell "
            f"or in a file of {FOLDER}/"
        )
    is_own = Path(path).is_file() and Path(path).resolve().is_relative_to(project.root)
    origin = project.relative(Path(path)) if is_own else ""  # a cell's name is no file's
    return get(_register(project, text, function.name, origin).label, project)


def register_cell(source: str, project: Project, notebook: str = "") -> list[Registered]:
    """Register every public function that the source of a cell defines.

    Parameters
    ----------
    notebook
        The notebook that the cell is of, from the project's root.

    Raises
    ------
    UsageError
        If it isn't plain Python, or a function can't be registered as it is.
    DataError
        If a function's test fails.
    """
    where = f"{notebook}: cell" if notebook else "cell"
    names = public_in(source, where)
    return [_register(project, source, name, notebook) for name in names]


def register_notebook(path: Path, project: Project) -> list[Registered]:
    """Register the functions of a notebook's cells that are tagged `function`.

    Nothing else of the notebook is run.

    Raises
    ------
    NotebookError
        If it can't be read, or no cell has the tag.
    """
    name = project.relative(path)
    try:
        cells = parse(path.read_bytes())["cells"]
    except FileNotFoundError as error:
        raise NotebookError(f"{path}: no such notebook") from error
    except OSError as error:
        raise NotebookError(f"{path}: can't be read: {error.strerror}") from error
    except NotebookError as error:
        raise NotebookError(f"{path}: {error}") from error
    tagged = [c["source"] for c in cells if c["cell_type"] == "code" and TAG in _tags(c)]
    if not tagged:
        raise NotebookError(f"{name}: no cell has the tag {TAG!r}")
    return [made for source in tagged for made in register_cell(source, project, name)]


def register_tagged(cells: Iterable[Any], project: Project, notebook: str) -> list[Registered]:
    """Register the functions of cells that ran, where they are tagged `function`.

    The notebook ran all the same: what can't be registered is named in the log, with the reason.

    Parameters
    ----------
    cells
        As a notebook's file has them.
    """
    made: list[Registered] = []
    for cell in cells:
        if cell["cell_type"] == "code" and TAG in _tags(cell):
            try:
                made += register_cell(str(cell["source"]), project, notebook)
            except WorkbenchError as error:
                _logger.warning("a function is not registered: %s", error)
    return made


def _tags(cell: Any) -> list[str]:
    return list(cell.get("metadata", {}).get("tags", []))


def register_file(path: Path, project: Project) -> list[Registered]:
    """Register what a Python file declares with `@workbench.function`."""
    where = project.relative(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file") from error
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{path}: can't be read: {error}") from error
    names = declared_in(text, where)
    if not names:
        raise UsageError(f"{where}: declares no function with @workbench.function")
    return [_register(project, text, name, where) for name in names]


def _register(project: Project, written: str, name: str, origin: str) -> Registered:
    text = text_of(written, name, project.root, origin or "cell")
    versions = versions_of(project, name)
    for known in versions:
        if known.digest == text.digest:
            return Registered(name=name, version=known.version, new=False, origin=known.origin)
    person = require(project, "developer", f"register function {name}")
    function = run(text)
    examples = check(function)
    version, new = _insert(
        project, text, _definition(function, text, examples, origin), person.name
    )
    _link(project, f"function:{name}@{version}", written, origin)
    before = versions[-1].origin if versions else ""
    if origin and before and before != origin:
        _logger.warning(
            "function %s: version %s is from %s, the one before was from %s: is it the same "
            "function?",
            name,
            version,
            origin,
            before,
        )
    return Registered(name=name, version=version, new=new, origin=origin)


def _definition(function: Function, text: Text, examples: int, origin: str) -> dict[str, Any]:
    return {
        "description": function.description,
        "doc": function.__doc__ or "",
        "owner": function.owner,
        "tags": function.tags,
        "signature": function.signature.described(),
        "examples": examples,
        "origin": origin,
        "modules": dict(text.modules),
    }


def _insert(project: Project, text: Text, definition: dict[str, Any], by: str) -> tuple[int, bool]:
    """Give the text the next version, unless somebody did so meanwhile."""
    of_name = FunctionRow.name == text.name
    with file_lock(project.state / "functions.lock"), database(project).session() as session:
        same = select(FunctionRow).where(of_name, FunctionRow.digest == text.digest)
        row = session.scalars(same).one_or_none()
        if row is not None:
            return row.version, False
        newest = session.scalar(select(func.max(FunctionRow.version)).where(of_name)) or 0
        made = FunctionRow(
            name=text.name,
            version=newest + 1,
            digest=text.digest,
            definition=definition,
            source=text.source,
            created_by=by,
            created_at=now(),
        )
        session.add(made)
        return newest + 1, True


def _link(project: Project, node: str, written: str, origin: str) -> None:
    """Lead the chain on from the notebook, and from the commit if that has the text as it is."""
    if not origin:
        return
    if origin.endswith(".ipynb"):
        link(project, [f"notebook:{origin}"], node, "defined")
    repository = Repository(project.root)
    if repository.exists and written in _committed(repository, origin):
        link(project, [f"commit:{repository.head}"], node, "defined")


def _committed(repository: Repository, origin: str) -> list[str]:
    """Return the file's text at the last commit, or the texts of the notebook's cells."""
    name = (repository.folder / origin).as_posix()
    done = repository.git("cat-file", "blob", f"HEAD:{name}", accept=(0, 1, 128))
    if done.returncode != 0:
        return []
    if not origin.endswith(".ipynb"):
        return [done.stdout.decode("utf-8", "replace")]
    try:
        return [cell["source"] for cell in parse(done.stdout)["cells"]]
    except NotebookError:
        return []
