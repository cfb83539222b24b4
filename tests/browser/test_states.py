"""Each panel with nothing to show, on its way, in trouble, read only, without a server, full."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.conftest import ROOT, Lab, jupyter_lab
from tests.browser.panels import main_panel, only_panel, panel_ids, settled, sidebar_of
from tests.browser.test_story import FIRST_SIGHT, _execute, _open, _open_sidebar
from tests.large import FEATURES, JOBS, MODELS, RUNS, SOURCES
from tests.projects import copy_folder, ready_project
from tests.server.full import HTML, SCRIPT, full_project
from tests.server.running import Jupyter
from workbench.project import Project
from workbench.tracking import client, create_run, finish_run

LARGE_VARIABLE = "WORKBENCH_TEST_LARGE"
MADE_SECONDS = 300
NODES = 4000
"""How many elements a panel may hold: one row of the runs has some forty."""

QUIET = 3000  # ms

TOOLBAR = "Cannot read properties of null (reading 'promise')"
"""What JupyterLab's own toolbar throws when a widget is closed in the moment it is shown."""


class State(NamedTuple):
    """What a panel asks of the server, and what it says when there is nothing and something."""

    asks: str
    empty: str
    something: str


STATES = {
    "branch": State("branch", "There is no other", "notes.md"),
    "runs": State("runs", "No runs yet.", SCRIPT),
    "jobs": State("jobs", "No jobs yet.", "train"),
    "models": State("models", "No models yet.", "late"),
    "features": State("features", "No features yet.", "hour"),
    "data": State("catalogue", "No sources yet.", HTML),
    "monitors": State("monitors", "Nothing is watched yet.", "late"),
}


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """A new project, and one that has something of everything."""
    folder = tmp_path / "served"
    ready_project(folder / "fresh")
    some = full_project(folder / "some").project
    client(some).set_registered_model_alias("late", "champion", "1")  # so it is watched
    return folder


@pytest.fixture
def large(served: Path) -> Iterator[Callable[[], None]]:
    """Make a large project beside the others; what is given waits until it is there."""
    root = served / "large"
    if made := os.environ.get(LARGE_VARIABLE):
        copy_folder(Path(made), root)
        yield lambda: None
        return
    with subprocess.Popen([sys.executable, "-m", "tests.large", root], cwd=ROOT) as making:

        def wait() -> None:
            assert making.wait(MADE_SECONDS) == 0

        try:
            yield wait
        finally:
            making.kill()


@pytest.fixture
def server(served: Path, tmp_path: Path) -> Iterator[Jupyter]:
    with jupyter_lab(tmp_path / "jupyter", served) as server:
        yield server


def test_states(
    large: Callable[[], None],
    server: Jupyter,
    served: Path,
    page: Page,
    pytestconfig: pytest.Config,
) -> None:
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(f"{error} {error.stack}"))
    some = Project.find(served / "some")
    shots = Path(pytestconfig.getoption("--output"))
    _open(page, Lab(server.url.rstrip("/"), server.token, served, some.root))
    _go_into(page, "fresh")
    assert sorted(panel_ids(page)) == sorted(STATES)
    for name in STATES:
        _says_that_there_is_nothing(page, name)
    _go_into(page, "some")
    _is_quiet(page)
    for name in STATES:
        _says_that_it_is_on_its_way_and_what_went_wrong(page, name)
    for name in STATES:
        main_panel(page, name)
    _stops_and_comes_back(page, server, some, shots)
    _lets_a_viewer_look(page, some, shots)
    _close_all(page)
    large()
    _go_into(page, "large")
    for name in STATES:
        for panel in (only_panel(page, name), main_panel(page, name)):
            _shows_much(panel, name)
        page.screenshot(path=shots / f"large-{name}.png")
    assert [one for one in broken if TOOLBAR not in one] == []


def _go_into(page: Page, folder: str) -> None:
    _execute(page, "filebrowser:go-to-path", path=f"/{folder}")
    _open_sidebar(page)
    heading = sidebar_of(page).get_by_role("heading", level=2)
    expect(heading).to_have_attribute("title", re.compile(f"/{folder}$"), timeout=FIRST_SIGHT)


