"""Slow, obvious computations that owe nothing to the package."""

import itertools
from fractions import Fraction

import mpmath
import numpy as np
from scipy import optimize
from threadpoolctl import threadpool_limits


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

    least = value(W)
    for _ in range(n_iter):
        Z = V + X.T @ (Y - X @ V) / (n * L)
        norms = np.linalg.norm(Z, axis=1, keepdims=True)
        new = Z * np.maximum(1 - alpha / (L * np.maximum(norms, 1e-300)), 0)
        reached = value(new)
        if reached > least:  # restart
            if t == 1.0:
                break
            V, t = W, 1.0
            continue
        if np.abs(new - W).max() <= tol:
            break
        t_new = (1 + np.sqrt(1 + 4 * t * t)) / 2
        V = new + (t - 1) / t_new * (new - W)
        W, t, least = new, t_new, reached
    return least


def brute_force_bridge(X, Y, strength, p, n_steps=150):
    """Least objective over all supports of features (no intercept, centred data).

    On every support reweighted ridge regression descends from least squares; all supports of
    one size at once.
    """
    n, n_features = X.shape
    G, C, yy = X.T @ X / n, X.T @ Y / n, (Y**2).sum() / n
    best = 0.5 * yy
    for size in range(1, n_features + 1):
        S = np.array(list(itertools.combinations(range(n_features), size)))
        G_S, C_S = G[S[:, :, None], S[:, None, :]], C[S]
        W, previous = np.linalg.pinv(G_S, hermitian=True) @ C_S, np.full(len(S), np.inf)
        for _ in range(n_steps):
            W = _reweighted_ridge(G_S, C_S, W, strength, p)
            values = _bridge_values(G_S, C_S, yy, W, strength, p)
            best = min(best, values.min())
            falls = values <= previous - 1e-10 * yy
            if not falls.any():
                break
            G_S, C_S, W, previous = G_S[falls], C_S[falls], W[falls], values[falls]
    return best


def _bridge_values(G, C, yy, W, strength, p):
    """½⟨W, GW⟩ − ⟨C, W⟩ + ½yy + κ Σ_j ‖w_j‖_p^{p/(p+1)}, of each of a stack."""
    smooth = ((0.5 * G @ W - C) * W).sum(axis=(1, 2)) + 0.5 * yy
    norms = (np.abs(W) ** p).sum(axis=2) ** (1 / (p + 1))
    return smooth + strength * norms.sum(axis=1)


def _reweighted_ridge(G, C, W, strength, p):
    """Minimise the quadratic plus Σ ½ d w², target by target."""
    d = _reweighting(W, strength, p).transpose(0, 2, 1)
    M = G[:, None] + d[..., None] * np.eye(G.shape[-1])
    return np.linalg.solve(M, C.transpose(0, 2, 1)[..., None])[..., 0].transpose(0, 2, 1)


def log_loss(X, codes, coef, intercept, sample_weight=None):
    """1/n Σ s_i [log Σ_k exp z_k − z_{y_i}] with Σ s = n, row by row.

    One row of coef is two classes: the raw prediction of code 1 against code 0.
    """
    coef, intercept = np.atleast_2d(coef), np.reshape(intercept, -1)
    s = np.ones(len(codes)) if sample_weight is None else np.asarray(sample_weight, float)
    losses = []
    for x, code in zip(X, codes, strict=True):
        z = coef @ x + intercept
        z = np.r_[0.0, z] if len(z) == 1 else z
        top = z.max()
        losses.append(top + np.log(np.exp(z - top).sum()) - z[code])
    return float(s @ losses) / s.sum()


def group_lasso_log_objective(
    X, codes, coef, intercept, alpha, groups=None, weights=None, sample_weight=None
):
    groups = range(np.shape(coef)[-1]) if groups is None else groups
    penalty = group_sum(coef, list(groups), np.linalg.norm, weights)
    return log_loss(X, codes, coef, intercept, sample_weight) + alpha * penalty


def bridge_log_objective(X, codes, coef, intercept, alpha, p, sample_weight=None):
    penalty = group_sum(coef, list(range(np.shape(coef)[-1])), bridge(p))
    return log_loss(X, codes, coef, intercept, sample_weight) + alpha * penalty


