"""The experiment `tradeoff`: what it measures, how it compares, what it says of the claims."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, MultiTaskLasso
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

import datasets
from experiments import tradeoff
from experiments.experiment import Outcome
from experiments.tradeoff import Tradeoff
from experiments.tradeoff.comparison import Comparison, compare
from experiments.tradeoff.curves import best_within, curve, frontier, loss_at
from experiments.tradeoff.measures import facts, relative_loss
from experiments.tradeoff.models import Model, exact_path
from experiments.tradeoff.rows import Part, parts
from experiments.tradeoff.settings import (
    ALL,
    EXACT,
    GROUP_LASSO,
    LAMBDAS,
    MOST_ROWS_QUICK,
    REFITTED,
    SHRINKNET,
    SHRINKNET_1,
    TRAINED,
    TRAINED_LASSO,
    TRAINED_SHRINKNET,
)
from experiments.tradeoff.verdicts import as_low_as_convex, closer_exact
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
)

pytestmark = pytest.mark.untraced

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="module")
def completion():
    return Tradeoff().load("digits-completion", True, None)


@pytest.fixture(scope="module")
def done(completion):
    """Some of the quick run's jobs, measured, as a table."""
    jobs = Tradeoff().jobs(completion, True)
    return table_of_jobs(completion, [job for job in jobs if wanted(job[0])])


def wanted(cell):
    method, fold, step = (cell[key] for key in ("method", "fold", "step"))
    if method in TRAINED:
        return fold == "0" and step == {TRAINED_LASSO: 6, TRAINED_SHRINKNET: 5}[method]
    if method in (SHRINKNET, SHRINKNET_1):
        return fold in {SHRINKNET: (ALL, "1"), SHRINKNET_1: ("1",)}[method]
    return True


def table_of_jobs(data, jobs):
    rows = [
        {**cell, **found}
        for job in jobs
        for cell, found in zip(job, Tradeoff().measure(job, data), strict=True)
    ]
    assert len({tuple(row) for row in rows}) == 1
    return pd.DataFrame(rows).astype({"held_out_loss": float, "residual": float})


@pytest.fixture(scope="module")
def cancer():
    return Tradeoff().load("breast_cancer", True, None)


# What is measured, against scikit-learn and against estimators fitted here.


def scaled(table, train):
    """With scikit-learn; columns that are constant in training say nothing."""
    found = StandardScaler().fit(table[train]).transform(table)
    found[:, (table[train] == table[train][0]).all(axis=0)] = 0
    return found


def split(data, fold):
    """X_train, Y_train, X_test, Y_test of a regression."""
    if fold == ALL:
        train = test = np.arange(len(data.X))
    else:
        train, test = list(KFold(2, shuffle=True, random_state=0).split(data.X))[int(fold)]
    X, Y = scaled(data.X, train), scaled(data.y, train)
    return X[train], Y[train], X[test], Y[test]


def relative_error(Y, predicted):
    # Not r2_score, which overlooks errors in targets that are constant on these rows.
    constant = np.broadcast_to(Y.mean(axis=0), Y.shape)
    return mean_squared_error(Y, predicted) / mean_squared_error(Y, constant)


def row_of(table, method, fold, step):
    rows = table[(table["method"] == method) & (table["fold"] == fold) & (table["step"] == step)]
    assert len(rows) == 1
    return rows.iloc[0]


def check_row(row, models, rows, tolerance=1e-4):
    """Losses and numbers of features of a row are those of one of the models."""
    X, Y, X_test, Y_test = rows
    error = []
    for model in models:
        found = [relative_error(Y, model.predict(X)), relative_error(Y_test, model.predict(X_test))]
        seen = [row["training_loss"], row["held_out_loss"]]
        if row["fold"] == ALL:
            assert np.isnan(seen[1])
            seen[1] = seen[0]
        error.append(np.abs(np.subtract(found, seen)).max())
    assert min(error) < tolerance
    coef = models[np.argmin(error)].coef_
    assert row["n_features"] == (np.abs(coef) >= 1e-3).any(axis=0).sum()
    assert row["n_columns"] == X.shape[1]
    assert row["sparsity"] == 1 - row["n_features"] / X.shape[1]


@pytest.mark.parametrize("fold", [ALL, "0", "1"])
@pytest.mark.parametrize("step", [3, 12, 20])
def test_group_lasso_and_its_refit_are_scikit_learns(done, completion, fold, step):
    rows = split(completion, fold)
    row = row_of(done, GROUP_LASSO, fold, step)
    lasso = MultiTaskLasso(alpha=row["alpha"], tol=1e-10, max_iter=100_000).fit(*rows[:2])
    check_row(row, [lasso], rows)
    assert row["residual"] <= 1e-6
    support = lasso.coef_.any(axis=0)
    refit = LinearRegression().fit(rows[0] * support, rows[1])
    check_row(row_of(done, REFITTED, fold, step), [refit], rows)


