"""The picture of the columns that a model keeps."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from problems import simulate
from shrinklin import GroupLassoRegressor, SummaryDisplay, summary

TABLE = pd.DataFrame(
    {
        "original": ["city", ("age", "dose"), None, "city", "age", ()],
        "norm": [3.0, 6.0, 1.0, 4.0, 0.5, 0.25],
    },
    index=["city_Rome", "age dose", "pca0", "city_Oslo", "age", "1"],
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def drawn(display):
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    return dict(zip(labels, [bar.get_width() for bar in display.bars_], strict=True))


def test_columns_have_a_bar_of_all_their_features():
    display = SummaryDisplay(TABLE, name="title").plot()
    expected = {"age × dose": 6, "city": 5, "pca0": 1, "age": 0.5, "1": 0.25}
    assert list(drawn(display).items()) == list(expected.items())
    assert display.ax_.yaxis_inverted()
    assert display.ax_.get_title() == "title"
    assert display.ax_.get_xlabel() == "norm of the coefficients"
    assert display.figure_ is display.ax_.figure
    missing = TABLE.assign(original=TABLE["original"].where(TABLE["original"].notna(), np.nan))
    assert drawn(SummaryDisplay(missing).plot()) == expected


def test_the_shortest_bars_may_be_left_out():
    _, ax = plt.subplots()
    display = SummaryDisplay(TABLE).plot(ax, n_shown=2)
    assert display.ax_ is ax
    assert list(drawn(display)) == ["age × dose", "city"]
    assert ax.get_xlabel().split("\n")[1] == "not shown: 3 columns with smaller norms"


def test_a_fitted_pipeline_is_drawn():
    X, Y = simulate(40, 4, 2)
    X = pd.DataFrame(X, columns=list("abcd"))
    model = make_pipeline(PolynomialFeatures(2), StandardScaler(), GroupLassoRegressor(0.2))
    table = summary(model.fit(X, Y))
    display = SummaryDisplay.from_estimator(model)
    norms = (
        table["norm"]
        .groupby(table["original"].map(lambda of: " × ".join(of)))
        .apply(np.linalg.norm)
    )
    assert len(norms) > 2
    assert drawn(display) == pytest.approx(norms.to_dict())
    assert display.ax_.get_title() == "GroupLassoRegressor"
    empty = SummaryDisplay.from_estimator(GroupLassoRegressor(1e3).fit(X, Y))
    assert drawn(empty) == {}


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"table has no column .norm.: give what"):
        SummaryDisplay(TABLE[["original"]])
    for draw in (
        SummaryDisplay(TABLE).plot,
        lambda **kw: SummaryDisplay.from_estimator(None, **kw),
    ):
        with pytest.raises(ValueError, match="n_shown=0: give a whole number >= 1"):
            draw(n_shown=0)
    _, ax = plt.subplots()
    SummaryDisplay(TABLE).plot(ax)
    with pytest.raises(ValueError, match="already have bars of other features"):
        SummaryDisplay(TABLE[:2]).plot(ax)
