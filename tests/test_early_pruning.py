"""The removal study: what is measured, against slow loops; what is concluded, on made-up tables."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, mean_squared_error

import datasets
from experiments import early_pruning
from experiments.early_pruning import (
    ANNEALING,
    COSTS,
    NONE,
    SIGN_CHANGE,
    SIGN_VARIANCE,
    THRESHOLD,
    EarlyPruning,
    Grid,
    relative,
    saves_updates,
    trades_off,
)
from experiments.experiment import Outcome
from experiments.run import Place, run
from shrinklin import GradientDescent, ShrinkNetClassifier, ShrinkNetRegressor, SignChange

pytestmark = pytest.mark.untraced

EPOCHS = 120
SMALL = Grid(
    n_gammas=6, thresholds=(1e-2, 3e-1), annealing=((0.25, 10.0),), n_seeds=2, epochs=EPOCHS
)


def cell(strategy=NONE, parameter=None, mu=None, lam=0.1, seed=0, epochs=EPOCHS):
    return {
        "lambda_mse": lam,
        "strategy": strategy,
        "parameter": parameter,
        "mu": mu,
        "epochs": epochs,
        "seed": seed,
    }


@pytest.fixture(scope="module")
def data():
    return EarlyPruning().load("digits-completion", True, None)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run like the quick one, only shorter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(early_pruning, "_QUICK", SMALL)
        place = Place(tmp_path_factory.mktemp("results"), quiet=True)
        return run(EarlyPruning(), "digits-completion", True, place)


# --- What is measured -------------------------------------------------------------------


def like(name, n_features=100):
    return SimpleNamespace(X=np.zeros((3, n_features)), card=SimpleNamespace(name=name))


@pytest.mark.parametrize(
    ("name", "lambdas"), [("oes97", [0.1, 3.6e-3]), ("scm1d-twin", [0.1, 1e-3])]
)
def test_the_grid_is_that_of_the_drafts(name, lambdas):
    jobs = EarlyPruning().jobs(like(name), False)
    assert all(len(job) == 1 for job in jobs)
    table = pd.DataFrame([job[0] for job in jobs])
    assert not table.duplicated().any()
    assert list(table["lambda_mse"].unique()) == lambdas
    # So many trainings of every setting, and 15 γ, the baseline, sign change, 3 + 4 more.
    counts = table.groupby(["lambda_mse", "strategy", "parameter", "mu"], dropna=False).size()
    assert (counts == 30).all()
    assert len(counts) == 2 * (15 + 2 + 3 + 4)
    assert set(table["seed"]) == set(range(30))
    assert (table["epochs"] == 7000).all()
    gammas = table.loc[table["strategy"] == SIGN_VARIANCE, "parameter"].unique()
    np.testing.assert_allclose(np.log10(gammas), np.linspace(0, -5, 15), atol=3e-6)
    kept = table.loc[table["strategy"] == ANNEALING, "parameter"].unique()
    assert list(kept) == [5, 25]


def test_noise_is_added_in_the_quick_form_alone(data):
    bare = EarlyPruning().load("digits-completion", False, None)
    known = datasets.load("digits-completion").standardized()
    np.testing.assert_array_equal(bare.X, known.X)
    assert data.X.shape == (1797, 96)
    assert len(data.feature_names) == 96
    np.testing.assert_array_equal(data.X[:, :32], bare.X)
    np.testing.assert_array_equal(data.y, bare.y)
    noise = data.X[:, 32:]
    np.testing.assert_allclose(noise.std(axis=0), 1)
    assert np.abs(noise.T @ data.X / len(noise) - np.eye(64, 96, 32)).max() < 0.15


def dead(strategy, parameter, beta, previous, memory):
    """As the drafts describe the strategies."""
    sign, before = np.sign(beta), np.sign(previous)
    if strategy == SIGN_CHANGE:
        return sign != before
    gamma = 1 - parameter
    mean, variance = memory or (before, 0 * before)
    variance = gamma * variance + (1 - gamma) * (sign - mean) ** 2
    memory[:] = gamma * mean + (1 - gamma) * sign, variance
    return variance > 0.5


def slow_training(X, Y, cell):
    """The same training with nothing taken out of any array, in the drafts' scaling."""
    (n, p), q = X.shape, Y.shape[1]
    rng = np.random.RandomState(cell["seed"])
    A = rng.standard_normal((p, q)) / np.sqrt(p)
    beta, b = rng.standard_normal(p), Y.mean(axis=0)
    squares, memory = [0.0, 0.0, 0.0], []
    alive, neuron_epochs, updates = np.ones(p, dtype=bool), 0, 0
    for _ in range(cell["epochs"]):
        neuron_epochs += alive.sum()
        updates += alive.sum() * (q + 1) + q
        residual = X @ (beta[:, None] * A) + b - Y
        in_W = 2 * X.T @ residual / (n * q)
        gradients = [
            beta[:, None] * in_W + 2e-8 * A,
            (A * in_W).sum(axis=1) + cell["lambda_mse"] * np.sign(beta),
            2 * residual.mean(axis=0) / q,
        ]
        squares = [square + g**2 for square, g in zip(squares, gradients, strict=True)]
        steps = [
            0.05 * g / (np.sqrt(square) + 1e-12)
            for g, square in zip(gradients, squares, strict=True)
        ]
        previous = beta
        A, beta, b = A - steps[0], beta - steps[1], b - steps[2]
        if cell["strategy"] != NONE:
            alive &= ~dead(cell["strategy"], cell["parameter"], beta, previous, memory)
        beta = np.where(alive, beta, 0.0)
    loss = mean_squared_error(Y, X @ (beta[:, None] * A) + b)
    penalty = cell["lambda_mse"] * np.abs(beta).sum() + 1e-8 * (A[alive] ** 2).sum()
    return loss, loss + penalty, alive.sum(), neuron_epochs, updates