@pytest.mark.parametrize(("method", "p", "step"), [(SHRINKNET, 2, 6), (SHRINKNET_1, 1, 4)])
def test_shrinknet_is_the_estimator(done, completion, method, p, step):
    for fold in done.loc[done["method"] == method, "fold"].unique():
        rows = split(completion, fold)
        alpha = row_of(done, method, fold, step)["alpha"]
        single = ShrinkNetRegressor(alpha=alpha, p=p).fit(*rows[:2])
        check_row(row_of(done, method, fold, step), [single], rows)


@pytest.mark.parametrize(
    ("method", "step", "epochs", "rate"),
    [(TRAINED_LASSO, 6, 458, 10**-1.575), (TRAINED_SHRINKNET, 5, 458, 10**-1.575)],
)
def test_training_is_the_drafts(done, completion, method, step, epochs, rate):
    # Switches that oscillate about 0 magnify rounding: the very same rows, checked here.
    rows = [table for part in parts(completion, "0", 2) for table in (part.X, part.y)]
    for found, expected in zip(rows, split(completion, "0"), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-10)
    X, Y, *_ = rows
    row = row_of(done, method, "0", step)
    assert (row["epochs"], row["seed"]) == (epochs, step)
    assert row["learning_rate"] == pytest.approx(rate, rel=1e-5)
    strength = 0.0316228
    assert row["alpha"] == strength * Y.shape[1] / 2
    assert row["strength"] == row["lambda"] == strength
    options = {
        "alpha": row["alpha"],
        "solver": GradientDescent(max_epochs=epochs, learning_rate=row["learning_rate"]),
        "random_state": step,
    }
    if method == TRAINED_LASSO:
        model = GroupLassoRegressor(**options).fit(X, Y)
        size = np.linalg.norm(model.coef_, axis=0).sum()
    else:
        model = ShrinkNetRegressor(**options, weight_decay=1e-8 * Y.shape[1] / 2).fit(X, Y)
        size = np.abs(model.switch_).sum() + 1e-8 / strength * (model.weight_**2).sum()
    check_row(row, [model], rows, tolerance=1e-10)
    # λ is that of a mean over samples and targets: the objective, from scratch.
    objective = ((Y - model.predict(X)) ** 2).mean() + strength * size
    assert model.objective_ / (Y.shape[1] / 2) == pytest.approx(objective)


def class_rows(data, fold):
    """X_train, y_train, X_test, y_test of a classification."""
    y = np.unique(data.y, return_inverse=True)[1]
    if fold == ALL:
        X = scaled(data.X, np.arange(len(y)))
        return X, y, X, y
    splitter = StratifiedKFold(2, shuffle=True, random_state=0)
    train, test = list(splitter.split(data.X, y))[int(fold)]
    X = scaled(data.X, train)
    return X[train], y[train], X[test], y[test]


def relative_log_loss(y, probabilities):
    constant = np.tile(np.bincount(y) / len(y), (len(y), 1))
    return log_loss(y, probabilities) / log_loss(y, constant)


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_losses_of_classes(name):
    experiment = Tradeoff()
    data = experiment.load(name, True, None)
    X, y, X_test, y_test = class_rows(data, 1)
    jobs = {(job[0]["method"], job[0]["fold"]): job for job in experiment.jobs(data, True)}
    found = {m: experiment.measure(jobs[m, "1"], data)[9] for m in (GROUP_LASSO, REFITTED)}
    alpha = found[GROUP_LASSO]["alpha"]
    lasso = GroupLassoClassifier(alpha=alpha, tol=1e-9).fit(X, y)
    support = lasso.get_support()
    ridge = LogisticRegression(max_iter=10_000).fit(X[:, support], y)
    assert 0 < support.sum() == found[GROUP_LASSO]["n_selected"] < X.shape[1]
    for row, model, kept in (
        (found[GROUP_LASSO], lasso, np.full(len(support), True)),
        (found[REFITTED], ridge, support),
    ):
        for key, X_, y_ in (("training_loss", X, y), ("held_out_loss", X_test, y_test)):
            expected = relative_log_loss(y_, model.predict_proba(X_[:, kept]))
            assert row[key] == pytest.approx(expected, rel=1e-4)


def check_refit_of_all(data):
    """On all rows, whose training loss is judged, nothing holds the refit back."""
    X, y, *_ = class_rows(data, ALL)
    experiment = Tradeoff()
    jobs = {job[0]["method"]: job for job in experiment.jobs(data, True) if job[0]["fold"] == ALL}
    table = table_of_jobs(data, [jobs[GROUP_LASSO], jobs[REFITTED]])
    lasso, refit = (table[table["method"] == method] for method in (GROUP_LASSO, REFITTED))
    row = refit[refit["step"] == 12].iloc[0]
    support = GroupLassoClassifier(alpha=row["alpha"], tol=1e-9).fit(X, y).get_support()
    assert 0 < support.sum() == row["n_selected"] < X.shape[1]
    free = LogisticRegression(C=1e8, tol=1e-8, max_iter=10_000).fit(X[:, support], y)
    expected = relative_log_loss(y, free.predict_proba(X[:, support]))
    assert row["training_loss"] == pytest.approx(expected, rel=1e-4, abs=1e-5)
    below = lasso["training_loss"].to_numpy() - refit["training_loss"].to_numpy()
    assert (below >= -1e-6).all()
    return row["training_loss"]


