"""Objectives for the tests of what lies below the estimators."""

import numpy as np
import pytest
from scipy.special import log_expit, log_softmax
from sklearn.linear_model import LogisticRegression

from oracles import bridge
from problems import CLASSIFICATION_PROBLEMS, PROBLEMS
from shrinklin import CoordinateDescent, ProximalNewton, kernels
from shrinklin.groups import Groups
from shrinklin.losses.logistic import Binomial, Multinomial
from shrinklin.losses.squared import SquaredLoss
from shrinklin.objective.likelihood import likelihood_of_data
from shrinklin.objective.objective import Objective
from shrinklin.penalties.bridge1 import Bridge1
from shrinklin.penalties.bridge2 import Bridge2
from shrinklin.penalties.group_lasso import GroupLasso
from shrinklin.penalties.sparse_group_lasso import SparseGroupLasso


def sparse_group_norm(l1_ratio, positive=False):
    """φ of `SparseGroupLasso` for a block with one row per feature."""

    def phi(w):
        if positive and (w < 0).any():
            return np.inf
        return (1 - l1_ratio) * np.linalg.norm(w) + l1_ratio * np.abs(w).sum() / np.sqrt(len(w))

    return phi


# Every penalty, and its φ computed in another way.
PENALTIES = {
    GroupLasso(): np.linalg.norm,
    Bridge2(): bridge(2),
    Bridge1(): bridge(1),
    SparseGroupLasso(0.3): sparse_group_norm(0.3),
    SparseGroupLasso(0.0, True): sparse_group_norm(0.0, True),
    SparseGroupLasso(0.6, True): sparse_group_norm(0.6, True),
}


# Kinds of `SparseGroupLasso`: (l1_ratio, positive).
SPARSE_GROUP_LASSOS = {
    "sparse": (0.4, False),
    "lasso": (1.0, False),
    "positive": (0.0, True),
    "positive sparse": (0.4, True),
    "positive lasso": (1.0, True),
}


def name_of(penalty):
    given = [] if penalty.l1_ratio is None else [str(penalty.l1_ratio)]
    return "-".join([type(penalty).__name__, *given, *["positive"] * penalty.positive])


every_penalty = pytest.mark.parametrize("penalty", PENALTIES, ids=name_of)
every_unbounded_penalty = pytest.mark.parametrize(
    "penalty", [penalty for penalty in PENALTIES if not penalty.positive], ids=name_of
)

# Every loss, with ℓ(y, z) of one row computed in another way.
LOSSES = {
    SquaredLoss(): lambda y, z: 0.5 * sum((z - y) ** 2),
    Binomial(): lambda y, z: -log_expit(z[0] if y[0] else -z[0]),
    Multinomial(): lambda y, z: -log_softmax(z)[y.argmax()],
}
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)


def targets_of(loss, n_samples=40):
    """Random Y for a loss: real numbers, or indicators of classes."""
    rng = np.random.default_rng(0)
    if not hasattr(loss, "indicators"):
        return rng.standard_t(2, size=(n_samples, 2))
    n_classes = 2 if isinstance(loss, Binomial) else 4
    return loss.indicators(np.arange(n_samples) % n_classes, n_classes)


def prox(penalty, z, t):
    """The prox in plain Python. z has one row, or one number, for every feature of a group."""
    out = np.empty(z.size)
    if penalty.l1_ratio is None:
        penalty.prox(z.ravel(), t, out)
    else:
        s = penalty.l1_ratio * t / np.sqrt(len(z))
        penalty.prox(z.ravel(), (1 - penalty.l1_ratio) * t, s, out)
    return out.reshape(z.shape)


def compiled_prox(penalty, z, t):
    """The prox as the loops run it: the step from zero against the gradient −z, ties aside."""
    compiled, _, l1_ratio = kernels.prox_of(penalty)
    zero, one, ptr = np.zeros((1, len(z))), np.ones(1), np.array([0, len(z)])
    return kernels.prox_steps((compiled, 0.0, l1_ratio), zero, -z[None], one, t * one, ptr)[0]


def allowed(penalty, W):
    """W, or its absolute values if W has to be >= 0."""
    return np.abs(W) if penalty.positive else W


def build(X, Y, penalty=None, strength=1.0, labels=None, weights=None, gram="auto", **options):
    """The objective of (X, Y); `share` sets the strength to a share of its maximum.

    `ridge` is that of groups with a weight.
    """
    groups = Groups.from_labels(X.shape[1], labels, weights)
    s = options.get("sample_weight", np.ones(len(Y)))
    fit_intercept = options.get("fit_intercept", True)
    quadratic = CoordinateDescent(gram).quadratic(X, Y, s, groups.order, fit_intercept)
    return _objective(quadratic, penalty, groups, strength, options)


def _objective(smooth, penalty, groups, strength, options):
    share, ridge = options.get("share"), options.get("ridge")
    if ridge:
        smooth = smooth.ridged(groups.spread(ridge * (groups.weights > 0)))
    objective = Objective(smooth, penalty or GroupLasso(), groups, strength)
    return objective if share is None else objective.at(share * objective.strength_max())


def solve(objective, W=None, gram="auto", tol=1e-9, max_iter=10_000):
    W = np.zeros(objective.shape) if W is None else W
    return CoordinateDescent(gram).solve(objective, W, tol=tol, max_iter=max_iter)


def _in_classes(name):
    """A regression problem with its targets turned into class numbers."""
    X, Y = PROBLEMS[name]()
    Y = (Y - Y.mean(axis=0)) / Y.std(axis=0)
    largest = Y.argmax(axis=1) if Y.shape[1] > 1 else Y[:, 0] > 0
    return X, np.unique(largest, return_inverse=True)[1]


AWKWARD = ["means", "constant column", "duplicated columns", "uneven scales", "one feature"]
CLASS_PROBLEMS = CLASSIFICATION_PROBLEMS | {
    name: lambda name=name: _in_classes(name) for name in AWKWARD
}


def build_classes(X, codes, penalty=None, strength=1.0, labels=None, weights=None, **options):
    """The logistic objective of X and class numbers; `share` and `ridge` as for `build`."""
    groups = Groups.from_labels(X.shape[1], labels, weights)
    s = options.get("sample_weight", np.ones(len(codes)))
    n_classes = options.get("n_classes", codes.max() + 1)
    fit_intercept = options.get("fit_intercept", True)
    likelihood = likelihood_of_data(X, codes, n_classes, s, groups.order, fit_intercept)
    return _objective(likelihood, penalty, groups, strength, options)


def descend(objective, W=None, tol=1e-9, max_iter=10_000):
    W = np.zeros(objective.shape) if W is None else W
    return ProximalNewton().solve(objective, W, tol=tol, max_iter=max_iter)


def logistic_regression(X, codes, sample_weight=None, fit_intercept=True):
    """Scikit-learn's without penalty: W (n_features, n_targets) and the intercept."""
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000, fit_intercept=fit_intercept)
    model.fit(X, codes, sample_weight)
    return model.coef_.T, model.intercept_
