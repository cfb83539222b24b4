"""Applying definitions: what is found wrong, what is said to change, and all of it or nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.conftest import call_cli
from tests.forks import Forks, forking
from workbench import Project
from workbench.errors import ConfigError, FeatureError, NotFoundError, UsageError
from workbench.features import (
    ViewChange,
    apply,
    catalogue,
    feature_view,
    history,
    load_definitions,
    training_frame,
)
from workbench.lineage import link
from workbench.store import FeatureViewRow, database

HEAD = '''
"""Shops."""

from datetime import timedelta

import polars as pl

from workbench.features import *

OWNER = "us"
OFFSET = 1


def timed(frame, *columns):
    return frame.with_columns(pl.col(columns).str.to_datetime(time_zone="UTC"))
'''

SHOPS = '''

@feature_view(
    entity="shop",
    event_time="at",
    ttl="2d",
    owner=OWNER,
    features={"staff": "people at work", "rent": "rent, euro"},
)
def shops(shops):
    """Shops, day by day."""
    return timed(shops, "at")
'''

SOLD = '''

@feature_view(
    entity="shop", event_time="at", owner="us", aggregates=[Sum("price", "7d"), Last("item", "1d")]
)
def sold(sales):
    """What the shop sold."""
    return timed(sales, "at")
'''

CLOCK = '''

@request_view(owner="us", features={"hour": "hour of the day"})
def clock():
    """What the clock says."""
    return {"hour": pl.col("at").dt.hour() + OFFSET}
'''

SETTINGS = """
name = "shops"
[sources.sales]
address = "sales.csv"
[sources.shops]
address = "shops.csv"
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "features").mkdir()
    (tmp_path / "shops.csv").write_text("shop,at,staff,rent,area\n1,2024-01-01T00:00:00,2,9.5,3\n")
    (tmp_path / "sales.csv").write_text("shop,at,price,item\n1,2024-01-01T00:00:00,2.5,cup\n")
    (tmp_path / "workbench.toml").write_text(SETTINGS)
    return Project.find(tmp_path)


Write = Callable[..., None]


@pytest.fixture
def write(project: Project) -> Write:
    """Write the project's features file."""

    def file(*parts: str, name: str = "shops.py") -> None:
        (project.root / "features" / name).write_text("".join([HEAD, *parts]))

    file(SHOPS, SOLD, CLOCK)
    return file


def changes(project: Project, *, dry_run: bool = False) -> dict[str, ViewChange]:
    return {change.view: change for change in apply(project, dry_run=dry_run)}


def kinds(project: Project) -> dict[str, str]:
    return {name: change.change for name, change in changes(project).items()}


def digests(project: Project) -> dict[str, str]:
    return {name: view.digest for name, view in load_definitions(project).views.items()}


# What a digest covers


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ('ttl="2d"', 'ttl="3d"', {"shops"}),
        ('Last("item", "1d")', 'Last("item", "2d")', {"sold"}),
        ("+ OFFSET", "+ 2 * OFFSET", {"clock"}),
        ("OFFSET = 1", "OFFSET = 2", {"clock"}),
        ('OWNER = "us"', 'OWNER = "them"', {"shops"}),
        ("return frame.with_columns", "return frame.head(9).with_columns", {"shops", "sold"}),
        ("day by day", "week by week", {"shops"}),
        ("import polars as pl\n", "import math\nimport polars as pl\n", set()),
        ('"""Shops."""', '"""Shops and more."""', set()),
        ("\n\ndef timed", "\n\n# A remark.\n\n\ndef timed", set()),
        ("\n\ndef timed", "\n\ndef other(frame):\n    return 1\n\n\ndef timed", set()),
        # What runs when the file is loaded may change anything.
        ("\n\ndef timed", "\n\nprint('x')\n\n\ndef timed", {"shops", "sold", "clock"}),
        ("OFFSET = 1", "OFFSET = int('1')", {"shops", "sold", "clock"}),
    ],
)
def test_an_edit_changes_the_views_that_it_can_matter_to_and_no_other(
    project: Project, write: Write, old: str, new: str, changed: set[str]
) -> None:
    before = digests(project)
    text = HEAD + SHOPS + SOLD + CLOCK
    assert text.count(old) == 1
    (project.root / "features" / "shops.py").write_text(text.replace(old, new))
    after = digests(project)
    assert {name for name in before if before[name] != after[name]} == changed


