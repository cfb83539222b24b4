"""Which runs, in which order: MLflow's search as SQL that stays quick at 100,000 runs.

MLflow joins everything and lets the planner find a way, which it doesn't when there are many
runs. Here the way is chosen by counting first, and counting stops early:

- A condition on a key that few runs meet is answered on its own, and the rest looks only at
  those runs.
- One that many runs meet is asked of each run in turn, while walking in the order wanted: a page
  is full soon. Where hardly any meet two such at once, who does is found first.
- Sorting by a metric walks an index of that metric; runs with NaN come after, and then runs
  without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    intersect,
    not_,
    select,
    true,
)

from workbench.tracking.reader.conditions import among, matches, of_each_run, on_run
from workbench.tracking.reader.filters import Condition, Order
from workbench.tracking.reader.tables import BY_KIND, attribute, plain_rows, runs

__all__ = ["ENOUGH", "FEW", "Lifecycle", "Search", "run_ids"]

Lifecycle = Literal["active", "deleted", "all"]

FEW = 5_000
"""Up to so many runs it is quicker to look at each than to walk an index of all."""

ENOUGH = 100
"""Of `FEW` that meet one condition so many meet all: a page is full soon."""

_HANDFUL = 500
"""Up to so many runs each is asked for all else that is wanted: counting who meets it is slower."""

_STAGES = {"active": ["active"], "deleted": ["deleted"], "all": ["active", "deleted"]}


@dataclass(frozen=True)
class Search:
    """What is looked for: in which experiments (their ids), by which conditions, in which order."""

    experiments: Sequence[int]
    conditions: Sequence[Condition] = ()
    orders: Sequence[Order] = ()
    lifecycle: Lifecycle = "active"


def run_ids(
    connection: Connection, search: Search, limit: int | None = None, offset: int = 0
) -> list[str]:
    """Return the ids of the runs found, from `offset` on, `limit` at most."""
    clauses, few = _narrowed(connection, search)
    if few is not None and not few:
        return []
    if few is not None:
        clauses.append(among(connection, runs.c.run_uuid, few))
    first = search.orders[0] if search.orders else None
    if first is None or limit is None or first.kind not in BY_KIND or few is not None:
        source, terms = _sorted(search.orders)
        every = select(runs.c.run_uuid).select_from(source).where(*clauses).order_by(*terms)
        return [run_id for (run_id,) in plain_rows(connection, every.limit(limit).offset(offset))]
    return _walked(connection, clauses, search.orders, limit, offset)


def _narrowed(
    connection: Connection, search: Search
) -> tuple[list[ColumnElement[bool]], list[str] | None]:
    """Turn the conditions into clauses on `runs`, and into ids where few runs meet one."""
    own: list[ColumnElement[bool]] = [
        runs.c.experiment_id.in_(search.experiments),
        runs.c.lifecycle_stage.in_(_STAGES[search.lifecycle]),
    ]
    rest: list[Select[Any]] = []
    sample: Sequence[str] = ()
    few: set[str] | None = None
    for condition in search.conditions:
        matching = matches(connection, condition)
        if matching is None:
            own.append(on_run(condition))
            continue
        if few is not None and len(few) <= _HANDFUL:
            rest.append(matching)
            continue
        found = connection.scalars(matching.limit(FEW + 1)).all()
        if len(found) <= FEW:
            few = set(found) if few is None else few.intersection(found)
        else:
            rest.append(matching)
            sample = sample or found
    if few is None and len(rest) > 1 and _are_seldom_together(connection, sample, rest[1:]):
        found = connection.scalars(intersect(*rest).limit(FEW + 1)).all()
        if len(found) <= FEW:
            few, rest = set(found), []
    if few is None and any(order.kind in BY_KIND for order in search.orders):
        # The index to walk is of all experiments' runs: not to be walked for a few of them.
        found = connection.scalars(select(runs.c.run_uuid).where(*own).limit(FEW + 1)).all()
        few = set(found) if len(found) <= FEW else None
    asked = [of_each_run(connection, matching) for matching in rest]
    return [*own, *asked], None if few is None else list(few)


def _are_seldom_together(
    connection: Connection, sample: Sequence[str], others: Sequence[Select[Any]]
) -> bool:
    """Tell whether hardly any of the runs that meet one condition meet the others too."""
    asked = [of_each_run(connection, matching) for matching in others]
    both = select(runs.c.run_uuid).where(among(connection, runs.c.run_uuid, sample), *asked)
    return len(connection.scalars(both.limit(ENOUGH)).all()) < ENOUGH


def _sorted(orders: Sequence[Order], after: int = 0) -> tuple[FromClause, list[Any]]:
    """Join the keys of all orders but the first `after`, and give the terms to sort by.

    As MLflow sorts: NaN after every number, then runs without a value, then the newest first.
    """
    source: FromClause = runs
    terms: list[Any] = []
    for order in orders[after:]:
        if order.kind == "attribute":
            terms.append(_directed(attribute(order.key), order))
            continue
        keyed = BY_KIND[order.kind].alias()
        source = source.outerjoin(keyed, _of_run(keyed, order))
        if order.kind == "metric":
            last = case((keyed.c.value.is_(None), 2), (keyed.c.is_nan == true(), 1), else_=0)
            terms.append(last)
        terms.append(_directed(keyed.c.value, order))
    by_time = any((order.kind, order.key) == ("attribute", "start_time") for order in orders)
    natural = [] if by_time else [runs.c.start_time.desc()]
    return source, [*terms, *natural, runs.c.run_uuid]  # by id, so that no two are alike


def _directed(column: Any, order: Order) -> Any:
    return (column.asc() if order.ascending else column.desc()).nulls_last()


def _of_run(keyed: Any, order: Order) -> ColumnElement[bool]:
    return and_(keyed.c.run_uuid == runs.c.run_uuid, keyed.c.key == order.key)


def _walked(
    connection: Connection,
    clauses: Sequence[ColumnElement[bool]],
    orders: Sequence[Order],
    limit: int,
    offset: int,
) -> list[str]:
    """Go along the first order's index, segment by segment, until the page is full."""
    found: list[str] = []
    for segment in _segments(orders):
        chosen = segment.where(*clauses)
        found += connection.scalars(chosen.limit(limit - len(found)).offset(offset))
        if len(found) == limit:
            break
        if found:
            offset = 0
        elif offset:
            passed = select(func.count()).select_from(chosen.order_by(None).subquery())
            offset = max(0, offset - (connection.scalar(passed) or 0))
    return found


def _segments(orders: Sequence[Order]) -> Iterator[Select[Any]]:
    """Split the runs by what stands under the first order's key: values, NaN, nothing."""
    first = orders[0]
    keyed = BY_KIND[first.kind].alias("keyed")
    source, terms = _sorted(orders, after=1)
    own = _of_run(keyed, first)
    valued: ColumnElement[bool] = keyed.c.value.is_not(None)
    if first.kind == "metric":
        valued = keyed.c.is_nan == false()
    direction = keyed.c.value.asc() if first.ascending else keyed.c.value.desc()
    among_keyed = select(runs.c.run_uuid).select_from(source.join(keyed, own))
    yield among_keyed.where(valued).order_by(direction, *terms)
    present = select(keyed.c.key).where(own)
    if first.kind == "metric":
        yield among_keyed.where(keyed.c.is_nan == true()).order_by(*terms)
    else:
        present = present.where(valued)
    without = select(runs.c.run_uuid).select_from(source)
    yield without.where(not_(exists(present.correlate(runs)))).order_by(*terms)
