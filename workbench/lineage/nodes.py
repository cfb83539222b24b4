"""Nodes as people read them: a kind, a short label, and what is known of the thing."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

__all__ = ["KINDS", "Node", "clean", "family", "kind_of", "label_of", "many"]

KINDS = {
    "cell": ("cell", "cells"),
    "notebook": ("notebook", "notebooks"),
    "commit": ("commit", "commits"),
    "dataset": ("dataset", "datasets"),
    "column": ("column", "columns"),
    "spine": ("spine", "spines"),
    "view": ("feature view", "feature views"),
    "feature": ("feature", "features"),
    "input": ("model input", "model inputs"),
    "function": ("function", "functions"),
    "job": ("job", "jobs"),
    "run": ("run", "runs"),
    "model": ("model version", "model versions"),
    "gate": ("gate", "gates"),
    "decision": ("decision", "decisions"),
    "reproduction": ("reproduction", "reproductions"),
    "predictions": ("scored window", "scored windows"),
    "window": ("monitored window", "monitored windows"),
}
"""What the kinds are called, one and many."""

_SHORT = 8


class Node(BaseModel):
    """One node: `facts` are what its record says, `at` is when it was first linked to."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str
    label: str
    distance: int
    at: datetime | None = None
    facts: dict[str, str] = {}


def kind_of(name: str) -> str:
    """Return what stands before a name's first colon."""
    return name.partition(":")[0]


def label_of(name: str) -> str:
    """Shorten a node's name to what one tells it by.

    >>> label_of("cell:notebooks/train.ipynb#fit@0cb8ba8c8f9d")
    'train.ipynb#fit@0cb8ba8c'
    >>> label_of("run:2e4a5c79a2c447b9bed7fefab43dec6a"), label_of("model:late/3")
    ('2e4a5c79', 'late/3')
    """
    kind, _, rest = name.partition(":")
    if kind in ("commit", "run"):
        return rest[:_SHORT]
    if kind == "input":
        return rest.partition("/")[2]
    if kind in ("decision", "reproduction"):
        return f"{kind} {rest}"
    if kind == "cell":
        notebook, _, cell = rest.rpartition("#")
        rest = f"{notebook.rpartition('/')[2]}#{cell}"
    text, at, state = rest.rpartition("@")
    return f"{text}@{state[:_SHORT]}" if at else rest


def family(name: str) -> str:
    """Return the thing that a node is one of, if many of its like make one box.

    >>> family("predictions:flights/2013-07-01@a75c"), family("cell:a.ipynb#x@12")
    ('predictions:flights', 'cell:a.ipynb')
    """
    kind, _, rest = name.partition(":")
    part = {"predictions": "/", "window": "/", "model": "/", "input": "/", "cell": "#"}.get(kind)
    if part is not None:
        return f"{kind}:{rest.rpartition(part)[0] if part == '#' else rest.partition(part)[0]}"
    if kind == "column":
        return f"{kind}:{rest.partition('.')[0]}"
    if kind == "feature":
        return f"{kind}:{rest.partition(':')[0]}"
    return kind


def many(name: str, count: int) -> str:
    """Say how many of a family there are.

    >>> many("predictions:flights", 48), many("commit", 2)
    ('48 scored windows of flights', '2 commits')
    """
    kind, _, of = name.partition(":")
    word = KINDS.get(kind, (kind, f"{kind}s"))[1]
    of = "" if kind == "input" else of.rpartition("/")[2] if kind == "cell" else of
    return f"{count:,} {word}{f' of {of}' if of else ''}"


def clean(text: str) -> str:
    """Replace what a terminal would obey and XML can't hold.

    >>> clean("a\\x1b[31m\\nb")
    'a�[31m b'
    """
    return "".join(
        char if char.isprintable() else " " if char in "\n\r\t\u2028\u2029\xa0" else "\ufffd"
        for char in text
    )
