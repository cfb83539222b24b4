"""The operations as an OpenAPI document, from which the sidebar's types are made."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import FloatSchema

from workbench.server.operation import Operation
from workbench.server.problems import Problem

__all__ = ["document"]

_REF = "#/components/schemas/{model}"
_PROBLEMS = {
    "400": "What was sent isn't what was expected",
    "403": "Not logged in, or not allowed to",
    "404": "There is no such thing",
    "409": "Not as things stand",
    "503": "Records can't be reached",
}
_BODY_PROBLEMS = {"413": "Too much was sent", "415": "What was sent isn't JSON"}


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """Describe the operations (OpenAPI 3.1)."""
    operations = list(operations)
    schemas = _Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = _described(operation, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Workbench",
            "version": version("jupyter-workbench"),
            "description": "The records of a project, and what can be done with them, over HTTP.",
        },
        "servers": [{"url": "/workbench/api"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "Authorization"}
            },
        },
    }


class _Said(GenerateJsonSchema):
    """Of numbers in answers: JSON has none for three of them, so those are said in words."""

    def float_schema(self, schema: FloatSchema) -> JsonSchemaValue:
        number = super().float_schema(schema)
        if self.mode == "validation":
            return number
        return {"anyOf": [number, {"enum": ["NaN", "Infinity", "-Infinity"]}]}


class _Schemas:
    """The JSON Schema of everything that is sent, each named once."""

    def __init__(self, operations: list[Operation]) -> None:
        bodies = [(one.id, "validation", TypeAdapter(one.body)) for one in operations if one.body]
        answers = [(one.id, "serialization", TypeAdapter(one.answer)) for one in operations]
        problem = ("problem", "serialization", TypeAdapter(Problem))
        wanted: Any = [*bodies, *answers, problem]
        self._of, made = TypeAdapter.json_schemas(wanted, ref_template=_REF, schema_generator=_Said)
        self.definitions = dict(sorted(made.get("$defs", {}).items()))

    def body(self, operation: Operation) -> Any:
        return self._of[operation.id, "validation"]

    def answer(self, operation: Operation) -> Any:
        return self._of[operation.id, "serialization"]

    @property
    def problem(self) -> Any:
        return self._of["problem", "serialization"]


def _described(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": schemas.problem}}
    problems = _PROBLEMS if operation.body is None else {**_PROBLEMS, **_BODY_PROBLEMS}
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": [*_in_path(operation), *_in_query(operation.query)],
        "responses": {
            str(operation.status): {
                "description": "Done",
                "content": {"application/json": {"schema": schemas.answer(operation)}},
            },
            **{
                code: {"description": words, "content": problem}
                for code, words in sorted(problems.items())
            },
        },
    }
    if operation.body is not None:
        content = {"application/json": {"schema": schemas.body(operation)}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _in_path(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in operation.names
    ]


def _in_query(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema(ref_template=_REF)
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": one.pop("description", ""),
            "schema": one,
        }
        for name, one in schema["properties"].items()
    ]


def main() -> None:
    """Write `openapi.json` beside this file."""
    import json
    from pathlib import Path

    from workbench.server.resources import OPERATIONS

    text = json.dumps(document(OPERATIONS), indent=1, ensure_ascii=False, sort_keys=True)
    Path(__file__).with_suffix(".json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
