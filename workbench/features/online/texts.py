"""Keys written as text, as a command line has them."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from workbench.errors import FeatureError

__all__ = ["parsed_key"]


def parsed_key(texts: Mapping[str, str], entity: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Make a frame of one key from texts; columns that no view has are what they look like.

    Raises
    ------
    FeatureError
        If a text is no value of its column's type.
    """
    columns = pl.DataFrame({name: [text] for name, text in texts.items()})
    types = {name: entity.get(name) or _guessed(text) for name, text in texts.items()}
    try:
        return columns.with_columns(_parsed(name, dtype) for name, dtype in types.items())
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise FeatureError(f"keys: {reason}") from error


def _parsed(name: str, dtype: pl.DataType) -> pl.Expr:
    text = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        return text.str.to_datetime(time_unit=dtype.time_unit, time_zone=dtype.time_zone)
    if isinstance(dtype, pl.Boolean):
        return text.replace_strict({"true": True, "false": False}, return_dtype=dtype)
    return text.str.to_date() if isinstance(dtype, pl.Date) else text.cast(dtype)


def _guessed(text: str) -> pl.DataType:
    """Choose the type of a column that only a request view asks for."""
    try:
        float(text)
    except ValueError:
        return pl.String()
    return pl.Int64() if text.lstrip("+-").isdigit() else pl.Float64()