def test_the_order_in_a_file_and_the_file_itself_change_no_digest(
    project: Project, write: Write
) -> None:
    before = digests(project)
    write(CLOCK, SOLD)
    write(SHOPS, name="more.py")
    assert digests(project) == before


def test_a_helper_of_a_helper_counts(project: Project, write: Write) -> None:
    deep = "\n\ndef deep():\n    return timedelta(days=1)\n\n\ndef helper():\n    return deep()\n"
    using = CLOCK.replace("OFFSET}", "helper().days}")
    write(deep, using, SOLD)
    before = digests(project)
    write(deep.replace("days=1", "days=2"), using, SOLD)
    after = digests(project)
    assert (before["sold"], before["clock"] == after["clock"]) == (after["sold"], False)


def test_a_source_called_like_another_definition_is_not_that(
    project: Project, write: Write
) -> None:
    """The parameter `shops` of `count` is the source, and no mention of the view `shops`."""
    other = SOLD.replace("def sold(sales)", "def sold(shops)").replace("timed(sales", "timed(shops")
    write(SHOPS, other)
    before = digests(project)
    write(SHOPS.replace("2d", "3d"), other)
    assert digests(project)["sold"] == before["sold"]


@pytest.mark.parametrize(
    "way", ["globals()['OFFSET']", "eval('OFFSET')", "__import__('builtins').vars()"]
)
def test_where_names_are_looked_up_by_text_the_whole_file_counts(
    project: Project, write: Write, way: str
) -> None:
    using = CLOCK.replace("OFFSET}", f"({way})}}")
    (project.root / "features" / "shops.py").write_text(HEAD + using)
    before = digests(project)
    (project.root / "features" / "shops.py").write_text(HEAD.replace("OWNER", "NAME") + using)
    assert digests(project) != before


def test_a_view_made_in_a_loop_has_the_whole_file_for_its_code(
    project: Project, write: Write
) -> None:
    looped = "\n\nif OFFSET:\n" + CLOCK.strip().replace("\n", "\n    ").replace("@", "    @", 1)
    write(looped)
    before = digests(project)
    (project.root / "features" / "shops.py").write_text(HEAD.replace("2", "3") + "#\n" + looped)
    assert digests(project) != before


def test_a_module_of_the_projects_own_counts_with_what_it_imports(
    project: Project, write: Write
) -> None:
    """In processes of their own: a module is imported once."""
    (project.root / "near.py").write_text(
        "from far import value\n\ndef helper():\n    return value\n"
    )
    (project.root / "far.py").write_text("value = 1\n")
    write(CLOCK.replace("OFFSET}", "near.helper()}"), SOLD)
    file = project.root / "features" / "shops.py"
    file.write_text("import near\n" + file.read_text())
    code = (
        "from workbench import Project; from workbench.features import load_definitions\n"
        "views = load_definitions(Project.find()).views\n"
        "print(views['clock'].digest, views['sold'].digest)"
    )

    def seen() -> list[str]:
        paths = os.pathsep.join([str(project.root), *filter(None, sys.path)])
        environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=project.root,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    before = seen()
    (project.root / "far.py").write_text("value = 2\n")
    after = seen()
    assert before[0] != after[0]
    assert before[1] == after[1]


