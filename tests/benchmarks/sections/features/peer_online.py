"""Feast with its SQLite online store, as a script for its own environment: it knows nothing of us.

Answers one JSON object: seconds to materialise the source, then the seconds of each read.
"""

from __future__ import annotations

import json
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

__all__: list[str] = []


def main(folder: Path, source: str, users: int, columns: int, reads: int) -> dict[str, Any]:
    """Materialise a Parquet file of users and read ten of them, again and again."""
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
    from feast.types import Float64

    config = RepoConfig(
        project="bench",
        provider="local",
        registry=str(folder / "registry.db"),
        offline_store={"type": "duckdb"},
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    user = Entity(name="user", join_keys=["user"], value_type=ValueType.INT64)
    names = [f"f{number}" for number in range(columns)]
    view = FeatureView(
        name="users",
        entities=[user],
        ttl=timedelta(days=90),
        schema=[Field(name=name, dtype=Float64) for name in names],
        source=FileSource(path=source, timestamp_field="at"),
    )
    store.apply([user, view])
    end = datetime.now(UTC)
    began = time.perf_counter()
    store.materialize(end - timedelta(days=60), end)
    materialized = time.perf_counter() - began

    features = [f"users:{name}" for name in names]
    chance = random.Random(0)
    seconds = []
    for _ in range(reads):
        keys = [{"user": key} for key in chance.sample(range(users), 10)]
        began = time.perf_counter()
        found = store.get_online_features(features, keys).to_dict()
        seconds.append(time.perf_counter() - began)
        assert len(found["f0"]) == 10
        assert None not in found["f0"]
    return {"materialize": materialized, "reads": seconds}


if __name__ == "__main__":
    answer, sys.stdout = sys.stdout, sys.stderr  # what it prints by the way is no answer
    where, file, *numbers = sys.argv[1:]
    print(json.dumps(main(Path(where), file, *map(int, numbers))), file=answer)
