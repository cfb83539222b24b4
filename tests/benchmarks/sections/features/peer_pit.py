"""Feast's point-in-time join on its DuckDB store; run by the peer's own Python.

Arguments: a folder with `spine.parquet` and a Parquet file for each view, and a description of
them as JSON. Writes `feast.parquet` there, and prints as JSON the seconds of each round and the
peak memory of the process.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import timedelta
from pathlib import Path

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType, types
from feast.repo_config import RepoConfig

DTYPES = {"int": types.Int64, "float": types.Float64, "text": types.String}
KEYS = {"int": ValueType.INT64, "text": ValueType.STRING}


def main() -> None:
    """Join as often as asked; the last frame is kept."""
    folder, plan = Path(sys.argv[1]), json.loads(sys.argv[2])
    config = RepoConfig(
        project="bench",
        provider="local",
        registry=str(folder / "feast.db"),
        offline_store={"type": "duckdb"},
        online_store={"type": "sqlite", "path": str(folder / "feast_online.db")},
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    entity = Entity(name=plan["key"], join_keys=[plan["key"]], value_type=KEYS[plan["key_type"]])
    views = [view(folder, name, declared, entity) for name, declared in plan["views"].items()]
    store.apply([entity, *views])
    features = [f"{v.name}:{field.name}" for v in views for field in v.features]
    seconds = []
    for _ in range(plan["rounds"]):
        began = time.perf_counter()
        spine = pd.read_parquet(folder / "spine.parquet")
        frame = store.get_historical_features(
            entity_df=spine,
            features=features,
            full_feature_names=True,
            filter_by_created_timestamp=True,
        ).to_df()
        seconds.append(time.perf_counter() - began)
    frame.to_parquet(folder / "feast.parquet")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # of KiB, on Linux
    print(json.dumps({"seconds": seconds, "peak_mib": peak}))


def view(folder: Path, name: str, declared: dict, entity: Entity) -> FeatureView:
    """Declare a view of one file."""
    return FeatureView(
        name=name,
        entities=[entity],
        ttl=timedelta(hours=declared["ttl_hours"]),
        schema=[Field(name=n, dtype=DTYPES[t]) for n, t in declared["features"].items()],
        source=FileSource(
            path=str(folder / declared["file"]),
            timestamp_field="at",
            created_timestamp_column="made",
        ),
    )


if __name__ == "__main__":
    main()
