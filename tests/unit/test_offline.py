"""The offline store: built once, appended to, cut by entity."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import Project
from workbench.data import observing
from workbench.errors import FeatureError, NotFoundError
from workbench.features import (
    FeatureView,
    apply,
    check_parity,
    load_definitions,
    materialize_online,
    summary,
    training_frame,
)
from workbench.features.offline import (
    Sources,
    append,
    materialize,
    materialize_spine,
    partitions,
    rows,
)
from workbench.features.offline import files as files_module
from workbench.features.offline import store as store_module
from workbench.lineage import upstream
from workbench.store import now

TIME = pl.Datetime("us", "UTC")
START = datetime(2024, 1, 1, tzinfo=UTC)
VIEWS = '''
import polars as pl

from workbench.features import Count, Sum, feature_view


@feature_view(
    entity=["shop", "till"], event_time="at", created="made", ttl="2h", owner="us",
    features={"rent": "rent", "note": "note"},
)
def shops(shops):
    """Shops."""
    return shops


@feature_view(
    entity="shop", event_time="at", created="made", owner="us",
    aggregates=[Count(over="3h"), Sum("rent", over="3h")],
)
def sold(shops):
    """Sales."""
    return shops
'''


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


def table(*content: tuple[int | None, str, float, float, int | None, str]) -> pl.DataFrame:
    schema = {"shop": pl.Int64, "till": pl.String, "at": TIME, "made": TIME}
    schema |= {"rent": pl.Int64, "note": pl.String}
    shaped = [(s, t, hour(a), hour(m), r, n) for s, t, a, m, r, n in content]
    return pl.DataFrame(shaped, schema=schema, orient="row")


FIRST = table((1, "a", 1, 1, 10, "x"), (1, "a", 2, 4, 20, "y"), (2, "b", 1, 1, 5, "z"))
MORE = table((1, "a", 3, 3, 30, "late"), (3, "a", 2, 2, 7, "new"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "a project [1]"  # brackets are a pattern to whoever globs
    (root / "features").mkdir(parents=True)
    (root / "features" / "shops.py").write_text(VIEWS)
    FIRST.write_parquet(root / "shops.parquet")
    settings = 'name = "shops"\n[sources.shops]\naddress = "shops.parquet"\n'
    (root / "workbench.toml").write_text(settings)
    return Project.find(root)


def view_of(project: Project, name: str = "shops") -> FeatureView:
    view = load_definitions(project).view(name)
    assert isinstance(view, FeatureView)
    return view


def asked(*content: tuple[int, str, float]) -> pl.DataFrame:
    shaped = [(shop, till, hour(at)) for shop, till, at in content]
    schema = {"shop": pl.Int64, "till": pl.String, "event_time": TIME}
    return pl.DataFrame(shaped, schema=schema, orient="row")


def rents(project: Project, *content: tuple[int, str, float]) -> list[int | None]:
    frame = training_frame(asked(*content), ["shops:rent"], project=project)
    return frame["shops__rent"].to_list()


def test_rows_are_stored_by_entity_and_time_with_what_a_join_needs(project: Project) -> None:
    stored = materialize(project, view_of(project), Sources(project))
    frame = rows(stored).collect()
    columns = ["shop", "till", "__event", "__available", "__created", "rent", "note"]
    assert frame.columns == columns
    assert frame["__available"].to_list() == [hour(1), hour(4), hour(1)]
    assert frame["rent"].to_list() == [10, 20, 5]
    assert rows(stored, ["note"]).collect().columns == [*columns[:5], "note"]
    [partition] = partitions(stored)
    [file] = partition.paths
    statistics = pl.scan_parquet(file, glob=False).filter(pl.col("__available") > hour(9))
    assert statistics.collect().is_empty()


def test_what_is_there_is_used_without_reading_the_source_again(project: Project) -> None:
    view, seen = view_of(project), []
    first = materialize(project, view, Sources(project))
    sources = Sources(project)
    with observing(seen.append):
        assert materialize(project, view, sources) == first
    assert sources._frames == {}
    # A run still learns which data its features were made of.
    assert [dataset.name for dataset in seen] == ["shops"]
    assert seen[0].node == sources.node("shops")
    assert [edge.source for edge in upstream(project, first.node)] == [seen[0].node]


def test_rows_that_were_appended_are_known_from_their_own_time_on(project: Project) -> None:
    assert rents(project, (1, "a", 3), (3, "a", 3)) == [10, None]
    before = materialize(project, view_of(project), Sources(project))
    append(project, view_of(project), MORE)
    assert rents(project, (1, "a", 2.5), (1, "a", 3), (1, "a", 4), (3, "a", 3)) == [10, 30, 30, 7]
    after = materialize(project, view_of(project), Sources(project))
    assert after.node != before.node
    assert after.digest == before.digest
    assert set(after.content) > set(before.content)
    # Who read the state before still has it.
    assert rows(before).collect().height == 3


def test_a_correction_of_the_past_does_not_replace_what_is_newer(project: Project) -> None:
    append(project, view_of(project), table((1, "a", 0.5, 5, 99, "old")))
    assert rents(project, (1, "a", 5)) == [None]  # the row of two o'clock stands, and is too old
    append(project, view_of(project), table((1, "a", 2, 6, 21, "corrected")))
    assert rents(project, (1, "a", 4), (1, "a", 6)) == [20, None]


def test_a_batch_with_a_name_is_appended_once(project: Project) -> None:
    view, sold = view_of(project), view_of(project, "sold")
    for _ in range(3):
        append(project, view, MORE, once="monday")
        append(project, sold, MORE, once="monday")
    spine = asked((1, "a", 4))
    frame = training_frame(spine, ["sold"], project=project)
    assert frame["sold__count_3h"].to_list() == [2]
    append(project, sold, MORE)  # without a name it is new
    frame = training_frame(spine, ["sold"], project=project)
    assert frame["sold__count_3h"].to_list() == [3]


def test_appended_rows_stay_when_the_source_changes(project: Project) -> None:
    append(project, view_of(project), MORE)
    FIRST.with_columns(pl.col("rent") + 1).write_parquet(project.root / "shops.parquet")
    assert rents(project, (1, "a", 1), (1, "a", 3), (2, "b", 1)) == [11, 30, 6]
    FIRST.write_parquet(project.root / "shops.parquet")
    assert rents(project, (1, "a", 1), (1, "a", 3), (2, "b", 1)) == [10, 30, 5]


def test_many_small_batches_become_a_few_files(project: Project) -> None:
    view = view_of(project)
    for number in range(40):
        append(project, view, table((1, "a", number, number, number, "x")))
    stored = materialize(project, view, Sources(project))
    assert len(stored.runs) < 10
    assert rents(project, *((1, "a", number) for number in range(5, 40))) == list(range(5, 40))
    [folder] = (project.state / "offline" / "appended").iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    named = {file["name"] for run in manifest["runs"] for file in run}
    # What was replaced stays an hour for whoever reads it, and then goes.
    assert set(manifest["retired"]) == {p.name for p in folder.glob("*.parquet")} - named
    manifest["retired"] = dict.fromkeys(manifest["retired"], 0.0)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    append(project, view, table((1, "a", 40, 40, 40, "x")))
    assert len(list(folder.glob("*.parquet"))) < 5


BATCHES = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, None]),
        st.sampled_from(["a", "b"]),
        st.integers(0, 6),
        st.integers(0, 6),
        st.integers(0, 9) | st.none(),
        st.sampled_from(["p", "q"]),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    """A new project for each example, in a folder that stays."""

    def make() -> Project:
        root = tmp_path_factory.mktemp("project")
        (root / "features").mkdir()
        (root / "features" / "shops.py").write_text(VIEWS)
        settings = 'name = "shops"\n[sources.shops]\naddress = "shops.parquet"\n'
        (root / "workbench.toml").write_text(settings)
        return Project.find(root)

    return make


@settings(max_examples=10, deadline=None)
@given(content=BATCHES, cuts=st.lists(st.integers(0, 12), min_size=1, max_size=4))
def test_rows_appended_in_batches_make_the_frame_that_all_at_once_make(
    shared: Callable[[], Project], content: list[Any], cuts: list[int]
) -> None:
    whole, parts = shared(), shared()
    edges = [0, *sorted(cuts), len(content)]
    batches = [table(*content[low:high]) for low, high in pairwise(edges)]
    table(*content).write_parquet(whole.root / "shops.parquet")
    batches[0].write_parquet(parts.root / "shops.parquet")
    for batch in batches[1:]:
        append(parts, view_of(parts), batch)
        append(parts, view_of(parts, "sold"), batch)
    spine = asked(*((shop, till, at) for shop in (1, 2, 3) for till in "ab" for at in range(8)))
    at_once = training_frame(spine, ["shops", "sold"], project=whole)
    assert training_frame(spine, ["shops", "sold"], project=parts).equals(at_once)
    stored = materialize(parts, view_of(parts), Sources(parts))
    expected = rows(materialize(whole, view_of(whole), Sources(whole))).collect()
    assert rows(stored).collect().equals(expected)


def cut_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files be as small as a few dozen rows."""
    monkeypatch.setattr(files_module, "FILE_BYTES", 2_000)
    monkeypatch.setattr(store_module, "write_large", _large(2_000))