def _says_that_there_is_nothing(page: Page, name: str) -> None:
    for panel in (only_panel(page, name), main_panel(page, name)):
        expect(panel.get_by_text(STATES[name].empty).first).to_be_visible(timeout=FIRST_SIGHT)
        expect(panel.get_by_role("alert")).to_have_count(0)


def _says_that_it_is_on_its_way_and_what_went_wrong(page: Page, name: str) -> None:
    """Nothing is there yet; then the server refuses; tried again, it has it."""
    _close_all(page)
    only_panel(page, name)
    problem = {"type": "x", "title": "x", "status": 500, "detail": f"the disk is full {HTML}"}
    held: list[Route] = []
    address = f"**/workbench/api/{STATES[name].asks}?*"
    page.route(address, lambda route: held.append(route))
    _execute(page, f"workbench:open-{name}")
    panel = page.locator(f"#jupyter-workbench-{name}")
    expect(panel.locator(".jp-Workbench-loading").first).to_be_visible()
    expect(panel.locator("[aria-busy=true]").first).to_be_attached()
    while not held:
        page.wait_for_timeout(20)
    page.route(address, lambda route: route.fulfill(status=500, json=problem))
    for route in held:
        route.fulfill(status=500, json=problem)
    failure = panel.get_by_role("alert")
    expect(failure).to_contain_text(f"the disk is full {HTML}")
    page.unroute(address)
    failure.get_by_role("button", name="Try again").click()
    expect(failure).to_have_count(0)
    expect(panel.get_by_text(STATES[name].something).first).to_be_visible(timeout=FIRST_SIGHT)


def _close_all(page: Page) -> None:
    _execute(page, "application:close-all")


def _is_quiet(page: Page) -> None:
    """While nothing changes nothing is asked."""
    for name in STATES:
        main_panel(page, name)
    page.wait_for_timeout(QUIET)  # the first reading makes an index, which is told
    with _listening(page) as asked:
        page.wait_for_timeout(QUIET)
    assert asked == []


@contextmanager
def _listening(page: Page) -> Iterator[list[str]]:
    """Collect what is asked of the server's side of ours during the block."""
    asked: list[str] = []

    def keep(request: Request) -> None:
        if "/workbench/api/" in request.url:
            asked.append(request.url.partition("/workbench/api/")[2])

    page.on("request", keep)
    yield asked
    page.remove_listener("request", keep)


def _stops_and_comes_back(page: Page, server: Jupyter, project: Project, shots: Path) -> None:
    """Each panel says that the server is away, and reads everything anew when it is back."""
    only_panel(page, "jobs")
    server.stop()
    away = sidebar_of(page).get_by_text("not connected")
    expect(away).to_be_visible(timeout=FIRST_SIGHT)
    labs_own = page.get_by_role("dialog").filter(has_text="Server Connection Error")
    close = labs_own.get_by_role("button", name="Close")
    page.add_locator_handler(labs_own, lambda: close.click())
    for name in STATES:
        panel = main_panel(page, name)
        expect(panel.get_by_text("This is what was last read")).to_be_visible()
    page.screenshot(path=shots / "away.png")
    with _listening(page) as asked:
        page.wait_for_timeout(QUIET)
    assert len(asked) <= 2
    assert {one.partition("?")[0] for one in asked} <= {"events"}
    sidebar_of(page).get_by_role("button", name="Refresh", exact=True).click()
    for place in (sidebar_of(page), page.locator("#jupyter-workbench-monitors")):
        expect(place.get_by_text("The Jupyter server does not answer").first).to_be_visible()
    page.screenshot(path=shots / "away-refreshed.png")
    finish_run(project, create_run(project, "meanwhile", tags={}, params={}), "FINISHED")
    server.start()
    expect(page.locator(".jp-Workbench-stale")).to_have_count(0, timeout=2 * FIRST_SIGHT)
    for place in (only_panel(page, "runs"), main_panel(page, "runs")):
        expect(place.get_by_text("meanwhile").first).to_be_visible(timeout=FIRST_SIGHT)
    for name, state in STATES.items():
        something = main_panel(page, name).get_by_text(state.something)
        expect(something.first).to_be_visible(timeout=FIRST_SIGHT)


