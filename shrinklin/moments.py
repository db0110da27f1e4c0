r"""Sufficient statistics of a squared loss, which add and subtract.

With sample weights :math:`s_i`, `Moments` holds :math:`n, \sum s`, the weighted
means and the weighted products about those means. Against raw sums
:math:`\sum s x x'` this is the same information, but nothing cancels: a
feature of mean 1e8 and deviation 1 keeps its digits.

References
----------
.. [1] Chan, Golub, LeVeque (1983), Algorithms for computing the sample
   variance: analysis and recommendations.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from shrinklin.validation import check_weights

# Rows taken at a time, in bytes of float64: large enough for a fast product,
# small beside any X whose memory matters.
_CHUNK_BYTES = 2**23


@dataclass(frozen=True)
class Moments:
    """Weighted first and second moments of (X, Y).

    Attributes
    ----------
    n_samples : int
    weight : float
        Σ s_i.
    x_mean : ndarray of shape (n_features,)
    y_mean : ndarray of shape (n_targets,)
    xx : ndarray of shape (n_features, n_features)
        Σ s (x − x_mean)(x − x_mean)'.
    xy : ndarray of shape (n_features, n_targets)
        Σ s (x − x_mean)(y − y_mean)'.
    yy : ndarray of shape (n_targets, n_targets)
        Σ s (y − y_mean)(y − y_mean)'.
    feature_names : ndarray of shape (n_features,), default=None
        Names of the columns of X, where it had any.
    y_ndim : {1, 2}, default=2
        Dimensions of Y as it was given: those of what a model of them predicts.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from shrinklin import GroupLassoRegressor, Moments
    >>> X, y = load_diabetes(return_X_y=True)
    >>> moments = Moments.from_data(X[:200], y[:200]) + Moments.from_data(X[200:], y[200:])
    >>> model = GroupLassoRegressor(alpha=1.0).fit_moments(moments)
    >>> bool(abs(model.coef_ - GroupLassoRegressor(alpha=1.0).fit(X, y).coef_).max() < 1e-8)
    True
    """

    n_samples: int
    weight: float
    x_mean: np.ndarray
    y_mean: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray
    feature_names: np.ndarray | None = None
    y_ndim: int = 2

    @classmethod
    def from_data(cls, X, Y, sample_weight=None):
        """Moments of data.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Finite numbers. A dense X is read in chunks and never copied whole.
        Y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Finite numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 with a positive sum; None takes ones.

        Returns
        -------
        Moments

        Raises
        ------
        ValueError
            For data or weights outside what is stated here.
        """
        names = feature_names(X)
        X = X if sparse.issparse(X) else _numbers("X", X)
        Y = _numbers("Y", Y).astype(float, copy=False)
        if X.ndim != 2 or Y.ndim not in (1, 2) or len(Y) != X.shape[0] or 0 in X.shape:
            raise ValueError(
                f"X has shape {X.shape}, Y {Y.shape}: give two tables of the same rows, at least "
                "one, and X at least one column."
            )
        y_ndim, Y = Y.ndim, Y.reshape(len(Y), -1)
        s = check_weights(sample_weight, X)
        n_samples, weight = X.shape[0], s.sum()
        with np.errstate(over="ignore", invalid="ignore"):
            x_mean = weighted_mean(X, s)
            y_mean = s @ Y / weight
        _check_finite("X", x_mean, names)
        _check_finite("Y", y_mean)
        Yc = Y - y_mean
        products = _sparse_products if sparse.issparse(X) else _dense_products
        xx, xy = products(X, Yc, s, x_mean)
        yy = Yc.T @ (s[:, None] * Yc)
        _clear_constants(
            xx, xy, yy, weight * variance_noise(x_mean), weight * variance_noise(y_mean)
        )
        return cls(n_samples, weight, x_mean, y_mean, xx, xy, yy, names, y_ndim)

    @property
    def n_features(self):
        return len(self.x_mean)

    def __add__(self, other):
        return self._combine(other, 1)

    def __sub__(self, other):
        """Moments of the rows that are in self and not in other."""
        return self._combine(other, -1)

    def _combine(self, other, sign):
        if self.xy.shape != other.xy.shape:
            raise ValueError(
                f"these moments have (n_features, n_targets) = {self.xy.shape}, the "
                f"others {other.xy.shape}: combine moments of the same columns."
            )
        if self.y_ndim != other.y_ndim:
            raise ValueError(
                f"Y had {self.y_ndim} dimensions in these moments, {other.y_ndim} in the others: "
                "give Y of one kind, (n_samples,) or (n_samples, n_targets)."
            )
        names = _common_names(self.feature_names, other.feature_names)
        weight = self.weight + sign * other.weight
        n_samples = self.n_samples + sign * other.n_samples
        if weight <= 1e-12 * self.weight or n_samples <= 0:
            raise ValueError(
                f"{self.n_samples} rows of weight {self.weight:g} less {other.n_samples} of "
                f"{other.weight:g} leaves none: subtract the moments of a part of the same rows."
            )
        share = sign * other.weight / weight
        dx, dy = other.x_mean - self.x_mean, other.y_mean - self.y_mean
        between = share * self.weight
        xx = self.xx + sign * other.xx + between * np.outer(dx, dx)
        xy = self.xy + sign * other.xy + between * np.outer(dx, dy)
        yy = self.yy + sign * other.yy + between * np.outer(dy, dy)
        x_mean, y_mean = self.x_mean + share * dx, self.y_mean + share * dy
        # A column that is constant in what is left: what was taken off cancels
        # only to within its own rounding.
        noise = 8 * np.finfo(float).eps
        _clear_constants(
            xx,
            xy,
            yy,
            weight * variance_noise(x_mean) + noise * np.diagonal(self.xx),
            weight * variance_noise(y_mean) + noise * np.diagonal(self.yy),
        )
        return Moments(n_samples, weight, x_mean, y_mean, xx, xy, yy, names, self.y_ndim)

    def centred(self):
        """(xx, xy, yy) per unit of weight, about the means: for an intercept."""
        return self.xx / self.weight, self.xy / self.weight, self.yy / self.weight

    def raw(self):
        """(xx, xy, yy) per unit of weight, about zero: for no intercept."""
        G, C, yy = self.centred()
        G += np.outer(self.x_mean, self.x_mean)
        C += np.outer(self.x_mean, self.y_mean)
        return G, C, yy + np.outer(self.y_mean, self.y_mean)


def feature_names(X):
    """Names of the columns of a DataFrame, if all are str; else None."""
    columns = getattr(X, "columns", None)
    if columns is None or not all(isinstance(name, str) for name in columns):
        return None
    return np.asarray(list(columns), dtype=object)


def _common_names(ours, theirs):
    if ours is None or theirs is None:
        return theirs if ours is None else ours
    different = np.flatnonzero(ours != theirs)
    if len(different):
        j = different[0]
        raise ValueError(
            f"column {j} of X is {ours[j]!r} in these moments and {theirs[j]!r} in the others: "
            "give the same columns in the same order."
        )
    return ours


def _numbers(what, values):
    """As an array of numbers."""
    array = np.asarray(values)
    if array.dtype.kind in "biuf":
        return array
    try:
        return array.astype(float, casting="unsafe" if array.dtype.kind == "O" else "same_kind")
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{what} has entries that are not real numbers ({error}): encode text and dates as "
            "numbers first, and fill in or leave out what is missing."
        ) from error


def _check_finite(what, means, names=None):
    """Raise where a column has NaN or infinity: so has its mean."""
    bad = np.flatnonzero(~np.isfinite(means))
    if len(bad):
        shown = [str(j if names is None else names[j]) for j in bad[:5]]
        raise ValueError(
            f"{len(bad)} of the {len(means)} columns of {what} contain NaN, infinity or numbers "
            f"too large for float64, first {', '.join(shown)}: fill in or leave out these entries."
        )


def _clear_constants(xx, xy, yy, x_noise, y_noise):
    """Make the products of constant columns exact zeros, in place."""
    x_constant, y_constant = np.diagonal(xx) <= x_noise, np.diagonal(yy) <= y_noise
    xx[x_constant] = xy[x_constant] = yy[y_constant] = 0.0
    xx[:, x_constant] = xy[:, y_constant] = yy[:, y_constant] = 0.0


def weighted_mean(X, sample_weight):
    """Weighted mean of every column of a dense or sparse X, in float64."""
    weight = sample_weight.sum()
    if sparse.issparse(X):
        return np.asarray(X.T @ sample_weight).reshape(-1) / weight
    return sum(sample_weight[rows] @ _rows(X, rows) for rows in _chunks(X)) / weight


def variance_noise(x_mean):
    """Largest computed variance of a column that is constant, by rounding alone.

    That of a mean that is off by some eps·mean. At or below it a column is
    treated as constant, which leaves it out of every model.
    """
    return (64 * np.finfo(float).eps * x_mean) ** 2


def _chunks(X):
    step = max(1, _CHUNK_BYTES // (8 * X.shape[1]))
    return [slice(i, i + step) for i in range(0, X.shape[0], step)]


def _rows(X, rows):
    return np.asarray(X[rows], dtype=float)


def _dense_products(X, Yc, s, x_mean):
    xx = np.zeros((X.shape[1], X.shape[1]))
    xy = np.zeros((X.shape[1], Yc.shape[1]))
    root = np.sqrt(s)[:, None]
    for rows in _chunks(X):
        Xc = _rows(X, rows) - x_mean
        Xc *= root[rows]
        xx += Xc.T @ Xc
        xy += Xc.T @ (root[rows] * Yc[rows])
    return xx, xy


def _sparse_products(X, Yc, s, x_mean):
    weighted = X.multiply(s[:, None]).tocsr()
    xx = (X.T @ weighted).toarray().astype(float)
    xx -= s.sum() * np.outer(x_mean, x_mean)
    xy = weighted.T @ Yc - np.outer(x_mean, s @ Yc)
    far = np.flatnonzero(far_from_zero(np.diagonal(xx) / s.sum(), x_mean))
    if len(far):
        # These columns are dense anyway: their means come off before the product.
        centred = X[:, far].toarray() - x_mean[far]
        cross = X.T @ (s[:, None] * centred) - np.outer(x_mean, s @ centred)
        xx[:, far], xx[far] = cross, cross.T
        xx[np.ix_(far, far)] = centred.T @ (s[:, None] * centred)
        xy[far] = centred.T @ (s[:, None] * Yc)
    return xx, xy


def far_from_zero(variance, x_mean):
    """Columns whose variance, as mean square less squared mean, has lost digits."""
    return variance < 1e-4 * x_mean**2
