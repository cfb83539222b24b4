"""`workbench branch`, `workbench commit` and `workbench gc`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from workbench.cli.context import (
    JsonOption,
    err,
    group,
    out,
    print_diff,
    print_json,
    print_table,
    project,
    short_digests,
    shown_metrics,
    state_text,
    when,
)

if TYPE_CHECKING:
    from workbench.git import MergePlan, Switched

__all__ = ["app", "commit", "gc"]

app = group("Branches: each one an experiment.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The branch's name.")]


@app.command("list")
def list_(json_: JsonOption = False) -> None:
    """List branches."""
    from workbench.experiments import list_branches

    found = list_branches(project())
    if json_:
        print_json(found)
        return
    print_table(
        "Branches",
        ("", "branch", "commit", "last commit", "ahead", "behind", ""),
        (
            (
                "*" if branch.current else "",
                branch.name,
                branch.commit[:8],
                when(branch.committed_at),
                "–" if branch.ahead is None else str(branch.ahead),
                "–" if branch.behind is None else str(branch.behind),
                "has kept work" if branch.has_kept_work else "",
            )
            for branch in found
        ),
        whole=("commit",),
        empty="no branch has a commit yet",
    )


@app.command()
def start(
    name: Name,
    base: Annotated[str | None, typer.Option(help="From where; else from here.")] = None,
    json_: JsonOption = False,
) -> None:
    """Start an experiment: a branch, with the work at hand."""
    from workbench.experiments import start_branch

    branch = start_branch(name, base=base, project=project())
    if json_:
        print_json(branch)
    else:
        out.print(Text(f"on new branch {branch.branch}"))
        _print_moved(branch)


@app.command()
def switch(
    name: Name,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave uncommitted work with the branch it is of.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Go to another branch; work that isn't committed comes along."""
    from workbench.experiments import switch_branch

    branch = switch_branch(name, keep=keep, project=project())
    if json_:
        print_json(branch)
    else:
        out.print(Text(f"on branch {branch.branch}"))
        _print_moved(branch)


def _print_moved(switched: Switched) -> None:
    """Say what work stayed behind and what came back, and where commits of no branch are."""
    for verb, paths in (("kept there", switched.kept), ("back again", switched.brought_back)):
        if paths:
            out.print(Text(f"{verb}: {', '.join(paths)}"), soft_wrap=True)
    if switched.set_aside:
        command = f"workbench branch restore {switched.set_aside}"
        out.print(
            Text(f"set aside: commits that no branch has; to make one of them: {command}"),
            soft_wrap=True,
        )


@app.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A")],
    b: Annotated[str, typer.Argument(metavar="B")],
    json_: JsonOption = False,
) -> None:
    """Show how two branches differ: runs, notebooks, features, data."""
    from workbench.experiments import compare_branches

    found = compare_branches(a, b, project=project())
    if json_:
        print_json(found)
        return
    runs = [(a, run) for run in found.runs_a] + [(b, run) for run in found.runs_b]
    metrics = shown_metrics([run for _, run in runs])
    print_table(
        "Runs",
        ("branch", "run", "name", "status", *metrics),
        (
            (
                branch,
                run.run_id[:8],
                run.name,
                state_text(run.status),
                *(f"{run.metrics[m]:.4f}" if m in run.metrics else "–" for m in metrics),
            )
            for branch, run in runs
        ),
        whole=("run",),
        empty="runs: neither has any",
    )
    changed = [row for row in found.data if row.differs]
    print_table(
        "Data",
        ("dataset", a, b),
        ((row.name, *(short_digests(value) for value in row.values)) for row in changed),
        empty="data: the same" if found.data else "data: none was used",
    )
    for part, paths in (("features", found.features), ("other files", found.files)):
        out.print(Text(f"{part}: {', '.join(paths) or 'the same'}"), soft_wrap=True)
    for change in found.notebooks:
        print_diff(change.path, change.diff)


