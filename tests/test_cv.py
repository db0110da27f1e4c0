"""Cross-validation along paths: the slow way, GridSearchCV, splitters, routing, selection."""

import inspect
import pickle
import runpy
import sys
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import MultiTaskLassoCV
from sklearn.metrics import (
    brier_score_loss,
    get_scorer,
    log_loss,
    make_scorer,
    mean_squared_error,
    top_k_accuracy_score,
)
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RandomizedSearchCV,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from problems import CLASSIFICATION_PROBLEMS, PROBLEMS, simulate, simulate_classes
from shrinklin import (
    CoordinateDescent,
    CVDisplay,
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    Moments,
    ShrinkNetClassifier,
    ShrinkNetClassifierCV,
    ShrinkNetRegressor,
    ShrinkNetRegressorCV,
    regularization_path,
)
from shrinklin.selection import folds as of_folds
from shrinklin.selection.choice import choose

ROOT = Path(__file__).parents[1]
REGRESSORS = [GroupLassoRegressorCV, ShrinkNetRegressorCV]
CLASSIFIERS = [GroupLassoClassifierCV, ShrinkNetClassifierCV]
SINGLE = {
    GroupLassoRegressorCV: GroupLassoRegressor,
    ShrinkNetRegressorCV: ShrinkNetRegressor,
    GroupLassoClassifierCV: GroupLassoClassifier,
    ShrinkNetClassifierCV: ShrinkNetClassifier,
}
every_regressor = pytest.mark.parametrize("cls", REGRESSORS)
every_class = pytest.mark.parametrize("cls", [*REGRESSORS, *CLASSIFIERS])


def data_for(cls, n_samples=60, n_features=8, seed=0):
    simulated = simulate if cls in REGRESSORS else simulate_classes
    return simulated(n_samples, n_features, 3, 3, seed=seed)


@pytest.mark.parametrize("estimator", [cls(alphas=2, eps=0.1, cv=2) for cls in SINGLE], ids=repr)
@pytest.mark.filterwarnings(
    "ignore:No features were selected", "ignore:.*Further steps no longer change"
)
@pytest.mark.untraced
def test_check_estimator(estimator):
    if isinstance(estimator, ShrinkNetClassifierCV):
        estimator.set_params(alphas=1)  # a minute, else
    results = check_estimator(estimator, on_skip=None)
    assert {result["status"] for result in results} == {"passed"}
    assert len(results) > 50


# --- the slow way


def slow_errors(single, X, y, alphas, splits, s=None):
    """Minus the mean squared error of one fit a fold and an alpha: (n_alphas, n_folds)."""
    s = np.ones(len(y)) if s is None else s
    scores = np.empty((len(alphas), len(splits)))
    for k, (train, test) in enumerate(splits):
        for i, alpha in enumerate(alphas):
            model = clone(single).set_params(alpha=alpha).fit(X[train], y[train], s[train])
            off = np.reshape(y[test] - model.predict(X[test]), (len(test), -1))
            scores[i, k] = -np.average((off**2).mean(axis=1), weights=s[test])
    return scores


# Solved until floating point allows no more.
@pytest.mark.filterwarnings("ignore:.*Further steps no longer change")
@pytest.mark.parametrize("name", PROBLEMS)
def test_group_lasso_equals_a_fit_a_fold_and_an_alpha(name):
    X, Y = PROBLEMS[name]()
    model = GroupLassoRegressorCV(alphas=5, eps=0.02, cv=4, tol=1e-12).fit(X, Y)
    splits = list(KFold(4).split(X))
    slow = slow_errors(GroupLassoRegressor(tol=1e-12), X, Y, model.alphas_, splits)
    np.testing.assert_allclose(model.cv_scores_, slow, rtol=1e-8)