def _large(size: int) -> Callable[..., Any]:
    from workbench.features.offline import large

    def write(*arguments: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(large, "FILE_BYTES", size)
            patch.setattr(large, "_EVERY", 3)
            return large.write_large(*arguments)

    return write


def many(height: int = 900) -> pl.DataFrame:
    numbers = range(height)
    content = [
        (n * 7919 % 60 - 20, "ab"[n % 2], n % 50, n % 50 + n % 3, n if n % 11 else None, str(n))
        for n in numbers
    ]
    return table(*content)


@pytest.mark.parametrize("large", [False, True], ids=["in memory", "larger than memory"])
def test_a_table_cut_by_entity_gives_what_one_file_gives(
    project: Project, monkeypatch: pytest.MonkeyPatch, *, large: bool
) -> None:
    many().write_parquet(project.root / "shops.parquet")
    content = [(shop, till, at) for shop in range(-21, 42) for till in "abc" for at in (3, 20, 47)]
    spine = asked(*content).sample(fraction=1, shuffle=True, seed=1)
    whole = training_frame(spine, ["shops", "sold"], project=project)
    reference = rows(materialize(project, view_of(project), Sources(project))).collect()
    for table_folder in (project.state / "offline" / "views").iterdir():
        (table_folder / "manifest.json").unlink()
    cut_small(monkeypatch)
    if large:
        monkeypatch.setattr(Sources, "is_large", lambda *_: True)
    stored = materialize(project, view_of(project), Sources(project))
    assert len(stored.runs[0].files) > 4
    cut = partitions(stored)
    assert len(cut) == len(stored.runs[0].files)
    assert [part.low for part in cut][1:] == [part.high for part in cut][:-1]
    assert len(partitions(stored, most=10**9)) == 1
    assert rows(stored).collect().equals(reference)
    for memory in (256, 4096):
        limited = Project(project.root, project.settings.model_copy(update={"memory_mb": memory}))
        assert training_frame(spine, ["shops", "sold"], project=limited).equals(whole)
    # No range of entities at once, and with rows that were appended for some of them.
    monkeypatch.setattr("workbench.features.parallel._most_rows", lambda *_: 1)
    assert training_frame(spine, ["shops", "sold"], project=project).equals(whole)
    for name in ("shops", "sold"):
        append(project, view_of(project, name), many(40))
    several = training_frame(spine, ["shops", "sold"], project=project)
    monkeypatch.undo()
    assert training_frame(spine, ["shops", "sold"], project=project).equals(several)
    assert not several.equals(whole)


def test_a_row_of_the_future_is_refused_when_it_is_to_be_stored(project: Project) -> None:
    ahead = FIRST.with_columns(pl.lit(now() + timedelta(hours=1)).cast(TIME).alias("at"))
    with pytest.raises(
        FeatureError, match=r"feature view shops: 2 rows have an event time in the future, the lat"
    ):
        append(project, view_of(project), ahead)
    ahead.write_parquet(project.root / "shops.parquet")
    with pytest.raises(FeatureError, match=r"feature view shops: 2 rows .* in the future"):
        materialize(project, view_of(project), Sources(project))
    assert materialize_after_repair(project) == [10, 20, 5]


def materialize_after_repair(project: Project) -> list[int]:
    FIRST.write_parquet(project.root / "shops.parquet")
    return (
        rows(materialize(project, view_of(project), Sources(project))).collect()["rent"].to_list()
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.drop("till"), "no column 'till'"),
        (lambda f: f.drop("made"), "no column 'made'"),
        (lambda f: f.with_columns(pl.col("at").dt.replace_time_zone(None)), "'at' is Datetime"),
        (lambda f: f.drop("rent"), "rent"),
    ],
    ids=["no key", "no time", "a naive time", "no feature"],
)
def test_a_batch_that_cannot_be_used_is_refused_and_changes_nothing(
    project: Project, change: Callable[[pl.DataFrame], pl.DataFrame], said: str
) -> None:
    with pytest.raises(FeatureError, match=said) as raised:
        append(project, view_of(project), change(MORE))
    assert "\n" not in str(raised.value)
    assert rents(project, (1, "a", 3)) == [10]


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4 : len(content) - 8] = bytes(len(content) - 12)
    path.write_bytes(content)


