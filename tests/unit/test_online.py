"""Features online: what is served is what a training frame of the same moment has."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests import servers
from workbench import Project
from workbench.errors import FeatureError, NotFoundError, UsageError, WorkbenchError
from workbench.features import FeatureView, load_definitions, training_frame
from workbench.features.offline import Sources, append, materialize, rows
from workbench.features.online import (
    OnlineReader,
    check_parity,
    filling,
    freshness,
    materialize_online,
    online,
    online_store,
    withdraw,
)
from workbench.features.online.latest import layout_of

DEFINITIONS = '''
import polars as pl

from workbench.features import Count, Rate, feature_view, request_view


@feature_view(
    entity="shop", event_time="at", created="known", ttl="2d", owner="us",
    features={"staff": "people", "rent": "euro", "name": "over the door"},
)
def shops(shops):
    """Shops, day by day."""
    return shops


@feature_view(entity=["shop", "till"], event_time="at", owner="us", features={"cash": "in it"},
    freshness="2h")
def tills(tills):
    """What is in the tills."""
    return tills


@feature_view(entity="shop", event_time="at", owner="us",
    aggregates=[Count(over="1d"), Count(over="36h"), Rate("good", over="1d")])
def sold(sales):
    """How good the shop's sales were."""
    return sales


@feature_view(entity="town", owner="us", features={"people": "who live there"})
def towns(towns):
    """Towns, as they have always been."""
    return towns


@request_view(owner="us", features={"hour": "hour", "rent_each": "rent by staff; needs shops"})
def request():
    """What the order says."""
    return {"hour": pl.col("at").dt.hour(),
            "rent_each": pl.col("shops__rent") / pl.col("shops__staff")}
