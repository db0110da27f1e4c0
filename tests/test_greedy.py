"""Supports that grow by one group at a time."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.linear_model import LogisticRegression, orthogonal_mp

from builders import build, build_classes
from shrinklin.data.moments import Moments
from shrinklin.objective.quadratic import GramQuadratic
from shrinklin.solvers.greedy import greedy_path

N_GROUPS = 5
PLAIN = {}
GROUPED = {"labels": [0, 0, 1, 2, 2, 2, 3, 1, 4, 5, 6, 5]}
FREE = {"weights": np.array([1.0, 0.0, 1.0, 0.0, *[1.0] * 8])}
WEIGHTED = {"sample_weight": np.arange(30) % 4 / 2.0}
ORIGIN = {"fit_intercept": False}
OPTIONS = {
    "plain": PLAIN, "groups": GROUPED, "unpenalised": FREE, "sample weights": WEIGHTED,
    "no intercept": ORIGIN,
}  # fmt: skip
every_option = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
with_or_without_gram = pytest.mark.parametrize("gram", [True, False])


def data(n_targets=3, n_samples=30, n_features=12, seed=0):
    """Correlated features, and targets of which each feature explains a little."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features)) + rng.standard_normal((n_samples, 1)) + 1
    Y = X @ rng.standard_normal((n_features, n_targets)) ** 3
    return X, Y + rng.standard_normal(Y.shape)


def labels_of(X):
    """Classes of more than two, none of them certain."""
    rng = np.random.default_rng(1)
    Z = X[:, :3] @ rng.standard_normal((3, 3)) + rng.gumbel(size=(len(X), 3))
    return Z.argmax(axis=1)


def ridged(objective, ridge):
    groups = objective.groups
    ridges = np.where(groups.spread(groups.weights) > 0, ridge, 0.0)
    return replace(objective, smooth=objective.smooth.ridged(ridges))


class SlowLeastSquares:
    """Ridge regression on any groups, by `numpy.linalg.solve`, in the order of the objective."""

    def __init__(self, X, Y, ridge, groups, sample_weight=None, fit_intercept=True, **_):
        s = np.ones(len(X)) if sample_weight is None else sample_weight
        X = X[:, groups.order]
        if fit_intercept:
            X, Y = X - s @ X / s.sum(), Y - s @ Y / s.sum()
        root = np.sqrt(s / s.sum())[:, None]
        self.X, self.Y, self.groups = root * X, root * Y, groups
        self.ridge = np.where(groups.spread(groups.weights) > 0, ridge, 0.0)

    def minimum(self, members):
        """(f, W) at the minimum on these groups and the unpenalised ones."""
        free = np.flatnonzero(self.groups.weights == 0)
        S = self.groups.features(np.sort([*free, *members]).astype(int))
        W = np.zeros((self.X.shape[1], self.Y.shape[1]))
        X, ridge = self.X[:, S], self.ridge[S]
        W[S] = np.linalg.solve(X.T @ X + np.diag(ridge), X.T @ self.Y)
        left = self.Y - self.X @ W
        return 0.5 * (left**2).sum() + 0.5 * ridge @ (W[S] ** 2).sum(axis=1), W

    def path(self, n_groups):
        members = []
        yield self.minimum(members)
        for _ in range(n_groups):
            members = min(self.longer(members), key=lambda some: self.minimum(some)[0])
            yield self.minimum(members)

    def longer(self, members):
        penalised = np.flatnonzero(self.groups.weights > 0)
        return [[*members, g] for g in penalised if g not in members]


@with_or_without_gram
@pytest.mark.parametrize("ridge", [0.0, 0.1])
@every_option
def test_each_group_is_the_best_of_all(options, ridge, gram):
    X, Y = data()
    objective = ridged(build(X, Y, gram=gram, **options), ridge)
    slow = SlowLeastSquares(X, Y, ridge, objective.groups, **options)
    path = greedy_path(objective, N_GROUPS)
    for solution, (loss, W) in zip(path, slow.path(N_GROUPS), strict=True):
        assert_allclose(solution.loss, loss, rtol=1e-10)
        assert_allclose(solution.W, W, atol=1e-9)
        assert_allclose(objective.smooth.value_at(solution.W, solution.intercept), loss, rtol=1e-10)