OPTIONS = {
    "plain": {},
    "no intercept": {"fit_intercept": False},
    "groups": {"groups": [0, 0, 1, 1, 1, 2, 3, 4]},
    "feature weights": {"feature_weights": [0, 1, 2, 1, 1, 1, 0.5, 1]},
    "residuals": {"solver": CoordinateDescent(gram=False)},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@every_regressor
def test_options_and_weights_reach_every_fold(cls, options, weighted):
    # ShrinkNet's problem is not convex: its slow way is a path a fold.
    X, Y = data_for(cls)
    s = np.random.default_rng(1).integers(0, 3, 60).astype(float) if weighted else None
    model = cls(alphas=4, eps=0.02, cv=3, tol=1e-10, **options).fit(X, Y, s)
    single = SINGLE[cls](tol=1e-10, **options)
    weights = np.ones(60) if s is None else s
    for k, (train, test) in enumerate(KFold(3).split(X)):
        path = regularization_path(
            single, X[train], Y[train], alphas=model.alphas_, sample_weight=weights[train]
        )
        errors = ((path.predict(X[test]) - Y[test]) ** 2).mean(axis=2)
        slow = -np.average(errors, axis=1, weights=weights[test])
        np.testing.assert_allclose(model.cv_scores_[:, k], slow, rtol=1e-8)


@pytest.mark.parametrize("name", ["three classes", "two classes", "iris", "wide"])
@pytest.mark.parametrize("weighted", [False, True])
def test_classifier_equals_a_fit_a_fold_and_an_alpha(name, weighted):
    X, y = CLASSIFICATION_PROBLEMS[name]()
    s = np.random.default_rng(1).integers(1, 4, len(y)) if weighted else np.ones(len(y))
    model = GroupLassoClassifierCV(alphas=4, eps=0.05, cv=3, tol=1e-10)
    model.fit(X, y, s if weighted else None)
    for k, (train, test) in enumerate(StratifiedKFold(3).split(X, y)):
        for i, alpha in enumerate(model.alphas_):
            single = GroupLassoClassifier(alpha, tol=1e-10).fit(X[train], y[train], s[train])
            probabilities = single.predict_proba(X[test])
            loss = log_loss(y[test], probabilities, sample_weight=s[test], labels=single.classes_)
            assert model.cv_scores_[i, k] == pytest.approx(-loss, rel=1e-8)


def test_shrinknet_classifier_equals_a_path_a_fold():
    X, y = data_for(ShrinkNetClassifierCV)
    model = ShrinkNetClassifierCV(alphas=3, eps=0.2, cv=3).fit(X, y)
    for k, (train, test) in enumerate(StratifiedKFold(3).split(X, y)):
        path = regularization_path(ShrinkNetClassifier(), X[train], y[train], alphas=model.alphas_)
        np.testing.assert_allclose(
            -path.log_losses(X[test], y[test]), model.cv_scores_[:, k], rtol=1e-8
        )


def test_an_outlier_in_one_fold_takes_no_digits_from_the_others(monkeypatch):
    X, Y = simulate(60, 5, 2)
    X[3, 1], Y[7, 0] = 1e9, -1e9
    search = GroupLassoRegressorCV(alphas=[0.1], cv=3, tol=1e-10)
    slow = slow_errors(GroupLassoRegressor(tol=1e-10), X, Y, [0.1], list(KFold(3).split(X)))
    np.testing.assert_allclose(clone(search).fit(X, Y).cv_scores_, slow, rtol=1e-8)
    folds = [Moments.from_data(X[test], Y[test]) for _, test in KFold(3).split(X)]
    # Held out, the outlier itself is what moments can tell of its row.
    np.testing.assert_allclose(clone(search).fit_moments(folds).cv_scores_, slow, rtol=1e-6)
    monkeypatch.setattr("shrinklin.selection.folds._LEFT", 0.0)
    mutant = clone(search).fit(X, Y).cv_scores_
    assert np.abs(mutant / slow - 1).max() > 1e-6


def nearly_perfect():
    X, Y = simulate(60, 5, 2, noise=0.0)
    return X, Y + 100


def nearly_cancelling():
    X, Y = simulate(60, 5, 1)
    huge = 1e6 * np.random.default_rng(1).normal(size=60)
    return np.c_[X[:, 1:], huge, huge + X[:, 0]], 0.01 * Y


@pytest.mark.parametrize("make", [nearly_perfect, nearly_cancelling])
def test_errors_that_moments_round_are_measured_on_the_rows(make, monkeypatch):
    X, Y = make()
    search = GroupLassoRegressorCV(alphas=[1e-8, 1e-6], cv=3, tol=1e-9)

    def against_rows(model):
        """Largest relative difference from the errors of the same paths on the rows."""
        off = []
        for k, (_, test) in enumerate(KFold(3).split(X)):
            single = GroupLassoRegressor(tol=1e-9)
            path = regularization_path(single, sum(folds) - folds[k], alphas=model.alphas_)
            errors = path.mean_squared_errors(X[test], Y[test])
            off.append(np.abs(-model.cv_scores_[:, k] / errors - 1).max())
        return max(off)

    folds = [Moments.from_data(X[test], Y[test]) for _, test in KFold(3).split(X)]
    assert against_rows(clone(search).fit(X, Y)) < 1e-6
    with pytest.warns(UserWarning, match="to less than 0.001 of itself, as features nearly cancel"):
        clone(search).fit_moments(folds)
    # Mutant: nothing is taken for rounding. Some 1e-4 of the errors is then, by chance more or
    # less: where features cancel, moments give 1e-4 as a sum of 1e8.
    monkeypatch.setattr("shrinklin.selection.folds._rounding", lambda *_: -np.inf)
    assert against_rows(clone(search).fit(X, Y)) > 1e-5


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_scores_of_float32_are_those_of_the_rows(offset, monkeypatch):
    X, y = simulate(400, 5, 1, noise=0.01)
    X, y = (X + offset).astype(np.float32), y.ravel()
    search = GroupLassoRegressorCV(alphas=4, eps=1e-5, cv=4)

    def score(model, X, y):
        predicted = X.astype(float) @ model.coef_.astype(float) + model.intercept_
        return -np.mean((predicted - y) ** 2)

    expected = clone(search).set_params(scoring=score).fit(X, y).cv_scores_
    np.testing.assert_allclose(clone(search).fit(X, y).cv_scores_, expected, rtol=1e-6)
    if offset:  # products are then taken in float64 for its sake
        return
    # Mutant: they are always taken to be.
    rounding = of_folds._rounding
    monkeypatch.setattr(of_folds, "_rounding", lambda *of, dtype=float: rounding(*of[:2], dtype))
    mutant = clone(search).fit(X, y).cv_scores_
    assert np.abs(mutant / expected - 1).max() > 1e-4


def test_an_offset_costs_no_pass_over_the_rows(monkeypatch):
    def refuse(*_):
        raise AssertionError("rows were read again")

    monkeypatch.setattr("shrinklin.selection.folds._errors_on_rows", refuse)
    X, Y = simulate(60, 5, 2)
    GroupLassoRegressorCV(alphas=10).fit(X + 1000, Y + 2000)


def test_every_row_is_read_once_for_all_folds_and_alphas(monkeypatch):
    X, Y = simulate(60, 5, 2)
    read = []
    original = Moments.from_data.__func__
    monkeypatch.setattr(
        Moments,
        "from_data",
        classmethod(lambda c, X, *a: read.append(len(X)) or original(c, X, *a)),
    )
    model = GroupLassoRegressorCV(alphas=10).fit(X, Y)
    assert sum(read) == 60
    # X'X and X'Y of all rows; what the paths cost does not depend on their number.
    more = GroupLassoRegressorCV(alphas=10).fit(np.tile(X, (2, 1)), np.tile(Y, (2, 1)))
    assert sum(read) == 180
    assert model.cost_.multiply_adds > 60 * 5 * 7
    assert more.cost_.multiply_adds - model.cost_.multiply_adds < 2 * 60 * 5 * 7


# --- peers


def test_it_is_multi_task_lasso_cv():
    X, Y = simulate(100, 10, 3, seed=2)
    ours = GroupLassoRegressorCV(alphas=30, eps=0.01, tol=1e-9).fit(X, Y)
    theirs = MultiTaskLassoCV(alphas=ours.alphas_, tol=1e-12, max_iter=100_000).fit(X, Y)
    assert ours.alpha_ == theirs.alpha_
    np.testing.assert_allclose(-ours.cv_scores_, theirs.mse_path_, rtol=1e-6)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)


