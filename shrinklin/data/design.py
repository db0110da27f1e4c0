"""The one view of X, dense or sparse: weighted, centred, and never copied whole.

`Design` gives columns, blocks of columns and products. `columns` has what solvers ask of the
columns of a working set, and `gram` decides where a Gram matrix takes the place of X.
"""

import copy
from functools import cached_property

import numpy as np
from scipy import sparse

from shrinklin.data.moments import far_from_zero, variance_noise, weighted_mean_and_square
from shrinklin.pruning.cost import CostMeter

# Numbers of X that are copied at a time: they fit in the cache.
_BLOCK = 2**17
# Where means are so many times the deviation, products from which they are taken off afterwards
# lose four digits.
_TOO_FAR = 1e4


def slices(n, step):
    """Of n things, `step` after others; at least one at a time."""
    step = max(1, step)
    return [slice(start, start + step) for start in range(0, n, step)]


class Design:
    """Columns of X scaled by √(s_i/Σs) and centred on the fly, so sparse X stays sparse.

    Positions of features are those of `Groups`; `order` leads to the user's columns. Samples
    are the rows of X that have weight.

    Attributes
    ----------
    used : slice or ndarray of shape (n_samples,)
        Rows that are samples.
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
        self.used = slice(None) if sample_weight.all() else np.flatnonzero(sample_weight)
        # What is taken of a sparse X are columns.
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
        """The same, but columns that were asked for are kept, and not made anew the next time.

        In which order they came shows in the last digits of products.
        """
        remembering = copy.copy(self)
        remembering._kept = _KeptColumns(self.columns, len(self.order), self.n_samples)
        return remembering

    @property
    def n_samples(self):
        return len(self.row_scale)

    @property
    def n_entries(self):
        """Numbers that a product with all of X reads."""
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
        """Columns, some at a time."""
        return [original[some] for some in slices(len(original), 2**20 // self.n_samples)]

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
        """Scaled, centred dense copy of the user's columns `original`, which lie together."""
        rows = np.empty((len(original), self.n_samples))
        self._write(original, rows, np.arange(len(original)))
        return rows.T

    def _write(self, original, rows, at):
        """Write what `_scaled` gives to rows[at], without another copy."""
        if sparse.issparse(self.X):
            for some in self._parts(np.arange(len(original))):
                columns = self.X[:, original[some]].toarray() - self.x_mean[original[some]]
                rows[at[some]] = (self.row_scale * columns).T
            return
        for samples in slices(self.n_samples, _BLOCK // max(1, len(original))):
            rows[at, samples] = self._block(original, samples).T

    def _block(self, original, samples):
        """Of a dense X, a slice of the samples of what `_scaled` gives."""
        rows = samples if isinstance(self.used, slice) else self.used[samples, None]
        block = self.X[rows, original].astype(float, copy=False)
        block -= self.x_mean[original]
        block *= self.row_scale[samples]
        return block

    def columns(self, features):
        """Scaled, centred copy (n_samples, len(features)) of features of X."""
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
        """Of a dense X, a slice of the samples of `columns(features)`."""
        original = self.order[features]
        block = self._block(original, samples)
        block[:, self.constant[original]] = 0.0
        return block

    def transposed(self, features):
        """`columns(features)` transposed (len(features), n_samples), not to be written to."""
        features = np.asarray(features)
        return self.columns(features).T if self._kept is None else self._kept.columns(features)

    def cross(self, left, right):
        """Products of the columns `left` with those `right`."""
        left, right = np.asarray(left), np.asarray(right)
        self.cost.count_product(self.n_samples, len(left), len(right))
        if self._stays_sparse(left) and self._stays_sparse(right):
            (columns, mean), (others, other_mean) = self._sparse(left), self._sparse(right)
            products = (columns.T @ others).toarray()
            return products - np.outer(mean, other_mean) if mean.any() else products
        others = self.transposed(right)
        return self.transposed(left) @ others.T

    def product(self, W):
        """Scaled, centred X W."""
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
        """`product(W)` of a dense X without a copy of its columns."""
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
        """Scaled, centred X' R for R (n_samples, any)."""
        product = self._correlate(self.X, np.arange(self.X.shape[1]), R)
        for part in self._parts(self._far):
            product[part] = self._scaled(part).T @ R
        return product[self.order]

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
        return (R.T @ self.transposed(features).T).T

    def _correlate(self, X, original, R, dtype=float):
        """The same for X, the user's columns `original`, in their order."""
        scaled = self._of_all_rows(self.row_scale * R).astype(dtype, copy=False)
        self.cost.count_product(X.nnz if sparse.issparse(X) else X.size, R.shape[1])
        if sparse.issparse(X):
            product = X.T @ scaled
        else:
            # This way round BLAS reads X along its rows, and the result is as kernels want it.
            product = sum(scaled[rows].T @ part for rows, part in _blocks(X, dtype)).T
        product = product.astype(float, copy=False)
        if self.x_mean.any():
            product -= np.outer(self.x_mean[original], scaled.sum(axis=0))
        product[self.constant[original]] = 0.0
        return product

    def _of_all_rows(self, R):
        """R with zeros for the rows of a dense X that are no samples."""
        if sparse.issparse(self.X) or isinstance(self.used, slice):
            return R
        whole = np.zeros((len(self.X), R.shape[1]))
        whole[self.used] = R
        return whole

    @cached_property
    def _far(self):
        """Columns of a dense X whose means have to be taken off before a product."""
        if sparse.issparse(self.X):
            return np.empty(0, dtype=int)
        deviation = np.empty(len(self.order))
        deviation[self.order] = np.sqrt(self.diagonal)
        return np.flatnonzero(~self.constant & (np.abs(self.x_mean) > _TOO_FAR * deviation))

    def _stays_sparse(self, features):
        """Whether what is subtracted for the means leaves enough digits."""
        return sparse.issparse(self.X) and not self.far[self.order[features]].any()

    def _sparse(self, features):
        """Scaled columns that are not centred, and the means that are to be taken off.

        None is constant: with a mean that would be far from zero, and zero without.
        """
        original = self.order[features]
        return self.X[:, original].multiply(self.row_scale).tocsc(), self.x_mean[original]


def _blocks(X, dtype):
    """(rows, those of a dense X in that dtype): X itself, or some rows after others."""
    if X.dtype == dtype:
        yield slice(None), X
        return
    for rows in slices(len(X), _BLOCK // X.shape[1]):
        yield rows, X[rows].astype(dtype)


class _KeptColumns:
    """Columns of X, transposed, in the order in which they came.

    What `Design` keeps for one descent. Its memory grows with what is asked for; `WorkingColumns`
    has the same purpose where X is so large that memory has to be bounded.
    """

    def __init__(self, make, n_columns, n_samples):
        self.make, self.slot = make, np.full(n_columns, -1)
        self.stored, self.used = np.empty((0, n_samples)), 0
        self.last = np.empty(0, dtype=int), self.stored

    def columns(self, wanted):
        """Those `wanted`, in that order: (len(wanted), n_samples)."""
        if not np.array_equal(wanted, self.last[0]):
            self._add(wanted)
            self.last = wanted, self._take(wanted)
        return self.last[1]

    def _take(self, wanted):
        return self.stored[self.slot[wanted]]

    def _add(self, wanted):
        """Store what is not there; where there is no room, nothing else stays but `wanted`."""
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
        """The columns `at`, times W."""
        self._add(at)
        if 2 * len(at) < self.used:
            return self._take(at).T @ W
        coefficients = np.zeros((self.used, W.shape[1]))
        coefficients[self.slot[at]] = W
        return self.stored[: self.used].T @ coefficients
