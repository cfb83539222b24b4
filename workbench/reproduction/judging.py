"""The verdict, and the first input that differs."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.git.snapshots import MODULES_FOLDER
from workbench.reproduction.environments import changed_machine, changed_packages
from workbench.reproduction.original import Original
from workbench.reproduction.records import (
    KINDS,
    DataCheck,
    Difference,
    MetricPair,
    PackageChange,
    Predictions,
    Verdict,
)
from workbench.reproduction.wire import Answer
from workbench.tracking.stored import model_files, same_files
from workbench.usage import COST

__all__ = [
    "METRIC_TOLERANCE",
    "Judgement",
    "first_cause",
    "input_differences",
    "judge",
    "metric_pairs",
    "package_changes",
    "told",
]

METRIC_TOLERANCE = 1e-3
"""Relative: the third digit of a metric is the last that anybody decides by."""

_NONE_DIFFERS = "nothing recorded differs: the notebook isn't deterministic"
_FAILED_ALL_THE_SAME = (
    "nothing recorded differs: the notebook needs something that its record doesn't have"
)


@dataclass(frozen=True)
class Judgement:
    """A verdict and what it rests on."""

    verdict: Verdict
    reason: str


def judge(original: Original, answer: Answer, metrics: Sequence[MetricPair]) -> Judgement:
    """Compare what came out with what is stored, from the strictest demand to the mildest."""
    if answer.state != "succeeded":
        return Judgement("different", f"the notebook didn't come to its end: {answer.error}")
    if answer.folder is None:
        return Judgement("different", "the notebook logged no model this time")
    if same_files(original.folder, answer.folder):
        files = model_files(answer.folder).items()
        told_files = ", ".join(f"{name} ({path.stat().st_size:,} bytes)" for name, path in files)
        return Judgement("same bytes", f"byte for byte: {told_files}")
    predictions = answer.predictions
    if predictions is not None and predictions.within:
        return Judgement("same predictions", told(predictions))
    first = told(predictions) if predictions else answer.why_no_predictions
    far = [pair for pair in metrics if not _near(pair)]
    if metrics and not far:
        names = ", ".join(pair.name for pair in metrics[:3])
        return Judgement(
            "same metrics", f"{first}; {names} within {METRIC_TOLERANCE:.1%} of what they were"
        )
    if not metrics:
        return Judgement("different", f"{first}; no metric was logged to compare")
    return Judgement("different", f"{first}; {_told_metric(far[0])}")


def told(predictions: Predictions) -> str:
    """Say how two models' answers compare."""
    on = f"on {predictions.rows:,} rows of {predictions.of}"
    if predictions.same_bits:
        return f"bit-equal {on}"
    inside = "within" if predictions.within else "not within"
    return (
        f"at most {predictions.largest:.3g} apart {on}, {inside} {predictions.library}'s "
        f"tolerance of {predictions.tolerance:g}"
    )


def metric_pairs(recorded: Mapping[str, float], now: Mapping[str, float]) -> list[MetricPair]:
    """Put the metrics of both runs side by side, without what the runs cost."""
    names = [name for name in {**recorded, **now} if not name.startswith(COST)]
    return [MetricPair(name=name, recorded=recorded.get(name), now=now.get(name)) for name in names]


def _near(pair: MetricPair) -> bool:
    before, now = pair.recorded, pair.now
    if before is None or now is None:
        return False
    if math.isnan(before) or math.isnan(now):
        return math.isnan(before) and math.isnan(now)
    return before == now or abs(before - now) <= METRIC_TOLERANCE * abs(before)


def _told_metric(pair: MetricPair) -> str:
    before = "none" if pair.recorded is None else f"{pair.recorded:.6g}"
    return f"{pair.name}: {before}, now {'none' if pair.now is None else f'{pair.now:.6g}'}"


def package_changes(original: Original, answer: Answer) -> list[PackageChange]:
    """List the packages that weren't as recorded, the model's own first."""
    if original.environment is None or answer.environment is None:
        return []
    own = _required(original.folder)
    return changed_packages(original.environment, answer.environment, own)


def _required(folder: Path) -> list[str]:
    try:
        lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [line.partition("==")[0].lower().replace("_", "-") for line in lines]


def first_cause(differences: Sequence[Difference], *, failed: bool) -> Difference:
    """Name the first input that differs, in the order in which one input decides the next."""
    if differences:
        return min(differences, key=lambda difference: KINDS.index(difference.kind))
    return Difference(kind="not recorded", what=_FAILED_ALL_THE_SAME if failed else _NONE_DIFFERS)


def input_differences(
    original: Original,
    answer: Answer,
    root: Path,
    data: Sequence[DataCheck],
    packages: Sequence[PackageChange],
    missing: Sequence[str],
) -> list[Difference]:
    """List the inputs of the run that weren't as they were, in the order of their kinds.

    Parameters
    ----------
    root
        The project in the clean work tree, as it was after the run.
    missing
        Files of the code that the snapshot doesn't have.
    """
    found = [Difference(kind="code", what=what) for what in _code(answer, root, missing)]
    if packages:
        shown = ", ".join(str(change) for change in packages[:5])
        more = f" and {len(packages) - 5} more" if len(packages) > 5 else ""
        found.append(Difference(kind="environment", what=f"{shown}{more}"))
    for check in data:
        if check.outcome in ("changed", "gone"):
            what = f"{check.dataset} {check.outcome}: {'; '.join(check.changes[:5])}"
            found.append(Difference(kind="data", what=what))
    if answer.state == "succeeded":
        changed = _parameters(original.run.params, answer.params)
        found += [Difference(kind="parameters", what=what) for what in changed]
    return found + list(_surroundings(original, answer))


def _code(answer: Answer, root: Path, missing: Sequence[str]) -> Iterator[str]:
    for path in missing:
        yield f"{path}: not in the snapshot, which left it out"
    for module in answer.modules:
        if not module.is_relative_to(root):
            yield from _module_from_elsewhere(module, root)


def _module_from_elsewhere(module: Path, root: Path) -> Iterator[str]:
    """Compare a module that is no file of the project with the copy that the run kept of it."""
    kept = [
        place / "/".join(module.parts[-depth:])
        for place in sorted(root.glob(f"{MODULES_FOLDER}*"))
        for depth in range(1, len(module.parts))
    ]
    copies = [path for path in kept if path.is_file()]
    if not copies:
        yield f"{module}: imported this time, and no copy of it is with the run"
    elif _digest(module) not in {_digest(path) for path in copies}:
        yield f"{module}: another content than the run imported"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _parameters(recorded: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        f"{name}: {recorded.get(name, 'not there')}, now {now.get(name, 'not there')}"
        for name in {**recorded, **now}
        if recorded.get(name) != now.get(name)
    ]


def _surroundings(original: Original, answer: Answer) -> Iterator[Difference]:
    """Compare thread counts and seeds of the process, then the machine."""
    before, now = original.environment, answer.environment
    if before is None or now is None:
        return
    if before.variables is not None:
        for what in _parameters(before.variables, now.variables or {}):
            yield Difference(kind="threads", what=what)
    for what in changed_machine(before, now):
        yield Difference(kind="machine", what=what)
