"""What a forking parent imports ahead, and who may share one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.jobs.kernels import imported_by_kernel, learn, preload_list
from workbench.jobs.kernels.choice import unforkable
from workbench.jobs.kernels.keys import package_digest, parent_key, same_at_import, shadowed
from workbench.jobs.kernels.preload import leave_out, left_out

names = st.lists(st.from_regex(r"[a-z]{1,4}(\.[a-z]{1,3})?", fullmatch=True), max_size=8)


def test_what_a_kernel_imported_comes_in_order_and_without_the_projects_own(tmp_path: Path) -> None:
    import numpy
    import polars

    mine = ModuleType("mine")
    mine.__spec__ = None
    modules = {"polars": polars, "mine": mine, "json": sys.modules["json"], "numpy": numpy}
    assert imported_by_kernel({**modules, "__main__": mine}, tmp_path) == ["polars", "numpy"]


def test_a_module_under_the_root_is_the_projects_own() -> None:
    import workbench.errors

    root = Path(workbench.__file__).parents[1]
    modules = {"workbench.errors": workbench.errors}
    assert imported_by_kernel(modules, root) == []
    assert imported_by_kernel(modules, root / "elsewhere") == ["workbench.errors"]


def test_the_list_is_learnt_anew_after_two_weeks(tmp_path: Path) -> None:
    learn(tmp_path, ["old", "kept"])
    learn(tmp_path, ["kept", "new"])
    assert preload_list(tmp_path) == ["old", "kept", "new"]
    file = tmp_path / "kernels" / "preload.json"
    list_ = json.loads(file.read_text())
    for days, expected in ((13, ["old", "kept", "new"]), (15, [])):
        since = datetime.now(UTC) - timedelta(days=days)
        file.write_text(json.dumps({**list_, "since": since.isoformat()}))
        assert preload_list(tmp_path) == expected
    learn(tmp_path, ["kept"])
    assert preload_list(tmp_path) == ["kept"]


def test_the_list_has_an_end_and_is_not_written_without_news(tmp_path: Path) -> None:
    learn(tmp_path, [f"m{i}" for i in range(10_001)])
    assert len(preload_list(tmp_path)) == 10_000
    file = tmp_path / "kernels" / "preload.json"
    written = file.stat().st_mtime_ns, file.stat().st_ino
    learn(tmp_path, ["m1", "m7"])
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == written


def test_what_came_with_the_fork_is_not_told(tmp_path: Path) -> None:
    code = (
        "import numpy, sys; from pathlib import Path\n"
        "from workbench.jobs.kernels.preload import came_ahead, imported_by_kernel\n"
        "came_ahead(sys.modules); import polars\n"
        "names = imported_by_kernel(sys.modules, Path('/nowhere'))\n"
        "print('polars' in names, 'numpy' in names)"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, text=True).split() == ["True", "False"]


@given(jobs=st.lists(names, max_size=6))
def test_the_list_has_what_was_imported_once_each(
    jobs: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    state = tmp_path_factory.mktemp("state")
    for imported in jobs:
        learn(state, imported)
    expected = list(dict.fromkeys(name for imported in jobs for name in imported))
    assert preload_list(state) == expected


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"since": "x"}', '{"since": "2026-01-01"}', "\x00"]
)
def test_a_damaged_list_counts_as_none(text: str, tmp_path: Path) -> None:
    learn(tmp_path, ["a"])
    (tmp_path / "kernels" / "preload.json").write_text(text)
    assert preload_list(tmp_path) == []
    learn(tmp_path, ["b"])
    assert preload_list(tmp_path) == ["b"]


def test_threads_learn_together(tmp_path: Path) -> None:
    threads = [threading.Thread(target=learn, args=(tmp_path, [f"m{i}"])) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(preload_list(tmp_path)) == sorted(f"m{i}" for i in range(12))


def test_what_may_not_be_imported_ahead_stays_out_with_what_is_in_it(tmp_path: Path) -> None:
    learn(tmp_path, ["a", "a.b", "c"])
    leave_out(tmp_path, {"a": "starts a thread"})
    assert preload_list(tmp_path) == ["c"]
    assert left_out(tmp_path) == {"a": "starts a thread"}


def test_variables_read_at_import_tell_parents_apart() -> None:
    ours = {"POLARS_MAX_THREADS": "2", "USER": "me", "PYTHONHASHSEED": "0"}
    assert same_at_import(ours, {**ours, "USER": "you", "MLFLOW_RUN_ID": "1"}) == []
    assert same_at_import(ours, {"POLARS_MAX_THREADS": "4"}) == [
        "POLARS_MAX_THREADS",
        "PYTHONHASHSEED",
    ]
    # What a kernel sets for itself is no difference.
    assert same_at_import({}, {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}) == []
    assert same_at_import({}, {"MPLBACKEND": "agg"}) == ["MPLBACKEND"]
    assert parent_key({}, ["a"]) != parent_key({}, ["b"])
    assert parent_key({"OMP_NUM_THREADS": "1"}, []) != parent_key({}, [])
    assert parent_key({"USER": "me"}, []) == parent_key({}, [])


def test_an_installed_package_makes_another_parent(tmp_path: Path) -> None:
    before = package_digest([str(tmp_path), str(tmp_path / "missing")])
    (tmp_path / "new-1.0.dist-info").mkdir()
    assert package_digest([str(tmp_path)]) != before


def test_files_that_a_kernel_would_import_instead(tmp_path: Path) -> None:
    import json.decoder

    import numpy
    import polars

    modules = {
        "numpy": numpy,
        "polars": polars,
        "json": json,
        "workbench": sys.modules["workbench"],
    }
    assert shadowed(str(tmp_path), modules) == []
    (tmp_path / "numpy").mkdir()  # without code it comes after the real one
    (tmp_path / "polars").mkdir()
    (tmp_path / "polars" / "__init__.py").touch()
    (tmp_path / "json.py").touch()
    (tmp_path / "other.py").touch()
    assert shadowed(str(tmp_path), modules) == ["json", "polars"]
    (tmp_path / "root").symlink_to(Path(__file__).parents[2])
    assert shadowed(str(tmp_path / "root"), modules) == []  # it is the same one


@pytest.mark.parametrize(
    ("language", "argv", "why"),
    [
        ("R", ["R", "--slave"], "its language is 'R'"),
        ("python", ["/opt/other/bin/python", "-m", "ipykernel_launcher"], "another environment"),
        ("python", [sys.executable, "-m", "bash_kernel", "-f", "x"], "isn't ipykernel's own"),
        ("python", [sys.executable, "-O", "-m", "ipykernel_launcher"], "isn't ipykernel's own"),
        ("python", [], "another environment"),
    ],
)
def test_kernels_that_are_no_fork_of_this_python(language: str, argv: list[str], why: str) -> None:
    assert why in unforkable(language, argv)


def test_this_pythons_kernel_can_be_forked() -> None:
    options = ["-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    for command in ("python", "python3", "python3.11", sys.executable):
        assert unforkable("python", [command, *options]) == ""


THREAD = (
    "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
)
BRIEF = "import threading\nthreading.Thread(target=str).start()"
LOOK = "from IPython import get_ipython\nassert get_ipython() is None"

SOURCES = {
    "starts": THREAD,
    "importer": "import looks2",
    "guarded": "try:\n    import looks\nexcept Exception:\n    pass",
    "looks": LOOK,
    "looks2": LOOK,
    "prints": "print('hello')",
    "brief": BRIEF,
    "broken": "import missing_package",
    "plain": "x = 1",
}
ASKED = ["starts", "importer", "guarded", "prints", "brief", "broken", "plain"]

IMPORT_AHEAD = """
import json, os, sys
from workbench.jobs.kernels.importing import UnfitModuleError, import_ahead
names, out, excluded = sys.argv[1].split(), sys.argv[2], sys.argv[3].split()
try:
    said = {"failed": import_ahead(names, excluded)}
