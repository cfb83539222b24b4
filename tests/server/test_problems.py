"""Errors as HTTP says them."""

from __future__ import annotations

import pytest
from tornado.web import HTTPError

from workbench import errors
from workbench.server.problems import Problem, problem_of


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (errors.NotAProjectError("said"), 404, "urn:workbench:not-a-project"),
        (errors.NotFoundError("said"), 404, "urn:workbench:not-found"),
        (errors.UsageError("said"), 400, "urn:workbench:usage"),
        (errors.ConfigError("said"), 400, "urn:workbench:config"),
        (errors.StoreError("said"), 503, "urn:workbench:store"),
        (errors.GitError("said"), 409, "urn:workbench:git"),
        (errors.GateRefusedError("said"), 409, "urn:workbench:gate-refused"),
        (HTTPError(403, "said"), 403, "about:blank"),
    ],
)
def test_an_error_of_ours_is_passed_on(error: Exception, status: int, kind: str) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.type, problem.detail) == (status, kind, "said")


def test_every_error_of_ours_has_a_status() -> None:
    families = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
    assert all(400 <= problem_of(family("said")).status < 600 for family in families)
    assert all(problem_of(family("said")).detail == "said" for family in families)


def test_an_unexpected_one_is_not() -> None:
    problem = problem_of(KeyError("/data/.secret"))
    assert problem == Problem(
        type="about:blank",
        title="Internal Server Error",
        status=500,
        detail="Workbench failed unexpectedly; the Jupyter server's log says where",
    )