'''

TOML = "\n".join(
    [
        'name = "shops"',
        *(
            f'[sources.{name}]\naddress = "{name}.parquet"'
            for name in ("shops", "tills", "sales", "towns")
        ),
    ]
)

UTC_US = pl.Datetime("us", "UTC")
SHOPS: dict[str, Any] = {
    "shop": pl.Int64,
    "at": UTC_US,
    "known": UTC_US,
    "staff": pl.Int32,
    "rent": pl.Float64,
    "name": pl.String,
}
SALES: dict[str, Any] = {"shop": pl.Int64, "at": UTC_US, "good": pl.Boolean}


def january(day: int, hour: int = 0) -> datetime:
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour)


ROWS = [
    (1, january(1), january(1), 2, 100.0, "one"),
    (1, january(2), january(3, 12), 4, None, "ône"),
    (2, january(1), january(4), 9, 900.0, None),
]
SOLD = [
    (1, january(2, 12), True),
    (2, january(2, 13), False),
    (1, january(3, 14), None),
]


class Shop:
    """A project with rows that a test can change."""

    def __init__(self, root: Path, store: str = "") -> None:
        (root / "features").mkdir(parents=True)
        self.root = root
        self.declare(DEFINITIONS)
        (root / "workbench.toml").write_text(f'online_store = "{store}"\n{TOML}')
        self.write("shops", ROWS, SHOPS)
        self.write("sales", SOLD, SALES)
        tills = [(1, "a", january(1), 5), (1, "b", january(2), None), (2, "a", january(3), 7)]
        self.write(
            "tills", tills, {"shop": pl.Int64, "till": pl.String, "at": UTC_US, "cash": pl.UInt8}
        )
        self.write("towns", [("Ulm", 127_000)], {"town": pl.String, "people": pl.Int64})
        self.project = Project.find(root)

    def declare(self, code: str) -> None:
        (self.root / "features" / "shops.py").write_text(code)

    def write(self, name: str, rows: list[Any], schema: dict[str, Any]) -> None:
        pl.DataFrame(rows, schema=schema, orient="row").write_parquet(self.root / f"{name}.parquet")

    def fill(self, *views: str, until: datetime | None = None) -> dict[str, Any]:
        done = materialize_online(self.project, views or None, until=until)
        return {each.view: each for each in done}

    def online(self, *features: str, now: datetime | None = None, **key: Any) -> pl.DataFrame:
        return online(features, [key], self.project, now)

    def offline(self, keys: pl.DataFrame, view: str, now: datetime) -> pl.DataFrame:
        spine = keys.with_columns(pl.lit(now, UTC_US).alias("moment"))
        return training_frame(spine, [view], event_time="moment", project=self.project).drop(
            "moment"
        )


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["sqlite", "redis"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A shop on each kind of store."""
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    shop = Shop(tmp_path / "shop", url)
    yield shop
    store = online_store(shop.project)
    store.remove({version.view for version in store.versions()})


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "a shop [1]")


def test_online_is_typed_and_aged_as_offline(either: Shop) -> None:
    shop = either
    until = january(3, 12)
    done = shop.fill(until=until)
    assert {view: each.rows for view, each in done.items()} == {
        "shops": 1,
        "tills": 3,
        "sold": 2,
        "towns": 1,
    }
    assert done["shops"].newest == january(2)
    assert done["towns"].newest is None
    keys = pl.DataFrame({"shop": [2, 1, None, 9, 1], "x": ["a", "b", "c", "d", "e"]})
    found = online(["shops", "sold:count_1d", "sold:good_rate_1d"], keys, shop.project, until)
    assert found.select(keys.columns).equals(keys)
    for view in ("shops", "sold"):
        expected = shop.offline(keys, view, until)
        columns = [name for name in expected.columns if name in found.columns]
        assert_frame_equal(found.select(columns), expected.select(columns))
    assert found["shops__staff"].to_list() == [None, 4, None, None, 4]
    assert found["shops__rent"].to_list() == [None] * 5
    assert found["shops__name"].to_list() == [None, "ône", None, None, "ône"]
    assert found["sold__count_1d"].to_list() == [1, 0, 0, 0, 0]  # (t - 1d, t]
    # Both ends of the ttl are inclusive; a row isn't served for a moment before it was known.
    assert shop.online("shops:staff", shop=1, now=january(4))["shops__staff"].item() == 4
    late, early = january(4) + timedelta(microseconds=1), until - timedelta(microseconds=1)
    assert shop.online("shops:staff", shop=1, now=late)["shops__staff"].item() is None
    assert shop.online("shops:staff", shop=1, now=early)["shops__staff"].item() is None
    assert shop.online("shops:staff", shop=1)["shops__staff"].item() is None  # two years later
    assert shop.online("towns", town="Ulm")["towns__people"].item() == 127_000


def test_entities_of_several_columns_and_views_at_once(shop: Shop) -> None:
    shop.fill()
    keys: list[dict[str, Any]] = [
        {"shop": 1, "till": "b", "town": "Ulm"},
        {"shop": 2, "till": "a", "town": "Rom"},
        {"shop": 1, "till": None, "town": None},
    ]
    found = online(["tills", "towns:people"], keys, shop.project)
    assert found["tills__cash"].to_list() == [None, 7, None]
    assert found["tills__cash"].dtype == pl.UInt8
    assert found["towns__people"].to_list() == [127_000, None, None]
    reader = OnlineReader(["towns", "tills"], shop.project)
    assert reader.columns == ["towns__people", "tills__cash"]
    assert reader.rows(keys) == [(127_000, None), (None, 7), (None, None)]


def test_a_reader_gives_tuples_for_mappings_and_bare_values(shop: Shop) -> None:
    shop.fill()
    reader = OnlineReader(["shops:name", "shops:staff", "sold:count_1d"], shop.project)
    now = january(4)
    expected = [("ône", 4, 0), (None, None, 0), (None, None, 0)]
    assert reader.rows([{"shop": 1}, {"shop": 2}, {"shop": 3}], now=now) == expected
    assert reader.rows([1, 2, 3], now=now) == expected
    assert OnlineReader("sold:count_1d", shop.project).rows([1, 3]) == [(0,), (0,)]
    assert reader.rows([]) == []


def test_request_features_are_computed_from_the_request(shop: Shop) -> None:
    shop.write("shops", [(1, january(1), january(1), 4, 100.0, "x")], SHOPS)
    shop.fill(until=january(2))
    request = [{"shop": 1, "at": january(2, 5)}, {"shop": 9, "at": january(2, 6)}]
    found = online(["shops:rent", "shops:staff", "request"], request, shop.project, january(2))
    assert found["request__rent_each"].to_list() == [25.0, None]
    assert found["request__hour"].to_list() == [5, 6]
    reader = OnlineReader(["request:hour", "shops:rent"], shop.project)
    assert reader.rows(request, now=january(2)) == [(5, 100.0), (6, None)]
    with pytest.raises(FeatureError, match=r"^request view request: .*at"):
        OnlineReader(["request:hour"], shop.project).frame([{"shop": 1}])


MOMENT = st.integers(0, 24 * 6).map(lambda hours: january(1, hours))
ROW = st.tuples(
    st.integers(1, 3),
    MOMENT,
    MOMENT,
    st.none() | st.integers(0, 9),
    st.just(1.5),
    st.none() | st.sampled_from("ab"),
)
SALE = st.tuples(st.integers(1, 3), MOMENT, st.none() | st.booleans())


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=st.lists(ROW, max_size=12, unique_by=lambda r: r[:3]),
    sales=st.lists(SALE, max_size=12),
    untils=st.lists(MOMENT, min_size=1, max_size=3),
)
def test_whatever_the_rows_online_is_offline_as_of_then(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[Any],
    sales: list[Any],
    untils: list[datetime],
) -> None:
    """Late and equal times, moments in steps: each step ends where a training frame is."""
    shop = Shop(tmp_path_factory.mktemp("any") / "shop")
    shop.write("shops", rows, SHOPS)
    shop.write("sales", sales, SALES)
    keys = pl.DataFrame({"shop": [1, 2, 3, 4]})
    for until in sorted(untils):
        shop.fill("shops", "sold", until=until)
        for view in ("shops", "sold"):
            found = online(view, keys, shop.project, until)
            assert_frame_equal(found, shop.offline(keys, view, until))
            assert not check_parity(shop.project, view, now=until).differences


def test_materialising_again_writes_what_is_new(shop: Shop) -> None:
    first = shop.fill("shops", until=january(3))["shops"]
    assert (first.since, first.rows, first.switched) == (None, 1, True)
    second = shop.fill("shops", until=january(4))["shops"]
    assert (second.since, second.rows, second.switched) == (january(3), 2, False)
    third = shop.fill("shops", until=january(4))["shops"]
    assert (third.since, third.until, third.rows) == (january(4), january(4), 0)
    with pytest.raises(UsageError, match="lies before 2024-01-04T00:00:00"):
        shop.fill("shops", until=january(3))


def test_an_entity_whose_events_left_the_window_is_told(shop: Shop) -> None:
    shop.fill("sold", until=january(3))
    assert shop.online("sold:count_1d", shop=2)["sold__count_1d"].item() == 1
    assert shop.fill("sold", until=january(8))["sold"].rows == 2
    assert shop.online("sold:count_1d", shop=2)["sold__count_1d"].item() == 0
    assert shop.fill("sold", until=january(9))["sold"].rows == 0


def test_another_definition_is_filled_beside_and_takes_its_place(either: Shop) -> None:
    shop = either
    shop.fill("shops", until=january(3, 12))
    reader = OnlineReader("shops:staff", shop.project)
    before = [v.number for v in online_store(shop.project).versions("shops")]
    assert reader.rows([1], now=january(3, 12)) == [(4,)]
    shop.declare(
        DEFINITIONS.replace(
            "return shops", "return shops.with_columns(pl.col('staff') * 10)"
        ).replace('ttl="2d"', 'ttl="3d"')
    )
    assert reader.rows([1], now=january(3, 12)) == [(4,)]  # until it is materialised
    assert shop.fill("shops", until=january(3, 12))["shops"].switched
    assert reader.rows([1], now=january(5)) == [(40,)]
    after = [v.number for v in online_store(shop.project).versions("shops")]
    assert len(after) == 1
    assert after > before


def test_a_source_that_was_corrected_is_filled_anew(shop: Shop) -> None:
    """A row that is gone must not be kept for being newer."""
    shop.fill("shops", until=january(3, 12))
    shop.write("shops", ROWS[:1], SHOPS)
    assert shop.fill("shops", until=january(3, 12))["shops"].switched
    assert shop.online("shops:staff", shop=1, now=january(3))["shops__staff"].item() == 2


def test_an_older_clone_does_not_go_back_over_newer_rows(redis_url: str, tmp_path: Path) -> None:
    ours, theirs = (Shop(tmp_path / name, redis_url) for name in ("ours", "theirs"))
    theirs.write("shops", ROWS[:1], SHOPS)
    try:
        ours.fill("shops", until=january(6))
        for until in (january(5), None):  # an earlier moment; older rows
            with pytest.raises(UsageError, match=r"feature view shops: .*features withdraw shops"):
                theirs.fill("shops", until=until)
        found = ours.online("shops:staff", shop=1, now=january(3, 13))
        assert found["shops__staff"].item() == 4
        theirs.write("shops", [*ROWS, (2, january(5), january(5), 10, 1.0, None)], SHOPS)
        assert theirs.fill("shops", until=january(7))["shops"].switched
        with pytest.raises(UsageError, match="shops"):
            ours.fill("shops")
        # One's own rows may be corrected to less, and what was withdrawn is nobody's.
        theirs.write("shops", ROWS[:1], SHOPS)
        assert theirs.fill("shops", until=january(8))["shops"].switched
        theirs.write("shops", ROWS, SHOPS)
        theirs.fill("shops", until=january(9))
        withdraw(theirs.project, ["shops"])
        ours.write("shops", ROWS[:1], SHOPS)
        assert ours.fill("shops", until=january(6))["shops"].switched
    finally:
        online_store(ours.project).remove(["shops"])


def test_late_rows_that_were_appended_come_too(shop: Shop) -> None:
    """They became known before the last materialisation, had anyone told us."""
    shop.fill("shops", "sold", until=january(3, 12))
    views = load_definitions(shop.project).views
    assert isinstance(views["shops"], FeatureView)
    assert isinstance(views["sold"], FeatureView)
    late = [(3, january(2), january(2), 7, 1.0, "late"), (1, january(1, 1), january(2), 8, 1.0, "")]
    append(shop.project, views["shops"], pl.DataFrame(late, schema=SHOPS, orient="row"))
    sales = pl.DataFrame([(3, january(3, 1), True)], schema=SALES, orient="row")
    append(shop.project, views["sold"], sales)
    done = shop.fill("shops", "sold", until=january(3, 13))
    assert not any(each.switched for each in done.values())
    now = january(3, 13)
    found = online(["shops:staff", "sold:count_1d"], [{"shop": 3}, {"shop": 1}], shop.project, now)
    assert found["shops__staff"].to_list() == [7, 4]
    assert found["sold__count_1d"].to_list() == [1, 0]
    for view in ("shops", "sold"):
        assert not check_parity(shop.project, view, now=now).differences


def test_what_a_stream_has_shown_is_not_overwritten_from_files(shop: Shop) -> None:
    shop.declare(
        DEFINITIONS.replace(
            'owner="us",\n    aggregates', 'owner="us", availability="streaming",\n    aggregates'
        )
    )
    view = load_definitions(shop.project).view("sold")
    assert isinstance(view, FeatureView)
    sales = pl.DataFrame(SOLD, schema=SALES, orient="row")
    append(shop.project, view, sales)
    stored = materialize(shop.project, view, Sources(shop.project))
    store = online_store(shop.project)
    layout = layout_of(rows(stored), view)
    version = store.begin("sold", view.digest, layout.to_bytes())
    shown = pl.DataFrame([[9], [9], [0.5]], schema=layout.features)
    clock = int(january(4).timestamp() * 1e6)
    store.write(version, [(1, clock, clock, layout.packing.pack(shown)[0])])
    store.serve(version)
    done = shop.fill("sold")["sold"]
    assert not done.switched
    assert done.until == january(3, 14)  # what the files know, and not now
    reader = OnlineReader(["sold:count_1d"], shop.project)
    assert reader.rows([1, 2]) == [(9,), (0,)]
    assert shop.fill("sold")["sold"].rows == 0


def test_a_feature_that_is_new_is_said_to_wait(shop: Shop) -> None:
    shop.fill("shops")
    shop.declare(
        DEFINITIONS.replace('"name": "over the door"}', '"name": "x", "size": "m²"}').replace(
            "return shops\n", "return shops.with_columns(size=pl.lit(3))\n"
        )
    )
    with pytest.raises(
        FeatureError,
        match=r"shops:size isn't in the online store: workbench features materialize shops",
    ):
        shop.online("shops:size", shop=1)
    shop.fill("shops")
    assert shop.online("shops:size", shop=1).width == 2


NAIVE = datetime(2024, 1, 1)  # noqa: DTZ001  # that is the mistake
YEARS_AWAY = datetime(2100, 1, 1, tzinfo=UTC)

Case = tuple[Callable[[Shop], Any], type[WorkbenchError], str]

ASKED: dict[str, Case] = {
    "view": (
        lambda shop: shop.online("shop", shop=1),
        NotFoundError,
        r"unknown feature view 'shop': did you mean shops\?",
    ),
    "feature": (
        lambda shop: shop.online("shops:staf", shop=1),
        NotFoundError,
        r"unknown feature 'staf' of view shops: did you mean staff\?",
    ),
    "column": (
        lambda shop: shop.online("tills", shop=1),
        FeatureError,
        r"no column 'till', the entity of feature view tills; there are: shop",
    ),
    "type": (
        lambda shop: shop.online("shops", shop="1"),
        FeatureError,
        r"key 'shop' is String; it is Int64 in feature view shops",
    ),
    "type of a bare value": (
        lambda shop: OnlineReader("shops", shop.project).rows(["1"]),
        FeatureError,
        r"key 'shop' is a str; it is Int64",
    ),
    "bare value of two columns": (
        lambda shop: OnlineReader("tills", shop.project).rows([1]),
        FeatureError,
        r"feature view tills has several: shop, till",
    ),
    "mixed types": (
        lambda shop: online("shops", [{"shop": 1}, {"shop": "x"}], shop.project),
        FeatureError,
        "keys: expected a frame or mappings",
    ),
    "bare values for a frame": (
        lambda shop: online("shops", cast("Any", [1]), shop.project),
        FeatureError,
        "keys: expected a frame or mappings",
    ),
    "naive now": (
        lambda shop: shop.online("shops", shop=1, now=NAIVE),
        UsageError,
        "no time zone",
    ),
    "never materialised": (
        lambda shop: shop.online("sold", shop=1),
        FeatureError,
        r"sold isn't in the online store: workbench features materialize sold$",
    ),
    "naive until": (lambda shop: shop.fill(until=NAIVE), UsageError, "no time zone"),
    "future": (lambda shop: shop.fill(until=YEARS_AWAY), UsageError, "is in the future"),
    "request": (lambda shop: shop.fill("request"), UsageError, "computed from the request"),
    "unknown": (lambda shop: shop.fill("sol"), NotFoundError, "did you mean sold"),
    "parity of a request": (
        lambda shop: check_parity(shop.project, "request"),
        UsageError,
        "computed from the request",
    ),
    "parity of nothing": (
        lambda shop: check_parity(shop.project, "sold"),
        FeatureError,
        "isn't in the online store",
    ),
}


@pytest.mark.parametrize("case", ASKED.values(), ids=ASKED)
def test_bad_input_is_named(shop: Shop, case: Case) -> None:
    shop.fill("shops", "tills")
    ask, kind, message = case
    with pytest.raises(kind, match=message):
        ask(shop)


def test_a_type_that_cannot_be_online_is_refused_before_anything_is_written(shop: Shop) -> None:
    shop.declare(
        DEFINITIONS.replace(
            "return towns\n", "return towns.with_columns(people=pl.concat_list('people'))\n"
        )
    )
    with pytest.raises(FeatureError, match=r"feature towns:people is List\(Int64\)"):
        shop.fill("towns")
    assert online_store(shop.project).versions() == []


def test_parity_shows_the_cells_that_differ(shop: Shop) -> None:
    until = january(3, 12)
    shop.fill(until=until)
    store = online_store(shop.project)
    version = store.served("tills")
    assert version is not None
    keys = ["1;1:a", "2;1:a"]
    rows = store.read(version, keys)
    store.write(version, [(keys[0], *rows[keys[1]])])  # as if somebody had mixed them up
    found = check_parity(shop.project, "tills")
    assert (found.entities, found.cells) == (3, 3)
    assert [d.model_dump() for d in found.differences] == [
        {"entity": {"shop": 1, "till": "a"}, "feature": "cash", "offline": 5, "online": 7}
    ]
    assert not check_parity(shop.project, "sold").differences
    assert check_parity(shop.project, "tills", sample=2).entities == 2


def test_a_late_row_is_a_difference_until_it_is_materialised(shop: Shop) -> None:
    shop.fill("shops", until=january(3))
    late = check_parity(shop.project, "shops", now=january(3, 12)).differences
    assert {(d.feature, d.offline, d.online) for d in late if d.feature == "staff"} == {
        ("staff", 4, None)
    }


def test_freshness_is_the_age_of_the_newest_event(shop: Shop) -> None:
    until = january(3, 1)
    shop.fill("tills", "towns", until=until)
    views = {each.view: each for each in freshness(shop.project, now=january(3, 2))}
    assert views["tills"].state == "kept"
    assert (views["tills"].age, views["tills"].newest) == (7200.0, january(3))
    assert (views["towns"].state, views["towns"].age) == ("no promise", 3600.0)
    assert (views["shops"].state, views["shops"].age) == ("never", None)
    assert "request" not in views
    later = {each.view: each.state for each in freshness(shop.project, now=january(3, 3))}
    assert later["tills"] == "late"


def test_readers_in_threads_see_old_or_new_values(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "CHUNK_ROWS", 50)
    at = january(2)
    shop.write("shops", [(k, at, at, 0, 0.0, "") for k in range(1000)], SHOPS)
    shop.fill("shops", until=january(3))
    reader, stop, seen, wrong = OnlineReader("shops", shop.project), threading.Event(), set(), []

    def read() -> None:
        while not stop.is_set():
            for staff, rent, _ in reader.rows(range(0, 1000, 7), now=january(3)):
                seen.add(staff)
                if staff != rent:
                    wrong.append((staff, rent))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(1, 4):
        shop.write("shops", [(k, at, at, number, float(number), "") for k in range(1000)], SHOPS)
        shop.fill("shops", until=january(3))
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert seen <= {0, 1, 2, 3}
    assert reader.rows([5], now=january(3)) == [(3, 3.0, "")]


def test_a_view_that_is_withdrawn_is_served_no_more(either: Shop) -> None:
    shop = either
    shop.fill("tills", "towns")
    withdraw(shop.project, ["tills"])
    with pytest.raises(FeatureError, match="workbench features materialize tills"):
        shop.online("tills", shop=1, till="a")
    with pytest.raises(NotFoundError, match=r"unknown feature view 'tills' in the online store"):
        withdraw(shop.project, ["tills"])
    assert shop.fill("tills")["tills"].rows == 3
    assert shop.online("tills", shop=1, till="a")["tills__cash"].item() == 5


def test_a_view_that_became_a_request_view_is_not_answered_from_old_rows(shop: Shop) -> None:
    shop.fill("towns")
    declaration = '@feature_view(entity="town", owner="us", features={"people": "who live there"})'
    request = '@request_view(owner="us", features={"people": "as asked"})'
    code = DEFINITIONS.replace(declaration, request).replace("def towns(towns)", "def towns()")
    shop.declare(code.replace("return towns", 'return {"people": pl.col("count") + 0}'))
    shop.fill()
    assert shop.online("towns", count=5)["towns__people"].item() == 5


def test_the_commands(shop: Shop, cli: Callable[..., Any], cli_json: Callable[..., Any]) -> None:
    done = cli_json(
        "features",
        "materialize",
        "shops",
        "tills",
        "--until",
        "2024-01-03T12:00Z",
        folder=shop.root,
    )
    assert [(each["view"], each["rows"]) for each in done] == [("shops", 1), ("tills", 3)]
    assert "tills" in cli("features", "materialize", folder=shop.root).stdout
    assert cli_json(
        "features", "online", "tills", "--key", "shop=2", "--key", "till=a", folder=shop.root
    ) == {"shop": 2, "till": "a", "tills__cash": 7}
    assert cli_json("features", "online", "tills", "shop=2", "till=a", folder=shop.root) == {
        "shop": 2,
        "till": "a",
        "tills__cash": 7,
    }
    assert cli_json("features", "parity", "tills", folder=shop.root)["differences"] == []
    fresh = cli_json("features", "freshness", folder=shop.root)
    assert {each["view"]: each["state"] for each in fresh}["tills"] == "late"
    assert "late" in cli("features", "freshness", folder=shop.root).stdout
    store = online_store(shop.project)
    version = store.served("tills")
    assert version is not None
    store.write(
        version, [("1;1:a", 1 << 60, 0, next(iter(store.read(version, ["2;1:a"]).values()))[2])]
    )
    differs = cli("features", "parity", "tills", folder=shop.root)
    assert (differs.returncode, "1 differ" in differs.stdout) == (1, True)
    for wrong in ((), ("=2",), ("--key", "shop"), ("--key", "shop=x", "--key", "till=a")):
        assert cli("features", "online", "tills", *wrong, folder=shop.root).returncode in (1, 2)
    assert cli("features", "materialize", "--until", "soon", folder=shop.root).returncode == 2
