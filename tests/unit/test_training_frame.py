"""Training frames as a notebook asks for them: any spine, one machine or a cluster."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from tests.servers import free_port
from workbench import Project
from workbench.errors import FeatureError, MissingExtraError, UsageError
from workbench.features import FeatureView, load_definitions, training_frame
from workbench.features.offline import append

START = datetime(2024, 1, 1, tzinfo=UTC)
TIME = pl.Datetime("us", "UTC")
VIEWS = '''
import polars as pl

from workbench.features import Count, Mean, feature_view


@feature_view(
    entity="shop", event_time="at", created="made", ttl="6h", owner="us", features={"x": "x"}
)
def values(table):
    """Values."""
    return table


@feature_view(
    entity=["town", "shop"], event_time="at", created="made", owner="us", features={"y": "y"}
)
def towns(table):
    """Values by town."""
    return table


@feature_view(
    entity="town", event_time="at", created="made", owner="us",
    aggregates=[Count(over="5h"), Mean("x", over="5h")],
)
def counts(table):
    """Counts."""
    return table
'''


def table(height: int = 600, seed: int = 1) -> pl.DataFrame:
    number = pl.int_range(height)
    at = pl.lit(START) + pl.duration(minutes=number * 7919 * seed % 3000)
    return pl.select(
        shop=number * 31 % 23,
        town=pl.when(number % 3 > 0).then(pl.format("town {}", number % 5)),
        at=at,
        made=at + pl.duration(minutes=number % 4 * 40),
        x=number * 1.5,
        y=pl.when(number % 7 > 0).then(number),
    ).cast({"at": TIME, "made": TIME})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "views.py").write_text(VIEWS)
    table().write_parquet(tmp_path / "table.parquet")
    settings = 'name = "frames"\n[sources.table]\naddress = "table.parquet"\n'
    (tmp_path / "workbench.toml").write_text(settings)
    return Project.find(tmp_path)


def spine(height: int = 200) -> pl.DataFrame:
    number = pl.int_range(height)
    return pl.select(
        row=number,
        shop=pl.when(number % 11 > 0).then(number * 13 % 25),
        town=pl.when(number % 13 > 0).then(pl.format("town {}", number % 6)),
        event_time=pl.when(number % 17 > 0).then(
            pl.lit(START) + pl.duration(minutes=number * 911 % 3500)
        ),
        x=number,
    ).cast({"event_time": TIME})


ALL = ["values", "towns", "counts"]


def test_the_rows_and_their_order_stay_whatever_is_joined(project: Project) -> None:
    frame = training_frame(spine(), ALL, project=project)
    assert frame.select(spine().columns).equals(spine())
    assert frame.columns[5:] == [
        "values__x",
        "towns__y",
        "counts__count_5h",
        "counts__x_mean_5h",
    ]
    order = spine().sample(fraction=1, shuffle=True, seed=3)
    assert training_frame(order, ALL, project=project).sort("row").equals(frame)
    alone = [training_frame(spine().slice(n, 1), ALL, project=project) for n in (0, 50, 199)]
    assert pl.concat(alone).equals(frame[[0, 50, 199]])


def test_every_cell_is_what_looking_at_every_row_finds(project: Project) -> None:
    history = table().to_dicts()
    for row in training_frame(spine(), ["values", "counts"], project=project).to_dicts():
        t = row["event_time"]
        known = [r for r in history if t and max(r["at"], r["made"]) <= t]
        mine = [r for r in known if r["shop"] == row["shop"]]
        best = max(mine, key=lambda r: (r["at"], r["made"]), default=None)
        fresh = best is not None and best["at"] >= t - timedelta(hours=6)
        assert row["values__x"] == (best["x"] if best and fresh else None)
        town = [r for r in known if r["town"] and r["town"] == row["town"]]
        within = [r["x"] for r in town if r["at"] > t - timedelta(hours=5)]
        assert row["counts__count_5h"] == len(within)
        mean = sum(within) / len(within) if within else None
        assert row["counts__x_mean_5h"] == (mean if mean is None else pytest.approx(mean))


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_moments_of_any_zone_and_unit_are_the_same(project: Project, zone: str, unit: Any) -> None:
    local = spine().with_columns(
        pl.col("event_time").dt.convert_time_zone(zone).dt.cast_time_unit(unit)
    )
    expected = training_frame(spine(), ALL, project=project)
    assert training_frame(local, ALL, project=project).equals(expected)


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt16, pl.Int32, pl.UInt64, pl.Int128])
def test_whole_numbers_of_any_width_are_the_same_key(project: Project, dtype: Any) -> None:
    frame = training_frame(spine().cast({"shop": dtype}), ALL, project=project)
    assert frame.schema["shop"] == dtype
    expected = training_frame(spine(), ALL, project=project)
    assert frame.drop("shop").equals(expected.drop("shop"))


def test_texts_of_any_kind_are_the_same_key(project: Project) -> None:
    expected = training_frame(spine(), ALL, project=project)
    towns = pl.Enum([f"town {number}" for number in range(6)])
    for dtype in (pl.Categorical, towns):
        frame = training_frame(spine().cast({"town": dtype}), ALL, project=project)
        assert frame.drop("town").equals(expected.drop("town"))
    kept = training_frame(spine(), ALL, project=project)
    table().cast({"town": pl.Categorical}).write_parquet(project.root / "table.parquet")
    assert training_frame(spine(), ALL, project=project).equals(kept)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (pl.col("shop").cast(pl.String), "entity 'shop' is String in the spine and Int64 in view"),
        (pl.col("shop").cast(pl.Float64), "entity 'shop' is Float64 in the spine and Int64 in"),
        (pl.col("event_time").dt.replace_time_zone(None), "spine: 'event_time' is Datetime"),
        (pl.col("event_time").dt.date(), "spine: 'event_time' is Date; expected an aware"),
    ],
    ids=["text for a number", "a float for a number", "a naive time", "a date"],
)
def test_types_that_cannot_be_compared_are_refused(
    project: Project, change: pl.Expr, said: str
) -> None:
    for height in (200, 0):
        with pytest.raises(FeatureError, match=said) as raised:
            training_frame(spine(height).with_columns(change), ["values"], project=project)
        assert "\n" not in str(raised.value)


def test_a_spine_without_a_column_is_refused(project: Project) -> None:
    with pytest.raises(FeatureError, match="the spine has no column 'town', the entity of view"):
        training_frame(spine().drop("town"), ["counts"], project=project)
    with pytest.raises(FeatureError, match="spine: no column 'event_time'; there are: row, shop"):
        training_frame(spine().drop("event_time"), ["values"], project=project)


def test_an_empty_spine_and_one_of_nulls_have_all_columns(project: Project) -> None:
    whole = training_frame(spine(), ALL, project=project)
    assert training_frame(spine(0), ALL, project=project).equals(whole.clear())
    nulls = spine(3).with_columns(pl.lit(None).alias("shop"), pl.lit(None).alias("town"))
    frame = training_frame(nulls, ALL, project=project)
    assert frame["values__x"].to_list() == [None] * 3
    assert frame["counts__count_5h"].to_list() == [0] * 3


def test_no_rows_at_all_give_nulls_and_counts_of_zero(project: Project) -> None:
    table().clear().write_parquet(project.root / "table.parquet")
    frame = training_frame(spine(3), ALL, project=project)
    assert frame["values__x"].to_list() == [None] * 3
    assert frame["counts__count_5h"].to_list() == [0] * 3


def test_a_pandas_frame_is_a_spine_too(project: Project) -> None:
    content = spine().drop_nulls().to_dict(as_series=False)
    frame = training_frame(pd.DataFrame(content), ALL, project=project)
    expected = training_frame(spine().drop_nulls(), ALL, project=project)
    assert frame.equals(expected)


def test_a_lazy_frame_is_a_spine_too(project: Project) -> None:
    expected = training_frame(spine(), ALL, project=project)
    assert training_frame(spine().lazy(), ALL, project=project).equals(expected)
    with pytest.raises(FeatureError, match='spine: unable to find column "nope"'):
        training_frame(spine().lazy().select("nope"), ALL, project=project)
    with pytest.raises(UsageError, match="spine: it is a dict; expected a frame of polars or pan"):
        training_frame({"shop": [1]}, ALL, project=project)  # type: ignore[arg-type]


@pytest.mark.parametrize("reference", [None, 3, ("values", "x")])
def test_a_feature_that_is_no_text_is_refused(project: Project, reference: Any) -> None:
    with pytest.raises(UsageError, match=r"feature .*: expected 'view:feature', or 'view'"):
        training_frame(spine(), [reference], project=project)


def test_two_columns_of_one_name_are_refused(project: Project) -> None:
    there = spine().with_columns(values__x=pl.lit("mine"))
    with pytest.raises(
        FeatureError, match="values:x is the column 'values__x', which is the spine's already"
    ):
        training_frame(there, ["values"], project=project)
    both = [
        ("w", 'features={"_x": "x"}', "select(pl.exclude('x', 'y'), _x='x')"),
        ("w_", 'features={"x": "x"}', "drop('y')"),
    ]
    (project.root / "features" / "views.py").write_text(
        "import polars as pl\nfrom workbench.features import feature_view\n"
        + "".join(
            f'@feature_view(entity="shop", event_time="at", owner="us", {features})\n'
            f'def {name}(table):\n    """Rows."""\n    return table.{made}\n'
            for name, features, made in both
        )
    )
    with pytest.raises(FeatureError, match="w_:x is the column 'w___x', which is w:_x's already"):
        training_frame(spine(), ["w:_x", "w_:x"], project=project)
    assert training_frame(spine(), ["w_:x"], project=project).width == 6


REQUEST = """

