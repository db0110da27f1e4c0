"""The plot of cross-validation, and the example that compares it with GridSearchCV."""

import runpy
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from searches import data_for
from shrinklin import (
    CVDisplay,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
)

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("scoring", [None, "r2"])
def test_display(scoring):
    X, Y = data_for(GroupLassoRegressorCV)
    model = GroupLassoRegressorCV(alphas=9, scoring=scoring).fit(X, Y)
    display = CVDisplay.from_estimator(model)
    sign = -1 if scoring is None else 1
    np.testing.assert_allclose(
        display.line_.get_ydata(), sign * model.cv_scores_.mean(axis=1), rtol=1e-12
    )
    assert display.ax_.get_ylabel() == ("mean squared error" if scoring is None else "r2")
    means = display.line_.get_ydata()
    best = int((sign * means).argmax())
    _, dot = (
        line for line in display.ax_.lines if line.get_label() in ("mean over folds", "best mean")
    )
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (model.alphas_[best], means[best])
    error = model.cv_scores_[best].std(ddof=1) / np.sqrt(5)
    (edge,) = (x for x in display.ax_.lines if x.get_label().startswith("one standard error"))
    assert edge.get_ydata()[0] == pytest.approx(means[best] - sign * error)
    band = display.ax_.collections[0].get_paths()[0].vertices
    at_best = band[np.isclose(band[:, 0], model.alphas_[best]), 1]
    assert {round(abs(y - means[best]) / error, 6) for y in at_best} == {1.0}
    labels = [text.get_text() for text in display.ax_selected_.get_xticklabels()]
    assert labels[0] == str(model.n_selected_[0])
    assert labels[-1] == str(model.n_selected_[-1])
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert f"{model.get_support().sum()} features" in legend[-1]


def test_display_of_something_else():
    X, Y = data_for(GroupLassoRegressorCV)
    with pytest.raises(ValueError, match="has no cv_scores_"):
        CVDisplay.from_estimator(GroupLassoRegressor().fit(X, Y))
    with pytest.raises(ValueError, match="lengths"):
        CVDisplay([1.0, 0.5], np.ones((3, 2)), [1, 2], alpha=1.0)
    with pytest.raises(ValueError, match="not among the alphas"):
        CVDisplay([1.0, 0.5], np.ones((2, 2)), [1, 2], alpha=0.7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = CVDisplay([1.0], np.ones((1, 1)), [1], alpha=1.0, score_name="r2").plot()
    assert one.line_.get_ydata() == [1.0]


def test_the_example_runs_and_draws(tmp_path, monkeypatch, capsys):
    picture = tmp_path / "choosing_alpha.png"
    monkeypatch.setattr(sys, "argv", ["choosing_alpha.py", "--out", str(picture), "--alphas", "20"])
    runpy.run_path(str(ROOT / "examples" / "reports" / "choosing_alpha.py"), run_name="__main__")
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:-1]]
    found = {row[0]: np.array(row[-3:], float) for row in rows}
    # Both find the same alpha, number of features and error.
    np.testing.assert_array_equal(found["GridSearchCV"], found["GroupLassoRegressorCV"])
    assert found["ShrinkNetRegressorCV,"][1] < found["...,"][1] < found["GridSearchCV"][1]
    assert picture.stat().st_size > 10_000
