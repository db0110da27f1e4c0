"""The picture of selection frequencies."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from problems import simulate
from resampling import GROUP_LASSO
from shrinklin import StabilityDisplay
from shrinklin.estimators.stability import selection_frequencies


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def lines_below(display):
    return display.ax_.get_xlabel().split("\n")


def test_the_display_draws_the_most_frequent_features():
    shares = [0.2, 1, 0.75, 0, 0.75, 0.125]
    display = StabilityDisplay(shares, feature_names=list("abcdef"), name="title")
    display.plot(n_shown=4, threshold=0.75)
    assert [bar.get_width() for bar in display.bars_] == [1, 0.75, 0.75, 0.2]
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == ["b", "c", "e", "a"]
    colours = [bar.get_facecolor() for bar in display.bars_]
    assert colours[0] == colours[1] == colours[2] != colours[3]
    top, bottom = (display.bars_[k].get_y() for k in (0, 3))
    assert display.ax_.yaxis_inverted()
    assert top < bottom
    (line,) = display.ax_.get_lines()
    assert list(line.get_xdata()) == [0.75, 0.75]
    assert line.get_linestyle() == "--"
    assert lines_below(display)[1:] == [
        "dashed: 0.75, reached by 3 of 6 features",
        "not shown: 2 features, each with at most 0.125",
    ]
    assert display.ax_.get_title() == "title"
    assert display.figure_ is display.ax_.figure


def test_the_display_says_no_more_than_there_is():
    _, ax = plt.subplots()
    display = StabilityDisplay([0.5, 0.25]).plot(ax)
    assert display.ax_ is ax
    assert display.ax_.get_lines() == []
    assert lines_below(display) == ["share of the fits that keep a feature"]
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == ["feature 0", "feature 1"]


def test_many_bars_get_a_taller_figure():
    shares = np.linspace(0, 1, 80)
    plain, tall = (StabilityDisplay(shares).plot(n_shown=n).figure_ for n in (20, 80))
    assert tall.get_figheight() > 3 * plain.get_figheight()


def test_from_estimator_takes_names_and_options():
    X, Y = simulate(40, 3, 2)
    frame = pd.DataFrame(X, columns=["height", "width", "depth"])
    pipeline = make_pipeline(StandardScaler(), GROUP_LASSO)
    options = {"n_resamples": 6, "resampling": "bootstrap", "random_state": 0}
    _, ax = plt.subplots()
    display = StabilityDisplay.from_estimator(
        pipeline, frame, Y, ax=ax, n_shown=2, threshold=0.9, **options
    )
    np.testing.assert_array_equal(
        display.frequencies, selection_frequencies(pipeline, frame, Y, **options)
    )
    assert display.ax_ is ax
    assert display.ax_.get_title() == "GroupLassoRegressor"
    labels = {label.get_text() for label in display.ax_.get_yticklabels()}
    assert labels < {"height", "width", "depth"}
    assert len(lines_below(display)) == 3


def test_bad_input_of_the_display_is_named(monkeypatch):
    for shares in ([0.5, 1.5], [np.nan], [[0.5]], 0.5, [-0.1]):
        with pytest.raises(ValueError, match="give a 1-D array of shares between 0 and 1"):
            StabilityDisplay(shares)
    with pytest.raises(ValueError, match="feature_names has 1 entries, but frequencies has 2"):
        StabilityDisplay([0.5, 1], feature_names=["a"])
    # The error comes before hundreds of fits, not after.
    monkeypatch.setattr("shrinklin.display.stability.selection_frequencies", None)
    for draw in (
        StabilityDisplay([0.5]).plot,
        lambda **kw: StabilityDisplay.from_estimator(GROUP_LASSO, None, None, **kw),
    ):
        with pytest.raises(ValueError, match=r"threshold=1.5: give a share between 0 and 1"):
            draw(threshold=1.5)
        with pytest.raises(ValueError, match="n_shown=0: give a whole number >= 1"):
            draw(n_shown=0)