@request_view(owner="us", features={"z": "what it says"})
def asked():
    \"\"\"Of the request.\"\"\"
    return {"z": EXPRESSION}
"""


def ask(project: Project, expression: str, frame: pl.DataFrame) -> pl.Series:
    views = VIEWS.replace("Mean, ", "Mean, request_view, ")
    views += REQUEST.replace("EXPRESSION", expression)
    (project.root / "features" / "views.py").write_text(views)
    return training_frame(frame, ["asked"], project=project)["asked__z"]


@pytest.mark.parametrize(
    "expression",
    [
        'pl.col("x") - pl.col("x").mean()',
        'pl.col("x").shift(-1)',
        'pl.col("x").cum_sum()',
        'pl.col("x").mean().over("town")',
        'pl.col("shop").forward_fill()',
        'pl.col("shop").is_null().max()',
        "pl.len()",
    ],
)
def test_a_request_view_that_looks_at_other_rows_is_refused(
    project: Project, expression: str
) -> None:
    with pytest.raises(FeatureError, match=r"views.py: asked: asked__z has other values .* row"):
        ask(project, expression, spine())
    assert ask(project, expression, spine(1)).len() == 1  # a request of one row is what is served


@pytest.mark.parametrize(
    "expression",
    [
        'pl.col("event_time").dt.hour()',
        'pl.when(pl.col("shop") > 3).then(pl.col("x") / 3).otherwise(float("nan"))',
        'pl.col("town").str.len_chars() + pl.max_horizontal("x", "shop")',
        "pl.lit(1)",
        'pl.col("town").replace_strict({"town 1": 1}, default=None)',
    ],
)
def test_a_request_view_of_each_row_by_itself_is_not(project: Project, expression: str) -> None:
    assert ask(project, expression, spine()).len() == 200
    assert ask(project, expression, spine(0)).len() == 0


@contextmanager
def dask_cluster(folder: Path) -> Iterator[str]:
    """Run a scheduler and a worker, each in a process of its own, for the block."""
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    local = ["--host", "127.0.0.1", "--no-dashboard"]
    scheduler = ["distributed.cli.dask_scheduler", *local, "--port", str(port)]
    worker = ["distributed.cli.dask_worker", address, *local, "--nthreads", "2", "--no-nanny"]
    with (folder / "dask.log").open("wb") as log:
        running = [
            subprocess.Popen([sys.executable, "-m", *command], cwd=folder, stdout=log, stderr=log)
            for command in (scheduler, worker)
        ]
        try:
            _wait_for_worker(address, folder / "dask.log")
            yield address
        finally:
            for process in reversed(running):
                process.terminate()
                process.wait()


def _wait_for_worker(address: str, log: Path) -> None:
    from distributed import Client

    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with Client(address, set_as_default=False, timeout=2) as client:
                client.wait_for_workers(1, timeout=60)
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(log.read_text(errors="replace")[-2000:])


@pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed")
def test_a_cluster_gives_the_frame_that_this_machine_gives(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.features.offline.files.FILE_BYTES", 3_000)
    monkeypatch.setattr("workbench.features.parallel._CLUSTER_ROWS", 1)
    for name in ALL:
        view = load_definitions(project).view(name)
        assert isinstance(view, FeatureView)
        append(project, view, table(50, seed=3))
    expected = training_frame(spine(), ALL, project=project)
    with dask_cluster(tmp_path) as address:
        frame = training_frame(spine(), ALL, project=project, cluster=address)
        assert frame.equals(expected)
        assert training_frame(spine(0), ALL, project=project, cluster=address).height == 0
        [file] = project.state.glob("offline/appended/values-*/*.parquet")
        file.write_bytes(bytes(file.stat().st_size))
        with pytest.raises(FeatureError, match="append its rows again"):
            training_frame(spine(), ["values"], project=project, cluster=address)


def test_a_cluster_that_is_not_there_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.features.parallel._SECONDS", 0.5)
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(FeatureError, match=f"cluster {address}: no Dask scheduler answers"):
        training_frame(spine(), ["values"], project=project, cluster=address)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r'pip install "jupyter-workbench\[dask\]"'):
        training_frame(spine(), ["values"], project=project, cluster=address)