# What is found wrong without a row being read


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"rent":', '"rant":', "shops: no column 'rant' for its feature: did you mean rent?"),
        ('entity="shop",\n', 'entity="shp",\n', "shops: no column 'shp' for its entity: did you"),
        ('timed(shops, "at")', "shops", "shops: time 'at' is String; expected an aware Datetime"),
        ('time_zone="UTC"', "", r"shops: time 'at' is Datetime\(.*\); expected an aware"),
        ('Sum("price"', 'Sum("item"', "sold: sum of 'item', which is String; expected numbers"),
        ('Sum("price"', 'Sum("prise"', "sold: no column 'prise' for its sum: did you mean price"),
        ('(shops, "at")', '(shops, "day")', "shops: .*day"),
        (
            '(shops, "at")',
            '(shops, "at").with_columns(size=1, area=2)',
            r"shops: makes size, which it doesn't declare: describe it in features=, or drop it",
        ),
        ('timed(shops, "at")', "shops.collect()", "shops: expected a LazyFrame, it returned a Da"),
        ("return timed(shops", "return tmed(shops", "shops: NameError: name 'tmed'"),
        ('{"hour": pl', '{"hours": pl', "clock: declares hour; returns hours"),
        ('pl.col("at").dt.hour() + OFFSET', "12", "clock: 'hour' is a int; expected a polars"),
        ("def clock()", "def clock(sales)", "clock: a request view reads no source"),
        ('ttl="2d"', 'ttl="2w"', "shops: ttl: duration '2w'"),
        ('ttl="2d"', 'availability="bach"', "shops: unknown availability 'bach': did you mean b"),
        ('"7d")', '"91d")', "sold: sum over 91d: a window is from 1h to 90d long"),
    ],
)
def test_a_mistake_is_found_without_rows_and_named_with_file_and_view(
    project: Project, write: Write, old: str, new: str, said: str
) -> None:
    apply(project)
    before = catalogue(project)
    text = HEAD + SHOPS + SOLD + CLOCK
    (project.root / "features" / "shops.py").write_text(text.replace(old, new, 1))
    with pytest.raises(FeatureError, match=f"^features/shops.py: {said}") as raised:
        apply(project)
    assert "\n" not in str(raised.value)
    assert catalogue(project) == before


def test_a_view_may_filter_pass_on_columns_and_work_out_moments(
    project: Project, write: Write
) -> None:
    write(SHOPS.replace('"at")', '"at").filter(pl.col("area") > 2).drop("area")'))
    assert changes(project)["shops"].unchecked is None
    for expression in ('pl.col("area") * 2', 'later=pl.col("at").dt.offset_by("1h")'):
        write(SHOPS.replace('"at")', f'"at").with_columns({expression})'))
        assert changes(project)["shops"].unchecked is None


def test_what_cannot_be_checked_is_registered_and_said(project: Project, write: Write) -> None:
    (project.root / "shops.csv").unlink()
    write(SHOPS, SOLD.replace("timed(sales", "timed(sales if sales.collect()['price'][0] else 0"))
    found = changes(project)
    assert "shops.csv" in str(found["shops"].unchecked)
    assert "sold: IndexError" in str(found["sold"].unchecked)
    assert {entry.view for entry in catalogue(project)} == {"shops", "sold"}


# Expressions instead of a function on frames

EXPRESSIONS = '''

@feature_view(entity="shop", event_time="at", owner="us", features={"each": "rent by staff"})
def each(shops):
    """Rent."""
    return {
        "at": pl.col("at").str.to_datetime(time_zone="UTC"),
        "each": pl.col("rent") / pl.col("staff"),
    }
'''


def test_a_view_of_expressions_keeps_its_rows(project: Project, write: Write) -> None:
    write(EXPRESSIONS)
    assert changes(project)["each"].unchecked is None
    with database(project).session() as session:
        row = session.get(FeatureViewRow, "each")
    assert row is not None
    assert row.definition["types"] == {"each": "Float64"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"each": pl', '"rent_each": pl', "declares shop, at, each; returns at, rent_each"),
        ("(shops)", "(shops, sales)", "expressions are of one source, it reads shops, sales"),
        ('"each": pl', '"each": 3, "at": pl', "'each' is a int; expected a polars expression"),
    ],
)
def test_expressions_that_are_none_are_refused(
    project: Project, write: Write, old: str, new: str, said: str
) -> None:
    write(EXPRESSIONS.replace(old, new))
    with pytest.raises(FeatureError, match=f"features/shops.py: each: {said}"):
        apply(project)


def test_an_expression_that_drops_rows_is_refused(project: Project, write: Write) -> None:
    lines = (f"1,2024-01-01T00:00:00,{staff},9.5,3\n" for staff in (2, 2, 4))
    (project.root / "shops.csv").write_text("".join(["shop,at,staff,rent,area\n", *lines]))
    write(EXPRESSIONS.replace('pl.col("staff"),', 'pl.col("staff").unique(),'))
    spine = pl.DataFrame({"shop": [1], "t": [datetime(2024, 1, 2, tzinfo=UTC)]})
    with pytest.raises(FeatureError, match=r"each: .*length") as raised:
        training_frame(spine, ["each"], event_time="t", project=project)
    assert "\n" not in str(raised.value)


