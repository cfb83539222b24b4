"""Branches as experiments: start one, switch, drop one and have it back, with no work lost.

One idea: whatever a step takes out of sight is under a hidden ref first: work that isn't committed
under `refs/workbench/work`, a dropped branch, or what was committed on no branch at all, under
`refs/workbench/dropped`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from workbench.errors import GitError, NotFoundError
from workbench.git import kept
from workbench.git.command import shown
from workbench.git.status import only_ran
from workbench.git.trees import blocked_paths, empty_tree, index_changes, tree_changes

if TYPE_CHECKING:
    from workbench.git.repository import Repository

__all__ = [
    "Branch",
    "Dropped",
    "Switched",
    "bring_back",
    "drop",
    "list_branches",
    "list_dropped",
    "put_aside",
    "restore",
    "start",
    "switch",
]

_DROPPED = "refs/workbench/dropped"
_DROPPED_WORK = "refs/workbench/dropped-work"
_STATE = (".workbench",)  # records and data: nobody's work, even where nothing ignores them
_COMMIT_OR_KEEP = "commit first, or `keep` the work with the branch that it was made on (`--keep`)"


class Branch(BaseModel):
    """A local branch."""

    model_config = ConfigDict(frozen=True)

    name: str
    commit: str
    current: bool
    committed_at: datetime
    subject: str  # the first line of its last commit's message
    upstream: str | None
    checked_out: str | None  # the work tree where it is
    has_kept_work: bool
    ahead: int | None = None  # commits that the base hasn't, where a base was given
    behind: int | None = None


class Switched(BaseModel):
    """The branch that is checked out now, and what happened to uncommitted work."""

    model_config = ConfigDict(frozen=True)

    branch: str
    kept: tuple[str, ...] = ()  # paths that stayed with the branch that was left
    brought_back: tuple[str, ...] = ()  # paths that had been kept with this one
    set_aside: str | None = None  # what `restore` calls the commits that no branch had


class Dropped(BaseModel):
    """A branch that is gone, and the hidden ref that still has its commits."""

    model_config = ConfigDict(frozen=True)

    name: str
    commit: str
    ref: str


def start(repository: Repository, name: str, *, base: str | None = None) -> Switched:
    """Make the branch `name` at `base` (HEAD if not given) and switch to it.

    Work that isn't committed comes along; before the first commit, too. Commits of a detached
    HEAD that neither the branch nor anything else has are set aside: `restore` has them back.

    Raises
    ------
    NotFoundError
        If there is no such base.
    GitError
        If the branch exists already, or work would be overwritten on the way to `base`.
    """
    repository.check_name(name)
    with repository.locked():
        repository.require_settled()
        if name in repository.branches():
            raise GitError(
                f"branch {name!r} exists already: `workbench branch switch {name}` goes there"
            )
        at = [] if base is None else [_base(repository, base)]
        here = repository.branch
        taken = [
            path
            for commit in at
            for path in _make_way(repository, name, here, commit, way_out="commit first")
        ]
        kept.put_aside(repository, name)  # of another branch, that once had this name
        aside = _set_aside(repository, at[0] if at else "HEAD")
        _go(repository, name, here if taken else None, "--no-track", "--create", name, *at)
    return Switched(branch=name, kept=tuple(taken), set_aside=aside)


def _base(repository: Repository, base: str) -> str:
    commit = repository.resolve(base)
    if commit is None:
        raise NotFoundError.named("branch or commit", base, repository.branches())
    return commit


def switch(
    repository: Repository,
    name: str,
    *,
    work: Literal["carry", "keep"] = "carry",
    leave: Sequence[str] = _STATE,
) -> Switched:
    """Switch to the branch `name`, and bring back the work that was kept with it.

    Commits of a detached HEAD that no branch, tag or remote has are set aside, and the answer
    says so: `restore` makes a branch of them.

    Parameters
    ----------
    work
        What isn't committed: `carry` it along, or `keep` it with the branch that is left, staged
        state and new files included, until one comes back there. Ignored files always stay. The
        outputs of a notebook that is another there are always kept: they are of the old branch.
    leave
        Folders, from the root, of whose new files nothing is ever taken away.

    Raises
    ------
    NotFoundError
        If there is no such branch.
    GitError
        If work would be overwritten: nothing has changed then. Only if kept work doesn't fit any
        more is the switch made and the work still kept; the message says so.
    """
    repository.check_name(name)
    with repository.locked():
        repository.require_settled()
        here, target = repository.branch, _tip(repository, name)
        if here == name:
            return Switched(branch=name, brought_back=tuple(kept.bring_back(repository, name)))
        if work == "keep":
            taken = _keep(repository, name, here, leave)
        else:
            _refuse_mixing(repository, name)
            taken = _make_way(repository, name, here, target, way_out=_COMMIT_OR_KEEP)
        aside = _set_aside(repository, target)
        _go(repository, name, here if taken else None, name)
        back = kept.bring_back(repository, name)
    return Switched(branch=name, kept=tuple(taken), brought_back=tuple(back), set_aside=aside)


def bring_back(repository: Repository) -> list[str]:
    """Bring back the work that is kept with the current branch; list its paths."""
    with repository.locked():
        repository.require_settled()
        return kept.bring_back(repository, repository.branch or "HEAD")


def put_aside(repository: Repository, name: str) -> str | None:
    """Move the work that is kept with the branch out of the way; return the ref that has it."""
    with repository.locked():
        return kept.put_aside(repository, name)


def _tip(repository: Repository, name: str) -> str:
    """Find a branch's commit; one that only a remote has is for Git to make a local one of."""
    commit = repository.resolve(f"refs/heads/{name}")
    if commit is None:
        listing = repository.git("for-each-ref", "--format=%(objectname)", f"refs/remotes/*/{name}")
        commit = listing.stdout.decode().partition("\n")[0] or None
    if commit is None:
        raise NotFoundError.named("branch", name, repository.branches())
    return commit


