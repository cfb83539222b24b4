"""The warm kernel as JupyterLab has it: chosen by name, forked, and at work."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Lab
from tests.browser.test_story import _execute, _open

FORKED = """
from pathlib import Path
command = Path("/proc/self/cmdline").read_text()
print("forked", "workbench.jobs.kernels.parent" in command)
"""
FIRST_SIGHT = 60_000  # ms: the first kernel waits until its parent has imported


@pytest.mark.demo
def test_a_notebook_with_the_warm_kernel_runs_in_a_fork(lab: Lab, page: Page) -> None:
    path = Path(lab.served) / "warm.ipynb"
    kernel = {"name": "workbench-python3", "display_name": "Python 3 (Workbench, warm)"}
    content = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    content.cells = [nbformat.v4.new_code_cell(FORKED)]
    nbformat.write(content, path)
    _open(page, lab)
    _execute(page, "docmanager:open", path=path.name)
    ready = page.get_by_role("button", name="Python 3 (Workbench, warm) | Idle")
    expect(ready).to_be_visible(timeout=FIRST_SIGHT)
    _execute(page, "notebook:run-all-cells")
    expect(page.locator(".jp-OutputArea-output").get_by_text("forked True")).to_be_visible(
        timeout=FIRST_SIGHT
    )
