"""What can be asked of models and done with them, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_server.auth.identity import IdentityProvider, User
from sklearn.linear_model import LogisticRegression

from tests.models import late_rows, logged, made, trained
from workbench.access import acting_as
from workbench.errors import JobError
from workbench.gates.document import store_report
from workbench.project import Project
from workbench.registry import Check, GateReport, get_model, list_decisions
from workbench.server.resources.models import making
from workbench.tracking import client

Ask = Callable[..., Awaitable[Any]]

PROBLEM = "application/problem+json"
SCRIPT = "<script>alert(1)<script>"
ROLES = '\n[roles]\nviewer = ["*"]\ndeveloper = ["dev"]\napprover = ["ann"]\nadmin = ["root"]\n'
VERSION = "models/late/versions"


def version_of(project: Project, name: str, *outcomes: str) -> str:
    """Train and register a version, and put it through gates that end so."""
    with acting_as("root"):
        version = made(project, late_rows(40), name)
    registry = client(project)
    run_id = registry.get_model_version(name, version).run_id
    registry.log_metric(run_id, "roc_auc", 0.7)
    for outcome in outcomes:
        holder = get_model(project, name).aliases.get("champion")
        store_report(project, _report(name, version, outcome, holder))
    return version


def _report(name: str, version: str, outcome: Any, holder: str | None) -> GateReport:
    check = Check(
        code="WB-MIN", title="good enough", outcome=outcome, found=0.7, expected="0.65 or more"
    )
    return GateReport(
        factory="",
        model=name,
        version=version,
        outcome=outcome,
        checks=[check],
        metrics={"roc_auc": 0.7},
        baseline={"roc_auc": 0.5},
        champion={"roc_auc": 0.6} if holder else None,
        champion_version=holder,
        window="all",
        rows=100,
        dataset="d",
        policy="p",
        approvals={"approver": 1} if name == "asked" else {},
    )


@pytest.fixture(scope="module")
def folder(served: Path) -> Path:
    """A project of its own, with roles: three versions of `late`, of which one failed its gate."""
    root = served / "models"
    root.mkdir()
    (root / "workbench.toml").write_text('name = "models"\n' + ROLES)
    project = Project.find(root)
    version_of(project, "late", "passed")
    version_of(project, "late", "failed")
    version_of(project, "late")
    version_of(project, "asked", "passed")
    version_of(project, SCRIPT)
    return root


@pytest.fixture
def project(folder: Path) -> Project:
    return Project.find(folder)


@pytest.fixture
def log_in(jp_serverapp: Any) -> Iterator[Callable[[str], None]]:
    """Let requests come from somebody."""
    settings = jp_serverapp.web_app.settings
    provider = settings["identity_provider"]

    def log_in(username: str) -> None:
        class Named(IdentityProvider):
            def get_user(self, handler: Any) -> User:
                return User(username)

            def is_token_authenticated(self, handler: Any) -> bool:
                return True  # as a script is, of which no XSRF token is asked

        settings["identity_provider"] = Named(parent=jp_serverapp, log=jp_serverapp.log)

    log_in("root")
    yield log_in
    settings["identity_provider"] = provider


async def _till_over(ask: Ask, task: str) -> Any:
    for _ in range(200):
        found = {one["id"]: one for one in (await ask("tasks", path="models")).body}
        if found[task]["finished_at"]:
            return found[task]
        await asyncio.sleep(0.05)
    raise AssertionError(f"still {found[task]}")


@pytest.mark.usefixtures("project")
async def test_models_by_page_and_by_name(ask: Ask) -> None:
    first = (await ask("models", path="models", limit="2")).body
    assert first["next"] == "2"
    second = (await ask("models", path="models", limit="2", cursor=first["next"])).body
    names = [one["name"] for one in [*first["items"], *second["items"]]]
    assert sorted(names) == sorted(["late", "asked", SCRIPT])
    assert second["next"] is None
    found = (await ask("models", path="models", q="LAT")).body["items"]
    assert [(one["name"], one["versions"]) for one in found] == [("late", 3)]
    assert [version["version"] for version in found[0]["shown"]] == ["3"]
    assert (await ask("models", path="models", only="production", q="ask")).body["items"] == []


async def test_versions_by_page(ask: Ask, project: Project) -> None:
    page = (await ask(VERSION, path="models", limit="2")).body
    assert [(one["version"], one["gate"]) for one in page["items"]] == [
        ("3", None),
        ("2", "failed"),
    ]
    rest = (await ask(VERSION, path="models", cursor=page["next"])).body
    assert [one["metrics"] for one in rest["items"]] == [{"roc_auc": 0.7}]


async def test_a_name_with_a_script_comes_back_as_data(ask: Ask, project: Project) -> None:
    answer = await ask(f"models/{SCRIPT}", path="models")
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert answer.body["name"] == SCRIPT


@pytest.mark.parametrize(
    "route",
    ["models/lat", "models/lat/versions", "models/late/versions/9/promotion",
     "models/late/versions/9/gate", "models/late/versions/9/explanation", "models/lat/decisions",
     "models/late/versions/3/gate", "models/late/versions/1/gate/notebook"],
)  # fmt: skip
async def test_what_is_not_there(ask: Ask, project: Project, route: str) -> None:
    answer = await ask(route, path="models")
    assert (answer.status, answer.content_type) == (404, PROBLEM)


async def test_what_speaks_for_a_promotion(
    ask: Ask, project: Project, log_in: Callable[[str], None]
) -> None:
    good = (await ask(f"{VERSION}/1/promotion", path="models")).body
    assert (good["missing"], good["refusal"], good["holder"]) == ([], "", None)
    assert good["gate"]["checks"][0]["expected"] == "0.65 or more"
    bad = (await ask(f"{VERSION}/2/promotion", path="models")).body
    assert bad["missing"] == ["it didn't pass the gate: good enough"]
    never = (await ask(f"{VERSION}/3/promotion", path="models")).body
    assert (never["missing"], never["gate"]) == (["it has been through no gate"], None)
    log_in("dev")
    told = (await ask(f"{VERSION}/1/promotion", path="models")).body
    assert "takes the role approver" in told["refusal"]
    assert "takes the role admin" in told["override_refusal"]
    answer = await ask(f"{VERSION}/1/promotion", path="models", alias="v3")
    assert (answer.status, answer.content_type) == (400, PROBLEM)


async def test_promoting_and_rolling_back(
    ask: Ask, send: Ask, project: Project, log_in: Callable[[str], None]
) -> None:
    log_in("ann")
    refused = await send("POST", f"{VERSION}/2/promotion", {}, path="models")
    assert (refused.status, refused.body["type"]) == (409, "urn:workbench:gate-refused")
    assert "good enough" in refused.body["detail"]
    done = await send("POST", f"{VERSION}/1/promotion", {"reason": SCRIPT}, path="models")
    assert (done.status, done.body["outcome"], done.body["reason"]) == (200, "promoted", SCRIPT)
    forbidden = await send(
        "POST", f"{VERSION}/2/promotion", {"override": True, "reason": "now"}, path="models"
    )
    assert (forbidden.status, forbidden.body["type"]) == (403, "urn:workbench:forbidden")
    log_in("root")
    unsaid = await send("POST", f"{VERSION}/2/promotion", {"override": True}, path="models")
    assert (unsaid.status, "needs a reason" in unsaid.body["detail"]) == (400, True)
    forced = await send(
        "POST", f"{VERSION}/2/promotion", {"override": True, "reason": "now"}, path="models"
    )
    assert (forced.status, forced.body["override"]) == (200, True)

    detail = (await ask("models/late", path="models")).body
    assert (detail["aliases"], detail["back"]) == ({"champion": "2"}, {"champion": "1"})
    assert detail["production"][0]["override"] == "now"
    first = (await ask("models", path="models", only="production")).body["items"]
    assert [one["name"] for one in first] == ["late"]

    log_in("dev")
    late = await send("POST", "models/late/rollback", {}, path="models")
    assert late.status == 403
    log_in("ann")
    back = await send("POST", "models/late/rollback", {"reason": "it is wrong"}, path="models")
    assert (back.status, back.body["version"], back.body["outcome"]) == (200, "1", "rolled back")
    none = await send("POST", "models/late/rollback", {}, path="models")
    assert (none.status, "is the first" in none.body["detail"]) == (409, True)

    told = (await ask("models/late/decisions", path="models", limit="2")).body
    assert [one["outcome"] for one in told["items"]] == ["rolled back", "promoted"]
    assert told["next"] == "2"
    chain = (await ask("decisions/verification", path="models")).body
    assert (chain["broken"], chain["decisions"]) == ([], len(list_decisions(project)))


async def test_approving(
    ask: Ask, send: Ask, project: Project, log_in: Callable[[str], None]
) -> None:
    before = (await ask("models/asked/versions/1/promotion", path="models")).body
    assert before["approvals"] == [{"role": "approver", "needed": 1, "there": 0}]
    assert before["missing"] == ["0 of 1 approvals by approvers are there"]
    log_in("dev")
    route = "models/asked/versions/1/approvals"
    assert (await send("POST", route, {}, path="models")).status == 403
    log_in("ann")
    assert (await send("POST", route, {"comment": SCRIPT}, path="models")).status == 201
    after = (await ask("models/asked/versions/1/promotion", path="models")).body
    assert (after["missing"], after["approvals"][0]["there"]) == ([], 1)
    assert [(one["decided_by"], one["comment"]) for one in after["said"]] == [("ann", SCRIPT)]
    ungated = await send("POST", f"{VERSION}/3/approvals", {}, path="models")
    assert ungated.status == 409


@pytest.mark.parametrize(
    ("route", "body"),
    [
        (f"{VERSION}/1/promotion", {"alias": "latest"}),
        (f"{VERSION}/1/promotion", {"alias": "a b"}),
        (f"{VERSION}/1/promotion", {"forced": True}),
        (f"{VERSION}/1/approvals", {"comment": 3}),
        ("models/late/rollback", {"alias": ""}),
        (VERSION, {"run": ""}),
        (f"{VERSION}/1/gate", {"factory": None}),
        (f"{VERSION}/1/reproductions", {"same_env": "maybe"}),
    ],
)
async def test_a_body_that_is_not_what_was_expected(
    send: Ask, project: Project, log_in: Callable[[str], None], route: str, body: Any
) -> None:
    answer = await send("POST", route, body, path="models")
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert answer.body["detail"].startswith("body: ")


async def test_the_gate_goes_on_in_the_background(
    ask: Ask,
    send: Ask,
    project: Project,
    log_in: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    factory = SimpleNamespace(name="f")
    asked: list[str] = []

    def gate(_: Any, version: str, stage: Any) -> GateReport:
        stage.working("looking")
        asked.append(version)
        if version == "3":
            raise JobError("the notebook failed in cell 2")
        return _report("late", version, "failed", None)

    monkeypatch.setattr(making, "factory_of", lambda *_: factory)
    monkeypatch.setattr(making, "gate_version", gate)
    log_in("viewer")
    assert (await send("POST", f"{VERSION}/1/gate", {}, path="models")).status == 403
    log_in("dev")
    assert (await send("POST", f"{VERSION}/9/gate", {}, path="models")).status == 404
    begun = await send("POST", f"{VERSION}/1/gate", {}, path="models")
    assert (begun.status, begun.body["subject"]) == (202, "model:late/1")
    done = await _till_over(ask, begun.body["id"])
    assert (done["state"], done["said"]) == ("disappointed", "failed: good enough")
    assert done["by"] == "dev"
    failing = await send("POST", f"{VERSION}/3/gate", {}, path="models")
    failed = await _till_over(ask, failing.body["id"])
    assert (failed["state"], failed["said"]) == ("failed", "the notebook failed in cell 2")
    assert asked == ["1", "3"]


async def test_a_run_becomes_a_version_in_the_background(
    ask: Ask, send: Ask, project: Project, log_in: Callable[[str], None]
) -> None:
    with acting_as("root"):
        run_id = trained(project, late_rows(40))
        untraced = logged(project, LogisticRegression().fit([[0.0], [1.0]], [0, 1]), ["x"], tags={})
    before = len(get_model(project, "late").versions)
    log_in("viewer")
    assert (await send("POST", VERSION, {"run": run_id}, path="models")).status == 403
    log_in("dev")
    assert (await send("POST", VERSION, {"run": "0" * 32}, path="models")).status == 404
    refused = await send("POST", VERSION, {"run": untraced}, path="models")
    said = await _till_over(ask, refused.body["id"])
    assert said["state"] == "failed"
    assert "it lacks a commit" in said["said"]
    begun = await send("POST", VERSION, {"run": run_id}, path="models")
    assert (begun.status, begun.body["kind"]) == (202, "register")
    done = await _till_over(ask, begun.body["id"])
    assert (done["state"], done["said"]) == ("succeeded", f"version {before + 1}")
    newest = get_model(project, "late").versions[0]
    assert (newest.version, newest.run_id) == (str(before + 1), run_id)


async def test_a_reproduction_that_cannot_be_says_why(
    ask: Ask, send: Ask, project: Project, log_in: Callable[[str], None]
) -> None:
    log_in("viewer")
    route = f"{VERSION}/1/reproductions"
    assert (await send("POST", route, {}, path="models")).status == 403
    log_in("dev")
    begun = await send("POST", route, {"same_env": True}, path="models")
    assert begun.status == 202
    done = await _till_over(ask, begun.body["id"])
    assert done["state"] == "failed"
    assert done["said"]
    page = (await ask("models/late/reproductions", path="models")).body
    assert page == {"items": [], "next": None}


async def test_lineage_and_the_gate_are_drawn_without_a_script(ask: Ask, project: Project) -> None:
    gate = (await ask(f"{VERSION}/1/gate", path="models")).body
    assert "good enough" in gate["html"]
    assert "<script" not in gate["html"]
    chain = (await ask("lineage", path="models", node="model:late/1", depth="2")).body
    assert "<svg" in chain["html"]
    assert chain["nodes"][0]["name"] == "model:late/1"
    assert (await ask("lineage", path="models", node=SCRIPT)).status == 404
    assert (await ask("lineage", path="models", node="model:late/1", depth="-1")).status == 400