@pytest.mark.parametrize("cls", [GroupLassoRegressorCV, GroupLassoClassifierCV])
@pytest.mark.parametrize("own_scoring", [False, True])
@pytest.mark.untraced
def test_it_chooses_as_grid_search_does(cls, own_scoring):
    X, y = data_for(cls, 90)
    scoring = None
    if own_scoring:
        scoring = "r2" if cls in REGRESSORS else "accuracy"
    ours = cls(alphas=12, scoring=scoring, tol=1e-9).fit(X, y)
    search = GridSearchCV(
        SINGLE[cls](tol=1e-9), {"alpha": ours.alphas_}, scoring=ours.score_name_, cv=5
    ).fit(X, y)
    theirs = np.array([search.cv_results_[f"split{k}_test_score"] for k in range(5)]).T
    np.testing.assert_allclose(ours.cv_scores_, theirs, rtol=1e-7)
    assert ours.alpha_ == search.best_params_["alpha"]
    np.testing.assert_allclose(ours.coef_, search.best_estimator_.coef_, atol=1e-7)


@pytest.mark.filterwarnings("ignore:Scoring failed")
@every_class
@pytest.mark.untraced
def test_searches_of_scikit_learn_work(cls):
    X, y = data_for(cls, 120, 5)
    alphas = list(np.geomspace(1, 0.05, 3))
    single = make_pipeline(StandardScaler(), SINGLE[cls]())
    grid = {f"{cls._single.__name__.lower()}__alpha": alphas}
    searches = [
        GridSearchCV(single, grid, cv=3),
        RandomizedSearchCV(single, grid, n_iter=2, cv=3, random_state=0),
        HalvingGridSearchCV(single, grid, cv=3, random_state=0, min_resources=60),
    ]
    chosen = [next(iter(search.fit(X, y).best_params_.values())) for search in searches]
    assert set(chosen) <= set(alphas)
    assert searches[0].best_score_ == max(searches[0].cv_results_["mean_test_score"])


# --- folds


SPLITTERS = {
    "shuffled": KFold(3, shuffle=True, random_state=0),
    "repeated": RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
    "shuffle split": ShuffleSplit(4, train_size=0.5, test_size=0.2, random_state=0),
    "time series": TimeSeriesSplit(3),
    "predefined": PredefinedSplit(np.r_[np.full(20, -1), np.repeat([0, 1], 20)]),
    "one at a time": LeaveOneOut(),
    "masks": [(np.arange(60) < 30, np.arange(60) >= 30)],
    "drawn again": [(np.r_[np.arange(20), np.arange(20)], np.arange(20, 60))],
}


@pytest.mark.parametrize("cv", SPLITTERS.values(), ids=SPLITTERS)
def test_splitters(cv):
    X, Y = data_for(GroupLassoRegressorCV)
    model = GroupLassoRegressorCV(alphas=[0.5, 0.05], cv=cv, tol=1e-10).fit(X, Y)
    pairs = cv if isinstance(cv, list) else list(cv.split(X))
    splits = [(np.arange(60)[train], np.arange(60)[test]) for train, test in pairs]
    slow = slow_errors(GroupLassoRegressor(tol=1e-10), X, Y, [0.5, 0.05], splits)
    np.testing.assert_allclose(model.cv_scores_, slow, rtol=1e-8)


def test_classifier_with_rows_drawn_twice():
    X, y = data_for(GroupLassoClassifierCV)
    train, test = np.r_[np.arange(30), np.arange(10)], np.arange(30, 60)
    model = GroupLassoClassifierCV(alphas=[0.05], cv=[(train, test)], tol=1e-10).fit(X, y)
    single = GroupLassoClassifier(0.05, tol=1e-10).fit(X[train], y[train])
    expected = -log_loss(y[test], single.predict_proba(X[test]), labels=single.classes_)
    assert model.cv_scores_[0, 0] == pytest.approx(expected, rel=1e-8)


@every_class
def test_folds_are_drawn_once(cls):
    class Counted(KFold):
        n_drawn = 0

        def split(self, *args):
            Counted.n_drawn += 1
            return super().split(*args)

    X, y = data_for(cls)
    cls(alphas=2, eps=0.3, cv=Counted(2, shuffle=True, random_state=np.random.RandomState(0))).fit(
        X, y
    )
    assert Counted.n_drawn == 1


