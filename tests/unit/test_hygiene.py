"""What is committed is the project's alone: no machine, no package registry, no stored output."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]

# Written in pieces, so that this file doesn't hold what it looks for.
MACHINE_PATHS = [f"/{folder}/" for folder in ("work", "home", "root", "Users", "opt/pypi")]
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("npmmirror", "com"),
        ("anaconda", "org"),
        ("jfrog", "io"),
    )
]
FORBIDDEN = re.compile(
    rf"(?<![\w.\-])({'|'.join(MACHINE_PATHS)})|{'|'.join(map(re.escape, REGISTRIES))}"
)
LARGEST = 2**20


def committed() -> list[Path]:
    """List the files that Git tracks; a checkout may belong to another user than the test's."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode != 0:
        pytest.skip(f"NOT CHECKED: no Git checkout here: {listing.stderr.strip()}")
    files = [ROOT / name for name in listing.stdout.split("\0") if name]
    return [file for file in files if file.is_file() and not file.is_symlink()]


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{number}: {match.group()}"
        for file in committed()
        for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1)
        for match in FORBIDDEN.finditer(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "forbidden"),
    [
        ("see /" + "home/someone/notes", True),
        ('"resolved": "https://registry.npmjs' + '.org/x"', True),
        ("a path like notebooks/home/x or ./work/x", False),
        ("https://example.org/home/page", False),
    ],
)
def test_the_search_finds_what_it_should(line: str, *, forbidden: bool) -> None:
    assert bool(FORBIDDEN.search(line)) is forbidden


def test_no_file_is_large() -> None:
    sizes = {str(file.relative_to(ROOT)): file.stat().st_size for file in committed()}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}


def test_notebooks_are_committed_valid_and_without_results() -> None:
    problems = []
    for file in committed():
        if file.suffix != ".ipynb":
            continue
        notebook = nbformat.read(file, as_version=nbformat.NO_CONVERT)
        nbformat.validate(notebook)
        name = file.relative_to(ROOT)
        if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
            problems.append(f"{name}: format {notebook.nbformat}.{notebook.nbformat_minor}")
        for number, cell in enumerate(notebook.cells):
            if not cell.get("id"):
                problems.append(f"{name}: cell {number} has no id")
            if cell.get("outputs") or cell.get("execution_count") is not None:
                problems.append(f"{name}: cell {number} has results")
    assert problems == []
