"""What an observation of the weather has to be like."""

import pandera.polars as pa


class Weather(pa.DataFrameModel):
    """Hourly weather at the three airports."""

    time_hour: str = pa.Field(str_matches=r"^\d{4}-\d{2}-\d{2}T\d{2}:00:00Z$")
    origin: str = pa.Field(isin=["EWR", "JFK", "LGA"])
    # The instruments fail now and then; what they say is within what New York has seen.
    temp: float = pa.Field(nullable=True, ge=-30, le=130)
    humid: float = pa.Field(nullable=True, ge=0, le=100)
    # 1,048 mph was said once in 2013, a known mistake that the trees don't mind; more is none.
    wind_speed: float = pa.Field(nullable=True, ge=0, le=1100)
    precip: float = pa.Field(nullable=True, ge=0)
    pressure: float = pa.Field(nullable=True, ge=850, le=1100)
    visib: float = pa.Field(nullable=True, ge=0, le=10)
