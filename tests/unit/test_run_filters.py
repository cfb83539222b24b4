"""Our reading of MLflow's filter language against MLflow's own."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchUtils

from tests.run_stores import conditions, filters, orders
from workbench.errors import UsageError
from workbench.tracking.reader.filters import UnsureError, parse_filter, parse_order

_KINDS = {"parameter": "param"}


def mlflow_filter(text: str) -> list[tuple[object, ...]]:
    def read(parsed: dict[str, object]) -> tuple[object, ...]:
        kind, comparator = str(parsed["type"]), str(parsed["comparator"]).upper()
        key = SearchUtils.translate_key_alias(parsed["key"])
        check = {
            "metric": SearchUtils.is_metric,
            "parameter": SearchUtils.is_param,
            "tag": SearchUtils.is_tag,
            "dataset": SearchUtils.is_dataset,
        }
        if kind == "attribute":
            SearchUtils.is_attribute(kind, key, comparator)
        else:
            check[kind](kind, comparator)
        value = parsed["value"]
        return _KINDS.get(kind, kind), key, comparator, float(value) if kind == "metric" else value

    return [read(each) for each in SearchUtils.parse_search_filter(text)]


def mlflow_order(parts: Sequence[str]) -> list[tuple[object, ...]]:
    parsed = [SearchUtils.parse_order_by_for_search_runs(part) for part in parts]
    return [
        (_KINDS.get(kind, kind), SearchUtils.translate_key_alias(key), ascending)
        for kind, key, ascending in parsed
    ]


def ours(text: str) -> list[tuple[object, ...]]:
    return [(c.kind, c.key, c.comparator, c.value) for c in parse_filter(text)]


@given(filters)
def test_what_mlflow_accepts_we_read_alike(text: str) -> None:
    assert ours(text) == mlflow_filter(text)


@given(orders)
def test_orders_are_read_alike(parts: list[str]) -> None:
    expected = mlflow_order(parts)
    fields = [each[:2] for each in expected]
    if len(set(fields)) < len(fields):
        with pytest.raises(UsageError, match="twice"):
            parse_order(", ".join(parts))
    else:
        found = parse_order(", ".join(parts))
        assert [(order.kind, order.key, order.ascending) for order in found] == expected


_PIECES_TEXT = (
    "metrics.a params.p tags.t status run_id start_time dataset.name attributes.x nope.x metrics "
    "tags.`a b` params.\"c\" `run name` metrics.`x metrics.a-b metrics.1a 'x' \"y\" '' 'it''s' 'a"
    " 1 -1 1.5 .5 1. 1e5 1e+5 +1 0x1f nan = != > >= < <= == <> LIKE ilike IN NOT IS NULL AND and "
    "OR ( ) , ; -- # /* */ \\ 1) (1 ('a') ('a','b') ('a',) () desc asc order key select"
)
_PIECES = st.sampled_from(_PIECES_TEXT.split())


@given(st.lists(_PIECES | conditions, max_size=6).map(" ".join) | st.text(max_size=12))
def test_we_never_differ_from_mlflow(text: str) -> None:
    """What we read MLflow reads alike; what we refuse it refuses; the rest is asked of it."""
    try:
        found = ours(text)
    except UnsureError:
        return
    except UsageError:
        with pytest.raises(MlflowException):
            mlflow_filter(text)
        return
    assert found == mlflow_filter(text)


def refused_by_mlflow(parts: Sequence[str]) -> bool:
    """Datasets and fields named twice are refused only when MLflow makes its query."""
    try:
        fields = [each[:2] for each in mlflow_order(parts)]
    except MlflowException:
        return True
    return "dataset" in {kind for kind, _ in fields} or len(set(fields)) < len(fields)


@given(st.lists(_PIECES, max_size=4).map(" ".join))
def test_we_never_differ_from_mlflow_in_an_order(text: str) -> None:
    try:
        found = parse_order(text)
    except UnsureError:
        return
    except UsageError:
        assert refused_by_mlflow(text.split(","))
        return
    expected = mlflow_order([part.strip() for part in text.split(",")])
    assert [(order.kind, order.key, order.ascending) for order in found] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metric.auc > '0.7'", r"auc: expected a number, found '0.7'"),
        ("params.depth = 6", r"depth: expected text in quotes, found 6: write '6'"),
        ("metircs.auc > 1", r"unknown kind 'metircs': did you mean metrics"),
        ("state = 'FAILED'", r"unknown attribute 'state': did you mean status"),
        ("dataset.source = 'x'", r"unknown field 'source' of a dataset: there are: context"),
        ("params.depth > '6'", r"depth can't be compared by >; expected =, !=, LIKE"),
        ("status IS NULL", r"IS NULL is for tags and params"),
    ],
)
def test_a_mistake_is_told_with_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        parse_filter(text)


@pytest.mark.parametrize("text", ["metrics.a - 1 > 0", "tags.t = 'it''s'", "(status = 'x')", " "])
def test_what_is_odd_is_left_to_mlflow(text: str) -> None:
    with pytest.raises(UnsureError):
        parse_filter(text)