except UnfitModuleError as error:
    said = {"unfit": error.reasons}
with open(out, "w") as file:
    json.dump({**said, "loaded": [name for name in names if name in sys.modules]}, file)
os._exit(0)
"""


def _import_ahead(folder: Path, excluded: list[str]) -> dict[str, Any]:
    """Import ahead in a process of its own, since that may be of no use afterwards."""
    out = folder / "said.json"
    command = [sys.executable, "-c", IMPORT_AHEAD, " ".join(ASKED), str(out), " ".join(excluded)]
    path = os.pathsep.join([str(Path(__file__).parents[2]), str(folder)])
    with (folder / "log").open("wb") as log:
        subprocess.run(command, stdout=log, stderr=log, env={"PYTHONPATH": path}, check=True)
    said: dict[str, Any] = json.loads(out.read_text())
    return said


def test_modules_that_forking_is_not_safe_with_are_found_at_once(tmp_path: Path) -> None:
    for name, source in SOURCES.items():
        (tmp_path / f"{name}.py").write_text(source)
    looks = "looks for its kernel when it is imported"
    unfit = {
        "starts": "starts a thread when it is imported",
        "importer": f"imports looks2, which {looks}",
        "looks2": looks,
        "guarded": f"imports looks, which {looks}",
        "looks": looks,
        "prints": "prints something when it is imported",
    }
    assert _import_ahead(tmp_path, [])["unfit"] == unfit

    said = _import_ahead(tmp_path, list(unfit))
    assert said["loaded"] == ["brief", "plain"]
    assert said["failed"] == {"broken": "ModuleNotFoundError: No module named 'missing_package'"}
