"""One run's entries as the calls that MLflow takes: batches, inputs, artifacts, the end."""

from __future__ import annotations

import math
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from workbench.errors import StoreError
from workbench.project import Project
from workbench.store import file_lock, write_atomic
from workbench.tracking.bulk import (
    artifacts_of,
    insert_end,
    insert_metrics,
    insert_params,
    insert_tags,
    sqlite_file,
)
from workbench.tracking.entries import Entry
from workbench.tracking.store import (
    StoreAwayError,
    check_reachable,
    client,
    initialise,
    shown_address,
)

__all__ = [
    "LOCAL_ID",
    "LOCAL_PREFIX",
    "RefusedError",
    "Sender",
    "UnclearError",
    "find_run",
    "spool_folder",
]

LOCAL_PREFIX = "local-"
"""How the id of a run begins that couldn't be created yet."""

LOCAL_ID = "workbench.local_id"
"""The tag that says which local id a run had."""

_METRICS, _TEXTS = 1000, 100  # MLflow's limits for a batch
_LOG_BATCH = "/api/2.0/mlflow/runs/log-batch"
_CONNECT_SECONDS, _ANSWER_SECONDS = 3.0, 30.0
_REFUSING = {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "INVALID_STATE"}
_WAITING = {
    "TEMPORARILY_UNAVAILABLE",
    "REQUEST_LIMIT_EXCEEDED",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
    "CUSTOMER_UNAUTHORIZED",
}
_WAITING_CODES = {401, 403, 429, 502, 503, 504}

_Send = Callable[[Sequence[Entry]], None]
_Insert = Callable[[Path, str, Sequence[Entry]], bool]


class RefusedError(Exception):
    """MLflow won't take this, now or later; never shown to a user."""

    def __init__(self, reason: str, *, run_is_gone: bool = False) -> None:
        super().__init__(reason)
        self.run_is_gone = run_is_gone


class UnclearError(Exception):
    """MLflow failed without saying whose fault it was; never shown to a user."""


def spool_folder(project: Project) -> Path:
    """Return the folder of the project's spool."""
    return project.state / "spool"


class Sender:
    """Sends the entries of one run, which it creates first if that had to wait."""

    def __init__(self, project: Project, head: Mapping[str, Any]) -> None:
        self.spooled_id: str = head["run_id"]
        self.run_id: str | None = None
        """The run's id in MLflow, once it is known."""
        if not self.spooled_id.startswith(LOCAL_PREFIX):
            self.run_id = self.spooled_id
        self._create = head["create"]
        self._project = project

    def batches(self, entries: Sequence[Entry]) -> Iterator[tuple[_Send, Sequence[Entry]]]:
        """Sort entries into batches, each with the function that sends it or a part of it."""
        kinds: dict[str, list[Entry]] = {}
        for entry in entries:
            kinds.setdefault(str(entry[0]), []).append(entry)
        for part in _cut(kinds.pop("metric", []), _METRICS):
            yield self._metrics, part
        for part in _unrepeated(kinds.pop("param", [])):
            yield self._params, part
        last = {entry[1]: entry for entry in kinds.pop("tag", [])}
        for part in _cut(list(last.values()), _TEXTS):
            yield self._tags, part
        for kind, send in (("input", self._input), ("file", self._file), ("end", self._end)):
            for entry in kinds.pop(kind, []):
                yield send, [entry]
        for unknown in kinds.values():
            yield _refuse, unknown

    def _id(self) -> str:
        if self.run_id is None:
            with _explained():
                self.run_id = _find_or_create(self._project, self.spooled_id, self._create)
        return self.run_id

    def _metrics(self, entries: Sequence[Entry]) -> None:
        run_id = self._id()
        if self._inserted(insert_metrics, entries):
            return
        if self._remote:
            self._post(metrics=[_metric_json(*entry[1:]) for entry in entries])
            return
        from mlflow.entities import Metric

        with _explained():
            client(self._project).log_batch(run_id, metrics=[Metric(*e[1:]) for e in entries])

    def _params(self, entries: Sequence[Entry]) -> None:
        if not self._inserted(insert_params, entries):
            from mlflow.entities import Param

            self._texts("params", entries, Param)

    def _tags(self, entries: Sequence[Entry]) -> None:
        if not self._inserted(insert_tags, entries):
            from mlflow.entities import RunTag

            self._texts("tags", entries, RunTag)

    def _inserted(self, insert: _Insert, entries: Sequence[Entry]) -> bool:
        """Write straight into a SQLite store; False if it isn't one, or MLflow has to judge."""
        path = sqlite_file(self._project.tracking_uri)
        if path is None:
            return False
        run_id = self._id()
        with _explained():
            return insert(path, run_id, entries)

    def _texts(self, field: str, entries: Sequence[Entry], kind: Callable[..., Any]) -> None:
        run_id = self._id()
        if self._remote:
            self._post(**{field: [{"key": key, "value": value} for _, key, value in entries]})
            return
        with _explained():
            client(self._project).log_batch(run_id, **{field: [kind(*e[1:]) for e in entries]})

    def _input(self, entries: Sequence[Entry]) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        inputs = [
            DatasetInput(Dataset(**dataset), [InputTag("mlflow.data.context", context)])
            for _, dataset, context in entries
        ]
        with self._answering() as mlflow:
            mlflow.log_inputs(self._id(), inputs)

    def _file(self, entries: Sequence[Entry]) -> None:
        for _, kept, artifact in entries:
            path = spool_folder(self._project) / kept
            folder = str(PurePosixPath(artifact).parent)
            try:
                if self._copied(path, artifact):
                    shutil.rmtree(path.parent, ignore_errors=True)
                    continue
                with self._answering() as mlflow:
                    if path.exists():
                        mlflow.log_artifact(
                            self._id(), str(path), None if folder == "." else folder
                        )
                    elif not _has(mlflow, self._id(), artifact):
                        raise RefusedError(f"its file {path} is gone")
            except UnclearError as error:  # the others mustn't wait for an artifact store's trouble
                raise RefusedError(f"{error}; its file is {path}") from error
            shutil.rmtree(path.parent, ignore_errors=True)

    def _copied(self, path: Path, artifact: str) -> bool:
        """Copy a file to where a SQLite store has its files; False if MLflow has to store it."""
        store = sqlite_file(self._project.tracking_uri)
        if store is None or not path.exists():
            return False
        with _explained():
            folder = artifacts_of(store, self._id())
            if folder is None:
                return False
            with write_atomic(folder / artifact) as beside:
                shutil.copyfile(path, beside)
        return True

    def _end(self, entries: Sequence[Entry]) -> None:
        if self._inserted(insert_end, entries):
            return
        with self._answering() as mlflow:
            for _, status, milliseconds in entries:
                mlflow.set_terminated(self._id(), status, milliseconds)

    @property
    def _remote(self) -> bool:
        return self._project.tracking_uri.startswith(("http://", "https://"))

    @contextmanager
    def _answering(self) -> Iterator[Any]:
        """Give MLflow's client once the store has answered: it would wait for minutes."""
        with _explained():
            check_reachable(self._project.tracking_uri)
            yield client(self._project)

    def _post(self, **fields: Any) -> None:
        """Send a batch to a server with limits of our own: MLflow's client tries for minutes."""
        from mlflow.exceptions import MlflowException
        from mlflow.utils.rest_utils import http_request, verify_rest_response

        run_id = self._id()
        with _explained():
            credentials = client(self._project)._tracking_client.store.get_host_creds()
        try:
            answer = http_request(
                credentials,
                _LOG_BATCH,
                "POST",
                max_retries=0,
                raise_on_status=False,
                timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
                json={"run_id": run_id, **fields},
            )
        except MlflowException as error:
            where = shown_address(self._project.tracking_uri)
            raise StoreAwayError(f"MLflow at {where}: no answer") from error
        if answer.status_code in _WAITING_CODES:
            place = self._project.tracking_uri
            raise StoreAwayError(f"MLflow at {place}: {answer.status_code} {answer.text[:200]}")
        with _explained():
            verify_rest_response(answer, _LOG_BATCH)


