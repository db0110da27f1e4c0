"""Objective and residual of any coefficients, computed from the formulas in long double.

Its range, 1e±4932, is left by no square or product of float64 numbers, and its 64 bits leave
room to judge what was computed with 53. W is (n_features, n_targets), b (n_targets,).
"""

import numpy as np

WIDE = np.longdouble
# Of what float64 was given; what is smaller may be nothing but that.
_ROUNDING = 1e-13
_POWER = {"group lasso": 1.0, "p=2": 2 / 3, "p=1": 0.5}


class Judge:
    """F(W, b) = mean loss + alpha Σ_g ω_g φ(W_g) + ½ ridge Σ ‖W_g‖², weights of samples s.

    The last sum is over groups with ω_g > 0.
    """

    def __init__(
        self, X, y, s, task, penalty, alpha, labels=None, feature_weights=None, fit_intercept=True,
        ridge=0.0,
    ):  # fmt: skip
        self.X, self.penalty, self.alpha = X.astype(WIDE), penalty, WIDE(alpha)
        self.regression, self.fit_intercept = task == "regression", fit_intercept
        s = np.ones(len(X)) if s is None else s
        self.share = (s.astype(WIDE) / s.astype(WIDE).sum())[:, None]
        self.Y = _table(y) if self.regression else _indicators(y)
        self.centred = self._centred() if fit_intercept else self.X
        labels = list(range(X.shape[1]) if labels is None else labels)
        self.members = [np.flatnonzero(np.array(labels) == g) for g in dict.fromkeys(labels)]
        single = len(self.members) == X.shape[1]
        self.omega = [
            np.sqrt(WIDE(len(m)))
            if feature_weights is None and not single
            else WIDE(1 if feature_weights is None else feature_weights[m[0]])
            for m in self.members
        ]
        self.ridges = np.zeros((X.shape[1], 1), WIDE)
        for m, omega in zip(self.members, self.omega, strict=True):
            self.ridges[m] = WIDE(ridge) * (omega > 0)

    def _centred(self):
        X, used = self.X - self.share.T @ self.X, self.X[self.share[:, 0] > 0]
        # Of a constant column all that is left is rounding.
        return np.where(used.max(axis=0) == used.min(axis=0), 0, X)

    # The loss.

    def losses(self, Z):
        if self.regression:
            return ((Z - self.Y) ** 2).sum(axis=1) / 2
        Z = np.column_stack([np.zeros(len(Z)), Z]) if Z.shape[1] == 1 else Z
        Y = np.column_stack([1 - self.Y, self.Y]) if self.Y.shape[1] == 1 else self.Y
        top = Z.max(axis=1)
        return top + np.log(np.exp(Z - top[:, None]).sum(axis=1)) - (Z * Y).sum(axis=1)

    def slopes(self, Z):
        """Gradient of every row's loss in z."""
        if self.regression:
            return Z - self.Y
        both = np.column_stack([np.zeros(len(Z)), Z]) if Z.shape[1] == 1 else Z
        E = np.exp(both - both.max(axis=1, keepdims=True))
        P = E / E.sum(axis=1, keepdims=True)
        return (P[:, 1:] if Z.shape[1] == 1 else P) - self.Y

    def raw(self, W, b):
        return self.X @ W.astype(WIDE) + np.asarray(b).astype(WIDE)

    def loss(self, W, b):
        return (self.share[:, 0] * self.losses(self.raw(W, b))).sum()

    def value(self, W, b):
        terms = zip(self.omega, self.members, strict=True)
        W = W.astype(WIDE)
        held = (self.ridges * W**2).sum() / 2
        return self.loss(W, b) + self.alpha * sum(w * self._phi(W[m]) for w, m in terms) + held

    def value_of(self, model):
        return self.value(np.atleast_2d(model.coef_).T, np.atleast_1d(model.intercept_))

    def at_zero(self):
        """F of the model without features, at the best intercept."""
        zero = np.zeros((self.X.shape[1], self.Y.shape[1]))
        return self.value(zero, self.constant())

    def origin(self):
        """The loss of no features and no intercept: of a large mean it is mostly that."""
        return self.loss(np.zeros((self.X.shape[1], self.Y.shape[1])), np.zeros(self.Y.shape[1]))

    def rounding(self, W):
        """What a Gram matrix in float64 may put into F: huge coefficients that cancel."""
        squares = (self.share * self.centred**2).sum(axis=0) @ (W.astype(WIDE) ** 2).sum(axis=1)
        return 8 * len(W) * np.finfo(float).eps * squares

    def kept(self, W, b):
        """How far predictions may move when W and b are kept in their dtype: root mean square."""
        squares = (self.share * self.X**2).sum(axis=0) @ (W.astype(WIDE) ** 2).sum(axis=1)
        squares += (b.astype(WIDE) ** 2).sum()
        return 2 * np.finfo(W.dtype).eps * np.sqrt((len(W) + 1) * squares)

    def constant(self):
        """The best z that is the same on every row."""
        mean = (self.share * self.Y).sum(axis=0)
        if not self.fit_intercept:
            return np.zeros_like(mean)
        if self.regression:
            return mean
        mean = np.maximum(mean, WIDE(1e-4000))
        return np.log(mean) - np.log(np.maximum(1 - mean, WIDE(1e-4000))) * (len(mean) == 1)

    # The penalty.

    def _phi(self, block):
        if self.penalty == "p=1":
            return np.sqrt(np.abs(block).sum())
        return np.sqrt((block**2).sum()) ** WIDE(_POWER[self.penalty])

    def gradient(self, W, b):
        """∇f(W) with the ridge, b being the best intercept."""
        slopes = self.share * self.slopes(self.raw(W, b))
        return self.centred.T @ slopes + self.ridges * W.astype(WIDE)

    def pull(self, W, b):
        """The slope of the loss in b, and what it is small against: slopes of rows, and Y."""
        slopes = self.share * self.slopes(self.raw(W, b))
        sizes = np.abs(slopes).sum(), np.abs(self.share * self.Y).sum()
        return np.abs(slopes.sum(axis=0)).max(), *sizes

    def lipschitz(self):
        """Largest eigenvalue of the Hessian of every group, bounded as by Böhning."""
        bound = 1.0 if self.regression else 0.25 if self.Y.shape[1] == 1 else 0.5
        return [
            bound * _largest_eigenvalue(self.centred[:, m], self.share) + self.ridges[m[0], 0]
            for m in self.members
        ]

    def emptying(self):
        """About the alpha at which nothing enters."""
        zero = np.zeros((self.X.shape[1], self.Y.shape[1]))
        gradient, power = self.gradient(zero, self.constant()), WIDE(_POWER[self.penalty])
        found = WIDE(0)
        for m, L in zip(self.members, self.lipschitz(), strict=True):
            norm = np.sqrt((gradient[m] ** 2).sum())
            if L > 0 and norm > _ROUNDING * np.sqrt(L * self.origin()):
                # Of the units of gradient^{2 − power} L^{power − 1}.
                found = max(found, norm ** (2 - power) * L ** (power - 1))
        return found

    def residual(self, W, b):
        """max_g √L_g ‖W_g − prox(W_g − ∇_g/L_g)‖ over the same at 0 without penalty."""
        W, zero = W.astype(WIDE), np.zeros_like(W)
        gradient, first = self.gradient(W, b), self.gradient(zero, self.constant())
        worst = scale = WIDE(0)
        for m, L, omega in zip(self.members, self.lipschitz(), self.omega, strict=True):
            if L > 0:
                moved = self._prox(W[m] - gradient[m] / L, self.alpha * omega / L)
                worst = max(worst, np.sqrt(L) * np.sqrt(((W[m] - moved) ** 2).sum()))
                scale = max(scale, np.sqrt((first[m] ** 2).sum() / L))
        return worst / scale if scale > _ROUNDING * np.sqrt(self.origin()) else WIDE(0)

    def _prox(self, z, t):
        shape, z = z.shape, z.ravel()
        size = np.abs(z).max()
        if size == 0 or t == 0:
            return z.reshape(shape)
        # Among candidates in units of z: one of them is the minimum.
        z, t = z / size, t / size ** (2 - WIDE(_POWER[self.penalty]))
        candidates = [np.zeros_like(z), *_stationary(self.penalty, z, t)]
        values = [((w - z) ** 2).sum() / 2 + t * self._phi(w) for w in candidates]
        return size * candidates[int(np.argmin(values))].reshape(shape)