def test_a_damaged_file_is_named_with_what_to_do(project: Project) -> None:
    assert rents(project, (1, "a", 3)) == [10]
    [file] = project.state.glob("offline/views/*/*.parquet")
    damage(file)
    with pytest.raises(FeatureError) as raised:
        rents(project, (1, "a", 3))
    said = str(raised.value)
    assert str(file) in said
    assert f"delete the folder views/{file.parent.name} and materialize the view again" in said
    assert "\n" not in said
    for part in file.parent.iterdir():
        part.unlink()
    file.parent.rmdir()
    assert rents(project, (1, "a", 3)) == [10]


def test_a_damaged_file_of_appended_rows_is_named_with_what_to_do(project: Project) -> None:
    append(project, view_of(project), MORE)
    [file] = project.state.glob("offline/appended/*/*.parquet")
    damage(file)
    with pytest.raises(FeatureError, match=r"can't be read: .*append its rows again"):
        rents(project, (1, "a", 3))
    file.unlink()
    with pytest.raises(FeatureError, match=r"it has gone or was cut; .*append its rows again"):
        rents(project, (1, "a", 3))


def test_a_file_that_has_gone_or_was_cut_is_made_again(project: Project) -> None:
    for change in (Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:100])):
        assert rents(project, (1, "a", 3)) == [10]
        [file] = project.state.glob("offline/views/*/*.parquet")
        change(file)
        assert rents(project, (1, "a", 3)) == [10]


