"""The experiment `tradeoff`: its cells, and what it measures in each."""

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
from experiments.tradeoff import Tradeoff
from experiments.tradeoff.comparison import compare
from experiments.tradeoff.measures import facts, relative_loss
from experiments.tradeoff.models import Model, exact_path
from experiments.tradeoff.rows import Part, parts
from experiments.tradeoff.settings import (
    ALL,
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
    """Scaled by scikit-learn; columns that are constant in training become zero."""
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
    """The losses and numbers of features in a row are those of one of the models."""
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
    # Switches that oscillate about 0 magnify rounding: so the rows have to be the very same.
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
    # λ belongs to a mean over samples and targets: the objective, computed from scratch.
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
    """On all rows, whose training loss is compared, the refit is not penalised."""
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
    # Mutants: any weight counts; a weight of 1e-3 does not.
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
        # Steps are short at first, where many features enter at once, and get longer.
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
    # Another seed gives another training.
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


def test_what_is_measured_where(done):
    assert (done["held_out_loss"].isna() == (done["fold"] == ALL)).all()
    assert (done["residual"].isna() == done["method"].isin(TRAINED)).all()
    assert (done["training_loss"] <= 1.1).all()


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
