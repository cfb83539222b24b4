"""MLflow's filter and order language, as far as we are sure of it.

Three outcomes, and no fourth: text that we understand exactly as MLflow does; text that MLflow
surely refuses, which is an error that says what was expected; and all the rest (escaped quotes,
comments, numbers written oddly), for which `UnsureError` tells the caller to ask MLflow itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.errors import UsageError, what_exists
from workbench.tracking.reader.tokens import Token, Tokens, UnsureError

__all__ = ["Condition", "Kind", "Order", "UnsureError", "parse_filter", "parse_order"]

Kind = Literal["metric", "param", "tag", "attribute", "dataset"]
Value = float | str | tuple[str, ...] | None


@dataclass(frozen=True)
class Condition:
    """One comparison; the conditions of a filter all have to hold."""

    kind: Kind
    key: str
    comparator: str
    value: Value


@dataclass(frozen=True)
class Order:
    """What runs are sorted by."""

    kind: Kind
    key: str
    ascending: bool


_KINDS: dict[str, Kind] = {
    "metric": "metric",
    "metrics": "metric",
    "param": "param",
    "params": "param",
    "parameter": "param",
    "parameters": "param",
    "tag": "tag",
    "tags": "tag",
    "attribute": "attribute",
    "attributes": "attribute",
    "attr": "attribute",
    "run": "attribute",
    "dataset": "dataset",
    "datasets": "dataset",
}
_NUMERIC = {"start_time", "end_time"}
_ATTRIBUTES = {*_NUMERIC, "artifact_uri", "run_id", "run_name", "status", "user_id"}
_ORDER_ALIASES = {"created": "start_time", "Created": "start_time"}
_ALIASES = {
    **_ORDER_ALIASES,
    "run name": "run_name",
    "Run name": "run_name",
    "Run Name": "run_name",
}
_DATASET_KEYS = {"name", "digest", "context"}

_COMPARISONS = ["=", "!=", ">", ">=", "<", "<="]
_TEXT = ["=", "!=", "LIKE", "ILIKE"]

_IN_INT64 = 2**63


def parse_filter(text: str) -> list[Condition]:
    """Read a filter such as `metrics.roc_auc > 0.7 and params.library = 'xgboost'`.

    Raises
    ------
    UsageError
        If MLflow would refuse it.
    UnsureError
        If only MLflow can say.
    """
    if not text:
        return []
    tokens = Tokens(text)
    found = [_condition(tokens)]
    while not tokens.at_end:
        if tokens.next().word != "AND":
            raise UnsureError(text)
        found.append(_condition(tokens))
    return found


def parse_order(text: str) -> list[Order]:
    """Read an order such as `metrics.roc_auc desc, start_time`.

    Raises
    ------
    UsageError
        If MLflow would refuse it.
    UnsureError
        If only MLflow can say.
    """
    tokens = Tokens(text)
    found = [_order(tokens)]
    while not tokens.at_end:
        if tokens.next().text != ",":
            raise UnsureError(text)
        found.append(_order(tokens))
    fields = [(order.kind, order.key) for order in found]
    if len(set(fields)) < len(fields):
        raise UsageError(f"order {text!r}: names a field twice; expected each once")
    return found


def _condition(tokens: Tokens) -> Condition:
    kind, key = _field(tokens, _ALIASES)
    comparator = _comparator(tokens)
    if comparator in ("IS NULL", "IS NOT NULL"):
        if kind not in ("tag", "param"):
            tokens.refuse(f"{comparator} is for tags and params; {key} is of another kind")
        return Condition(kind, key, comparator, None)
    value = _value(tokens, kind, key, comparator)
    _check_comparator(tokens, kind, key, comparator)
    return Condition(kind, key, comparator, value)


def _order(tokens: Tokens) -> Order:
    kind, key = _field(tokens, _ORDER_ALIASES)
    if kind == "dataset":
        tokens.refuse("runs can't be sorted by a dataset; expected a metric, param, tag, attribute")
    if key != key.strip():  # MLflow loses such blanks here, and keeps them in a filter
        raise UnsureError(tokens.text)
    direction = tokens.peek()
    if direction in ("ASC", "DESC"):
        tokens.next()
    return Order(kind, key, direction != "DESC")


def _field(tokens: Tokens, aliases: dict[str, str]) -> tuple[Kind, str]:
    token = tokens.next()
    if token.kind not in ("name", "ticked") or token.word == "AND":  # MLflow overlooks some
        raise UnsureError(tokens.text)
    prefix, dot, key = token.text.partition(".")
    if not dot:
        prefix, key = "attribute", token.text
    if prefix not in _KINDS:
        tokens.refuse(f"unknown kind {prefix!r}: {what_exists(prefix, _KINDS)}")
    kind, key = _KINDS[prefix], key.strip('`"')
    if kind == "attribute":
        key = aliases.get(key, key)
        if key not in _ATTRIBUTES:
            tokens.refuse(f"unknown attribute {key!r}: {what_exists(key, _ATTRIBUTES)}")
    if kind == "dataset" and key not in _DATASET_KEYS:
        tokens.refuse(f"unknown field {key!r} of a dataset: {what_exists(key, _DATASET_KEYS)}")
    return kind, key


def _comparator(tokens: Tokens) -> str:
    token = tokens.next()
    if token.kind == "operator":
        return token.text
    words = [token.word]
    if words == ["NOT"]:
        words.append(tokens.next().word)
    elif words == ["IS"]:
        if tokens.peek() == "NOT":
            words.append(tokens.next().word)
        words.append(tokens.next().word)
    comparator = " ".join(words)
    if comparator not in ("LIKE", "ILIKE", "IN", "NOT IN", "IS NULL", "IS NOT NULL"):
        raise UnsureError(tokens.text)
    return comparator


def _value(tokens: Tokens, kind: Kind, key: str, comparator: str) -> Value:
    token = tokens.next()
    if comparator in ("IN", "NOT IN"):
        return _list(tokens, token)
    if kind == "metric" or (kind == "attribute" and key in _NUMERIC):
        if token.kind in ("string", "quoted"):
            tokens.refuse(f"{key}: expected a number, found {token.text}")
        return _number(tokens, token, integer=kind == "attribute")
    if token.kind == "number":
        tokens.refuse(f"{key}: expected text in quotes, found {token.text}: write '{token.text}'")
    if token.kind not in ("string", "quoted"):
        raise UnsureError(tokens.text)
    return token.text[1:-1]


def _number(tokens: Tokens, token: Token, *, integer: bool) -> float:
    if token.kind != "number":
        raise UnsureError(tokens.text)
    if not integer or not token.text.lstrip("-").isdigit():
        return float(token.text)
    if abs(int(token.text)) >= _IN_INT64:
        raise UnsureError(tokens.text)
    return int(token.text)


def _list(tokens: Tokens, opening: Token) -> tuple[str, ...]:
    if opening.text != "(":
        raise UnsureError(tokens.text)
    found: list[str] = []
    while True:
        item, mark = tokens.next(), tokens.next()
        if item.kind != "string" or mark.text not in (",", ")"):
            raise UnsureError(tokens.text)
        found.append(item.text[1:-1])
        if mark.text == ")":
            return tuple(found)


def _check_comparator(tokens: Tokens, kind: Kind, key: str, comparator: str) -> None:
    if kind == "metric" or (kind == "attribute" and key in _NUMERIC):
        known = _COMPARISONS
    elif kind == "dataset" or (kind, key) == ("attribute", "run_id"):
        known = [*_TEXT, "IN", "NOT IN"]
    elif kind == "attribute":
        known = _TEXT
    else:
        known = [*_TEXT, "IS NULL", "IS NOT NULL"]
    if comparator not in known:
        tokens.refuse(f"{key} can't be compared by {comparator}; expected {', '.join(known)}")
