"""A notebook as a job, from its toolbar to its record, in a real browser on a real JupyterLab."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Lab
from tests.browser.panels import only_panel
from tests.browser.test_story import _execute, _go_to, _open, _open_sidebar
from workbench.project import Project
from workbench.store import JobRow, database, now

PARAMETERS = """
from typing import Annotated, Literal
from workbench.jobs import Range, Secret
factory: str = "flights"  # whose rows are used
month: Annotated[int, Range(1, 12)] = 6  # the month to train on
library: Literal["xgboost", "lightgbm"] = "xgboost"
wait: float = 0.0  # seconds to stay
token: Annotated[str | None, Secret] = None
"""
WORK = """
import time
print("month", month, "with", library, flush=True)
for step in range(int(wait * 10)):
    print("step", step, flush=True)
    time.sleep(0.1)
"""
SCRIPT = "<script>document.title = 'taken'</script>"
SHOW = f"""
from IPython.display import HTML
HTML("<b>bold</b>{SCRIPT}")
"""
FAIL = 'if month == 12:\n    raise ValueError("no flights in December")'
RUN_SECONDS = 90_000  # ms: a job's process and its kernel start on a busy machine


@pytest.fixture
def notebook(lab: Lab) -> Path:
    """A notebook that was not run from the top, and a schedule of it."""
    cells = [
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}, execution_count=1),
        new_code_cell(WORK, execution_count=3),
        new_code_cell(SHOW),
        new_code_cell(FAIL),
    ]
    kernel = {"name": "python3", "display_name": "Python 3"}
    path = lab.project / "study.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    (lab.project / "schedules").mkdir()
    (lab.project / "schedules" / "nightly.toml").write_text(
        'cron = "0 6 * * 1-5"\nzone = "Europe/Berlin"\nnotebook = "study.ipynb"\n'
        'description = "what happened yesterday"\n'
    )
    return path


@pytest.fixture
def shoot(page: Page, pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Keep what is on the screen under test-results/, in both colours."""
    folder = Path(pytestconfig.getoption("--output"))

    def take(name: str) -> None:
        for theme in ("Dark", "Light"):
            _execute(page, "apputils:change-theme", theme=f"JupyterLab {theme}")
            expect(page.locator("body")).to_have_attribute(
                "data-jp-theme-name", f"JupyterLab {theme}"
            )
            page.wait_for_timeout(400)
            page.screenshot(path=folder / f"jobs-{name}-{theme.lower()}.png")

    return take


@pytest.mark.demo
def test_jobs(lab: Lab, notebook: Path, page: Page, shoot: Callable[[str], None]) -> None:
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    project = Project.find(lab.project)
    with database(project).session() as session:  # what was there before
        session.query(JobRow).delete()

    _open(page, lab)
    for name in ("flights-demo", notebook.name):
        _open_sidebar(page)  # else the click on the browser's tab, which is open, closes it
        _go_to(page, name)
    sidebar = _open_sidebar(page)
    heading = sidebar.get_by_role("heading", name=project.name, level=2)
    expect(heading).to_be_visible(timeout=RUN_SECONDS)  # the server's first answer: it imports much
    jobs = only_panel(page, "jobs")
    expect(jobs.get_by_text("No jobs yet.")).to_be_visible()

    _shows_what_is_not_linear(page)
    _tags_a_cell(page, notebook)
    form = _opens_the_form(page)
    _is_wrong_at_the_field(form)
    shoot("form")
    _counts_a_grid(form)
    shoot("grid")
    job = _runs_one(page, form, sidebar)
    shoot("running")
    _cancels_it(page, job)
    _runs_a_grid_that_fails(page, jobs)
    shoot("list")
    _groups_failures(page, jobs)
    shoot("failures")
    _resumes_the_grid(page)
    _is_put_on_a_schedule(page, lab)
    _pauses_a_schedule(jobs, lab)
    shoot("schedules")
    _opens_the_executed(page, jobs)
    _shows_many(page, jobs, project)
    shoot("many")
    _tells_what_went_wrong(page, jobs)
    _refuses_a_viewer(page, lab)
    assert broken == []
    assert page.title() != "taken"


def _shows_what_is_not_linear(page: Page) -> None:
    button = page.get_by_role("button", name="not linear")
    expect(button).to_be_visible()
    expect(button).to_have_attribute(
        "title",
        "Not run from top to bottom: something was run twice, or is gone: cell 2 has the number 3",
    )
    button.click()
    expect(page.get_by_role("button", name="Restart and run all…")).to_be_visible()
    page.get_by_role("button", name="Leave it").click()