def _mean_log_loss(Z, indicators, share):
    """Σ share_i loss_i and its gradient in Z (…, n, K); one column of Z is two classes."""
    if Z.shape[-1] == 1:
        probabilities = 0.5 * (1 + np.tanh(0.5 * Z))
        losses = np.logaddexp(0, np.where(indicators > 0, -Z, Z))[..., 0]
    else:
        Z = Z - Z.max(axis=-1, keepdims=True)
        E = np.exp(Z)
        total = E.sum(axis=-1, keepdims=True)
        probabilities = E / total
        losses = np.log(total[..., 0]) - (indicators * Z).sum(axis=-1)
    return losses @ share, share[:, None] * (probabilities - indicators)


def indicators_of(codes):
    """(n, K) for K > 2 classes, (n, 1) for two."""
    Y = (np.asarray(codes)[:, None] == np.arange(max(codes) + 1)).astype(float)
    return Y[:, 1:] if Y.shape[1] == 2 else Y


def _curvature_bound(indicators):
    """Böhning's bound on the Hessian of one loss in z."""
    return 0.25 if indicators.shape[1] == 1 else 0.5


def fista_logistic(
    X, codes, alpha, *, fit_intercept=True, sample_weight=None, start=None, penalise_intercept=False
):
    """Minimum of the group lasso, one group a feature, and W of the centred columns."""
    Y = indicators_of(codes)
    share = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
    share = share / share.sum()
    n_features, bound = X.shape[1], _curvature_bound(Y)
    if fit_intercept:
        X = X - share @ X
    curvature = np.linalg.eigvalsh((X * share[:, None]).T @ X)[-1]
    if fit_intercept:
        # Of this length the constant has that curvature too.
        X = np.c_[X, np.full(len(X), np.sqrt(curvature))]
    L = bound * curvature
    penalised = np.arange(X.shape[1]) < n_features + penalise_intercept

    def value_of(W):
        loss = _mean_log_loss(X @ W, Y, share)[0]
        return loss + alpha * np.linalg.norm(W[penalised], axis=1).sum()

    def prox_step(V):
        Z = V - X.T @ _mean_log_loss(X @ V, Y, share)[1] / L
        norms = np.maximum(np.linalg.norm(Z, axis=1, keepdims=True), 1e-300)
        return np.where(penalised[:, None], Z * np.maximum(1 - alpha / (L * norms), 0), Z)

    start = np.zeros((X.shape[1], Y.shape[1])) if start is None else start
    W = _accelerate(prox_step, value_of, start)
    return value_of(W), W


def _accelerate(prox_step, value_of, W, n_iter=20_000, every=50):
    """Momentum that starts again where it leads uphill; ends where nothing is gained."""
    V, t, last = W, 1.0, np.inf
    for iteration in range(n_iter):
        new = prox_step(V)
        if np.vdot(V - new, new - W) > 0:
            t = 1.0
        t_new = (1 + np.sqrt(1 + 4 * t * t)) / 2
        V = new + (t - 1) / t_new * (new - W)
        W, t = new, t_new
        if iteration % every == every - 1:
            value = value_of(W)
            if last - value <= 1e-14 * value and last >= value:
                break
            last = value
    return W


def brute_force_log_bridge(X, codes, strength, p, n_polished=6, seed=0):
    """Least objective over all supports of features, with an intercept.

    Quadratic majorisers descend on every support, from a ridge fit and from a random
    point; the best of them go on by L-BFGS.
    """
    Y, n_features = indicators_of(codes), X.shape[1]
    X = X - X.mean(axis=0)
    supports = np.array(list(itertools.product([False, True], repeat=n_features)))
    ridge = np.zeros((len(supports), n_features + 1, Y.shape[1]))
    for _ in range(30):
        ridge = _majoriser_step(X, Y, ridge, supports, lambda W: np.full_like(W, 1e-3))
    random = np.random.default_rng(seed).normal(size=ridge.shape) * np.abs(ridge).max()
    W, supports = np.concatenate([ridge, random]), np.concatenate([supports, supports])
    for _ in range(60):
        W = _majoriser_step(X, Y, W, supports, lambda W: _reweighting(W, strength, p))
    values = [_log_bridge_value(X, Y, w, strength, p) for w in W]
    order = np.argsort(values)[:n_polished]
    return min(_polish(X, Y, W[i], strength, p) for i in order)


