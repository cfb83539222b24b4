"""Which kernels may share a forking parent: those that would have imported the same.

What a library reads from the environment when it is imported stays as it was in the parent,
whatever the environment of the forked kernel says later. So a parent serves kernels that agree with
it on these variables, and is told apart from others by them, by the packages that are installed and
by what it imports.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

__all__ = [
    "INLINE",
    "at_import",
    "package_digest",
    "parent_key",
    "relative_folders",
    "same_at_import",
    "shadowed",
]

_PREFIXES = (
    "ARROW_", "BLIS_", "CUDA_", "DASK_", "DUCKDB_", "GOMP_", "GOTO_", "HF_", "JAX_", "KERAS_",
    "KMP_", "LC_", "LD_", "LOKY_", "MALLOC_", "MKL_", "MODIN_", "MPL", "NCCL_", "NPY_", "NUMBA_",
    "NUMEXPR_", "NUMPY_", "OMP_", "OPENBLAS_", "POLARS_", "PROTOCOL_BUFFERS_", "PYDANTIC_",
    "PYTHON", "PYTORCH_", "RAY_", "RAYON_", "ROCM_", "SKLEARN_", "TF_", "TOKENIZERS_", "TORCH_",
    "TQDM_", "TRANSFORMERS_", "VECLIB_", "XLA_",
)  # fmt: skip
_NAMES = {
    "HOME",  # matplotlib and others find their configuration once
    "JUPYTER_PLATFORM_DIRS",
    "LANG",
    "LANGUAGE",
    "MLFLOW_CONFIGURE_LOGGING",
    "MLFLOW_LOGGING_LEVEL",
    "SCIPY_ARRAY_API",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "_TYPER_STANDARD_TRACEBACK",
}
_OF_NO_MATTER = {
    "PYTHONEXECUTABLE",  # jupyter_client takes it out of every kernel
    "PYTHONSTARTUP",  # of the interactive prompt
    "PYTHONUNBUFFERED",  # of the standard streams, which are the child's own
}
INLINE = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
"""What a kernel sets by itself before it runs anything, and what a parent so has to import with."""


def at_import(environment: Mapping[str, str]) -> dict[str, str]:
    """Pick the variables of `environment` that are read when something is imported."""
    picked = {name: environment[name] for name in environment if _matters(name)}
    return dict(sorted({**INLINE, **picked}.items()))


def same_at_import(ours: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Name the variables read at import in which two environments differ.

    >>> same_at_import({"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "2", "USER": "me"})
    ['OMP_NUM_THREADS']
    """
    left, right = at_import(ours), at_import(wanted)
    names = left.keys() | right.keys()
    return sorted(name for name in names if left.get(name) != right.get(name))


def parent_key(environment: Mapping[str, str], modules: Sequence[str]) -> str:
    """Name the forking parent that serves kernels with `environment` and imports `modules`."""
    parts = [at_import(environment), package_digest(), list(modules), sys.executable, sys.version]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def package_digest(paths: Sequence[str] | None = None) -> str:
    """Digest the installed packages: each distribution's name, version and time of installation."""
    found = []
    for folder in map(Path, sys.path if paths is None else paths):
        try:
            entries = list(os.scandir(folder))
        except OSError:  # an entry of the path that isn't a folder
            continue
        for entry in entries:
            if entry.name.endswith((".dist-info", ".egg-link", ".pth")):
                found.append((str(folder), entry.name, entry.stat().st_mtime_ns))
    return hashlib.sha256(json.dumps(sorted(found)).encode()).hexdigest()[:16]


def shadowed(folder: str, modules: Mapping[str, ModuleType]) -> list[str]:
    """Name the imported `modules` instead of which a kernel in `folder` may import files there.

    A kernel's own folder comes first on its path: `folder/requests.py` is what `import requests`
    means in it, wherever a parent has it from.
    """
    found = []
    for entry in os.scandir(folder):
        name = entry.name.removesuffix(".py")
        if name in modules and (name != entry.name or Path(entry.path, "__init__.py").exists()):
            origin = getattr(getattr(modules[name], "__spec__", None), "origin", None) or ""
            if not Path(origin).resolve().is_relative_to(Path(folder).resolve()):
                found.append(name)
    return sorted(found)


def relative_folders(environment: Mapping[str, str]) -> list[str]:
    """Name the folders of `PYTHONPATH` that are others for each kernel's own folder.

    >>> relative_folders({"PYTHONPATH": "/shared:src:"})
    ['src']
    """
    folders = environment.get("PYTHONPATH", "").split(os.pathsep)
    return [
        folder for folder in folders if folder not in ("", ".") and not Path(folder).is_absolute()
    ]


def _matters(name: str) -> bool:
    return name not in _OF_NO_MATTER and (name in _NAMES or name.startswith(_PREFIXES))