def test_training_loss_of_a_refit_is_the_least(cancer, monkeypatch):
    assert check_refit_of_all(cancer) > 0.1
    # Classes that can be told apart have no best coefficients.
    assert check_refit_of_all(Tradeoff().load("wine", True, None)) < 1e-4

    # Mutant: the ridge that is right for the folds.
    path_models = tradeoff.experiment.path_models

    def with_ridge(cells, train):
        return path_models([{**cell, "fold": "0"} for cell in cells], train)

    monkeypatch.setattr(tradeoff.experiment, "path_models", with_ridge)
    with pytest.raises(AssertionError):
        check_refit_of_all(cancer)


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_training_of_classes_and_its_scale(name):
    experiment = Tradeoff()
    data = experiment.load(name, True, None)
    X, y, X_test, y_test = class_rows(data, 0)
    cells = [job for job in experiment.jobs(data, True) if job[0]["method"] == TRAINED_SHRINKNET]
    cell = {**cells[11 + 5][0], "epochs": 60}
    assert cell["fold"] == "0"
    (row,) = experiment.measure([cell], data)
    solver = GradientDescent(max_epochs=60, learning_rate=cell["learning_rate"])
    model = ShrinkNetClassifier(
        alpha=0.0316228, weight_decay=1e-8, solver=solver, random_state=cell["seed"]
    ).fit(X, y)
    assert row["alpha"] == row["lambda"] == 0.0316228
    expected = relative_log_loss(y_test, model.predict_proba(X_test))
    assert row["held_out_loss"] == pytest.approx(expected, rel=1e-10)


def test_a_refit_without_features_is_the_constant(cancer):
    train, _ = parts(cancer, ALL, 2)
    coef, intercept = tradeoff.models._ridge_on(np.zeros(30, dtype=bool), train)
    assert coef.shape == (1, 30)
    assert not coef.any()
    assert relative_loss(Model(1.0, coef, intercept), train) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", ["linnerud", "wine", "breast_cancer"])
def test_the_best_constant_has_loss_one(name):
    train, held_out = parts(datasets.load(name), "0", 2)
    p = train.X.shape[1]
    if train.regression:
        best = [part.y.mean(axis=0) for part in (train, held_out)]
    else:
        best = [np.log(np.bincount(part.y) / len(part.y)) for part in (train, held_out)]
        best = [b[1:] - b[:1] if len(b) == 2 else b for b in best]
    for part, b in zip((train, held_out), best, strict=True):
        model = Model(1.0, np.zeros((len(b), p)), b)
        assert relative_loss(model, part) == pytest.approx(1, rel=1e-12)
    other = Model(1.0, np.zeros((len(b), p)), best[0] + 0.1 * np.arange(1, len(b) + 1))
    assert relative_loss(other, train) > 1


def check_features(measure):
    coef = np.zeros((2, 6))
    coef[:, 1] = [9.99e-4, -9.99e-4]
    coef[:, 2] = [0, -1e-3]
    coef[:, 3] = [2, 0]
    coef[:, 4] = [1e-9, 1e-9]
    part = Part(np.ones((3, 6)), np.arange(6.0).reshape(3, 2))
    found = measure(Model(1.0, coef, np.zeros(2)), part, None)
    assert (found["n_features"], found["n_selected"], found["n_columns"]) == (2, 4, 6)
    assert found["sparsity"] == pytest.approx(4 / 6)
    assert found["held_out_loss"] is None


def test_a_feature_counts_from_one_thousandth_in_one_target(monkeypatch):
    check_features(facts)
    # Mutants: any weight counts; the sum of a feature's weights; a norm.
    for level in (1e-12, 1.1e-3):
        monkeypatch.setattr(tradeoff.measures, "NEGLIGIBLE", level)
        with pytest.raises(AssertionError):
            check_features(facts)