def _stationary(penalty, z, t):
    """Where ½‖w − z‖² + t φ(w) may have a minimum that is not zero."""
    norm = np.sqrt((z**2).sum())
    if penalty == "group lasso":
        return [z * (1 - t / norm)] if norm > t else []
    if penalty == "p=2":
        u = _largest_root([1, 0, 0, -norm, 2 * t / 3])
        return [] if u is None else [z * u**3 / norm]
    found = []
    ordered = np.sort(np.abs(z))[::-1]
    for k, Z in enumerate(np.cumsum(ordered), start=1):
        u = _largest_root([1, 0, -Z, k * t / 2])
        if u is not None:
            found.append(np.sign(z) * np.maximum(np.abs(z) - t / (2 * u), 0))
    return found


def _largest_root(polynomial):
    """By Newton's steps from above, where such a polynomial is convex and rises."""
    degree, coefficients = len(polynomial) - 1, np.array(polynomial, WIDE)
    u = WIDE(2) * max(abs(c) ** (WIDE(1) / max(1, i)) for i, c in enumerate(coefficients) if i)
    derivative = coefficients[:-1] * np.arange(degree, 0, -1)
    for _ in range(200):
        value, slope = np.polyval(coefficients, u), np.polyval(derivative, u)
        if slope <= 0:
            return None
        step = value / slope
        u = u - step
        if abs(step) <= 1e-17 * abs(u):
            return u if u > 0 else None
    return None


def _largest_eigenvalue(X, share):
    G = X.T @ (share * X)
    size = np.abs(G).max(initial=WIDE(0))
    if size == 0:
        return size
    return size * WIDE(max(np.linalg.eigvalsh((G / size).astype(float))[-1], 0))


def _table(y):
    return y.reshape(len(y), -1).astype(WIDE)


def _indicators(y):
    Y = (y[:, None] == np.unique(y)).astype(WIDE)
    return Y[:, 1:] if Y.shape[1] == 2 else Y