def _lets_a_viewer_look(page: Page, project: Project, shots: Path) -> None:
    """What writes is held back, and says why; what reads goes on."""
    settings = project.root / "workbench.toml"
    settings.write_text(settings.read_text() + '\n[roles]\nviewer = ["*"]\n')
    _execute(page, "workbench:refresh")

    branch = main_panel(page, "branch")
    expect(branch.get_by_text("You are a viewer here")).to_be_visible()
    expect(branch.get_by_role("button", name="Start a branch")).to_be_disabled()
    expect(branch.get_by_role("textbox")).to_have_count(0)
    expect(branch.get_by_role("button", name="Leaderboard")).to_be_enabled()

    runs = main_panel(page, "runs")
    runs.locator("summary").first.click()
    _is_held(runs.get_by_role("button", name="Check out"))
    _is_held(runs.get_by_role("button", name="Run again"))
    _is_held(runs.get_by_role("button", name="Register"))
    expect(runs.get_by_role("button", name="Pin ")).to_have_count(0)
    expect(runs.get_by_role("button", name="MLflow")).to_be_enabled()

    jobs = main_panel(page, "jobs")
    _is_held(jobs.get_by_role("button", name="Run as Job"))
    _is_held(jobs.get_by_role("button", name="Try train again"))
    jobs.get_by_role("tab", name="Failures").click()
    _is_held(jobs.get_by_role("button", name="Try it again"))
    jobs.get_by_role("tab", name="Schedules").click()
    _is_held(jobs.get_by_role("switch"))
    jobs.get_by_role("tab", name="Jobs").click()
    jobs.get_by_role("button", name="train", exact=True).click()
    job = page.locator("[data-panel=job]")
    _is_held(job.get_by_role("button", name="Try again"))
    _is_held(job.get_by_role("button", name="Run with other parameters"))

    models = main_panel(page, "models")
    models.get_by_role("button", name="late", exact=True).click()
    expect(models.get_by_text("You are a viewer here")).to_be_visible()
    _is_held(models.get_by_role("button", name="Promote"))
    models.get_by_role("button", name="What to do with version 1").click()
    menu = page.get_by_role("menu")
    for label in ("Promote…", "Approve or Refuse…", "Run the Gate Again", "Reproduce"):
        item = menu.get_by_role("menuitem", name=label)
        expect(item).to_have_attribute("aria-disabled", "true")
    item = menu.get_by_role("menuitem", name="Show the Lineage")
    expect(item).not_to_have_attribute("aria-disabled", "true")
    page.screenshot(path=shots / "viewer.png")
    page.keyboard.press("Escape")

    features = main_panel(page, "features")
    expect(features.get_by_role("button", name="Insert ").first).to_be_enabled()
    data = main_panel(page, "data")
    data.get_by_role("button", name="Report of skies").click()
    report = page.frame_locator('iframe[title="Report of skies"]')
    expect(report.get_by_text("origin").first).to_be_visible(timeout=FIRST_SIGHT)
    _is_held(main_panel(page, "monitors").get_by_role("button", name="Acknowledge"))


def _is_held(button: Locator) -> None:
    expect(button.first).to_be_disabled()
    expect(button.first).to_have_attribute("title", re.compile("^You are a viewer here"))


def _shows_much(panel: Locator, name: str) -> None:
    """Its first rows are there, its last can be come to, few are in the page, a filter works."""
    if name in LISTS:
        _scrolls(panel, LISTS[name])
        _NARROWED[name](panel)
    else:
        _unfolds(panel)


LISTS = {"runs": None, "features": None, "jobs": JOBS, "models": MODELS, "data": SOURCES}
"""How many rows a list has whose end is come to. Nobody scrolls through a hundred thousand."""

SOME = 300
"""Of a longer one so many are come to: pages of 50 or 100, read one after another."""