def test_a_class_that_a_fold_lacks_is_still_a_class():
    X, y = simulate_classes(60, 5, 3)
    y[y == 2] = 1
    y[:4] = 2
    model = GroupLassoClassifierCV(alphas=5, cv=KFold(5)).fit(X, y)
    assert np.isfinite(model.cv_scores_).all()
    assert list(model.classes_) == [0, 1, 2]
    assert model.predict_proba(X).shape == (60, 3)


@every_regressor
def test_moments_of_folds_are_enough(cls):
    X, Y = data_for(cls)
    folds = [Moments.from_data(X[test], Y[test]) for _, test in KFold(5).split(X)]
    known, seen = cls(alphas=6).fit_moments(folds), cls(alphas=6).fit(X, Y)
    np.testing.assert_allclose(known.cv_scores_, seen.cv_scores_, rtol=1e-10)
    np.testing.assert_allclose(known.coef_, seen.coef_, atol=1e-10)
    assert known.alpha_ == pytest.approx(seen.alpha_)
    named = [Moments.from_data(pd.DataFrame(X, columns=list("abcdefgh")), Y[:, 0])] * 2
    model = cls(alphas=3).fit_moments(named)
    assert list(model.feature_names_in_) == list("abcdefgh")
    assert model.coef_.shape == (8,)


@every_class
def test_the_same_bits_for_any_n_jobs(cls):
    X, y = data_for(cls, 40, 6)
    one, two = (cls(alphas=3, eps=0.2, cv=2, n_jobs=n).fit(X, y) for n in (1, 2))
    for name in ("cv_scores_", "coef_", "intercept_", "alphas_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert one.cost_ == two.cost_


# --- selection


def slow_choice(scores, n_selected, selection):
    """The definition, one alpha at a time."""
    n_alphas, n_folds = scores.shape
    means = [sum(row) / n_folds for row in scores]
    best = max(range(n_alphas), key=lambda i: (means[i], -i))
    if selection == "best":
        return best
    variance = sum((score - means[best]) ** 2 for score in scores[best]) / (n_folds - 1)
    slack = (variance / n_folds) ** 0.5 if selection == "1se" else variance**0.5
    near = [i for i in range(n_alphas) if means[i] >= means[best] - slack]
    return min(near, key=lambda i: (n_selected[i], -means[i], i))


@pytest.mark.parametrize("seed", range(30))
def test_choice_against_its_definition(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(12, 4)) + np.linspace(0, 2, 12)[:, None]
    n_selected = rng.permutation(12) // 2
    chosen = {s: choose(scores, n_selected, s) for s in ("best", "1se", "sparsest")}
    for selection, index in chosen.items():
        assert index == slow_choice(scores, n_selected, selection)
    kept = [n_selected[chosen[s]] for s in ("sparsest", "1se")]
    assert kept[0] <= kept[1] <= n_selected[chosen["best"]]


def test_of_equal_scores_the_largest_alpha():
    assert choose(np.ones((4, 3)), np.arange(4), "best") == 0


@every_class
def test_selections_keep_ever_fewer_features(cls):
    X, y = data_for(cls, 60, 6, seed=4)
    few = {"alphas": 5, "eps": 0.03, "cv": 3}
    kept = [
        cls(**few, selection=s).fit(X, y).get_support().sum() for s in ("best", "1se", "sparsest")
    ]
    assert all(more >= fewer for more, fewer in pairwise(kept))
    assert kept[0] > kept[2] or "ShrinkNet" in cls.__name__


# --- the model


@every_class
def test_the_model_is_that_of_a_fit_at_alpha(cls):
    X, y = data_for(cls, n_features=6)
    model = cls(alphas=5, eps=0.05, cv=3, feature_weights=[1, 1, 1, 1, 1, 2]).fit(X, y)
    single = SINGLE[cls](model.alpha_, tol=1e-9, feature_weights=[1, 1, 1, 1, 1, 2]).fit(X, y)
    assert model.objective_ <= single.objective_ * (1 + 1e-9)
    chosen = int(np.flatnonzero(model.alphas_ == model.alpha_)[0])
    shape = model.path_.coefs[chosen].shape
    np.testing.assert_allclose(
        np.reshape(model.coef_, shape), model.path_.coefs[chosen], atol=1e-14
    )
    assert model.get_support().sum() == model.n_selected_[chosen]
    assert model.residual_ == model.path_.residuals[chosen] <= 1e-9
    assert model.objective_ == model.path_.objectives[chosen]
    if "GroupLasso" in cls.__name__:
        np.testing.assert_allclose(model.coef_, single.coef_, atol=1e-6)
        assert model.dual_gap_ <= 1e-6
    else:
        np.testing.assert_array_equal(model.coef_, model.weight_ * model.switch_)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    missing = set(vars(single)) - set(vars(model)) - {"alpha", "warm_start", "random_state"}
    assert not missing


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_matrix, np.float32])
@every_regressor
def test_kinds_of_X(cls, make):
    X, Y = data_for(cls)
    X[np.abs(X) < 0.5] = 0
    model = cls(alphas=4).fit(make(X), Y)
    dense = cls(alphas=4).fit(X, Y)
    np.testing.assert_allclose(model.cv_scores_, dense.cv_scores_, rtol=1e-4)
    assert model.coef_.dtype == (np.float32 if make is np.float32 else np.float64)


