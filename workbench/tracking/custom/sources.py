"""The source of a class: its module, the project's modules that it imports, and who knows them.

A model's folder may have been written by anyone. So a stored module runs only if it is the
project's own: Git has that very content, committed or kept when a model or a run was logged; or the
file in the project is, byte for byte, the same today.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import logging
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import DataError, GitError
from workbench.git.snapshots.adding import add_contents
from workbench.git.snapshots.place import places, writing_place
from workbench.git.snapshots.scratch import scratch_folder
from workbench.git.snapshots.session import GitSession
from workbench.project import Project
from workbench.tracking.custom.classes import own_file, titled

__all__ = ["Sources", "keep", "read_sources", "unknown"]

REFS = "refs/workbench/models/"
"""Hidden refs that keep the code of models, whatever becomes of branches and runs."""

_FOLDERS = ("", "src", "notebooks")

_logger = logging.getLogger("workbench.tracking")


@dataclass(frozen=True)
class Sources:
    """The modules' contents by the path that they are imported by, such as `flights/models.py`.

    `imported` says which packages from elsewhere they import.
    """

    contents: dict[str, bytes]
    imported: frozenset[str]


def read_sources(cls: type, project: Project) -> Sources:
    """Read the module of a class and all modules of the project that it imports, as on disk.

    What is imported is read off the source: also what stands in functions, but not what a call of
    `importlib` names.

    Raises
    ------
    DataError
        If a file is gone, or isn't Python.
    """
    contents, imported = dict[str, bytes](), set[str]()
    first = _file(cls.__module__, project, None)
    start = _above(cls.__module__, first) if first else project.root
    waiting, seen = [cls.__module__], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        file = _file(name, project, start)
        if file is None:
            imported.add(name.partition(".")[0])
            continue
        path = f"{name.replace('.', '/')}{'/__init__' if file.stem == '__init__' else ''}.py"
        try:
            contents[path] = file.read_bytes()
            waiting += _imports(contents[path], name, is_package=file.stem == "__init__")
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(
                f"{titled(cls)}: the source of {name} can't be read: {error}"
            ) from error
        if "." in name:
            waiting.append(name.rpartition(".")[0])  # its package runs before it
    own = {path.removesuffix(".py").partition("/")[0] for path in contents}
    return Sources(contents, frozenset(imported - own))


def _file(name: str, project: Project, start: Path | None) -> Path | None:
    """Find the file of a module of the project; one that isn't imported yet, from `start` on."""
    if name in sys.modules:
        return own_file(sys.modules[name], project)
    if start is None:
        return None
    path = start.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file.resolve()
    return None


def _above(name: str, file: Path) -> Path:
    """Return the folder that a module's name starts from."""
    depth = name.count(".") + (file.stem == "__init__")
    return file.parents[depth]


def _imports(source: bytes, module: str, *, is_package: bool) -> Iterator[str]:
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = importlib.util.resolve_name("." * node.level + base, package)
            if base:
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")


def keep(project: Project, sources: Sources) -> None:
    """Keep the source under a hidden ref, so that it is known when the model is loaded again.

    Where Git isn't there it is known for as long as the files in the project stay as they are.
    """
    whole = hashlib.sha256()
    for path, content in sorted(sources.contents.items()):
        whole.update(f"{path}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    ref = f"{REFS}{whole.hexdigest()}"
    try:
        place = writing_place(project.root, project.state)
        with scratch_folder(place.git_dir) as scratch:
            git = GitSession(place, scratch / "index")
            if git.tries("rev-parse", "--verify", "--quiet", ref) is None:
                add_contents(git, sources.contents, scratch)
                message = b"The code of a model\n"
                tree = git.line("write-tree")
                made = git.line("commit-tree", "--no-gpg-sign", "-F", "-", tree, stdin=message)
                git("update-ref", ref, made)
    except (GitError, OSError) as error:
        _logger.warning("the code of a model is kept with the model alone: %s", error)


def unknown(project: Project, contents: Mapping[str, bytes]) -> list[str]:
    """List the modules that aren't the project's own, as Git or the files in it have them."""
    left = [path for path, content in contents.items() if not _is_today(project, path, content)]
    try:
        for place in places(project.root, project.state) if left else []:
            git = GitSession(place)
            left = [path for path in left if not _has(git, contents[path])]
    except GitError as error:
        _logger.warning("Git can't say whether a model's code is the project's: %s", error)
    return left


def _is_today(project: Project, path: str, content: bytes) -> bool:
    """Look where the project's modules are imported from; never where a model's folder may be."""
    files = (project.root / folder / path for folder in _FOLDERS)
    return any(file.is_file() and file.read_bytes() == content for file in files)


def _has(git: GitSession, content: bytes) -> bool:
    """Say whether the repository has this very content, in either of Git's ways to name it."""
    named = b"blob %d\0" % len(content) + content
    names = [hashlib.sha1(named, usedforsecurity=False), hashlib.sha256(named)]
    asked = "".join(f"{name.hexdigest()}\n" for name in names).encode()
    told = git("--no-replace-objects", "cat-file", "--batch-check", stdin=asked)
    return any(line.split(b" ")[1:2] == [b"blob"] for line in told.splitlines())