def test_a_view_without_a_text_has_no_digest_and_is_refused() -> None:
    names: dict[str, Any] = {"feature_view": feature_view}
    with pytest.raises(FeatureError, match="shops: its text can't be read, and a digest needs it"):
        exec(SHOPS.replace("OWNER", "'us'"), names)


def test_a_view_in_a_notebooks_cell_has_a_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IPython keeps a cell's text where tracebacks find it."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    for text in (SHOPS, SHOPS.replace("2d", "3d")):
        shell.run_cell(HEAD + text).raise_error()
        shell.run_cell("seen = [*globals().get('seen', []), shops.digest]").raise_error()
    assert len(set(shell.user_ns["seen"])) == 2


HELPED = """
import polars as pl
from workbench.features import feature_view


@feature_view(entity="shop", event_time="at", owner="us", features={"rent": "euro"})
def top(shops):
    '''Helped from the top.'''
    return timed(shops, pl.col("rent") * FACTOR)


@feature_view(entity="shop", event_time="at", owner="us", features={"rent": "euro"})
def inside(shops):
    '''Helped from inside.'''
    from helpers_inside import FACTOR

    return timed(shops, pl.col("rent") * FACTOR)


@feature_view(entity="shop", event_time="at", owner="us", features={"rent": "euro"})
def perhaps(shops):
    '''Helped where there is help.'''
    return timed(shops, pl.col("rent") * PERHAPS)


def timed(frame, rent):
    return frame.select("shop", pl.col("at").str.to_datetime(time_zone="UTC"), rent=rent)


try:
    from helpers_perhaps import FACTOR as PERHAPS
except ImportError:
    PERHAPS = 0

from helpers_package.top import FACTOR
"""


