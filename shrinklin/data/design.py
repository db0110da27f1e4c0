"""The view of X that solvers share: dense or sparse, weighted, centred, and never copied whole.

`Design` returns columns and products. `columns` does so for the columns of a working set. `gram`
decides when a Gram matrix replaces X.
"""

import copy
from functools import cached_property

import numpy as np
from scipy import sparse

from shrinklin.data.moments import far_from_zero, variance_noise, weighted_mean_and_square
from shrinklin.pruning.cost import CostMeter

# This many numbers of X are copied at a time, so that they fit in the cache.
_BLOCK = 2**17
# If a mean is this many times the standard deviation, a product from which it is subtracted
# afterwards loses four digits.
_TOO_FAR = 1e4


def slices(n, step):
    """Consecutive slices of n things, `step` at a time, but at least one."""
    step = max(1, step)
    return [slice(start, start + step) for start in range(0, n, step)]


class Design:
    """X with columns centred and rows scaled by √(s_i/Σs), on the fly: sparse X stays sparse.

    Features are in the order of `Groups`: feature j is the user's column order[j]. Samples are
    the rows of X with positive weight.

    Attributes
    ----------
    used : slice or ndarray of shape (n_samples,)
        The rows of X that are samples.
    row_scale : ndarray of shape (n_samples, 1)
        √(s_i/Σs).
    x_mean : ndarray of shape (n_features,)
        The means that are subtracted, in the user's order. Zeros without an intercept.
    cost : CostMeter
    diagonal : ndarray of shape (n_features,)
        Sum of squares of every column. 0 for constant columns, which count as empty.
    noise : ndarray of shape (n_features,)
        The norm that rounding errors may give a centred constant column, in the user's order.
    """

    def __init__(self, X, sample_weight, order, fit_intercept=True, cost=None):
        self.used = slice(None) if sample_weight.all() else np.flatnonzero(sample_weight)
        # Only columns are taken from a sparse X.
        self.X = X.tocsc().astype(float, copy=False) if sparse.issparse(X) else X
        self.order = order
        self.cost = CostMeter() if cost is None else cost
        self.row_scale = np.sqrt(sample_weight / sample_weight.sum())[self.used, None]
        self.x_mean, squares = weighted_mean_and_square(self.X, sample_weight)
        if sparse.issparse(X) and not sample_weight.all():
            self.X = self.X[self.used]
        if not fit_intercept:
            self.x_mean = np.zeros_like(self.x_mean)
        self.noise = np.sqrt(variance_noise(self.x_mean))
        variance = self._variances(squares)
        self.constant = variance <= self.noise**2
        self.diagonal = np.where(self.constant, 0.0, variance)[order]
        self._roughness = self._error_of_float32(variance)
        self._kept: _KeptColumns | None = None

    def with_memory(self):
        """A copy of the design that keeps the columns it makes, and does not make them again.

        The last digits of products depend on the order in which the columns were requested.
        """
        remembering = copy.copy(self)
        remembering._kept = _KeptColumns(self.columns, len(self.order), self.n_samples)
        return remembering

    @property
    def n_samples(self):
        return len(self.row_scale)

    @property
    def n_entries(self):
        """How many numbers a product with all of X reads."""
        return self.X.nnz if sparse.issparse(self.X) else self.X.size

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
        """Consecutive parts of `original`, which numbers columns."""
        return [original[some] for some in slices(len(original), 2**20 // self.n_samples)]

    def _error_of_float32(self, variance):
        """Largest error of a product x'r in float32, relative to ‖x‖‖r‖. 0 if X is not float32.

        The rounding errors of n samples are nearly independent, so they grow only like √n. The
        factor 4 is a margin. Means are subtracted after the product, so means far from zero make
        the error larger. Infinity if a column is outside the range of float32.
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
        """A dense copy of the user's columns `original`, scaled, centred, in column-major order."""
        out = np.empty((len(original), self.n_samples))
        self._write(original, out, np.arange(len(original)))
        return out.T

    def _write(self, original, out, at):
        """Write `_scaled(original)`, transposed, to out[at], without another copy."""
        if sparse.issparse(self.X):
            for some in self._parts(np.arange(len(original))):
                columns = self.X[:, original[some]].toarray() - self.x_mean[original[some]]
                out[at[some]] = (self.row_scale * columns).T
            return
        for samples in slices(self.n_samples, _BLOCK // max(1, len(original))):
            out[at, samples] = self._block(original, samples).T

    def _block(self, original, samples):
        """`_scaled(original)` for a slice of the samples of a dense X."""
        rows = samples if isinstance(self.used, slice) else self.used[samples, None]
        block = self.X[rows, original].astype(float, copy=False)
        block -= self.x_mean[original]
        block *= self.row_scale[samples]
        return block

    def columns(self, features):
        """A scaled, centred copy of these features: (n_samples, len(features))."""
        original = self.order[features]
        columns = self._scaled(original)
        columns[:, self.constant[original]] = 0.0
        return columns

    def write_transposed(self, features, out, at):
        """Write `columns(features)`, transposed, to out[at]."""
        original = self.order[features]
        self._write(original, out, at)
        out[at[self.constant[original]]] = 0.0

    def part(self, features, samples):
        """`columns(features)` for a slice of the samples of a dense X."""
        original = self.order[features]
        block = self._block(original, samples)
        block[:, self.constant[original]] = 0.0
        return block

    def transposed(self, features):
        """`columns(features)` transposed: (len(features), n_samples). Do not write to it."""
        features = np.asarray(features)
        return self.columns(features).T if self._kept is None else self._kept.columns(features)

    def cross(self, left, right):
        """Products of the columns of features `left` with the columns of features `right`."""
        left, right = np.asarray(left), np.asarray(right)
        self.cost.count_product(self.n_samples, len(left), len(right))
        if self._stays_sparse(left) and self._stays_sparse(right):
            (columns, mean), (others, other_mean) = self._sparse(left), self._sparse(right)
            products = (columns.T @ others).toarray()
            return products - np.outer(mean, other_mean) if mean.any() else products
        others = self.transposed(right)
        return self.transposed(left) @ others.T

    def product(self, W):
        """X W, with X scaled and centred."""
        alive = np.flatnonzero(W.any(axis=1))
        self.cost.count_product(self.n_samples, len(alive), W.shape[1])
        if self._stays_sparse(alive):
            columns, mean = self._sparse(alive)
            return columns @ W[alive] - self.row_scale * (mean @ W[alive])
        if len(alive) <= len(W) // 2:
            some = W[alive]
            kept = self._kept
            return self.columns(alive) @ some if kept is None else kept.product(alive, some)
        if sparse.issparse(self.X):
            return self.columns(alive) @ W[alive]
        return self.read_product(W)

    def read_product(self, W):
        """`product(W)` of a dense X, without a copy of its columns."""
        V = np.zeros(W.shape[::-1])
        V[:, self.order] = W.T
        V[:, self.constant] = V[:, self._far] = 0.0
        Z = np.empty((len(V), self.X.shape[0]))
        for rows, X in _blocks(self.X, float):
            np.matmul(V, X.T, out=Z[:, rows])
        Z = self.row_scale * (Z - (V @ self.x_mean)[:, None]).T[self.used]
        for part in self._parts(self._far):
            Z += self._scaled(part) @ W[np.argsort(self.order)[part]]
        return Z

    def correlate(self, R):
        """X'R, with X scaled and centred, for R of shape (n_samples, any)."""
        product = self._correlate(self.X, np.arange(self.X.shape[1]), R)
        for part in self._parts(self._far):
            product[part] = self._scaled(part).T @ R
        return product[self.order]

    def correlate_roughly(self, R):
        """`correlate(R)`, and a bound on the error of ‖X_g'R‖ relative to ‖X_g‖: 0 for float64."""
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
        return (R.T @ self.transposed(features).T).T

    def _correlate(self, X, original, R, dtype=float):
        """X'R, with X scaled and centred, where X holds the user's columns `original` in order."""
        scaled = self._of_all_rows(self.row_scale * R).astype(dtype, copy=False)
        self.cost.count_product(X.nnz if sparse.issparse(X) else X.size, R.shape[1])
        if sparse.issparse(X):
            product = X.T @ scaled
        else:
            # In this order BLAS reads X along its rows, and the result has the memory layout
            # that kernels need.
            product = sum(scaled[rows].T @ part for rows, part in _blocks(X, dtype)).T
        product = product.astype(float, copy=False)
        if self.x_mean.any():
            product -= np.outer(self.x_mean[original], scaled.sum(axis=0))
        product[self.constant[original]] = 0.0
        return product

    def _of_all_rows(self, R):
        """R with rows of zeros for the rows of a dense X that are not samples."""
        if sparse.issparse(self.X) or isinstance(self.used, slice):
            return R
        whole = np.zeros((len(self.X), R.shape[1]))
        whole[self.used] = R
        return whole

    @cached_property
    def _far(self):
        """Columns of a dense X whose means must be subtracted before a product."""
        if sparse.issparse(self.X):
            return np.empty(0, dtype=int)
        deviation = np.empty(len(self.order))
        deviation[self.order] = np.sqrt(self.diagonal)
        return np.flatnonzero(~self.constant & (np.abs(self.x_mean) > _TOO_FAR * deviation))

    def _stays_sparse(self, features):
        """Whether products of sparse columns keep enough digits if means are subtracted later."""
        return sparse.issparse(self.X) and not self.far[self.order[features]].any()

    def _sparse(self, features):
        """Scaled columns that are not centred, and the means to subtract.

        Columns that are `constant` are zero here: with another mean they would count as far from
        zero.
        """
        original = self.order[features]
        return self.X[:, original].multiply(self.row_scale).tocsc(), self.x_mean[original]


def _blocks(X, dtype):
    """Yield (slice, these rows of a dense X in this dtype). X itself if it has the dtype."""
    if X.dtype == dtype:
        yield slice(None), X
        return
    for rows in slices(len(X), _BLOCK // X.shape[1]):
        yield rows, X[rows].astype(dtype)


class _KeptColumns:
    """The columns that a `Design` keeps for one descent, transposed, in the order of the requests.

    Its memory grows with the requested columns. `WorkingColumns` has the same purpose, but limits
    the memory if X is large.
    """

    def __init__(self, make, n_columns, n_samples):
        self.make, self.slot = make, np.full(n_columns, -1)
        self.stored, self.used = np.empty((0, n_samples)), 0
        self.last = np.empty(0, dtype=int), self.stored

    def columns(self, wanted):
        """The columns `wanted`, in this order: (len(wanted), n_samples)."""
        if not np.array_equal(wanted, self.last[0]):
            self._add(wanted)
            self.last = wanted, self._take(wanted)
        return self.last[1]

    def _take(self, wanted):
        return self.stored[self.slot[wanted]]

    def _add(self, wanted):
        """Store the columns that are missing. If there is no room, drop all others but `wanted`."""
        new = wanted[self.slot[wanted] < 0]
        if not len(new):
            return
        columns = self.make(new).T
        if self.used + len(new) > len(self.stored):
            self._make_room(wanted[self.slot[wanted] >= 0], 2 * len(wanted))
        self.slot[new] = np.arange(self.used, self.used + len(new))
        self.used += len(new)
        self.stored[self.slot[new]] = columns

    def _make_room(self, kept, room):
        stored = np.empty((room, self.stored.shape[1]))
        stored[: len(kept)] = self._take(kept)
        self.slot[:] = -1
        self.slot[kept] = np.arange(len(kept))
        self.stored, self.used = stored, len(kept)

    def product(self, at, W):
        """The columns `at` times W."""
        self._add(at)
        if 2 * len(at) < self.used:
            return self._take(at).T @ W
        coefficients = np.zeros((self.used, W.shape[1]))
        coefficients[self.slot[at]] = W
        return self.stored[: self.used].T @ coefficients
