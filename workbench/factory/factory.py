"""An open factory: its file, its rows and its windows. What notebooks and stages share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from workbench.data import frame_digest, stamp
from workbench.data.contracts import contract_path, has_contract
from workbench.errors import NotFoundError, UsageError
from workbench.factory.scaffold import template_file
from workbench.factory.spec import FactorySpec, Period
from workbench.factory.steps import Steps
from workbench.features import Definitions, build_frame, load_definitions
from workbench.gates import Question
from workbench.lineage import link
from workbench.monitoring import MonitorInputs, Profile
from workbench.project import Project
from workbench.serving import list_predictions, read_predictions
from workbench.settings import load_toml, validate
from workbench.store import write_atomic

__all__ = ["Factory", "factory_of", "list_factories", "load", "policies_of"]


def list_factories(project: Project) -> list[str]:
    """List the names of the project's factories."""
    return sorted(path.stem for path in (project.root / "factories").glob("*.toml"))


def load(name: str, project: Project | None = None) -> Factory:
    """Open the factory called `name`.

    Raises
    ------
    NotFoundError
        If the project has no `factories/NAME.toml`.
    ConfigError
        If that file can't be used.
    """
    project = project or Project.find()
    known = list_factories(project)
    if name not in known:
        raise NotFoundError.named("factory", name, known)
    path = project.root / "factories" / f"{name}.toml"
    return Factory(project, name, validate(FactorySpec, load_toml(path), project.relative(path)))


def factory_of(project: Project, model: str, name: str = "") -> Factory:
    """Open the factory that makes a model.

    Raises
    ------
    NotFoundError
        If no factory makes it.
    UsageError
        If several do and none is named.
    """
    if name:
        return load(name, project)
    found = _makers(project, model)
    if not found:
        made = sorted({load(known, project).spec.model for known in list_factories(project)})
        raise NotFoundError.named("model of a factory", model, made)
    if len(found) > 1:
        names = ", ".join(factory.name for factory in found)
        raise UsageError(f"{model} is made by several factories, name one of {names}")
    return found[0]


def policies_of(project: Project, model: str) -> dict[str, str]:
    """Return the digest of the policy of each factory that makes a model, by its name."""
    return {factory.name: factory.spec.gate.digest for factory in _makers(project, model)}


def _makers(project: Project, model: str) -> list[Factory]:
    factories = (load(name, project) for name in list_factories(project))
    return [factory for factory in factories if factory.spec.model == model]


