"""Estimators that compare models of several kinds, and their front."""

import pickle
from typing import ClassVar

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from problems import simulate, simulate_classes
from shrinklin import (
    AutoSparseClassifier,
    AutoSparseRegressor,
    FrontDisplay,
    GroupLassoClassifierCV,
    GroupLassoRegressorCV,
    Moments,
    ShrinkNetClassifierCV,
    ShrinkNetRegressorCV,
)
from shrinklin.selection.choice import choose


class FewRegressor(AutoSparseRegressor):
    """With few alphas, to be fast."""

    alphas, eps, relax = 4, 0.05, [0.1]
    kinds: ClassVar = {"group lasso": (0.0,), "ShrinkNet": (0.0,), "greedy": (0.0,)}


class FewClassifier(AutoSparseClassifier):
    """With few alphas, to be fast."""

    alphas, eps, relax = 4, 0.05, [0.1]
    kinds: ClassVar = {"group lasso": (0.0,), "ShrinkNet": (0.03,), "greedy": (0.03,)}


class OneRegressor(FewRegressor):
    """With hardly any model, for many fits."""

    alphas, relax = [0.1], False
    kinds: ClassVar = {"group lasso": (0.0,), "greedy": (0.0,)}


class OneClassifier(FewClassifier):
    """With hardly any model, for many fits."""

    alphas, relax = [0.1], False
    kinds: ClassVar = {"group lasso": (0.03,), "greedy": (0.03,)}


SEARCHES = {
    FewRegressor: {"group lasso": GroupLassoRegressorCV, "ShrinkNet": ShrinkNetRegressorCV},
    FewClassifier: {"group lasso": GroupLassoClassifierCV, "ShrinkNet": ShrinkNetClassifierCV},
}
every_kind = pytest.mark.parametrize("cls", SEARCHES)


def data_for(cls, n_samples=60, n_features=8, seed=0):
    if cls is FewRegressor:
        return simulate(n_samples, n_features, 3, 4, seed=seed)
    return simulate_classes(n_samples, n_features, 2, 4, seed=seed)


@pytest.mark.parametrize("cls", [OneRegressor, OneClassifier])
@pytest.mark.filterwarnings(
    "ignore:No features were selected", "ignore:.*Further steps no longer change"
)
@pytest.mark.untraced
def test_check_estimator(cls):
    results = check_estimator(cls(cv=2), on_skip=None)
    assert {result["status"] for result in results} == {"passed"}


@every_kind
def test_it_has_the_models_of_the_searches_of_single_kinds(cls):
    X, y = data_for(cls)
    model = cls(cv=3).fit(X, y)
    table = pd.DataFrame(model.cv_results_)
    for kind, search in SEARCHES[cls].items():
        for ridge in cls.kinds[kind]:
            mine = table[(table["kind"] == kind) & (table["ridge"] == ridge)]
            alphas = mine["alpha"].unique()
            alone = search(alphas, ridges=ridge, relax=[0.1], cv=3).fit(X, y)
            for name, column in alone.cv_results_.items():
                # The search for ShrinkNet starts elsewhere, as its path is solved in parts.
                tol = 1e-5 if kind == "group lasso" else 5e-2
                np.testing.assert_allclose(mine[name], column, rtol=tol, atol=tol)


@every_kind
def test_paths_end_where_models_get_no_better(cls):
    """Half of the path is enough if its best model is in the first two thirds of that half."""
    X, y = data_for(cls, seed=7)
    long = type("Long", (cls,), {"alphas": 20, "eps": 1e-4, "relax": False})(cv=3).fit(X, y)
    table = pd.DataFrame(long.cv_results_)
    lengths = []
    for _, part in table[table["kind"] != "greedy"].groupby(["kind", "ridge"]):
        means = part["mean_score"].to_numpy()
        assert len(means) in (10, 20)
        assert (len(means) == 10) == (means[:10].argmax() < 7)
        lengths.append(len(means))
    assert min(lengths) == 10