@pytest.mark.parametrize(
    ("strategy", "parameter"),
    [(NONE, None), (SIGN_CHANGE, None), (SIGN_VARIANCE, 0.1), (SIGN_VARIANCE, 0.02)],
)
def test_a_training_is_what_a_slow_loop_finds(data, strategy, parameter):
    asked = cell(strategy, parameter, seed=3)
    (found,) = EarlyPruning().measure([asked], data)
    loss, objective, *counts = slow_training(data.X, data.y, asked)
    np.testing.assert_allclose([found["loss"], found["objective"]], [loss, objective], rtol=1e-7)
    assert [found["n_features"], *(found[name] for name in COSTS[:2])] == counts
    if strategy != NONE:
        assert found["n_features"] < 96
        # Mutants: another λ, another γ.
        for changes in ({"lambda_mse": 0.1 * 16}, {"strategy": NONE}):
            (other,) = EarlyPruning().measure([{**asked, **changes}], data)
            assert other["neuron_epochs"] != found["neuron_epochs"]


def test_losses_are_those_of_predictions(data):
    model = ShrinkNetRegressor(
        alpha=0.1 * 32 / 2,
        weight_decay=1e-8 * 32 / 2,
        solver=GradientDescent(max_epochs=EPOCHS, learning_rate=0.05, removal=SignChange()),
        random_state=1,
    ).fit(data.X, data.y)
    (found,) = EarlyPruning().measure([cell(SIGN_CHANGE, seed=1)], data)
    loss = mean_squared_error(data.y, model.predict(data.X))
    assert found["loss"] == pytest.approx(loss, rel=1e-10)
    penalty = 0.1 * np.abs(model.switch_).sum() + 1e-8 * (model.weight_**2).sum()
    assert found["objective"] == pytest.approx(loss + penalty, rel=1e-10)
    assert found["multiply_adds"] == model.cost_.multiply_adds


