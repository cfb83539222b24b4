"""What is written for other tools: read by the real ones, and nothing in it is source."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import workbench
from tests.benchmarks.peers import peer_python
from tests.jobs.notebooks import write_notebook
from workbench.errors import ParameterError
from workbench.jobs.pipelines import EXPORTS, plan_pipeline
from workbench.jobs.pipelines.export.github_actions import _quoted
from workbench.project import Project

HOSTILE = '\'; touch $(pwd)/owned "`id`" ${{ github.token }} {{ 1 + 1 }} \\ \n# ü *'

STEPS = """
[steps.prepare]
notebook = "note books/prepare.ipynb"
parameters = {text = "${text}", rows = 3}
limits = {wall_seconds = 90}
retries = {attempts = 3, kinds = ["cell"]}
[steps.left]
notebook = "left.ipynb"
inputs = {frame = "prepare.frame"}
[steps.right-one]
notebook = "right.ipynb"
inputs = {value = "prepare.value", file = "prepare.value"}
[steps.last]
notebook = "last.ipynb"
parameters = {day = 2013-06-01, number = "6"}
after = ["left", "right-one"]
"""

EDGES = [
    ["left", "last"],
    ["prepare", "left"],
    ["prepare", "right-one"],
    ["right-one", "last"],
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    from tests.projects import ready_project

    made = ready_project(tmp_path_factory.mktemp("export") / "project")
    root = made.root
    write_notebook(
        root / "note books" / "prepare.ipynb",
        "import workbench",
        "from pathlib import Path\nPath('f.csv').write_text('a\\n' * rows)",
        "workbench.output('frame', Path('f.csv'))",
        "workbench.output('value', {'said': text})",
        parameters="text: str = ''\nrows: int = 1",
        kernel="ours",
    )
    write_notebook(
        root / "left.ipynb",
        "from pathlib import Path\nassert len(Path(frame).read_text()) == 6",
        parameters="frame: str",
        kernel="ours",
    )
    write_notebook(
        root / "right.ipynb",
        "import json, workbench\nassert json.loads(Path(file).read_text()) == value",
        "workbench.output('said', value['said'])",
        parameters="from pathlib import Path\nvalue: dict\nfile: Path",
        kernel="ours",
    )
    write_notebook(
        root / "last.ipynb",
        "assert number == '6'",
        parameters="from datetime import date\nnumber: str = ''\nday: date = date(2013, 1, 1)",
        kernel="ours",
    )
    (root / "pipelines").mkdir()
    head = f'[pipeline]\ndescription = {json.dumps(HOSTILE)}\n[parameters]\ntext = "x"\n'
    (root / "pipelines" / "p.toml").write_text(head + STEPS, encoding="utf-8")
    return made


def exported(project: Project, to: Any, text: str = HOSTILE) -> str:
    return EXPORTS[to](project, plan_pipeline(project, "p", {"text": text}))


AIRFLOW = [
    "apache-airflow==3.3.2",
    "apache-airflow-providers-papermill==3.13.3",
    "papermill==2.7.0",
    "ipykernel==7.4.0",
]

READ = """
import json, os, sys
from pathlib import Path
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag
bag = DagBag(sys.argv[1])
[dag] = bag.dags.values()
order = [task for task in dag.topological_sort()]
for task in order:
    # Without the guard that wants Airflow's own runner, which needs its database.
    execute = getattr(type(task).execute, "__wrapped__", type(task).execute)
    from airflow.providers.papermill.operators.papermill import PapermillOperator as Parent
    Parent.execute = getattr(Parent.execute, "__wrapped__", Parent.execute)
    execute(task, {"run_id": "manual__2026-01-01T00:00:00+00:00"})
