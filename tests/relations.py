"""Relations: the same problem in another form, as its samples in another order.

Each takes a `Given` and a generator, and returns the other `Given`, a function that carries W and b
over to it, and the factor of its objective.
"""

from dataclasses import replace

import numpy as np


def permuted_samples(given, rng):
    order = rng.permutation(len(given.X))
    s = None if given.s is None else given.s[order]
    return replace(given, X=given.X[order], y=given.y[order], s=s), lambda W, b: (W, b), 1


def permuted_features(given, rng):
    order = rng.permutation(given.X.shape[1])
    labels = None if given.labels is None else [given.labels[j] for j in order]
    omega = None if given.feature_weights is None else given.feature_weights[order]
    other = replace(given, X=given.X[:, order], labels=labels, feature_weights=omega)
    return other, lambda W, b: (W[order], b), 1


def permuted_targets(given, rng):
    if given.problem.task == "classification":
        order = rng.permutation(given.problem.n_targets + 1)
        y = np.argsort(order)[given.y]
        if len(order) > 2:
            return replace(given, y=y), lambda W, b: (W[:, order], b[order]), 1
        sign = 1 if order[0] == 0 else -1
        return replace(given, y=y), lambda W, b: (sign * W, sign * b), 1
    if given.y.ndim == 1:
        return replace(given, y=given.y[:, None]), lambda W, b: (W, b), 1
    order = rng.permutation(given.y.shape[1])
    return replace(given, y=given.y[:, order]), lambda W, b: (W[:, order], b[order]), 1


def doubled_rows(given, rng):
    s = None if given.s is None else np.tile(given.s, 2)
    X, y = np.concatenate([given.X] * 2), np.concatenate([given.y] * 2)
    return replace(given, X=X, y=y, s=s), lambda W, b: (W, b), 1


def scaled_weights(given, rng):
    s = np.ones(len(given.X)) if given.s is None else given.s
    return replace(given, s=s * 10 ** rng.uniform(-100, 100)), lambda W, b: (W, b), 1


def weightless_rows(given, rng):
    some = rng.integers(len(given.X), size=3)
    s = np.ones(len(given.X)) if given.s is None else given.s
    X = np.concatenate([given.X, -2 * given.X[some]])
    y = np.concatenate([given.y, given.y[rng.permutation(some)]])
    return replace(given, X=X, y=y, s=np.append(s, np.zeros(3))), lambda W, b: (W, b), 1


def scaled_targets(given, rng):
    """y times c gives W times c if alpha is multiplied by c^{2 − power}."""
    if given.problem.task == "classification":
        return permuted_targets(given, rng)
    # float64 has to hold alpha.
    c = 2.0 ** rng.integers(-40 if given.alpha > 1e-280 else 0, 40 if given.alpha < 1e280 else 0)
    alpha = given.alpha * c ** (2 - _power(given))
    return replace(given, y=c * given.y, alpha=alpha), lambda W, b: (c * W, c * b), c**2


def scaled_features(given, rng):
    """X times c, one c for each group, and ω times c^power give W / c."""
    p = given.X.shape[1]
    codes = np.arange(p) if given.labels is None else np.array(given.labels)
    c = (2.0 ** rng.integers(-20, 20, p))[codes]
    omega = given.feature_weights
    if omega is None:
        omega = np.sqrt(np.bincount(codes, minlength=p)[codes])
    if given.problem.layout == "float32" or given.ridge:
        # With a ridge, features in other units would be another problem.
        c = np.ones(p)
    other = replace(given, X=c * given.X, feature_weights=omega * c ** _power(given))
    return other, lambda W, b: (W / c[:, None], b), 1


def stored_otherwise(given, rng):
    layout = rng.choice(["dense", "csr", "csc", "fortran"])
    X = given.stored().astype(float)
    problem = replace(given.problem, layout=str(layout))
    return replace(given, X=X, problem=problem), lambda W, b: (W, b), 1


def solved_otherwise(given, rng):
    problem = replace(given.problem, solver=str(rng.choice(["gram", "columns"])))
    return replace(given, problem=problem), lambda W, b: (W, b), 1


def _power(given):
    return {"group lasso": 1, "p=2": 2 / 3, "p=1": 1 / 2}[given.problem.penalty]


RELATIONS = [
    permuted_samples,
    permuted_features,
    permuted_targets,
    doubled_rows,
    scaled_weights,
    weightless_rows,
    scaled_targets,
    scaled_features,
    stored_otherwise,
    solved_otherwise,
]