@every_class
def test_wide_data_and_names(cls):
    X, y = data_for(cls, 40, 60)
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(60)])
    model = cls(alphas=3, eps=0.3, cv=2).fit(frame, y)
    assert list(model.get_feature_names_out()) == list(frame.columns[model.get_support()])
    model.predict(frame)
    plain = cls(alphas=3, eps=0.3, cv=2).fit(X, y)
    np.testing.assert_allclose(plain.cv_scores_, model.cv_scores_, rtol=1e-6)
    model.fit(X, y)
    assert not hasattr(model, "feature_names_in_")


def test_in_a_pipeline_and_a_search():
    X, Y = data_for(GroupLassoRegressorCV)
    pipeline = make_pipeline(StandardScaler(), GroupLassoRegressorCV(alphas=4))
    search = GridSearchCV(pipeline, {"grouplassoregressorcv__selection": ["best", "1se"]}, cv=2)
    assert search.fit(X, Y).best_estimator_[-1].cv_scores_.shape == (4, 5)


@every_class
def test_progress_and_summary(cls, capsys):
    X, y = data_for(cls)
    cls(alphas=2, eps=0.3, cv=2, verbose=1).fit(X, y)
    out, err = capsys.readouterr()
    assert f"{cls.__name__}: alpha" in out
    assert "3/3" in err


def test_one_warning_for_all_folds():
    X, Y = PROBLEMS["correlated"]()
    with pytest.warns(ConvergenceWarning, match="at .* of 40 alphas") as caught:
        GroupLassoRegressorCV(alphas=10, cv=3, max_iter=1, tol=1e-14).fit(X, Y)
    assert len(caught) == 1


# --- metadata


def test_groups_of_rows_reach_the_splitter():
    X, Y = data_for(GroupLassoRegressorCV)
    owners = np.arange(60) % 7
    model = GroupLassoRegressorCV(alphas=3, cv=list(GroupKFold(3).split(X, Y, owners))).fit(X, Y)
    with sklearn.config_context(enable_metadata_routing=True):
        cv = GroupKFold(3).set_split_request(groups=True)
        routed = GroupLassoRegressorCV(alphas=3, cv=cv).fit(X, Y, groups=owners)
        with pytest.raises(Exception, match="clusters"):
            GroupLassoRegressorCV(alphas=3, cv=cv).fit(X, Y, clusters=owners)
    np.testing.assert_array_equal(routed.cv_scores_, model.cv_scores_)
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        GroupLassoRegressorCV(alphas=3, cv=GroupKFold(3)).fit(X, Y, groups=owners)


def test_folds_that_are_read_once_and_routing():
    X, Y = data_for(GroupLassoRegressorCV)
    s = np.linspace(1, 2, 60)
    expected = GroupLassoRegressorCV(alphas=3).fit(X, Y, s)
    with sklearn.config_context(enable_metadata_routing=True):
        model = GroupLassoRegressorCV(alphas=3, cv=KFold(5).split(X)).fit(X, Y, sample_weight=s)
    np.testing.assert_array_equal(model.cv_scores_, expected.cv_scores_)


def test_metadata_of_every_kind_are_cut_to_the_rows():
    X, Y = data_for(GroupLassoRegressorCV)
    seen = []

    def score(estimator, X, y, *, frame, table, names, word):
        del estimator, y
        seen.append((len(frame), table.shape, len(names), word))
        assert list(frame["row"]) == list(names) == list(table.toarray()[:, 0])
        return float(len(X))

    scorer = make_scorer(mean_squared_error)
    scorer.__class__ = type(
        "Recording", (type(scorer),), {"__call__": lambda _, *args, **kw: score(*args, **kw)}
    )
    metadata = {
        "frame": pd.DataFrame({"row": np.arange(60)}, index=np.arange(60)[::-1]),
        "table": sparse.csc_array(np.arange(60)[:, None]),
        "names": list(range(60)),
        "word": "x" * 60,
    }
    with sklearn.config_context(enable_metadata_routing=True):
        scorer.set_score_request(**dict.fromkeys(metadata, True))
        GroupLassoRegressorCV(alphas=1, cv=3, scoring=scorer).fit(X, Y, **metadata)
    assert seen == [(20, (20, 1), 20, "x" * 60)] * 3


def test_a_splitter_sees_the_columns():
    class ByColumn(KFold):
        def split(self, X, y=None, groups=None):
            yield np.flatnonzero(X["a"] > 0), np.flatnonzero(X["a"] <= 0)

    X, Y = simulate(60, 2, 2)
    frame = pd.DataFrame(X, columns=["a", "b"], index=np.arange(60)[::-1])
    model = GroupLassoRegressorCV(alphas=3, cv=ByColumn(2)).fit(frame, Y)
    assert model.cv_scores_.shape == (3, 1)


@pytest.mark.parametrize("asks", [True, False])
def test_a_scorer_gets_the_weights_that_it_asks_for(asks):
    X, Y = data_for(GroupLassoRegressorCV)
    s = np.random.default_rng(0).uniform(0.1, 5, 60)
    own = GroupLassoRegressorCV(alphas=[0.1], cv=3, tol=1e-10)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(mean_squared_error, greater_is_better=False)
        scorer.set_score_request(sample_weight=asks)
        own.set_fit_request(sample_weight=True)
        routed = clone(own).set_params(scoring=scorer).fit(X, Y, sample_weight=s)
        weighted = clone(own).fit(X, Y, sample_weight=s).cv_scores_
    np.testing.assert_array_equal(weighted, clone(own).fit(X, Y, s).cv_scores_)
    assert np.allclose(routed.cv_scores_, weighted, rtol=1e-10) == asks


