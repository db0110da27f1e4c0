"""Sizes and the data: how pairs are drawn, and what is concluded from made-up tables."""

import numpy as np
import pandas as pd
import pytest

from experiments.experiment import Outcome
from experiments.layer_sizes import (
    DIGIT,
    SUM,
    LayerSizes,
    course_of,
    halved,
    pairs,
    pairs_of,
    reflects_data,
    smaller_at_little_loss,
)

pytestmark = pytest.mark.untraced


@pytest.fixture(scope="module")
def data():
    return LayerSizes().load("digits", True, None)


def labelled_images(rng, n=300):
    """Images that hold their digit and their number, which tells what a row was made of."""
    y = rng.integers(0, 10, n)
    return np.column_stack([y, np.arange(n)]).astype(float), y


@pytest.mark.parametrize("repeats", [1, 3])
def test_pairs_are_what_their_labels_say(repeats):
    X, y = labelled_images(np.random.default_rng(0))
    found = {label: pairs(X, y, label, np.random.default_rng(1), repeats) for label in (DIGIT, SUM)}
    rows, digits = found[DIGIT]
    # The inputs are the same; each image comes first equally often.
    np.testing.assert_array_equal(rows, found[SUM][0])
    np.testing.assert_array_equal(np.sort(rows[:, 1]), np.repeat(np.arange(300), repeats))
    np.testing.assert_array_equal(digits, rows[:, 0])
    np.testing.assert_array_equal(found[SUM][1], (rows[:, 0] + rows[:, 2]) % 10)
    # And so are the shares of classes, exactly.
    np.testing.assert_array_equal(np.bincount(digits), np.bincount(found[SUM][1]))
    # The sum cannot be told from the first digit alone.
    best = pd.crosstab(digits, found[SUM][1]).max(axis=1).sum() / len(digits)
    assert best < 0.3


def test_parts_share_no_image(data):
    cell = {"seed": 3, "n_training": 1000, "n_validation": 300, "n_test": 497}
    parts = pairs_of({**cell, "label": SUM, "repeats": 1}, data)
    sets = [{image.tobytes() for image in np.vstack(np.hsplit(X, 2))} for X, _ in parts]
    assert [len(y) for _, y in parts] == [1000, 300, 497]
    assert not sets[0] & sets[1]
    assert not sets[0] & sets[2]


def test_data_of_other_than_ten_classes_are_refused():
    with pytest.raises(ValueError, match="wine has 3 classes, but layer-sizes adds digits"):
        LayerSizes().load("wine", True, None)


def test_images_are_halved_by_means():
    X = np.random.default_rng(0).normal(size=(3, 1, 4, 6))
    found = halved(X)
    assert found.shape == (3, 6)
    assert found[1, 4] == pytest.approx(X[1, 0, 2:4, 2:4].mean())
    np.testing.assert_array_equal(halved(found), found)


def test_all_cells_differ(data):
    for quick in (True, False):
        table = pd.DataFrame([cell for job in LayerSizes().jobs(data, quick) for cell in job])
        assert not table.duplicated().any()
        assert (table.groupby(["lambda", "label"]).size() >= 3).all()


LAMBDAS = (1e-3, 1e-2)


def made_up(digit, total, noise=0.0, accuracy=((0.97, 0.96), (0.8, 0.79))):
    """Parameters of both labels at both λ; noise moves those of sums from seed to seed."""
    rows = []
    for label, sizes, scores in zip((DIGIT, SUM), (digit, total), accuracy, strict=True):
        for lam, size, score in zip(LAMBDAS, sizes, scores, strict=True):
            for seed in range(1, 6):
                moved = 1 + (seed - 3) * (noise if label == SUM else 0)
                parameters = round(size * moved + 1000 * seed)
                rows.append(
                    {
                        "label": label, "lambda": lam, "seed": seed, "train": 1.0,
                        "validation": score, "test": score, "parameters": parameters,
                        "sizes": "60-60 50-40 30-20",
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("digit", "total", "noise", "outcome"),
    [
        ((20_000, 9000), (40_000, 20_000), 0.0, Outcome.CONFIRMED),
        ((20_000, 9000), (20_000, 20_000), 0.0, Outcome.CONDITIONAL),
        ((20_000, 9000), (20_000, 9000), 0.0, Outcome.NOT_CONFIRMED),
        # Smaller where it is harder; bigger, but not considerably.
        ((40_000, 20_000), (20_000, 9000), 0.0, Outcome.NOT_CONFIRMED),
        ((20_000, 20_000), (23_000, 23_000), 0.0, Outcome.NOT_CONFIRMED),
        # Bigger by less than the noise.
        ((20_000, 9000), (40_000, 20_000), 0.6, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_data(digit, total, noise, outcome):
    table = made_up(digit, total, noise)
    assert reflects_data(table.sample(frac=1, random_state=0)).outcome is outcome


@pytest.mark.parametrize(
    ("digit", "total", "accuracy", "outcome"),
    [
        ((20_000, 5000), (20_000, 5000), ((0.97, 0.96), (0.8, 0.79)), Outcome.CONFIRMED),
        ((20_000, 5000), (20_000, 5000), ((0.97, 0.96), (0.8, 0.7)), Outcome.CONDITIONAL),
        ((20_000, 5000), (20_000, 15_000), ((0.97, 0.96), (0.8, 0.79)), Outcome.CONDITIONAL),
        ((20_000, 5000), (20_000, 5000), ((0.97, 0.93), (0.8, 0.7)), Outcome.NOT_CONFIRMED),
        # The best is the smallest: it is simpler than nothing.
        ((20_000, 5000), (20_000, 5000), ((0.9, 0.97), (0.7, 0.8)), Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_the_two_ends(digit, total, accuracy, outcome):
    verdict = smaller_at_little_loss(made_up(digit, total, accuracy=accuracy))
    assert verdict.outcome is outcome


def test_what_is_drawn():
    import matplotlib.pyplot as plt

    table = made_up((20_000, 5000), (40_000, 20_000))
    figure = LayerSizes().draw(table)
    axes = {ax.get_ylabel(): ax for ax in figure.axes}
    lines = {line.get_label(): line.get_ydata() for line in axes["parameters left"].get_lines()}
    np.testing.assert_allclose(lines["digit (easy)"], [23_000, 8000])
    plt.close(figure)
    summary = LayerSizes().summary(table)
    assert list(summary["layers"]) == ["30-20"] * 4
    np.testing.assert_array_equal(course_of("60-60 50-40"), [[60, 60], [50, 40]])
