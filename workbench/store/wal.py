"""Opening a SQLite file so that readers and a writer work at the same time."""

from __future__ import annotations

import sqlite3
import time

__all__ = ["use_wal"]

_OPENING_SECONDS = 5


def use_wal(connection: sqlite3.Connection | sqlite3.Cursor) -> None:
    """Turn on the write-ahead log, which stays with the file.

    Many who open a new file at once are told that it is locked, without the wait that every other
    statement gets.
    """
    end = time.monotonic() + _OPENING_SECONDS
    while True:
        try:
            connection.execute("pragma journal_mode=wal")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return
