"""Which alpha cross-validation selects, and the model at that alpha."""

import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from searches import SINGLE, data_for, every_class, every_regressor
from shrinklin.selection.choice import choose


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


@every_class
def test_the_model_is_that_of_a_fit_at_alpha(cls):
    X, y = data_for(cls, n_features=6)
    model = cls(alphas=5, eps=0.05, cv=3, feature_weights=[1, 1, 1, 1, 1, 2]).fit(X, y)
    options = {"ridge": model.ridge_, "tol": 1e-9, "feature_weights": [1, 1, 1, 1, 1, 2]}
    single = SINGLE[cls](model.alpha_, **options).fit(X, y)
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
    missing = (
        set(vars(single)) - set(vars(model)) - {"alpha", "ridge", "warm_start", "random_state"}
    )
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