def test_losses_of_classes_are_log_losses():
    data = EarlyPruning().load("digits", False, None)
    (found,) = EarlyPruning().measure([cell(SIGN_CHANGE, lam=0.01)], data)
    model = ShrinkNetClassifier(
        alpha=0.01,
        weight_decay=1e-8,
        solver=GradientDescent(max_epochs=EPOCHS, learning_rate=0.05, removal=SignChange()),
        random_state=0,
    ).fit(data.X, data.y)
    loss = log_loss(data.y, model.predict_proba(data.X))
    assert found["loss"] == pytest.approx(loss, rel=1e-8)
    # It learnt something, and is no better than scikit-learn's with hardly any penalty.
    best = LogisticRegression(C=1e3, max_iter=300).fit(data.X, data.y)
    assert log_loss(data.y, best.predict_proba(data.X)) < loss < 0.5 * np.log(10)


def test_a_result_depends_on_the_cell_alone(data):
    cells = [cell(SIGN_VARIANCE, 0.01, seed=seed) for seed in (0, 1)] + [cell(ANNEALING, 9, 10.0)]
    together = EarlyPruning().measure(cells, data)
    alone = [EarlyPruning().measure([one], data)[0] for one in reversed(cells)]
    assert together == alone[::-1]
    assert together[0]["loss"] != together[1]["loss"]
    assert together[2]["n_features"] == 9


def test_strategies_of_a_run_begin_at_the_same_point(finished):
    columns = ["loss", "objective", "n_features", *COSTS]
    groups = finished.table.fillna({"parameter": 0.0}).groupby(["strategy", "parameter"])
    at = {setting: rows[columns].to_numpy() for setting, rows in groups}
    # γ = 0 is the sign change; γ = 1 − 1e-5 waits for longer than there are epochs.
    np.testing.assert_array_equal(at[SIGN_VARIANCE, 1.0], at[SIGN_CHANGE, 0])
    np.testing.assert_array_equal(at[SIGN_VARIANCE, 1e-5], at[NONE, 0])
    assert (at[SIGN_VARIANCE, 0.1] != at[SIGN_CHANGE, 0]).any()
    assert (at[THRESHOLD, 0.3] != at[THRESHOLD, 0.01]).any()
    assert finished.table["warning"].isna().all()


# --- What is concluded ------------------------------------------------------------------

GAMMAS = [1.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5]
BASE = {0: 2.0, 1: 4.0, 2: 3.0}


def made_up(cost, loss, change=None, lam=0.1, noise=0.0):
    """Rows of one λ: shares of cost and ratios of loss at every 1 − γ, and of sign change.

    Baselines differ from seed to seed by much more than strategies do; `noise` moves
    ratios up and down between seeds.
    """
    settings = [(NONE, None, 1.0, 1.0), (SIGN_CHANGE, None, *(change or (cost[0], loss[0])))]
    settings += [(SIGN_VARIANCE, *setting) for setting in zip(GAMMAS, cost, loss, strict=True)]
    rows = []
    for strategy, parameter, share, ratio in settings:
        for seed, base in BASE.items():
            moved = 0 if strategy == NONE else noise * (seed - 1)
            costs = dict.fromkeys(COSTS, share * 1000 * (seed + 1))
            value = base * (ratio + moved)
            measured = {"loss": value, "objective": value + 1, "n_features": 7, **costs}
            rows.append({**cell(strategy, parameter, lam=lam, seed=seed), **measured})
    return pd.DataFrame(rows).astype({"parameter": float, "mu": float})


CHEAP = [0.03, 0.04, 0.05, 0.09, 0.6, 1.0]
DEAR = [0.4, 0.41, 0.42, 0.5, 0.6, 1.0]
FALLING = [1.03, 1.02, 1.01, 1.004, 1.002, 1.0]
FLAT = [1.0] * 6


