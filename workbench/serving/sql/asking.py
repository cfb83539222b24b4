"""Asking: from a query to a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.errors import DataError, UsageError
from workbench.functions import Function, get, versions_of
from workbench.lineage import used
from workbench.project import Project
from workbench.serving.sql.connection import closed_duckdb
from workbench.serving.sql.durations import with_durations
from workbench.serving.sql.foreseen import foreseen
from workbench.serving.sql.gathering import Gathering, TooManyError, gathered
from workbench.serving.sql.models import ModelVersion, find_model
from workbench.serving.sql.problems import Raised, naming, told
from workbench.serving.sql.rewriting import Call, Rewriting, rewrite
from workbench.serving.sql.tables import give_tables
from workbench.serving.sql.tree import read_tree, write_expression, write_tree

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

__all__ = ["sql"]

_NOTED_SHARE = 4
"""What part of the memory the rows that a model is asked about may take."""


def sql(
    query: str,
    project: Project | None = None,
    *,
    params: Mapping[str, Any] | Sequence[Any] | None = None,
    tables: Mapping[str, pl.DataFrame | pl.LazyFrame | pd.DataFrame] | None = None,
) -> pl.DataFrame:
    """Ask the project a question in SQL (DuckDB's).

    Tables are what `tables` gives, the project's sources by their names, and `predictions`, all
    windows that were scored. Functions are DuckDB's, the project's registered functions, each under
    its name (the newest version) or as `"name@2"(…)`, and

    - `predict('model@alias', *)` or `predict('model/3', a, b, …)`: what a model version answers,
      `*` being the columns of its signature. Of a classifier of two classes that is the
      probability of the second; of one of more the likeliest label; else the number predicted;
    - `predict_proba(…)`: each class's probability, as a struct;
    - `model_version('model@alias')`: the version that answered.

    A query reads neither files nor the network, and changes nothing.

    Parameters
    ----------
    params
        Values for `$name` (a mapping) or `?` (a sequence) in the query.

    Returns
    -------
    polars.DataFrame
        The answer's rows, in the order that the query says.

    Raises
    ------
    UsageError
        If the query is wrong, in one line with the place.
    NotFoundError
        If it names a table, model, alias, version or function that doesn't exist.
    DataError
        If a model or a function can't answer, or values don't fit.
    """
    project = project or Project.find()
    if not isinstance(query, str):
        raise UsageError(f"SQL: expected the query's text, found a {type(query).__name__}")
    with closed_duckdb(project) as connection:
        tree = read_tree(connection, query)
        names = _callable_names(project)
        models, functions = partial(find_model, project), partial(get, project=project)
        write = partial(write_expression, connection)
        found = rewrite(tree, query, models, names, functions, write)
        frames = give_tables(connection, tree, project, tables or {})
        known = partial(foreseen, tree, frames)
        text = write_tree(connection, tree)
        asking = _Asking(connection, query, text, params, found, names, known)
        answer = asking.answer(project.settings.memory_mb)
    used(*found.nodes)
    return answer


def _callable_names(project: Project) -> dict[str, str]:
    """Say what each name that SQL may call a function by means."""
    versions = versions_of(project)
    exact = {one.name: one.label for one in versions}  # in their order: the newest stays
    exact |= {one.label: one.label for one in versions}
    return {name.lower(): meant for name, meant in exact.items()} | exact


@dataclass
class _Asking:
    """A query that is ready to be run."""

    connection: duckdb.DuckDBPyConnection
    query: str
    text: str
    params: Mapping[str, Any] | Sequence[Any] | None
    found: Rewriting
    names: Iterable[str]
    foreseen: Callable[[str, Sequence[str]], pl.DataFrame | None]
    raised: Raised = field(default_factory=Raised)

    def answer(self, memory_mb: int) -> pl.DataFrame:
        models = [name for name, one in self.found.calls.items() if _is_model(one)]
        most = memory_mb * 2**20 // _NOTED_SHARE // max(1, len(models))
        gatherings = {name: self._gathering(name, most) for name in models}
        for name, one in self.found.calls.items():
            self._create(name, one, gatherings.get(name))
        return gathered(gatherings.values(), self._run, self._dry_run)

    def _gathering(self, name: str, most_bytes: int) -> Gathering:
        one = self.found.calls[name]
        assert isinstance(one.of, ModelVersion)
        predict = one.of.predict_proba if one.shares else one.of.predict

        def answer(rows: pl.DataFrame) -> pl.Series:
            with naming(one.of.told):  # it is asked between two runs of the query, too
                return predict(rows)

        rows = self.foreseen(name, one.names)
        is_small = rows is not None and rows.estimated_size() <= most_bytes
        return Gathering(answer, most_bytes, rows if is_small else None)

    def _create(self, name: str, one: Call, gathering: Gathering | None) -> None:
        """Make a call's name a function of DuckDB's, over Arrow and with nulls as they are."""
        from duckdb.func import ARROW, SPECIAL

        dtype, kind = _answer_type(one)

        def asked(*columns: Any) -> Any:  # DuckDB evaluates what is annotated
            with self.raised.keeping(one.of.told):
                rows = _rows(columns, one.names)
                if gathering is None:
                    assert isinstance(one.of, Function)
                    answer = one.of.answer(**rows.to_dict())
                else:
                    answer = gathering.ask(rows)
                if answer is None:
                    answer = pl.Series([None], dtype=dtype).new_from_index(0, rows.height)
                return answer.to_arrow()

        self.connection.create_function(name, asked, None, kind, type=ARROW, null_handling=SPECIAL)

    def _run(self) -> pl.DataFrame:
        self.raised.error = None
        with told(self.query, self.raised, self.names, self.found.asked_by_star):
            answer = self._relation()
            wide = [n for n, t in zip(answer.columns, answer.types, strict=True) if t == "HUGEINT"]
            table = answer.to_arrow_table()
        if isinstance(self.raised.error, TooManyError):  # which TRY(…) has kept from DuckDB
            raise self.raised.error
        return _frame(table, wide)

    def _dry_run(self) -> None:
        import duckdb

        self.raised.error = None
        try:
            for _ in self._relation().to_arrow_reader():
                pass
        except duckdb.Error:
            return  # the run that counts will say what is wrong

    def _relation(self) -> duckdb.DuckDBPyRelation:
        return self.connection.sql(self.text, params=self._values)

    @property
    def _values(self) -> Any:
        if isinstance(self.params, Mapping):
            return {name: _plain(value) for name, value in self.params.items()}
        return None if self.params is None else [_plain(value) for value in self.params]


def _is_model(one: Call) -> bool:
    return isinstance(one.of, ModelVersion)


def _answer_type(one: Call) -> tuple[pl.DataType, Any]:
    """Return the answer's type, polars' and DuckDB's."""
    import duckdb

    if isinstance(one.of, Function):
        return one.of.signature.returns.dtype, one.of.signature.returns.sql
    if one.shares:
        labels = [str(label) for label in one.of.classes]
        fields = dict.fromkeys(labels, pl.Float64())
        return pl.Struct(fields), duckdb.struct_type(dict.fromkeys(labels, "DOUBLE"))
    kinds = {pl.Boolean: "BOOLEAN", pl.Int64: "BIGINT", pl.Float64: "DOUBLE", pl.String: "VARCHAR"}
    return one.of.dtype, kinds[type(one.of.dtype)]


def _rows(columns: Sequence[pa.ChunkedArray], names: Sequence[str]) -> pl.DataFrame:
    import pyarrow as pa

    rows = pl.from_arrow(pa.Table.from_arrays(columns, names=names))
    assert isinstance(rows, pl.DataFrame), "a table of Arrow's is a frame"
    return rows


def _plain(value: Any) -> Any:
    """Give DuckDB what it knows: NumPy's numbers and arrays as Python's, and a Series as a list."""
    if isinstance(value, pl.Series):
        return value.to_list()
    return value.tolist() if type(value).__module__ == "numpy" else value


def _frame(answer: pa.Table, wide: Sequence[str]) -> pl.DataFrame:
    """Return the answer; a sum of whole numbers, of 128 bits in DuckDB, is an Int64."""
    if len({*answer.column_names}) < len(answer.column_names):
        twice = next(n for n in answer.column_names if answer.column_names.count(n) > 1)
        raise UsageError(f"SQL: the answer has two columns called {twice}: name one with AS")
    frame = pl.from_arrow(with_durations(answer))
    assert isinstance(frame, pl.DataFrame), "a table of Arrow's is a frame"
    try:
        return frame.with_columns(pl.col(wide).cast(pl.Int64))
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"SQL: {', '.join(wide)}: larger than 64 bits hold; cast it to DOUBLE"
        ) from error
