"""Forked kernels do what ordinary ones do, and where they wouldn't, ordinary ones are started."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from jupyter_client import KernelManager

from tests.jobs.forked_kernels import kernel, wait_until_gone
from tests.jobs.job_folders import job_folder, wait_until
from tests.jobs.notebooks import write_notebook
from workbench.jobs import JobRequest, run_jobs
from workbench.jobs.kernels import ForkingParent, chosen, learn, preload_list, prepare
from workbench.jobs.kernels import own_parents as own
from workbench.jobs.kernels.preload import left_out
from workbench.project import Project

NAME = "workbench-python3"
MODULES = [
    *("numpy", "pandas", "polars", "matplotlib.pyplot", "sklearn.ensemble", "sklearn.cluster"),
    *("xgboost", "lightgbm", "joblib"),
]


@pytest.fixture(scope="module")
def parent() -> Iterator[ForkingParent]:
    parent = ForkingParent(modules=MODULES)
    try:
        assert parent.wait_ready(120), parent.why_not
        yield parent
    finally:
        parent.close()


def test_a_kernel_has_its_own_environment_folder_and_log(
    parent: ForkingParent, tmp_path: Path
) -> None:
    environment = {**os.environ, "MINE": "yes", "TZ": "Asia/Tokyo"}
    del environment["PATH"]
    (tmp_path / "mine.py").write_text("x = 7")
    log = tmp_path / "log"
    with (
        log.open("wb") as out,
        kernel(parent, env=environment, cwd=str(tmp_path), stdout=out, stderr=out) as forked,
    ):
        said = forked.run(
            """
            import mine, os, sys, time
            print(os.environ["MINE"], "PATH" in os.environ, os.getcwd(), mine.x, time.tzname[0])
            print(sys.stdin.read() if sys.stdin else "", "pandas" in sys.modules, __name__)
            os.write(2, b"to the log")
            """
        )
        assert said.split() == ["yes", "False", str(tmp_path), "7", "JST", "True", "__main__"]
        wait_until(lambda: b"to the log" in log.read_bytes())
        assert chosen(forked.manager).how == "forked"


def test_a_kernel_is_interrupted_and_restarted(parent: ForkingParent) -> None:
    with kernel(parent) as forked:
        message = forked.client.execute("import time; print('begun'); time.sleep(600)")
        while forked.client.get_iopub_msg(timeout=60)["content"].get("text") != "begun\n":
            pass
        forked.manager.interrupt_kernel()
        reply = forked.client.get_shell_msg(timeout=60)
        assert reply["parent_header"]["msg_id"] == message
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert forked.run("x = 1; print(x)") == "1"

        first = psutil.Process(forked.pid)
        forked.manager.restart_kernel(now=True)
        forked.ready()
        assert forked.pid != first.pid
        assert (
            forked.run("import sys; print('x' in dir(), 'pandas' in sys.modules)") == "False True"
        )
        assert chosen(forked.manager).how == "forked"
        wait_until_gone([first])


def test_two_kernels_draw_different_numbers(parent: ForkingParent) -> None:
    code = """
    import random, numpy, uuid, tempfile
    print(random.random(), numpy.random.rand(), numpy.random.default_rng().random(), uuid.uuid4())
    """
    with kernel(parent) as one, kernel(parent) as other:
        assert set(one.run(code).split()).isdisjoint(other.run(code).split())


FITS = """
import warnings; warnings.simplefilter("ignore")
import numpy as np, pandas as pd, polars as pl, xgboost, lightgbm, joblib
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
x = np.random.default_rng(0).normal(size=(400, 5)); y = (x[:, 0] > 0).astype(int)
assert (x @ x.T).shape == (400, 400)
frame = pd.DataFrame(x).assign(y=y)
assert len(frame.groupby("y").mean()) == 2
assert pl.DataFrame(x).lazy().with_columns(y=pl.lit(y)).group_by("y").mean().collect().height == 2
for model in (
    HistGradientBoostingClassifier(max_iter=5),
    RandomForestClassifier(5, n_jobs=2),
    xgboost.XGBClassifier(n_estimators=5),
    lightgbm.LGBMClassifier(n_estimators=5, verbose=-1),
):
    assert model.fit(x, y).score(x, y) > 0.8, model