def both(first, second):
    return pd.concat([made_up(**first), made_up(**second, lam=1e-3)], ignore_index=True)


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ({"cost": CHEAP, "loss": FALLING}, {"cost": CHEAP, "loss": FLAT}, Outcome.CONFIRMED),
        ({"cost": CHEAP, "loss": FALLING}, {"cost": DEAR, "loss": FLAT}, Outcome.CONDITIONAL),
        # γ alone, at one λ; the sign change alone, at one λ and at both.
        (
            {"cost": CHEAP, "loss": FALLING, "change": (0.03, 1.3)},
            {"cost": CHEAP, "loss": FLAT},
            Outcome.CONDITIONAL,
        ),
        (
            {"cost": DEAR, "loss": FLAT, "change": (0.03, 1.0)},
            {"cost": CHEAP, "loss": FLAT},
            Outcome.CONDITIONAL,
        ),
        (
            {"cost": DEAR, "loss": FLAT, "change": (0.03, 1.0)},
            {"cost": DEAR, "loss": FLAT, "change": (0.03, 1.0)},
            Outcome.NOT_CONFIRMED,
        ),
        # Only that γ which is the sign change, and one more: no range.
        (
            {"cost": [0.03, 0.09, 0.2, 0.4, 0.6, 1.0], "loss": FLAT},
            {"cost": CHEAP, "loss": FLAT},
            Outcome.CONDITIONAL,
        ),
        ({"cost": DEAR, "loss": FLAT}, {"cost": DEAR, "loss": FLAT}, Outcome.NOT_CONFIRMED),
        # On either side of a tenth of the updates and of a twentieth of the loss.
        (
            {"cost": [0.099] * 6, "loss": [1.049] * 6},
            {"cost": [0.11] * 6, "loss": FLAT},
            Outcome.CONDITIONAL,
        ),
        # At one γ of each λ: most settings say the opposite.
        (
            {"cost": [0.03, *DEAR[1:]], "loss": FLAT, "change": (0.4, 1.0)},
            {"cost": DEAR, "loss": FLAT},
            Outcome.NOT_CONFIRMED,
        ),
        (
            {"cost": [0.11] * 6, "loss": FLAT},
            {"cost": CHEAP, "loss": [1.06] * 6},
            Outcome.NOT_CONFIRMED,
        ),
        # Few updates for a model that is no good.
        (
            {"cost": CHEAP, "loss": [1.2] * 4 + [1.1, 1.0]},
            {"cost": DEAR, "loss": FLAT},
            Outcome.NOT_CONFIRMED,
        ),
    ],
)
def test_verdict_on_updates(first, second, outcome):
    assert saves_updates(both(first, second)).outcome is outcome


def test_verdict_on_updates_says_which_settings(finished):
    verdict = saves_updates(both({"cost": CHEAP, "loss": FALLING}, {"cost": DEAR, "loss": FLAT}))
    assert "λ = 0.1: sign change 3.0 % of updates, loss × 1.030" in verdict.figures
    assert "at 4 of 6 γ (1 − γ = 1 to 0.001) 9.0 % of updates" in verdict.figures
    assert "9.0 % of updates, loss × 1.030, with loss at most × 1.01 at 2;" in verdict.figures
    assert "λ = 0.001: sign change 40.0 % of updates, loss × 1.000" in verdict.figures
    assert "at no γ (1 − γ = 1: 40.0 % of updates" in verdict.figures
    assert [str(one) for one in finished.verdicts]