def test_the_longest_gradient_alone_chooses_others():
    X, Y = data()
    slow = SlowLeastSquares(X, Y, 0.0, build(X, Y).groups)
    members = []
    for _ in range(N_GROUPS):
        gradient = slow.X.T @ (slow.X @ slow.minimum(members)[1] - slow.Y)
        members.append(int(np.linalg.norm(gradient, axis=1).argmax()))
    best = [loss for loss, _ in slow.path(N_GROUPS)][-1]
    assert slow.minimum(members)[0] > 1.01 * best


def test_orthogonal_matching_pursuit_on_orthogonal_features():
    X, y = data(n_targets=1)
    X = np.linalg.qr(X)[0]
    for k, solution in enumerate(greedy_path(build(X, y, **ORIGIN), N_GROUPS)[1:], 1):
        assert_allclose(solution.W[:, 0], orthogonal_mp(X, y[:, 0], n_nonzero_coefs=k), atol=1e-12)


def test_sums_of_moments_are_enough():
    X, Y = data()
    whole = ridged(build(X, Y, gram=True), 0.1)
    parts = [Moments.from_data(X[part], Y[part]) for part in (slice(15), slice(15, 30))]
    smooth = GramQuadratic(parts[0] + parts[1], whole.groups.order)
    summed = replace(whole, smooth=smooth.ridged(whole.smooth.ridge))
    for one, other in zip(*(greedy_path(o, N_GROUPS) for o in (whole, summed)), strict=True):
        assert_allclose(one.W, other.W, atol=1e-12)


@with_or_without_gram
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_features_that_add_nothing_stay_out(scale, gram):
    X, Y = data()
    awkward = np.hstack([X, scale * X[:, :4], np.full((len(X), 2), scale), X @ X[:12]])
    path, longer = (greedy_path(build(some, Y, gram=gram), 99) for some in (X, awkward))
    assert len(path) == len(longer) == 13
    assert len(longer[-1].support) == 12
    assert_allclose(longer[-1].loss, path[-1].loss, rtol=1e-6)


@with_or_without_gram
def test_no_group_enters_an_exact_fit(gram):
    X, Y = data(n_samples=10, n_features=40)
    path = greedy_path(build(X, Y, gram=gram), 99)
    assert len(path) == 10
    assert path[-1].loss < 1e-12 * path[0].loss


def test_collinear_unpenalised_features():
    X, Y = data()
    weights = np.array([0.0, 0.0, *[1.0] * 11])
    path = greedy_path(build(np.hstack([X[:, :1], X]), Y, weights=weights), 3)
    alone = greedy_path(build(X, Y, weights=weights[1:]), 3)
    assert_allclose([s.loss for s in path], [s.loss for s in alone], rtol=1e-8)


def test_a_sparse_X_gives_the_same():
    X, Y = data()
    X = np.where(X > 1, X, 0.0)
    paths = [greedy_path(build(some, Y, gram=False), 5) for some in (X, sparse.csr_array(X))]
    for one, other in zip(*paths, strict=True):
        assert_allclose(one.W, other.W, atol=1e-10)


def alike(seed=0):
    """Neighbouring features are alike, as in spectra."""
    rng = np.random.default_rng(seed)
    X = np.cumsum(rng.standard_normal((60, 20)), axis=1)
    Y = X[:, [3, 8, 9, 15]] @ rng.standard_normal((4, 2))
    return X, Y + rng.standard_normal(Y.shape)


