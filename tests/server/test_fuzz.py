"""Requests that nobody would think of, made of the contract: no answer is a 5xx, and each fits it.

The same ones every time; `WORKBENCH_TEST_FUZZ=200` asks each operation 200 others instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.server.full import Full, full_project
from tests.server.running import Jupyter, jupyter_server
from workbench.server.openapi import document
from workbench.server.operation import Operation
from workbench.server.resources import OPERATIONS

LEFT_OUT = {
    "submit_jobs": "starts kernels",
    "resume_jobs": "starts kernels",
    "register_run": "goes on long after its answer",
    "gate_again": "goes on long after its answer",
    "reproduce_version": "goes on long after its answer",
}
MORE = os.environ.get("WORKBENCH_TEST_FUZZ")
EXAMPLES = int(MORE or 8)
SECONDS = 60  # the first of an operation may import what it calls
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(document(OPERATIONS))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Full:
    return full_project(tmp_path_factory.mktemp("fuzzed") / "full")


@pytest.fixture(scope="module")
def server(full: Full, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    served = full.project.root.parent
    with jupyter_server(tmp_path_factory.mktemp("server"), served) as server:
        yield server


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.id not in LEFT_OUT], ids=lambda one: one.id
)
def test_no_request_makes_it_fail(server: Jupyter, full: Full, operation: Operation) -> None:
    asked = SCHEMA[operation.path][operation.method].as_strategy()

    @settings(
        max_examples=EXAMPLES,
        derandomize=MORE is None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=asked, data=st.data())
    def ask(case: Any, data: st.DataObject) -> None:
        aim(case, data, operation, full.existing)
        address = f"{server.url}workbench/api"
        response = case.call(base_url=address, headers=server.headers, timeout=SECONDS)
        case.validate_response(response, checks=CHECKS, headers=server.headers)

    ask()


def aim(case: Any, data: st.DataObject, operation: Operation, existing: dict[str, Any]) -> None:
    """Put what exists in the place of some of what was made up: nothing else gets far."""
    topic = operation.path.split("/")[1]
    for place in (case.path_parameters, case.query, case.body):
        if not isinstance(place, dict):
            continue
        for key in place:
            known = existing.get(f"{topic}.{key}", existing.get(key))
            if known is not None and data.draw(st.booleans()):
                place[key] = known
    if case.query is None:
        case.query = {}
    if data.draw(st.integers(0, 5)):
        case.query["path"] = "full"
