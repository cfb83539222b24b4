"""A project's features: declared in files, stored once, joined to any spine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from workbench import Project
from workbench.errors import ConfigError, DataError, FeatureError, NotFoundError, UsageError
from workbench.features import (
    Count,
    Distinct,
    FeatureView,
    Last,
    Mean,
    Spine,
    Sum,
    build_frame,
    feature_view,
    load_definitions,
    load_spine,
    request_view,
    training_frame,
)
from workbench.features.definitions import duration
from workbench.lineage import upstream

DEFINITIONS = '''
"""Shops and their sales."""

import polars as pl

from workbench.features import Count, Rate, feature_view, request_view, spine


def timed(frame, *columns):
    return frame.with_columns(pl.col(columns).str.to_datetime(time_zone="UTC"))


@spine(key="id", event_time="at", label="good", label_time="known")
def orders(sales):
    """Every order."""
    return timed(sales, "at", "known")


@feature_view(
    entity="shop",
    event_time="at",
    created="known",
    ttl="2d",
    owner="us",
    tags=["place"],
    features={"staff": "people at work", "rent": "rent, euro"},
)
def shops(shops):
    """Shops, day by day."""
    return timed(shops, "at", "known")


@feature_view(
    entity="shop",
    event_time="known",
    owner="us",
    aggregates=[Rate("good", over="1d"), Count(over="36h")],
)
def sold(sales):
    """How good the shop's orders were."""
    return timed(sales, "at", "known")


@request_view(owner="us", features={"hour": "hour", "rent_each": "rent by staff; needs shops"})
def request():
    """What the order says."""
    return {
        "hour": pl.col("at").dt.hour(),
        "rent_each": pl.col("shops__rent") / pl.col("shops__staff"),
    }
