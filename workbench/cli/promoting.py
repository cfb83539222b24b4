"""`workbench models`: register, evaluate, gate, approve, promote, rollback, verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from workbench.cli.context import (
    JsonOption,
    err,
    out,
    print_json,
    print_table,
    project,
    state_text,
)
from workbench.cli.progress import Terminal

if TYPE_CHECKING:
    from workbench.project import Project
    from workbench.registry import GateReport

__all__ = ["approve", "evaluate", "gate", "promote", "register", "rollback", "verify"]

Name = Annotated[str, typer.Argument(metavar="NAME")]
Version = Annotated[str, typer.Argument(metavar="VERSION")]
Alias = Annotated[str, typer.Option("--alias", help="The alias to move.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stays in the record.")]


def register(
    name: Name,
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="The run's id, or its start.")] = "",
    from_notebook: Annotated[
        str, typer.Option("--from-notebook", help="Run this notebook as a job, take its model.")
    ] = "",
    param: Annotated[
        list[str] | None, typer.Option("-p", "--param", help="NAME=VALUE for the notebook.")
    ] = None,
    owner: Annotated[str, typer.Option("--owner", help="Who answers for the version.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Run the notebook unasked.")] = False,
    json_: JsonOption = False,
) -> None:
    """Make a run's model a version; refused, and told what is missing, if it can't be traced."""
    from workbench.errors import UsageError
    from workbench.registry import register as make
    from workbench.tracking import get_run

    here = project()
    if bool(run) == bool(from_notebook):
        raise UsageError("models register: give a run, or a notebook by --from-notebook")
    run_id = (
        _job_run(here, from_notebook, param or [], sure=yes)
        if from_notebook
        else get_run(here, run).run_id
    )
    version = make(here, name, run_id, owner=owner)
    if json_:
        print_json({"model": name, "version": version, "run": run_id})
        return
    out.print(Text(f"{name} version {version} is run {run_id}"))


def _job_run(here: Project, notebook: str, params: list[str], *, sure: bool) -> str:
    """Run the notebook from top to bottom in a fresh kernel, which is what a version takes."""
    from workbench.errors import JobError
    from workbench.jobs import (
        JobRequest,
        load_notebook,
        parse_parameters,
        read_parameters,
        run_jobs,
    )

    contract = read_parameters(load_notebook(here.inside(notebook)), notebook)
    values = parse_parameters(contract, params, notebook)
    if not sure and not typer.confirm(f"run {notebook} as a job now?", default=True, err=True):
        raise typer.Exit(1)
    request = JobRequest(notebook, values)
    with Terminal(err).stage(notebook, 1) as stage:
        [job] = run_jobs(here, [request], on_progress=stage.job)
    if job.state != "succeeded" or job.run_id is None:
        raise JobError(f"{notebook}: {job.error}; see `workbench jobs show {job.id}`")
    return job.run_id


def evaluate(
    name: Name,
    version: Version,
    factory: Annotated[
        str, typer.Option("--factory", help="Whose rows; needed if several make it.")
    ] = "",
    slices: Annotated[
        list[str] | None,
        typer.Option("--slice", help="A column, or a condition in SQL; may be repeated."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the report as a page of its own.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Judge a version by every check, on the rows that its factory validates on."""
    from workbench.evaluation import evaluate as judge
    from workbench.factory import factory_of, gate_question

    question = gate_question(factory_of(project(), name, factory), version)
    report = judge(
        question.scorer,
        question.rows,
        question.label,
        train=question.train,
        time=question.time,
        key=question.key,
        slices=slices or question.spec.slices,
    )
    if html is not None:
        report.to_html(html)
    if json_:
        print_json(report)
        return
    out.print(Text(report.text()), soft_wrap=True)
    if html is not None:
        out.print(Text(f"page {html}"))


def gate(
    name: Name,
    version: Version,
    factory: Annotated[
        str, typer.Option("--factory", help="Whose policy counts; needed if several make it.")
    ] = "",
    json_: JsonOption = False,
) -> None:
    """Put a version through its factory's gate; exit code 1 if it doesn't pass."""
    from workbench.factory import factory_of, gate_version

    here = project()
    with Terminal(err).stage(f"gate of {name} version {version}", 1) as stage:
        report = gate_version(factory_of(here, name, factory), version, stage)
    if json_:
        print_json(report)
    else:
        _print_report(report)
    if report.outcome != "passed":
        raise typer.Exit(1)


def _print_report(report: GateReport) -> None:
    rows = (
        (
            check.code,
            check.title,
            state_text(check.outcome),
            "–" if check.found is None else f"{check.found:.4g}",
            check.expected,
            check.explanation,
        )
        for check in report.checks
    )
    title = f"{report.model} version {report.version} on {report.window}: {report.outcome}"
    columns = ("code", "check", "outcome", "found", "expected", "")
    print_table(title, columns, rows, empty="the policy asks for nothing")
    for role, count in report.approvals.items():
        out.print(Text(f"needs {count} approval(s) by {role}: workbench models approve"))


def approve(
    name: Name,
    version: Version,
    comment: Annotated[str, typer.Option("--comment", help="It stays in the record.")] = "",
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse it instead.")] = False,
    json_: JsonOption = False,
) -> None:
    """Approve what the gate found of a version, as a person with the role for it."""
    from workbench.registry import approve as say

    said = say(project(), name, version, comment=comment, refuse=refuse)
    if json_:
        print_json(said)
        return
    out.print(Text(f"{name} version {version}: {said.outcome} by {said.decided_by} ({said.role})"))


def promote(
    name: Name,
    version: Version,
    alias: Alias = "champion",
    reason: Reason = "",
    override: Annotated[
        bool, typer.Option("--override", help="Without a gate that passed; shows for ever.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Give a version an alias, if its newest gate passed under today's policy."""
    from workbench.factory import policies_of
    from workbench.registry import promote as give

    here = project()
    policies = policies_of(here, name)
    decision = give(
        here,
        name,
        version,
        alias,
        reason=reason or ("" if override else "by hand"),
        factory=next(iter(policies)) if len(policies) == 1 else "",
        policies=policies,
        override=override,
    )
    if json_:
        print_json(decision)
        return
    before = f" (before: {decision.previous})" if decision.previous else ""
    out.print(Text(f"{name} version {version} is {alias}{before}"))


def rollback(
    name: Name, alias: Alias = "champion", reason: Reason = "", json_: JsonOption = False
) -> None:
    """Give an alias back to the version that had it before."""
    from workbench.registry import rollback as go_back

    decision = go_back(project(), name, alias, reason=reason)
    if json_:
        print_json(decision)
        return
    out.print(Text(f"{name} version {decision.version} is {alias} (before: {decision.previous})"))


def verify(json_: JsonOption = False) -> None:
    """Follow the chain of decisions from its beginning; exit code 1 if it was broken."""
    from workbench.registry import verify_decisions

    found = verify_decisions(project())
    if json_:
        print_json(found)
    else:
        for problem in found.broken:
            out.print(Text(problem, style="red"))
        said = "holds" if not found.broken else "is broken"
        out.print(
            Text(f"the chain of {found.decisions} decisions {said}; head {found.head or '–'}")
        )
        if found.unchained:
            older = f"{found.unchained} of them are older than the chain"
            out.print(Text(f"{older}: nothing can be said of those"))
    if found.broken:
        raise typer.Exit(1)