def _majoriser_step(X, Y, W, supports, weights):
    """Minimise Böhning's quadratic plus Σ ½ weights w²; W (n_supports, n_features + 1, K)."""
    n, bound = len(X), _curvature_bound(Y)
    X1 = np.c_[X, np.ones(n)]
    moving = np.c_[supports, np.ones(len(supports), dtype=bool)]
    W = np.where(moving[:, :, None], W, 0)
    G = bound * X1.T @ X1 / n
    d = weights(W)
    d[:, -1] = 0
    gradient = X1.T @ _mean_log_loss(X1 @ W, Y, np.full(n, 1 / n))[1]
    both = moving[:, :, None] & moving[:, None, :]
    M = np.where(both, G, 0)[:, None] + np.where(moving[:, :, None], d, 1).transpose(0, 2, 1)[
        ..., None
    ] * np.eye(len(G))
    right = np.where(moving[:, :, None], G @ W - gradient, 0).transpose(0, 2, 1)[..., None]
    return np.linalg.solve(M, right)[..., 0].transpose(0, 2, 1)


def _reweighting(W, strength, p):
    # κφ(w) ≤ κφ(w0) + ½ Σ d (w² − w0²), with equality at w0.
    magnitude = np.maximum(np.abs(W), 1e-9)
    if p == 2:
        norms = np.sqrt((magnitude**2).sum(axis=-1, keepdims=True))
        return np.broadcast_to(2 / 3 * strength * norms ** (-4 / 3), W.shape).copy()
    return strength / (2 * np.sqrt(magnitude.sum(axis=-1, keepdims=True)) * magnitude)


def _log_bridge_value(X, Y, W, strength, p):
    loss = _mean_log_loss(X @ W[:-1] + W[-1], Y, np.full(len(X), 1 / len(X)))[0]
    return loss + strength * sum(bridge(p)(row) for row in W[:-1])


def _polish(X, Y, W, strength, p):
    """Descend on w = v² a (p = 2) or ± v² a² (p = 1), a sum of squares the penalty."""
    rows = np.linalg.norm(W[:-1], axis=1) > 1e-4
    X, w, b = X[:, rows], W[:-1][rows], W[-1]
    share, sign = np.full(len(X), 1 / len(X)), np.sign(w)
    # λ₂ for which κ = λ; then v² = β and a from β a = w.
    decay = strength * (4 / 27 if p == 2 else 1 / 4)
    beta = (p * decay * (np.abs(w) ** p).sum(axis=1) / strength) ** (1 / (p + 1))
    a = w / beta[:, None]
    n_v = len(beta)

    def unpack(theta):
        return theta[:n_v], theta[n_v : n_v + w.size].reshape(w.shape), theta[n_v + w.size :]

    def objective(theta):
        v, a, b = unpack(theta)
        A = a if p == 2 else sign * a**2
        loss, residual = _mean_log_loss(X @ (v[:, None] ** 2 * A) + b, Y, share)
        g = X.T @ residual
        dA = v[:, None] ** 2 * g
        parts = (
            2 * v * ((g * A).sum(axis=1) + strength),
            2 * decay * a + (dA if p == 2 else 2 * a * sign * dA),
            residual.sum(axis=0),
        )
        value = loss + strength * (v**2).sum() + decay * (a**2).sum()
        return value, np.concatenate([part.ravel() for part in parts])

    start = np.concatenate([np.sqrt(beta), (a if p == 2 else np.sqrt(np.abs(a))).ravel(), b])
    options = {"maxiter": 2000, "gtol": 1e-9, "ftol": 1e-14}
    # The threads of scipy's BLAS and of numpy's would wait for each other.
    with threadpool_limits(1, "blas"):
        return optimize.minimize(objective, start, jac=True, options=options, method="L-BFGS-B").fun