'''

SALES = """id,shop,at,known,good
3,1,2024-01-03T12:00:00,2024-01-03T14:00:00,true
1,1,2024-01-01T12:00:00,2024-01-02T12:00:00,true
2,2,2024-01-02T12:00:00,2024-01-02T13:00:00,false
4,1,2024-01-03T12:00:00,2024-01-05T12:00:00,
"""

SHOPS = """shop,at,known,staff,rent
1,2024-01-01T00:00:00,2024-01-01T00:00:00,2,100
1,2024-01-02T00:00:00,2024-01-03T12:00:00,4,100
2,2024-01-01T00:00:00,2024-01-04T00:00:00,9,900
"""

SETTINGS = """
name = "shops"
[sources.sales]
address = "sales.csv"
[sources.shops]
address = "shops.csv"
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "a project [1]"  # brackets are a pattern to whoever globs
    (root / "features").mkdir(parents=True)
    (root / "features" / "shops.py").write_text(DEFINITIONS)
    (root / "sales.csv").write_text(SALES)
    (root / "shops.csv").write_text(SHOPS)
    (root / "workbench.toml").write_text(SETTINGS)
    return Project.find(root)


@pytest.fixture
def declare(project: Project) -> Callable[[str], None]:
    """Replace the project's features file, keeping its imports."""

    def write(code: str, name: str = "shops.py") -> None:
        head = "import polars as pl\nfrom workbench.features import *\n"
        (project.root / "features" / name).write_text(head + code)

    return write


def january(day: int, hour: int = 12) -> datetime:
    return datetime(2024, 1, day, hour, tzinfo=UTC)


def asked(*rows: tuple[int | None, datetime], **types: Any) -> pl.DataFrame:
    return pl.DataFrame(
        {"shop": [shop for shop, _ in rows], "when": [at for _, at in rows]},
        schema_overrides={"shop": pl.Int64, "when": pl.Datetime("us", "UTC"), **types},
    )


def features_of(project: Project, spine: pl.DataFrame, *features: str) -> pl.DataFrame:
    return training_frame(spine, features, event_time="when", project=project)


def test_a_training_frame_has_what_was_known_row_by_row(project: Project) -> None:
    spine = asked((1, january(3)), (2, january(3)), (1, january(2)), (None, january(3)))
    frame = features_of(project, spine, "shops", "sold")
    assert frame.columns == [
        *spine.columns,
        "shops__staff",
        "shops__rent",
        "sold__good_rate_1d",
        "sold__count_36h",
    ]
    assert frame.select(spine.columns).equals(spine)
    assert frame["shops__staff"].to_list() == [4, None, 2, None]
    assert frame["sold__count_36h"].to_list() == [1, 1, 1, 0]
    # One order of shop 1 became known on the 2nd at 12:00: a day later that is out of the window.
    assert frame["sold__good_rate_1d"].to_list() == [None, 0.0, 1.0, None]


def test_a_ttl_of_the_declaration_is_kept(project: Project) -> None:
    spine = asked((1, january(4, 0)), (1, january(4, 1)), (2, january(4, 0)))
    assert features_of(project, spine, "shops:staff")["shops__staff"].to_list() == [4, None, None]


def test_single_features_come_in_the_order_in_which_they_are_asked_for(project: Project) -> None:
    frame = features_of(
        project, asked((1, january(2))), "sold:count_36h", "shops:rent", "shops:rent", "shops"
    )
    assert frame.columns[2:] == ["sold__count_36h", "shops__rent", "shops__staff"]


def test_a_request_uses_the_features_before_it(project: Project) -> None:
    spine = asked((1, january(2))).with_columns(at="when")
    frame = features_of(project, spine, "shops", "request:rent_each")
    assert frame["request__rent_each"].to_list() == [50.0]
    with pytest.raises(FeatureError, match=r"training frame: .*shops__rent"):
        features_of(project, spine, "request:rent_each", "shops")


def test_a_whole_spine_is_built_in_order_and_remembers_its_sources(project: Project) -> None:
    assert load_spine("orders", project)["id"].to_list() == [1, 2, 3, 4]
    built = build_frame(project, "orders", ["shops", "sold", "request"])
    assert built.frame["id"].to_list() == [1, 2, 3, 4]
    assert built.frame["request__hour"].to_list() == [12] * 4
    kinds = [node.partition("@")[0] for node in built.made_from]
    assert kinds[0] == "spine:orders"
    assert {kind.rpartition(":")[0] for kind in kinds[1:]} == {
        "feature:shops",
        "feature:sold",
        "feature:request",
    }
    sold = next(node for node in built.made_from if node.startswith("feature:sold:"))
    sources = {edge.source.partition("@")[0] for edge in upstream(project, sold)}
    assert sources == {"view:sold", "dataset:sales"}


def test_a_row_that_is_never_known_has_no_influence(project: Project) -> None:
    (project.root / "sales.csv").write_text(SALES + "5,1,2024-01-01T12:00:00,,true\n")
    frame = features_of(project, asked((1, january(3))), "sold")
    assert frame["sold__count_36h"].to_list() == [1]


def test_times_may_be_in_any_zone(project: Project) -> None:
    spine = asked((1, january(3)), (1, january(2)))
    local = spine.with_columns(pl.col("when").dt.convert_time_zone("Asia/Tokyo"))
    result = features_of(project, local, "shops", "sold")
    assert result.equals(features_of(project, spine, "shops", "sold"))


def test_a_naive_time_is_refused(project: Project) -> None:
    naive = asked((1, january(3))).with_columns(pl.col("when").dt.replace_time_zone(None))
    with pytest.raises(FeatureError, match=r"spine: 'when' is Datetime.*; expected an aware"):
        features_of(project, naive, "shops")


@pytest.mark.parametrize("dtype", [pl.Int8, pl.Int32, pl.UInt64])
def test_keys_of_any_integer_type_match_and_keep_their_type(project: Project, dtype: Any) -> None:
    spine = asked((1, january(3)), (2, january(4)), shop=dtype)
    frame = features_of(project, spine, "shops:staff", "sold:count_36h")
    assert frame["shops__staff"].to_list() == [4, None]
    assert frame["sold__count_36h"].to_list() == [1, 0]
    assert frame.schema["shop"] == dtype


def test_a_key_that_the_other_type_cannot_hold_matches_nothing(project: Project) -> None:
    far = 2**40 + 1  # as an Int32 it would be 1
    (project.root / "shops.csv").write_text(SHOPS.replace("\n1,", f"\n{far},"))
    spine = asked((1, january(3)), shop=pl.Int32)
    assert features_of(project, spine, "shops:staff")["shops__staff"].to_list() == [None]
    frame = features_of(project, asked((far, january(3))), "shops:staff")
    assert frame["shops__staff"].to_list() == [4]


def test_keys_of_different_kinds_are_an_error_that_names_both(project: Project) -> None:
    spine = asked((1, january(3))).with_columns(pl.col("shop").cast(pl.String))
    with pytest.raises(
        FeatureError, match="entity 'shop' is String in the spine and Int64 in view shops"
    ):
        features_of(project, spine, "shops")


def test_a_spine_without_the_entity_is_an_error_that_names_it(project: Project) -> None:
    with pytest.raises(FeatureError, match="no column 'shop', the entity of view shops"):
        features_of(project, asked((1, january(3))).drop("shop"), "shops")


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("shop", "unknown feature view 'shop': did you mean shops?"),
        ("shops:stuff", "unknown feature 'stuff' of view shops: did you mean staff?"),
        ("orders", "unknown feature view 'orders': there are: request, shops, sold"),
    ],
)
def test_an_unknown_name_is_answered_with_what_exists(
    project: Project, reference: str, said: str
) -> None:
    with pytest.raises(NotFoundError) as raised:
        features_of(project, asked((1, january(3))), reference)
    assert said.lower() in str(raised.value).lower()


def test_an_unknown_spine_is_answered_with_what_exists(project: Project) -> None:
    with pytest.raises(NotFoundError, match=r"unknown spine 'order': did you mean orders\?"):
        load_spine("order", project)


def test_no_features_give_the_spine_back(project: Project) -> None:
    spine = asked((1, january(3)), (1, january(1)))
    assert features_of(project, spine).equals(spine)


def test_an_empty_spine_gives_an_empty_frame_with_all_columns(project: Project) -> None:
    frame = features_of(project, asked(), "shops", "sold")
    assert frame.height == 0
    assert frame.width == 6


# What is stored, and when it is made again


def stored(project: Project) -> dict[str, int]:
    folder = project.state / "offline" / "views"
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_a_view_is_stored_once(project: Project) -> None:
    features_of(project, asked((1, january(3))), "shops")
    before = stored(project)
    features_of(project, asked((2, january(3))), "shops:rent")
    assert stored(project) == before


def test_changed_data_or_code_is_used_at_once(project: Project) -> None:
    spine = asked((1, january(3)))
    assert features_of(project, spine, "shops")["shops__rent"].item() == 100
    (project.root / "shops.csv").write_text(SHOPS.replace(",100", ",250"))
    assert features_of(project, spine, "shops")["shops__rent"].item() == 250
    # A helper, not the view's function: the whole file counts.
    file = project.root / "features" / "shops.py"
    file.write_text(DEFINITIONS.replace("return frame.with", "return frame.head(1).with"))
    assert features_of(project, spine, "shops")["shops__staff"].item() is None
    assert len(stored(project)) == 3


def test_two_processes_may_store_the_same_view_at_once(project: Project) -> None:
    code = (
        "import sys, polars as pl\n"
        "from workbench import Project\n"
        "from workbench.features import build_frame\n"
        "frame = build_frame(Project.find(sys.argv[1]), 'orders', ['shops', 'sold']).frame\n"
        "print(frame['shops__staff'].to_list())\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, project.root], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    assert [process.communicate()[0] for process in running] == ["[2, None, 4, 4]\n"] * 2
    assert len(stored(project)) == 2


WINDOWS = '''
@feature_view(
    entity="shop",
    event_time="at",
    created="known",
    owner="us",
    aggregates=[
        *(kind("id", "2d") for kind in (Sum, Mean, Last)),
        Distinct("good", "2d"),
        Count("2d"),
    ],
)
def windows(sales):
    """What the shop sold."""
    return {name: pl.col(name).str.to_datetime(time_zone="UTC") for name in ("at", "known")}
