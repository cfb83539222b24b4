"""Whose request it is, by the names that roles are given to."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["names_of"]

_ANONYMOUS = re.compile(r"[0-9a-f]{32}|anonymous", re.IGNORECASE)
"""The username of who came with the server's one token or password: drawn at random, at each login.

It says no more than that somebody was let in: they are whom Git, or JupyterHub, says.
"""


def names_of(user: Any, updatable: list[str]) -> tuple[str, ...]:
    """Return the names of Jupyter's user, the username first; none of somebody anonymous.

    Parameters
    ----------
    updatable
        The fields that users may set themselves (`IdentityProvider.updatable_fields`). A name that
        anybody may choose gives nobody a role.
    """
    username = str(getattr(user, "username", "") or "")
    if not username or _ANONYMOUS.fullmatch(username):
        return ()
    others = (getattr(user, key, None) for key in ("name", "display_name") if key not in updatable)
    return tuple(dict.fromkeys([username, *(str(other) for other in others if other)]))
