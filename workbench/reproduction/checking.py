"""Whether the data are what they were, dataset by dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.data import Dataset
from workbench.data.rebuild import changes, rebuild_dataset
from workbench.errors import DataError, NotFoundError, WorkbenchError
from workbench.project import Project
from workbench.reproduction.records import DataCheck

__all__ = ["check_data", "missing_sources", "settle_checks"]


def check_data(
    project: Project, datasets: Sequence[Dataset], say: Callable[[str], None]
) -> list[DataCheck]:
    """Read each dataset by its recipe again and compare its digest with the recorded one."""
    checks = []
    for dataset in datasets:
        check = _check(project, dataset)
        say(f"data {check.dataset}: {check.outcome}")
        checks.append(check)
    return checks


def missing_sources(datasets: Sequence[Dataset], checks: Sequence[DataCheck]) -> list[str]:
    """Say which declared sources can't be read any more, and why.

    A file that the notebook read by a path of its own may be one that it writes itself before.
    """
    declared = {dataset.label for dataset in datasets if dataset.recipe.kind == "source"}
    return [
        f"{check.dataset}: {'; '.join(check.changes)}"
        for check in checks
        if check.outcome == "gone" and check.dataset in declared
    ]


def _check(project: Project, dataset: Dataset) -> DataCheck:
    if not _can_be_followed(project, dataset):
        return DataCheck(
            dataset=dataset.label,
            outcome="not digested",
            changes=[f"{dataset.recipe.told()}: only the notebook can read it again"],
        )
    try:
        again = rebuild_dataset(project, dataset)
    except (NotFoundError, DataError) as error:
        return DataCheck(dataset=dataset.label, outcome="gone", changes=[str(error)])
    except WorkbenchError as error:
        return DataCheck(dataset=dataset.label, outcome="not digested", changes=[str(error)])
    if dataset.stamped:
        return _by_stamp(dataset, again.changes, same=again.same)
    outcome = "same" if again.same else "changed"
    return DataCheck(dataset=dataset.label, outcome=outcome, changes=again.changes)


def _can_be_followed(project: Project, dataset: Dataset) -> bool:
    recipe = dataset.recipe
    if recipe.kind == "reader":
        return not recipe.options and "://" not in dataset.address and bool(dataset.address)
    known = recipe.kind == "unknown" and dataset.name in project.settings.sources
    return recipe.kind == "source" or known


def _by_stamp(dataset: Dataset, found: list[str], *, same: bool) -> DataCheck:
    """Judge what was too large to digest: only its shape can be told for sure."""
    shape = [change for change in found if not change.startswith("cells:")]
    if shape:
        return DataCheck(dataset=dataset.label, outcome="changed", changes=shape)
    mark = "the same as then" if same else "not the one of then, which a copied file hasn't either"
    note = f"too large to digest; the stamp of its source is {mark}"
    return DataCheck(dataset=dataset.label, outcome="not digested", changes=[note])


def settle_checks(
    nodes: Sequence[str],
    recorded: Sequence[Dataset],
    checks: Sequence[DataCheck],
    read: Sequence[Dataset],
    made: Sequence[str],
    *,
    finished: bool,
) -> list[DataCheck]:
    """Judge every dataset of the original: by what was read this time, else by its recipe.

    Parameters
    ----------
    nodes
        All datasets that the original was made from, those that it derived included.
    recorded, checks
        Those of them that it read, and what their recipes gave now.
    read, made
        The datasets that the notebook read this time, and the nodes of all that it was made from.
    finished
        Whether the notebook came to its end: one that didn't may have had no time to derive them.
    """
    by_recipe = {f"dataset:{check.dataset}": check for check in checks}
    before = {dataset.node: dataset for dataset in recorded}
    settled = []
    for node in nodes:
        label = node.removeprefix("dataset:")
        now = _of_name(read, label.rpartition("@")[0], before.get(node))
        if node in made or any(one.node == node for one in now):
            settled.append(DataCheck(dataset=label, outcome="same"))
        elif now and node in before:
            told = changes(before[node], now[-1])
            settled.append(DataCheck(dataset=label, outcome="changed", changes=told))
        else:
            settled.append(by_recipe.get(node) or _derived(label, made, finished=finished))
    return settled


def _of_name(read: Sequence[Dataset], name: str, before: Dataset | None) -> list[Dataset]:
    """Find what was read under a name; of several, from the same address if one is."""
    named = [dataset for dataset in read if dataset.name == name]
    return [one for one in named if before and one.address == before.address] or named


def _derived(label: str, made: Sequence[str], *, finished: bool) -> DataCheck:
    name = label.rpartition("@")[0]
    others = [node for node in made if node.startswith(f"dataset:{name}@")]
    if others:
        told = [f"derived anew: now {others[-1].removeprefix('dataset:')}"]
        return DataCheck(dataset=label, outcome="changed", changes=told)
    why = "the notebook made none of this name" if finished else "the notebook didn't get there"
    return DataCheck(dataset=label, outcome="not made", changes=[why])
