import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Lasso

from problems import simulate, simulate_classes
from shrinklin import (
    CostDisplay,
    CostMeter,
    CVDisplay,
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    HistoryDisplay,
    InformationCriterionDisplay,
    PathDisplay,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    SignChange,
    StabilityDisplay,
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


def test_tradeoff_display_of_other_sizes():
    curves = {"networks": ([30_000, 1000], [0.1, 0.2])}
    display = TradeoffDisplay(curves, size_name="parameters", log=True).plot()
    assert display.ax_.get_xlabel() == "parameters"
    assert display.ax_.get_xscale() == "log"
    assert TradeoffDisplay(curves).plot().ax_.get_xscale() == "linear"


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


def trained(estimator, removal=None):
    X, Y = simulate(60, 6, 2)
    solver = GradientDescent(max_epochs=50, removal=removal)
    return estimator.set_params(solver=solver, random_state=0).fit(X, Y)


@pytest.mark.parametrize("against", ["epoch", "neuron_epochs", "multiply_adds"])
def test_history_display_draws_the_history(against):
    model = trained(ShrinkNetRegressor(0.5), SignChange())
    display = HistoryDisplay.from_estimator(model, against=against)
    history = model.history_
    drawn = [line.get_ydata() for line in display.lines_]
    np.testing.assert_array_equal(drawn[0], history["loss"] + history["penalty"])
    np.testing.assert_array_equal(drawn[1], history["loss"])
    np.testing.assert_array_equal(drawn[2], history["n_alive"])
    for line in display.lines_:
        np.testing.assert_array_equal(line.get_xdata(), history[against])
    assert display.ax_.get_title() == "ShrinkNetRegressor"
    assert display.ax_.get_xlabel() == {"epoch": "epochs"}.get(against, against.replace("_", "-"))
    assert len(display.ax_.get_legend().get_texts()) == 3


def test_history_display_takes_a_training_of_the_group_lasso_and_a_given_axis():
    _, ax = plt.subplots()
    display = HistoryDisplay(trained(GroupLassoRegressor(0.1)).history_).plot(ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure


def of_network(loss):
    n_alive = np.array([30, 20, 20, 5])
    return {
        "epoch": np.arange(4),
        "loss": np.array(loss),
        "penalty": np.array([4.0, 3.0, 2.0, 1.0]),
        "n_alive": n_alive,
        "layer_sizes": {"0": n_alive - 2, "2": np.full(4, 2)},
    }


def test_history_display_of_a_network_draws_the_epochs_whose_loss_is_known():
    display = HistoryDisplay(of_network([np.nan, 0.5, np.nan, 0.125])).plot()
    objective, loss, left = display.lines_
    for line, values in ((objective, [3.5, 1.125]), (loss, [0.5, 0.125])):
        np.testing.assert_array_equal(line.get_xdata(), [1, 3])
        np.testing.assert_array_equal(line.get_ydata(), values)
    np.testing.assert_array_equal(left.get_ydata(), [30, 20, 20, 5])
    assert left.get_label() == display.ax_alive_.get_ylabel() == "units left"
    assert display.ax_.yaxis.get_visible()


def test_history_display_without_a_loss_draws_what_is_left():
    ax, unknown = plt.figure().add_subplot(), of_network([np.nan] * 4)
    first, second = (HistoryDisplay(unknown, name=name).plot(ax) for name in "ab")
    assert first.ax_alive_ is second.ax_alive_
    assert ax.lines[:] == []
    assert not ax.yaxis.get_visible()
    for display in (first, second):
        (left,) = display.lines_
        np.testing.assert_array_equal(left.get_ydata(), [30, 20, 20, 5])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "units left",
        "b: units left",
    ]
    # One whose loss is known gets its axis.
    HistoryDisplay(of_network([4.0, 3.0, 2.0, 1.0]), name="c").plot(ax)
    assert ax.yaxis.get_visible()
    ax.figure.canvas.draw()


def test_cost_display_draws_shares_of_the_first():
    models = {
        "plain": trained(ShrinkNetRegressor(0.5)),
        "pruned": trained(ShrinkNetRegressor(0.5), SignChange()),
        "exact": ShrinkNetRegressor(0.5).fit(*simulate(60, 6, 2)),
    }
    display = CostDisplay.from_estimators(models)
    costs = [model.cost_ for model in models.values()]
    for bars, cost in zip(display.bars_, costs, strict=True):
        expected = [
            cost.neuron_epochs / costs[0].neuron_epochs,
            cost.parameter_updates / costs[0].parameter_updates,
            cost.multiply_adds / costs[0].multiply_adds,
        ]
        np.testing.assert_allclose([bar.get_width() for bar in bars], expected)
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == ["neuron-epochs", "parameter updates", "multiply-adds"]
    assert display.ax_.get_xlabel() == "relative to plain"
    assert len(display.bars_) == 3


def test_cost_display_takes_a_meter_that_has_counted_nothing():
    display = CostDisplay({"none": CostMeter(), "one": CostMeter(1, 1, 1, 1)}).plot()
    assert [bar.get_width() for bar in display.bars_[1]] == [1, 1, 1]


# --- more than one drawing on the same axes, or on axes that share one

WIDE, NARROW = np.geomspace(10, 0.01, 4), np.geomspace(1, 0.1, 4)


def draw_path(alphas, ax):
    X, Y = simulate(20, 3, 2)
    PathDisplay(regularization_path(GroupLassoRegressor(), X, Y, alphas=alphas), name="a").plot(ax)


def draw_search(alphas, ax):
    scores = np.random.default_rng(0).normal(size=(4, 3))
    CVDisplay(alphas, scores, [0, 1, 2, 3], alpha=alphas[1], name="a").plot(ax)


def draw_criterion(alphas, ax):
    criteria = [np.inf, 2.0, 1.0, 3.0]
    InformationCriterionDisplay(alphas, criteria, [0, 1, 2, 3], alphas[2], "bic").plot(ax)


OVER_ALPHA = [draw_path, draw_search, draw_criterion]


@pytest.mark.parametrize("order", [(WIDE, NARROW), (NARROW, WIDE)])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("draw", OVER_ALPHA)
def test_the_penalty_weakens_to_the_right_however_often_one_draws(draw, shared, order):
    # Mutants: invert_xaxis, which inverts back; limits of the last drawing alone.
    _, axes = (
        plt.subplots(1, 2, sharex=True) if shared else [None, [plt.figure().add_subplot()] * 2]
    )
    for alphas, ax in zip(order, axes, strict=True):
        draw(alphas, ax)
    for ax in axes:
        left, right = ax.get_xlim()
        assert left > 10
        assert right < 0.01
        assert ax.get_xscale() == "log"


@pytest.mark.parametrize("draw", OVER_ALPHA)
def test_an_alpha_of_zero_is_drawn_beside_others(draw):
    for order in ([WIDE, np.append(WIDE[1:], 0)], [np.append(WIDE[1:], 0), WIDE]):
        ax = plt.figure().add_subplot()
        for alphas in order:
            draw(alphas, ax)
        left, right = ax.get_xlim()
        assert ax.get_xscale() == "linear"
        assert right < 0 < 10 < left


@pytest.mark.parametrize("draw", OVER_ALPHA[1:])
def test_models_on_the_same_axes_are_told_apart(draw):
    ax = plt.figure().add_subplot()
    draw(WIDE, ax)
    once = {line.get_color() for line in ax.lines} - {"0.8"}
    draw(NARROW, ax)
    both = {line.get_color() for line in ax.lines} - {"0.8"}
    assert len(both) == 2 * len(once)
    ax.figure.canvas.draw()
    heights = [axis.get_window_extent().y0 for axis in ax.child_axes]
    assert heights[1] > heights[0]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert sum("chosen" in label for label in legend) == 2


def test_titles_name_all_models_once():
    ax = plt.figure().add_subplot()
    path = paths()[2]["ShrinkNet"]
    for name in ("one", "two", "one"):
        PathDisplay(path, name=name).plot(ax)
    assert ax.get_title() == "one, two"
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert any(label.startswith("two: feature") for label in labels)


def test_trainings_on_the_same_axes_share_the_right_axis():
    ax = plt.figure().add_subplot()
    models = trained(ShrinkNetRegressor(0.5), SignChange()), trained(GroupLassoRegressor(0.1))
    first, second = (
        HistoryDisplay(model.history_, name=n).plot(ax)
        for model, n in zip(models, "ab", strict=True)
    )
    assert first.ax_alive_ is second.ax_alive_
    assert len({line.get_color() for line in [*ax.lines, *first.ax_alive_.lines]}) == 4
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(labels) == len(set(labels)) == 6
    bottom, top = first.ax_alive_.get_ylim()
    assert bottom == 0
    assert top >= max(model.history_["n_alive"].max() for model in models)
    _, axes = plt.subplots(1, 2, sharex=True)
    apart = [
        HistoryDisplay(model.history_).plot(a).ax_alive_
        for model, a in zip(models, axes, strict=True)
    ]
    assert apart[0] is not apart[1]


def test_a_history_that_ends_at_zero_is_drawn_beside_others():
    ax = plt.figure().add_subplot()
    for last in (1e-3, 0.0):
        steps = {"epoch": np.arange(3), "penalty": np.zeros(3), "n_alive": np.ones(3)}
        HistoryDisplay({**steps, "loss": np.array([1.0, 0.1, last])}).plot(ax)
    assert ax.get_yscale() == "linear"


def test_costs_stay_in_order_however_often_one_draws():
    _, axes = plt.subplots(1, 2, sharey=True)
    for ax in [*axes, *axes]:
        CostDisplay({"one": CostMeter(1, 1, 1, 1)}).plot(ax)
        assert ax.yaxis_inverted()


def test_bars_get_no_names_of_others():
    def frequencies(*shares):
        return StabilityDisplay(shares, feature_names=list("abc"))

    _, axes = plt.subplots(1, 2, sharey=True)
    frequencies(1.0, 0.5, 0.2).plot(axes[0])
    frequencies(0.9, 0.6, 0.1).plot(axes[1])
    with pytest.raises(ValueError, match="which would get the wrong names: give separate axes"):
        frequencies(0.1, 0.5, 1.0).plot(axes[1])


def test_bad_input_is_named():
    exact = GroupLassoRegressor().fit(*simulate(60, 6, 2))
    with pytest.raises(
        ValueError, match=r"GroupLassoRegressor.. has no history_: give an estimator of"
    ):
        HistoryDisplay.from_estimator(exact)
    with pytest.raises(ValueError, match=r'against=.time.: give one of "epoch"'):
        HistoryDisplay({}).plot(against="time")
    with pytest.raises(ValueError, match=r"Lasso.. has no cost_: give estimators of shrinklin"):
        CostDisplay.from_estimators({"a": Lasso().fit(*simulate(60, 6, 2))})
    with pytest.raises(ValueError, match="costs is empty"):
        CostDisplay({})
    for display in (HistoryDisplay.from_estimator, lambda e: CostDisplay.from_estimators({"a": e})):
        with pytest.raises(NotFittedError):
            display(GroupLassoRegressor())
    _, _, found = paths()
    with pytest.raises(
        ValueError, match="feature_names has 2 entries, but the path has 6 features"
    ):
        PathDisplay(found["group lasso"], feature_names=["a", "b"])
    with pytest.raises(ValueError, match="of curve 'a' have shapes"):
        TradeoffDisplay({"a": ([1, 2], [1.0])})


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"plot\(\) needs matplotlib .*pip install .matplotlib"):
        TradeoffDisplay({"a": ([1], [1.0])}).plot()
