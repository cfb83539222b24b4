"""What no operation lets through: asked of every one, those that panels bring later too.

One server a test, and all operations in it: a refusal takes milliseconds, a server half a second.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider, User

from tests.server.asking import Fetch, Request, Said, fetcher, well_formed
from tests.server.full import HTML, SCRIPT, Full, full_project
from workbench.project import Project
from workbench.server.resources import OPERATIONS
from workbench.server.sent import MOST_BYTES

PROBLEM = "application/problem+json"
ROLES = '\n[roles]\nviewer = ["*"]\nadmin = ["ann"]\n'
READS = {"check_form": "checks what was typed into a form"}
"""What is sent, for it is too much for an address, and yet writes nothing."""

COPIES = {"check_out_run": "brings what a viewer may read into a folder outside of the project"}
"""What writes on the server's disk, for which Jupyter's own permission is asked, and no record."""

ESCAPES = ["..", "full/../../outside0", "/etc", "link", "link/..", "full\0", "x" * 300, "circle"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("guarded")
    outside = tmp_path_factory.mktemp("outside")
    (outside / "workbench.toml").write_text('name = "secret"\n')
    (root / "link").symlink_to(outside, target_is_directory=True)
    (root / "circle").symlink_to(root / "circle")
    (root / "plain").mkdir()
    return root


@pytest.fixture(scope="module")
def full(served: Path) -> Full:
    made = full_project(served / "full")
    (made.project.root / "leak.ipynb").symlink_to(served / "link" / "workbench.toml")
    return made


@pytest.fixture
def every(full: Full) -> list[Request]:
    return [well_formed(one, full.existing, "full") for one in OPERATIONS]


@pytest.fixture
def writing(every: list[Request]) -> list[Request]:
    return [one for one in every if one.operation.method != "GET"]


@pytest.fixture
def fetch(
    jp_serverapp: Any, http_server_client: Any, jp_base_url: str, jp_auth_header: dict[str, str]
) -> Fetch:
    return fetcher(http_server_client, jp_base_url, jp_auth_header["Authorization"])


@pytest.fixture
def as_user(jp_serverapp: Any) -> None:
    """Let requests come from the user that a header names, as JupyterHub's cookie would."""

    class ByHeader(IdentityProvider):
        def get_user(self, handler: Any) -> User:
            return User(handler.request.headers["X-User"])

    provider = ByHeader(parent=jp_serverapp, log=jp_serverapp.log)
    jp_serverapp.web_app.settings["identity_provider"] = provider
    jp_serverapp.web_app.settings["disable_check_xsrf"] = True


@pytest.fixture
def roles(full: Full) -> Iterator[None]:
    settings = full.project.root / "workbench.toml"
    before = settings.read_text()
    settings.write_text(before + ROLES)
    yield
    settings.write_text(before)


def named(request: Request) -> str:
    return f"{request.operation.id} ({request.address})"


async def test_refuses_who_is_not_logged_in(fetch: Fetch, every: list[Request]) -> None:
    for token in ("", "token wrong"):
        for request in every:
            said = await fetch(request, headers={"Authorization": token})
            assert said.problem == (403, PROBLEM), named(request)
            assert set(said.body) == {"type", "title", "status", "detail"}


async def test_every_route_of_ours_wants_a_login(fetch: Fetch, jp_serverapp: Any) -> None:
    """Those too that are no operations: streams, and pages that are passed on."""
    routes = [
        rule.matcher
        for router in jp_serverapp.web_app.default_router.rules
        for rule in getattr(router.target, "rules", [])
        if getattr(rule.target, "__module__", "").startswith("workbench.")
    ]
    assert len(routes) >= 2
    for route in routes:
        address = re.sub(r"\([^()]*\)", "0123456789abcdef", route.regex.pattern.rstrip("$"))
        address = address.replace("\\", "").replace("/?", "/").partition("workbench/")[2]
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            said = await fetch(
                f"workbench/{address}", method=method, body=b"", headers={"Authorization": ""}
            )
            assert said.status in (403, 405), f"{method} {address}: {said.text}"


async def test_asks_the_authorizer_for_what_the_method_does(
    fetch: Fetch, every: list[Request], jp_serverapp: Any
) -> None:
    asked: list[tuple[str, str]] = []

    class Nobody(Authorizer):
        def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
            asked.append((action, resource))
            return False

    jp_serverapp.web_app.settings["authorizer"] = Nobody()
    both_ways = [*every, *reversed(every)]  # the first request of a method decides for no other
    for request in both_ways:
        assert (await fetch(request)).problem == (403, PROBLEM), named(request)
    assert asked == [
        ("read" if one.operation.method == "GET" else "write", "workbench") for one in both_ways
    ]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_who_may_only_read_writes_nowhere(
    fetch: Fetch, jp_serverapp: Any, method: str
) -> None:
    """Asked of addresses that are read, too: which operation it is comes after who may."""

    class Reader(Authorizer):
        def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
            return action == "read"

    jp_serverapp.web_app.settings["authorizer"] = Reader()
    for path in dict.fromkeys(one.path for one in OPERATIONS):
        address = "workbench/api" + path
        assert (await fetch(address, method="GET")).status != 403
        assert (await fetch(address, method=method, body=b"{}")).status == 403, address


