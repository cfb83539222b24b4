"""The job's own process: `python -m workbench.jobs.process FOLDER`.

It executes the notebook in FOLDER as `spec.json` says, and leaves `result.json` beside it. When the
one who started it goes away, so does it, with everything that it started.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from workbench.store.files import write_atomic
from workbench.usage import Meter

__all__ = ["EXECUTED", "INPUT", "JOURNAL", "JOURNAL_VARIABLE", "PARTIAL", "RESULT", "SPEC", "main"]

SPEC, RESULT, JOURNAL = "spec.json", "result.json", "journal.jsonl"
INPUT, PARTIAL, EXECUTED = "input.ipynb", "partial.ipynb", "executed.ipynb"

JOURNAL_VARIABLE = "WORKBENCH_JOURNAL"
"""The environment variable with the path of the journal; without it none is kept."""


def main(folder: Path) -> int:
    """Execute the job in `folder`; return 0 if every cell was completed."""
    signal.signal(signal.SIGTERM, lambda *_: _end_all())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    spec = json.loads((folder / SPEC).read_text(encoding="utf-8"))
    meter = Meter()
    result = _execute(folder, spec)
    result["usage"] = meter.read().model_dump()
    if (folder / PARTIAL).exists():
        (folder / PARTIAL).replace(folder / EXECUTED)
    with write_atomic(folder / RESULT) as beside:
        beside.write_text(json.dumps(result), encoding="utf-8")
    return 0 if result["state"] == "succeeded" else 1


def _execute(folder: Path, spec: dict[str, Any]) -> dict[str, Any]:
    # jsonschema takes it for URIs in schemas, which notebooks lack, and building its grammar
    # takes longer than all the rest of papermill: without it jsonschema does what it did before.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    import papermill
    from papermill.engines import papermill_engines

    from workbench.jobs.engine import WorkbenchEngine

    papermill_engines.register("workbench", WorkbenchEngine)
    error: BaseException | None = None
    try:
        papermill.execute_notebook(
            str(folder / INPUT),
            str(folder / PARTIAL),
            parameters=spec["parameters"],
            engine_name="workbench",
            cwd=spec["cwd"],
            progress_bar=False,
        )
    except Exception as caught:
        error = caught
    return _result(folder, error)


def _result(folder: Path, error: BaseException | None) -> dict[str, Any]:
    """Judge by the cells; what papermill raised only counts where no cell tells."""
    journal = folder / JOURNAL
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
    for line in map(json.loads, lines):
        if "error" in line:
            return {"state": "failed", "error": line["error"], "error_cell": line["cell"]}
    if error is not None:
        first = (str(error).strip() or "no message").splitlines()[0]
        return {"state": "failed", "error": f"{type(error).__name__}: {first}", "error_cell": None}
    return {"state": "succeeded", "error": None, "error_cell": None}


def _end_with_parent() -> None:
    """Wait for the pipe from the one who started us to close; only its death closes it."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    _end_all()


def _end_all() -> None:
    import psutil

    for descendant in psutil.Process().children(recursive=True):
        try:
            descendant.kill()
        except psutil.NoSuchProcess:
            continue
    os._exit(1)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
