"""Profiles and drift: bins that hold every value once, and distances with known values."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError, NotFoundError
from workbench.monitoring import Profile, count, drift, jensen_shannon, profile, psi

values = st.lists(
    st.one_of(st.none(), st.floats(allow_subnormal=False), st.sampled_from([0.0, 1.0, -3.5])),
    max_size=200,
)
counts = st.lists(st.integers(0, 10_000), min_size=2, max_size=12).filter(any)


def frame(column: object) -> pl.DataFrame:
    return pl.DataFrame({"x": pl.Series("x", column, pl.Float64)})


def by_hand(column: list[float | None], cuts: tuple[float, ...]) -> tuple[int, ...]:
    """Count each finite value into (-∞, c₁], (c₁, c₂], …, (cₖ, ∞), one comparison at a time."""
    found = [0] * (len(cuts) + 1)
    for value in column:
        if value is not None and math.isfinite(value):
            found[sum(value > cut for cut in cuts)] += 1
    return tuple(found)


@given(values, values)
def test_every_value_is_counted_once_and_in_its_own_bin(reference, current):
    frozen = profile(frame(reference), ["x"])
    counted = count(frame(current), frozen)
    for column, found in ((reference, frozen.columns["x"]), (current, counted.columns["x"])):
        assert found.cuts == frozen.columns["x"].cuts
        assert found.counts == by_hand(column, found.cuts)
        assert found.nulls == sum(v is None for v in column)
        assert found.nans == sum(v is not None and math.isnan(v) for v in column)
        assert found.infinities == sum(v is not None and math.isinf(v) for v in column)
        assert found.rows == len(column)


@given(values)
def test_a_profile_survives_json_bit_for_bit(column):
    made = profile(frame(column), ["x"])
    assert Profile.model_validate_json(made.model_dump_json()) == made


@given(values, st.randoms())
def test_the_order_of_rows_does_not_matter(column, random):
    shuffled = list(column)
    random.shuffle(shuffled)
    first, second = (profile(frame(c), ["x"]).columns["x"] for c in (column, shuffled))
    assert (first.cuts, first.counts) == (second.cuts, second.counts)


def test_a_continuous_column_gets_equal_bins_and_its_moments():
    column = profile(pl.DataFrame({"x": range(1, 101)}), ["x"]).columns["x"]
    assert column.cuts == tuple(range(10, 100, 10))
    assert column.counts == (10,) * 10
    assert (column.minimum, column.maximum, column.mean) == (1, 100, 50.5)
    assert column.std == pytest.approx(np.arange(1, 101).std())


@pytest.mark.parametrize("moved", [4.0, 6.0, -1e300])
def test_a_constant_that_moves_either_way_is_seen(moved):
    reference = profile(frame([5.0] * 1000), ["x"])
    [same] = drift(reference, count(frame([5.0] * 10), reference))
    [other] = drift(reference, count(frame([moved] * 10), reference))
    assert same.psi == 0
    assert other.psi > 10
    assert other.jensen_shannon == pytest.approx(math.sqrt(math.log(2)))


def test_a_value_that_many_rows_share_has_a_bin_of_its_own():
    visibility = [10.0] * 700 + [float(v) for v in range(10)] * 30
    reference = profile(frame(visibility), ["x"])
    assert 700 in reference.columns["x"].counts
    [found] = drift(reference, count(frame([9.5] * 700 + visibility[700:]), reference))
    assert found.psi > 1


def test_booleans_are_numbers_and_text_is_refused():
    flags = pl.DataFrame({"late": [True, False, True, True], "tail": ["N1", "N2", "N3", "N4"]})
    assert sorted(profile(flags, ["late"]).columns["late"].counts, reverse=True)[:2] == [3, 1]
    with pytest.raises(DataError, match="'tail': String can't be profiled"):
        profile(flags, ["tail"])
    with pytest.raises(NotFoundError, match="did you mean late"):
        profile(flags, ["lat"])


def test_a_column_the_frame_lacks_is_all_missing():
    reference = profile(frame([1.0, 2.0, None, 3.0]), ["x"])
    [found] = drift(reference, count(pl.DataFrame({"y": [1, 2]}), reference))
    assert (found.missing, found.missing_reference, found.missing_increase) == (1.0, 0.25, 0.75)
    assert (found.psi, found.jensen_shannon, found.finite) == (None, None, 0)


@pytest.mark.parametrize("column", [[], [None, None], [math.nan, math.inf]])
def test_a_side_without_values_has_no_distance(column):
    reference = profile(frame([1.0, 2.0]), ["x"])
    [one] = drift(reference, count(frame(column), reference))
    empty = profile(frame(column), ["x"])
    [other] = drift(empty, count(frame([1.0]), empty))
    assert one.psi is one.jensen_shannon is other.psi is other.jensen_shannon is None


def test_psi_has_the_value_computed_by_hand():
    # shares .5 .3 .2 against .4 .4 .2: (.4-.5)·ln(.4/.5) + (.4-.3)·ln(.4/.3) + 0
    by_hand = -0.1 * math.log(0.8) + 0.1 * math.log(4 / 3)
    assert psi([50, 30, 20], [40, 40, 20]) == pytest.approx(by_hand, rel=1e-12)
    # an empty bin counts as 1e-4: (.0001-.5)·ln(.0001/.5) + (1-.5)·ln(1/.5)
    empty = (1e-4 - 0.5) * math.log(2e-4) + 0.5 * math.log(2)
    assert psi([10, 10], [0, 20]) == pytest.approx(empty, rel=1e-12)


@given(counts, st.integers(1, 7))
def test_equal_shares_have_no_distance_whatever_their_number(reference, times):
    current = [times * c for c in reference]
    assert psi(reference, current) == pytest.approx(0, abs=1e-12)
    assert jensen_shannon(reference, current) == pytest.approx(0, abs=1e-7)


@given(
    st.integers(2, 12).flatmap(lambda n: st.tuples(*[st.tuples(*[st.integers(0, 9999)] * n)] * 2))
)
def test_both_distances_are_symmetric_and_never_negative(pair):
    r, c = pair
    if not (any(r) and any(c)):
        return
    assert psi(r, c) >= 0
    assert psi(r, c) == pytest.approx(psi(c, r), rel=1e-9)
    assert 0 <= jensen_shannon(r, c) <= math.sqrt(math.log(2)) + 1e-12
    assert jensen_shannon(r, c) == pytest.approx(jensen_shannon(c, r), rel=1e-9, abs=1e-9)


def test_jensen_shannon_agrees_with_scipy():
    from scipy.spatial.distance import jensenshannon

    random = np.random.default_rng(0)
    for _ in range(50):
        r, c = random.integers(0, 100, (2, 10)) * (random.random((2, 10)) > 0.2) + [[1], [1]]
        assert jensen_shannon(r, c) == pytest.approx(jensenshannon(r, c), rel=1e-12)


def test_samples_of_one_source_stay_near_the_psi_that_chance_explains():
    random = np.random.default_rng(1)
    reference = profile(frame(random.normal(size=20_000)), ["x"])
    found = [
        drift(reference, count(frame(random.normal(size=2_000)), reference))[0].psi
        for _ in range(100)
    ]
    assert np.mean(found) == pytest.approx(9 * (1 / 20_000 + 1 / 2_000), rel=0.2)
