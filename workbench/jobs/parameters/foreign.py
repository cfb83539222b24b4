"""Values of numpy and pandas, as the Python values that they stand for.

They are known by the name of their library, which is never imported, nor asked while another thread
imports it.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

__all__ = ["to_python"]


def to_python(value: Any) -> Any:
    """Turn a scalar of numpy or pandas into Python's own; return anything else as it is.

    What Python's own types can't hold (nanoseconds, "not a time") comes back unchanged, and is
    refused like any other value of an unknown type.
    """
    library = type(value).__module__.partition(".")[0]
    if library == "numpy" and getattr(value, "ndim", None) == 0:
        return _moment(value) if value.dtype.kind in "mM" else _number(value)
    if library == "pandas" and hasattr(value, "to_pydatetime"):
        return value if getattr(value, "nanosecond", 0) else value.to_pydatetime()
    if library == "pandas" and hasattr(value, "to_pytimedelta"):
        return value if getattr(value, "nanoseconds", 0) else value.to_pytimedelta()
    return value


def _number(value: Any) -> Any:
    # An extended float is its own `item`.
    return float(value) if value.dtype.kind == "f" else value.item()


def _moment(value: Any) -> Any:
    kind, unit = value.dtype.kind, value.dtype.str[3:]
    try:
        # Of nanoseconds, `item` would make a bare number.
        coarse = value if unit in ("[D]", "[us]") else value.astype(f"{kind}8[us]")
    except TypeError:  # a year has no length
        return value
    made = coarse.item()
    return made if coarse == value and isinstance(made, date | timedelta) else value
