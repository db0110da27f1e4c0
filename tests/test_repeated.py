"""Means over repeated splits: the corrected interval, against its formula and a simulation."""

import numpy as np
import pytest
from scipy import stats

from experiments.repeated import Mean, mean, standard_error


def test_without_shared_rows_it_is_the_interval_of_students_t():
    values = np.random.default_rng(0).normal(1, 2, 7)
    found = mean(values, test_to_training=0)
    known = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.value, found.low, found.high) == pytest.approx((values.mean(), *known))


def test_shared_rows_widen_it():
    values = np.array([1.0, 2.0, 4.0, 3.0])
    plain = values.std(ddof=1) / 2
    assert standard_error(values, 0) == pytest.approx(plain)
    # 1/4 + 1/4 instead of 1/4.
    assert standard_error(values) == pytest.approx(plain * np.sqrt(2))


def test_one_split_says_nothing():
    found = mean([3.0])
    assert (found.value, found.low, found.high) == (3, -np.inf, np.inf)
    assert not found.above_0
    assert not found.below_0
    assert not found.not_below_0(1)
    assert np.isnan(standard_error([3.0]))


@pytest.mark.parametrize(
    ("low", "high", "above", "below", "holds"),
    [
        (0.1, 0.5, True, False, True),
        (-0.2, 0.5, False, False, True),
        # Clearly worse, if only by a little; and no evidence.
        (-0.5, -0.1, False, True, False),
        (-1.1, 0.5, False, False, False),
    ],
)
def test_what_intervals_say(low, high, above, below, holds):
    found = Mean((low + high) / 2, low, high)
    assert (found.above_0, found.below_0, found.not_below_0(1.0)) == (above, below, holds)
