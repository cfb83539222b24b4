"""Writing a model of the project's own class into a folder, and reading it back from one."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, WorkbenchError
from workbench.project import Project
from workbench.tracking.custom import loader
from workbench.tracking.custom.loader import DTYPES, StoredModel, asked_by, class_of
from workbench.tracking.custom.sources import Sources, keep, read_sources, unknown
from workbench.tracking.custom.state import load_state, packages, save_state, saves_itself

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["CODE", "CUSTOM", "LOADER", "check_same", "check_source", "read_custom", "write_custom"]

CUSTOM = "custom"
"""What MLmodel calls the flavor."""

CODE, LOADER = "code", "workbench_model"
"""The folder of the stored modules, and the one among them that MLflow's `pyfunc` asks."""


def write_custom(
    model: StoredModel, folder: Path, project: Project
) -> tuple[dict[str, Any], dict[str, Any], set[str], bool]:
    """Write state and source into `folder`, and keep the source with the project.

    Returns
    -------
    tuple
        What MLmodel has to say under `custom` and under `python_function`; the packages that it
        takes to load it; whether there is a pickle in it.
    """
    cls = type(model.own)
    sources = read_sources(cls, project)
    needed, pickled = save_state(model.own, folder, project.settings)
    _write_sources(sources, folder / CODE)
    keep(project, sources)
    options = {
        "module": cls.__module__,
        "class": cls.__qualname__,
        "schema": [list(column) for column in model.schema],
        "sources": {
            path: hashlib.sha256(content).hexdigest() for path, content in sources.contents.items()
        },
        "state": "class" if saves_itself(cls) else "skops",
        "skops_trusted_types": needed or None,
    }
    method = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    pyfunc = {"loader_module": LOADER, "code": CODE, "predict_fn": method}
    return options, pyfunc, set(sources.imported) | packages(folder), pickled


def _write_sources(sources: Sources, code: Path) -> None:
    for path, content in sources.contents.items():
        file = code / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    shutil.copyfile(loader.__file__, code / f"{LOADER}.py")


def read_custom(
    flavors: Mapping[str, Any], folder: Path, project: Project, uri: str
) -> StoredModel:
    """Load the model in `folder`, by the source that is stored with it if that is the project's.

    Raises
    ------
    DataError
        If its code isn't known to the project, isn't what it says, or the state can't be read.
    """
    options, contents = check_source(flavors, folder, project, uri)
    try:
        cls = class_of(contents, folder / CODE, options["module"], options["class"])
    except WorkbenchError:
        raise
    except Exception as error:  # it is somebody's code, in an environment that may be another
        raise DataError(f"{uri}: its code can't be run: {error}") from error
    own = load_state(cls, folder, project.settings, uri)
    return asked_by(own, [(name, dtype) for name, dtype in options["schema"]], DataError)


def check_source(
    flavors: Mapping[str, Any], folder: Path, project: Project, uri: str
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what MLmodel says and the stored modules, if they are the project's own.

    Raises
    ------
    DataError
        If one isn't, or MLmodel doesn't say what we wrote.
    """
    try:
        options = _checked(flavors)
        contents = {path: _read(folder / CODE, path) for path in options["sources"]}
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise DataError(f"{uri}: its file MLmodel isn't as it was written: {error!r}") from error
    wrong = [
        path
        for path, digest in options["sources"].items()
        if hashlib.sha256(contents[path]).hexdigest() != digest
    ]
    strange = wrong or unknown(project, contents)
    if strange:
        raise DataError(
            f"{uri}: its code {', '.join(strange)} isn't run: neither the project's repository "
            "nor the files in it have it as it is stored. If it is the project's, fetch the branch "
            "that it is on"
        )
    return options, contents


def _checked(flavors: Mapping[str, Any]) -> dict[str, Any]:
    """Believe of a file that anyone may have written only what we could have written."""
    options, pyfunc = dict(flavors[CUSTOM]), flavors["python_function"]
    if set(flavors) != {CUSTOM, "python_function"} or options.get("code") is not None:
        raise ValueError("it names other flavors, or other code")
    if (pyfunc["loader_module"], pyfunc["code"]) != (LOADER, CODE) or "data" in pyfunc:
        raise ValueError("it names another loader")
    kinds = {"module": str, "class": str, "sources": dict, "schema": list}
    if any(not isinstance(options[key], kind) for key, kind in kinds.items()):
        raise TypeError("it names no class, modules or schema")
    for path in options["sources"]:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or pure.suffix != ".py":
            raise ValueError(f"{path} is no module of its own")
    for name, dtype in options["schema"]:
        if not isinstance(name, str) or dtype not in DTYPES:
            raise ValueError(f"its schema says {dtype}")
    return options


def _read(code: Path, path: str) -> bytes:
    file = code / path
    if not file.resolve().is_relative_to(code.resolve()):
        raise ValueError(f"{path} is outside of its folder")
    return file.read_bytes()


def check_same(
    model: StoredModel, flavors: Mapping[str, Any], folder: Path, project: Project, rows: Any
) -> None:
    """Load what was just written, and hold its answers to some rows against the model's.

    Raises
    ------
    DataError
        If they differ: the module was edited after it was imported, or the model keeps something
        elsewhere than in its attributes.
    """
    import numpy as np

    name = type(model.own).__qualname__
    stored = read_custom(flavors, folder, project, name)
    if rows is None:
        return
    here, there = _answer(model, rows), _answer(stored, rows)
    same = (
        np.allclose(here, there, rtol=1e-9, atol=1e-12, equal_nan=True)
        if here.dtype.kind in "biuf" and there.dtype.kind in "biuf"
        else np.array_equal(here, there)
    )
    if not same:
        raise DataError(
            f"{name}: what was stored answers otherwise than the model in memory. Was its module "
            "edited after it was imported (then restart and fit again), or is what it answers "
            "chance, or kept elsewhere than in its attributes?"
        )


def _answer(model: Any, rows: Any) -> npt.NDArray[np.generic]:
    found: npt.NDArray[np.generic] = getattr(model, "predict_proba", model.predict)(rows)
    return found
