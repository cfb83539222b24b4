"""What a user reads when something is wrong, and what a caller can catch."""

from __future__ import annotations

import doctest
import inspect
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import errors
from workbench.errors import MissingExtraError, NotFoundError, WorkbenchError, what_exists

FAMILIES = [
    family
    for _, family in inspect.getmembers(errors, inspect.isclass)
    if issubclass(family, WorkbenchError)
]


def test_the_examples_in_the_docstrings_run() -> None:
    results = doctest.testmod(errors)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_a_family_is_public_and_keeps_its_message_through_a_process_boundary(
    family: type[WorkbenchError],
) -> None:
    error = pickle.loads(pickle.dumps(family("the line")))
    assert isinstance(family.__new__(family), family)  # how Dask brings one from a worker
    assert type(error) is family
    assert str(error) == "the line"
    assert family.__name__ in errors.__all__


@pytest.mark.parametrize(
    ("family", "builtin", "exit_code"),
    [
        (errors.UsageError, ValueError, 2),
        (errors.ConfigError, ValueError, 2),
        (errors.NotAProjectError, FileNotFoundError, 2),
        (errors.NotFoundError, LookupError, 2),
        (errors.ParameterError, TypeError, 2),
        (errors.NotebookError, ValueError, 2),
        (errors.MissingExtraError, ImportError, 2),
        (errors.StoreError, OSError, 1),
        (errors.DataError, ValueError, 1),
        (errors.FeatureError, ValueError, 1),
        (errors.JobError, RuntimeError, 1),
        (errors.GateRefusedError, PermissionError, 1),
    ],
)
def test_a_family_is_the_builtin_people_catch_and_knows_its_exit_code(
    family: type[WorkbenchError], builtin: type[Exception], exit_code: int
) -> None:
    assert issubclass(family, builtin)
    assert family.exit_code == exit_code


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    error = NotFoundError.named("model", "fligths", ["planes", "flights"], where=" in this project")
    assert str(error) == (
        "unknown model 'fligths' in this project: did you mean flights? There are: flights, planes"
    )


def test_a_missing_extra_says_what_to_type() -> None:
    assert 'pip install "jupyter-workbench[boosting]"' in str(
        MissingExtraError.of("xgboost", "boosting")
    )


@given(st.text(), st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), unique=True))
def test_what_exists_names_everything_or_counts_the_rest(name: str, existing: list[str]) -> None:
    said = what_exists(name, existing)
    if not existing:
        assert said == "there are none"
    shown = sorted(existing)[:12]
    assert all(item in said for item in shown)
    assert (f", and {len(existing) - 12} more" in said) == (len(existing) > 12)