def test_weights_reach_a_scorer_without_routing():
    X, Y = data_for(GroupLassoRegressorCV)
    s = np.random.default_rng(0).integers(1, 4, 60)
    scorer = make_scorer(mean_squared_error, greater_is_better=False)
    scored, own = (
        GroupLassoRegressorCV(alphas=3, scoring=scoring).fit(X, Y, s) for scoring in (scorer, None)
    )
    np.testing.assert_allclose(scored.cv_scores_, own.cv_scores_, rtol=1e-10)
    assert (scored.score_name_, own.score_name_) == ("score", "neg_mean_squared_error")


KINDS = {
    "frame": lambda X: pd.DataFrame(X, columns=list("abcdef"), index=np.arange(len(X))[::-1]),
    "array": np.asarray,
    "list": np.ndarray.tolist,
    "csr": sparse.csr_array,
    "csc": sparse.csc_matrix,
}


def of_kind(kind, data):
    """The same, that it can be compared."""
    return data.toarray() if sparse.issparse(data) else np.asarray(data)


class SeesRows(KFold):
    """A splitter that looks at the data too."""

    seen: list

    def split(self, X, y=None, groups=None):
        self.seen.append((X, y))
        return super().split(X, y, groups)


@every_class
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.untraced
def test_scorers_and_splitters_see_the_data_as_they_were_given(cls, kind):
    X, y = data_for(cls, 30, 6)
    X = KINDS[kind](X)
    if kind == "frame":
        y = pd.Series(y if y.ndim == 1 else y[:, 0], index=X.index, name="y")
    elif kind == "list":
        y = y.tolist()
    seen: list = []

    def score(model, X, y):
        seen.append((X, y))
        return float(np.sum(of_kind(kind, model.predict(X)) == 0))

    cv = SeesRows(3)
    for search in (
        cls([0.05], cv=cv, scoring=score),
        GridSearchCV(SINGLE[cls](), {"alpha": [0.05]}, cv=cv, scoring=score, refit=False),
    ):
        cv.seen = []
        search.fit(X, y)
        assert cv.seen[0][0] is X or (search.__class__ is GridSearchCV and kind == "csc")
        assert cv.seen[0][1] is y
    ours, theirs = seen[:3], seen[3:]
    assert len(theirs) == 3
    for (X, y), (their_X, their_y) in zip(ours, theirs, strict=True):
        assert (type(X), type(y)) == (type(their_X), type(their_y))
        np.testing.assert_array_equal(of_kind(kind, X), of_kind(kind, their_X))
        np.testing.assert_array_equal(y, their_y)
        if kind == "frame":
            pd.testing.assert_frame_equal(X, their_X)
            pd.testing.assert_series_equal(y, their_y)


@pytest.mark.parametrize("routes", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, pd.Series, list])
def test_a_scorer_gets_the_weights_of_the_user(kind, routes):
    # Mutant: weights divided by a power of four, as the solver wants them.
    X, y = simulate(60, 4, 1)
    y, s = y.ravel(), kind(7.0 * np.arange(1, 61))

    def weighed(y, predicted, sample_weight):
        assert type(sample_weight) is type(s)
        return float(np.sum(sample_weight))

    scorer = make_scorer(weighed)
    with sklearn.config_context(enable_metadata_routing=routes):
        if routes:
            scorer.set_score_request(sample_weight=True)
        ours = GroupLassoRegressorCV([0.1], cv=3, scoring=scorer).fit(X, y, sample_weight=s)
        found = ours.score(X, y, sample_weight=s)
    expected = [np.sum(np.asarray(s)[test]) for _, test in KFold(3).split(X)]
    np.testing.assert_array_equal(ours.cv_scores_[0], expected)
    assert found == np.sum(s)


def test_the_loss_does_not_depend_on_the_unit_of_the_weights():
    X, y = data_for(GroupLassoClassifierCV)
    s = np.linspace(1, 2, 60)
    for scoring in (None, "neg_log_loss"):
        searches = [
            GroupLassoClassifierCV(alphas=3, cv=3, scoring=scoring).fit(X, y, unit * s)
            for unit in (1.0, 2.0**1020)  # whose sum is infinite
        ]
        np.testing.assert_allclose(*(search.cv_scores_ for search in searches), rtol=1e-9)
    # The last was scored by name, so that `score` is that too.
    huge = searches[1].score(X, y, 2.0**1020 * s)
    assert huge == pytest.approx(searches[1].score(X, y, s), rel=1e-12)


needs_labels = {
    "log loss": (
        make_scorer(log_loss, response_method="predict_proba", greater_is_better=False),
        lambda y, P, classes: -log_loss(y, P, labels=classes),
    ),
    "top k": ("top_k_accuracy", lambda y, P, c: top_k_accuracy_score(y, P, labels=c)),
}
if "labels" in inspect.signature(brier_score_loss).parameters:  # scikit-learn 1.7
    needs_labels["Brier"] = (
        "neg_brier_score",
        lambda y, P, classes: -brier_score_loss(y, P, labels=classes),
    )


@pytest.mark.parametrize("name", needs_labels)
@pytest.mark.parametrize("text", [False, True])
def test_scores_of_folds_that_lack_a_class(name, text):
    scoring, expected = needs_labels[name]
    X, y = simulate_classes(60, 4, 3)
    y = np.sort(y)
    y = np.array(["a", "b", "c"])[y] if text else y
    model = GroupLassoClassifierCV([0.05], cv=KFold(3), scoring=scoring, tol=1e-10).fit(X, y)
    for k, (train, test) in enumerate(KFold(3).split(X)):
        assert len(np.unique(y[test])) < 3
        s = np.zeros(60)
        s[train] = 1
        single = GroupLassoClassifier(0.05, tol=1e-10).fit(X, y, s)
        found = expected(y[test], single.predict_proba(X[test]), single.classes_)
        assert model.cv_scores_[0, k] == pytest.approx(found, rel=1e-8)
    # `score` too.
    found = expected(y[:10], model.predict_proba(X[:10]), model.classes_)
    assert model.score(X[:10], y[:10]) == pytest.approx(found, rel=1e-12)


