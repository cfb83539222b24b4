"""What an environment needs to load a model: read from this one, with no other process.

MLflow finds out by loading the model once more in a process of its own and watching its imports,
for seconds. Here the answer is looked up: the flavor says what it always needs, and the classes
in a pipeline say where they come from.
"""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["requirements", "write_environment"]

_ALWAYS = ("mlflow", "numpy", "pandas", "scikit-learn")
_OF_FLAVOR = {
    "xgboost": ("xgboost",),
    "lightgbm": ("lightgbm",),
    "catboost": ("catboost",),
    "sklearn": ("scikit-learn", "scipy", "skops"),
    "custom": ("polars", "scipy", "skops"),
}
_DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    **{name: name for name in ("catboost", "lightgbm", "numpy", "pandas", "scipy", "xgboost")},
}
"""Where the usual modules come from: asking all that is installed takes half a second."""


def requirements(
    flavor: str, model: Any, packages: Iterable[str] = (), *, pickled: bool = False
) -> list[str]:
    """List what `model` needs to be loaded, pinned to what is installed here.

    What a pipeline's own classes and the `packages` come from is included; a module that belongs to
    no distribution (the project's own code) can't be.
    """
    names = [*_ALWAYS, *_OF_FLAVOR[flavor], *_origins(model)]
    names += [name for package in sorted(packages) if (name := _distribution(package))]
    if pickled:
        names.append("cloudpickle")
    return [f"{name}=={_version(name)}" for name in dict.fromkeys(names)]


def write_environment(folder: Path, pinned: Sequence[str]) -> None:
    """Write the three files that MLflow's tools rebuild an environment from."""
    python = platform.python_version()
    lines = "".join(f"  - {line}\n" for line in pinned)
    (folder / "requirements.txt").write_text("\n".join(pinned) + "\n", encoding="utf-8")
    (folder / "python_env.yaml").write_text(
        f"python: {python}\nbuild_dependencies:\n- pip\n- setuptools\n- wheel\n"
        "dependencies:\n- -r requirements.txt\n",
        encoding="utf-8",
    )
    (folder / "conda.yaml").write_text(
        f"channels:\n- conda-forge\ndependencies:\n- python={python}\n- pip\n- pip:\n{lines}"
        "name: mlflow-env\n",
        encoding="utf-8",
    )


def _origins(model: Any) -> Iterator[str]:
    """Name the distributions of everything that the model is put together from."""
    parts = [model]
    if hasattr(model, "get_params"):
        parts += model.get_params(deep=True).values()
    for part in parts:
        # A function names its module itself, an object through its class.
        module = str(getattr(part, "__module__", None) or type(part).__module__)
        name = _distribution(module.partition(".")[0])
        if name is not None:
            yield name


@lru_cache(maxsize=512)
def _distribution(module: str) -> str | None:
    if module in _DISTRIBUTIONS:
        return _DISTRIBUTIONS[module]
    if module in sys.stdlib_module_names or module == "__main__":
        return None
    found = importlib.metadata.packages_distributions().get(module)
    return found[0] if found else None


@lru_cache(maxsize=512)
def _version(name: str) -> str:
    return importlib.metadata.version(name)
