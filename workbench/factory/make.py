"""Making a champion: features, training, gate, promotion."""

from __future__ import annotations

from datetime import date
from typing import Any

from workbench.errors import GateRefusedError, NotFoundError
from workbench.evaluation import find_metric
from workbench.factory.factory import Factory
from workbench.factory.notebooks import run_steps
from workbench.factory.spec import Period
from workbench.factory.steps import Reporter, Stage
from workbench.features import apply
from workbench.gates import Question, attach_notebook, stored_reports
from workbench.jobs import JobRequest, get_job
from workbench.registry import GateReport, get_model, list_models, promote, register
from workbench.tracking import get_run, read_json

__all__ = [
    "CHAMPION",
    "at_base_rate",
    "build",
    "check",
    "choose",
    "gate",
    "gate_question",
    "gate_request",
    "gate_version",
    "remember_reference",
    "train",
    "training_requests",
]

CHAMPION = "champion"


def build(factory: Factory, reporter: Reporter) -> None:
    """Register the feature views and compute the features of all rows."""
    with reporter.stage("Features, point in time", 1) as stage:
        stage.working("joining what was known at each moment")
        apply(factory.project)
        stage.done(f"{factory.built['rows']:,} rows × {len(factory.columns)} features")


def train(factory: Factory, reporter: Reporter) -> dict[str, str]:
    """Run the training notebook once for each combination; return its run's id by its label."""
    requests = training_requests(factory)
    with reporter.stage("Training notebooks", len(requests)) as stage:
        results = run_steps(factory, "train", requests, {"frame": factory.built["digest"]}, stage)
    return {label: result["run_id"] for label, result in results.items()}


def training_requests(factory: Factory) -> dict[str, JobRequest]:
    """Return one training job for each combination of the grid, by its label."""
    spec = factory.spec.training
    names = ("train_start", "train_end", "valid_start", "valid_end")
    days = [day.isoformat() for day in (*spec.train, *spec.validate_on)]
    periods = dict(zip(names, days, strict=True))
    return {
        " ".join(str(parameters[name]) for name in spec.grid) or "all": JobRequest(
            spec.notebook,
            {"factory": factory.name, **periods, **parameters},
            code=factory.project.root,
        )
        for parameters in spec.combinations()
    }


def check(factory: Factory, trained: dict[str, str], reporter: Reporter) -> list[GateReport]:
    """Register what was trained and put each version through the gate."""
    spec = factory.spec.training
    with reporter.stage("Gate", len(trained)) as stage:
        return gate(factory, trained, spec.train, spec.validate_on, stage)


def gate(
    factory: Factory,
    runs: dict[str, str],
    train_on: Period,
    judge_on: Period,
    stage: Stage,
    *,
    anew: bool = False,
) -> list[GateReport]:
    """Register each run's model and put the version through the gate, against today's champion.

    Each is judged by a notebook job, whose executed copy stays beside the report. What was judged
    before is not judged again because there is another champion now, unless it is `anew`.
    """
    champion = _current_champion(factory)
    asked = {
        label: {
            "run": run_id,
            "policy": factory.spec.gate.digest,
            "frame": factory.built["digest"],
            "days": [train_on, judge_on],
            **({"champion": champion} if anew else {}),
        }
        for label, run_id in runs.items()
    }
    found = {label: factory.steps.result(f"judged:{label}", asked[label]) for label in runs}
    for label in runs:
        if found[label] is not None:
            stage.done(label)
    waiting = {label: run_id for label, run_id in runs.items() if found[label] is None}
    made = _judged(factory, waiting, (train_on, judge_on), champion, stage)
    for label, report in made.items():
        found[label] = factory.steps.finish(
            f"judged:{label}", asked[label], report.model_dump(mode="json")
        )
    return [GateReport.model_validate(found[label]) for label in runs]


def _judged(
    factory: Factory,
    runs: dict[str, str],
    days: tuple[Period, Period],
    champion: str | None,
    stage: Stage,
) -> dict[str, GateReport]:
    spec, project = factory.spec, factory.project
    versions = {
        label: register(project, spec.model, run_id, owner=spec.owner)
        for label, run_id in runs.items()
    }
    requests = {
        label: gate_request(factory, version, *days, champion)
        for label, version in versions.items()
    }
    inputs = {"policy": spec.gate.digest, "frame": factory.built["digest"]}
    results = run_steps(factory, "gate", requests, inputs, stage)
    reports = {}
    for label, version in versions.items():
        report = reports[label] = _report(factory, version, champion)
        job = get_job(project, results[label]["job"])
        attach_notebook(project, report, project.root / str(job.output))
    return reports


def gate_version(factory: Factory, version: str, stage: Stage) -> GateReport:
    """Put one version through the gate, on the days that the factory file says.

    Raises
    ------
    NotFoundError
        If there is no such version.
    """
    run_id = _run_of(factory, version)
    judge_on, trained = factory.spec.training.validate_on, _trained_on(factory, run_id)
    runs = {f"version {version}": run_id}
    [report] = gate(factory, runs, trained, judge_on, stage, anew=True)
    return report


