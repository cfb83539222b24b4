"""Files over HTTP(S): asked for only if they changed, tried again, checked, and then kept."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from workbench.data.sources.copies import Copied, Copy, Keeper
from workbench.data.sources.declared import Declared
from workbench.data.sources.protocol import Source

if TYPE_CHECKING:
    from requests import Response, Session

__all__ = ["open_source"]

_TIMEOUT = (10, 60)
"""Seconds for a connection, and for the server to say something more."""

_PASSING = {408, 425, 429, 500, 502, 503, 504}
"""Answers that may be another one a moment later."""

_CHUNK = 2**20
_LONGEST_PAUSE = 30.0


class _TryAgainError(Exception):
    def __init__(self, reason: str, pause: float = 0) -> None:
        super().__init__(reason)
        self.pause = pause


def open_source(declared: Declared) -> Source:
    """Open `http://…` or `https://…`; the source's options are the headers that are sent."""
    return Copied(declared, lambda keeper: _fetch(declared, keeper))


def _fetch(declared: Declared, keeper: Keeper) -> Copy:
    newest, retries, expected = keeper.newest(), declared.settings.retries, declared.settings.sha256
    if newest is not None and expected is not None:
        if newest.sha256 == expected:
            return newest  # it can't be any other
        newest = None  # "not modified" would be no answer
    with _silent(), _session(declared) as session:
        for attempt in range(retries + 1):
            try:
                return _attempt(declared, keeper, session, newest)
            except _TryAgainError as failure:
                if attempt == retries:
                    tried = f", tried {attempt + 1} times" if attempt else ""
                    raise declared.error(f"{failure}{tried}") from None
                time.sleep(_pause(attempt, failure.pause))
    raise AssertionError("the last attempt returns or raises")


def _attempt(declared: Declared, keeper: Keeper, session: Session, newest: Copy | None) -> Copy:
    with (
        _heard(declared),
        session.get(
            _without_user(declared.address),
            headers=_conditions(newest),
            stream=True,
            timeout=_TIMEOUT,
        ) as answer,
    ):
        if answer.status_code == 304 and newest is not None:
            return newest
        _check(declared, answer)
        size = answer.headers.get("Content-Length", "")
        keeper.check_size(int(size) if size.isdecimal() else 0)  # an odd one says nothing
        marks = {
            key: answer.headers[key] for key in ("ETag", "Last-Modified") if key in answer.headers
        }
        return keeper.keep(_chunks(declared, answer), marks, _date(marks.get("Last-Modified")))


def _chunks(declared: Declared, answer: Response) -> Iterator[bytes]:
    with _heard(declared):
        yield from answer.iter_content(_CHUNK)


def _check(declared: Declared, answer: Response) -> None:
    status = answer.status_code
    if status in _PASSING:
        raise _TryAgainError(f"the server failed with {status}", _asked_pause(answer))
    if status in (401, 403):
        raise declared.failed(PermissionError(status))
    if status in (404, 410):
        raise declared.failed(FileNotFoundError(status))
    if status != 200:
        raise declared.error(f"expected a file, the server answered {status}")


@contextmanager
def _heard(declared: Declared) -> Iterator[None]:
    """Tell a connection that was lost, which may come back, from what won't work later either."""
    import requests
    import urllib3

    try:
        yield
    except requests.exceptions.SSLError as error:
        raise declared.failed(error) from None
    except (
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
        requests.exceptions.ChunkedEncodingError,
    ) as error:
        raise _TryAgainError(f"connection lost ({_cause(error)})") from None
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        raise declared.failed(error) from None


@contextmanager
def _silent() -> Iterator[None]:
    """Keep urllib3 from logging what this thread asks for: an address may hold a token."""
    here = threading.get_ident()

    def is_other(record: logging.LogRecord) -> bool:
        return record.thread != here

    logger = logging.getLogger("urllib3.connectionpool")
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


@contextmanager
def _session(declared: Declared) -> Iterator[Session]:
    import requests

    secret = {key: str(value) for key, value in declared.options.items()}

    def to_one_host(redirected: Any, response: Any) -> None:
        """Send the headers of a source to the host they are for, and to no other."""
        if session.should_strip_auth(response.request.url, redirected.url):
            for header in (*secret, "Authorization"):
                redirected.headers.pop(header, None)

    with requests.Session() as session:
        session.rebuild_auth = to_one_host
        session.auth = _credentials(declared.address)
        # As the server has it: sizes and digests are then those of the file itself.
        session.headers.update({"Accept-Encoding": "identity", **secret})
        yield session


def _credentials(address: str) -> Any:
    """Give user and password of the address; never those of a .netrc, which isn't declared."""
    parts = urlsplit(address)
    if parts.username is None:
        return lambda request: request
    return unquote(parts.username), unquote(parts.password or "")


def _without_user(address: str) -> str:
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _conditions(newest: Copy | None) -> dict[str, str]:
    marks = newest.marks if newest is not None else {}
    asked = {"If-None-Match": marks.get("ETag"), "If-Modified-Since": marks.get("Last-Modified")}
    return {header: mark for header, mark in asked.items() if mark}


def _date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    # "-0000" is UTC's time of an unknown place, which Python gives without a zone.
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _asked_pause(answer: Response) -> float:
    text = answer.headers.get("Retry-After", "")
    if text.isdecimal():
        return float(text)
    moment = _date(text)
    return 0 if moment is None else (moment - datetime.now(UTC)).total_seconds()


def _pause(attempt: int, asked: float) -> float:
    """Wait twice as long each time, and not in step with others who wait as well."""
    own = 0.2 * 2**attempt * random.uniform(0.5, 1)
    return float(min(max(own, asked), _LONGEST_PAUSE))


def _cause(error: Exception) -> str:
    text = str(error)
    for sign, cause in (
        ("refused", "refused"),
        ("resolve", "no such host"),
        ("timed out", "no answer in time"),
        ("IncompleteRead", "cut off half-way"),
    ):
        if sign in text:
            return cause
    return type(error).__name__