def _tags_a_cell(page: Page, notebook: Path) -> None:
    _execute(page, "notebook:move-cursor-down")
    _execute(page, "workbench:tag-function")
    _execute(page, "docmanager:save")
    expect(page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")).to_be_visible()
    cells = json.loads(notebook.read_text())["cells"]
    assert [cell["metadata"].get("tags", []) for cell in cells[:2]] == [
        ["parameters"],
        ["function"],
    ]
    _execute(page, "workbench:tag-function")


def _opens_the_form(page: Page) -> Locator:
    """The notebook has changes: it is saved first."""
    toolbar = page.locator(".jp-NotebookPanel-toolbar")
    toolbar.get_by_role("button", name="Run as job").press("Enter")
    form = page.get_by_role("region", name="Run study.ipynb as a job")
    expect(form.get_by_role("button", name="Run as a job")).to_be_enabled(timeout=30_000)
    expect(form.get_by_label("factory", exact=True)).to_be_focused()
    expect(form.get_by_label("library", exact=True)).to_have_value("xgboost")
    expect(form.get_by_label("token", exact=True)).to_have_attribute("type", "password")
    expect(form.locator("datalist option[value=flights]")).to_have_count(1)
    return form


def _is_wrong_at_the_field(form: Locator) -> None:
    month = form.get_by_label("month", exact=True)
    month.fill("13")
    expect(form.get_by_text("expected int from 1 up to 12, found '13'")).to_be_visible()
    expect(month).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_role("button", name="Run as a job")).to_be_disabled()
    form.get_by_text("Limits, retries and more").click()


def _counts_a_grid(form: Locator) -> None:
    form.get_by_role("button", name="Vary month").click()
    form.get_by_label("month", exact=True).fill("1..3")
    form.get_by_role("button", name="Vary library").click()
    expect(form.get_by_role("button", name="Run 6 jobs")).to_be_enabled()
    form.get_by_role("checkbox", name="lightgbm").uncheck()
    expect(form.get_by_role("button", name="Run 3 jobs")).to_be_enabled()


def _runs_one(page: Page, form: Locator, sidebar: Locator) -> Locator:
    form.get_by_role("button", name="Vary library").click()
    form.get_by_role("button", name="Vary month").click()
    form.get_by_label("month", exact=True).fill("4")
    form.get_by_label("wait", exact=True).fill("200")
    form.get_by_label("token", exact=True).fill("hush-hush")
    form.get_by_label("What it is for").fill(f"try {SCRIPT}")
    form.get_by_role("button", name="Run as a job").click()
    job = page.get_by_role("region", name="Job 2")
    expect(job.get_by_text("month 4 with xgboost")).to_be_visible(timeout=RUN_SECONDS)
    expect(job.get_by_text("step 3", exact=False).first).to_be_visible(timeout=RUN_SECONDS)
    expect(job.get_by_text("***", exact=True)).to_be_visible()
    expect(page.locator(".jp-Workbench-standing").get_by_text("1 job")).to_be_visible()
    expect(sidebar.get_by_role("progressbar")).to_be_visible()
    return job


def _cancels_it(page: Page, job: Locator) -> None:
    job.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel it").click()
    expect(job.get_by_role("status")).to_have_text("Cancelled", timeout=RUN_SECONDS)
    expect(job.get_by_role("button", name="Try again")).to_be_visible()


def _runs_a_grid_that_fails(page: Page, jobs: Locator) -> None:
    _execute(page, "workbench:run-as-job", path="flights-demo/study.ipynb")
    form = page.get_by_role("region", name="Run study.ipynb as a job")
    form.get_by_role("button", name="Vary month").click()
    form.get_by_label("month", exact=True).fill("11,12")
    form.get_by_role("button", name="Run 2 jobs").click()
    expect(jobs.get_by_text("Failed: ValueError: no flights in December")).to_be_visible(
        timeout=RUN_SECONDS
    )
    expect(jobs.get_by_role("img", name="Succeeded")).to_be_visible(timeout=RUN_SECONDS)
    expect(jobs.get_by_role("listitem")).to_have_count(3)


def _groups_failures(page: Page, jobs: Locator) -> None:
    jobs.get_by_role("tab", name="Failures").click()
    group = jobs.get_by_role("listitem").filter(has_text="ValueError")
    expect(group.get_by_text("1 job", exact=True)).to_be_visible()
    expect(group.get_by_text("study, cell 4")).to_be_visible()
    group.get_by_role("button", name="Open job").click()
    job = page.get_by_role("region", name="Job 2").last
    expect(job.get_by_text("no flights in December").first).to_be_visible(timeout=30_000)


