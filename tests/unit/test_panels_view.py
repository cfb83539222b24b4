"""What a dashboard says, from records whose answer is known."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any, get_args

import pytest

from workbench.monitoring import Alert, Finding, Window
from workbench.panels import ModelView, figures, html
from workbench.panels.view import drift_cells, performance, period, positives
from workbench.registry import Decided, Decision, Version

NOW = datetime(2013, 12, 1, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)>'\"&"


def version(number: str = "2", **changes: Any) -> Version:
    metrics = {"roc_auc": 0.7481, "brier": 0.1765, "average_precision": 0.5}
    fields = {
        "version": number,
        "run_id": "r",
        "metrics": metrics,
        "aliases": [],
        "gate": "passed",
        "created_at": NOW,
    }
    return Version(**{**fields, **changes})


def window(month: int = 7, status: str = "ok", **changes: Any) -> Window:
    findings = [
        Finding(
            kind="performance",
            column=None,
            metric="roc_auc",
            value=0.7,
            threshold=0.72,
            message="ROC AUC fell to 0.700",
        )
    ]
    metrics = {
        "rows": 29428,
        "labelled": 28000,
        "labelled_share": 0.9515,
        "roc_auc": 0.7294,
        "average_precision": 0.55,
        "brier": 0.19,
        "log_loss": None,
        "base_rate": 0.317,
        "prediction_mean": 0.262,
        "expected": {"roc_auc": 0.7481, "brier": 0.1765},
        "thresholds": {"psi": 0.2, "prediction_psi": 0.1},
        "psi": {"temp": 0.3 * month, "wind": None, "prediction": 0.15},
        "missing": {"temp": 0.0, "wind": 1.0, "prediction": 0.0},
    }
    fields = {
        "monitor": "flights",
        "model": "late",
        "version": "2",
        "window_start": datetime(2013, month, 1, tzinfo=UTC),
        "window_end": datetime(2013 + month // 12, month % 12 + 1, 1, tzinfo=UTC),
        "status": status,
        "findings": findings if status in ("alert", "warning") else [],
        "metrics": {**metrics, **changes.pop("metrics", {})},
        "job_id": "j7",
        "evaluated_at": NOW,
    }
    return Window(**{**fields, **changes})


def decision(**changes: Any) -> Decision:
    fields = {
        "id": 1,
        "factory": "flights",
        "model": "late",
        "alias": "champion",
        "version": "2",
        "previous": "1",
        "outcome": "promoted",
        "reason": "better by 0.02",
        "evidence": {},
        "decided_by": "ada",
        "role": "approver",
        "override": False,
        "decided_at": NOW,
        "previous_hash": "",
        "hash": "a" * 64,
    }
    return Decision(**{**fields, **changes})


def alert(**changes: Any) -> Alert:
    fields = {
        "id": 1,
        "monitor": "flights",
        "model": "late",
        "version": "2",
        "window_start": datetime(2013, 7, 1, tzinfo=UTC),
        "state": "open",
        "cause": "performance: roc_auc",
        "message": "ROC AUC fell",
        "owner": "ops",
        "job_id": None,
        "opened_at": NOW,
    }
    return Alert(**{**fields, **changes})


def view(**changes: Any) -> ModelView:
    fields = {
        "name": "late",
        "champion": version(),
        "promotion": decision(),
        "versions": (version(), version("1", gate="failed")),
        "windows": (window(7), window(8, "alert")),
        "alerts": (alert(),),
        "decisions": (decision(),),
    }
    return ModelView(**{**fields, **changes})


class Text(HTMLParser):
    """The tags and the text of a page, as a browser takes them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def texts(page: str) -> list[str]:
    return [text.strip() for text in Text(page).texts if text.strip()]


def test_health_is_that_of_the_champions_own_newest_window():
    assert view().health.tone == "alert"
    assert view().health.text == "Aug 2013: ROC AUC fell to 0.700"
    recovered = view(windows=(window(7, "alert"), window(8, "ok")))
    assert (recovered.health.tone, recovered.health.text) == (
        "ok",
        "Within every threshold in Aug 2013",
    )


def test_a_new_champion_is_not_blamed_for_the_old_ones_window():
    health = view(champion=version("3")).health
    assert health.tone == "unwatched"
    assert health.text.startswith("Not judged since its promotion; version 2 before it: alert")


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"champion": None}, "No version is the champion"), ({"windows": ()}, "No window")],
)
def test_what_is_not_watched_is_not_called_healthy(changes, words):
    assert view(**changes).health.tone == "unwatched"
    assert view(**changes).health.text.startswith(words)


def test_few_rows_are_not_called_healthy():
    assert view(windows=(window(7, "insufficient"),)).health.tone == "insufficient"


def test_open_alerts_are_those_not_resolved():
    states = ("open", "acknowledged", "resolved")
    assert view(alerts=tuple(alert(state=state) for state in states)).open_alerts == 2


def test_a_period_is_named_by_month_where_all_are_months():
    months = [window(7), window(12)]
    assert [period(each, months) for each in months] == ["Jul 2013", "Dec 2013"]
    week = window(7, window_end=datetime(2013, 7, 8, tzinfo=UTC))
    assert period(months[0], [*months, week]) == "2013-07-01"
    paris = [
        window(
            7,
            window_start=datetime(2013, 6, 30, 22, tzinfo=UTC),
            window_end=datetime(2013, 7, 31, 22, tzinfo=UTC),
        )
    ]
    assert period(paris[0], paris) == "Jul 2013"
    other = window(7, monitor="rides")
    assert period(other, [window(7), other]) == "Jul 2013 rides"