Path(sys.argv[2]).write_text(json.dumps({
    "errors": {str(k): str(v) for k, v in bag.import_errors.items()},
    "dag": dag.dag_id,
    "description": dag.description,
    "tasks": [task.task_id for task in order],
    "edges": sorted([task.task_id, after] for task in order for after in task.downstream_task_ids),
    "kinds": sorted({type(task).__mro__[1].__name__ for task in order}),
    "retries": {task.task_id: task.retries for task in order},
    "seconds": {
        task.task_id: task.execution_timeout and task.execution_timeout.total_seconds()
        for task in order
    },
    "templated": [list(task.template_fields) for task in order],
}))
"""


def test_a_real_airflow_reads_the_dag_and_its_tasks_hand_on(
    project: Project, tmp_path: Path
) -> None:
    python = peer_python("airflow", AIRFLOW)
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "p.py").write_text(exported(project, "airflow"), encoding="utf-8")
    kernel = tmp_path / "jupyter" / "kernels" / "ours"
    kernel.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(
        json.dumps(
            {
                "argv": command,
                "display_name": "Ours",
                "language": "python",
                "env": {"PYTHONPATH": str(Path(workbench.__file__).parents[1])},
            }
        )
    )
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "JUPYTER_PATH": str(tmp_path / "jupyter"),
        "WORKBENCH_PROJECT": str(project.root),
    }
    said = tmp_path / "said.json"
    done = subprocess.run(
        [python, "-c", READ, tmp_path / "dags" / "p.py", said],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(said.read_text())
    assert found["errors"] == {}
    assert (found["dag"], found["description"]) == ("p", HOSTILE)
    assert found["tasks"][0] == "prepare"
    assert found["edges"] == EDGES
    assert found["kinds"] == ["PapermillOperator"]
    assert found["retries"] == {"prepare": 2, "left": 0, "right-one": 0, "last": 0}
    assert found["seconds"]["prepare"] == 90
    assert found["templated"] == [[]] * 4
    run = project.state / "airflow" / "p" / "manual__2026-01-01T00-00-00-00-00"
    assert json.loads((run / "right-one" / "outputs" / "said.json").read_text()) == HOSTILE
    assert not list(project.root.rglob("owned"))
    assert {path.parent.name for path in run.glob("*/executed.ipynb")} == set(found["tasks"])


def test_the_dag_file_is_fixed_code_and_literals(project: Project) -> None:
    trees = [ast.parse(exported(project, "airflow", text)) for text in ("x", HOSTILE)]
    ours = [
        {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
        for tree in trees
    ]
    assert list(ours[0]) == ["PIPELINE", "DESCRIPTION", "STATE", "STEPS"]
    steps = ast.literal_eval(ours[1]["STEPS"])
    assert steps["prepare"]["parameters"] == {"text": HOSTILE, "rows": 3}
    assert steps["last"]["parameters"] == {"day": "2013-06-01", "number": "6"}
    for tree in trees:
        tree.body = [node for node in tree.body if not isinstance(node, ast.Assign)]
    assert ast.dump(trees[0]) == ast.dump(trees[1])


RECORDER = """#!{python}
import json, sys
with open("said.jsonl", "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1:3] == ["pipeline", "output"]:
    if sys.argv[-1] == "gone":
        sys.exit(1)
    print("handed " + sys.argv[-1])
"""


def run_shell(lines: str, folder: Path) -> tuple[int, list[list[str]]]:
    """Run a step's commands as GitHub does, with a `workbench` that writes down what it got."""
    (folder / "bin").mkdir(exist_ok=True)
    recorder = folder / "bin" / "workbench"
    recorder.write_text(RECORDER.format(python=sys.executable))
    recorder.chmod(0o755)
    said = folder / "said.jsonl"
    said.unlink(missing_ok=True)
    environment = {**os.environ, "PATH": f"{recorder.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-e", "-c", lines], cwd=folder, env=environment, capture_output=True, check=False
    )
    return done.returncode, [json.loads(line) for line in said.read_text().splitlines()]


def commands(workflow: Any, job: str) -> list[str]:
    return [step["run"] for step in workflow["jobs"][job]["steps"] if "run" in step]


