"""A class of somebody's project, run from the source that was stored with its model.

This file stands in Workbench and, as it is, beside each such model as `code/workbench_model.py`: so
MLflow's `pyfunc` loads the model where there is no Workbench. It needs Python, NumPy, polars and
skops alone.

The stored modules get a name of their own, which hangs on their content. What they import of each
other is found among them and not in the project, so two versions of one class live side by side.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Columns = Sequence[tuple[str, str]]

__all__ = ["DTYPES", "STATE", "StoredModel", "asked_by", "class_of", "read_state"]

DTYPES = (
    *("Boolean", "Int8", "Int16", "Int32", "Int64", "Float32", "Float64"),
    *("String", "Date", "Datetime"),
)
"""The types that a column can have: those that MLflow's signatures, too, have a word for."""

STATE = "state/state.skops"
"""Where the model's attributes are, unless its class saves itself; then below the same folder."""

_PREFIX = "_workbench_model_"


class _Modules(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds and runs the modules of one snapshot, from memory: what was checked is what runs."""

    def __init__(self, sources: Mapping[str, bytes], folder: Path) -> None:
        whole = hashlib.sha256()
        for path, source in sorted(sources.items()):
            whole.update(f"{path}\0{hashlib.sha256(source).hexdigest()}\n".encode())
        self.name = f"{_PREFIX}{whole.hexdigest()[:16]}"
        self._sources: dict[str, tuple[bytes, Path]] = {}
        self._packages = {self.name}
        for path, source in sources.items():
            parts = [self.name, *path.removesuffix(".py").split("/")]
            self._packages.update(".".join(parts[:end]) for end in range(1, len(parts)))
            named = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            self._sources[named] = (source, folder / path)
        self._tops = {path.removesuffix(".py").partition("/")[0] for path in sources}

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Find a module of the snapshot; folders without `__init__.py` are packages too."""
        if fullname not in self._sources and fullname not in self._packages:
            return None
        package = self.is_package(fullname)
        return importlib.util.spec_from_loader(fullname, self, is_package=package)

    def is_package(self, fullname: str) -> bool:
        """Say whether it has modules in it."""
        return fullname in self._packages

    def get_source(self, fullname: str) -> str:
        """Return the source, which tracebacks show."""
        return importlib.util.decode_source(self._source(fullname)[0])

    def get_code(self, fullname: str) -> CodeType:
        """Compile the source; no compiled file is read or written."""
        source, path = self._source(fullname)
        made: CodeType = compile(source, str(path), "exec", dont_inherit=True)
        return made

    def exec_module(self, module: ModuleType) -> None:
        """Run a module in which `import` asks the snapshot first."""
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        super().exec_module(module)

    def _source(self, fullname: str) -> tuple[bytes, Path]:
        return self._sources.get(fullname, (b"", Path(fullname)))

    def _import(
        self,
        name: str,
        globals: Any = None,  # noqa: A002 - the names of `__import__` itself
        locals: Any = None,  # noqa: A002
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> Any:
        top = name.partition(".")[0]
        if level or top not in self._tops:
            return builtins.__import__(name, globals, locals, fromlist, level)
        if fromlist:
            return builtins.__import__(f"{self.name}.{name}", globals, locals, fromlist, 0)
        importlib.import_module(f"{self.name}.{name}")
        return sys.modules[f"{self.name}.{top}"]


_KNOWN: dict[str, _Modules] = {}


def class_of(sources: Mapping[str, bytes], folder: Path, module: str, name: str) -> type:
    """Run the stored modules, unless they were, and return the class.

    Parameters
    ----------
    sources
        The content of each module by its path, as it is imported: `flights/models.py`.
    folder
        Where they are, for tracebacks.

    Raises
    ------
    ValueError
        If the snapshot defines no such class.
    """
    modules = _Modules(sources, folder)
    if _KNOWN.setdefault(modules.name, modules) is modules:
        sys.meta_path.append(modules)
    found: Any = importlib.import_module(f"{modules.name}.{module}")
    for part in name.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type) or not found.__module__.startswith(f"{modules.name}."):
        raise ValueError(f"its code defines no class {module}.{name}")
    return found


def read_state(cls: Any, folder: Path, *, by_skops: bool, trusted: Iterable[str]) -> Any:
    """Make an object of the class from what was stored of it; its `__init__` isn't called."""
    if not by_skops:
        return cls.load((folder / STATE).parent)
    import skops.io

    made = cls.__new__(cls)
    vars(made).update(skops.io.load(folder / STATE, trusted=sorted(trusted)))
    return made


class StoredModel:
    """Asks an object of such a class: it is given a polars frame with its schema's columns.

    They come in the schema's order and types, and what is missing is null, NaN too: in whichever
    kind of table the rows come, by whichever way the model is served.
    """

    def __init__(
        self, own: Any, schema: Columns, refusal: type[Exception], classes: Any = None
    ) -> None:
        self.own = own
        self.schema = schema
        self.feature_names_in_ = [name for name, _ in schema]
        self.n_features_in_ = len(schema)
        self._refusal = refusal
        self._name = type(own).__name__
        if classes is not None:
            self.classes_ = classes

    def predict(self, rows: Any) -> npt.NDArray[Any]:
        """Predict; shape (rows,): numbers, or a classifier's labels."""
        frame = self.rows(rows)
        answer = self._array(self.own.predict(frame) if frame.height else [])
        self._check(answer, "predict", (frame.height,))
        if not hasattr(self, "classes_") and frame.height and answer.dtype.kind not in "biuf":
            raise self._refusal(
                f"{self._name}.predict answers with {answer.dtype}; expected numbers, or "
                "predict_proba and classes_ beside it"
            )
        return answer

    def rows(self, given: Any) -> pl.DataFrame:
        """Give rows of any kind as the class wants them."""
        import numpy as np
        import polars as pl

        if isinstance(given, pl.DataFrame):
            frame = given
        elif isinstance(given, np.ndarray) and given.ndim == 2:
            if given.shape[1] != len(self.schema):
                raise self._refusal(
                    f"{self._name}: a matrix of {given.shape[1]} columns; its schema has "
                    f"{len(self.schema)}"
                )
            columns = zip(self.feature_names_in_, given.T, strict=True)
            frame = pl.DataFrame(dict(columns))
        elif hasattr(given, "iloc") and hasattr(given, "columns"):
            frame = pl.from_pandas(given.reset_index(drop=True))
        else:
            raise self._refusal(f"{self._name}: {type(given).__name__} is no table of rows")
        return self._validated(self._as_schema(frame))

    def _as_schema(self, frame: pl.DataFrame) -> pl.DataFrame:
        missing = [name for name in self.feature_names_in_ if name not in frame.columns]
        if missing:
            raise self._refusal(
                f"{self._name}: the rows lack {', '.join(missing)}; its schema has "
                f"{', '.join(self.feature_names_in_)}"
            )
        return frame.select(self._cast(frame[name], wanted) for name, wanted in self.schema)

    def _cast(self, column: pl.Series, wanted: str) -> pl.Series:
        """Cast where nothing is lost by it."""
        import polars as pl

        given, dtype = column.dtype, getattr(pl, wanted)()
        if given.is_float():
            column = column.fill_nan(None)
        if given == dtype:
            return column
        if _kind(given) in (_kind(dtype), "nothing"):
            try:
                made = column.cast(dtype)
            except pl.exceptions.PolarsError:
                made = None
            if made is not None and (dtype.is_float() or _same(made, column)):
                return made
        raise self._refusal(
            f"{self._name}: column {column.name} is {given}, and not each of its values is a "
            f"{wanted}, as the schema says"
        )

    def _validated(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Have the class's own schema look at the rows, if it is more than types: pandera's."""
        schema: Any = getattr(type(self.own), "schema", None)
        if frame.height and hasattr(schema, "validate"):
            try:
                schema.validate(frame)
            except Exception as error:
                told = str(error).strip().partition("\n")[0]
                raise self._refusal(f"{self._name}: against its schema: {told}") from error
        return frame

    def _array(self, answer: Any) -> npt.NDArray[Any]:
        import numpy as np

        return np.asarray(answer.to_numpy() if hasattr(answer, "to_numpy") else answer)

    def _check(self, answer: npt.NDArray[Any], method: str, expected: tuple[int, ...]) -> None:
        if answer.shape != expected:
            raise self._refusal(
                f"{self._name}.{method} answers with the shape {answer.shape} for "
                f"{expected[0]:,} rows; expected {expected}"
            )


class _StoredClassifier(StoredModel):
    """One that has probabilities."""

    def __init__(self, own: Any, schema: Columns, refusal: type[Exception]) -> None:
        import numpy as np

        super().__init__(own, schema, refusal, np.asarray(own.classes_))

    def predict_proba(self, rows: Any) -> npt.NDArray[np.float64]:
        """Give each class's probability; shape (rows, classes)."""
        import numpy as np

        frame = self.rows(rows)
        expected = (frame.height, len(self.classes_))
        if not frame.height:
            return np.empty(expected)
        answer = self._array(self.own.predict_proba(frame))
        self._check(answer, "predict_proba", expected)
        return answer.astype(np.float64)


def asked_by(own: Any, schema: Columns, refusal: type[Exception] = ValueError) -> StoredModel:
    """Put what asks it around an object, under the object's own name; errors are a `refusal`.

    An object whose schema was its own, and not its class's, has it again.
    """
    import polars as pl

    if not hasattr(own, "schema"):
        own.schema = {name: getattr(pl, dtype)() for name, dtype in schema}
    base = _StoredClassifier if hasattr(own, "predict_proba") else StoredModel
    made: StoredModel = type(type(own).__name__, (base,), {})(own, schema, refusal)
    return made


def _kind(dtype: pl.DataType) -> str:
    """Name what casts are made among."""
    import polars as pl

    if isinstance(dtype, pl.Null):
        return "nothing"
    if dtype.is_temporal():
        zone = getattr(dtype, "time_zone", None)
        return "time" if zone in (None, "UTC") else f"time of {zone}"
    if isinstance(dtype, (pl.String, pl.Categorical, pl.Enum)):
        return "text"
    return "number" if dtype.is_numeric() or isinstance(dtype, pl.Boolean) else str(dtype)


def _same(made: pl.Series, column: pl.Series) -> bool:
    """Say whether a cast took nothing away: 1.5 is no whole number, and a day has no hour."""
    if _kind(column.dtype) in ("text", "nothing"):
        return True
    return bool(made.cast(column.dtype).eq_missing(column).all())


def _load_pyfunc(path: str) -> StoredModel:
    """Load the model in a folder, as MLflow asks for it."""
    import yaml

    folder = Path(path)
    told = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))["flavors"]["custom"]
    code = folder / "code"
    sources = {name: (code / name).read_bytes() for name in told["sources"]}
    cls = class_of(sources, code, told["module"], told["class"])
    trusted = told["skops_trusted_types"] or []
    own = read_state(cls, folder, by_skops=told["state"] == "skops", trusted=trusted)
    return asked_by(own, [(name, dtype) for name, dtype in told["schema"]])
