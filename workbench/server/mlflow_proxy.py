"""MLflow's own pages under Jupyter's address and login, for what our panel doesn't show.

`/workbench/mlflow?path=…&run=…` starts the project's server and leads to the run's page; whatever
the pages then ask for goes through `/workbench/mlflow/<key>/…`. Not all of MLflow's API does: who
may only read sends nothing that writes, and nobody moves a model past its gate, or reaches what
MLflow lets anybody on this machine do (its assistant has a shell).
"""

# jupyter_server's types are skipped (pyproject.toml): its classes and decorators are Any to mypy.
# mypy: disable-error-code="misc,untyped-decorator"

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from pydantic import Field
from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from workbench.access import require, shown_address
from workbench.errors import ForbiddenError
from workbench.project import Project
from workbench.server.handlers import MOST_BYTES, Handler
from workbench.server.mlflow_server import MlflowServers
from workbench.server.operation import Query
from workbench.server.projects import open_project

__all__ = ["MlflowHandler", "MlflowStartHandler", "mlflow_routes"]

_SECONDS = 300.0
_MOST = 500_000_000
"""Bytes of one answer: artifacts come this way too."""

_API = r"ajax-api/[23]\.0/mlflow"
_THINGS = "runs|experiments|metrics|artifacts|registered-models|model-versions|logged-models|traces"
_READ = re.compile(
    rf"|version|health|server-info|static-files/.+|get-artifact|model-versions/get-artifact"
    rf"|{_API}/(?:{_THINGS}|get-trace-artifact|server-info|users|datasets)(?:/.+)?"
    rf"|ajax-api/[23]\.0/mlflow/ui-telemetry|ajax-api/[23]\.0/mlflow-artifacts/.+"
)
_ASKED_BY_POST = re.compile(rf"graphql|{_API}/(?:.+/)?(?:search|search-datasets|batchGet|metrics)")
_WRITTEN = re.compile(
    rf"{_API}/(?:runs/(?:update|set-tag|delete-tag|delete|restore)"
    r"|experiments/(?:update|set-experiment-tag|delete-experiment-tag))"
)
_PASSED_ON = ("Content-Type", "Accept", "If-None-Match", "If-Modified-Since", "Range")
_PASSED_BACK = (
    *("Content-Disposition", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified"),
    "X-Content-Type-Options",
)


def mlflow_routes(servers: MlflowServers) -> list[tuple[Any, ...]]:
    """Return the routes, for the extension to register."""
    given = {"servers": servers}
    return [
        (r"/workbench/mlflow/?", MlflowStartHandler, given),
        (r"/workbench/mlflow/([0-9a-f]{16})/?(.*)", MlflowHandler, given),
    ]


class MlflowQuery(Query):
    """Which run's page."""

    run: str = Field(default="", pattern=r"^[0-9A-Za-z_-]*$", max_length=64)


class MlflowStartHandler(Handler):
    """Starts the pages of a project, and leads there."""

    def initialize(self, servers: MlflowServers) -> None:
        """Take the server's one set of MLflow servers."""
        self._servers = servers

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Wait until MLflow answers; another server's pages have an address of their own."""
        query = self.said(MlflowQuery)
        assert isinstance(query, MlflowQuery)
        project = await asyncio.to_thread(open_project, self.served, query.path)
        page = f"#/runs/{query.run}" if query.run else ""
        if project.tracking_uri.startswith(("http:", "https:")):
            self.redirect(f"{shown_address(project.tracking_uri).rstrip('/')}/{page}")
            return
        root = url_path_join(self.base_url, "workbench", "mlflow")
        server = await asyncio.to_thread(self._servers.open, project, root)
        self.redirect(f"{server.prefix}/{page}")


class MlflowHandler(Handler):
    """Passes on what MLflow's pages ask for, as far as who asks may."""

    def initialize(self, servers: MlflowServers) -> None:
        """Take the server's one set of MLflow servers."""
        self._servers = servers

    @property
    def content_security_policy(self) -> str:
        """Let MLflow's pages run their own scripts; what runs stored is no page, and runs none."""
        if "artifact" in self.request.path:
            return "sandbox; default-src 'none'"
        return "frame-ancestors 'self'; object-src 'none'; base-uri 'self'"

    def check_xsrf_cookie(self) -> None:
        """Know a forged request by where it is from: MLflow's pages send no token of Jupyter's."""
        if not hasattr(self, "_jupyter_current_user") or self.token_authenticated:
            return  # Tornado asks before it is known who comes, Jupyter asks again after that
        origin = self.request.headers.get("Origin", "")
        if not origin or urlsplit(origin).netloc != self.request.host:
            raise web.HTTPError(403, "expected a request of MLflow's own pages")

    @web.authenticated
    @authorized
    async def get(self, key: str, path: str) -> None:
        """Pass on what only reads."""
        if not _READ.fullmatch(path):
            raise web.HTTPError(404, f"MLflow's pages have nothing at {path}")
        await self._pass_on(key, path)

    head = get

    @web.authenticated
    @authorized
    async def post(self, key: str, path: str) -> None:
        """Pass on questions, and changes of runs if who asks may."""
        server = self._servers.find(key)
        if server is not None and not _ASKED_BY_POST.fullmatch(path):
            await asyncio.to_thread(_check_may, server.project.root, path)
        await self._pass_on(key, path)

    patch = delete = post

    async def _pass_on(self, key: str, path: str) -> None:
        server = self._servers.find(key)
        if server is None:
            raise web.HTTPError(404, "MLflow's pages don't run: open them from the panel Runs")
        if len(self.request.body) > MOST_BYTES:
            raise web.HTTPError(413, f"at most {MOST_BYTES:,} bytes")
        query = f"?{self.request.query}" if self.request.query else ""
        asked = HTTPRequest(
            f"{server.url}/{quote(path)}{query}",
            method=self.request.method,
            headers={
                name: self.request.headers[name]
                for name in _PASSED_ON
                if name in self.request.headers
            },
            body=self.request.body if self.request.method in ("POST", "PATCH") else None,
            follow_redirects=False,
            request_timeout=_SECONDS,
            allow_nonstandard_methods=True,
        )
        client = AsyncHTTPClient(force_instance=True, max_body_size=_MOST, max_buffer_size=_MOST)
        try:
            answer = await client.fetch(asked, raise_error=False)
        except (HTTPClientError, OSError) as error:
            raise web.HTTPError(502, f"MLflow's pages don't answer: {error}") from error
        finally:
            client.close()
        self.set_status(answer.code)
        self._content_type = answer.headers.get("Content-Type", "application/octet-stream")
        for name in _PASSED_BACK:
            if name in answer.headers:
                self.set_header(name, answer.headers[name])
        if path.startswith("static-files/"):
            self.set_header("Cache-Control", "private, max-age=86400")
        self.finish(answer.body or b"")


def _check_may(root: Path, path: str) -> None:
    """Refuse what MLflow's pages may not change, by the roles of this moment, not of their start.

    Raises
    ------
    ForbiddenError
        If nobody may from here, or who asks may not.
    """
    if not _WRITTEN.fullmatch(path):
        raise ForbiddenError(
            "MLflow's pages here change names, tags and notes of runs, and nothing else: models "
            "move through their gates, in the panel Models or by `workbench models promote`"
        )
    require(Project.find(root), "developer", "change what runs say")
