"""The contract of the server: the document that the sidebar's types are made of."""

from __future__ import annotations

import json
from pathlib import Path

import workbench.server
from workbench.server.openapi import document
from workbench.server.resources import OPERATIONS


def test_the_document_is_that_of_the_operations() -> None:
    path = Path(workbench.server.__file__).with_name("openapi.json")
    stored = json.loads(path.read_text(encoding="utf-8"))
    made = json.loads(json.dumps(document(OPERATIONS)))
    stored["info"].pop("version"), made["info"].pop("version")
    assert stored == made, "make it anew: python -m workbench.server.openapi"


def test_each_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    assert len({one.id for one in OPERATIONS}) == len(OPERATIONS)
    assert len({(one.method, one.path) for one in OPERATIONS}) == len(OPERATIONS)
    assert all(one.summary.endswith(".") for one in OPERATIONS)


def test_what_json_has_no_number_for_is_in_the_types() -> None:
    run = document(OPERATIONS)["components"]["schemas"]["RunRecord"]
    words = {"enum": ["NaN", "Infinity", "-Infinity"]}
    assert words in run["properties"]["metrics"]["additionalProperties"]["anyOf"]
