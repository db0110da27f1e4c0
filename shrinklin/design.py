"""The features as solvers see them: weighted, centred, and never copied whole."""

import numpy as np
from scipy import sparse

from shrinklin.cost import CostMeter
from shrinklin.moments import far_from_zero, variance_noise, weighted_mean


class Design:
    """Columns of X scaled by √(s_i/Σs) and centred on the fly, so sparse X stays sparse.

    Positions of features are those of `Groups`; `order` leads to the user's columns.

    Attributes
    ----------
    row_scale : ndarray of shape (n_samples, 1)
        √(s_i/Σs).
    x_mean : ndarray of shape (n_features,)
        Means taken off, in the user's order; zeros without an intercept.
    cost : CostMeter
    diagonal : ndarray of shape (n_features,)
        Sum of squares of every column; 0 for constant ones, which count as empty.
    """

    def __init__(self, X, sample_weight, order, fit_intercept=True, cost=None):
        # A product of float32 with float64 would convert all of X every time.
        self.X, self.order = X.astype(float, copy=False), order
        self.cost = CostMeter() if cost is None else cost
        self.row_scale = np.sqrt(sample_weight / sample_weight.sum())[:, None]
        self.x_mean = weighted_mean(X, sample_weight)
        noise = variance_noise(self.x_mean)
        if not fit_intercept:
            self.x_mean = np.zeros_like(self.x_mean)
        variance = self._variances()
        self.constant = variance <= (noise if fit_intercept else 0.0)
        self.diagonal = np.where(self.constant, 0.0, variance)[order]

    def _variances(self):
        if not sparse.issparse(self.X):
            return self._dense_variances(np.arange(self.X.shape[1]))
        squares = self.X.multiply(self.X).T @ self.row_scale**2
        variance = np.asarray(squares).reshape(-1) - self.x_mean**2
        far = np.flatnonzero(far_from_zero(variance, self.x_mean))
        variance[far] = self._dense_variances(far)
        return variance

    def _dense_variances(self, original):
        step = max(1, 2**20 // self.X.shape[0])
        parts = [
            (self._scaled(original[start : start + step]) ** 2).sum(axis=0)
            for start in range(0, len(original), step)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def _scaled(self, original):
        """Scaled, centred dense copy of the user's columns `original`."""
        columns = self.X[:, original]
        if sparse.issparse(columns):
            columns = columns.toarray()
        return self.row_scale * (columns - self.x_mean[original])

    def columns(self, features):
        """Scaled, centred copy (n_samples, len(features)) of features of X."""
        original = self.order[features]
        columns = self._scaled(original)
        columns[:, self.constant[original]] = 0.0
        return columns

    def product(self, W):
        """Scaled, centred X W."""
        alive = np.flatnonzero(W.any(axis=1))
        self.cost.count_product(self.X.shape[0], len(alive), W.shape[1])
        return self.columns(alive) @ W[alive]

    def correlate(self, R):
        """Scaled, centred X' R for R (n_samples, any)."""
        scaled = self.row_scale * R
        entries = self.X.nnz if sparse.issparse(self.X) else self.X.size
        self.cost.count_product(entries, R.shape[1])
        # BLAS is quick at few rows times a wide matrix, not at a narrow one behind it.
        product = self.X.T @ scaled if sparse.issparse(self.X) else (scaled.T @ self.X).T
        product = product - np.outer(self.x_mean, scaled.sum(axis=0))
        product[self.constant] = 0.0
        return product[self.order]