'''


def test_every_kind_of_aggregate_is_as_of_what_was_known(
    project: Project, declare: Callable[[str], None]
) -> None:
    """Order 1 was known a day late, and order 4 only when it was too old for the window."""
    declare(WINDOWS)
    spine = asked((1, january(2, 11)), (1, january(2)), (1, january(3, 14)), (1, january(5, 11)))
    frame = features_of(project, spine, "windows")
    assert [column.to_list() for column in frame.iter_columns()][2:] == [
        [0, 1, 3, 3],
        [None, 1.0, 3.0, 3.0],
        [None, 1, 3, 3],
        [0, 1, 1, 1],
        [0, 1, 1, 1],
    ]


# Files and declarations with mistakes in them


def test_a_file_that_is_not_python_is_named_with_its_error(project: Project) -> None:
    (project.root / "features" / "broken.py").write_text("def views(:\n")
    with pytest.raises(
        ConfigError, match=r"features/broken.py: can't be run: SyntaxError: .*line 1"
    ):
        load_definitions(project)


def test_a_file_that_fails_is_named_with_its_error(project: Project) -> None:
    (project.root / "features" / "broken.py").write_text("import no_such_module\n")
    with pytest.raises(
        ConfigError, match=r"features/broken.py: .*No module named 'no_such_module'"
    ):
        load_definitions(project)


VIEW = '''
@feature_view(entity="shop", owner="us", features={"rent": "rent"})
def shops(shops):
    """Shops."""
    return shops