@dataclass(frozen=True)
class Factory:
    """A factory of a project. Its rows are the spine's with their features, by day."""

    project: Project
    name: str
    spec: FactorySpec

    @cached_property
    def steps(self) -> Steps:
        """The steps that were done."""
        return Steps(self.project, self.name)

    @cached_property
    def _definitions(self) -> Definitions:
        return load_definitions(self.project)

    @property
    def key(self) -> str:
        """The column that names a row."""
        return self._definitions.spine(self.spec.spine).key

    @property
    def event_time(self) -> str:
        """The column with the moment that a row is asked about."""
        return self._definitions.spine(self.spec.spine).event_time

    @property
    def label(self) -> str:
        """The column that a model learns to predict."""
        return self._definitions.spine(self.spec.spine).label

    @cached_property
    def built(self) -> dict[str, Any]:
        """The frame with all rows and features: path, digest, rows, columns. Made if need be."""
        definitions = self._definitions
        spine = definitions.spine(self.spec.spine)
        views = [definitions.view(reference.partition(":")[0]) for reference in self.spec.features]
        sources = {name for definition in (spine, *views) for name in definition.sources}
        inputs = {
            "spine": [spine.name, spine.digest],
            "views": [[view.name, view.digest] for view in views],
            "features": self.spec.features,
            "exclude": self.spec.exclude,
            "sources": {name: stamp(name, self.project) for name in sorted(sources)},
            "contracts": self._contracts(sources),
        }
        known = self.steps.result("features", inputs)
        if known is not None and (self.project.root / known["path"]).exists():
            return known
        return self.steps.finish("features", inputs, self._build())

    def _contracts(self, sources: Iterable[str]) -> dict[str, str]:
        """What the rows of the sources have to be like: with other demands they are asked anew."""
        asked = sorted(name for name in sources if has_contract(self.project, name))
        paths = [contract_path(self.project, name) for name in asked]
        return {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    def _build(self) -> dict[str, Any]:
        built = build_frame(self.project, self.spec.spine, self.spec.features)
        excluded = [name.replace(":", "__") for name in self.spec.exclude]
        frame = built.frame.drop(excluded)
        digest = frame_digest(frame)
        path = self.project.state / "offline" / "frames" / f"{self.name}-{digest[:16]}.parquet"
        with write_atomic(path) as beside:
            frame.write_parquet(beside, statistics=True)
        node = f"dataset:{self.name}@{digest[:12]}"
        link(self.project, built.made_from, node, "joined")
        return {
            "path": self.project.relative(path),
            "digest": digest,
            "node": node,
            "rows": frame.height,
            "columns": [column for column in frame.columns if "__" in column],
        }

    @property
    def columns(self) -> list[str]:
        """The feature columns, in the order in which a model gets them."""
        return list(self.built["columns"])

    @property
    def node(self) -> str:
        """The name of all its rows in the lineage."""
        return str(self.built["node"])

    def rows(self, start: date | str, end: date | str) -> pl.DataFrame:
        """Return all rows from day `start` to before day `end`, with their features.

        Columns: the spine's (key, event time, entities, label, label time) and `columns`.
        """
        since, until = self.moments((_day(start), _day(end)))
        path = self.project.root / self.built["path"]
        moment = pl.col(self.event_time)
        frame = pl.scan_parquet(path, glob=False)  # a folder may have brackets in its name
        return frame.filter(moment >= since, moment < until).collect()

    def labelled(self, start: date | str, end: date | str) -> pl.DataFrame:
        """Return the rows whose label is known, those to learn from and to judge on."""
        return self.rows(start, end).filter(pl.col(self.label).is_not_null())

    def moments(self, period: Period) -> tuple[datetime, datetime]:
        """Return the moments (UTC) at which a period of days begins and ends in the zone."""
        return self._moment(period[0]), self._moment(period[1])

    def _moment(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.spec.zone).astimezone(UTC)

    def day(self, moment: datetime) -> date:
        """Return the day that a moment is in, in the factory's zone."""
        return moment.astimezone(self.spec.zone).date()

    @property
    def gate_notebook(self) -> str:
        """The notebook that judges a version; ours where the project has none of its own."""
        name = self.spec.gate.notebook or "notebooks/gate.ipynb"
        if self.spec.gate.notebook or (self.project.root / name).exists():
            return name
        path = self.project.state / "notebooks" / "gate.ipynb"
        if not path.exists():
            with write_atomic(path) as beside:
                beside.write_bytes(template_file("flights", "notebooks/gate.ipynb").read_bytes())
        return str(path)

    def question(
        self,
        version: str,
        *,
        train: tuple[str, str],
        judge: tuple[str, str],
        champion: str | None,
    ) -> Question:
        """Ask the gate of a version: on the days `judge`, having been trained on the days `train`.

        Both are [first day, day after the last]. Rows without a label are left out.
        """
        rows, learnt = self.labelled(*judge), self.labelled(*train)
        return Question(
            project=self.project,
            spec=self.spec.gate,
            factory=self.name,
            model=self.spec.model,
            version=version,
            rows=rows,
            label=self.label,
            window=f"{judge[0]} to {judge[1]}",
            champion=champion,
            train=learnt,
            time=self.event_time,
            key=self.key,
            features={column: column.replace("__", ":", 1) for column in self.columns},
        )

    def window_node(self, day: date) -> str:
        """Return the lineage's name of the monitored window that begins on a day."""
        return f"window:{self.name}/{day}"

    def monitor_inputs(self, window_start: date | str) -> MonitorInputs:
        """Gather what the monitor needs to judge the window that begins on a day.

        Raises
        ------
        NotFoundError
            If no window that begins there was scored.
        """
        since = self._moment(_day(window_start))
        scored = {p.window_start: p for p in list_predictions(self.project, self.name)}
        if since not in scored:
            known = [self.day(moment).isoformat() for moment in scored]
            raise NotFoundError.named("scored window", str(window_start), known)
        prediction = scored[since]
        promoted = self.steps.latest(f"reference:{prediction.version}")
        assert promoted is not None, "a version's reference is stored before it scores anything"
        spine = self._definitions.spine(self.spec.spine)
        days = self.day(prediction.window_start), self.day(prediction.window_end)
        labels = self.labelled(*days).select(
            spine.key, label=spine.label, known_at=spine.label_time
        )
        return MonitorInputs(
            monitor=self.name,
            model=prediction.model,
            version=prediction.version,
            spec=self.spec.monitor,
            reference=Profile.model_validate(promoted["profile"]),
            expected=promoted["expected"],
            scored=read_predictions(self.project, prediction),
            labels=labels,
            key=spine.key,
            window_start=prediction.window_start,
            window_end=prediction.window_end,
            as_of=prediction.window_end + timedelta(hours=self.spec.label_delay_hours),
        )

    @property
    def path(self) -> Path:
        """The factory's file."""
        return self.project.root / "factories" / f"{self.name}.toml"


def _day(day: date | str) -> date:
    if isinstance(day, date):
        return day
    try:
        return date.fromisoformat(day)
    except ValueError as error:
        raise UsageError(f"{day!r}: expected a day like 2013-07-01") from error