def test_modules_beside_the_project_are_what_they_are_now(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From any folder, wherever the import stands, and in a process that has an older one."""
    monkeypatch.chdir("/")
    (project.root / "features" / "shops.py").write_text(HELPED)
    package = project.root / "helpers_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "top.py").write_text("from helpers_package.deep import FACTOR\n")
    files = {
        "top": package / "deep.py",
        "inside": project.root / "helpers_inside.py",
        "perhaps": project.root / "helpers_perhaps.py",
    }
    for file in files.values():
        file.write_text("FACTOR = 1\n")
    before = {**sys.modules}
    paths = [*sys.path]

    def seen() -> tuple[dict[str, str], dict[str, float]]:
        views = load_definitions(project).views
        spine = pl.DataFrame({"shop": [1], "event_time": [datetime(2030, 1, 1, tzinfo=UTC)]})
        frame = training_frame(spine, list(files), project=project)
        return (
            {name: view.code_digest for name, view in views.items()},
            {name: frame[f"{name}__rent"].item() for name in files},
        )

    try:
        digests, values = seen()
        assert seen() == (digests, values)  # the first and the second load agree
        for number, (name, file) in enumerate(files.items(), start=1):
            file.write_text(f"FACTOR = {10**number}\n")
            changed, new = seen()
            assert changed[name] != digests[name]
            assert new[name] == values[name] * 10**number
            digests = changed
        kept = sys.modules["helpers_package.top"]
        seen()
        assert sys.modules["helpers_package.top"] is kept  # nothing has changed
    finally:
        for name in sys.modules.keys() - before.keys():
            if name.startswith("helpers_"):
                del sys.modules[name]
    assert sys.path == paths


def test_a_broken_module_is_an_error_of_the_file_that_imports_it(project: Project) -> None:
    (project.root / "helpers_broken.py").write_text("def\n")
    (project.root / "features" / "shops.py").write_text("import helpers_broken\n")
    with pytest.raises(ConfigError, match=r"features/shops.py: can't be run: SyntaxError"):
        load_definitions(project)


def test_a_file_that_ends_the_process_is_named(project: Project) -> None:
    (project.root / "features" / "shops.py").write_text("import sys\nsys.exit(0)\n")
    with pytest.raises(ConfigError, match=r"features/shops.py: can't be run: SystemExit: 0"):
        load_definitions(project)


# The plan


def test_the_plan_says_what_changed(project: Project, write: Write) -> None:
    apply(project)
    shops = SHOPS.replace('"2d"', '"3h"').replace('"rent": "rent, euro"', '"area": "m²"')
    words = CLOCK.replace('owner="us"', 'owner="them", tags=["time"]').replace("says", "shows")
    write(shops, SOLD.replace('"at")', '"at").head(5)'), words)
    found = changes(project, dry_run=True)
    assert found["shops"].details == ["ttl 2d → 3h", "feature rent removed", "feature area added"]
    assert found["sold"].details == ["code"]
    assert found["clock"].details == ["owner us → them", "tags none → time", "description"]
    assert changes(project)["shops"] == found["shops"]


def test_a_source_that_lost_a_column_is_found_without_an_edit(
    project: Project, write: Write
) -> None:
    apply(project)
    (project.root / "shops.csv").write_text("shop,at,staff\n1,2024-01-01T00:00:00,2\n")
    with pytest.raises(FeatureError, match=r"features/shops.py: shops: .*'rent'"):
        apply(project)
    (project.root / "shops.csv").write_text("shop,at,staff,rent\n1,2024-01-01T00:00:00,2.5,9\n")
    assert kinds(project)["shops"] == "unchanged"
    types = {entry.name: entry.dtype for entry in catalogue(project)}
    assert (types["shops:staff"], types["shops:rent"]) == ("Float64", "Int64")
    (project.root / "shops.csv").unlink()
    found = {change.view: change for change in apply(project)}
    assert "shops.csv" in str(found["shops"].unchecked)
    assert {entry.dtype for entry in catalogue(project) if entry.view == "shops"} == {
        "Float64",
        "Int64",
    }


def test_types_are_known_from_the_columns(project: Project, write: Write) -> None:
    apply(project)
    with database(project).session() as session:
        types = {n: session.get_one(FeatureViewRow, n).definition for n in ("shops", "sold")}
    assert types["shops"]["types"] == {"staff": "Int64", "rent": "Float64"}
    assert types["sold"]["types"] == {"price_sum_7d": "Float64", "item_last_1d": "String"}
    assert types["sold"]["code"].startswith("@feature_view(")
    assert types["sold"]["aggregates"]["price_sum_7d"]["column"] == "price"


def use(project: Project, view: str) -> None:
    """Make a model from the view, as far as the lineage knows."""
    link(project, [f"view:{view}@0123456789abcdef"], "dataset:late@00112233", "joined")
    link(project, ["dataset:late@00112233"], "run:4711", "training")
    link(project, ["run:4711"], "model:late/3", "registered")


def test_what_breaks_is_named_and_words_break_nothing(project: Project, write: Write) -> None:
    apply(project)
    use(project, "shops")
    write(SHOPS.replace("day by day", "by day").replace("OWNER", "'them'"), SOLD, CLOCK)
    assert changes(project, dry_run=True)["shops"].breaks == []
    users = ["model:late/3", "dataset:late", "run:4711"]
    for edit in (
        SHOPS.replace('"2d"', '"3h"'),
        SHOPS.replace(', "rent": "rent, euro"', ""),
        SHOPS.replace('"at")', '"at").head(5)'),
    ):
        write(edit, SOLD, CLOCK)
        assert changes(project, dry_run=True)["shops"].breaks == users
        assert changes(project, dry_run=True)["sold"].breaks == []
    write(SOLD, CLOCK)
    assert changes(project, dry_run=True)["shops"].breaks == users


def test_a_view_whose_name_is_a_pattern_has_its_own_users_only(
    project: Project, write: Write
) -> None:
    names = ("s_op", "shop")
    write(*(SHOPS.replace("def shops", f"def {name}") for name in names))
    apply(project)
    use(project, "shop")
    write()
    found = changes(project, dry_run=True)
    assert [bool(found[name].breaks) for name in names] == [False, True]


def test_nothing_breaks_without_being_asked_for(project: Project, write: Write) -> None:
    apply(project)
    use(project, "shops")
    write(SOLD)
    with pytest.raises(UsageError, match=r"shops: model:late/3, dataset:late, run:4711 would lose"):
        apply(project, breaking=False)
    assert "shops" in {entry.view for entry in catalogue(project)}
    apply(project)
    assert {entry.view for entry in catalogue(project)} == {"sold"}


def test_history_has_every_definition_newest_first(project: Project, write: Write) -> None:
    apply(project)
    apply(project)
    write(SHOPS.replace('"2d"', '"3h"'))
    apply(project)
    new, old = history(project, "shops")
    assert (new.current, new.details, old.current, old.details) == (
        True,
        ["ttl 2d → 3h"],
        False,
        [],
    )
    write()
    apply(project)
    assert not any(version.current for version in history(project, "shops"))
    with pytest.raises(NotFoundError, match="unknown feature view 'shop': did you mean shops"):
        history(project, "shop")


# All or nothing

MANY = '''

@request_view(owner="us", features={"x": "EDITION"})
def NAME():
    """Views to count."""
    return {"x": pl.lit(1)}
'''


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    imports = "from workbench import Project; from workbench.features import apply\n"
    with forking(tmp_path_factory.mktemp("logs"), imports) as forks:
        yield forks


def edition(number: int) -> str:
    views = (MANY.replace("NAME", f"v{n}").replace("EDITION", f"{number}") for n in range(120))
    return "".join(views)


def test_a_kill_leaves_the_old_definitions_or_the_new(
    forks: Forks, project: Project, write: Write
) -> None:
    """Killed at moments all over its work; how long that is, a first one that may end says."""
    write(edition(0))
    apply(project)
    code = "project = Project.find()\nprint('ready', flush=True)\napply(project)\n"

    def run(kill_after: float | None) -> float:
        process = forks.start(code, folder=project.root)
        process.until("ready")
        start = time.monotonic()
        if kill_after is None:
            process.wait()
        else:
            time.sleep(kill_after)
            process.kill()
        return time.monotonic() - start

    write(edition(1))
    whole = run(None)
    current = "1"
    for number in range(2, 9):
        write(edition(number))
        run(whole * (number - 2) / 6)
        [found] = {entry.description for entry in catalogue(project)}
        assert len(catalogue(project)) == 120
        assert found in (current, str(number))
        assert len(history(project, "v7")) == len(history(project, "v119"))
        current = found
    apply(project)
    assert {entry.description for entry in catalogue(project)} == {"8"}


def test_two_may_apply_at_once(forks: Forks, project: Project, write: Write) -> None:
    write(edition(0))
    code = "apply(Project.find())\n"
    running = [forks.start(code, folder=project.root) for _ in range(3)]
    assert [process.wait() for process in running] == [0] * 3
    assert len(catalogue(project)) == 120
    assert len(history(project, "v7")) == 1


# The command line


def test_the_command_shows_the_plan_and_asks_before_it_breaks(
    project: Project, write: Write
) -> None:
    first = call_cli("features", "apply", folder=project.root)
    assert first.returncode == 0, first.stderr
    assert "added" in first.stdout
    use(project, "shops")
    write(SHOPS.replace('"2d"', '"3h"'), SOLD)
    plan = call_cli("features", "apply", "--dry-run", folder=project.root)
    assert plan.returncode == 0
    for said in ("ttl 2d → 3h", "model late/3", "removed"):
        assert said in plan.stdout
    refused = call_cli("features", "apply", folder=project.root)
    assert refused.returncode == 2
    assert "ttl 2d → 3h" in refused.stdout  # the plan comes first
    assert "--yes" in refused.stderr
    refused = call_cli("features", "apply", "--json", folder=project.root)
    assert (refused.returncode, refused.stdout) == (2, "")
    plan = call_cli("features", "apply", "--json", "--dry-run", folder=project.root)
    assert plan.returncode == 0
    assert len(history(project, "shops")) == 1
    assert call_cli("features", "apply", "--json", "--yes", folder=project.root).returncode == 0
    done = call_cli("features", "history", "shops", "--json", folder=project.root)
    assert [version["current"] for version in json.loads(done.stdout)] == [True, False]
    again = call_cli("features", "apply", "--json", folder=project.root)
    assert {change["change"] for change in json.loads(again.stdout)} == {"unchanged"}


def test_a_broken_file_is_an_error_in_one_line(project: Project, write: Write) -> None:
    write("\n\n@feature_view(entity='shop')\ndef x(shops):\n    '''X.'''\n")
    with pytest.raises(ConfigError, match=r"features/shops.py: can't be run: TypeError: .*owner"):
        apply(project)
