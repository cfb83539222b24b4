"""Killed at any point, the demo goes on where it stopped and ends with the same result."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.demo


def _killed(folder: Path, when: Callable[[], bool]) -> None:
    """Start the demo and send it SIGKILL as soon as `when` says so."""
    demo = subprocess.Popen(
        [sys.executable, "-m", "workbench", "demo", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 400
        while not when():
            assert demo.poll() is None, "the demo was through before it could be killed"
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        demo.send_signal(signal.SIGKILL)
        demo.wait()


def test_the_demo_survives_sigkill_while_training_and_while_scoring(
    tmp_path: Path, demo_project: Path, cli_json: Callable[..., Any]
) -> None:
    folder = tmp_path / "flights-demo"
    state = folder / ".workbench"

    def some_trained_and_some_not() -> bool:
        ended = len(list(state.glob("jobs/*/result.json")))
        return 1 <= ended <= 2 and len(list(state.glob("jobs/*/journal.jsonl"))) >= 2

    _killed(folder, some_trained_and_some_not)
    states = _settled(folder, cli_json)
    lost = states.count("lost")
    assert 1 <= lost <= 3
    assert states.count("succeeded") == 4 - lost

    _killed(folder, lambda: len(list(state.glob("predictions/flights/2013-*.parquet"))) >= 2)
    states = _settled(folder, cli_json)
    # Four trained and four judged: what was trained before the kill isn't trained again.
    assert states.count("succeeded") == 8
    assert states.count("lost") == lost

    outcome = cli_json("demo", folder)
    assert _result(outcome) == _result(
        cli_json("factory", "status", "flights", folder=demo_project)
    )
    scored = cli_json("score", "list", folder=folder)
    assert sum(window["rows"] for window in scored) == 170_618
    assert not list(state.rglob("*.tmp"))


def _settled(folder: Path, cli_json: Callable[..., Any]) -> list[str]:
    """Wait until the processes of the killed demo have noticed, and return the jobs' states."""
    end = time.monotonic() + 30
    while True:
        states = [job["state"] for job in cli_json("jobs", "list", folder=folder)]
        if not {"queued", "running"} & set(states):
            return states
        assert time.monotonic() < end, states
        time.sleep(0.2)


def _result(outcome: dict[str, Any]) -> dict[str, Any]:
    """What has to be the same: all but the jobs that were lost, and times, ids, names."""
    same = {
        key: outcome[key]
        for key in (
            "champion_metrics",
            "base_rate",
            "runs",
            "versions",
            "gates",
            "scored_windows",
            "scored_rows",
            "monitored_windows",
            "windows",
            "alerts",
        )
    }
    decisions = [decision["outcome"] for decision in outcome["decisions"]]
    retraining = outcome["retraining"]["outcome"]
    return json.loads(json.dumps({**same, "decisions": decisions, "retraining": retraining}))
