"""Dead letters: what could not be taken, one JSON document a line, with the reason."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.errors import StoreError
from workbench.features.streaming.state import StreamState

__all__ = ["dead_letter", "write_dead_letters"]


def dead_letter(entry: str | None, reason: str, fields: Mapping[str, object]) -> str:
    """Write one line: the entry's id, why it was refused, and what it said."""
    content = {"id": entry, "reason": reason, "fields": fields}
    return json.dumps(content, ensure_ascii=False, default=str)


def write_dead_letters(state: StreamState, path: Path) -> None:
    """Append the lines that the file lacks, each once, whoever is killed in between.

    The state knows how long the file was when it was last complete: what a killed process wrote
    behind that is written again.
    """
    lines = state.refused()
    if not lines:
        return
    try:
        end = _append(path, int(state.fact("dead_bytes", 0)), lines)
    except OSError as error:
        raise StoreError(f"{path}: can't be written: {error.strerror}") from error
    with state.transaction():
        state.set_facts(dead_bytes=end)
        state.forget_refused()


def _append(path: Path, known: int, lines: Sequence[str]) -> int:
    with path.open("ab") as file:
        # Shorter if the user has emptied it or moved it away, which is theirs to do.
        file.truncate(min(known, file.seek(0, os.SEEK_END)))
        file.seek(0, os.SEEK_END)
        file.write("".join(f"{line}\n" for line in lines).encode(errors="backslashreplace"))
        file.flush()
        os.fsync(file.fileno())
        return file.tell()
