"""The rows that are drawn: disjoint halves or bootstrap samples, each class by itself."""

import numpy as np
import pytest

from resampling import SEED_OF_ROWS, rows_of, unlabelled
from shrinklin.estimators import resampling as drawing


def check_halves(drawn, classes):
    n = len(classes)
    assert len({tuple(r) for r in drawn}) == len(drawn)
    for first, second in zip(drawn[::2], drawn[1::2], strict=True):
        np.testing.assert_array_equal(np.sort(np.concatenate([first, second])), np.arange(n))
        assert (len(first), len(second)) == (n // 2, n - n // 2)
        in_first, in_second = (
            np.bincount(classes[half], minlength=max(classes) + 1) for half in (first, second)
        )
        assert abs(in_first - in_second).max() <= 1


def check_bootstraps(drawn, classes):
    n = len(classes)
    assert len({tuple(r) for r in drawn}) == len(drawn)
    for r in drawn:
        np.testing.assert_array_equal(np.bincount(classes[r]), np.bincount(classes))
    # n draws with replacement give about n (1 - 1/e) different rows.
    distinct = np.mean([len(set(r)) for r in drawn]) / n
    assert 0.55 < distinct < 0.72


CHECKS = {"half": check_halves, "bootstrap": check_bootstraps}
CLASSES = {
    "none": unlabelled(40),
    "odd": unlabelled(41),
    "two": np.repeat([0, 1], [37, 4]),
    "odd classes": np.repeat([0, 1, 2, 3], [5, 7, 9, 13]),
    "mixed": np.tile([0, 1, 2], 14)[:40],
}


@pytest.mark.parametrize("resampling", CHECKS)
@pytest.mark.parametrize("name", CLASSES)
def test_resamples_are_what_they_say(name, resampling):
    classes = CLASSES[name]
    CHECKS[resampling](rows_of(classes, 20, resampling), classes)


def _independent_halves(classes, rng):
    n = len(classes)
    return rng.permutation(n)[: n // 2], rng.permutation(n)[: n - n // 2]


def _same_halves(classes, rng):
    return _halves(classes, np.random.default_rng(0))


def _halves_of_any_class(classes, rng):
    order = rng.permutation(len(classes))
    return order[1::2], order[::2]


def _first_halves_by_class(classes, rng):
    """Only the first pair is drawn by class, the others from rows of any class."""
    begun = rng.bit_generator.state == np.random.default_rng(SEED_OF_ROWS).bit_generator.state
    return (_halves if begun else _halves_of_any_class)(classes, rng)


def _without_replacement(classes, rng):
    return (rng.permutation(len(classes)),)


def _same_bootstrap(classes, rng):
    return _bootstrap(classes, np.random.default_rng(0))


def _bootstrap_of_any_class(classes, rng):
    return (rng.integers(0, len(classes), len(classes)),)


_halves, _bootstrap = drawing._pair_of_halves, drawing._bootstrap
MUTANTS = [
    ("half", _independent_halves),
    ("half", _same_halves),
    ("half", _halves_of_any_class),
    ("half", _first_halves_by_class),
    ("bootstrap", _without_replacement),
    ("bootstrap", _same_bootstrap),
    ("bootstrap", _bootstrap_of_any_class),
]


@pytest.mark.parametrize(("resampling", "mutant"), MUTANTS)
def test_wrong_resamples_are_rejected(monkeypatch, resampling, mutant):
    drawn = {"half": "_pair_of_halves", "bootstrap": "_bootstrap"}[resampling]
    monkeypatch.setattr(drawing, drawn, mutant)
    with pytest.raises(AssertionError):
        CHECKS[resampling](rows_of(CLASSES["two"], 20, resampling), CLASSES["two"])


@pytest.mark.parametrize("name", ["none", "odd", "odd classes"])
def test_every_row_is_as_likely_as_any_other(name):
    classes = CLASSES[name]
    first = np.concatenate(rows_of(classes, 4000)[::2])
    shares = np.bincount(first, minlength=len(classes)) / 2000
    np.testing.assert_allclose(shares, 0.5, atol=0.07)
    drawn = np.concatenate(rows_of(classes, 2000, "bootstrap"))
    np.testing.assert_allclose(np.bincount(drawn) / 2000, 1, atol=0.12)


def test_an_odd_number_of_halves_is_the_even_number_without_the_last():
    even, odd = rows_of(unlabelled(11), 6), rows_of(unlabelled(11), 5)
    assert len(odd) == 5
    for one, other in zip(even, odd, strict=False):
        np.testing.assert_array_equal(one, other)
