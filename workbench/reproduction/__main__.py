"""The process that makes a version again: `python -m workbench.reproduction FOLDER`.

It says on its output what it does, a line each. When the one who started it goes away, so does it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any


def _run(folder: Path) -> int:
    # A grammar of URIs for JSON schemas, which takes a second to build and no notebook needs.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from workbench.reproduction.rerun import main

    output = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints is no word of ours

    def say(text: str) -> None:
        os.write(output, f"{text}\n".encode())

    return main(folder, say)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _end_with_starter() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)  # and what was started here notices that in turn


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=_end_with_starter, daemon=True).start()
    sys.exit(_run(Path(sys.argv[1])))
