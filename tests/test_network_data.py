"""The rows of network experiments: disjoint, stratified, and scaled without the test rows."""

import numpy as np
import pytest

from experiments.network_data import ClassData, load_classes, with_noise


@pytest.fixture(scope="module")
def digits():
    return load_classes("digits")


def test_parts_are_disjoint_and_stratified(digits):
    data = ClassData("rows", np.arange(1797.0)[:, None], digits.y, "")
    parts = data.split(0, 900, 300, 597)
    # All rows are used, and scaling keeps their order: the rank of a value is its row.
    values = np.concatenate([X[:, 0] for X, _ in parts])
    assert len(set(values)) == 1797
    rows = np.split(values.argsort().argsort(), [900, 1200])
    for part, (_, y) in zip(rows, parts, strict=True):
        np.testing.assert_array_equal(y, digits.y[part])
        shares = np.bincount(y) / len(y)
        np.testing.assert_allclose(shares, np.bincount(digits.y) / 1797, atol=0.01)


def test_tables_are_standardised_by_training_rows(digits):
    training, validation, _ = digits.split(1, 500, 400, 300)
    moving = training[0].std(axis=0) > 0
    np.testing.assert_allclose(training[0].mean(axis=0), 0, atol=0.2)
    assert np.abs(training[0]).max() <= 10
    # Columns whose entries are not clipped have a deviation of 1 in the training rows alone.
    plain = moving & (np.abs(training[0]).max(axis=0) < 10)
    np.testing.assert_allclose(training[0].std(axis=0)[plain], 1, atol=1e-4)
    assert np.abs(validation[0].std(axis=0)[plain] - 1).max() > 0.01


def test_the_seed_decides(digits):
    one, same, other = (digits.split(seed, 300, 100, 100) for seed in (0, 0, 1))
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
    assert not np.array_equal(one[0][1], other[0][1])


def test_images_keep_their_test_part():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (40, 3, 4, 4), dtype=np.uint8), np.tile([0, 1], 20)
    data = ClassData("cifar10", X, y, "", X[:10] // 2, y[:10])
    parts = [data.split(seed, 20, 10, 10) for seed in (0, 1)]
    np.testing.assert_array_equal(np.sort(parts[0][2][0], axis=0), np.sort(parts[1][2][0], axis=0))
    # Black, in the scale of the training images of the source.
    black = ClassData("cifar10", np.zeros_like(X), y, "", X, y).split(0, 20, 10, 10)[0][0]
    np.testing.assert_allclose(black[0, :, 0, 0], [-1.98907, -1.97988, -1.70680], atol=1e-4)


@pytest.mark.parametrize("name", ["oes97", "scm1d-twin"])
def test_data_without_classes_are_refused(name):
    with pytest.raises(ValueError, match=f"'{name}' is data for regression: give one with"):
        load_classes(name)


def test_an_unknown_name_is_told_all_that_have_classes():
    with pytest.raises(ValueError, match=r"no dataset 'minst'.*mnist, cifar10, .*digits") as error:
        load_classes("minst")
    assert "oes97" not in str(error.value)


def test_too_few_rows_are_told(digits):
    with pytest.raises(ValueError, match="digits has 1797 rows, but 1798 are to be drawn"):
        digits.split(0, 1000, 300, 498)
    # Test rows of images are others.
    images = ClassData("mnist", digits.X, digits.y, "", digits.X, digits.y)
    with pytest.raises(ValueError, match="mnist has 1797 rows, but 1800"):
        images.split(0, 1500, 300, 100)
    with pytest.raises(ValueError, match="the test part of mnist has 1797 rows, but 1798"):
        images.split(0, 1000, 300, 1798)
    with pytest.raises(ValueError, match="1796 are to be drawn, and 1 left over are too few"):
        digits.split(0, 1000, 300, 496)


def test_noise_is_the_columns_themselves_in_another_order(digits):
    noisy = with_noise(digits)
    own, noise = np.split(noisy.X, 2, axis=1)
    np.testing.assert_array_equal(own, digits.X)
    np.testing.assert_array_equal(np.sort(noise, axis=0), np.sort(own, axis=0))
    # Each column in an order of its own.
    assert abs(np.corrcoef(own[:, 20], noise[:, 20])[0, 1]) < 0.1
    assert abs(np.corrcoef(noise[:, 20], noise[:, 21])[0, 1]) < 0.1