def test_a_damaged_manifest_is_named(project: Project) -> None:
    assert rents(project, (1, "a", 3)) == [10]
    [path] = project.state.glob("offline/views/*/manifest.json")
    path.write_text("{")
    with pytest.raises(FeatureError, match=r"manifest.json: can't be read: .*delete the folder"):
        rents(project, (1, "a", 3))


def test_a_streaming_view_has_what_was_appended_and_does_not_read_its_source(
    project: Project,
) -> None:
    code = VIEWS.replace("aggregates=", 'availability="streaming", aggregates=')
    (project.root / "features" / "shops.py").write_text(code)
    sold = view_of(project, "sold")
    spine = asked((1, "a", 3), (9, "a", 3))
    assert training_frame(spine, ["sold"], project=project)["sold__count_3h"].to_list() == [0, 0]
    append(project, sold, MORE)
    assert training_frame(spine, ["sold"], project=project)["sold__count_3h"].to_list() == [1, 0]
    # Nobody could append the events again, so other windows over them are no reason to lose them.
    (project.root / "features" / "shops.py").write_text(
        code.replace("Count(", "Count(over='1h'), Count(")
    )
    frame = training_frame(spine, ["sold:count_1h"], project=project)
    assert frame["sold__count_1h"].to_list() == [1, 0]