@pytest.mark.usefixtures("roles", "as_user")
async def test_a_viewer_writes_nothing(fetch: Fetch, writing: list[Request], full: Full) -> None:
    before = records(full.project)
    let_in = []
    for request in writing:
        said = await fetch(request, headers={"X-User": "vic"})
        if request.operation.id in COPIES:
            continue
        if request.operation.id in READS:
            assert said.status == request.operation.status, named(request)
        elif said.problem != (403, PROBLEM) or "vic is viewer here" not in said.body["detail"]:
            let_in.append(f"{named(request)}: {said.status} {said.text}")
    assert not let_in, "\n".join(let_in)
    assert records(full.project) == before


async def test_a_cookie_alone_writes_nothing(
    fetch: Fetch, writing: list[Request], full: Full, jp_auth_header: dict[str, str]
) -> None:
    token = jp_auth_header["Authorization"].removeprefix("token ")
    login = await fetch(f"api/status?token={token}", headers={"Authorization": ""})
    cookie = login.headers["Set-Cookie"].partition(";")[0]
    ours, theirs = "a" * 32, "b" * 32
    before = records(full.project)

    async def forge(request: Request, **headers: str) -> Said:
        return await fetch(request, headers={"Authorization": "", **headers})

    assert (await forge(well_formed(OPERATIONS[0], full.existing, "full"))).status == 403
    for request in writing:
        for headers in (
            {"Cookie": cookie},
            {"Cookie": f"{cookie}; _xsrf={ours}"},
            {"Cookie": f"{cookie}; _xsrf={ours}", "X-XSRFToken": theirs},
        ):
            assert (await forge(request, **headers)).problem == (403, PROBLEM), named(request)
        if request.operation.body is not None:  # and with the right one it would be done
            right = {"Cookie": f"{cookie}; _xsrf={ours}", "X-XSRFToken": ours}
            said = await forge(request._replace(body=["wrong"]), **right)
            assert said.status == 400, named(request)
    assert records(full.project) == before


async def test_nobody_leaves_the_served_folder(fetch: Fetch, every: list[Request]) -> None:
    for request in every:
        for path in ESCAPES:
            said = await fetch(request.with_query(path=path))
            assert said.problem == (400, PROBLEM), f"{named(request)} {path}: {said.text}"
            assert "secret" not in said.text


@pytest.mark.usefixtures("roles", "as_user")
async def test_no_name_leads_out_of_the_project(fetch: Fetch, every: list[Request]) -> None:
    """Asked by a viewer, so that what is done by a name that is taken is no harm."""
    escapes = [
        "../../outside0/workbench.toml",
        "../link/workbench.toml",
        "leak.ipynb",
        "/etc/passwd",
    ]
    for request in every:
        for escape in escapes:
            for asked in (
                *(request._replace(names={**request.names, key: escape}) for key in request.names),
                *(request.with_query(**{key: escape}) for key in request.query if key != "path"),
                *(request._replace(body=body) for body in replaced(request.body, escape)),
            ):
                said = await fetch(asked, headers={"X-User": "vic"})
                where = f"{named(asked)} {asked.body}: {said.text}"
                assert said.status < 500, where
                assert 'name = "secret"' not in said.text.replace('\\"', '"'), where
                assert "root:x:" not in said.text, where


def replaced(body: Any, value: str) -> Iterator[Any]:
    """Yield a body with the value in the place of each text of it."""
    if isinstance(body, str):
        yield value
    elif isinstance(body, list):
        for index, one in enumerate(body):
            yield from ([*body[:index], new, *body[index + 1 :]] for new in replaced(one, value))
    elif isinstance(body, dict):
        for key, one in body.items():
            yield from ({**body, key: new} for new in replaced(one, value))


async def test_a_nul_is_refused_wherever_it_stands(fetch: Fetch, every: list[Request]) -> None:
    for request in every:
        asked = [
            *(request._replace(names={**request.names, key: "a\0b"}) for key in request.names),
            *(request.with_query(**{key: "a\0b"}) for key in request.query),
            *(request._replace(body=body) for body in replaced(request.body, "a\0b")),
        ]
        for one in asked:
            assert (await fetch(one)).problem == (400, PROBLEM), named(one)


async def test_too_much_is_refused(fetch: Fetch, every: list[Request]) -> None:
    for request in every:
        if request.operation.method != "GET":
            body = b'{"x": "' + b"x" * MOST_BYTES + b'"}'
            assert (await fetch(request, body=body)).problem == (413, PROBLEM), named(request)