def _keep(repository: Repository, name: str, here: str | None, leave: Sequence[str]) -> list[str]:
    head = repository.head
    there = next((branch for branch in _branches(repository) if branch.name == name), None)
    if there and there.checked_out:
        raise GitError(f"branch {name!r} is checked out in {there.checked_out}")
    if head is None:
        raise GitError("work can be kept with a branch from its first commit on: commit first")
    if here is None:
        if not dirty_work(repository, head):
            return []
        raise GitError(
            "HEAD is detached: start a branch for the work, or carry it along, without `--keep`"
        )
    kept.bring_back(repository, here)  # left from a step that was killed, or a switch without us
    return kept.take_away(repository, here, head, leave)


def dirty_work(repository: Repository, head: str) -> set[str]:
    """List what isn't committed."""
    return kept.dirty_paths(repository, head)


def _make_way(
    repository: Repository, name: str, here: str | None, target: str, *, way_out: str
) -> list[str]:
    """Refuse where work lies in the way of `target`; notebooks that only ran stay with `here`."""
    head = repository.head
    base = head or empty_tree(repository)
    changes = tree_changes(repository, base, target)
    before = {path: old for path, (old, _) in changes.items()}
    after = {path: new for path, (_, new) in changes.items()}
    staged = {
        path
        for path, (_, now) in index_changes(repository, base).items()
        if path in after and now != after[path]
    }
    blocked = staged.union(blocked_paths(repository, before, after))
    ran = {
        path
        for path in blocked - staged
        if here and (old := before.get(path)) and only_ran(repository, path, old.blob)
    }
    if blocked - ran:
        names = ", ".join(map(shown, sorted(blocked - ran)))
        raise GitError(f"switching to {name!r} would overwrite {names}: {way_out}")
    if not ran or not here or not head:
        return []
    if repository.resolve(f"{kept.WORK}/{here}"):
        raise GitError(f"{here!r} has work kept with it already; {kept.stays(here)}")
    return kept.take_files(repository, here, head, ran)


def _refuse_mixing(repository: Repository, name: str) -> None:
    """Refuse to carry work to where other work on the same paths is kept."""
    there, head = kept.kept_paths(repository, name), repository.head
    mixed = there & kept.dirty_paths(repository, head) if there and head else set()
    if mixed:
        names = ", ".join(map(shown, sorted(mixed)))
        raise GitError(f"{name!r} has other work kept on {names}: {_COMMIT_OR_KEEP}")


def _set_aside(repository: Repository, target: str) -> str | None:
    """Save the commits of a detached HEAD before it goes to `target`, if they'd be nowhere then.

    They are saved like those of a dropped branch; the name that they have there is returned. Refs
    that go by themselves, of kept work and of snapshots, save nothing.
    """
    head = repository.head
    if head is None or repository.branch:
        return None
    name = f"detached-{head[:12]}"
    # Its own ref doesn't count: one that came back here, or was killed here, is told again.
    dropped = (f"--exclude={_DROPPED}/{name}/*", f"--glob={_DROPPED}")
    lasting = ("--branches", "--tags", "--remotes", *dropped, target)
    if not repository.git("rev-list", "--max-count=1", head, "--not", *lasting, "--").stdout:
        return None
    repository.git("update-ref", f"{_DROPPED}/{name}/{head[:12]}", head)
    return name


def _go(repository: Repository, name: str, left: str | None, *arguments: str) -> None:
    """Let Git switch; where it can't, what was kept with the branch `left` comes back."""
    try:
        repository.git("switch", "--quiet", "--no-overwrite-ignore", *arguments)
    except GitError:
        if repository.branch == name:  # it was the hook after the switch that failed
            return
        if left:
            kept.bring_back(repository, left)
        raise