@app.command()
def leaderboard(
    metric: Annotated[str, typer.Argument(help="The metric to rank by: roc_auc.")],
    dataset: Annotated[
        str | None, typer.Option(help="NAME, NAME@DIGEST or DIGEST of the data judged on.")
    ] = None,
    lower: Annotated[
        bool | None, typer.Option("--lower/--higher", help="Whether less or more is better.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Rank branches by their best run on the same data."""
    from workbench.experiments import leaderboard as rank

    board = rank(metric, dataset=dataset, lower=lower, project=project())
    if json_:
        print_json(board)
        return
    sense = "lower" if board.lower_is_better else "higher"
    print_table(
        f"{metric} on {board.dataset}@{board.digest[:12]} ({sense} is better)",
        ("", "branch", metric, "run", "name", "runs"),
        (
            (str(place), e.branch, f"{e.value:.6g}", e.run_id[:8], e.name, str(e.runs))
            for place, e in enumerate(board.entries, start=1)
        ),
        whole=("run",),
        empty="no branch has a finished run on these data",
    )
    if board.others:
        out.print(Text(f"no run on these data: {', '.join(board.others)}"), soft_wrap=True)


@app.command()
def merge(
    name: Name,
    choose: Annotated[
        list[str] | None,
        typer.Option("--choose", help="CONFLICT=ours|theirs|both|base, may be repeated."),
    ] = None,
    message: Annotated[str | None, typer.Option("-m", "--message", help="Of the commit.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be.")] = False,
    json_: JsonOption = False,
) -> None:
    """Choose the winner: merge a branch into this one. Outputs never conflict.

    Nothing changes while a conflict has no choice.
    """
    from workbench.experiments import merge_branch, plan_merge

    here = project()
    choices = dict(_choice(text) for text in choose or [])
    plan = plan_merge(name, choices=choices, project=here)
    if dry_run or plan.conflicts:
        if json_:
            print_json(plan)
        else:
            _print_conflicts(name, plan)
        raise typer.Exit(1 if plan.conflicts else 0)
    result = merge_branch(name, choices=choices, message=message, project=here)
    if json_:
        print_json(result)
    elif result.standing == "merged":
        out.print(Text(f"{name} was merged before: nothing to do"))
    else:
        out.print(Text(f"merged {name}: commit {result.commit[:8]}, {len(result.files)} files"))


def _choice(text: str) -> tuple[str, str]:
    from workbench.errors import UsageError

    conflict, equals, choice = text.rpartition("=")
    if not equals or choice not in ("ours", "theirs", "both", "base"):
        raise UsageError(f"--choose {text}: expected CONFLICT=ours|theirs|both|base")
    return conflict, choice


def _print_conflicts(name: str, plan: MergePlan) -> None:
    conflicts = plan.conflicts
    if not conflicts:
        out.print(Text(f"{name} merges without a conflict: {len(plan.files)} files would change"))
        return
    for conflict in conflicts:
        out.print(Text.assemble((conflict.id, "bold"), f"  {conflict.kind}"), soft_wrap=True)
        for side in ("base", "ours", "theirs"):
            content = getattr(conflict, side)
            out.print(Text(f"  {side}:", style="dim"))
            shown = "(not there)" if content is None else content
            out.print(Text("\n".join(f"    {line}" for line in shown.splitlines())))
    err.print(
        Text(
            f"{len(conflicts)} to choose, nothing was changed: "
            f"workbench branch merge {name} --choose '{conflicts[0].id}=theirs' …"
        ),
        soft_wrap=True,
    )


@app.command("bring-back")
def bring_back() -> None:
    """Bring back the work that is kept with this branch, where switching could not."""
    from workbench.experiments import bring_back_work

    paths = bring_back_work(project=project())
    out.print(Text(f"back again: {', '.join(paths)}" if paths else "no work is kept here"))


@app.command("put-aside")
def put_aside(name: Name) -> None:
    """Move the work that is kept with a branch out of the way; a hidden ref still has it."""
    from workbench.experiments import put_work_aside

    ref = put_work_aside(name, project=project())
    out.print(Text(f"it is in {ref}" if ref else "no work is kept there"), soft_wrap=True)


@app.command()
def drop(
    name: Name,
    force: Annotated[
        bool, typer.Option("--force", help="Also with uncommitted work kept with it.")
    ] = False,
) -> None:
    """End an experiment without merging it; its runs stay, and it can be restored."""
    from workbench.experiments import drop_branch

    drop_branch(name, force=force, project=project())
    out.print(Text(f"dropped {name}; to undo: workbench branch restore {name}"), soft_wrap=True)


@app.command()
def restore(name: Name) -> None:
    """Bring a dropped branch back."""
    from workbench.experiments import restore_branch

    restore_branch(name, project=project())
    out.print(Text(f"{name} is back"))


def commit(
    message: Annotated[str, typer.Option("-m", "--message", help="What was done, and why.")],
    paths: Annotated[
        list[str] | None, typer.Argument(help="From the project's root; else all that changed.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Commit; notebooks without their outputs, which stay in your files."""
    from workbench.errors import UsageError
    from workbench.git import Repository

    here = project()
    repository = Repository(here.root)
    repository.require()
    changed = repository.status(keep_outputs=here.settings.keep_outputs).changed
    if not (paths or changed):
        raise UsageError("nothing has changed since the last commit")
    made = repository.commit(paths or ["."], message, keep_outputs=here.settings.keep_outputs)
    if json_:
        print_json({"commit": made})
    else:
        out.print(Text(f"commit {made[:8]}"))


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    json_: JsonOption = False,
) -> None:
    """Let go of the code snapshots of deleted runs."""
    from workbench.experiments import collect_garbage

    found = collect_garbage(project(), dry_run=dry_run)
    if json_:
        print_json(found)
        return
    verb = "would let go of" if dry_run else "let go of"
    out.print(Text(f"{verb} {len(found.pruned)} snapshots, {found.kept} stay"))
