import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from problems import simulate, simulate_classes
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoRegressor,
    PathDisplay,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    TradeoffDisplay,
    regularization_path,
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def paths():
    X, Y = simulate(60, 6, 2)
    models = {"group lasso": GroupLassoRegressor(), "ShrinkNet": ShrinkNetRegressor()}
    return X, Y, {k: regularization_path(m, X, Y, alphas=8) for k, m in models.items()}


def test_path_display_draws_the_norms():
    path = paths()[2]["group lasso"]
    display = PathDisplay(path, name="title").plot(n_named=2)
    norms = np.linalg.norm(path.coefs, axis=1)
    drawn = np.array([line.get_ydata() for line in display.lines_])
    order = np.argsort(-norms.max(axis=0), kind="stable")[: len(drawn)]
    np.testing.assert_allclose(drawn, norms.T[order])
    np.testing.assert_allclose(display.lines_[0].get_xdata(), path.alphas)
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_xlabel()
    assert display.ax_.get_ylabel()
    assert display.ax_.get_title() == "title"
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == [f"feature {j}" for j in order[:2]]


def test_path_display_from_estimator_takes_names_and_axes():
    X, Y = simulate(60, 3, 2)
    frame = pd.DataFrame(X, columns=["height", "width", "depth"])
    _, ax = plt.subplots()
    display = PathDisplay.from_estimator(ShrinkNetRegressor(), frame, Y, ax=ax, alphas=5)
    assert display.ax_ is ax
    assert len(display.path.alphas) == 5
    assert {line.get_label() for line in display.lines_} <= {"height", "width", "depth"}


def test_a_path_of_empty_models_can_be_drawn():
    X, Y = simulate(20, 3, 2)
    path = regularization_path(GroupLassoRegressor(), X, Y, alphas=[1e6])
    assert PathDisplay(path).plot().lines_ == []


def test_tradeoff_display_draws_every_path():
    X, Y, found = paths()
    display = TradeoffDisplay.from_paths(found, X, Y, loss_name="training MSE")
    for (name, path), line in zip(found.items(), display.lines_, strict=True):
        assert line.get_label() == name
        np.testing.assert_array_equal(line.get_xdata(), path.n_selected)
        np.testing.assert_allclose(line.get_ydata(), path.mean_squared_errors(X, Y))
    assert display.ax_.get_ylabel() == "training MSE"


@pytest.mark.parametrize("n_classes", [2, 3])
def test_tradeoff_display_of_classifiers_shows_the_log_loss(n_classes):
    X, codes = simulate_classes(60, 6, n_classes)
    y = np.array(["a", "b", "c"])[codes]
    models = {"group lasso": GroupLassoClassifier(), "ShrinkNet": ShrinkNetClassifier()}
    found = {k: regularization_path(m, X, y, alphas=4, eps=0.1) for k, m in models.items()}
    display = TradeoffDisplay.from_paths(found, X, y)
    assert display.ax_.get_ylabel() == "log-loss"
    for path, line in zip(found.values(), display.lines_, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), path.n_selected)
        np.testing.assert_allclose(line.get_ydata(), path.log_losses(X, y))
    named = TradeoffDisplay.from_paths(found, X, y, loss_name="held-out log-loss")
    assert named.ax_.get_ylabel() == "held-out log-loss"


def test_the_loss_of_regressors_is_named_too():
    X, Y, found = paths()
    assert TradeoffDisplay.from_paths(found, X, Y).ax_.get_ylabel() == "mean squared error"


@pytest.mark.parametrize("n_classes", [2, 3])
def test_path_display_of_a_classifier(n_classes):
    X, y = simulate_classes(60, 3, n_classes)
    frame = pd.DataFrame(X, columns=["height", "width", "depth"])
    display = PathDisplay.from_estimator(GroupLassoClassifier(), frame, y, alphas=5)
    norms = np.linalg.norm(display.path.coefs, axis=1)
    assert display.ax_.get_title() == "GroupLassoClassifier"
    assert len(display.lines_) == norms.any(axis=0).sum() > 0
    for line in display.lines_:
        column = ["height", "width", "depth"].index(line.get_label())
        np.testing.assert_allclose(line.get_ydata(), norms[:, column])


def test_bad_input_is_named():
    _, _, found = paths()
    with pytest.raises(ValueError, match="feature_names has 2 entries, the path 6 features"):
        PathDisplay(found["group lasso"], feature_names=["a", "b"])
    with pytest.raises(ValueError, match="curve 'a' has"):
        TradeoffDisplay({"a": ([1, 2], [1.0])})


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"shrinklin\[plot\]"):
        TradeoffDisplay({"a": ([1], [1.0])}).plot()