'''


def test_a_view_without_a_docstring_has_no_description_and_is_refused(
    project: Project, declare: Callable[..., None]
) -> None:
    declare(VIEW.replace('    """Shops."""\n', ""))
    with pytest.raises(FeatureError, match=r"features/shops.py: shops: a docstring is required"):
        load_definitions(project)


def test_a_name_in_two_files_is_refused(project: Project, declare: Callable[..., None]) -> None:
    declare(VIEW, "more.py")
    with pytest.raises(FeatureError, match=r"shops.py: shops is declared twice"):
        load_definitions(project)


def test_a_name_twice_in_one_file_is_refused(
    project: Project, declare: Callable[..., None]
) -> None:
    """To Python the second function just replaces the first."""
    declare(VIEW + VIEW.replace("rent", "staff"))
    with pytest.raises(FeatureError, match=r"shops.py: shops is declared twice"):
        load_definitions(project)


def test_a_view_that_gives_no_lazy_frame_is_refused(
    project: Project, declare: Callable[..., None]
) -> None:
    declare(VIEW.replace("return shops", "return shops.collect()"))
    with pytest.raises(FeatureError, match="shops: expected a LazyFrame, it returned a DataFrame"):
        features_of(project, asked((1, january(3))), "shops")


def test_a_view_that_raises_is_named_with_its_error(
    project: Project, declare: Callable[..., None]
) -> None:
    declare(VIEW.replace("return shops", "return {}['rent']"))
    with pytest.raises(FeatureError, match="shops: KeyError: 'rent'"):
        features_of(project, asked((1, january(3))), "shops")


def test_a_feature_that_the_rows_do_not_bring_is_named(
    project: Project, declare: Callable[..., None]
) -> None:
    declare(VIEW.replace('{"rent"', '{"height"'))
    said = r"features/shops.py: shops: no column 'height' for"
    with pytest.raises(FeatureError, match=said) as raised:
        features_of(project, asked((1, january(3))), "shops")
    assert "\n" not in str(raised.value)


def test_a_view_with_a_naive_time_is_refused(
    project: Project, declare: Callable[..., None]
) -> None:
    timed = VIEW.replace("owner=", 'event_time="at", owner=')
    declare(timed)
    with pytest.raises(FeatureError, match=r"features/shops.py: shops: time 'at' is String"):
        features_of(project, asked((1, january(3))), "shops")
    declare(timed.replace('"at"', '"day"'))
    with pytest.raises(FeatureError, match="shops: no column 'day' for its time: there are: at,"):
        features_of(project, asked((1, january(3))), "shops")


def test_a_view_of_an_unknown_source_is_answered_with_what_exists(
    project: Project, declare: Callable[..., None]
) -> None:
    declare(VIEW.replace("def shops(shops)", "def shops(shop)"))
    with pytest.raises(NotFoundError, match=r"unknown source 'shop' in workbench.toml: did you"):
        features_of(project, asked((1, january(3))), "shops")


def test_a_view_of_a_missing_file_says_so(project: Project) -> None:
    (project.root / "shops.csv").unlink()
    with pytest.raises(DataError, match=r"shops.csv: no such file"):
        features_of(project, asked((1, january(3))), "shops")


REQUEST = '''
@request_view(owner="us", features={"double": "twice", "half": "half"})
def sizes():
    """Sizes."""
    return RETURNED
