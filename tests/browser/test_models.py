"""Models and monitors in a real JupyterLab: promoted, taken back, acknowledged, drawn."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Lab
from tests.browser.test_story import (
    FIRST_SIGHT,
    _execute,
    _open,
    screenshot,  # noqa: F401
)
from workbench.factory.scaffold import create_project
from workbench.monitoring import list_alerts, list_windows
from workbench.project import Project
from workbench.registry import get_model, list_decisions, list_models, verify_decisions

MODELS = "**/workbench/api/models?*"


@pytest.mark.demo
def test_models_and_monitors(
    lab: Lab,
    page: Page,
    screenshot: Callable[[str], None],  # noqa: F811
) -> None:
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    project = Project.find(lab.project)
    create_project(lab.served / "empty")
    _open(page, lab)
    _execute(page, "filebrowser:go-to-path", path="empty")
    _execute(page, "workbench:open")
    _execute(page, "workbench:show-models")
    _execute(page, "workbench:show-monitors")
    for title in ("Branch", "Runs", "Features"):
        _fold(page, title)
    models, monitors = _panel(page, "models"), _panel(page, "monitors")
    expect(models.get_by_text("No models yet.")).to_be_visible(timeout=FIRST_SIGHT)
    expect(monitors.get_by_text("Nothing is watched yet.")).to_be_visible(timeout=FIRST_SIGHT)

    _execute(page, "filebrowser:go-to-path", path="flights-demo")
    _execute(page, "workbench:open")
    name, champion = _shows_what_is_in_production(models, project)
    _says_what_went_wrong(page, models, name)
    _filters(models, name)
    _acknowledges(page, monitors, project)
    _opens_the_notebook_of_a_window(page, monitors, project)

    models.get_by_role("button", name=name, exact=True).click()
    _takes_back(page, models, project, name, champion)
    _refuses_with_the_reasons(page, models, name)
    _promotes_through_the_gate(page, models, project, name, champion, screenshot)
    _tells_decisions(models, project)
    screenshot("models")
    _draws(page, models, name, champion, screenshot)
    _opens_the_dashboard(page, monitors, name)
    screenshot("dashboard-tab")
    _shows_all_of_it_in_the_main_area(page, name)
    screenshot("models-wide")
    assert broken == []


def _fold(page: Page, title: str) -> None:
    """Make room: four panels more would leave little for each."""
    page.locator(".jp-Workbench-sidebar .lm-AccordionPanel-title").filter(has_text=title).click()


def _panel(page: Page, panel: str) -> Locator:
    return page.locator(f".jp-Workbench-sidebar [data-panel={panel}]")


def _shows_what_is_in_production(models: Locator, project: Project) -> tuple[str, str]:
    model = next(model for model in list_models(project) if "champion" in model.aliases)
    champion = model.aliases["champion"]
    card = models.get_by_role("article").filter(has_text=model.name)
    expect(card.get_by_text(f"champion v{champion}", exact=True)).to_be_visible(timeout=FIRST_SIGHT)
    expect(card.locator("[data-champion=true]")).to_contain_text("gate passed")
    expect(card).to_contain_text(f"{len(model.versions)} versions")
    alerts = [alert for alert in list_alerts(project) if alert.state == "open"]
    expect(card).to_contain_text(f"{len(alerts)} open alerts")
    return model.name, champion


def _says_what_went_wrong(page: Page, models: Locator, name: str) -> None:
    def refuse(route: Route) -> None:
        body = '{"type": "urn:workbench:store", "status": 503, "detail": "the store is away"}'
        route.fulfill(status=503, content_type="application/problem+json", body=body)

    page.route(MODELS, refuse)
    _execute(page, "workbench:refresh")
    failure = models.get_by_role("alert")
    expect(failure).to_contain_text("the store is away")
    page.unroute(MODELS)
    failure.get_by_role("button", name="Try again").click()
    expect(failure).to_have_count(0)
    expect(models.get_by_role("button", name=name, exact=True)).to_be_visible()


def _filters(models: Locator, name: str) -> None:
    box = models.get_by_role("searchbox", name="Filter models")
    box.fill("no such model")
    expect(models.get_by_text("No model matches.")).to_be_visible()
    box.fill(name[:5].upper())
    expect(models.get_by_role("button", name=name, exact=True)).to_be_visible()
    box.fill("")
    toggle = models.get_by_role("button", name="In production")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    expect(models.get_by_role("button", name=name, exact=True)).to_be_visible()
    toggle.click()


def _acknowledges(page: Page, monitors: Locator, project: Project) -> None:
    alerts = list_alerts(project)
    group = monitors.get_by_role("region", name="Alerts").locator(".jp-Workbench-alerts").first
    expect(group).to_contain_text(alerts[0].cause)
    group.locator("summary").click()
    expect(group.get_by_text(alerts[0].message, exact=True)).to_be_visible()
    group.get_by_role("button", name="Acknowledge").click()
    expect(group).to_contain_text("acknowledged")
    expect(group.get_by_role("button", name="Acknowledge")).to_have_count(0)
    states = {alert.state for alert in list_alerts(project) if alert.cause == alerts[0].cause}
    assert states == {"acknowledged"}


def _opens_the_notebook_of_a_window(page: Page, monitors: Locator, project: Project) -> None:
    windows = list_windows(project)
    strip = monitors.get_by_role("list", name="Windows, oldest first")
    expect(strip.get_by_role("listitem")).to_have_count(len(windows))
    strip.get_by_role("button", name=re.compile("alert")).last.click()
    frame = page.locator(".jp-Workbench-page iframe")
    expect(frame).to_have_attribute("sandbox", "", timeout=FIRST_SIGHT)
    shown = page.frame_locator(".jp-Workbench-page iframe")
    expect(shown.get_by_text("Did the model see what it knows?")).to_be_visible()


def _takes_back(page: Page, models: Locator, project: Project, name: str, champion: str) -> None:
    before = list_decisions(project, name)[-1].previous
    models.get_by_role("button", name=f"Roll back to v{before}").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"from version {champion} back to version {before}")
    dialog.get_by_role("button", name="Cancel").click()
    assert get_model(project, name).aliases["champion"] == champion

    models.get_by_role("button", name=f"Roll back to v{before}").click()
    dialog.get_by_role("textbox").fill("it answers <b>nonsense</b>")
    dialog.get_by_role("button", name="Roll back").click()
    expect(models.get_by_text(f"champion v{before}", exact=True)).to_be_visible()
    assert get_model(project, name).aliases["champion"] == before


def _promotion(page: Page, models: Locator, version: str) -> Locator:
    models.get_by_role("button", name=f"What to do with version {version}", exact=True).click()
    page.get_by_role("menuitem", name="Promote…").click()
    return page.get_by_role("dialog")


def _refuses_with_the_reasons(page: Page, models: Locator, name: str) -> None:
    dialog = _promotion(page, models, "1")
    expect(dialog.get_by_text("It may not become champion")).to_be_visible()
    expect(dialog.get_by_text("it was compared with no champion")).to_be_visible()
    button = dialog.get_by_role("button", name="Promote")
    expect(button).to_be_disabled()
    dialog.get_by_label("Override the gate").check()
    expect(button).to_be_disabled()  # till there is a reason
    dialog.get_by_label("Reason (needed)").fill("to see")
    expect(button).to_be_enabled()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def _promotes_through_the_gate(
    page: Page,
    models: Locator,
    project: Project,
    name: str,
    version: str,
    shot: Callable[[str], None],
) -> None:
    dialog = _promotion(page, models, version)
    expect(dialog.get_by_text("It passed its gate, and may become champion.")).to_be_visible()
    dialog.locator("summary").click()
    expect(dialog.get_by_role("row", name=re.compile("roc_auc within its bounds"))).to_be_visible()
    expect(dialog.get_by_role("columnheader", name="champion then")).to_be_visible()
    shot("promotion")
    dialog.get_by_label("Reason").fill("it was right after all")
    dialog.get_by_role("button", name="Promote").click()
    expect(models.get_by_text(f"champion v{version}", exact=True)).to_be_visible()
    decision = list_decisions(project, name)[-1]
    assert (decision.version, decision.reason) == (version, "it was right after all")
    assert not decision.override


def _tells_decisions(models: Locator, project: Project) -> None:
    models.get_by_role("tab", name="Versions").press("ArrowRight")
    decisions = models.get_by_role("listitem")
    expect(decisions.first).to_contain_text("it was right after all")
    expect(models.get_by_text("it answers <b>nonsense</b>", exact=True)).to_be_visible()
    count = verify_decisions(project).decisions
    expect(models.get_by_text(f"The chain of {count} decisions is as it was")).to_be_visible()


def _draws(
    page: Page, models: Locator, name: str, version: str, shot: Callable[[str], None]
) -> None:
    models.get_by_role("tab", name="Versions").click()
    shown = page.locator(".jp-Workbench-page:visible")
    menu = models.get_by_role("button", name=f"What to do with version {version}", exact=True)
    menu.click()
    page.get_by_role("menuitem", name="Show the Gate’s Evidence").click()
    expect(
        shown.locator("iframe").content_frame.get_by_text("0 of 19 checks failed")
    ).to_be_visible()
    menu.click()
    page.get_by_role("menuitem", name="Explain").click()
    picture = shown.locator("iframe").content_frame.locator("img")
    expect(picture).to_be_visible(timeout=FIRST_SIGHT)
    shot("explanation")
    menu.click()
    page.get_by_role("menuitem", name="Show the Lineage").click()
    nodes = shown.get_by_role("navigation", name="Nodes").get_by_role("button")
    expect(nodes.first).to_contain_text(f"{name}/{version}")
    before = nodes.count()
    shown.get_by_label("Depth").select_option("1")
    expect(nodes).not_to_have_count(before)
    shown.get_by_role("button", name=re.compile("^run ")).click()
    expect(shown.locator("strong")).to_contain_text("run:")
    shot("lineage")


def _opens_the_dashboard(page: Page, monitors: Locator, name: str) -> None:
    monitors.get_by_role("button", name="Open in the dashboard").click()
    frame = page.frame_locator(f'iframe[title="Dashboard of {name}"]')
    expect(frame.get_by_test_id("card-health")).to_be_visible(timeout=4 * FIRST_SIGHT)


def _shows_all_of_it_in_the_main_area(page: Page, name: str) -> None:
    _execute(page, "workbench:open-models")
    wide = page.locator("#jupyter-workbench-models")
    wide.get_by_role("button", name=name, exact=True).click()
    expect(wide.get_by_role("button", name="Promote…").first).to_be_visible()
