"""Putting the champion to work and watching it: batch scoring, one monitoring job a window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.errors import NotFoundError, UsageError
from workbench.factory.factory import Factory
from workbench.factory.notebooks import run_steps
from workbench.factory.spec import Period
from workbench.factory.steps import Reporter
from workbench.jobs import JobRequest
from workbench.lineage import link
from workbench.registry import Scorer, get_model
from workbench.serving import list_predictions, score_window, scored_frame
from workbench.store import write_atomic

__all__ = ["monitor", "score", "score_days"]


def score(factory: Factory, version: str, reporter: Reporter) -> dict[str, str]:
    """Score every window with a version; return the digest of each window's predictions."""
    digests = {}
    scorer: Scorer | None = None
    windows = factory.spec.scoring.windows()
    with reporter.stage("Batch scoring", len(windows)) as stage:
        for window in windows:
            name = window[0].isoformat()
            inputs = {
                "version": version,
                "frame": factory.built["digest"],
                "window": window,
            }
            known = factory.steps.result(f"score:{name}", inputs)
            if known is None:
                stage.working(name)
                scorer = scorer or Scorer.load(factory.project, factory.spec.model, version)
                known = factory.steps.finish(
                    f"score:{name}", inputs, _scored(factory, scorer, window)
                )
            digests[name] = str(known["digest"])
            stage.done(f"{name}: {known['rows']:,} rows")
    return digests


def monitor(factory: Factory, version: str, scored: dict[str, str], reporter: Reporter) -> None:
    """Evaluate every scored window, each in a notebook job of its own."""
    reference = factory.steps.latest(f"reference:{version}")
    requests = {
        window: JobRequest(
            factory.spec.monitor.notebook,
            {"factory": factory.name, "window_start": window},
            track=False,
            code=factory.project.root,
        )
        for window in scored
    }
    inputs = {
        "spec": factory.spec.monitor.model_dump(mode="json"),
        "scored": scored,
        "reference": reference,
    }
    with reporter.stage("Monitoring notebooks", len(requests)) as stage:
        results = run_steps(factory, "monitor", requests, inputs, stage)
    for prediction in list_predictions(factory.project, factory.name):
        day = factory.day(prediction.window_start)
        if day.isoformat() in results:
            made_from = [prediction.node, f"job:{results[day.isoformat()]['job']}"]
            link(factory.project, made_from, factory.window_node(day), "monitored")


def score_days(factory: Factory, start: str, end: str, output: Path, alias: str) -> dict[str, Any]:
    """Score the rows of any days into a new Parquet file; return path, rows and version.

    Raises
    ------
    UsageError
        If the file exists: nothing is overwritten.
    NotFoundError
        If no version has the alias.
    """
    if output.exists():
        raise UsageError(f"{output}: exists; name a new file")
    model = get_model(factory.project, factory.spec.model)
    if alias not in model.aliases:
        raise NotFoundError.named("alias", alias, model.aliases, f" of model {model.name}")
    scorer = Scorer.load(factory.project, model.name, model.aliases[alias])
    rows = factory.rows(start, end)
    scored = scored_frame(scorer, rows, [factory.key, factory.event_time])
    with write_atomic(output) as beside:
        scored.write_parquet(beside)
    return {
        "path": str(output),
        "rows": rows.height,
        "model": model.name,
        "version": scorer.version,
    }


def _scored(factory: Factory, scorer: Scorer, window: Period) -> dict[str, Any]:
    prediction = score_window(
        factory.project,
        scorer,
        factory.rows(*window),
        factory=factory.name,
        keep=[factory.key, factory.event_time],
        window=factory.moments(window),
        name=window[0].isoformat(),
        made_from=[factory.node],
    )
    return {"digest": prediction.digest, "rows": prediction.rows, "path": prediction.path}
