"""Where contracts are, and how one is loaded."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from workbench.data.contracts.imports import local_modules
from workbench.data.contracts.quick import QuickCheck, changes
from workbench.errors import ConfigError, MissingExtraError, NotFoundError, UsageError
from workbench.project import Project

__all__ = [
    "Contract",
    "contract_path",
    "has_contract",
    "load_contract",
    "load_file",
]

_FOLDER = "contracts"
_NAMES = ("contract", "Contract")
"""What a file that defines several schemas calls the one that counts."""


@dataclass(frozen=True)
class Contract:
    """A contract as it was loaded: pandera's schema, and our quick way to see that all is well."""

    name: str
    path: str
    """From the project's root."""
    digest: str
    schema: Any
    quick: QuickCheck

    @property
    def label(self) -> str:
        """The contract's name in records: its file and its content, with what it imports of the
        project.
        ."""
        return f"{self.path}@{self.digest[:12]}"


def contract_path(project: Project, name: str) -> Path:
    """Return where the contract called `name` is, or would be.

    Raises
    ------
    UsageError
        If the name leads out of the folder of contracts.
    """
    folder = project.root / _FOLDER
    path = folder / f"{name}.py"
    if not name or path.resolve().parent != folder.resolve():
        raise UsageError(f"{name!r}: not a name for a file in {_FOLDER}/")
    return path


def has_contract(project: Project, name: str) -> bool:
    """Tell whether there is a contract called `name`."""
    try:
        return contract_path(project, name).is_file()
    except UsageError:  # a source may be called what no file can be
        return False


def load_contract(project: Project, name: str) -> Contract:
    """Load a contract; a file that hasn't changed since is not run again.

    Raises
    ------
    NotFoundError
        If there is none; the message has the command that writes a first one.
    ConfigError
        If its file can't be run, or doesn't define one schema.
    """
    path = contract_path(project, name)
    try:
        status = path.stat()
    except OSError:
        known = sorted(one.stem for one in path.parent.glob("[!_.]*.py"))
        told = NotFoundError.named("contract", name, known, f" in {_FOLDER}/")
        raise NotFoundError(
            f"{told}; workbench data contract {name} --infer writes a first one"
        ) from None
    stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
    loaded = _loaded.get(path)
    if loaded is None or loaded[0] != stamp:
        loaded = _loaded[path] = (stamp, load_file(path, project, name))
    return loaded[1]


_loaded: dict[Path, tuple[tuple[int, int, int], Contract]] = {}


def load_file(path: Path, project: Project, name: str) -> Contract:
    """Run a file as the contract called `name`, which it need not be yet.

    Raises
    ------
    ConfigError
        If it can't be run, or doesn't define one schema that only checks.
    """
    shown = project.relative(contract_path(project, name))
    try:
        import pandera.polars  # noqa: F401
    except ImportError as error:
        raise MissingExtraError.of("pandera", "contracts") from error
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    # Kept among the modules: a model looks up its annotations there.
    module = ModuleType(f"workbench_contract_{digest[:12]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        exec(compile(content, str(path), "exec", dont_inherit=True), vars(module))
        schema = _schema(module, shown)
        for text in local_modules(content, project.root).values():
            digest = hashlib.sha256(digest.encode() + text).hexdigest()
    except ConfigError:
        raise
    except Exception as error:  # whatever the project's own code raises
        line = next((f":{frame.tb_lineno}" for frame in _frames(error) if _is_in(frame, path)), "")
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{shown}{line}: {type(error).__name__}: {reason}") from error
    if changing := changes(schema):
        raise ConfigError(
            f"{shown}: {', '.join(changing)} would change the frame, and a contract only checks it"
        )
    return Contract(name, shown, digest, schema, QuickCheck(schema))


def _schema(module: ModuleType, shown: str) -> Any:
    import pandera.polars as pa

    found = {}
    for name, value in vars(module).items():
        is_model = isinstance(value, type) and issubclass(value, pa.DataFrameModel)
        if is_model and value.__module__ == module.__name__:
            found[name] = value.to_schema()
        elif isinstance(value, pa.DataFrameSchema):
            found[name] = value
    for name in _NAMES:
        if name in found:
            return found[name]
    if len(found) != 1:
        what = f"several: {', '.join(found)}; call one {_NAMES[0]}" if found else "none"
        raise ConfigError(
            f"{shown}: expected one pandera.polars schema (DataFrameModel or DataFrameSchema), "
            f"found {what}"
        )
    return next(iter(found.values()))


def _frames(error: Exception) -> list[Any]:
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    return frames[::-1]


def _is_in(frame: Any, path: Path) -> bool:
    return bool(frame.tb_frame.f_code.co_filename == str(path))