def gate_question(factory: Factory, version: str) -> Question:
    """Ask of a version what its gate would, on the days that the factory file says.

    Raises
    ------
    NotFoundError
        If there is no such version.
    """
    train = _trained_on(factory, _run_of(factory, version))
    judge = factory.spec.training.validate_on
    return factory.question(
        version,
        train=(train[0].isoformat(), train[1].isoformat()),
        judge=(judge[0].isoformat(), judge[1].isoformat()),
        champion=_current_champion(factory),
    )


def _trained_on(factory: Factory, run_id: str) -> Period:
    """Return the days that a run was trained on: those of its parameters, else the factory's."""
    params = get_run(factory.project, run_id).params
    try:
        first, last = (date.fromisoformat(params[name]) for name in ("train_start", "train_end"))
    except (KeyError, ValueError):
        return factory.spec.training.train
    return first, last


def _run_of(factory: Factory, version: str) -> str:
    name = factory.spec.model
    versions = {known.version: known for known in get_model(factory.project, name).versions}
    if version not in versions:
        raise NotFoundError.named("version", version, versions, f" of model {name}")
    return versions[version].run_id


def gate_request(
    factory: Factory, version: str, train_on: Period, judge_on: Period, champion: str | None
) -> JobRequest:
    """Return the job that judges a version."""
    parameters = {
        "factory": factory.name,
        "version": version,
        "champion": champion or "",
        "train_start": train_on[0].isoformat(),
        "train_end": train_on[1].isoformat(),
        "judge_start": judge_on[0].isoformat(),
        "judge_end": judge_on[1].isoformat(),
    }
    root = factory.project.root
    return JobRequest(factory.gate_notebook, parameters, track=False, code=root)


def _report(factory: Factory, version: str, champion: str | None) -> GateReport:
    """Return what the gate's job has just stored."""
    policy = factory.spec.gate.digest
    for report in reversed(stored_reports(factory.project, factory.spec.model, version)):
        if (report.policy, report.champion_version) == (policy, champion):
            return report
    raise GateRefusedError(
        f"{factory.spec.model} version {version}: {factory.gate_notebook} ended and stored no "
        "report; it has to call wb.gates.judge"
    )


def choose(factory: Factory, reports: list[GateReport], reporter: Reporter) -> str:
    """Give the best of those that passed the alias `champion`; return its version.

    Raises
    ------
    GateRefusedError
        If none passed.
    """
    passed = [report for report in reports if report.outcome == "passed"]
    if not passed:
        raise GateRefusedError(
            f"factory {factory.name}: none of {len(reports)} versions passed the gate; "
            f"see `workbench models show {factory.spec.model}`"
        )
    metric = factory.spec.gate.metric
    sign = find_metric(metric, factory.spec.gate.task).sign
    best = max(passed, key=lambda report: sign * report.metrics[metric])
    reason = (
        f"best {metric} of {len(reports)} versions on {best.window}: {best.metrics[metric]:.4f}"
        f"{at_base_rate(best)}; {len(passed)} passed the gate"
    )
    inputs = {"gates": [report.digest for report in reports]}
    with reporter.stage("Promotion", 1) as stage:
        result = factory.steps.run("promote", inputs, lambda: _promoted(factory, best, reason))
        remember_reference(factory, best)
        stage.done(f"version {result['version']} is {CHAMPION}")
    return str(result["version"])


def at_base_rate(report: GateReport) -> str:
    """Say beside a metric what share of the rows was positive, where there is such a thing."""
    rate = report.metrics.get("base_rate")
    return "" if rate is None else f" (base rate {rate:.3f})"


def remember_reference(factory: Factory, report: GateReport) -> None:
    """Keep at hand what monitoring compares with: the training's profile, the gate's metrics."""

    def work() -> dict[str, Any]:
        versions = get_model(factory.project, report.model).versions
        run_id = next(v.run_id for v in versions if v.version == report.version)
        profile = read_json(factory.project, run_id, "reference.json")
        return {"profile": profile, "expected": report.metrics}

    factory.steps.run(f"reference:{report.version}", {"gate": report.digest}, work)


def _current_champion(factory: Factory) -> str | None:
    """Return the version that holds the alias now."""
    models = {model.name: model for model in list_models(factory.project)}
    model = models.get(factory.spec.model)
    return model.aliases.get(CHAMPION) if model else None


def _promoted(factory: Factory, report: GateReport, reason: str) -> dict[str, Any]:
    decision = promote(
        factory.project,
        report.model,
        report.version,
        CHAMPION,
        reason=reason,
        factory=factory.name,
        policies={factory.name: factory.spec.gate.digest},
    )
    return {"version": report.version, "decision": decision.id}
