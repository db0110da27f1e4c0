"""The features as solvers see them: weighted, centred, and never copied whole."""

from functools import cached_property

import numpy as np
from scipy import sparse

from shrinklin.cost import CostMeter
from shrinklin.moments import far_from_zero, variance_noise, weighted_mean_and_square


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
    noise : ndarray of shape (n_features,)
        Norms that rounding alone may give a centred column, in the user's order.
    """

    def __init__(self, X, sample_weight, order, fit_intercept=True, cost=None):
        # What is taken of a sparse X are columns.
        self.X = X.tocsc().astype(float, copy=False) if sparse.issparse(X) else X
        self.order = order
        self.cost = CostMeter() if cost is None else cost
        self.row_scale = np.sqrt(sample_weight / sample_weight.sum())[:, None]
        self.x_mean, squares = weighted_mean_and_square(self.X, sample_weight)
        if not fit_intercept:
            self.x_mean = np.zeros_like(self.x_mean)
        self.noise = np.sqrt(variance_noise(self.x_mean))
        variance = self._variances(squares)
        self.constant = variance <= self.noise**2
        self.diagonal = np.where(self.constant, 0.0, variance)[order]
        self._roughness = self._error_of_float32(variance)
        self.forget()

    def forget(self):
        """Keep no columns: in which order they came shows in the last digits of products."""
        self._kept = _Rows(*self.X.shape[::-1])
        self._last = np.empty(0, dtype=int), np.empty((0, self.X.shape[0]))

    def _variances(self, squares):
        variance = squares - self.x_mean**2
        self.far = far_from_zero(variance, self.x_mean)
        far = np.flatnonzero(self.far)
        variance[far] = self._dense_variances(far)
        return variance

    def _dense_variances(self, original):
        parts = [(self._scaled(part) ** 2).sum(axis=0) for part in self._parts(original)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _parts(self, original):
        """Columns, some at a time."""
        step = max(1, 2**20 // self.X.shape[0])
        return [original[start : start + step] for start in range(0, len(original), step)]

    def _error_of_float32(self, variance):
        """Of ‖x‖‖r‖, how much a product x'r in float32 may be off; 0 where X is not float32.

        Errors of n roundings are independent enough to grow by √n, with a factor of 4 to
        spare; centring takes off what has been added. Infinite where the range is too small.
        """
        if self.X.dtype != np.float32:
            return 0.0
        variance, mean = variance[~self.constant], self.x_mean[~self.constant]
        sizes = np.sqrt(variance + mean**2)
        if not ((sizes > 1e-15) & (sizes < 1e15)).all():
            return np.inf
        worst = (sizes / np.sqrt(variance)).max(initial=1.0)
        return 4 * np.sqrt(len(self.X)) * np.finfo(np.float32).eps * worst

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

    def rows(self, features):
        """`columns(features)` transposed, not to be written to.

        They are kept for the next who asks for some of them.
        """
        features = np.asarray(features)
        if not np.array_equal(features, self._last[0]):
            self._keep(features)
            self._last = features, self._kept.take(features)
        return self._last[1]

    def _keep(self, features):
        unknown = self._kept.unknown(features)
        if len(unknown):
            self._kept.add(unknown, self.columns(unknown).T, features)

    def cross(self, left, right):
        """Products of the columns `left` with those `right`."""
        left, right = np.asarray(left), np.asarray(right)
        self.cost.count_product(self.X.shape[0], len(left), len(right))
        if self._stays_sparse(left) and self._stays_sparse(right):
            (columns, mean), (others, other_mean) = self._sparse(left), self._sparse(right)
            products = (columns.T @ others).toarray()
            return products - np.outer(mean, other_mean) if mean.any() else products
        others = self.rows(right)
        return self.rows(left) @ others.T

    def product(self, W):
        """Scaled, centred X W."""
        alive = np.flatnonzero(W.any(axis=1))
        self.cost.count_product(self.X.shape[0], len(alive), W.shape[1])
        if self._stays_sparse(alive):
            columns, mean = self._sparse(alive)
            return columns @ W[alive] - self.row_scale * (mean @ W[alive])
        if len(alive) > len(W) // 2:
            return self.columns(alive) @ W[alive]
        self._keep(alive)
        return self._kept.product(alive, W[alive])

    def correlate(self, R):
        """Scaled, centred X' R for R (n_samples, any)."""
        return self._correlate(self._double, np.arange(self.X.shape[1]), R)[self.order]

    @cached_property
    def _double(self):
        """X in float64: a product with float32 would convert all of it every time."""
        return self.X.astype(float, copy=False)

    def correlate_once(self, R):
        """`correlate(R)` without a copy of X for the next time."""
        if self.X.dtype != np.float32:
            return self.correlate(R)
        parts = self._parts(np.arange(self.X.shape[1]))
        products = [self._correlate(self.X[:, part].astype(float), part, R) for part in parts]
        return np.concatenate(products)[self.order]

    def correlate_roughly(self, R):
        """`correlate(R)`, and how much ‖X_g'R‖ is off at most, of ‖X_g‖: nothing for float64."""
        error = self._roughness * np.linalg.norm(R)
        if not 0 < error < np.inf:
            return self.correlate(R), 0.0
        size = np.abs(R).max()
        product = self._correlate(self.X, np.arange(self.X.shape[1]), (R / size), np.float32)
        return size * product[self.order], error

    def correlate_some(self, features, R):
        """`correlate(R)[features]`."""
        if sparse.issparse(self.X):
            original = self.order[features]
            return self._correlate(self.X[:, original], original, R)
        self.cost.count_product(len(features), *R.shape)
        return (R.T @ self.rows(features).T).T

    def _correlate(self, X, original, R, dtype=float):
        """The same for X, the user's columns `original`, in their order."""
        scaled = (self.row_scale * R).astype(dtype, copy=False)
        self.cost.count_product(X.nnz if sparse.issparse(X) else X.size, R.shape[1])
        # This way round BLAS reads X along its rows, and the result is as kernels want it.
        product = X.T @ scaled if sparse.issparse(X) else (scaled.T @ X).T
        product = product.astype(float, copy=False)
        if self.x_mean.any():
            product -= np.outer(self.x_mean[original], scaled.sum(axis=0))
        product[self.constant[original]] = 0.0
        return product

    def _stays_sparse(self, features):
        """Whether what is subtracted for the means leaves enough digits."""
        return sparse.issparse(self.X) and not self.far[self.order[features]].any()

    def _sparse(self, features):
        """Scaled columns that are not centred, and the means that are to be taken off.

        None is constant: with a mean that would be far from zero, and zero without.
        """
        original = self.order[features]
        return self.X[:, original].multiply(self.row_scale).tocsc(), self.x_mean[original]


