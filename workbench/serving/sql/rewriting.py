"""Putting models and functions into a query: each call becomes one of a function of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import NotFoundError, UsageError
from workbench.functions import Function
from workbench.serving.sql.models import ModelVersion
from workbench.serving.sql.problems import place
from workbench.serving.sql.tree import Node, arguments_of, column, nodes

__all__ = ["Call", "Rewriting", "rewrite"]

_OF_MODELS = ("predict", "predict_proba", "model_version")


@dataclass(frozen=True)
class Call:
    """What a name that was put into the query stands for.

    Attributes
    ----------
    names
        The arguments' names, in order.
    """

    of: ModelVersion | Function
    names: tuple[str, ...]
    shares: bool = False
    """Whether it is each class's probability that is asked."""


@dataclass
class Rewriting:
    """What a query was found to use."""

    calls: dict[str, Call] = field(default_factory=dict)
    models: dict[str, ModelVersion] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)

    @property
    def asked_by_star(self) -> dict[str, str]:
        """Say which model a column is asked for by."""
        return {column: model.told for model in self.models.values() for column in model.columns}

    @property
    def nodes(self) -> list[str]:
        """The lineage's names of the models and functions."""
        models, functions = self.models.values(), self.functions.values()
        return [*(model.node for model in models), *(function.node for function in functions)]

    def named(self, call: Call) -> str:
        """Give a call its name in the query, the same for the same call."""
        for name, known in self.calls.items():
            if (known.of, known.names, known.shares) == (call.of, call.names, call.shares):
                return name
        name = f"__workbench_{len(self.calls)}"
        self.calls[name] = call
        return name


def rewrite(
    tree: Node,
    query: str,
    find_model: Callable[[str], ModelVersion],
    functions: Mapping[str, str],
    find_function: Callable[[str], Function],
    write: Callable[[Node], str],
) -> Rewriting:
    """Change the tree so that calls of models and functions are calls of ours.

    Parameters
    ----------
    functions
        What a registered function may be called in SQL, as it is and in lower case, and what that
        means.
    write
        Writes an expression as text.

    Raises
    ------
    NotFoundError
        If a model, an alias or a version doesn't exist.
    UsageError
        If a call isn't one that can be made.
    """
    found = Rewriting()
    _keep_names(tree, {*_OF_MODELS, *functions}, write)
    for node in list(nodes(tree)):
        if node.get("class") != "FUNCTION" or node["schema"] or node["catalog"]:
            continue
        name, where = node["function_name"], place(query, node["query_location"])
        meant = functions.get(name) or functions.get(name.lower())
        if name.lower() in _OF_MODELS:
            _check_plain(node, name, where)
            reference = _model_name(node, name, where)
            if reference not in found.models:
                found.models[reference] = find_model(reference)
            model = found.models[reference]
            if name.lower() == "model_version":
                _to_constant(node, model.version)
                continue
            shares = name.lower() == "predict_proba"
            call, arguments = _of_model(node, model, where, shares=shares)
        elif meant is not None:
            _check_plain(node, name, where)
            function = found.functions.setdefault(meant, find_function(meant))
            call, arguments = _of_function(node, function, where)
        else:
            continue
        ours = found.named(call)
        node.update(function_name=ours, qualified_name={"path": [ours]})
        node["arguments"] = [{"name": "", "expression": argument} for argument in arguments]
    return found


def _keep_names(tree: Node, ours: set[str], write: Callable[[Node], str]) -> None:
    """Call a column of the answer what DuckDB would, where we write something else."""
    for node in nodes(tree):
        for item in node.get("select_list") or ():
            calls = [n for n in nodes(item) if n.get("class") == "FUNCTION"]
            if item["alias"] or not any(c["function_name"].lower() in ours for c in calls):
                continue
            if item.get("class") == "FUNCTION" and item["function_name"].lower() in ours:
                item["alias"] = item["function_name"]
            elif item.get("class") != "STAR":
                item["alias"] = write(item)


def _check_plain(node: Node, name: str, where: str) -> None:
    if node["distinct"] or node["filter"] or node["order_bys"]["orders"]:
        raise UsageError(f"SQL: {name} answers for each row and is no aggregate{where}")