@pytest.mark.parametrize("n_samples", [60, 3000])
def test_the_further_ridge_is_on_the_side_where_scores_are_better(n_samples):
    """Of few rows a larger one, of many a smaller one."""
    X, y = simulate_classes(n_samples, 6, 2, 4, seed=3)
    kinds = {"group lasso": (0.0,), "ShrinkNet": (0.0, 0.03)}
    model = type("More", (FewClassifier,), {"kinds": kinds, "relax": False})(cv=3).fit(X, y)
    table = pd.DataFrame(model.cv_results_)
    best = table[table["kind"] == "ShrinkNet"].groupby("ridge")["mean_score"].max()
    further = 0.3 if best[0.03] > best[0.0] else 0.003
    assert (further == 0.3) == (n_samples == 60)
    assert sorted(best.index) == pytest.approx(sorted([0.0, 0.03, further]))
    greedy = table[table["kind"] == "greedy"]["ridge"].unique()
    assert greedy == pytest.approx([best.drop(0.0).idxmax()])


@every_kind
def test_no_models_of_many_features_are_solved_if_few_are_asked(cls):
    X, y = data_for(cls, n_features=20)
    table = cls(cv=2, max_features=2).fit(X, y).cv_results_
    assert table["n_features"][table["kind"] == "greedy"].max() == 2


@every_kind
def test_greedy_models_have_one_feature_more_each(cls):
    X, y = data_for(cls)
    table = pd.DataFrame(cls(cv=3).fit(X, y).cv_results_)
    greedy = table[table["kind"] == "greedy"]
    np.testing.assert_array_equal(greedy["n_features"], greedy["alpha"])
    assert greedy["n_features"].max() == 8
    assert (greedy["ridge"] > 0).all() or cls is FewRegressor


@every_kind
@pytest.mark.parametrize("selection", ["best", "1se", "sparsest"])
def test_the_choice_follows_the_scores(cls, selection):
    X, y = data_for(cls, seed=1)
    model = cls(cv=3, selection=selection).fit(X, y)
    table = model.cv_results_
    chosen = model.best_index_
    assert model.get_support().sum() == table["n_features"][chosen]
    if selection == "best":
        assert table["mean_score"][chosen] == table["mean_score"].max()
    few = cls(cv=3, selection=selection, max_features=2).fit(X, y)
    assert few.get_support().sum() <= 2
    allowed = table["n_features"] <= 2
    if selection == "best":
        best = np.where(allowed, table["mean_score"], -np.inf).max()
        assert few.cv_results_["mean_score"][few.best_index_] == best


def test_the_difference_to_the_best_is_measured_in_every_fold():
    """Model 1 is worse in every fold, model 2 in some, and the folds differ much more."""
    folds = np.array([0.0, 1.0, 2.0, 3.0])
    scores = np.stack([folds, folds - 0.1, folds - [0.5, -0.3, 0.5, -0.3], folds - 5])
    for selection, of_single_kinds, of_auto in (("1se", 1, 2), ("best", 0, 0), ("sparsest", 1, 1)):
        n_features = np.array([9, 3, 4, 1])
        assert choose(scores, n_features, selection) == of_single_kinds
        assert choose(scores, n_features, selection, paired=True) == of_auto


def test_scores_are_the_means_of_those_of_single_folds():
    X, y = data_for(FewClassifier, seed=2)
    model = FewClassifier(cv=3, max_features=3).fit(X, y)
    # Paths of the other kinds may end elsewhere.
    scores = [
        part.cv_results_["mean_score"][part.cv_results_["kind"] == "greedy"]
        for fold in StratifiedKFold(3).split(X, y)
        for part in [FewClassifier(cv=[fold], max_features=3, selection="best").fit(X, y)]
    ]
    greedy = model.cv_results_["kind"] == "greedy"
    np.testing.assert_allclose(np.mean(scores, axis=0), model.cv_results_["mean_score"][greedy])
    P = model.predict_proba(X)
    assert log_loss(y, P) < log_loss(y, np.full_like(P, 1 / 2))