def drop(
    repository: Repository, name: str, *, protected: str = "main", force: bool = False
) -> Dropped:
    """Drop a branch; its commits stay under a hidden ref, from which `restore` has it back.

    Raises
    ------
    NotFoundError
        If there is no such branch.
    GitError
        For the current branch, the protected one, and one that another work tree is on; and,
        unless `force`, for one that has uncommitted work kept with it (which isn't lost then
        either).
    """
    repository.check_name(name)
    with repository.locked():
        branches = {branch.name: branch for branch in _branches(repository)}
        if name not in branches:
            raise NotFoundError.named("branch", name, branches)
        branch = branches[name]
        _refuse_dropping(branch, protected=protected, force=force)
        ref = f"{_DROPPED}/{name}/{branch.commit[:12]}"
        repository.git("update-ref", ref, branch.commit)
        _move_ref(repository, f"{kept.WORK}/{name}", f"{_DROPPED_WORK}/{name}/{branch.commit[:12]}")
        repository.git("branch", "--quiet", "-D", "--", name)
    return Dropped(name=name, commit=branch.commit, ref=ref)


def _refuse_dropping(branch: Branch, *, protected: str, force: bool) -> None:
    if branch.name == protected:
        raise GitError(f"{branch.name!r} is the protected branch: it isn't dropped")
    if branch.current:
        raise GitError(f"{branch.name!r} is the current branch: switch to another one first")
    if branch.checked_out:
        raise GitError(f"{branch.name!r} is checked out in {branch.checked_out}: end that first")
    if branch.has_kept_work and not force:
        raise GitError(
            f"{branch.name!r} has uncommitted work kept with it: switch there and commit"
            " it, or drop it all with force (`--force`)"
        )


def _move_ref(repository: Repository, old: str, new: str) -> None:
    commit = repository.resolve(old)
    if commit is not None:
        steps = f"update {new} {commit}\ndelete {old} {commit}\n"
        repository.git("update-ref", "--stdin", stdin=os.fsencode(steps))


def restore(repository: Repository, name: str, *, commit: str | None = None) -> Dropped:
    """Have a dropped branch back, with the work that was kept with it.

    What was set aside on leaving a detached HEAD is one, too.

    Parameters
    ----------
    commit
        The beginning of its last commit's hash, where several of that name were dropped; the one
        that was committed to last if not given.
    """
    repository.check_name(name)
    with repository.locked():
        dropped = [d for d in list_dropped(repository) if d.name == name]
        found = [d for d in dropped if d.commit.startswith(commit or "")]
        if not found:
            wanted, of = (commit, dropped) if dropped and commit else (name, None)
            existing = (
                [d.commit[:12] for d in of] if of else [d.name for d in list_dropped(repository)]
            )
            raise NotFoundError.named("dropped branch", wanted or name, set(existing))
        one = found[0]
        repository.git("branch", "--no-track", "--", name, one.commit)
        _move_ref(repository, f"{_DROPPED_WORK}/{name}/{one.commit[:12]}", f"{kept.WORK}/{name}")
        repository.git("update-ref", "-d", one.ref, one.commit)
    return one


def list_dropped(repository: Repository) -> list[Dropped]:
    """List what was dropped, by the time of the last commit, the newest first."""
    form = "--format=%(objectname) %(refname)"
    listing = repository.git("for-each-ref", "--sort=-committerdate", form, _DROPPED).stdout
    found = []
    for line in os.fsdecode(listing).splitlines():
        commit, _, ref = line.partition(" ")
        name = ref.removeprefix(f"{_DROPPED}/").rpartition("/")[0]
        found.append(Dropped(name=name, commit=commit, ref=ref))
    return found


def list_branches(repository: Repository, *, base: str | None = None) -> list[Branch]:
    """List the local branches by name; with `base`, how far each is from it."""
    branches = _branches(repository)
    if base is None:
        return branches
    at = _base(repository, base)
    return [branch.model_copy(update=_distance(repository, at, branch)) for branch in branches]


def _distance(repository: Repository, base: str, branch: Branch) -> dict[str, int]:
    counted = repository.ask("rev-list", "--left-right", "--count", f"{base}...{branch.commit}")
    behind, ahead = counted.split()
    return {"ahead": int(ahead), "behind": int(behind)}


def _branches(repository: Repository) -> list[Branch]:
    with_work = os.fsdecode(
        repository.git("for-each-ref", "--format=%(refname)", kept.WORK).stdout
    ).splitlines()
    fields = (
        "refname:lstrip=2",
        "objectname",
        "HEAD",
        "committerdate:iso-strict",
        "contents:subject",
        "upstream:short",
        "worktreepath",
    )
    form = "%00".join(f"%({field})" for field in fields)
    said = os.fsdecode(repository.git("for-each-ref", f"--format={form}%00", "refs/heads").stdout)
    values = said.split("\0")[:-1]
    branches = []
    for start_ in range(0, len(values), len(fields)):
        name, commit, mark, when, subject, upstream, place = values[start_ : start_ + len(fields)]
        name = name.removeprefix("\n")  # which ends the line before
        branches.append(
            Branch(
                name=name,
                commit=commit,
                current=mark == "*",
                committed_at=datetime.fromisoformat(when),
                subject=subject,
                upstream=upstream or None,
                checked_out=place or None,
                has_kept_work=f"{kept.WORK}/{name}" in with_work,
            )
        )
    return sorted(branches, key=lambda branch: branch.name)
