"""One way of joining, in a process of its own: ours, or a query written by hand with polars.

Arguments: `ours` or `polars`, the project's folder, and how many rounds. Writes `ours.parquet` or
`polars.parquet` there, and prints as JSON the seconds of each round and the peak memory.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import polars as pl

from workbench.features import load_definitions, training_frame
from workbench.features.definitions import FeatureView, duration
from workbench.features.offline import Sources, materialize
from workbench.project import Project


def main() -> None:
    """Join as often as asked; the last frame is kept."""
    way, folder, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    project = Project.find(folder)
    definitions = load_definitions(project)
    views = [view for view in definitions.views.values() if isinstance(view, FeatureView)]
    stored = {v.name: materialize(project, v, Sources(project)).runs[0].paths for v in views}
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        if way == "ours":
            spine = pl.read_parquet(folder / "spine.parquet")
            frame = training_frame(spine, list(stored), project=project)
        else:
            frame = by_hand(folder / "spine.parquet", views, stored)
        seconds.append(time.perf_counter() - began)
    if rounds > 1:
        frame.write_parquet(folder / f"{way}.parquet")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # of KiB, on Linux
    print(json.dumps({"seconds": seconds, "peak_mib": peak}))


def by_hand(spine: Path, views: list[FeatureView], stored: dict[str, list[Path]]) -> pl.DataFrame:
    """Write the join as somebody would who knows how the rows are stored."""
    frame = pl.scan_parquet(spine, glob=False).with_row_index("position").sort("event_time")
    for view in views:
        names = {name: f"{view.name}__{name}" for name in view.features}
        rows = pl.scan_parquet(stored[view.name], glob=False).drop("__created")
        assert view.ttl is not None
        fresh = pl.col("__event") >= pl.col("event_time") - duration(view.ttl)
        frame = (
            frame.join_asof(
                rows.rename(names),
                left_on="event_time",
                right_on="__available",
                by=list(view.entity),
                check_sortedness=False,
            )
            .with_columns(pl.when(fresh).then(pl.col(name)) for name in names.values())
            .drop("__event", "__available", strict=False)
        )
    return frame.sort("position").drop("position").collect()


if __name__ == "__main__":
    main()
