"""Which imported modules are the user's own."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import workbench
from workbench.git.modules import local_modules


def module(file: object) -> ModuleType:
    made = ModuleType("made")
    made.__file__ = file  # type: ignore[assignment]
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def own(project: Path, *files: object) -> list[Path]:
    return local_modules({f"m{n}": module(file) for n, file in enumerate(files)}, project)


def test_modules_of_the_project_and_of_folders_beside_it(project: Path) -> None:
    inside = write(project / "features" / "delays.py")
    beside = write(project.parent / "lib" / "helpers.py")
    assert own(project, str(inside), str(beside), str(inside)) == [beside, inside]
    assert own(project, str(project / "features" / ".." / "features" / "delays.py")) == [inside]


def test_installed_ones_are_not(project: Path) -> None:
    installed = [
        write(project / ".venv" / "lib" / "python3.11" / "site-packages" / "package.py"),
        write(project.parent / "usr" / "lib" / "python3" / "dist-packages" / "package.py"),
    ]
    assert own(project, *map(str, installed)) == []


def test_a_project_among_installed_packages_has_modules_too(tmp_path: Path) -> None:
    project = tmp_path / "site-packages" / "project"
    mine = write(project / "mine.py")
    installed = write(project / ".venv" / "lib" / "site-packages" / "package.py")
    assert own(project, str(mine), str(installed)) == [mine]


def test_what_is_no_source_file_is_not(project: Path) -> None:
    compiled = write(project / "fast.cpython-311-x86_64-linux-gnu.so")
    cached = write(project / "old.pyc")
    gone = project / "gone.py"
    zipped = project / "x.zip" / "inside.py"
    files = [str(compiled), str(cached), str(gone), str(zipped), None, 3, Path("x.py"), b"x.py"]
    assert own(project, *files) == []


def test_what_is_no_module_is_passed_over(project: Path) -> None:
    class Strange:
        __slots__ = ()

    class Angry:
        def __getattribute__(self, name: str) -> object:
            raise RuntimeError(name)

    modules = {"a": None, "b": Strange(), "c": Angry(), "d": "text"}
    assert local_modules(modules, project) == []  # type: ignore[arg-type]


def test_a_lazy_module_is_not_loaded(project: Path) -> None:
    file = write(project / "lazy.py", "raise SystemExit('loaded')\n")
    spec = importlib.util.spec_from_file_location("lazy", file)
    assert spec is not None
    assert spec.loader is not None
    loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    spec.loader = loader
    loader.exec_module(lazy)
    assert local_modules({"lazy": lazy}, project) == [file]


OTHERS = """
import sys
from pathlib import Path
import pytest
import workbench.data, workbench.features, workbench.jobs, workbench.tracking
from workbench.git.modules import local_modules
print(*local_modules(sys.modules, Path(sys.argv[1])))
"""


def test_nothing_that_is_installed_is_a_projects(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OTHERS, project], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == []


def test_what_is_imported_from_a_project_is_its_own() -> None:
    package = Path(workbench.__file__).resolve().parent
    found = local_modules(sys.modules, package.parent)
    assert any(path.is_relative_to(package) for path in found)


def test_what_a_process_really_imports(project: Path) -> None:
    write(project / "mine" / "__init__.py", "from mine import part\n")
    write(project / "mine" / "part.py")
    write(project / "space" / "inner.py")  # a namespace package
    beside = write(project.parent / "lib" / "helpers.py")
    script = write(
        project / "train.py",
        "import sys; from pathlib import Path; sys.path[:0] = ['../lib', sys.argv[1]]\n"
        "import json, email.message, sqlite3, helpers, mine, space.inner, numpy\n"
        "from workbench.git.modules import local_modules\n"
        "print(*local_modules(sys.modules, Path.cwd()), sep='\\n')\n",
    )
    package = str(Path(workbench.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, script.name, package],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {Path(line) for line in done.stdout.splitlines()} == {
        script,
        beside,
        project / "mine" / "__init__.py",
        project / "mine" / "part.py",
        project / "space" / "inner.py",
    }