@every_kind
def test_candidates_are_the_models_of_the_table(cls):
    X, y = data_for(cls, seed=4)
    model = cls(cv=3).fit(X, y)
    table = model.cv_results_
    for i in range(0, len(table["kind"]), 3):
        candidate = model.candidate(i)
        assert candidate.get_support().sum() == table["n_features"][i]
        assert candidate.best_index_ == i
    np.testing.assert_array_equal(model.candidate(model.best_index_).coef_, model.coef_)
    kind, alpha, ridge = (table[name] for name in ("kind", "alpha", "ridge"))
    found = (kind == "group lasso") & (ridge == 0) & np.isnan(table["refit_ridge"])
    last = np.flatnonzero(found)[-1]
    alone = cls._single(alpha=alpha[last]).fit(X, y)
    np.testing.assert_allclose(model.candidate(last).coef_, alone.coef_, atol=1e-4)
    for i in (-1, len(kind), 1.5):
        with pytest.raises(ValueError, match=r"(?i)give"):
            model.candidate(i)


@every_kind
def test_the_front_has_the_best_model_of_every_size(cls):
    X, y = data_for(cls, seed=3)
    model = cls(cv=3).fit(X, y)
    table, front = model.cv_results_, model.front_
    n, means = front["n_features"], front["mean_score"]
    assert (np.diff(n) > 0).all()
    assert (np.diff(means) > 0).all()
    for size in range(9):
        best = table["mean_score"][table["n_features"] <= size].max(initial=-np.inf)
        on_front = means[n <= size].max(initial=-np.inf)
        assert on_front == best
    assert means[-1] == table["mean_score"].max()
    assert (front["standard_error"] > 0).all()


@every_kind
def test_models_of_other_sizes(cls):
    X, y = data_for(cls, seed=4)
    model = cls(cv=3).fit(X, y)
    for size in (1, 3, 8):
        other = model.with_features(size)
        assert type(other) is cls
        assert other.get_support().sum() <= size
        n = model.front_["n_features"]
        assert other.get_support().sum() == n[n <= size].max()
        assert np.shape(other.predict(X)) == np.shape(y)
        assert other.cv_results_["n_features"][other.best_index_] == other.get_support().sum()
    few = model.set_output(transform="default").with_features(1).set_output(transform="pandas")
    assert isinstance(few.transform(X), pd.DataFrame)
    assert isinstance(model.transform(X), np.ndarray)
    assert few.front_ is not model.front_
    same = model.with_features(model.get_support().sum())
    np.testing.assert_array_equal(same.coef_, model.coef_)
    again = pickle.loads(pickle.dumps(model)).with_features(3)
    np.testing.assert_array_equal(again.coef_, model.with_features(3).coef_)
    with pytest.raises(ValueError, match="n_features=-1: give a whole number"):
        model.with_features(-1)
    kept = cls(cv=3, feature_weights=[0, 0, *[1] * 6]).fit(X, y)
    with pytest.raises(ValueError, match="n_features=1: the smallest model has 2 features"):
        kept.with_features(1)
    with pytest.warns(UserWarning, match="max_features=1, but every model"):
        cls(cv=3, max_features=1, feature_weights=[0, 0, *[1] * 6]).fit(X, y)


def test_moments_choose_the_same_model():
    X, Y = data_for(FewRegressor)
    folds = [Moments.from_data(X[i::3], Y[i::3]) for i in range(3)]
    rows = [(np.flatnonzero(np.arange(60) % 3 != i), np.arange(i, 60, 3)) for i in range(3)]
    of_moments, of_rows = FewRegressor().fit_moments(folds), FewRegressor(cv=rows).fit(X, Y)
    # Not their positions: refits of the same features tie.
    np.testing.assert_allclose(of_moments.coef_, of_rows.coef_, atol=1e-8)


