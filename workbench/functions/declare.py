"""The decorator, and what it refuses."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, overload

from workbench.errors import NotAProjectError, UsageError
from workbench.functions.function import Function
from workbench.functions.signature import signature_of

__all__ = ["declared", "function"]

Build = Callable[..., Any]

_OF_MODELS = ("predict", "predict_proba", "model_version")


@overload
def function(build: Build, /) -> Function: ...


@overload
def function(
    *,
    owner: str = "",
    tags: Sequence[str] = (),
    description: str = "",
    returns: Any = None,
    test: Sequence[Any] = (),
) -> Callable[[Build], Function]: ...


def function(
    build: Build | None = None,
    /,
    *,
    owner: str = "",
    tags: Sequence[str] = (),
    description: str = "",
    returns: Any = None,
    test: Sequence[Any] = (),
) -> Function | Callable[[Build], Function]:
    """Declare a function of the project's.

    In a notebook it is registered at once, in the project that the notebook is in; in a file of
    `functions/` it is when `workbench functions register` is run. Either way its test is run first,
    and the same text again is the same version.

    Parameters
    ----------
    owner, tags, description
        For the catalogue. Unless described, the docstring's first line does.
    returns
        The type of the answer's values, where it is annotated `pl.Series` or `pl.Expr` alone.
    test
        Examples, `[(arguments, answer), …]`, as tuples of values; of Series as lists, which have
        to be of two rows or more. A function of rows may have them in its docstring instead, as a
        doctest.

    Raises
    ------
    UsageError
        If it has no docstring, no test, a parameter without a type or of an unknown one.
    DataError
        In a notebook, if its test fails.
    """

    def declare(build: Build) -> Function:
        made = declared(
            build, owner=owner, tags=tags, description=description, returns=returns, test=test
        )
        return _registered_where_written(made) if _in_a_notebook(build) else made

    return declare if build is None else declare(build)


def declared(
    build: Build,
    *,
    owner: str = "",
    tags: Sequence[str] = (),
    description: str = "",
    returns: Any = None,
    test: Sequence[Any] = (),
) -> Function:
    """Check what can be checked without running it."""
    if not inspect.isfunction(build) or build.__name__ == "<lambda>":
        raise UsageError(f"{build!r} can't be registered; expected a function made by `def`")
    name = build.__name__
    if name in _OF_MODELS:
        raise UsageError(f"function {name}: in SQL that name asks a model; choose another")
    if inspect.iscoroutinefunction(build) or inspect.isgeneratorfunction(build):
        raise UsageError(f"function {name}: waits or yields; expected one that returns its answer")
    doc = inspect.getdoc(build) or ""
    if not doc.strip():
        raise UsageError(f"function {name}: has no docstring: say in a line what its answer means")
    signature = signature_of(build, returns)
    if isinstance(tags, str):
        raise UsageError(f'function {name}: tags: expected a list, found the text "{tags}"')
    examples = [_example(name, example) for example in test]
    if not examples and (signature.kind != "row" or ">>>" not in doc):
        or_doctest = " or a doctest in the docstring" if signature.kind == "row" else ""
        raise UsageError(
            f"function {name}: has no test: give test=[((argument, …), answer), …]{or_doctest}"
        )
    return Function(
        build,
        signature,
        owner=owner,
        tags=tags,
        description=description or doc.strip().partition("\n")[0],
        test=examples,
    )


def _example(name: str, example: Any) -> tuple[tuple[Any, ...], Any]:
    if not isinstance(example, tuple) or len(example) != 2:
        raise UsageError(
            f"function {name}: test: {example!r} is no example; expected ((argument, …), answer)"
        )
    given, answer = example
    return (given if isinstance(given, tuple) else (given,)), answer


def _in_a_notebook(build: Build) -> bool:
    return build.__module__ == "__main__" and "get_ipython" in build.__globals__


def _registered_where_written(made: Function) -> Function:
    """Register what a notebook's cell declares; outside of a project it is only declared."""
    from workbench.functions.registering import register
    from workbench.project import Project

    try:
        project = Project.find()
    except NotAProjectError:
        return made
    return register(made, project)