# The places, from 1, of the rows that can be seen, and how many there are; -1: not known yet.
_SEEN = """scroller => {
  const {top, bottom} = scroller.getBoundingClientRect();
  const rows = [...scroller.querySelectorAll('[aria-posinset]')].filter(row => {
    const box = row.getBoundingClientRect();
    return box.top < bottom && box.bottom > top;
  });
  return [rows.map(row => Number(row.ariaPosInSet)), Number(rows[0]?.ariaSetSize ?? -1)];
}"""


def _scrolls(panel: Locator, total: int | None) -> None:
    scroller = panel.locator(".jp-Workbench-scroller")
    expect(scroller.locator("[aria-posinset='1']")).to_be_visible(timeout=FIRST_SIGHT)
    places, size = scroller.evaluate(_SEEN)
    for _ in range(100):
        if places and max(places) >= (total or SOME):
            break
        scroller.press("End")
        settled(panel)
        places, size = scroller.evaluate(_SEEN)
        assert panel.locator("*").count() < NODES
    assert places == list(range(min(places), max(places) + 1))  # drawn without a gap
    if total:
        assert (max(places), size) == (total, total)
    scroller.press("Home")
    expect(scroller.locator("[aria-posinset='1']")).to_be_in_viewport()


def _narrows_runs(panel: Locator) -> None:
    rows = panel.locator("[data-run]")
    panel.get_by_role("button", name="turn round").click()  # to the other end of them all
    expect(rows.first).to_contain_text("run-0", timeout=FIRST_SIGHT)
    box = panel.get_by_role("combobox", name="Filter runs")
    box.fill(f"run_name = 'run-{RUNS - 1}'")
    expect(rows).to_have_count(1, timeout=FIRST_SIGHT)
    expect(rows).to_contain_text(f"run-{RUNS - 1}")


def _narrows_features(panel: Locator) -> None:
    total = panel.get_by_role("status").get_by_text(" features")
    expect(total).to_be_visible(timeout=FIRST_SIGHT)
    every = str(total.text_content())
    assert int(every.partition(" ")[0].replace(",", "")) > 0.99 * FEATURES  # a few names are twice
    insert = panel.get_by_role("button", name="Insert ")
    name = str(insert.nth(3).get_attribute("aria-label"))
    panel.get_by_role("searchbox").fill(name.removeprefix("Insert ").partition(":")[2])
    expect(total).not_to_have_text(every, timeout=FIRST_SIGHT)
    expect(panel.get_by_role("button", name=name, exact=True)).to_be_visible()


def _narrows_jobs(panel: Locator) -> None:
    choice = panel.get_by_label("Which jobs")
    expect(choice.locator("option").first).to_have_text(f"All jobs ({JOBS})")
    choice.select_option("bad")
    expect(panel.locator("[data-state=succeeded]")).to_have_count(0)
    _scrolls(panel, 2 * JOBS // 5)


def _narrows_models(panel: Locator) -> None:
    panel.get_by_role("searchbox").fill("m0321")
    expect(panel.locator(".jp-Workbench-model")).to_have_count(1, timeout=FIRST_SIGHT)
    expect(panel.get_by_role("button", name="m0321", exact=True)).to_be_visible()


def _narrows_data(panel: Locator) -> None:
    panel.get_by_role("searchbox").fill("source_123")
    expect(panel.get_by_role("button", name="Report of ").first).to_have_accessible_name(
        "Report of source_123", timeout=FIRST_SIGHT
    )


_NARROWED: dict[str, Callable[[Locator], None]] = {
    "runs": _narrows_runs,
    "features": _narrows_features,
    "jobs": _narrows_jobs,
    "models": _narrows_models,
    "data": _narrows_data,
}


def _unfolds(panel: Locator) -> None:
    """A list that isn't scrolled by itself shows its first rows, and the others when asked to."""
    more = panel.get_by_role("button", name=re.compile(r"^Show (\d+ )?more$"))
    expect(more.first).to_be_visible(timeout=FIRST_SIGHT)
    assert panel.locator("*").count() < NODES
    while more.count():
        with suppress(PlaywrightTimeout):  # what was asked for before may have been the last of it
            more.first.click(timeout=QUIET)
        settled(panel)
    expect(panel.get_by_role("listitem").last).to_be_visible()
