"""Slow, obvious computations that owe nothing to the package."""

import itertools

import numpy as np


def squared_loss(X, Y, coef, intercept, sample_weight=None):
    """1/(2n) Σ s_i ‖y_i − coef x_i − b‖² with Σ s = n, row by row."""
    Y = np.reshape(Y, (len(Y), -1))
    coef = np.reshape(coef, (Y.shape[1], -1))
    s = np.ones(len(Y)) if sample_weight is None else np.asarray(sample_weight, float)
    rows = [float(((y - coef @ x - intercept) ** 2).sum()) for x, y in zip(X, Y, strict=True)]
    return float(s @ rows) / (2 * s.sum())


def group_sum(coef, groups, phi, weights=None):
    """Σ_g ω_g φ(block of g), groups and weights given a feature."""
    coef = np.reshape(coef, (-1, len(groups)))
    weights = np.ones(len(groups)) if weights is None else np.asarray(weights)
    total = 0.0
    for label in sorted(set(groups)):
        members = [j for j, g in enumerate(groups) if g == label]
        total += weights[members[0]] * phi(coef[:, members])
    return total


def group_lasso_objective(X, Y, coef, intercept, alpha, groups=None, weights=None, s=None):
    groups = range(np.shape(coef)[-1]) if groups is None else groups
    penalty = group_sum(coef, list(groups), np.linalg.norm, weights)
    return squared_loss(X, Y, coef, intercept, s) + alpha * penalty


def bridge(p):
    """φ(w) = ‖w‖_p^{p/(p+1)}."""
    return lambda w: float((np.abs(w) ** p).sum()) ** (1 / (p + 1))


def fista_group_lasso(X, Y, alpha, n_iter=50_000, tol=1e-15):
    """Minimum of the group lasso on centred data, one group a feature."""
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    n = len(X)
    L = np.linalg.norm(X, 2) ** 2 / n
    W = V = np.zeros((X.shape[1], Y.shape[1]))
    t = 1.0

    def value(W):
        return ((Y - X @ W) ** 2).sum() / (2 * n) + alpha * np.linalg.norm(W, axis=1).sum()

    for _ in range(n_iter):
        Z = V + X.T @ (Y - X @ V) / (n * L)
        norms = np.linalg.norm(Z, axis=1, keepdims=True)
        new = Z * np.maximum(1 - alpha / (L * np.maximum(norms, 1e-300)), 0)
        if value(new) > value(W):  # restart
            if t == 1.0:
                break
            V, t = W, 1.0
            continue
        if np.abs(new - W).max() <= tol:
            break
        t_new = (1 + np.sqrt(1 + 4 * t * t)) / 2
        V = new + (t - 1) / t_new * (new - W)
        W, t = new, t_new
    return value(W)


def bridge_value(G, C, yy, W, strength, p):
    """½⟨W, GW⟩ − ⟨C, W⟩ + ½yy + κ Σ_j ‖w_j‖_p^{p/(p+1)}."""
    smooth = 0.5 * np.vdot(W, G @ W) - np.vdot(C, W) + 0.5 * yy
    return smooth + strength * sum(bridge(p)(row) for row in W)


def brute_force_bridge(X, Y, strength, p, n_steps=150):
    """Least objective over all supports of features (no intercept, centred data).

    On every support reweighted ridge regression descends from least squares.
    """
    n, n_features = X.shape
    G, C, yy = X.T @ X / n, X.T @ Y / n, (Y**2).sum() / n
    best = 0.5 * yy
    for size in range(1, n_features + 1):
        for support in itertools.combinations(range(n_features), size):
            S = list(support)
            W = np.linalg.lstsq(G[np.ix_(S, S)], C[S], rcond=None)[0]
            previous = np.inf
            for _ in range(n_steps):
                W = _reweighted_ridge(G[np.ix_(S, S)], C[S], W, strength, p)
                value = bridge_value(G[np.ix_(S, S)], C[S], yy, W, strength, p)
                if value > previous - 1e-10 * yy:
                    break
                previous = value
            best = min(best, value)
    return best


def _reweighted_ridge(G, C, W, strength, p):
    # κφ(w) ≤ κφ(w0) + ½ Σ d (w² − w0²), with equality at w0.
    magnitude = np.maximum(np.abs(W), 1e-9)
    if p == 2:
        norms = np.sqrt((magnitude**2).sum(axis=1))
        d = 2 / 3 * strength * norms ** (-4 / 3)
        return np.linalg.solve(G + np.diag(d), C)
    root = np.sqrt(magnitude.sum(axis=1, keepdims=True))
    d = strength / (2 * root * magnitude)
    return np.column_stack(
        [np.linalg.solve(G + np.diag(d[:, t]), C[:, t]) for t in range(C.shape[1])]
    )