def find_run(project: Project, local_id: str) -> str | None:
    """Return the id in MLflow of the run that was `local_id` while the store was away."""
    tag = f"tags.`{LOCAL_ID}` = '{local_id}'"
    found = client(project).search_runs([initialise(project)], tag, max_results=1)
    return str(found[0].info.run_id) if found else None


def _find_or_create(project: Project, local_id: str, create: Mapping[str, Any]) -> str:
    experiment = initialise(project)
    with file_lock(spool_folder(project) / "create.lock"):  # created once, whoever delivers
        found = find_run(project, local_id)
        if found is not None:
            return found
        made = client(project).create_run(
            experiment,
            start_time=create["start_time"],
            run_name=create["name"],
            tags={**create["tags"], LOCAL_ID: local_id},
        )
    return str(made.info.run_id)


def _cut(entries: Sequence[Entry], size: int) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(entries), size):
        yield entries[start : start + size]


def _unrepeated(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Cut parameters into batches in which no name stands twice, which MLflow refuses."""
    part: dict[str, Entry] = {}
    for entry in entries:
        if part.get(entry[1]) == entry:
            continue
        if entry[1] in part or len(part) == _TEXTS:
            yield list(part.values())
            part = {}
        part[entry[1]] = entry
    if part:
        yield list(part.values())


def _metric_json(key: str, value: float, timestamp: int, step: int) -> dict[str, Any]:
    if math.isnan(value):
        shown: Any = "NaN"
    elif math.isinf(value):
        shown = "Infinity" if value > 0 else "-Infinity"
    else:
        shown = value
    return {"key": key, "value": shown, "timestamp": timestamp, "step": step}


def _has(mlflow: Any, run_id: str, artifact: str) -> bool:
    folder = str(PurePosixPath(artifact).parent)
    found = mlflow.list_artifacts(run_id, None if folder == "." else folder)
    return any(item.path == artifact for item in found)


def _refuse(_entries: Sequence[Entry]) -> None:
    raise RefusedError("this version of Workbench doesn't know what it is")


@contextmanager
def _explained() -> Iterator[None]:
    """Sort what goes wrong: the store is away, it refuses, or it doesn't say."""
    try:
        yield
    except (StoreAwayError, RefusedError, UnclearError):
        raise
    except (StoreError, OSError, sqlite3.OperationalError) as error:
        raise StoreAwayError(_brief(str(error))) from error
    except Exception as error:  # whatever it is, the notebook goes on
        raise _sorted(error) from error


def _sorted(error: Exception) -> Exception:
    if type(error).__module__.partition(".")[0] != "mlflow":  # which may not be imported
        return UnclearError(_brief(f"{type(error).__name__}: {error}"))
    code, message = str(getattr(error, "error_code", "")), str(getattr(error, "message", error))
    if code in _REFUSING:
        missing = code == "RESOURCE_DOES_NOT_EXIST"
        deleted = "must be in the 'active' state" in message
        return RefusedError(message, run_is_gone=missing or deleted)
    if code in _WAITING:
        return StoreAwayError(_brief(message))
    return UnclearError(_brief(message))


def _brief(message: str) -> str:
    """Return a message as one line; databases write pages."""
    return " ".join(message.split())[:300]
