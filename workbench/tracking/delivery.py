"""From the spool into MLflow: in batches, again until they arrive, and what is refused set aside.

Sending an entry twice changes nothing in MLflow, so whoever isn't sure sends it again. An entry
that MLflow refuses for good goes to `spool/refused/<run_id>.jsonl` with the reason, and the others
of its batch go on without it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from workbench.project import Project
from workbench.tracking.entries import Entry
from workbench.tracking.sending import RefusedError, Sender, UnclearError, spool_folder
from workbench.tracking.spool import Spool, left_behind
from workbench.tracking.store import StoreAwayError

__all__ = ["Delivery", "Refusal", "deliver", "forward", "forward_entries"]

_CHUNK = 4000  # entries read at once
_TRIES = 24  # parts of a batch that fail, none taken, before it's the store that is to blame

_logger = logging.getLogger("workbench.tracking")


class Refusal(BaseModel):
    """An entry that MLflow won't take, and why."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    entry: list[Any]
    reason: str

    def __str__(self) -> str:
        """Say it in a line."""
        shown = " ".join(str(part)[:60] for part in self.entry[:3])
        return f"run {self.run_id}: {shown}: {self.reason.splitlines()[0][:300]}"


class Delivery(BaseModel):
    """What became of entries that were waiting in the spool."""

    model_config = ConfigDict(frozen=True)

    sent: int = 0
    waiting: int = 0
    refused: tuple[Refusal, ...] = ()
    reason: str = ""
    """Why some are waiting still."""

    def __add__(self, other: Delivery) -> Delivery:
        return Delivery(
            sent=self.sent + other.sent,
            waiting=self.waiting + other.waiting,
            refused=self.refused + other.refused,
            reason=self.reason or other.reason,
        )


def deliver(project: Project, run_id: str | None = None) -> Delivery:
    """Send what processes that are gone have left in the spool, of one run or of all.

    A process that lives sends its own. Several may deliver at once: each file is sent by one.
    """
    total = Delivery()
    for spool in left_behind(spool_folder(project), run_id):
        total += _empty(project, spool)
    return total


def forward(project: Project, spool: Spool, sender: Sender) -> Delivery | None:
    """Send the next entries of a spool; None if there are none.

    Raises
    ------
    StoreAwayError
        If the store takes nothing just now; the spool stays as it is.
    """
    chunk = spool.read(_CHUNK)
    if not chunk.entries and not chunk.unreadable:
        return None
    done = forward_entries(project, sender, chunk.entries)
    unreadable = _set_aside(
        project, [_refusal(sender, [line], "unreadable") for line in chunk.unreadable]
    )
    spool.advance(chunk.end)
    return done + Delivery(refused=unreadable)


def forward_entries(project: Project, sender: Sender, entries: Sequence[Entry]) -> Delivery:
    """Send entries; those that MLflow refuses are set aside by then.

    Raises
    ------
    StoreAwayError
        If the store takes nothing just now.
    """
    refused: list[Refusal] = []
    for send, part in sender.batches(entries):
        found = _isolate(send, part)
        refused += [_refusal(sender, entry, reason) for entry, reason in found]
    return Delivery(sent=len(entries) - len(refused), refused=_set_aside(project, refused))


def _empty(project: Project, spool: Spool) -> Delivery:
    """Send all of a spool that was left behind, and delete it."""
    total, sender = Delivery(), Sender(project, spool.head)
    try:
        while done := forward(project, spool, sender):
            total += done
        torn = spool.torn()
        cut = [_refusal(sender, [torn], "cut off while it was written")] if torn else []
        total += Delivery(refused=_set_aside(project, cut))
    except StoreAwayError as error:
        total += Delivery(waiting=spool.waiting(), reason=str(error))
        spool.release()
    else:
        spool.remove()
    return total


def _isolate(
    send: Callable[[Sequence[Entry]], None], entries: Sequence[Entry]
) -> list[tuple[Entry, str]]:
    """Send a batch, halving it where it fails until only the entries are left that are to blame.

    MLflow doesn't always say whose fault it is. Where another part of the batch was taken it was
    the entry's; where none was, the store's.
    """
    refused: list[tuple[Entry, str]] = []
    unclear: list[tuple[Entry, str]] = []
    failures, taken = 0, False
    parts = [entries]
    while parts:
        part = parts.pop()
        try:
            send(part)
            taken = True
        except RefusedError as error:
            if len(part) == 1 or error.run_is_gone:
                refused += [(entry, str(error)) for entry in part]
            else:
                parts += _halves(part)
        except UnclearError as error:
            failures += 1
            if failures > _TRIES and not taken:
                raise StoreAwayError(str(error)) from error
            if len(part) == 1:
                unclear.append((part[0], str(error)))
            else:
                parts += _halves(part)
    if unclear and not taken:
        raise StoreAwayError(unclear[0][1])
    return refused + unclear


def _refusal(sender: Sender, entry: Entry, reason: str) -> Refusal:
    return Refusal(run_id=sender.spooled_id, entry=entry, reason=reason)


def _halves(part: Sequence[Entry]) -> list[Sequence[Entry]]:
    middle = len(part) // 2
    return [part[middle:], part[:middle]]  # the first one is taken from the end


def _set_aside(project: Project, refused: Sequence[Refusal]) -> tuple[Refusal, ...]:
    """Write refused entries, all of one run, beside the spool, and say so."""
    if not refused:
        return ()
    first = refused[0]
    path = spool_folder(project) / "refused" / f"{first.run_id}.jsonl"
    lines = [json.dumps({"entry": each.entry, "reason": each.reason}) for each in refused]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise StoreAwayError(f"{path}: can't be written: {error.strerror}") from error
    _logger.warning(
        "MLflow refused %d of what was logged, now in %s: %s", len(refused), path, first
    )
    return tuple(refused)