def test_of_two_classes_the_second_is_positive_where_a_score_asks():
    X, codes = simulate_classes(60, 4, 2)
    scoring = make_scorer(brier_score_loss, response_method="predict_proba")
    numbers, text = (
        GroupLassoClassifierCV([0.05], cv=KFold(3), scoring=scoring).fit(X, labels).cv_scores_
        for labels in (codes, np.array(["no", "yes"])[codes])
    )
    np.testing.assert_array_equal(numbers, text)


def test_what_labels_do_not_mend_is_an_error():
    X, y = simulate_classes(60, 4, 3)

    def refuse(model, X, y):
        raise ValueError("no score of these")

    with pytest.raises(ValueError, match="fold 0: no score of these"):
        GroupLassoClassifierCV([0.05], cv=KFold(3), scoring=refuse).fit(X, np.sort(y))
    with pytest.raises(ValueError, match="multi_class must be in"):
        GroupLassoClassifierCV([0.05], scoring="roc_auc").fit(X, y)


# --- score


@every_class
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.untraced
def test_score_is_that_of_scoring(cls, weighted):
    X, y = data_for(cls)
    weights = {"sample_weight": np.linspace(1, 5, 60)} if weighted else {}
    default = cls([0.05], cv=3).fit(X, y)
    single = SINGLE[cls](0.05).fit(X, y)
    # As of the estimator for one alpha, and of LassoCV.
    assert default.score(X, y, **weights) == pytest.approx(single.score(X, y, **weights))
    scorings = ["neg_mean_squared_error", "neg_max_error"]
    if cls in CLASSIFIERS:
        scorings = ["neg_log_loss", "balanced_accuracy", "roc_auc_ovr"]
    elif weighted:
        scorings = ["neg_mean_squared_error", "explained_variance"]
    for scoring in scorings:
        y_ = y[:, 0] if scoring == "neg_max_error" else y
        model = cls([0.05], cv=3, scoring=scoring).fit(X, y_)
        assert model.score_name_ == scoring
        expected = get_scorer(scoring)(model, X, y_, **weights)
        assert model.score(X, y_, **weights) == pytest.approx(expected, rel=1e-12)


def test_score_is_that_of_grid_search():
    X, y = data_for(GroupLassoClassifierCV)
    ours = GroupLassoClassifierCV([0.05], cv=3, scoring="roc_auc_ovr").fit(X, y)
    theirs = GridSearchCV(GroupLassoClassifier(), {"alpha": [0.05]}, cv=3, scoring="roc_auc_ovr")
    assert ours.score(X, y) == pytest.approx(theirs.fit(X, y).score(X, y))


def test_score_takes_metadata_where_they_are_routed():
    X, y = data_for(GroupLassoRegressorCV)

    def power(y, predicted, exponent):
        return -float(np.mean(np.abs(y - predicted) ** exponent))

    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(power).set_score_request(exponent=True)
        model = GroupLassoRegressorCV([0.1], cv=3, scoring=scorer).fit(X, y, exponent=2)
        expected = -mean_squared_error(y, model.predict(X))
        assert model.score(X, y, exponent=2) == pytest.approx(expected)
        default = GroupLassoRegressorCV([0.1], cv=3).fit(X, y)
        with pytest.raises(ValueError, match=r"score was given \['exponent'\], which reach"):
            default.score(X, y, exponent=2)
    with pytest.raises(ValueError, match=r"score was given \['exponent'\], which reach"):
        model.score(X, y, exponent=2)


def test_labels_that_a_model_does_not_know_have_no_log_loss():
    X, y = data_for(GroupLassoClassifierCV)
    model = GroupLassoClassifierCV([0.1], cv=3, scoring="neg_log_loss").fit(X, y)
    with pytest.raises(ValueError, match=r"labels \[7\] that the model was not fitted to: give"):
        model.score(X, np.where(y == 2, 7, y))
    assert model.score(X, y[:, None]) == model.score(X, y)


def test_a_scorer_sees_the_gap_of_its_model():
    # Mutant: that of the objective of another alpha.
    X, y = data_for(GroupLassoClassifierCV)
    gaps = []

    def score(model, X, y):
        gaps.append(model.dual_gap_)
        return 0.0

    GroupLassoClassifierCV([0.2, 0.01], cv=3, scoring=score).fit(X, y)
    assert max(gaps) <= 1e-6 * np.log(3)


@every_class
def test_a_scorer_sees_a_model_as_fit_leaves_it(cls):
    X, y = data_for(cls)
    seen = []

    def score(model, X, y):
        seen.append(set(vars(model)))
        return model.score(X, y)

    cls(alphas=2, cv=2, scoring=score).fit(X, y)
    alone = {name for name in vars(SINGLE[cls]().fit(X, y)) if name.endswith("_")}
    assert len(seen) == 4
    assert all(alone <= names for names in seen)