RISING = FALLING[::-1]


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ({"cost": CHEAP, "loss": FALLING}, {"cost": DEAR, "loss": FALLING}, Outcome.CONFIRMED),
        ({"cost": CHEAP, "loss": FALLING}, {"cost": CHEAP, "loss": FLAT}, Outcome.CONDITIONAL),
        # Cost follows γ, loss does not.
        ({"cost": CHEAP, "loss": FLAT}, {"cost": CHEAP, "loss": RISING}, Outcome.NOT_CONFIRMED),
        # Loss falls, by less than a deviation of seeds and more than two errors of their mean.
        (
            {"cost": CHEAP, "loss": FALLING, "noise": 0.02},
            {"cost": CHEAP, "loss": FALLING},
            Outcome.CONFIRMED,
        ),
        # Loss falls, by less than it varies between seeds, or in digits that do not count.
        (
            {"cost": CHEAP, "loss": FALLING, "noise": 0.1},
            {"cost": CHEAP, "loss": FALLING},
            Outcome.CONDITIONAL,
        ),
        (
            {"cost": CHEAP, "loss": [1 + 1e-6 * k for k in range(5, -1, -1)]},
            {"cost": CHEAP, "loss": FALLING},
            Outcome.CONDITIONAL,
        ),
        (
            {"cost": CHEAP[::-1], "loss": FALLING},
            {"cost": CHEAP, "loss": FLAT},
            Outcome.NOT_CONFIRMED,
        ),
        ({"cost": FLAT, "loss": FLAT}, {"cost": FLAT, "loss": FLAT}, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_gamma(first, second, outcome):
    assert trades_off(both(first, second)).outcome is outcome


def test_what_is_relative_is_so_to_the_same_start():
    table = made_up(CHEAP, FALLING)
    for mixed in (table, table.sample(frac=1, random_state=0)):
        found = relative(mixed)
        gammas = found[found["strategy"] == SIGN_VARIANCE].sort_values(["seed", "parameter"])
        np.testing.assert_allclose(gammas["loss_ratio"], 3 * FALLING[::-1])
        np.testing.assert_allclose(gammas["parameter_updates_share"], 3 * CHEAP[::-1])
        assert (found.loc[found["strategy"] == NONE, "loss_ratio"] == 1).all()
    # Mutant: relative to the mean of the baselines, where seeds do not cancel.
    base = table.loc[table["strategy"] == NONE, "loss"].mean()
    assert (table["loss"] / base).std() > 10 * relative(table)["loss_ratio"].std()


# --- What is shown ----------------------------------------------------------------------


def test_the_summary_has_means_over_seeds(finished):
    summary, table = finished.summary, finished.table
    assert len(summary) == len(table) / SMALL.n_seeds
    chosen = (summary["strategy"] == SIGN_VARIANCE) & (summary["parameter"] == 0.01)
    row = summary[chosen & (summary["lambda_mse"] == 0.1)].iloc[0]
    at_lambda = table[table["lambda_mse"] == 0.1]
    of_row = at_lambda[(at_lambda["strategy"] == SIGN_VARIANCE) & (at_lambda["parameter"] == 0.01)]
    base = at_lambda[at_lambda["strategy"] == NONE]
    ratios = of_row["loss"].to_numpy() / base["loss"].to_numpy()
    assert row["loss / baseline"] == pytest.approx(ratios.mean())
    assert row["±"] == pytest.approx(ratios.std(ddof=1))
    shares = of_row["parameter_updates"].to_numpy() / base["parameter_updates"].to_numpy()
    assert row["parameter updates %"] == pytest.approx(100 * shares.mean())
    assert row["features"] == of_row["n_features"].mean()


def test_the_figure_shows_the_means(finished):
    import matplotlib.pyplot as plt

    figure = EarlyPruning().draw(finished.table)
    panels = figure.axes
    assert len(panels) == 6
    summary = finished.summary
    for row, lam in enumerate(summary["lambda_mse"].unique()):
        gammas = summary[(summary["lambda_mse"] == lam) & (summary["strategy"] == SIGN_VARIANCE)]
        curves = {"loss": panels[3 * row], "neuron-epochs %": panels[3 * row + 1]}
        for name, panel in curves.items():
            assert panel.get_xscale() == "log"
            np.testing.assert_allclose(panel.lines[0].get_xdata(), gammas["parameter"])
            np.testing.assert_allclose(panel.lines[0].get_ydata(), gammas[name])
        assert panels[3 * row + 1].get_yscale() == "log"
    # Every other setting is a point of the third column, with its own mark in the legend.
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert len(names) == len(set(names)) == 6
    assert "threshold 0.3" in names
    assert "annealing to 24, μ = 10" in names
    plt.close(figure)


def test_a_figure_of_one_seed_has_no_bands(data):
    import matplotlib.pyplot as plt

    table = made_up(CHEAP, FALLING).query("seed == 0")
    plt.close(EarlyPruning().draw(table))
    assert trades_off(table).outcome in Outcome