def test_the_workflow_of_github(project: Project, tmp_path: Path) -> None:
    text = exported(project, "github-actions")
    workflow = yaml.safe_load(text)
    jobs = workflow["jobs"]
    assert sorted([n, name] for name, job in jobs.items() for n in job.get("needs", [])) == EDGES
    assert workflow["on"] == {"workflow_dispatch": {}}
    assert jobs["prepare"]["timeout-minutes"] == 2
    assert "${{" not in text
    assert jobs["prepare"]["env"] == {"WORKBENCH_STATE_DIR": ".workbench"}

    up = [s["with"]["name"] for s in jobs["prepare"]["steps"] if "upload" in s.get("uses", "")]
    down = [s["with"]["name"] for s in jobs["left"]["steps"] if "download" in s.get("uses", "")]
    assert (up, down) == (["outputs-prepare", "notebook-prepare"], ["outputs-prepare"])

    install, run, collect = commands(workflow, "prepare")
    assert install == "pip install jupyter-workbench"
    code, said = run_shell(run, tmp_path)
    options = ["-p", f"text={HOSTILE}", "-p", "rows=3"]
    assert (code, said) == (0, [["run", *options, "--", "note books/prepare.ipynb"]])
    assert not (tmp_path / "owned").exists()
    job = tmp_path / ".workbench" / "jobs" / "1" / "outputs"
    job.mkdir(parents=True)
    (job / "outputs.json").write_text("{}")
    assert run_shell(collect + "workbench x", tmp_path)[0] == 0
    assert (tmp_path / ".workbench" / "handed" / "prepare" / "outputs.json").exists()

    _, run = commands(workflow, "right-one")
    code, said = run_shell(run, tmp_path)
    folder = ".workbench/handed/prepare"
    assert (code, said) == (
        0,
        [
            ["pipeline", "output", folder, "value"],
            ["pipeline", "output", "--path", folder, "value"],
            ["run", "-p", "value=handed value", "-p", "file=handed value", "--", "right.ipynb"],
        ],
    )
    assert run_shell(run.replace(" value)", " gone)"), tmp_path)[0] == 1
    _, run = commands(workflow, "last")
    _, said = run_shell(run, tmp_path)
    assert said == [["run", "-p", "day=2013-06-01", "-p", "number=6", "--", "last.ipynb"]]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_text_comes_through_yaml_and_shell(text: str) -> None:
    line = yaml.safe_load(yaml.safe_dump(f"printf %s {_quoted(text)}"))
    assert "${{" not in line
    done = subprocess.run(["bash", "-e", "-c", line], capture_output=True, check=True)
    assert done.stdout == text.encode()


def test_values_that_can_not_be_written(project: Project) -> None:
    with pytest.raises(ParameterError, match=r"text: 'a.x00b' can't be written on a command line"):
        exported(project, "github-actions", "a\0b")
    path = project.root / "pipelines" / "q.toml"
    write_notebook(project.root / "q.ipynb", parameters="x: float = 0.0")
    path.write_text(
        '[pipeline]\ndescription = ""\n[steps.a]\nnotebook = "q.ipynb"\nparameters = {x = inf}\n'
    )
    with pytest.raises(ParameterError, match="step a: a value has no literal"):
        EXPORTS["airflow"](project, plan_pipeline(project, "q"))


def test_secrets_stay_names(project: Project) -> None:
    write_notebook(
        project.root / "s.ipynb",
        parameters="from typing import Annotated\nfrom workbench.jobs import Secret\n"
        "token: Annotated[str, Secret]",
    )
    (project.root / "pipelines" / "s.toml").write_text(
        '[pipeline]\ndescription = ""\n[steps.a]\nnotebook = "s.ipynb"\n'
        'parameters = {token = "secret://TOKEN"}\n'
    )
    plan = plan_pipeline(project, "s")
    [job] = yaml.safe_load(EXPORTS["github-actions"](project, plan))["jobs"].values()
    assert job["env"]["TOKEN"] == "${{ secrets.TOKEN }}"
    assert any("token=secret://TOKEN" in step.get("run", "") for step in job["steps"])
    with pytest.raises(ParameterError, match="token: Airflow would keep the secret"):
        EXPORTS["airflow"](project, plan)
