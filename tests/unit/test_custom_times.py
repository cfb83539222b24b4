"""Models of the project's own classes: a time is cast to the schema's where nothing is lost."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from workbench.errors import DataError
from workbench.tracking.custom.loader import asked_by

DAY = datetime.fromisoformat("2024-06-01")
NOON = DAY.replace(hour=12)


class Own:
    """Answers nothing, and is given rows."""

    def predict(self, frame: pl.DataFrame) -> Any:
        return [0.0] * frame.height


@pytest.mark.parametrize(
    ("given", "wanted", "expected"),
    [
        (pl.Series([DAY, None]), "Date", date(2024, 6, 1)),
        (pl.Series([date(2024, 6, 1)]), "Datetime", DAY),
        (pl.Series([NOON], dtype=pl.Datetime("ns")), "Datetime", NOON),
        (pl.Series([NOON.replace(tzinfo=UTC)]), "Datetime", NOON),
        (pl.Series([None]), "Date", None),
    ],
)
def test_a_time_that_fits_is_taken(given: pl.Series, wanted: str, expected: Any) -> None:
    rows = asked_by(Own(), [("at", wanted)], DataError).rows(given.alias("at").to_frame())
    assert rows["at"][0] == expected
    assert rows.schema["at"].base_type() == getattr(pl, wanted)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (pl.Series([DAY, NOON]), "Date"),
        (pl.Series([1], dtype=pl.Int64).cast(pl.Datetime("ns")), "Datetime"),
        (pl.Series([NOON.replace(tzinfo=ZoneInfo("Europe/Berlin"))]), "Datetime"),
        (pl.Series([7]), "Date"),
    ],
)
def test_a_time_that_would_lose_something_is_refused(given: pl.Series, wanted: str) -> None:
    model = asked_by(Own(), [("at", wanted)], DataError)
    with pytest.raises(DataError, match=f"not each of its values is a {wanted}"):
        model.rows(given.alias("at").to_frame())