def _resumes_the_grid(page: Page) -> None:
    """Only what failed runs again; it fails again, as its second attempt."""
    job = page.get_by_role("region", name="Job 2").last
    job.get_by_role("button", name="Run what is not done").click()
    expect(job.get_by_text("Attempt")).to_be_visible(timeout=RUN_SECONDS)
    expect(job.get_by_role("button", name="Try again")).to_be_visible(timeout=RUN_SECONDS)
    expect(job.get_by_text("One of 2 jobs: 1 succeeded, 1 not, 0 to come")).to_be_visible()


def _is_put_on_a_schedule(page: Page, lab: Lab) -> None:
    _execute(page, "workbench:run-as-job", path="flights-demo/study.ipynb")
    form = page.get_by_role("region", name="Run study.ipynb as a job")
    form.get_by_label("month", exact=True).fill("3")
    form.get_by_text("On a schedule").click()
    when = form.get_by_label("When: minute, hour, day, month, weekday")
    when.fill("whenever")
    form.get_by_role("button", name="Add the schedule").click()
    expect(form.get_by_role("alert").get_by_text("5 fields, not 1")).to_be_visible()
    when.fill("0 7 * * 1")
    form.get_by_role("button", name="Add the schedule").click()
    expect(page.get_by_text("study runs next at")).to_be_visible()
    written = tomllib.loads((lab.project / "schedules" / "study.toml").read_text())
    assert written == {"cron": "0 7 * * 1", "notebook": "study.ipynb", "parameters": {"month": 3}}


def _pauses_a_schedule(jobs: Locator, lab: Lab) -> None:
    jobs.get_by_role("tab", name="Failures").press("ArrowRight")
    switch = jobs.get_by_role("switch", name="Schedule nightly runs")
    expect(switch).to_be_checked()
    expect(jobs.get_by_text("No scheduler is there to run them")).to_be_visible()
    switch.click()
    expect(switch).not_to_be_checked()
    assert "enabled = false" in (lab.project / "schedules" / "nightly.toml").read_text()


def _opens_the_executed(page: Page, jobs: Locator) -> None:
    jobs.get_by_role("tab", name="Jobs").click()
    row = jobs.get_by_role("listitem").filter(has=page.get_by_role("img", name="Succeeded"))
    row.hover()
    row.get_by_role("button", name="Open the executed notebook").click()
    frame = page.frame_locator("iframe[title='The executed notebook study.ipynb']")
    expect(frame.get_by_text("month 11 with xgboost")).to_be_visible(timeout=60_000)


def _shows_many(page: Page, jobs: Locator, project: Project) -> None:
    """Five hundred, in the main area."""
    states = ("succeeded", "failed", "lost", "cancelled", "succeeded")
    with database(project).session() as session:
        session.add_all(
            JobRow(
                id=f"job-{number:04}",
                notebook=f"notebooks/train{number % 7}.ipynb",
                parameters={"month": number % 12 + 1, "library": "xgboost"},
                state=states[number % 5],
                error="ValueError: no such month" if states[number % 5] == "failed" else None,
                created_at=now(),
                started_at=now(),
                finished_at=now(),
            )
            for number in range(500)
        )
    _execute(page, "workbench:open-jobs")
    wide = page.locator(".jp-MainAreaWidget [data-panel=jobs]")
    expect(wide.get_by_role("listitem").first).to_be_visible()
    shown = wide.get_by_role("listitem").count()
    assert 10 < shown < 80
    wide.get_by_label("Which jobs").select_option("bad")
    expect(wide.get_by_role("img", name="Succeeded")).to_have_count(0)


def _tells_what_went_wrong(page: Page, jobs: Locator) -> None:
    """A server that doesn't answer is asked again when the user says so."""
    page.route("**/workbench/api/jobs?*", lambda route: route.abort())
    jobs.get_by_label("Which jobs").select_option("done")
    failure = jobs.get_by_role("alert")
    expect(failure.get_by_text("The Jupyter server does not answer")).to_be_visible()
    page.unroute("**/workbench/api/jobs?*")
    failure.get_by_role("button", name="Try again").click()
    expect(failure).to_have_count(0)
    expect(jobs.get_by_role("img", name="Succeeded").first).to_be_visible()


def _refuses_a_viewer(page: Page, lab: Lab) -> None:
    settings = lab.project / "workbench.toml"
    settings.write_text(settings.read_text() + '\n[roles]\nviewer = ["*"]\n')
    _execute(page, "workbench:run-as-job", path="flights-demo/study.ipynb")
    form = page.get_by_role("region", name="Run study.ipynb as a job")
    form.get_by_label("month", exact=True).press("Enter")
    expect(form.get_by_role("alert").get_by_text("may not run jobs")).to_be_visible()