async def test_nothing_but_a_json_object_is_read(
    fetch: Fetch, writing: list[Request], full: Full
) -> None:
    before = records(full.project)
    for request in writing:
        if request.operation.body is None:
            continue
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            said = await fetch(request, headers={"Content-Type": kind})
            assert said.problem == (415, PROBLEM), named(request)
        deep = b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        nested = b'{"x": ' + b"[" * 900 + b"]" * 900 + b"}"
        wrong = b'{"no such key": 1}'
        surrogate = json.dumps({**request.body, "no such key": "\ud800"}).encode()
        for body in (
            b"",
            b"{",
            b"[1]",
            b"null",
            b'{"x": NaN}',
            b"\xff",
            deep,
            nested,
            wrong,
            surrogate,
        ):
            said = await fetch(request, body=body)
            assert said.problem == (400, PROBLEM), f"{named(request)} {body[:30]!r}: {said.text}"
    assert records(full.project) == before


async def test_other_methods_are_named_those_there_are(fetch: Fetch, every: list[Request]) -> None:
    for request in every:
        path = request.operation.path
        known = sorted(one.method for one in OPERATIONS if one.path == path)
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(known):
            said = await fetch(request._replace(body=None), method=method)
            assert said.problem == (405, PROBLEM), f"{method} {named(request)}"
            assert said.headers["Allow"] == ", ".join(known)
    for method in ("HEAD", "TRACE", "PROPFIND"):
        said = await fetch(every[0], method=method)
        assert said.status == 405
        assert said.headers["Allow"]
    said = await fetch("workbench/api/events", method="POST", body=b"")
    assert (said.problem, said.headers["Allow"]) == ((405, PROBLEM), "GET")


async def test_what_is_not_there_is_not_found(fetch: Fetch, every: list[Request]) -> None:
    for address in (
        "",
        "nothing",
        "runs/",
        "runs/1/2/3/4/5/6",
        "%2e%2e/contents",
        quote(f"100%{HTML}"),
    ):
        said = await fetch(f"workbench/api/{address}")
        assert said.problem == (404, PROBLEM), address
    assert said.body["detail"] == f"nothing at 100%{HTML}"
    for request in every:
        said = await fetch(request.with_query(path="plain"))
        assert (said.status, said.body["type"]) == (404, "urn:workbench:not-a-project")
        said = await fetch(request.with_query(path="full/nowhere"))
        assert (said.status, said.body["type"]) == (404, "urn:workbench:not-found")


async def test_markup_in_names_comes_back_as_data(
    fetch: Fetch, every: list[Request], full: Full
) -> None:
    texts: dict[str, str] = {}
    for request in every:
        if request.operation.method != "GET":
            continue
        said = await fetch(request)
        assert said.status < 500, f"{named(request)}: {said.text}"
        assert said.headers["Content-Type"] in ("application/json", PROBLEM), named(request)
        assert said.headers["X-Content-Type-Options"] == "nosniff", named(request)
        assert "default-src 'none'" in said.headers["Content-Security-Policy"], named(request)
        texts[request.operation.id] = said.text
        for page in pages(said.body):
            assert HTML not in page, named(request)
            assert SCRIPT not in page, named(request)
    assert HTML in json.loads(texts["list_sources"])[-1]["name"]
    assert f"{HTML}.md" in {one["path"] for one in json.loads(texts["get_branch"])["changed"]}
    assert SCRIPT in texts["list_runs"]
    assert HTML in texts["list_models"]
    assert HTML in texts["search_features"]


async def test_a_refusal_repeats_markup_as_data(fetch: Fetch, full: Full) -> None:
    for one in OPERATIONS:
        if one.method == "GET" and one.names:
            names = dict.fromkeys(one.names, SCRIPT)
            said = await fetch(well_formed(one, {}, "full")._replace(names=names))
            assert said.status < 500, one.id
            assert said.headers["X-Content-Type-Options"] == "nosniff"


def pages(found: Any) -> Iterator[str]:
    """Yield every text of an answer that is meant to be shown as a page."""
    if isinstance(found, dict):
        for key, value in found.items():
            if isinstance(value, str) and key in ("html", "svg", "page", "picture"):
                yield value
            else:
                yield from pages(value)
    elif isinstance(found, list):
        for value in found:
            yield from pages(value)


def records(project: Project) -> dict[str, Any]:
    """Read all that a project holds: files, Git's references, every row of every table.

    Indexes aren't records: the first who reads many runs may have them made.
    """
    root = project.root
    found: dict[str, Any] = {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not {".git", project.state.name} & set(path.relative_to(root).parts)
    }
    for command in ("symbolic-ref HEAD", "for-each-ref", "stash list", "ls-files -s"):
        done = subprocess.run(["git", *command.split()], cwd=root, capture_output=True, check=True)
        found[command] = done.stdout
    for store in sorted(project.state.glob("*.db")):
        with closing(sqlite3.connect(store)) as connection:
            rows = (line for line in connection.iterdump() if line.startswith("INSERT"))
            found[store.name] = [row for row in rows if "sqlite_stat" not in row]
    return found