'''


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("{'double': pl.col('shop') * 2}", "declares double, half; returns double$"),
        ("{'double': pl.lit(1), 'haf': pl.lit(2)}", "declares double, half; returns double, haf"),
        ("[pl.lit(1)]", "expected a dict, it returned a list"),
        ("None", "expected a dict, it returned a NoneType"),
        ("1 / 0", "sizes: ZeroDivisionError"),
    ],
)
def test_a_request_that_returns_something_else_is_refused(
    project: Project, declare: Callable[..., None], returned: str, said: str
) -> None:
    declare(REQUEST.replace("RETURNED", returned))
    with pytest.raises(FeatureError, match=said):
        features_of(project, asked((1, january(3))), "sizes:double")


def test_definitions_tell_what_they_read_and_give(project: Project) -> None:
    definitions = load_definitions(project)
    shops, sold = definitions.views["shops"], definitions.views["sold"]
    assert isinstance(shops, FeatureView)
    assert (shops.sources, shops.entity, shops.description) == (
        ("shops",),
        ("shop",),
        "Shops, day by day.",
    )
    assert dict(sold.features) == {
        "good_rate_1d": "share of good over the past 1d",
        "count_36h": "number of events over the past 36h",
    }
    orders = definitions.spines["orders"]
    assert isinstance(orders, Spine)
    assert orders.key == "id"


def view(sales: pl.LazyFrame) -> pl.LazyFrame:
    """Rows."""
    return sales


def declared(**changes: Any) -> FeatureView:
    right: dict[str, Any] = {"entity": "shop", "owner": "us", "event_time": "at"}
    return feature_view(**{**right, **changes})(view)


RENT = {"features": {"rent": "rent, euro"}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "either features or aggregates"),
        ({**RENT, "aggregates": [Count("1d")]}, "either features or aggregates"),
        ({"features": ["rent"]}, "features: expected a dict"),
        ({"aggregates": ["count"]}, "expected Count, Sum, Mean, Rate, Distinct or Last, found"),
        ({"aggregates": [Count("1d")], "event_time": None}, "need an event_time"),
        # Without an event time every row is older than any ttl; a window has its own length.
        ({**RENT, "ttl": "1d", "event_time": None}, "a ttl is the age of a row"),
        ({"aggregates": [Count("1d")], "ttl": "1d"}, "a ttl is the age of a row"),
        ({**RENT, "ttl": "1w"}, "ttl: duration '1w': expected a whole number and m, h or d"),
        ({**RENT, "ttl": 3}, "ttl: duration 3: expected a whole number"),
        ({"aggregates": [Count("59m")]}, "count over 59m: a window is from 1h to 90d long"),
        ({"aggregates": [Sum("x", "91d")]}, "sum over 91d: a window is from 1h to 90d long"),
        ({"aggregates": [Sum("x", "1.5h")]}, "sum over: duration '1.5h'"),
        ({"aggregates": [Sum("x", "1h"), Sum("x", "1h")]}, "declares x_sum_1h twice"),
        ({**RENT, "availability": "bach"}, "unknown availability 'bach': did you mean batch"),
        ({**RENT, "availability": "request"}, "declared with @request_view"),
        ({**RENT, "availability": "streaming", "event_time": None}, "need an event_time"),
        ({**RENT, "freshness": "soon"}, "freshness: duration 'soon'"),
        ({**RENT, "freshness": "2h", "event_time": None}, "freshness is the age of rows"),
        ({"features": {"rent": " "}}, "feature 'rent' needs a description"),
        ({"features": {"shop": "itself"}}, "'shop' is its entity and something else too"),
        ({"features": {"a:b": "?"}}, "a colon parts a view from its feature"),
        ({"features": {"__x": "?"}}, "'__x' can't be a column"),
        ({**RENT, "entity": []}, "entity: name at least one column"),
        ({**RENT, "entity": ["shop", "shop"]}, "entity: a column is named twice"),
        ({**RENT, "event_time": "shop"}, "'shop' is its entity and something else too"),
        ({"aggregates": [Last("__event", "1d")]}, "'__event' can't be a column"),
        ({**RENT, "tags": "place"}, r"tags: expected a list of texts, like \['place'\]"),
        ({**RENT, "owner": ""}, "owner: expected who answers for it"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_by_name(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(FeatureError, match=f"^view: .*{said}") as raised:
        declared(**changes)
    assert "\n" not in str(raised.value)


def test_the_windows_reach_from_an_hour_to_ninety_days() -> None:
    windows = [Count("60m"), Sum("x", "1h"), Mean("x", "90d"), Distinct("x", "2160h")]
    assert list(declared(aggregates=windows).features) == [
        "count_60m",
        "x_sum_1h",
        "x_mean_90d",
        "x_distinct_2160h",
    ]


def test_an_aggregate_is_described_in_words_of_its_own_or_in_ours() -> None:
    windows = [Last("rent", "7d"), Sum("rent", "7d", about="money for walls")]
    assert declared(aggregates=windows).features == {
        "rent_last_7d": "latest rent over the past 7d",
        "rent_sum_7d": "money for walls over the past 7d",
    }


def test_sources_are_named_by_the_parameters() -> None:
    def none() -> pl.LazyFrame:
        """Nothing."""
        return pl.LazyFrame()

    def several(*frames: pl.LazyFrame) -> pl.LazyFrame:
        """Something."""
        return frames[0]

    def two__parts(sales: pl.LazyFrame) -> pl.LazyFrame:
        """Rows."""
        return sales

    how = feature_view(entity="shop", owner="us", features={"rent": "rent"})
    with pytest.raises(FeatureError, match="none: reads no source; name one"):
        how(none)
    with pytest.raises(FeatureError, match=r"several: its parameters .*; \*frames.* names none"):
        how(several)
    with pytest.raises(FeatureError, match="two__parts: two underscores part a view from"):
        how(two__parts)
    with pytest.raises(FeatureError, match=r"view: a request view reads no source.*sales"):
        request_view(owner="us", features={"x": "x"})(view)  # type: ignore[arg-type]


def test_durations_are_whole_minutes_hours_or_days() -> None:
    assert duration("90m") == timedelta(minutes=90)
    assert duration("24h") == duration("1d") == timedelta(days=1)
    for wrong in ("", "7", "d", "0d", "-1d", "1.5h", "1w", " 1d", "1d\n", "١d"):
        with pytest.raises(FeatureError, match="expected a whole number and m, h or d, like 24h"):
            duration(wrong)


def test_a_project_without_features_has_none(tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").write_text('name = "x"\n')
    project = Project.find(tmp_path)
    assert load_definitions(project).views == {}
    with pytest.raises(UsageError, match="unknown feature view 'shops': there are none"):
        features_of(project, asked((1, january(3))), "shops")
