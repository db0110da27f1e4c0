"""The choice of a ridge by cross-validation, the largest number of features, and longer paths."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold

from problems import simulate, simulate_classes
from searches import CLASSIFIERS, REGRESSORS, SINGLE, data_for, every_class
from shrinklin import (
    CoordinateDescent,
    GroupLassoClassifierCV,
    GroupLassoRegressorCV,
    Moments,
    ShrinkNetClassifierCV,
    ShrinkNetRegressorCV,
    regularization_path,
)
from shrinklin.selection.choice import choose

RIDGES = [0.0, 0.01, 0.3]
ALPHAS = [0.1, 0.03, 0.01]


@every_class
def test_each_ridge_has_the_scores_of_a_search_with_it_alone(cls):
    X, y = data_for(cls, 60, 6)
    both = cls(ALPHAS, ridges=RIDGES[::-1], cv=3).fit(X, y)
    table = both.cv_results_
    np.testing.assert_array_equal(table["alpha"], ALPHAS * 3)
    np.testing.assert_array_equal(table["ridge"], np.repeat(RIDGES, 3))
    assert np.isnan(table["refit_ridge"]).all()
    for i, ridge in enumerate(RIDGES):
        alone = cls(ALPHAS, ridges=ridge, cv=3).fit(X, y)
        mine = slice(3 * i, 3 * i + 3)
        np.testing.assert_array_equal(alone.cv_scores_.mean(axis=1), table["mean_score"][mine])
        np.testing.assert_array_equal(alone.cv_scores_.std(axis=1), table["std_score"][mine])
        np.testing.assert_array_equal(alone.n_selected_, table["n_features"][mine])
        if ridge == both.ridge_:
            np.testing.assert_array_equal(alone.cv_scores_, both.cv_scores_)
            np.testing.assert_allclose(alone.coef_, both.coef_, atol=1e-9)
            assert alone.alpha_ == both.alpha_
    best = table["mean_score"].argmax()
    assert (both.ridge_, both.alpha_) == (table["ridge"][best], table["alpha"][best])
    single = SINGLE[cls](both.alpha_, ridge=both.ridge_, tol=1e-9).fit(X, y)
    assert both.objective_ <= single.objective_ * (1 + 1e-9)


@pytest.mark.parametrize("cls", REGRESSORS)
def test_moments_of_folds_choose_the_same_ridge(cls):
    X, Y = data_for(cls, 60, 6)
    folds = [Moments.from_data(X[i::3], Y[i::3]) for i in range(3)]
    rows = [(np.flatnonzero(np.arange(60) % 3 != i), np.arange(i, 60, 3)) for i in range(3)]
    search = {"alphas": ALPHAS, "ridges": RIDGES, "relax": True}
    of_moments = cls(**search).fit_moments(folds)
    of_rows = cls(**search, cv=rows).fit(X, Y)
    for name, column in of_rows.cv_results_.items():
        np.testing.assert_allclose(of_moments.cv_results_[name], column, rtol=1e-9)
    assert of_moments.ridge_ == of_rows.ridge_
    assert of_moments.refit_ridge_ == of_rows.refit_ridge_


@every_class
def test_the_same_bits_for_any_n_jobs(cls):
    X, y = data_for(cls, 60, 6)
    options = {"alphas": 3, "eps": 0.1, "ridges": RIDGES, "relax": True, "cv": 3}
    one, two = (cls(**options, n_jobs=n).fit(X, y) for n in (1, 2))
    for name, column in one.cv_results_.items():
        np.testing.assert_array_equal(two.cv_results_[name], column)
    np.testing.assert_array_equal(one.coef_, two.coef_)
    assert vars(one.cost_) == vars(two.cost_)


def test_a_ridge_helps_where_few_features_separate_the_classes():
    """Without one, nothing is left to learn once the training rows are told apart."""
    X, y = simulate_classes(60, 100, 3, 30, seed=3)
    model = ShrinkNetClassifierCV(alphas=8, cv=3).fit(X, y)
    ridges, means = model.cv_results_["ridge"], model.cv_results_["mean_score"]
    assert model.ridge_ > 0
    assert means.max() > means[ridges == 0].max() + 0.05


def test_no_more_features_than_allowed():
    X, Y = simulate(60, 12, 3, 6, seed=2)
    free = ShrinkNetRegressorCV(alphas=20, cv=3).fit(X, Y)
    assert free.get_support().sum() > 3
    for selection in ("best", "1se", "sparsest"):
        model = ShrinkNetRegressorCV(alphas=20, cv=3, max_features=3, selection=selection)
        model.fit(X, Y)
        assert 0 < model.get_support().sum() <= 3
    allowed = model.n_selected_ <= 3
    best = ShrinkNetRegressorCV(alphas=20, cv=3, max_features=3).fit(X, Y)
    means = best.cv_scores_.mean(axis=1)
    assert best.alpha_ == best.alphas_[np.where(allowed, means, -np.inf).argmax()]
    # Unpenalised features stay in any case.
    kept = GroupLassoRegressorCV(5, cv=3, max_features=1, feature_weights=[0] * 4 + [1] * 8)
    with pytest.warns(UserWarning, match="max_features=1, but every model .* keeps 4"):
        assert kept.fit(X, Y).get_support().sum() == 4


def test_choice_among_few_features():
    scores = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    n_selected = np.array([0, 2, 1, 4])
    assert choose(scores, n_selected, "best", 3) == 2
    assert choose(scores, n_selected, "best", 0) == 0
    assert choose(scores, n_selected, "best", 4) == choose(scores, n_selected, "best") == 3
    assert choose(scores, n_selected + 5, "1se", 2) == 0  # all have more: the fewest


# Refits. ---


@every_class
@pytest.mark.parametrize("weighted", [False, True])
def test_refits_are_ridge_models_of_the_features_that_were_kept(cls, weighted):
    X, y = data_for(cls, 70, 8, seed=1)
    s = np.arange(1.0, 71.0) if weighted else None
    model = cls(ALPHAS, relax=[0.05, 2.0], ridges=0.0, cv=3).fit(X, y, s)
    table = model.cv_results_
    np.testing.assert_array_equal(np.unique(table["refit_ridge"][3:]), [0.05, 2.0])
    assert np.isnan(table["refit_ridge"][:3]).all()
    np.testing.assert_array_equal(table["n_features"], np.tile(table["n_features"][:3], 3))
    plain = cls(ALPHAS, ridges=0.0, cv=3).fit(X, y, s)
    np.testing.assert_array_equal(table["mean_score"][:3], plain.cv_scores_.mean(axis=1))
    weights = np.ones(70) if s is None else s
    for k, ridge in enumerate((0.05, 2.0), 1):
        scores = [held_out_scores(cls, X, y, weights, ridge, *rows) for rows in folds(cls, X, y)]
        np.testing.assert_allclose(
            table["mean_score"][3 * k : 3 * k + 3], np.mean(scores, axis=0), rtol=1e-5
        )


def folds(cls, X, y):
    return (KFold if cls in REGRESSORS else StratifiedKFold)(3).split(X, y)


def held_out_scores(cls, X, y, s, ridge, train, test):
    """Scores of refits by scikit-learn, for each of ALPHAS."""
    path = regularization_path(
        SINGLE[cls](tol=1e-9), X[train], y[train], alphas=ALPHAS, sample_weight=s[train]
    )
    scores = []
    for coef in path.coefs:
        kept = coef.any(axis=0)
        model = ridge_model(cls, X[train][:, kept], y[train], ridge, s[train])
        if cls in REGRESSORS:
            off = (y[test] - model.predict(X[test][:, kept])) ** 2
            scores.append(-np.average(off.mean(axis=1), weights=s[test]))
        else:
            P = model.predict_proba(X[test][:, kept])
            scores.append(-log_loss(y[test], P, sample_weight=s[test]))
    return scores


def ridge_model(cls, X, y, ridge, s):
    """The model of scikit-learn."""
    n = len(X) if s is None else s.sum()
    if cls in REGRESSORS:
        return Ridge(n * ridge, tol=1e-10).fit(X, y, s)
    return LogisticRegression(C=1 / (n * ridge), tol=1e-10, max_iter=10_000).fit(X, y, s)


def test_a_refit_is_chosen_where_shrinkage_costs_accuracy():
    X, Y = simulate(100, 30, 2, 3, noise=0.3, seed=7)
    lasso = GroupLassoRegressorCV(cv=3).fit(X, Y)
    relaxed = GroupLassoRegressorCV(cv=3, relax=True).fit(X, Y)
    assert lasso.refit_ridge_ is None
    assert relaxed.refit_ridge_ is not None
    np.testing.assert_array_equal(np.flatnonzero(relaxed.get_support()), [0, 1, 2])
    assert lasso.get_support().sum() > 3
    assert relaxed.cv_scores_.mean(axis=1).max() > lasso.cv_scores_.mean(axis=1).max()
    assert not hasattr(relaxed, "dual_gap_")
    assert relaxed.residual_ <= 1e-6
    expected = ridge_model(GroupLassoRegressorCV, X[:, :3], Y, relaxed.refit_ridge_, None)
    np.testing.assert_allclose(relaxed.coef_[:, :3], expected.coef_, rtol=1e-8)
    np.testing.assert_allclose(relaxed.predict(X), X @ relaxed.coef_.T + relaxed.intercept_)


def test_refits_that_do_not_converge_are_told():
    rng = np.random.default_rng(0)
    X = 100 * rng.standard_normal((60, 20))
    y = np.digitize(X[:, 0] / 100 + 0.3 * rng.standard_normal(60), [-1, 1])
    # Enough sweeps for the penalised models, but not for all refits.
    few = {"max_iter": 8, "scoring": "accuracy", "cv": 2, "ridges": 0.0}
    model = CLASSIFIERS[0]([30.0, 10, 5, 3], relax=[1e-6], **few)
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        model.fit(X, y)


@pytest.mark.parametrize("container", [np.float32, sparse.csr_array])
def test_refits_of_other_kinds_of_X(container):
    X, y = data_for(CLASSIFIERS[0], 60, 8)
    X[np.abs(X) < 0.5] = 0
    dense, other = (CLASSIFIERS[0](ALPHAS, relax=True, cv=3).fit(x, y) for x in (X, container(X)))
    np.testing.assert_allclose(
        other.cv_results_["mean_score"], dense.cv_results_["mean_score"], rtol=1e-4
    )


def test_refits_without_gram_matrix_and_with_free_features():
    X, Y = simulate(60, 20, 2, 4, seed=8)
    weights = np.where(np.arange(20) < 2, 0.0, 1.0)
    options = {"alphas": ALPHAS, "relax": [0.0, 0.1], "cv": 3, "feature_weights": weights}
    tables = [
        GroupLassoRegressorCV(**options, solver=CoordinateDescent(gram=gram)).fit(X, Y).cv_results_
        for gram in (True, False)
    ]
    np.testing.assert_allclose(tables[0]["mean_score"], tables[1]["mean_score"], rtol=1e-7)


# Paths that go on. ---


@every_class
def test_a_path_goes_on_while_smaller_alphas_are_better(cls):
    X, y = data_for(cls, 80, 6, seed=3)
    options = {"eps": 0.5, "cv": 3, "ridges": 0.0}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the mean score of")
        model = cls(alphas=6, **options).fit(X, y)
    n, alphas = len(model.alphas_), model.alphas_
    assert n in (8, 10, 12)
    np.testing.assert_allclose(alphas[1:] / alphas[:-1], 0.5**0.2)
    assert model.cv_scores_.shape == (n, 3)
    assert len(model.path_.alphas) == len(model.n_selected_) == n
    whole = cls(alphas=alphas, cv=3, ridges=0.0).fit(X, y)
    if "GroupLasso" in cls.__name__:
        np.testing.assert_allclose(model.cv_scores_, whole.cv_scores_, rtol=1e-4)
    for objective, better in zip(model.path_.objectives, whole.path_.objectives, strict=True):
        assert objective <= 1.01 * better


def test_a_path_that_cannot_go_on_far_enough_says_so():
    X, Y = simulate(100, 60, 2, 60, seed=4)
    with pytest.warns(UserWarning, match="is best at the smallest of its alphas, .* smaller eps"):
        model = GroupLassoRegressorCV(alphas=9, eps=0.6, cv=3).fit(X, Y)
    assert len(model.alphas_) == 18


def test_a_path_ends_where_the_score_has_turned_or_alphas_are_given():
    X, Y = simulate(60, 30, 1, 2, seed=5)
    turned = GroupLassoRegressorCV(alphas=20, eps=1e-3, cv=3).fit(X, Y)
    assert len(turned.alphas_) == 20
    assert turned.cv_scores_.mean(axis=1).argmax() < 19
    given = GroupLassoRegressorCV(alphas=turned.alphas_[:4], cv=3).fit(X, Y)
    assert given.cv_scores_.mean(axis=1).argmax() == 3
    assert len(given.alphas_) == 4
    assert len(GroupLassoRegressorCV(alphas=1, cv=3).fit(X, Y).alphas_) == 1


def test_a_path_ends_where_the_models_no_longer_grow():
    X, _ = simulate(80, 4, 2, 4, seed=6)
    model = GroupLassoRegressorCV(alphas=9, eps=1e-3, cv=3).fit(X, X @ np.ones((4, 2)))
    assert model.cv_scores_.mean(axis=1).argmax() == len(model.alphas_) - 1
    assert len(model.alphas_) == 12
    assert model.n_selected_[-1] == model.n_selected_[8] == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ridges": -1}, r"ridges=-1: give a finite number >= 0, or a list"),
        ({"ridges": [0, np.inf]}, "give a finite number >= 0"),
        ({"ridges": [0, np.nan]}, "give a finite number >= 0"),
        ({"ridges": []}, r"ridges=\[\]: give a finite"),
        ({"ridges": "many"}, "ridges='many': give a finite number"),
        ({"ridges": None}, "ridges=None: give a finite number"),
        ({"relax": 0}, "relax=0: give True, False or a list of ridges"),
        ({"relax": "yes"}, "relax='yes': give True, False or a list of ridges"),
        ({"relax": [-1]}, r"relax=\[-1\]: give True, False or a list of ridges"),
        ({"max_features": -1}, "max_features=-1: give a whole number >= 0"),
        ({"max_features": 1.5}, "max_features=1.5: give a whole number"),
    ],
    ids=range(11),
)
@pytest.mark.parametrize("cls", [REGRESSORS[0], CLASSIFIERS[1]])
def test_bad_parameters_are_named(cls, options, message):
    X, y = data_for(cls, 40, 4)
    with pytest.raises(ValueError, match=message):
        cls(alphas=2, cv=2, **options).fit(X, y)


def test_refits_of_classes_need_a_ridge():
    X, y = data_for(CLASSIFIERS[0], 40, 4)
    with pytest.raises(ValueError, match=r"relax=\[0, 1\]: a refit without ridge may have no min"):
        CLASSIFIERS[0](alphas=2, cv=2, relax=[0, 1]).fit(X, y)


def dense_factors(seed):
    """16 rows, 100 columns of three factors: the best models have small alphas."""
    rng = np.random.default_rng(seed)
    F = rng.normal(size=(16, 3))
    X = F @ rng.normal(size=(3, 100)) + 0.3 * rng.normal(size=(16, 100))
    return X, F.sum(axis=1) + 0.1 * rng.normal(size=16)


@pytest.mark.parametrize("seed", range(3))
def test_a_path_whose_scores_rise_does_not_end_early(seed):
    X, y = dense_factors(seed)
    search = GroupLassoRegressorCV(20, ridges=0.3, cv=2).fit(X, y)
    whole = GroupLassoRegressorCV(search.alphas_[:20], ridges=0.3, cv=2).fit(X, y)
    assert len(search.alphas_) >= 20
    best = whole.cv_results_["mean_score"].max()
    assert search.cv_results_["mean_score"].max() >= best - 1e-6 * abs(best)


@pytest.mark.parametrize(
    ("scores", "n_last", "max_features", "ends"),
    [
        ([0, 1, 2, 3, 2, 1], 5, None, True),
        ([0, 1, 2, 2, 2, 3], 5, None, False),
        ([0, 0, 0, 0, 0, 0], 5, None, False),  # such as "f1" before the first true positive
        ([0, 1, 2, 2, 2, 3], 5, 4, True),
        ([0, 1, 2, 2, 2, 3], 150, None, True),
        ([0, 1, 2, 2, 2, 9], 150, None, False),  # better than all others
    ],
)
def test_when_a_path_ends_halfway(scores, n_last, max_features, ends):
    def grid(scores, n_last):
        n_selected = np.linspace(0, n_last, 6, dtype=int)[None]
        scores = np.array(scores, dtype=float)[None, :, None]
        return SimpleNamespace(scores=scores, n_selected=n_selected, n_samples=80)

    search = GroupLassoClassifierCV(max_features=max_features)
    others = [SimpleNamespace(grid=grid([0, 1, 2, 3, 4, 4], 5))]
    assert search._ends(grid(scores, n_last), others) == ends


@pytest.mark.parametrize("cls", [GroupLassoRegressorCV, ShrinkNetRegressorCV])
@pytest.mark.filterwarnings("error")
def test_refits_of_a_constant_target_converge(cls):
    X = np.random.default_rng(0).normal(size=(40, 5))
    search = cls(4, relax=True, cv=2).fit(X, np.ones(40))
    assert not search.get_support().any()