def exact_lasso(X, y, alpha, weights, fit_intercept=True):
    """F and f at their minimum and at zero, of one target, in rational arithmetic.

    All supports and signs are tried until one satisfies the conditions of the minimum: for few
    features, whose numbers are taken as they are. (min F, f(0)).
    """
    X, y = [[Fraction(float(x)) for x in row] for row in X], [Fraction(float(v)) for v in y]
    if fit_intercept:
        means = [sum(column) / len(X) for column in zip(*X, strict=True)]
        X = [[x - mean for x, mean in zip(row, means, strict=True)] for row in X]
        y = [v - sum(y) / len(y) for v in y]
    columns = list(zip(*X, strict=True))
    G = [[_mean_product(a, b) for b in columns] for a in columns]
    C, half = [_mean_product(a, y) for a in columns], _mean_product(y, y) / 2
    strengths = [Fraction(float(alpha)) * Fraction(float(weight)) for weight in weights]
    for signs in itertools.product((0, 1, -1), repeat=len(G)):
        S = [j for j, sign in enumerate(signs) if sign]
        w = _rational_solve([[G[i][j] for j in S] for i in S],
                            [C[i] - strengths[i] * signs[i] for i in S])  # fmt: skip
        if w is None:
            continue
        gradient = [sum((g[j] * v for j, v in zip(S, w, strict=True)), -c)
                    for g, c in zip(G, C, strict=True)]  # fmt: skip
        held = all(abs(gradient[j]) <= strengths[j] for j in range(len(G)) if j not in S)
        if held and all(strengths[j] == 0 or v * signs[j] > 0 for j, v in zip(S, w, strict=True)):
            value = sum((gradient[j] - C[j]) * v for j, v in zip(S, w, strict=True)) / 2
            return half + value + sum(
                strengths[j] * abs(v) for j, v in zip(S, w, strict=True)
            ), half
    raise AssertionError("no minimum: columns without penalty are collinear")


def _mean_product(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / len(a)


def _rational_solve(A, b):
    """By elimination; None where A is singular."""
    rows = [[*row, v] for row, v in zip(A, b, strict=True)]
    for i in range(len(rows)):
        pivot = next((r for r in range(i, len(rows)) if rows[r][i] != 0), None)
        if pivot is None:
            return None
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(len(rows)):
            if r != i:
                factor = rows[r][i] / rows[i][i]
                rows[r] = [x - factor * y for x, y in zip(rows[r], rows[i], strict=True)]
    return [row[-1] / row[i] for i, row in enumerate(rows)]


def exact_logistic_lasso(X, positive, alpha, w, b):
    """The least F of two classes, with an intercept, to 40 digits from a (w, b) near it."""
    with mpmath.workdps(40):
        S, alpha = [j for j, v in enumerate(w) if v], mpmath.mpf(float(alpha))
        rows = [[mpmath.mpf(float(x)) for x in row] for row in X]
        sides = [1 if y else -1 for y in positive]

        def margins(v):
            raw = [v[-1] + sum(row[j] * u for j, u in zip(S, v, strict=False)) for row in rows]
            return [side * z for side, z in zip(sides, raw, strict=True)]

        def slopes(*v):
            """Of the loss in every coefficient and the intercept."""
            pulls = [-s / (1 + mpmath.exp(m)) for s, m in zip(sides, margins(v), strict=True)]
            columns = [*zip(*rows, strict=True), [1] * len(rows)]
            return [_mean_product(pulls, column) for column in columns]

        def stationary(*v):
            g = slopes(*v)
            return [g[j] + alpha * mpmath.sign(u) for j, u in zip(S, v, strict=False)] + [g[-1]]

        start = [mpmath.mpf(float(v)) for v in (*w[S], b)]
        v = list(mpmath.findroot(stationary, start, tol=1e-70))
        assert all(abs(g) <= alpha for j, g in enumerate(slopes(*v)[:-1]) if j not in S)
        loss = sum(mpmath.log1p(mpmath.exp(-m)) for m in margins(v)) / len(rows)
        return loss + alpha * sum(abs(u) for u in v[:-1])