def check_split(split_, data):
    train, held_out = split_(data, "1", 5)
    whole, nothing = split_(data, ALL, 5)
    assert nothing is None
    assert len(train.X) + len(held_out.X) == len(whole.X) == len(data.X)
    for part in (train, whole):
        varies = np.ptp(part.X, axis=0) > 0
        np.testing.assert_allclose(part.X.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(part.X.std(axis=0)[varies], 1)
        np.testing.assert_allclose(part.y.mean(axis=0), 0, atol=1e-12)
    constant = np.ptp(train.X, axis=0) == 0
    assert not held_out.X[:, constant].any()
    folds = [split_(data, str(k), 5)[1] for k in range(5)]
    assert sum(len(fold.X) for fold in folds) == len(data.X)


def test_the_training_rows_set_the_scale(completion):
    check_split(parts, completion)

    def peeking(data, fold, n_folds):
        train, held_out = parts(data, fold, n_folds)
        whole, _ = parts(data, ALL, n_folds)
        if held_out is None:
            return train, None
        return Part(whole.X[: len(train.X)], train.y), Part(whole.X[len(train.X) :], held_out.y)

    with pytest.raises(AssertionError):
        check_split(peeking, completion)


# Cells.


def test_the_drafts_grid(completion):
    lasso, shrinknet = LAMBDAS[TRAINED_LASSO], LAMBDAS[TRAINED_SHRINKNET]
    assert (lasso[0], lasso[-1], shrinknet[0], shrinknet[-1]) == (1, 1e-3, 10, 1e-4)
    np.testing.assert_allclose(np.divide(shrinknet[:-1], shrinknet[1:]), np.sqrt(10), rtol=1e-5)
    jobs = Tradeoff().jobs(completion, quick=False)
    cells = [cell for job in jobs for cell in job]
    assert len({tuple(cell.values()) for cell in cells}) == len(cells)
    assert len({tuple(cell) for cell in cells}) == 1
    assert {cell["fold"] for cell in cells} == {ALL, "0", "1", "2", "3", "4"}
    for job in jobs:
        # A path is measured together, a training alone.
        assert len({(cell["method"], cell["fold"]) for cell in job}) == 1
        assert (len(job) == 1) == (job[0]["method"] in TRAINED)
    trained = [cell for cell in cells if cell["method"] == TRAINED_SHRINKNET][:11]
    assert [trained[k]["epochs"] for k in (0, 5, 10)] == [1000, 10_000, 100_000]
    rates = [cell["learning_rate"] for cell in trained]
    np.testing.assert_allclose(rates, 10 ** np.linspace(-1.2, -1.95, 11), rtol=1e-5)


def check_short_floats(rounded):
    for name in ("digits-completion", "wine"):
        data = datasets.load(name)
        for quick in (True, False):
            for job in Tradeoff().jobs(data, quick):
                for cell in job:
                    for key in ("strength", "learning_rate"):
                        assert type(cell[key]) is float
                        assert float(f"{cell[key]:.6g}") == cell[key]
    # Nothing else is lost, nor depends on where numpy's last bit goes.
    values = np.geomspace(1, 1e-4, 31)
    np.testing.assert_allclose(rounded(values), values, rtol=5.1e-6)
    assert rounded(np.nextafter(values, 2)) == rounded(np.nextafter(values, 0))


def test_cells_have_short_floats(monkeypatch):
    check_short_floats(tradeoff.settings._rounded)
    monkeypatch.setattr(tradeoff.settings, "_rounded", lambda values: list(map(float, values)))
    with pytest.raises(AssertionError):
        check_short_floats(tradeoff.settings._rounded)


@pytest.mark.parametrize("method", [GROUP_LASSO, REFITTED, SHRINKNET, SHRINKNET_1])
def test_paths_are_solved_at_what_the_cells_say(done, method):
    for _, rows in done[done["method"] == method].groupby("fold"):
        largest = rows["alpha"].iloc[0]
        np.testing.assert_allclose(rows["alpha"], largest * rows["strength"], rtol=1e-13)
        assert rows["strength"].iloc[0] == 1
        assert rows["strength"].iloc[-1] == 3e-3
        # Steps get longer: where many features come in at once they are short.
        assert (np.diff(np.log(rows["strength"]), 2) < 0).all()
    np.testing.assert_allclose(rows["lambda"], rows["alpha"] / 16, rtol=1e-13)


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_paths_of_classes_have_sizes_in_common(name):
    data = Tradeoff().load(name, True, None)
    jobs = [job for job in Tradeoff().jobs(data, True) if job[0]["fold"] == ALL]
    chosen = [job for job in jobs if job[0]["method"] in (GROUP_LASSO, SHRINKNET)]
    table = table_of_jobs(data, chosen)
    assert compare(table, SHRINKNET, GROUP_LASSO).wide
    most = table.groupby("method")["n_features"].max()
    assert most[SHRINKNET] >= 0.5 * most[GROUP_LASSO]


def test_results_depend_on_the_cell_alone(completion):
    experiment = Tradeoff()
    jobs = [job for job in experiment.jobs(completion, True) if job[0]["fold"] == "1"]
    chosen = [job for job in jobs if job[0]["method"] in (GROUP_LASSO, SHRINKNET)] + jobs[-1:]
    there = [experiment.measure(job, completion) for job in chosen]
    back = [Tradeoff().measure(job, completion) for job in chosen[::-1]][::-1]
    assert there == back
    # And another seed gives another training.
    other = experiment.measure([{**chosen[-1][0], "seed": 77}], completion)
    assert other != there[-1]


def test_many_rows_are_sampled_once_and_for_all():
    experiment = Tradeoff()
    first, again = (experiment.load("digits", True, None) for _ in range(2))
    whole = datasets.load("digits")
    assert len(first.X) == MOST_ROWS_QUICK
    np.testing.assert_array_equal(first.X, again.X)
    assert set(first.y) == set(whole.y)
    known = {(tuple(x), label) for x, label in zip(whole.X, whole.y, strict=True)}
    assert {(tuple(x), label) for x, label in zip(first.X, first.y, strict=True)} <= known
    assert first.checksum == whole.checksum
    # Regression costs no more with more rows, and few rows stay as they are.
    assert len(experiment.load("digits-completion", True, None).X) == 1797
    assert len(experiment.load("digits", False, None).X) == 1797


# Comparing, on made-up tables.


def made_up(curves, p=100):
    """A table of {method: (features, training losses, held-out losses)}."""
    rows = [
        {
            "method": method,
            "fold": fold,
            "step": step,
            "n_columns": p,
            "lambda": 10.0**-step,
            # Folds differ, and only their mean is that of the curve.
            "n_features": n + (0 if fold == ALL else 0.5 - int(fold)),
            "sparsity": 1 - n / p,
            "training_loss": training,
            "held_out_loss": np.nan if fold == ALL else held_out * (0.8 + 0.4 * int(fold)),
        }
        for method, columns in curves.items()
        for fold in (ALL, "0", "1")
        for step, (n, training, held_out) in enumerate(zip(*columns, strict=True))
    ]
    return pd.DataFrame(rows)


SIZES = np.array([0, 2, 4, 8, 16, 32, 64])


def losses(factor, start=1):
    """A curve that falls with the number of features, times a factor from a point on.

    Before that point it is worse than without the factor, but for the empty model.
    """
    found = 0.9 ** np.arange(len(SIZES))
    found[1:start] *= 1.02
    found[start:] *= factor
    return found


def table_of(shrinknet, refit=1.0, held_out=1.0, held_out_start=1, start=1):
    """ShrinkNet's losses as multiples of group lasso's, the refit's too."""
    plain = losses(1)
    ours = losses(shrinknet, start), losses(held_out, held_out_start)
    return made_up(
        {
            GROUP_LASSO: (SIZES, plain, plain),
            REFITTED: (SIZES, losses(refit), losses(refit)),
            SHRINKNET: (SIZES, *ours),
            TRAINED_LASSO: (SIZES, plain, plain),
            TRAINED_SHRINKNET: (SIZES, *ours),
        }
    )


# The verdicts of a table, by name.
CLAIMS = ("fits", "fits refit", "trained", "held out", "held out refit", "lowest")


def verdict_on(claim, table):
    return dict(zip(CLAIMS, Tradeoff().verdicts(table), strict=True))[claim]


# What each claim but the last makes of tables: of ShrinkNet's losses as multiples of the other's
# from a number of features on, held out or in training, and of nothing else.
RATIOS = {
    "better everywhere": (0.5, 1, Outcome.CONFIRMED),
    "better by more than a tie": (0.985, 1, Outcome.CONFIRMED),
    "better from 8 features on": (0.5, 3, Outcome.CONDITIONAL),
    "better at half": (0.5, 4, Outcome.NOT_CONFIRMED),
    "better from 64 features on": (0.5, 6, Outcome.NOT_CONFIRMED),
    "the same": (0.995, 1, Outcome.NOT_CONFIRMED),
    "worse": (1.3, 1, Outcome.NOT_CONFIRMED),
}


# Which methods each claim compares; and whether held out.
COMPARED = {
    "fits": (SHRINKNET, GROUP_LASSO, False),
    "fits refit": (SHRINKNET, REFITTED, False),
    "trained": (TRAINED_SHRINKNET, TRAINED_LASSO, False),
    "held out": (SHRINKNET, GROUP_LASSO, True),
    "held out refit": (SHRINKNET, REFITTED, True),
}


def table_for(claim, factor, start):
    """What `claim` compares has these ratios; all other comparisons come out the other way."""
    opposite = 2.0 if factor < 1 else 0.5
    method, other, held_out = COMPARED[claim]
    columns = {}
    for judged in (False, True):
        ours = {SHRINKNET: losses(1), TRAINED_SHRINKNET: losses(1)}
        if judged == held_out:
            ours[method] = losses(factor, start)
        theirs = dict.fromkeys((GROUP_LASSO, REFITTED), ours[SHRINKNET] / opposite)
        theirs[TRAINED_LASSO] = ours[TRAINED_SHRINKNET] / opposite
        if judged == held_out:
            theirs[other] = losses(1)
        columns[judged] = ours | theirs
    return made_up(
        {name: (SIZES, columns[False][name], columns[True][name]) for name in ours | theirs}
    )


@pytest.mark.parametrize("name", RATIOS)
@pytest.mark.parametrize("claim", CLAIMS[:-1])
def test_each_claim_has_its_own_comparison_and_rule(claim, name):
    factor, start, outcome = RATIOS[name]
    verdict = verdict_on(claim, table_for(claim, factor, start))
    assert verdict.outcome is outcome
    assert "beyond 1% of the loss and, held out, beyond one standard error" in verdict.rule
    assert "with conditions: it is lower at half of them or more, and higher" in verdict.rule


def test_better_than_the_one_is_not_better_than_the_other():
    # Held out below group lasso, above its refit: two claims, two outcomes.
    plain = losses(1)
    curves = {GROUP_LASSO: (SIZES, plain, plain), REFITTED: (SIZES, plain, 0.6 * plain)}
    curves |= {SHRINKNET: (SIZES, plain, 0.8 * plain)}
    curves |= {TRAINED_LASSO: (SIZES, plain, plain), TRAINED_SHRINKNET: (SIZES, plain, plain)}
    table = made_up(curves)
    assert verdict_on("held out", table).outcome is Outcome.CONFIRMED
    assert verdict_on("held out refit", table).outcome is Outcome.NOT_CONFIRMED


def check_agreement_of_folds(compare):
    """Folds that contradict each other show no difference."""
    plain = losses(1)
    curves = {GROUP_LASSO: (SIZES, plain, plain), SHRINKNET: (SIZES, plain, 0.8 * plain)}
    table = made_up(curves)
    agreed = compare(table, SHRINKNET, GROUP_LASSO, held_out=True)
    np.testing.assert_allclose(agreed.ratios[agreed.sizes >= 2], 0.8)
    assert len(agreed.won) >= 5
    rows = (table["method"] == SHRINKNET) & (table["fold"] == "0")
    table.loc[rows, "held_out_loss"] *= 2
    contradicted = compare(table, SHRINKNET, GROUP_LASSO, held_out=True)
    # Ratios 1.6 and 0.8.
    np.testing.assert_allclose(contradicted.ratios[-2:], np.sqrt(1.6 * 0.8))
    np.testing.assert_allclose(contradicted.errors[-2:], np.log(2) / 2)
    assert len(contradicted.won) == len(contradicted.lost) == 0


def test_differences_count_beyond_a_standard_error_of_the_folds(monkeypatch):
    check_agreement_of_folds(compare)
    monkeypatch.setattr(Comparison, "_beyond_errors", True)
    with pytest.raises(AssertionError):
        check_agreement_of_folds(compare)


def comparison(ratios, sizes=None):
    sizes = 2.0 ** np.arange(len(ratios)) if sizes is None else sizes
    return Comparison(np.array(sizes), np.array(ratios), np.zeros(len(ratios)))


def test_a_tie_is_neither_better_nor_worse():
    found = comparison([0.5, 0.5, 0.5, 0.995, 1.005])
    assert (found.won.tolist(), found.lost.tolist(), found.throughout) == ([1, 2, 4], [], True)
    worse = comparison([0.5, 0.5, 0.5, 0.995, 1.02])
    assert (worse.lost.tolist(), worse.throughout, worse.mostly) == ([16], False, True)
    assert str(worse) == (
        "lower at 3 (1 to 4) and higher at 1 (16 to 16) of 5 sizes from 1 to 16 features"
    )


def check_one_hundredth():
    found = comparison([0.9899, 0.9901, 1.0099, 1.0101])
    assert (found.won.tolist(), found.lost.tolist()) == ([1], [8])


def test_one_hundredth_is_a_tie(monkeypatch):
    check_one_hundredth()
    for tie in (0, 0.009, 0.011, 0.05):
        monkeypatch.setattr(Comparison, "TIE", tie)
        with pytest.raises(AssertionError):
            check_one_hundredth()


@pytest.mark.parametrize(
    ("won", "of", "mostly"),
    [(3, 6, True), (2, 6, False), (3, 5, True), (2, 5, False), (5, 11, False), (6, 11, True)],
)
def test_mostly_is_at_half_of_the_sizes(won, of, mostly):
    found = comparison([0.5] * won + [1.0] * (of - won))
    assert (found.mostly, found.throughout) == (mostly, mostly)


def test_as_often_worse_as_better_is_not_mostly():
    assert not comparison([0.5, 0.5, 2, 2]).mostly
    assert comparison([0.5, 0.5, 2, 1]).mostly


@pytest.mark.parametrize(
    ("sizes", "wide"),
    [
        ([3], False),
        ([1, 10], False),
        ([1, 2, 3, 100], False),
        ([1, 2, 3, 3.5, 4], True),
        ([1, 2, 3, 3.5, 3.9], False),
        ([10, 20, 30, 35, 39, 39.5], False),
        ([10, 20, 30, 35, 40], True),
    ],
)
def test_little_ground_confirms_nothing(sizes, wide):
    found = comparison([0.5] * len(sizes), sizes)
    assert (found.wide, found.throughout, found.mostly) == (wide, wide, True)
    assert ("too few, or too near" in str(found)) == (not wide)


def test_verdicts_of_little_ground_are_conditional():
    table = table_of(0.5, held_out=0.5)
    assert len(Tradeoff().verdicts(table)) == len(CLAIMS)
    few = table[table["step"].isin([0, 4, 5, 6])]
    for whole, part in zip(
        Tradeoff().verdicts(table)[:5], Tradeoff().verdicts(few)[:5], strict=True
    ):
        assert whole.outcome is Outcome.CONFIRMED
        assert part.outcome is Outcome.CONDITIONAL
        assert "too few, or too near each other, to confirm" in part.figures


def lowest_of(trained, exact):
    """A table in which ShrinkNet's lowest losses are these multiples of group lasso's."""
    table = table_of(1.0)
    for method, factor in ((TRAINED_SHRINKNET, trained), (SHRINKNET, exact)):
        table.loc[table["method"] == method, "training_loss"] *= factor
    # The weakest λ failed, and folds do not matter.
    table.loc[table["step"] == 6, "training_loss"] = 2
    lasso = table["method"].isin([GROUP_LASSO, TRAINED_LASSO])
    table.loc[lasso & (table["fold"] != ALL), "training_loss"] = 1e-6
    return table


def check_lowest(judge):
    for trained, exact, outcome in (
        (0.5, 0.5, Outcome.CONFIRMED),
        (1.009, 1.009, Outcome.CONFIRMED),
        (1.011, 0.5, Outcome.CONDITIONAL),
        (0.5, 1.011, Outcome.CONDITIONAL),
        (1.011, 1.011, Outcome.NOT_CONFIRMED),
    ):
        assert judge(lowest_of(trained, exact)).outcome is outcome


def test_verdict_of_the_lowest_loss(monkeypatch):
    check_lowest(lambda table: verdict_on("lowest", table))
    figures = as_low_as_convex(lowest_of(0.5, 2)).figures
    assert "Adagrad: 0.295 (32 features, λ = 1e-05) against 0.59 (32 features" in figures
    assert "exact: 1.18 (32 features, λ = 1e-05) against 0.59" in figures
    assert "of λ 1 to 1e-06 against 1 to 1e-06" in figures
    assert "training loss alone" in figures
    with pytest.raises(AssertionError):
        check_lowest(lambda table: closer_exact(table)[0])

    # Mutants: the last step for the lowest, and folds not left out.
    def last(table, method):
        return table[(table["method"] == method) & (table["fold"] == ALL)].iloc[-1]

    def any_fold(table, method):
        rows = table[table["method"] == method].reset_index()
        return rows.loc[rows["training_loss"].idxmin()]

    for mutant in (last, any_fold):
        monkeypatch.setattr(tradeoff.verdicts, "lowest", mutant)
        with pytest.raises(AssertionError):
            check_lowest(as_low_as_convex)


def test_no_size_in_common_confirms_nothing():
    few, many = np.array([0, 2, 3]), np.array([40, 50, 60])
    y = np.array([1, 0.5, 0.4])
    curves = {GROUP_LASSO: (few, y, y), REFITTED: (few, y, y), SHRINKNET: (many, y / 9, y / 9)}
    curves |= {TRAINED_LASSO: (few, y, y), TRAINED_SHRINKNET: (many, y / 9, y / 9)}
    for verdict in Tradeoff().verdicts(made_up(curves))[:5]:
        assert verdict.outcome is Outcome.NOT_CONFIRMED
        assert "No number of features in common" in verdict.figures
    # Nor does a method that never keeps a feature.
    curves[SHRINKNET] = curves[TRAINED_SHRINKNET] = (np.zeros(3), np.ones(3), np.ones(3))
    assert Tradeoff().verdicts(made_up(curves))[0].outcome is Outcome.NOT_CONFIRMED


def test_p_1_is_told_where_it_was_measured():
    table = table_of(0.5, held_out=0.7)
    assert "With p = 1" not in Tradeoff().verdicts(table)[0].figures
    other = table[table["method"] == SHRINKNET].assign(method=SHRINKNET_1)
    verdict = Tradeoff().verdicts(pd.concat([table, other]))[0]
    assert "With p = 1 lower at 6 (2 to 64) and higher at 0 of 6 sizes" in verdict.figures


def check_line(at):
    found = pd.DataFrame(
        {
            "n_features": [0, 4, 4, 10, 8, 30],
            "training_loss": [1, 0.5, 0.25, 0.25, 0.3, 0.01],
            "loss": [1, 0.1, 0.64, 0.0001, 0.0001, 0.04],
        }
    )
    # Of two models of 4 features the one that fits better; those of 8 and 10 fit no better.
    np.testing.assert_allclose(at(found, [0, 4, 30, 99]), [1, 0.64, 0.04, 0.04])
    # In between the logarithm of the loss is linear.
    np.testing.assert_allclose(at(found, [2, 17]), [0.8, 0.16])


def test_loss_between_models(monkeypatch):
    check_line(loss_at)
    with pytest.raises(AssertionError):
        check_line(lambda found, k: np.interp(k, *frontier(found)[KEYS].T.to_numpy()))
    monkeypatch.setattr(tradeoff.curves, "frontier", lambda found: found.sort_values("n_features"))
    with pytest.raises(AssertionError):
        check_line(loss_at)


KEYS = ["n_features", "loss"]


def check_step_chosen(best):
    sizes, training, held_out = [0, 6, 9, 30], [1, 0.5, 0.4, 0.1], [1.1, 0.6, 0.8, 0.2]
    found = curve(made_up({SHRINKNET: (sizes, training, held_out)}), SHRINKNET, True)
    chosen = best(found, 10)
    assert (chosen["n_features"], chosen["loss"]) == (9, pytest.approx(0.8))
    assert best(found, 0)["loss"] == pytest.approx(1.1)
    assert best(found[1:], 5) is None


def test_nobody_peeks_at_held_out_rows():
    check_step_chosen(best_within)

    def peeking(found, budget):
        allowed = found[found["n_features"] <= budget]
        return None if allowed.empty else allowed.loc[allowed["loss"].idxmin()]

    with pytest.raises(AssertionError):
        check_step_chosen(peeking)


def test_summary_has_the_budgets_that_make_sense():
    table = table_of(0.5, held_out=0.7)
    found = Tradeoff().summary(table)
    assert sorted(set(found.index.get_level_values(0))) == [5, 10, 20, 50, 80]
    np.testing.assert_allclose(
        found.loc[20, SHRINKNET], [16, 0.5 * 0.9**4, 16, 0.7 * 0.9**4], atol=1e-4
    )
    few = table[table["n_features"] > 7].assign(n_columns=50)
    found = Tradeoff().summary(few)
    assert sorted(set(found.index.get_level_values(0))) == [5, 10, 20]
    assert found.loc[5].isna().all(axis=None)
    # Of few columns, all.
    found = Tradeoff().summary(few.assign(n_columns=4))
    assert set(found.index.get_level_values(0)) == {4}


# Drawing, and the drafts' own data.


def test_what_is_measured_where(done):
    assert (done["held_out_loss"].isna() == (done["fold"] == ALL)).all()
    assert (done["residual"].isna() == done["method"].isin(TRAINED)).all()
    assert (done["training_loss"] <= 1.1).all()


def test_figure():
    table = table_of(0.5, refit=0.9, held_out=0.7)
    other = table[table["method"] == SHRINKNET].assign(method=SHRINKNET_1)
    table = pd.concat([table, other])
    figure = Tradeoff().draw(table)
    training, held_out = figure.axes
    names = [line.get_label() for line in training.lines]
    assert sorted(names) == sorted([*EXACT, *TRAINED])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names
    for ax in (training, held_out):
        lines = {line.get_label(): line for line in ax.lines}
        assert "sparsity" in ax.get_xlabel()
        assert [lines[name].get_linestyle() for name in TRAINED] == ["None"] * 2
        assert lines[GROUP_LASSO].get_color() == lines[TRAINED_LASSO].get_color()
        assert lines[SHRINKNET].get_color() == lines[TRAINED_SHRINKNET].get_color()
        assert len({lines[name].get_color() for name in EXACT}) == 4
    rows = table[(table["method"] == SHRINKNET) & (table["fold"] == ALL)]
    line = training.lines[names.index(SHRINKNET)]
    np.testing.assert_array_equal(line.get_xydata(), rows[["sparsity", "training_loss"]])


def test_losses_next_to_nothing_do_not_press_the_others_together():
    table = table_of(0.5)
    table.loc[table["method"] == REFITTED, "training_loss"] = 1e-6
    low, high = Tradeoff().draw(table).axes[0].get_ylim()
    assert 1e-4 < low < 0.2
    assert 1 <= high <= 1.5


def test_oes97_needs_fewer_features_at_the_same_fit():
    if not DATA.exists():
        pytest.skip(f"{DATA} with oes97 is not beside the project")
    data = Tradeoff().load("oes97", False, DATA)
    train, _ = parts(data, ALL, 5)
    best = {}
    for method in (GROUP_LASSO, SHRINKNET):
        path = exact_path(method, train, np.geomspace(1, 5e-3, 16))
        relative = path.losses(train.X, train.y)
        # Standardised: the best constant's mean squared error is 1.
        best[method] = relative[path.n_selected <= 20].min()
    assert best[SHRINKNET] <= 0.6 * best[GROUP_LASSO]
    assert best[SHRINKNET] < 0.12
    assert best[GROUP_LASSO] == pytest.approx(0.238, abs=0.02)