@with_or_without_gram
@pytest.mark.parametrize("labels", [None, np.arange(20) // 2], ids=["features", "pairs"])
def test_no_swap_is_left_that_lowers_f(labels, gram):
    X, Y = alike()
    objective = ridged(build(X, Y, labels=labels, gram=gram), 0.01)
    slow = SlowLeastSquares(X, Y, 0.01, objective.groups)
    for solution in greedy_path(objective, 4, swaps=True):
        members = np.flatnonzero(objective.groups.norms(solution.W) > 0).tolist()
        assert_allclose(solution.loss, slow.minimum(members)[0], rtol=1e-9)
        for g in members:
            kept = [h for h in members if h != g]
            best = min(slow.minimum(some)[0] for some in slow.longer(kept))
            assert best > solution.loss * (1 - 1e-6)


def test_swaps_find_lower_f():
    gains = []
    for seed in range(10):
        objective = ridged(build(*alike(seed)), 0.01)
        plain, swapped = (greedy_path(objective, 4, swaps=swaps) for swaps in (False, True))
        assert np.all(np.diff([solution.loss for solution in swapped]) < 0)
        gains.append(plain[-1].loss / swapped[-1].loss)
    assert np.mean(gains) > 1.01


RIDGE = 0.05


def refit(X, codes, features):
    """(f, W) of scikit-learn's ridge model on these features."""
    model = LogisticRegression(C=1 / (len(X) * RIDGE), tol=1e-10, max_iter=10_000)
    model.fit(X[:, features], codes)
    W = model.coef_.T
    Z = X[:, features] @ W + model.intercept_
    if Z.shape[1] == 1:
        Z = np.hstack([np.zeros_like(Z), Z])
    loss = (np.logaddexp.reduce(Z, axis=1) - Z[np.arange(len(X)), codes]).mean()
    return loss + 0.5 * RIDGE * (W**2).sum(), W


def two_classes(X):
    return np.minimum(labels_of(X), 1)


@pytest.mark.parametrize("classes", [labels_of, two_classes])
def test_classes_have_the_ridge_minimum_on_each_support(classes):
    X, _ = data(n_samples=60)
    codes = classes(X)
    path = greedy_path(ridged(build_classes(X, codes), RIDGE), N_GROUPS)
    assert [len(solution.support) for solution in path] == list(range(N_GROUPS + 1))
    for before, solution in pairwise(path):
        loss, W = refit(X, codes, solution.support)
        assert_allclose(solution.loss, loss, rtol=1e-7)
        assert_allclose(solution.rows, W, atol=1e-4)
        assert set(before.support) < set(solution.support)


@pytest.mark.parametrize("classes", [labels_of, two_classes])
def test_classes_are_nearly_as_good_as_all_refits(classes):
    X, _ = data(n_samples=60)
    codes = classes(X)
    path = greedy_path(ridged(build_classes(X, codes), RIDGE), 3)
    members = []
    for solution in path[1:]:
        longer = [[*members, j] for j in range(X.shape[1]) if j not in members]
        members = min(longer, key=lambda some: refit(X, codes, some)[0])
        assert solution.loss < 1.01 * refit(X, codes, members)[0]


def test_a_coefficient_may_change_its_sign():
    # The first feature stands for the two others until both are in.
    rng = np.random.default_rng(0)
    E = rng.standard_normal((300, 3))
    first = E @ [1.0, 1.0, 0.3]
    X = np.column_stack([first, E[:, :2]])
    codes = (6 * (E[:, 0] + E[:, 1] - 0.4 * first) + rng.logistic(size=300) > 0).astype(int)
    path = greedy_path(ridged(build_classes(X, codes), RIDGE / 50), 3)
    assert path[1].W[0, 0] > 1
    assert path[3].W[0, 0] < -0.1


def test_swaps_of_classes_find_lower_f():
    gains = []
    for seed in range(10):
        X, Y = alike(seed)
        codes = np.digitize(Y[:, 0], np.quantile(Y[:, 0], [1 / 3, 2 / 3]))
        objective = ridged(build_classes(X, codes), RIDGE)
        plain, swapped = (greedy_path(objective, 3, swaps=swaps) for swaps in (False, True))
        assert np.all(np.diff([solution.loss for solution in swapped]) < 0)
        gains.append(plain[-1].loss / swapped[-1].loss)
    assert np.mean(gains) > 1.005


def test_groups_and_unpenalised_features_of_classes():
    X, _ = data(n_samples=60)
    weights = np.ones(12)
    weights[[3, 4, 5]] = 0
    objective = build_classes(X, labels_of(X), weights=weights, **GROUPED)
    path = greedy_path(ridged(objective, RIDGE), 99)
    counts = [np.count_nonzero(objective.groups.norms(solution.W)) for solution in path]
    assert counts == [1, 2, 3, 4, 5, 6, 7]
    gradient = ridged(objective, RIDGE).smooth.evaluate(path[-1].W)[1]
    assert_allclose(gradient, 0, atol=1e-7)


def test_classes_need_a_ridge():
    X, _ = data(n_samples=60)
    with pytest.raises(ValueError, match="ridge > 0"):
        greedy_path(build_classes(X, labels_of(X)), 3)


@pytest.mark.parametrize("swaps", [False, True])
def test_same_bits_each_time_and_data_unchanged(swaps):
    X, Y = data()
    for make, targets in ((build, Y), (build_classes, labels_of(X))):
        copies = X.copy(), targets.copy()
        objective = ridged(make(X, targets), 0.1)
        paths = [greedy_path(objective, 4, swaps=swaps) for _ in range(2)]
        for one, other in zip(*paths, strict=True):
            assert np.array_equal(one.W, other.W)
        assert np.array_equal(X, copies[0])
        assert np.array_equal(targets, copies[1])
        assert objective.cost.multiply_adds > 0
