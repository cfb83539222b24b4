"""Requests made of the contract, so that a test can ask every operation, also those to come."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import quote, urlencode

from tornado.httpclient import HTTPClientError, HTTPResponse

from workbench.server.operation import Operation

__all__ = ["Fetch", "Request", "Said", "fetcher", "well_formed"]


class Request(NamedTuple):
    """What is asked of an operation."""

    operation: Operation
    names: Mapping[str, str]
    query: Mapping[str, str]
    body: Any

    @property
    def address(self) -> str:
        """The path and the query, quoted."""
        path = self.operation.path
        for name, value in self.names.items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        return f"workbench/api{path}?{urlencode(self.query)}"

    def with_query(self, **more: str) -> Request:
        """Ask the same of something else."""
        return self._replace(query={**self.query, **more})


class Said(NamedTuple):
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        """What it said, read as JSON."""
        return json.loads(self.text)

    @property
    def problem(self) -> tuple[int, str]:
        """Its status and content type."""
        return self.status, self.headers.get("Content-Type", "")


Fetch = Callable[..., Awaitable[Said]]


def well_formed(operation: Operation, existing: Mapping[str, Any], path: str) -> Request:
    """Make a request that passes every check of what was sent, about things that exist.

    Parameters
    ----------
    existing
        Values for parameters and keys: for `models.name`, a `name` of an operation under
        `/models`, before one for any `name`. For others something of the right type is made up.
    path
        The folder of the project.
    """
    topic = operation.path.split("/")[1]

    def known(name: str) -> Any:
        return existing.get(f"{topic}.{name}", existing.get(name))

    def made(schema: Mapping[str, Any], definitions: Mapping[str, Any], name: str = "") -> Any:
        if (value := known(name)) is not None:
            return value
        if "$ref" in schema:
            return made(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        for choices in ("anyOf", "oneOf", "allOf"):
            if choices in schema:
                return made(schema[choices][0], definitions)
        if "default" in schema:
            return schema["default"]
        if "const" in schema or "enum" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        match schema.get("type"):
            case "object":
                wanted = {
                    key: one
                    for key, one in schema.get("properties", {}).items()
                    if key in schema.get("required", []) or known(key) is not None
                }
                return {key: made(one, definitions, key) for key, one in wanted.items()}
            case "array":
                count = schema.get("minItems", 0)
                return [made(schema["items"], definitions) for _ in range(count)]
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return False
            case "null":
                return None
            case _:
                return "x" * max(1, schema.get("minLength", 1))

    body = None
    if operation.body is not None:
        schema = operation.body.model_json_schema()
        body = made(schema, schema.get("$defs", {}))
    asked = operation.query.model_json_schema()
    query = made(asked, asked.get("$defs", {}))
    said = {key: one if isinstance(one, str) else json.dumps(one) for key, one in query.items()}
    names = {name: str(known(name) or "x") for name in operation.names}
    return Request(operation, names, {**said, "path": path}, body)


def fetcher(client: Any, base_url: str, token: str) -> Fetch:
    """Return what sends requests to a server; a refusal is an answer too."""

    async def fetch(
        request: Request | str,
        *,
        method: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Said:
        address = request if isinstance(request, str) else request.address
        sent = {"Authorization": token}
        if isinstance(request, Request):
            method = method or request.operation.method
            if body is None and request.body is not None:
                body = json.dumps(request.body).encode()
            if request.operation.body is not None:
                sent["Content-Type"] = "application/json"
        try:
            response = await client.fetch(
                base_url + address,
                method=method or "GET",
                headers={**sent, **(headers or {})},
                body=body,
                allow_nonstandard_methods=True,
                request_timeout=60,
            )
        except HTTPClientError as refusal:
            response = cast(HTTPResponse, refusal.response)
        return Said(response.code, dict(response.headers.get_all()), response.body.decode())

    return fetch