def test_the_words_of_a_definition_do_not_change_what_is_stored(project: Project) -> None:
    first = materialize(project, view_of(project), Sources(project))
    code = VIEWS.replace('"""Shops."""', '"""Shops, as they are."""').replace(
        'ttl="2h"', 'ttl="9h"'
    )
    (project.root / "features" / "shops.py").write_text(code)
    assert materialize(project, view_of(project), Sources(project)).node == first.node
    assert rents(project, (2, "b", 9)) == [5]


def change_code(project: Project, old: str, new: str) -> None:
    path = project.root / "features" / "shops.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_rows_of_other_types_that_say_the_same_are_taken_as_the_views(project: Project) -> None:
    same = MORE.cast({"rent": pl.Float64, "shop": pl.Int8, "note": pl.Categorical})
    assert rents(project, (1, "a", 3)) == [10]
    append(project, view_of(project), same)
    append(project, view_of(project), same.with_columns(rent=None), once="without rents")
    stored = rows(materialize(project, view_of(project), Sources(project)))
    assert stored.collect_schema()["rent"] == pl.Int64
    append(project, view_of(project), MORE)
    assert rents(project, (1, "a", 3), (3, "a", 3)) == [30, 7]
    # A column of that name is no sign of rows that are ordered already.
    named = MORE.with_columns(pl.lit("mine").alias("__event")).reverse()
    append(project, view_of(project), named)
    assert rents(project, (1, "a", 3), (3, "a", 3)) == [30, 7]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (pl.col("rent") + 0.5, "'rent' is Float64; expected what the view has, .*rent Int64"),
        (pl.col("rent").cast(pl.String), "'rent' is String; expected"),
        (pl.col("rent").cast(pl.UInt64) + 2**63, "'rent' is UInt64; expected"),
        (pl.col("shop").cast(pl.String), "'shop' is String; expected what the view has, .*shop In"),
    ],
    ids=["a fraction", "a text", "too large", "a key of another kind"],
)
def test_rows_that_would_lose_something_as_the_views_types_are_refused(
    project: Project, change: pl.Expr, said: str
) -> None:
    with pytest.raises(FeatureError, match=said) as raised:
        append(project, view_of(project), MORE.with_columns(change))
    assert str(raised.value).startswith("feature view shops: rows to append: ")
    assert rents(project, (1, "a", 3)) == [10]


def test_a_source_of_another_type_takes_the_appended_rows_along_or_says_why_not(
    project: Project,
) -> None:
    for name in ("shops", "sold"):
        append(project, view_of(project, name), MORE)
    half = FIRST.with_columns(pl.col("rent") + 0.5)
    half.write_parquet(project.root / "shops.parquet")
    assert rents(project, (1, "a", 1), (1, "a", 3)) == [10.5, 30.0]
    later = table((1, "a", 4, 4, 40, "later"), (1, "b", 3, 3, None, ""))
    append(project, view_of(project), later.with_columns(pl.col("rent") + 0.25))
    assert rents(project, (1, "a", 3), (1, "a", 4)) == [30.0, 40.25]
    sold = training_frame(asked((1, "a", 3)), ["sold"], project=project)
    assert sold["sold__rent_sum_3h"].to_list() == [40.5]
    materialize_online(project)
    assert not check_parity(project, "shops").differences
    # What has a fraction now can't be a whole number again.
    FIRST.write_parquet(project.root / "shops.parquet")
    said = (
        r"rows that were appended, in .*parquet: 'rent' is Float64; expected .* gives now, "
        r"rent Int64: give the column its old type there, or delete the folder appended/shops-"
    )
    for act in (lambda: rents(project, (1, "a", 1)), lambda: append(project, "shops", MORE)):
        with pytest.raises(FeatureError, match=said):
            act()
    half.write_parquet(project.root / "shops.parquet")
    assert rents(project, (1, "a", 1), (1, "a", 4)) == [10.5, 40.25]