def _model_name(node: Node, name: str, where: str) -> str:
    arguments = arguments_of(node)
    literal: Mapping[str, Any] = arguments[0][1].get("literal") or {} if arguments else {}
    if literal.get("kind") != "STRING":
        raise UsageError(
            f"SQL: {name}: the model has to be named by a text that stands in the query, as in "
            f"{name}('flights-late@champion', *){where}"
        )
    return str(literal["text"])


def _to_constant(node: Node, text: str) -> None:
    kept = {key: node[key] for key in ("alias", "query_location", "query_location_length")}
    node.clear()
    node.update(
        kept,
        **{"class": "CONSTANT"},
        type="VALUE_CONSTANT",
        literal={"kind": "STRING", "text": text},
    )


def _of_model(
    node: Node, model: ModelVersion, where: str, *, shares: bool
) -> tuple[Call, list[Node]]:
    given = arguments_of(node)[1:]
    what = f"{node['function_name']}('{model.label}')"
    if shares and not model.classes:
        raise UsageError(f"SQL: {what}: {model.label} tells no classes apart: use predict{where}")
    expanded = [one for name, part in given for one in _expanded(name, part, model, where)]
    if not model.columns:
        if not expanded or any(name for name, _ in expanded):
            raise UsageError(
                f"SQL: {what}: its columns have no names; give them in their order{where}"
            )
        names = [str(n) for n in range(len(expanded))]
        return Call(model, tuple(names), shares), [part for _, part in expanded]
    found = _in_order(what, expanded, model.columns, len(model.columns), where)
    return Call(model, tuple(found), shares), list(found.values())


def _expanded(name: str, part: Node, model: ModelVersion, where: str) -> Iterator[tuple[str, Node]]:
    """Write `*` or `t.*` out as the columns of the model's signature."""
    if part.get("class") != "STAR":
        yield name, part
        return
    if not model.columns:
        raise UsageError(
            f"SQL: {model.label} was logged with a matrix whose columns have no names, so * can't "
            f"tell which they are: give them in their order{where}"
        )
    if any(part[key] for key in ("exclude_list", "replace_list", "rename_list", "columns")):
        raise UsageError(
            f"SQL: * in predict(…) means the columns of the model's signature, all of them{where}"
        )
    for wanted in model.columns:
        yield wanted, column(wanted, part["relation_name"], part)


def _of_function(node: Node, function: Function, where: str) -> tuple[Call, list[Node]]:
    parameters = function.signature.names
    what = f"{function.name}{function.signature}"
    given = arguments_of(node)
    if any(part.get("class") == "STAR" for _, part in given):
        raise UsageError(f"SQL: {what}: name its arguments; * is for predict(…){where}")
    found = _in_order(what, given, parameters, function.signature.required, where)
    return Call(function, tuple(found)), list(found.values())


def _in_order(
    what: str,
    given: Sequence[tuple[str, Node]],
    wanted: Sequence[str],
    required: int,
    where: str,
) -> dict[str, Node]:
    """Put arguments in the order wanted: as in Python some by place, then some as `name := …`."""
    placed = [part for name, part in given if not name]
    least = max(1, required)  # DuckDB asks a function of no arguments once, not for each row
    if len(placed) > len(wanted) or (len(placed) == len(given) < least):
        expected = f"{len(wanted)}" if least == len(wanted) else f"{least} to {len(wanted)}"
        raise UsageError(
            f"SQL: {what}: {len(given)} columns given; expected {expected}: "
            f"{', '.join(wanted)}{where}"
        )
    if any(not name for name, _ in given[len(placed) :]):
        raise UsageError(f"SQL: {what}: give those by place before those by name{where}")
    found = dict(zip(wanted, placed, strict=False))
    for name, part in given[len(placed) :]:
        if name not in wanted:
            error = NotFoundError.named("argument", name, wanted, f" of {what}")
            raise UsageError(f"SQL: {error}{where}")
        if name in found:
            raise UsageError(f"SQL: {what}: {name} is given twice{where}")
        found[name] = part
    if missing := [name for name in wanted[:required] if name not in found]:
        raise UsageError(f"SQL: {what}: lacks {', '.join(missing)}{where}")
    return {name: found[name] for name in wanted if name in found}