# --- what is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"selection": "worst"}, r"selection='worst': give one of \"best\", \"1se\""),
        ({"selection": 1}, "selection=1: give one of"),
        ({"alphas": 0}, "alphas=0: give a number of alphas"),
        ({"eps": 2}, "eps=2"),
        ({"cv": 1}, "n_splits=1"),
        ({"cv": 50}, "n_splits=50"),
        ({"scoring": "worst"}, "scoring"),
        ({"scoring": lambda *_: np.nan}, "4 of 4 scores are not finite, first nan at alpha"),
        ({"solver": GradientDescent()}, "follows no path"),
        ({"max_iter": 0}, "max_iter=0"),
        (
            {"cv": [(np.arange(10), np.arange(0))]},
            "fold 0 of cv has 10 training and 0 held-out rows",
        ),
        ({"cv": [(np.arange(20), np.arange(20))], "selection": "1se"}, "needs at least 2"),
        ({"cv": []}, "0 folds"),
    ],
)
@every_class
def test_bad_parameters_are_named(cls, options, message):
    X, y = data_for(cls, 40, 4)
    with pytest.raises(ValueError, match=message):
        cls(**{"alphas": 2, "eps": 0.3, "cv": 2, **options}).fit(X, y)


def test_a_fold_that_cannot_be_fitted_is_named():
    X, y = data_for(GroupLassoClassifierCV)
    with pytest.raises(ValueError, match=r"fold 1: y has one class, 0, on the rows"):
        GroupLassoClassifierCV(cv=KFold(2)).fit(X, np.sort(y % 2))
    s = np.r_[np.zeros(30), np.ones(30)]
    first, last = np.arange(30), np.arange(30, 60)
    for cls in (GroupLassoRegressorCV, GroupLassoClassifierCV):
        with pytest.raises(ValueError, match="zero on all held-out rows of fold 0"):
            cls(cv=KFold(2)).fit(X, y, s)
        with pytest.raises(ValueError, match="zero on all training rows of fold 1"):
            cls(cv=[(last, last), (first, last)]).fit(X, y, s)
    with pytest.raises(ValueError, match=r"fold 0 of cv has rows that are not among 0 … 59"):
        GroupLassoRegressorCV(cv=[(np.arange(50, 70), np.arange(50))]).fit(X, y)


def test_one_fold_with_nearly_all_weight():
    X, Y = simulate(100, 4, 2)
    s = np.ones(100)
    s[:20] = 1e13
    model = GroupLassoRegressorCV(alphas=[0.1], tol=1e-10).fit(X, Y, s)
    slow = slow_errors(GroupLassoRegressor(tol=1e-10), X, Y, [0.1], list(KFold(5).split(X)), s)
    np.testing.assert_allclose(model.cv_scores_, slow, rtol=1e-8)


@pytest.mark.parametrize(
    ("scoring", "error", "message"),
    [
        (lambda e, X, y: [1.0, 2.0], ValueError, r"fold 0: scoring gave an array of shape \(2,\)"),
        (["r2", "max_error"], ValueError, "only one, as alpha is chosen by it"),
        ({"a": "r2"}, ValueError, "only one, as alpha is chosen by it"),
    ],
)
def test_scorings_that_give_no_number(scoring, error, message):
    X, Y = data_for(GroupLassoRegressorCV)
    with pytest.raises(error, match=message):
        GroupLassoRegressorCV(alphas=2, scoring=scoring).fit(X, Y)


@pytest.mark.parametrize("scoring", [lambda e, X, y: e.score(X, y), "neg_max_error"])
def test_a_scoring_that_takes_no_weights(scoring):
    X, Y = simulate(60, 4, 1)
    with pytest.raises(TypeError, match=r"scoring does not take it .* enable metadata routing"):
        GroupLassoRegressorCV(alphas=2, scoring=scoring).fit(X, Y.ravel(), np.ones(60))


def test_an_error_of_a_scoring_that_takes_weights_is_its_own():
    """Whether it takes them is tried, as its message may speak of weights for any reason."""

    def fails(e, X, y, sample_weight=None):
        raise TypeError("needs a target beside sample_weight")

    def refuses(e, X, y, **others):
        if others:
            raise TypeError("nothing else, please")
        return e.score(X, y)

    X, Y = simulate(60, 4, 1)
    model = GroupLassoRegressorCV(alphas=2, scoring=fails)
    for s in (None, np.ones(60)):
        with pytest.raises(TypeError, match=r"^needs a target beside sample_weight$"):
            model.fit(X, Y.ravel(), s)
    model.set_params(scoring=refuses).fit(X, Y.ravel())
    with pytest.raises(TypeError, match=r"scoring does not take it \(nothing else, please\)"):
        model.fit(X, Y.ravel(), np.ones(60))


def test_bad_moments_are_named():
    X, Y = data_for(GroupLassoRegressorCV)
    fold = Moments.from_data(X, Y)
    with pytest.raises(ValueError, match="moments of 1 fold: give at least two"):
        GroupLassoRegressorCV().fit_moments(fold)
    with pytest.raises(TypeError, match="folds holds tuple: give a list"):
        GroupLassoRegressorCV().fit_moments([(X, Y)])
    with pytest.raises(ValueError, match="scoring='r2' needs the samples"):
        GroupLassoRegressorCV(scoring="r2").fit_moments([fold, fold])
    with pytest.raises(ValueError, match="combine moments of the same columns"):
        GroupLassoRegressorCV().fit_moments([fold, Moments.from_data(X[:, :2], Y)])


# --- the picture


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
    # The same alpha, number of features and error by both.
    np.testing.assert_array_equal(found["GridSearchCV"], found["GroupLassoRegressorCV"])
    assert found["ShrinkNetRegressorCV,"][1] < found["...,"][1] < found["GridSearchCV"][1]
    assert picture.stat().st_size > 10_000