def test_a_stream_whose_events_have_another_type_keeps_them(project: Project) -> None:
    change_code(project, "aggregates=", 'availability="streaming", aggregates=')
    append(project, view_of(project, "sold"), MORE)
    change_code(
        project,
        '"""Sales."""\n    return shops',
        '"""Sales."""\n    return shops.cast({"rent": pl.Float32})',
    )
    for count in (1, 2):
        frame = training_frame(asked((1, "a", 3)), ["sold"], project=project)
        assert frame["sold__count_3h"].to_list() == [count]
        append(project, view_of(project, "sold"), MORE)


def test_what_was_appended_stays_when_the_text_of_the_function_changes(project: Project) -> None:
    append(project, view_of(project), MORE)
    assert rents(project, (1, "a", 3)) == [30]
    change_code(project, '"""Shops."""\n    return shops', '"""Shops."""\n    return (shops)')
    assert rents(project, (1, "a", 3)) == [30]
    change_code(project, '"rent": "rent", "note": "note"', '"note": "note", "rent": "rent"')
    assert rents(project, (1, "a", 3)) == [30]


def test_rows_are_appended_to_a_view_by_its_name(project: Project) -> None:
    append(project, "shops", MORE)
    assert rents(project, (1, "a", 3)) == [30]
    with pytest.raises(NotFoundError, match="unknown feature view 'shop': did you mean shops"):
        append(project, "shop", MORE)


def test_a_damaged_file_is_named_to_the_online_store_too(project: Project) -> None:
    for name in ("shops", "sold"):
        materialize(project, view_of(project, name), Sources(project))
        [file] = project.state.glob(f"offline/views/{name}-*/*.parquet")
        content = bytearray(file.read_bytes())
        content[4 : len(content) // 4] = bytes(len(content) // 4 - 4)  # its columns are named still
        file.write_bytes(content)
        with pytest.raises(FeatureError, match=r"can't be read: .*materialize the view again"):
            materialize_online(project, [name])


def test_statistics_come_with_a_new_aggregate_and_with_rows_that_were_appended(
    project: Project,
) -> None:
    spine = asked((1, "a", 3))
    apply(project)
    training_frame(spine, ["sold"], project=project)
    change_code(project, "Count(", 'Count(over="1h"), Count(')
    apply(project)
    training_frame(spine, ["sold"], project=project)
    found = summary(project, "sold:count_1h")
    assert found is not None
    assert found.rows == 3
    append(project, "sold", table(*((1, "a", hour, hour, 1, "x") for hour in range(30))))
    training_frame(spine, ["sold"], project=project)
    grown = summary(project, "sold:count_1h")
    assert grown is not None
    assert grown.rows == 33
    append(project, "sold", MORE)  # too few to look at all of them again
    training_frame(spine, ["sold"], project=project)
    assert summary(project, "sold:count_1h") == grown


def test_a_version_that_nobody_used_for_a_day_goes_when_there_is_another(project: Project) -> None:
    code = """

@spine(key="note", event_time="at", label="rent", label_time="made")
def asking(shops):
    \"\"\"Rows.\"\"\"
    return shops
"""
    change_code(project, "feature_view\n", "feature_view, spine\n")
    path = project.root / "features" / "shops.py"
    path.write_text(path.read_text() + code)

    def version(number: int) -> list[Path]:
        """Use version `number` of the source; say what it is stored as."""
        FIRST.with_columns(pl.col("rent") + number).write_parquet(project.root / "shops.parquet")
        sources = Sources(project)
        stored = materialize(project, view_of(project), sources)
        spine = materialize_spine(project, load_definitions(project).spine("asking"), sources)
        return [stored.runs[0].folder / "manifest.json", spine.path]

    append(project, "shops", MORE)
    first, second, third = version(1), version(2), version(3)
    assert all(path.exists() for path in (*first, *second, *third))
    yesterday = time.time() - 90_000
    for used in (*first, *second, *third):
        os.utime(used, (yesterday, yesterday))
    assert version(2) == second  # and so it is used
    fourth = version(4)
    assert [path.exists() for path in (*first, *second, *third, *fourth)] == [
        *(False, False),
        *(True, True),
        *(False, False),
        *(True, True),
    ]
    assert not first[0].parent.exists()
    assert rents(project, (1, "a", 1), (1, "a", 3)) == [14, 30]
    assert version(1) == first
