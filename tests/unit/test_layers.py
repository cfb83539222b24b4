"""Imports run downward, as the contracts in pyproject.toml say; and the contracts do bite."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint_imports(folder: Path) -> tuple[int, str]:
    """Check the package in `folder`; in a process of its own, since it imports what it reads."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_imports_run_downward() -> None:
    code, report = lint_imports(ROOT)
    assert code == 0, report


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house with every floor and nothing on it."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ignore = shutil.ignore_patterns("*.py", "labextension", "__pycache__")
    shutil.copytree(ROOT / "workbench", tmp_path / "workbench", ignore=ignore)
    for package in (ROOT / "workbench").glob("*/__init__.py"):
        (tmp_path / "workbench" / package.parent.name / "__init__.py").touch()
    for module in (ROOT / "workbench").glob("*.py"):
        (tmp_path / "workbench" / module.name).touch()
    shutil.copy(ROOT / "workbench" / "__init__.py", tmp_path / "workbench")
    return tmp_path


def test_the_empty_house_stands(house: Path) -> None:
    code, report = lint_imports(house)
    assert code == 0, report


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("store/__init__.py", "import workbench.jobs"),
        ("errors.py", "from workbench import data"),
        ("features/__init__.py", "def later():\n    from workbench.registry import Gate"),
        ("jobs/__init__.py", "if False:\n    import workbench.factory"),
        ("factory/__init__.py", "from workbench.cli import main"),
        ("attic/__init__.py", ""),
    ],
    ids=["ground", "face-of-the-package", "in-a-function", "in-a-branch", "a-face", "no-floor"],
)
def test_an_import_that_runs_upward_is_found(house: Path, module: str, source: str) -> None:
    path = house / "workbench" / module
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    code, report = lint_imports(house)
    assert code == 1, report
    assert "Imports run downward BROKEN" in report


def test_a_cycle_on_one_floor_is_found(house: Path) -> None:
    (house / "workbench" / "jobs" / "__init__.py").write_text("import workbench.registry")
    assert lint_imports(house)[0] == 0
    (house / "workbench" / "registry" / "__init__.py").write_text("import workbench.jobs")
    code, report = lint_imports(house)
    assert code == 1, report
    assert "Imports run downward KEPT" in report
    assert "No cycles between packages BROKEN" in report