@every_kind
def test_the_same_bits_for_any_n_jobs_and_as_a_clone(cls):
    X, y = data_for(cls)
    one = cls(cv=3).fit(X, y)
    two = clone(one).set_params(n_jobs=2).fit(X, y)
    for name, column in one.cv_results_.items():
        np.testing.assert_array_equal(two.cv_results_[name], column)
    np.testing.assert_array_equal(one.coef_, two.coef_)
    assert vars(one.cost_) == vars(two.cost_)


@every_kind
def test_weights_groups_and_kinds_of_X(cls):
    X, y = data_for(cls)
    X[np.abs(X) < 0.3] = 0
    s = np.linspace(1, 2, 60)
    labels = np.arange(8) // 2
    dense = cls(cv=3, groups=labels).fit(X, y, s)
    other = cls(cv=3, groups=labels).fit(sparse.csr_array(X), y, s)
    np.testing.assert_allclose(
        other.cv_results_["mean_score"], dense.cv_results_["mean_score"], rtol=1e-5
    )
    assert dense.get_support().reshape(4, 2).any(axis=1).sum() * 2 == dense.get_support().sum()
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    named = cls(cv=3).fit(frame, y)
    assert set(named.get_feature_names_out()) <= set("abcdefgh")
    small = cls(cv=3).fit(X.astype(np.float32), y)
    assert small.coef_.dtype == np.float32


@every_kind
def test_in_a_pipeline(cls):
    X, y = data_for(cls)
    pipeline = make_pipeline(StandardScaler(), cls(cv=3, selection="1se"))
    scores = cross_val_score(pipeline, X, y, cv=KFold(2, shuffle=True, random_state=0), n_jobs=2)
    assert np.isfinite(scores).all()


def test_wide_data_and_several_kinds_on_the_front():
    X, Y = simulate(60, 150, 3, 5, noise=2.0, seed=6)
    model = FewRegressor(cv=3).fit(X, Y)
    assert len(set(model.cv_results_["kind"])) == 3
    scores = model.cv_results_["mean_score"][:, None]
    n = model.cv_results_["n_features"]
    assert choose(np.hstack([scores, scores]), n, "best") == model.best_index_


def test_the_picture_of_the_front():
    X, y = data_for(FewClassifier)
    model = FewClassifier(cv=3).fit(X, y)
    display = FrontDisplay.from_estimator(model)
    front = model.front_
    drawn = {
        (x, value)
        for points in display.points_.values()
        for x, value in zip(*points.lines[0].get_data(), strict=True)
    }
    assert drawn == set(zip(front["n_features"], -front["mean_score"], strict=True))
    assert set(display.points_) == set(front["kind"])
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert f"chosen: {model.get_support().sum()} features" in labels
    assert display.ax_.get_ylabel() == "log loss"
    with pytest.raises(ValueError, match="has no front_: give an AutoSparseRegressor"):
        FrontDisplay.from_estimator(GroupLassoRegressorCV(2, cv=2).fit(*data_for(FewRegressor)))
    with pytest.raises(ValueError, match="give four 1-D arrays of equal length"):
        FrontDisplay([1, 2], [0.1], [0.1, 0.2], ["a", "b"])
    plt.close("all")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"selection": "worst"}, "selection='worst': give one of"),
        ({"max_features": -1}, "max_features=-1: give a whole number"),
        ({"scoring": 3}, "scoring=3: give one score"),
        ({"tol": -1}, "tol=-1"),
        ({"groups": [1, 2]}, "groups has 2 labels"),
    ],
    ids=range(5),
)
@every_kind
def test_bad_parameters_are_named(cls, options, message):
    X, y = data_for(cls, 40, 4)
    with pytest.raises(ValueError, match=message):
        cls(cv=2, **options).fit(X, y)