def test_lines_hold_the_stored_figures_and_what_they_are_held_against():
    windows = [window(7), window(8, "alert", metrics={"roc_auc": None})]
    points = performance(windows, "roc_auc")
    assert [(p.value, p.against, p.status) for p in points] == [
        (0.7294, 0.7481, "ok"),
        (None, 0.7481, "alert"),
    ]
    assert performance(windows, "log_loss")[0].against is None
    assert [(p.value, p.against) for p in positives(windows)] == [(0.317, 0.262)] * 2
    plot = figures.lines(points, "ROC AUC")
    [source] = {renderer.data_source for renderer in plot.renderers}
    assert source.data["value"][0] == 0.7294
    assert math.isnan(source.data["value"][1])
    assert source.data["colour"][1] == figures.COLOURS["alert"]
    assert source.data["marker"] == ["circle", "square"]
    assert plot.x_range.factors == ["Jul 2013", "Aug 2013"]


def test_the_heatmap_starts_with_what_moved_most_and_steps_at_the_threshold():
    cells = drift_cells([window(7), window(8)])
    assert [cell.column for cell in cells[::2]] == ["temp", "prediction", "wind"]
    assert {cell.column: cell.threshold for cell in cells}["prediction"] == 0.1
    plot = figures.heatmap(cells)
    data = plot.renderers[0].data_source.data
    assert data["psi"][:2] == [pytest.approx(2.1), pytest.approx(2.4)]
    assert data["text"] == ["2.10", "2.40", "0.15", "0.15", "–", "–"]
    assert plot.y_range.factors == ["wind", "prediction", "temp"]
    colours = dict(zip(data["column"], data["colour"], strict=True))
    assert len(set(colours.values())) == 3


def test_the_cards_say_the_stored_numbers():
    words = texts(html.cards(view()))
    assert "■ Alert" in words
    figure = ["0.729", "version 2; 0.748 at promotion"]
    assert words[words.index("ROC AUC, Aug 2013") + 1 :][:2] == figure
    assert words[words.index("Champion") + 1 :][:2] == [
        "version 2",
        "since 1 Dec 2013, by ada",
    ]
    assert words[words.index("Open alerts") + 1 :][:2] == ["1", "of 2 judged windows"]


def test_the_tables_say_the_stored_numbers_newest_first():
    words = texts(html.windows(view()))
    start = words.index("Aug 2013")
    assert words[start : words.index("Jul 2013")] == [
        "Aug 2013",
        "■",
        "alert",
        "2",
        "29,428",
        "95.2%",
        "0.729",
        "0.550",
        "0.190",
        "–",
        "31.7%",
        "j7",
    ]
    words = texts(html.versions(view()))
    row = ["2", "0.748", "0.500", "0.176", "–", "passed", "1 Dec 2013, 00:00 UTC"]
    assert words[words.index("Made") + 1 :][: len(row)] == row


def test_empty_lists_and_a_model_that_left_the_registry_are_said_in_words():
    nothing = view(champion=None, promotion=None, versions=(), alerts=(), decisions=(), windows=())
    assert "No window has crossed its thresholds." in texts(html.alerts(nothing))
    assert "No alias has been decided on yet." in texts(html.decisions(nothing))
    assert any("isn't in the registry" in text for text in texts(html.versions(nothing)))
    assert "none" in texts(html.cards(nothing))


@pytest.mark.parametrize("outcome", get_args(Decided.model_fields["outcome"].annotation))
def test_every_outcome_of_a_decision_is_shown(outcome: str):
    assert outcome in texts(html.decisions(view(decisions=(decision(outcome=outcome),))))


@pytest.mark.parametrize("state", get_args(Alert.model_fields["state"].annotation))
def test_every_state_of_an_alert_is_shown(state: str):
    assert any(state in text for text in texts(html.alerts(view(alerts=(alert(state=state),)))))


def test_no_name_becomes_markup():
    bad = view(
        name=HOSTILE,
        champion=version(HOSTILE, aliases=[HOSTILE]),
        promotion=decision(decided_by=HOSTILE),
        versions=(version(HOSTILE, aliases=[HOSTILE]),),
        windows=(
            window(7, monitor=HOSTILE, version=HOSTILE, job_id=HOSTILE),
            window(8, version=HOSTILE, findings=[{**_finding(), "message": HOSTILE}]),
        ),
        alerts=(alert(cause=HOSTILE, message=HOSTILE, owner=HOSTILE, version=HOSTILE),),
        decisions=(
            decision(
                alias=HOSTILE,
                version=HOSTILE,
                previous=HOSTILE,
                reason=HOSTILE,
                decided_by=HOSTILE,
            ),
        ),
    )
    parts = [html.cards, html.versions, html.windows, html.alerts, html.decisions]
    pages = [part(bad) for part in parts] + [html.heading(HOSTILE, HOSTILE), html.empty(HOSTILE)]
    for page in pages:
        assert "img" not in Text(page).tags
        assert HOSTILE in "".join(Text(page).texts)


def _finding() -> dict[str, Any]:
    return window(7, "alert").findings[0].model_dump()
