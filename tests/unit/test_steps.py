"""Steps: done once for the same inputs, by whichever process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench import Project
from workbench.factory.steps import Silent, Steps


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "workbench.toml").write_text('name = "x"\n')
    return Project.find(tmp_path)


@pytest.fixture
def steps(project: Project) -> Steps:
    return Steps(project, "flights")


@pytest.fixture
def work() -> Callable[[], dict[str, Any]]:
    """Work whose result tells how often it was done."""
    done = 0

    def do() -> dict[str, Any]:
        nonlocal done
        done += 1
        return {"done": done}

    return do


Work = Callable[[], dict[str, Any]]


def test_a_step_is_done_once_for_the_same_inputs(steps: Steps, work: Work) -> None:
    inputs = {"days": [1, 2], "name": "é"}
    assert steps.run("train", inputs, work) == {"done": 1}
    assert steps.run("train", dict(reversed(inputs.items())), work) == {"done": 1}
    assert steps.result("train", inputs) == {"done": 1}


def test_other_inputs_do_it_again_and_replace_it(steps: Steps, work: Work) -> None:
    steps.run("train", {"a": 1}, work)
    for other in ({"a": 2}, {"a": "2"}, {"a": None}, {}, {"b": 2}, {"a": [2]}):
        before = steps.latest("train")
        assert steps.result("train", other) is None
        assert steps.run("train", other, work) != before
    assert steps.latest("train") == {"done": 7}
    assert steps.run("train", {"a": 1}, work) == {"done": 8}  # only the last is remembered


def test_steps_of_other_keys_factories_and_projects_are_other_steps(
    project: Project, steps: Steps, work: Work, tmp_path: Path
) -> None:
    steps.run("train", {}, work)
    assert steps.result("train:2", {}) is None
    assert Steps(project, "other").result("train", {}) is None
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "workbench.toml").write_text('name = "x"\n')
    assert Steps(Project.find(tmp_path / "inner"), "flights").result("train", {}) is None


def test_a_step_that_was_never_done_has_no_result(steps: Steps) -> None:
    assert steps.result("train", {}) is None
    assert steps.latest("train") is None


def test_a_result_of_nothing_is_a_result(steps: Steps) -> None:
    assert steps.run("train", {}, dict) == {}
    assert steps.run("train", {}, lambda: pytest.fail("it was done")) == {}


def test_a_step_that_fails_is_not_done(steps: Steps, work: Work) -> None:
    def fail() -> dict[str, Any]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        steps.run("train", {}, fail)
    assert steps.result("train", {}) is None
    assert steps.run("train", {}, work) == {"done": 1}


def test_a_step_that_fails_for_new_inputs_keeps_the_old_result(steps: Steps, work: Work) -> None:
    steps.run("train", {"a": 1}, work)
    with pytest.raises(ZeroDivisionError):
        steps.run("train", {"a": 2}, lambda: {"x": 1 / 0})
    assert steps.result("train", {"a": 1}) == {"done": 1}


def test_what_comes_out_later_is_what_came_out_first(steps: Steps) -> None:
    result = {"é": [1, 2.5, None, True], "nested": {"b": {"a": "x" * 10_000}}, "big": 2**60}
    assert steps.run("train", {}, lambda: result) == result
    assert steps.latest("train") == result


STEP = """
import sys
from workbench import Project
from workbench.factory.steps import Steps

def work():
    print("working", flush=True)
    if sys.argv[2] == "hang":
        sys.stdin.read()
    return {"by": sys.argv[2]}

print(Steps(Project.find(sys.argv[1]), "flights").run("train", {"a": 1}, work))
"""


def in_a_process(project: Project, name: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", STEP, project.root, name], capture_output=True, text=True, check=True
    ).stdout


def test_a_step_that_was_done_is_done_for_a_new_process(project: Project, steps: Steps) -> None:
    steps.finish("train", {"a": 1}, {"by": "this one"})
    assert in_a_process(project, "another") == "{'by': 'this one'}\n"


def test_a_step_that_was_killed_is_done_again(project: Project, steps: Steps) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STEP, project.root, "hang"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        process.kill()
    assert steps.latest("train") is None
    assert steps.run("train", {"a": 1}, lambda: {"by": "the next"}) == {"by": "the next"}


def test_a_silent_reporter_lets_everything_happen(capsys: pytest.CaptureFixture[str]) -> None:
    with Silent().stage("train", 3) as stage:
        stage.working("x")
        stage.done("x")
    assert capsys.readouterr() == ("", "")