KMeans(2, n_init=1).fit(x)
assert joblib.Parallel(2, prefer="threads")(joblib.delayed(abs)(-i) for i in range(3)) == [0, 1, 2]
print("fitted")
"""


def test_models_are_fitted_in_a_kernel_whose_parent_imported_their_libraries(
    parent: ForkingParent,
) -> None:
    with kernel(parent) as one, kernel(parent) as other:
        assert one.run(FITS) == "fitted"
        assert other.run(FITS) == "fitted"


def test_a_figure_is_shown_without_being_asked_for(parent: ForkingParent) -> None:
    with kernel(parent) as forked:
        outputs = forked.outputs("import matplotlib.pyplot as plt; plt.plot([1, 2]);")
        assert [True for content in outputs if "image/png" in content.get("data", {})]


def test_thirty_kernels_leave_nothing(
    parent: ForkingParent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # of the files with the ports
    guard = psutil.Process(parent.pid)
    (server,) = guard.children()
    folder = Path(parent.address).parent

    def state() -> object:
        return (
            server.num_fds(),
            server.num_threads(),
            len(guard.children(recursive=True)),
            sorted(path.name for path in folder.iterdir()),
            list(tmp_path.iterdir()),
        )

    def one() -> None:
        manager = KernelManager(kernel_name="python3")
        environment = {**os.environ, "WORKBENCH_FORKING_PARENT": parent.address}
        assert prepare(manager, environment).how == "forked"
        manager.start_kernel(env=environment)
        manager.shutdown_kernel(now=True)

    one()
    wait_until(lambda: len(guard.children(recursive=True)) == 1)
    before, ours = state(), psutil.Process().num_fds()
    for _ in range(30):
        one()
    wait_until(lambda: state() == before)
    assert psutil.Process().num_fds() <= ours


def test_where_a_fork_would_differ_the_kernel_is_an_ordinary_one(
    parent: ForkingParent, tmp_path: Path
) -> None:
    (tmp_path / "pandas.py").write_text("mine = True")
    (tmp_path / "polars").mkdir()
    code = "import pandas; print(pandas.mine)"
    with kernel(parent, cwd=str(tmp_path)) as started:
        assert started.run(code) == "True"
        choice = chosen(started.manager)
        assert choice.how == "ordinary"
        assert choice.why == "its folder has modules of its own with the names pandas"

    environment = {**os.environ, "OMP_NUM_THREADS": "7"}
    with kernel(parent, env=environment, how="ordinary") as started:
        assert started.run("import os; print(os.environ['OMP_NUM_THREADS'])") == "7"
    choice = prepare(
        KernelManager(kernel_name="python3"),
        {**environment, "WORKBENCH_FORKING_PARENT": parent.address},
    )
    assert choice.why == "OMP_NUM_THREADS: read at import, and set differently"


def test_a_package_installed_meanwhile_is_seen_and_threads_are_left_out(tmp_path: Path) -> None:
    site, state = tmp_path / "site", tmp_path / "state"
    site.mkdir()
    start = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True)"
    (site / "threaded.py").write_text(f"{start}.start()")
    (site / "plain.py").write_text("x = 1")
    learn(state, ["threaded", "plain"])
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path}
    parent = ForkingParent(state, environment=environment)
    try:
        assert parent.wait_ready(60), parent.why_not
        assert parent.left_out == {"threaded": "starts a thread when it is imported"}
        assert left_out(state) == parent.left_out
        assert preload_list(state) == ["plain"]
        loaded = "import sys; print(*({'threaded', 'plain'} & {*sys.modules}))"
        with kernel(parent, env=environment) as forked:
            assert forked.run(loaded) == "plain"
            assert forked.run("import threaded, threading; print('ok')") == "ok"
            (site / "new-1.0.dist-info").mkdir()
            forked.manager.restart_kernel(now=True)
            forked.ready()
            assert chosen(forked.manager).why == (
                "packages were installed or removed since its forking parent started"
            )
            assert forked.run(loaded) == ""
    finally:
        parent.close()
    assert "relative" in ForkingParent(environment={"PYTHONPATH": "src"}).why_not


def test_jupyters_own_kernelspec_starts_warm_and_its_parents_outlive_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / NAME).symlink_to(Path(own.__file__).with_name("kernelspec"))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setattr(own, "_MOST", 1)
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    two_threads = {**os.environ, "OMP_NUM_THREADS": "2"}
    try:
        with kernel(None, name=NAME, env=one_thread) as first:
            assert chosen(first.manager).how == "forked"
            with kernel(None, name=NAME, env=two_threads) as second:
                assert chosen(second.manager).how == "forked"
                assert first.run("import os; print(os.environ['OMP_NUM_THREADS'])") == "1"
            assert len(own._parents) == 2
        with kernel(None, name=NAME, env=two_threads) as second:
            assert len(own._parents) == 1  # the other one had nothing left to run
            assert second.run("print(1)") == "1"
    finally:
        own.close_own_parents()


def test_a_forked_job_runs_to_its_result(parent: ForkingParent, tmp_path: Path) -> None:
    folder = job_folder(tmp_path / "job", ["import os; os.getppid()", "1 / 0"])
    process = parent.start_job(folder, environment=os.environ, cwd=tmp_path, log=folder / "log")
    assert process.wait(60) == 1
    result = (folder / "result.json").read_text()
    assert '"kernel": "forked"' in result
    assert '"failure": "cell"' in result


def test_many_jobs_are_forked_and_say_so(blank_project: Project) -> None:
    write_notebook(blank_project.root / "nb.ipynb", "print(x)", parameters="x: int = 0")
    jobs = run_jobs(
        blank_project, [JobRequest("nb.ipynb", {"x": x}, track=False) for x in range(3)]
    )
    assert [(job.state, job.kernel) for job in jobs] == [("succeeded", "forked")] * 3
