"""`LayerSizesDisplay`: what is drawn is the data."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import rgb_to_hsv

from shrinklin import LayerSizesDisplay

SIZES = {"0": [8, 6, 6, 2], "3": [4, 4, 3, 3], "last": [10, 5, 1, 1]}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def history(sizes=SIZES, epochs=None):
    sizes = {name: np.array(values) for name, values in sizes.items()}
    n = len(next(iter(sizes.values())))
    return {"epoch": np.arange(n) if epochs is None else epochs, "layer_sizes": sizes}


def long(n_epochs, n_layers=2):
    """Sizes that tell the epoch."""
    return history({f"layer {k}": 10 * n_epochs - np.arange(n_epochs) for k in range(n_layers)})


def heights(display):
    """By layer, then by epoch."""
    return np.transpose([[bar.get_height() for bar in bars] for bars in display.bars_])


def labels(ax):
    return [label.get_text() for label in ax.get_xticklabels()]


@pytest.mark.parametrize("relative", [True, False])
def test_bars_are_the_sizes(relative):
    display = LayerSizesDisplay(history(), relative=relative).plot()
    sizes = np.array(list(SIZES.values()))
    np.testing.assert_array_equal(heights(display), sizes / sizes[:, :1] if relative else sizes)
    assert display.ax_.get_ylabel() == ("share of units left" if relative else "units left")


def test_every_layer_has_its_place_with_its_name_and_bars_in_order_of_time():
    display = LayerSizesDisplay(history(), name="a network").plot()
    assert labels(display.ax_) == ["0\n8 → 2", "3\n4 → 3", "last\n10 → 1"]
    assert display.ax_.get_xticks().tolist() == [0, 1, 2]
    assert display.ax_.get_title() == "a network"
    left = np.transpose([[bar.get_x() for bar in bars] for bars in display.bars_])
    right = np.transpose([[b.get_x() + b.get_width() for b in bars] for bars in display.bars_])
    for layer in range(3):
        # Side by side, around the name, and not in the place of another layer.
        np.testing.assert_allclose(right[layer, :-1], left[layer, 1:], atol=1e-9)
        assert (left[layer, 0] + right[layer, -1]) / 2 == pytest.approx(layer)
        assert right[layer, -1] - left[layer, 0] < 0.9


def test_bars_darken_with_the_epochs_and_the_colour_bar_names_first_and_last():
    # Most of the time passes before the second.
    display = LayerSizesDisplay(history(epochs=np.array([5, 95, 100, 104]))).plot()
    colors = [{bar.get_facecolor()[:3] for bar in bars} for bars in display.bars_]
    assert [len(of_epoch) for of_epoch in colors] == [1, 1, 1, 1]
    darkness = [1 - np.mean(color) for (color,) in colors]
    assert (np.diff(darkness) > 0).all()
    assert darkness[1] - darkness[0] > 5 * (darkness[2] - darkness[1])
    # The lightest is seen on white.
    assert rgb_to_hsv(next(iter(colors[0])))[1] > 0.1
    _, bar = display.figure_.axes
    assert bar.get_ylabel() == "epoch"
    display.figure_.canvas.draw()
    assert [text.get_text() for text in bar.get_yticklabels()] == ["5", "104"]


@pytest.mark.parametrize("n_epochs", [1, 2, 39, 40, 41, 1001])
def test_of_many_epochs_some_are_drawn_with_first_and_last(n_epochs):
    given = long(n_epochs)
    display = LayerSizesDisplay(given, relative=False).plot()
    drawn = 10 * n_epochs - heights(display)
    assert drawn.shape == (2, min(n_epochs, 40))
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0, 0], drawn[0, -1]) == (0, n_epochs - 1)
    steps = np.diff(drawn[0])
    assert n_epochs < 3 or (steps.min() >= 1 and steps.max() - steps.min() <= 1)
    display.figure_.canvas.draw()


def overlapping(ax):
    ax.figure.canvas.draw()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    return any(a.x1 > b.x0 for a, b in pairwise(boxes))


def test_labels_of_many_layers_are_rotated_in_a_wider_figure():
    few, many = (LayerSizesDisplay(long(3, n_layers)).plot() for n_layers in (3, 16))
    rotations = [{x.get_rotation() for x in d.ax_.get_xticklabels()} for d in (few, many)]
    assert rotations == [{0}, {45}]
    assert not overlapping(few.ax_)
    assert many.figure_.get_figwidth() > few.figure_.get_figwidth()


def test_given_axes_are_used():
    figure, axes = plt.subplots(2, sharey=True)
    width = figure.get_figwidth()
    for sizes, ax in zip((SIZES, {"only": [3, 2]}), axes, strict=True):
        display = LayerSizesDisplay(history(sizes)).plot(ax)
        assert display.ax_ is ax
        assert display.figure_ is figure
    assert figure.get_figwidth() == width
    assert labels(axes[0]) != labels(axes[1])


@pytest.mark.parametrize("given", [{"epoch": np.arange(3)}, {"layer_sizes": {}}])
def test_a_history_without_layers_is_refused(given):
    with pytest.raises(ValueError, match=r'history has the keys .* no "layer_sizes": give the'):
        LayerSizesDisplay(given)
