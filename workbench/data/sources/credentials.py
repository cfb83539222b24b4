"""Credentials: named in `workbench.toml`, looked up when a source is opened, never shown."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlsplit

from workbench.errors import ConfigError, MissingExtraError

__all__ = ["check_address", "look_up", "refuse_literal", "secrets_of"]

_REFERENCE = re.compile(r"\$\{(?:(keyring):([^/}]+)/([^}]+)|(?:env:)?(\w+))\}")
_WHOLE = re.compile(r"(?:env:\w+|keyring:[^/]+/.+)")
_AUTHORITY = re.compile(r"[\w.+-]+://(?P<user>(?:\$\{[^}]*\}|[^/@$]|\$(?!\{))*)@")
_LOGIN = re.compile(r"(?P<scheme>[\w.+-]+)://(?P<user>[^:/@?#]*)(?::(?P<password>[^@]*))?@")
"""As drivers of databases read it: any character but @ may be in a password, / as well."""

_PORT = re.compile(r"\d*[/?#]")
_SECRET_NAME = re.compile(
    r"pass|pwd|secret|token|signature|credential|authorization|cookie|odbc_connect"
    r"|connection_?string|(?:api|account|private|access)[-_]?key$|^(?:sig|key|dsn)$",
    re.IGNORECASE,
)


def look_up(text: str, where: str, *, quoted: bool = False) -> tuple[str, list[str]]:
    """Put in what the references in `text` name; return the result and the values put in.

    Parameters
    ----------
    quoted
        Whether `text` is an address: in its user and its query, values are then percent-encoded.

    Raises
    ------
    ConfigError
        Naming `where`, if a variable isn't set or the keyring has no such entry.
    """
    if _WHOLE.fullmatch(text):
        text = "${" + text + "}"
    user = _AUTHORITY.match(text)
    end_of_user = user.end() if user else 0
    values: list[str] = []

    def value(match: re.Match[str]) -> str:
        values.append(_value(match, where))
        in_query = "?" in text[: match.start()]
        encode = quoted and (match.start() < end_of_user or in_query)
        return quote(values[-1], safe="") if encode else values[-1]

    return _REFERENCE.sub(value, text), values


def secrets_of(address: str, values: list[str]) -> list[str]:
    """List what must not be shown of an address: what was looked up, and a password in that."""
    try:
        password = urlsplit(address).password
    except ValueError:
        password = None
    found = {*values, *([password] if password and values else [])}
    return sorted({*found, *(quote(value, safe="") for value in found)} - {""}, key=len)[::-1]


def refuse_literal(address: str, options: Mapping[str, object], where: str) -> None:
    """Refuse a credential that stands in `workbench.toml` itself, without repeating it.

    Raises
    ------
    ConfigError
        Naming the key and what to write instead.
    """
    check_address(address, where)
    query = dict(parse_qsl(address.partition("?")[2]))
    for key, value in {**_login(address), **query}.items():
        if _is_literal(key, value):
            raise ConfigError(
                f"{where}.address: a credential can't stand in it ({key}): write ${{NAME}} for a "
                "variable of the environment, or ${keyring:SERVICE/USER}"
            )
    for key, option in options.items():
        if _is_literal(key, str(option)):
            raise ConfigError(
                f"{where}.options.{key}: a credential can't stand here: write env:NAME for a "
                "variable of the environment, or keyring:SERVICE/USER"
            )


def check_address(address: str, where: str) -> None:
    """Refuse an address that can't be taken apart, without repeating it.

    Raises
    ------
    ConfigError
        Naming `where`.
    """
    try:
        urlsplit(address)
    except ValueError:
        raise ConfigError(f"{where}.address: can't be parsed as an address") from None


def _login(address: str) -> dict[str, str]:
    """Return the parts before the @ that are credentials: a password, or a token for a user."""
    named = _REFERENCE.sub("${NAME}", address)  # what is looked up may have any characters
    found = _LOGIN.match(named)
    if found is None:
        return {}
    scheme, user, password = found.groups()
    if password is None:
        return {"token": user} if scheme.lower() in ("http", "https") else {}
    if scheme.lower().startswith(("http", "redis")) and _PORT.match(password):
        return {}  # a port, and an @ further on
    return {"password": password}


def _is_literal(key: str, value: str) -> bool:
    named = _REFERENCE.search(value) or _WHOLE.fullmatch(value)
    return bool(value and _SECRET_NAME.search(key) and not named)


def _value(match: re.Match[str], where: str) -> str:
    store, service, user, variable = match.groups()
    if store:
        return _from_keyring(service, user, where)
    if variable not in os.environ:
        raise ConfigError(f"{where}: ${variable} isn't set in the environment")
    return os.environ[variable]


def _from_keyring(service: str, user: str, where: str) -> str:
    try:
        import keyring
        import keyring.errors
    except ImportError as error:
        raise MissingExtraError.of("keyring", "keyring") from error
    try:
        password = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        kind = type(error).__name__
        raise ConfigError(f"{where}: the keyring can't be asked for {service}: {kind}") from error
    if password is None:
        raise ConfigError(f"{where}: the keyring has no entry for {user!r} of {service!r}")
    return password