class _Rows:
    """Rows of a large matrix: some of them, in the order in which they came."""

    def __init__(self, n_rows, width):
        self.slot = np.full(n_rows, -1)
        self.stored, self.used = np.empty((0, width)), 0

    def unknown(self, wanted):
        return wanted[self.slot[wanted] < 0]

    def take(self, wanted):
        return self.stored[self.slot[wanted]]

    def add(self, new, rows, wanted):
        """Store `rows`; of the others only those `wanted` where there is no room for all."""
        if self.used + len(new) > len(self.stored):
            self._make_room(wanted[self.slot[wanted] >= 0], 2 * len(wanted))
        self.slot[new] = np.arange(self.used, self.used + len(new))
        self.used += len(new)
        self.stored[self.slot[new]] = rows

    def _make_room(self, kept, room):
        stored = np.empty((room, self.stored.shape[1]))
        stored[: len(kept)] = self.take(kept)
        self.slot[:] = -1
        self.slot[kept] = np.arange(len(kept))
        self.stored, self.used = stored, len(kept)

    def product(self, at, W):
        """Transpose of the rows `at`, times W."""
        if 2 * len(at) < self.used:
            return self.take(at).T @ W
        coefficients = np.zeros((self.used, W.shape[1]))
        coefficients[self.slot[at]] = W
        return self.stored[: self.used].T @ coefficients
