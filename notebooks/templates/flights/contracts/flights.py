"""What a flight has to be like, before anything is made of it.

Spine and features that read the source `flights` are computed only from rows that keep this.
"""

import pandera.polars as pa


class Flights(pa.DataFrameModel):
    """Scheduled flights from New York City."""

    time_hour: str = pa.Field(str_matches=r"^\d{4}-\d{2}-\d{2}T\d{2}:00:00Z$")
    minute: int = pa.Field(ge=0, le=59)
    carrier: str = pa.Field(str_length={"min_value": 2, "max_value": 2})
    flight: int = pa.Field(gt=0)
    tailnum: str = pa.Field(nullable=True)
    origin: str = pa.Field(isin=["EWR", "JFK", "LGA"])
    dest: str = pa.Field(str_length={"min_value": 3, "max_value": 3})
    distance: int = pa.Field(gt=0)
    # Null for a flight that was cancelled, or never arrived.
    dep_delay: int = pa.Field(nullable=True, ge=-120, le=48 * 60)
    arr_delay: int = pa.Field(nullable=True, ge=-180, le=48 * 60)
    arr_time: int = pa.Field(nullable=True, ge=0, le=2400)
    air_time: int = pa.Field(nullable=True, gt=0)
