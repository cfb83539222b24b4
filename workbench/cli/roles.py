"""`workbench roles`: who may what here, and on the team's server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from workbench.cli.context import JsonOption, err, group, out, print_json, print_table, project

if TYPE_CHECKING:
    from workbench.access.team import Plan, Resources
    from workbench.project import Project

__all__ = ["app"]

app = group("Roles: who may look, develop, approve, override.")

_PASSWORD = "WORKBENCH_NEW_PASSWORD"


@app.command("list")
def list_(json_: JsonOption = False) -> None:
    """Show who has which role, and who asks."""
    from workbench.access import ROLES, who

    here = project()
    me, named = who(here), here.settings.roles.model_dump()
    login = _own_login(here)
    if json_:
        print_json({"me": me.model_dump(), "roles": named, "login": login})
        return
    print_table(
        "Roles",
        ("role", "who"),
        ((role, ", ".join(named[role])) for role in ROLES if named[role]),
        empty="no [roles] in workbench.toml: everybody is an admin",
    )
    out.print(Text(f"you are {me.name} ({me.known_by}): {me.role}"), soft_wrap=True)
    if login is not None:
        may = "admin" if login["admin"] else f"{login['permission']} on the experiment"
        out.print(Text(f"on {login['server']} you are {login['name']}: {may}"), soft_wrap=True)


@app.command()
def apply(
    create: Annotated[
        list[str] | None,
        typer.Option(
            "--create",
            metavar="NAME",
            help=f"Make a login for a name that has none; its password is asked for, or is in "
            f"{_PASSWORD}.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Carry it out unasked.")] = False,
    json_: JsonOption = False,
) -> None:
    """Give the logins of the team's server their roles; exit code 1 if some may more, or less.

    It takes an admin's login in MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.
    """
    from workbench.access.team import LoginServer, apply_roles, find_gaps, plan_roles

    here = project()
    server = LoginServer.of(here)
    server.require_admin()
    resources = _resources(here)
    plan = plan_roles(here, resources, server, create or [])
    if not json_:
        _print_plan(plan)
    asked = not (dry_run or yes or json_)
    carried_out = bool(plan.steps) and not dry_run and (yes or (asked and _confirmed(plan)))
    if carried_out:
        apply_roles(plan, server, _password)
    gaps = find_gaps(here, resources, server) if carried_out or not plan.steps else []
    if json_:
        print_json({**plan.model_dump(), "carried_out": carried_out, "gaps": gaps})
    for gap in gaps if not json_ else ():
        out.print(Text(gap, style="red"), soft_wrap=True)
    if gaps:
        raise typer.Exit(1)


def _confirmed(plan: Plan) -> bool:
    return typer.confirm(f"make these {len(plan.steps)} changes?", default=False, err=True)


def _password(name: str) -> str:
    """Take a login's first password from the environment, or ask for it unseen."""
    given = os.environ.get(_PASSWORD)
    if given:
        return given
    asked: str = typer.prompt(
        f"password of {name}", hide_input=True, confirmation_prompt=True, err=True
    )
    return asked


def _print_plan(plan: Plan) -> None:
    for name, role in plan.unknown.items():
        out.print(
            Text(f"{name} ({role}) has no login there: --create {name!r}", style="yellow"),
            soft_wrap=True,
        )
    for remark in plan.remarks:
        err.print(Text(f"note: {remark}"), soft_wrap=True)
    for step in plan.steps:
        out.print(Text(str(step)), soft_wrap=True)
    if not plan.steps:
        out.print(Text("nothing to change"))


def _own_login(here: Project) -> dict[str, Any] | None:
    """Say who asks on the project's server, if it is one that has logins."""
    from workbench.access import shown_address
    from workbench.access.team import LoginServer
    from workbench.errors import UsageError
    from workbench.tracking import initialise

    try:
        server = LoginServer.of(here)
        me = server.me()
    except UsageError:
        return None
    held = server.permission(me.username, ("experiment", initialise(here)))
    return {
        "server": shown_address(here.tracking_uri),
        "name": me.username,
        "admin": me.is_admin,
        "permission": held,
    }


def _resources(here: Project) -> Resources:
    """Find what of the server is the project's: a model that its factories or its runs make."""
    from workbench.access.team import Resources
    from workbench.factory import list_factories, load
    from workbench.registry import list_models
    from workbench.tracking import client, initialise

    experiment = initialise(here)
    mlflow = client(here)
    models = {load(name, here).spec.model for name in list_factories(here)}
    for model in list_models(here):
        runs = {version.run_id for version in model.versions if version.run_id}
        if any(mlflow.get_run(run).info.experiment_id == experiment for run in runs):
            models.add(model.name)
    return Resources(experiment=experiment, models=sorted(models))
