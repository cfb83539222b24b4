"""Keeping secrets out of what a job leaves behind.

The value of each secret parameter is in the environment of the job's process. Wherever a value
comes out, as it is or as Python, JSON, HTML or a URL would write it, `***` takes its place. What
is derived from a secret (its length, its digest, a picture of it) isn't found.
"""

from __future__ import annotations

import html
import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

__all__ = ["SECRET_PREFIX", "Redactor", "redact_descriptors"]

SECRET_PREFIX = "WORKBENCH_SECRET_"

_STARS = "***"
_SHORT = 4
_LINE = 8


class Redactor:
    """Replaces secrets in texts and in everything that is made of texts.

    A secret of fewer than four characters is replaced only where it is all of a text: searched for
    everywhere, it would leave holes in innocent words, which tell it as well.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        forms = {form for secret in secrets.values() for form in _forms(secret)}
        self._short = {form for form in forms if len(form) < _SHORT}
        self._long = sorted(forms - self._short, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._long))) if self._long else None
        self._begun = {form[:length] for form in self._long for length in range(1, len(form))}
        self._longest = max(map(len, self._long), default=0)

    @classmethod
    def of_environment(cls) -> Redactor:
        """Return the one for the secrets of this process."""
        names = (name for name in os.environ if name.startswith(SECRET_PREFIX))
        return cls({name: os.environ[name] for name in names})

    def __bool__(self) -> bool:
        """Say whether there is anything to look for."""
        return bool(self._long or self._short)

    def text(self, text: str) -> str:
        """Return `text` without the secrets."""
        if self._pattern is not None:
            text = self._pattern.sub(_STARS, text)
        if self._short and text.strip().strip("'\"") in self._short:
            return _STARS
        return text

    def anything(self, value: Any) -> Any:
        """Return `value`, made of dictionaries, lists and texts, without the secrets."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(key): self.anything(value[key]) for key in value}
        if isinstance(value, (list, tuple)):
            return [self.anything(item) for item in value]
        return value

    def split(self, text: str) -> tuple[str, str]:
        """Divide the text of a stream in what may be shown and what may be the begin of a secret.

        >>> Redactor({"token": "opensesame"}).split("say opensesame, op")
        ('say ***, ', 'op')
        """
        at = len(text)
        for length in range(min(self._longest - 1, len(text)), 0, -1):
            if text[-length:] in self._begun:
                at -= length
                break
        for found in self._pattern.finditer(text) if self._pattern else ():
            if found.start() < at < found.end():
                at = found.start()  # it may be the end of one and the begin of another
        return self.text(text[:at]), text[at:]


def _forms(secret: str) -> set[str]:
    """Return the ways in which a secret may be written, also one inside of another."""
    lines = (line for line in secret.splitlines() if len(line) >= _LINE)
    once = {form for part in {secret, *lines} - {""} for form in _written(part)}
    return {form for part in once for form in _written(part)}


def _written(part: str) -> Iterator[str]:
    yield part
    yield repr(part)[1:-1]
    yield repr(part.encode("utf-8", "surrogateescape"))[2:-1]
    yield json.dumps(part)[1:-1]
    yield json.dumps(part, ensure_ascii=False)[1:-1]
    yield html.escape(part)
    yield html.escape(part, quote=False)
    yield quote(part, safe="", errors="surrogateescape")


def redact_descriptors(redactor: Redactor) -> Callable[[], None]:
    """Let what this process and its children write to their output pass through `redactor`.

    Return what ends it: it waits for what is on its way, a second at most.
    """
    reading, writing = os.pipe()
    log = os.dup(1)
    for descriptor in (1, 2):
        os.dup2(writing, descriptor)
    os.close(writing)
    thread = threading.Thread(target=_copy, args=(reading, log, redactor), daemon=True)
    thread.start()

    def end() -> None:
        for descriptor in (1, 2):
            os.dup2(log, descriptor)
        thread.join(1)

    return end


def _copy(reading: int, log: int, redactor: Redactor) -> None:
    held = ""
    while chunk := os.read(reading, 64 * 1024):
        shown, held = redactor.split(held + chunk.decode("utf-8", "surrogateescape"))
        os.write(log, shown.encode("utf-8", "surrogateescape"))
    os.write(log, redactor.text(held).encode("utf-8", "surrogateescape"))
