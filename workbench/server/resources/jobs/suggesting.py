"""What may be meant by a parameter that names a thing of the project, for who fills in a form.

It is told by the parameter's name: `factory`, `sources` or `train_view`, a text or a list of texts.
Nothing is checked by it: a notebook may be given the name of what is still to come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import select

from workbench.errors import WorkbenchError
from workbench.jobs import Parameter
from workbench.project import Project
from workbench.registry import list_models
from workbench.store import FeatureViewRow, database

__all__ = ["suggestions"]

_MOST = 1000

_TEXTS = ("str", "list[str]", "tuple[str, ...]", "set[str]")


def suggestions(project: Project, parameter: Parameter) -> list[str]:
    """Return the names that may be meant; none where nothing says what is."""
    if parameter.secret or parameter.choices or not parameter.kind.expected.startswith(_TEXTS):
        return []
    word = parameter.name.rpartition("_")[2].lower().removesuffix("s")  # in the plural too
    find = _KNOWN.get(word)
    if find is None:
        return []
    try:
        return sorted(find(project))[:_MOST]
    except WorkbenchError:  # a store that is away is no reason to have no form
        return []


def _sources(project: Project) -> Iterable[str]:
    return project.settings.sources


def _views(project: Project) -> Iterable[str]:
    with database(project).session() as session:
        return list(session.scalars(select(FeatureViewRow.name)))


def _factories(project: Project) -> Iterable[str]:
    from workbench.factory.factory import list_factories  # with all that a factory does

    return list_factories(project)


def _models(project: Project) -> Iterable[str]:
    return [model.name for model in list_models(project)]


_KNOWN: dict[str, Callable[[Project], Iterable[str]]] = {
    "source": _sources,
    "dataset": _sources,
    "view": _views,
    "factory": _factories,
    "factorie": _factories,
    "model": _models,
}
