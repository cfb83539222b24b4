"""Named outputs: what a notebook gives to the one after it.

A frame becomes Parquet, a file is copied, anything that JSON can say becomes JSON:

>>> import workbench as wb
>>> wb.output("threshold", 0.4)  # doctest: +SKIP

In a job they are in its folder; an index beside them says what each is and has its digest. Written
twice, the last stands.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from workbench.errors import DataError, StoreError, UsageError
from workbench.project import JOB_FOLDER, Project
from workbench.store.files import file_lock, write_atomic

__all__ = ["INDEX", "OUTPUTS", "Output", "check_name", "job_outputs", "output", "read_outputs"]

OUTPUTS, INDEX = "outputs", "outputs.json"
"""The folder in the job's, and the index in that folder."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")

OutputKind = Literal["frame", "file", "json"]


class Output(BaseModel):
    """One output. `digest` is the SHA-256 of the file; a frame also says its shape."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: OutputKind
    path: Path
    digest: str
    rows: int | None = None
    columns: list[str] | None = None

    def handed_on(self, *, as_path: bool = False) -> Any:
        """Return what a parameter is given: a JSON value itself, of all else the path.

        With `as_path` it is the path of every kind: the parameter is declared to be one.
        """
        if self.kind == "json" and not as_path:
            return json.loads(self.path.read_text(encoding="utf-8"))
        return str(self.path)


def output(name: str, value: Any) -> Path:
    """Give `value` out under `name`; return the file that has it.

    A polars or pandas frame becomes a Parquet file, a `Path` is copied, and every other value has
    to be one of JSON; numpy's numbers and arrays, dates and Decimals are written as JSON can.

    Raises
    ------
    UsageError
        For a bad name, for bytes, and for a value that is none of these.
    DataError
        If a frame has columns that Parquet can't hold.
    StoreError
        If the file can't be written.
    """
    check_name(name)
    folder = _folder()
    kind, suffix = _kind(name, value)
    path = folder / f"{name}{suffix}"
    with file_lock(folder / ".lock"):
        before = _read_index(folder)
        with write_atomic(path) as beside:
            shape = _WRITERS[kind](name, value, beside)
            digest = _digest(beside)
        entry = {"kind": kind, "file": path.name, "digest": digest, **shape}
        with write_atomic(folder / INDEX) as beside:
            beside.write_text(json.dumps({**before, name: entry}, indent=1), encoding="utf-8")
        replaced = before.get(name, entry)["file"]
        if replaced != path.name:
            (folder / replaced).unlink(missing_ok=True)
    if JOB_FOLDER not in os.environ:
        print(f"workbench: in no job, so output {name!r} is in {path}")
    return path


def read_outputs(folder: Path) -> dict[str, Output]:
    """Read the outputs in `folder`; none if nothing was given out there.

    Raises
    ------
    StoreError
        If their index can't be read.
    """
    return {
        name: Output(name=name, path=folder / entry["file"], **entry)
        for name, entry in _read_index(folder).items()
    }


def job_outputs(project: Project, job_id: str) -> dict[str, Output]:
    """Return the outputs of a job, by name."""
    return read_outputs(project.state / "jobs" / job_id / OUTPUTS)


def check_name(name: str) -> None:
    """Check the name of an output.

    Raises
    ------
    UsageError
        If it can't be the name of a file everywhere, or is the index's.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name == OUTPUTS:
        raise UsageError(
            f"output {name!r}: expected a name of letters, digits, _ and -, which begins with a "
            f"letter and isn't {OUTPUTS!r}"
        )


def _folder() -> Path:
    job = os.environ.get(JOB_FOLDER)
    if job:
        return Path(job) / OUTPUTS
    from workbench.tracking.capture.origin import session_notebook

    notebook = session_notebook()
    return Project.find().state / OUTPUTS / (notebook.stem if notebook else "session")


def _kind(name: str, value: Any) -> tuple[OutputKind, str]:
    """Say what `value` is, and how its file's name ends."""
    if _is_frame(value):
        return "frame", ".parquet"
    if isinstance(value, Path):
        return "file", value.suffix
    if isinstance(value, bytes | bytearray | memoryview):
        raise UsageError(f"output {name!r}: bytes say nothing of what they are: give a Path")
    return "json", ".json"


def _is_frame(value: Any) -> bool:
    """Tell a frame without importing what it isn't of."""
    polars, pandas = sys.modules.get("polars"), sys.modules.get("pandas")
    return (polars is not None and isinstance(value, polars.DataFrame)) or (
        pandas is not None and isinstance(value, pandas.DataFrame)
    )


def _write_frame(name: str, frame: Any, beside: Path) -> dict[str, Any]:
    write = frame.write_parquet if hasattr(frame, "write_parquet") else frame.to_parquet
    try:
        write(beside)
    except OSError:
        raise  # the disk's fault, and said so
    except Exception as error:  # each library has its own for a column that Parquet lacks
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(f"output {name!r}: Parquet can't hold this frame: {reason}") from error
    rows, _ = frame.shape
    return {"rows": rows, "columns": [str(column) for column in frame.columns]}


def _write_file(name: str, source: Path, beside: Path) -> dict[str, Any]:
    if not source.is_file():
        found = "a folder; pack it into one file" if source.is_dir() else "not there"
        raise UsageError(f"output {name!r}: expected an existing file, and {source} is {found}")
    shutil.copyfile(source, beside)
    return {}


def _write_json(name: str, value: Any, beside: Path) -> dict[str, Any]:
    try:
        text = json.dumps(value, default=_plain, allow_nan=False, ensure_ascii=False)
        beside.write_text(text, encoding="utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"output {name!r}: expected a polars or pandas frame, a Path or a JSON value: {error}"
        ) from error
    return {}


def _plain(value: Any) -> Any:
    """Write as JSON what is plainly a number, a text or a list of such."""
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        return value.tolist()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} isn't one")


_WRITERS = {"frame": _write_frame, "file": _write_file, "json": _write_json}


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _read_index(folder: Path) -> Mapping[str, Any]:
    try:
        index: dict[str, Any] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder / INDEX}: can't be read: {error}") from error
    return index
