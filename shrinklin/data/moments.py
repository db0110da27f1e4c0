r"""Sufficient statistics of squared loss, which can be added and subtracted.

With sample weights :math:`s_i`, `Moments` holds :math:`n, \sum s`, the weighted
means and the weighted products about the means. This is the same information as
in the sums :math:`\sum s x x'`, but no digits cancel: a feature with mean 1e8 and
standard deviation 1 keeps its digits.

References
----------
.. [1] Chan, Golub, LeVeque (1983), Algorithms for computing the sample
   variance: analysis and recommendations.
"""

import warnings
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from shrinklin.messages import naming
from shrinklin.validation.data import features
from shrinklin.validation.entries import check_undated, check_unmasked, column_names
from shrinklin.validation.frames import check_encoded, missing_in
from shrinklin.validation.weights import check_weights, power_of_four

# Bytes (in float64) of the rows that are read at a time: enough for a fast product,
# but little compared with any X whose memory matters.
_CHUNK_BYTES = 2**23
# For products, as many rows as columns are read, up to this many bytes, because every chunk
# adds n_features² numbers to the sums.
_MOST_ROWS_BYTES = 2**27
# If nothing is copied, this many rows per column are read.
_MANY_ROWS_A_COLUMN = 16
# At least every 97th row is used to estimate the means. A prime, as data may be periodic.
_MOST_STRIDE = 97
# A difference that is smaller than the total by this factor has 6 digits left.
_LEFT = 1e-10
# If no eigenvalue of the correlations is smaller, products in float32 lose no digits that matter.
_LEAST_EIGENVALUE = 1e-3


@dataclass(frozen=True, eq=False)
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
        The column names of X, if it had any.
    y_ndim : {1, 2}, default=2
        Number of dimensions of the given Y. The predictions of a model have as many.
    target_names : ndarray of shape (n_targets,), default=None
        The column names of Y, or the name of a Series, if it had any.

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
    target_names: np.ndarray | None = None

    @classmethod
    def from_data(cls, X, Y, sample_weight=None) -> Self:
        """Moments of data.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Finite numbers. Whole numbers are converted to float64, which keeps 16 digits of
            those beyond 2^53. A dense X is read in chunks and never copied whole.
        Y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_targets)
            Finite numbers, as in X.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 with a positive sum. None means ones.

        Returns
        -------
        Moments

        Raises
        ------
        ValueError
            If data or weights are not as described here.
        """
        names, names_of_y = feature_names(X), target_names(Y)
        X = _sparse_numbers(X) if sparse.issparse(X) else _numbers("X", X)
        Y = _numbers("Y", Y.toarray() if sparse.issparse(Y) else Y).astype(float, copy=False)
        if X.ndim != 2 or Y.ndim not in (1, 2) or len(Y) != X.shape[0] or 0 in X.shape + Y.shape:
            raise ValueError(
                f"X has shape {X.shape}, Y has shape {Y.shape}: give X and Y with the same number "
                "of rows, at least one row, and at least one column each."
            )
        y_ndim, Y = Y.ndim, Y.reshape(len(Y), -1)
        s = check_weights(sample_weight, X)
        n_samples, weight = X.shape[0], _sum_of_weights(s)
        products = _sparse_products if sparse.issparse(X) else _dense_products
        with np.errstate(over="ignore", invalid="ignore"):
            y_mean = s @ Y / weight
            Yc = Y - y_mean
            x_mean, xx, xy = products(X, Yc, s)
            yy = Yc.T @ (Yc if (s == 1).all() else s[:, None] * Yc)
        _check_finite("X", x_mean, names)
        _check_finite("Y", y_mean)
        _clear_constants(
            xx, xy, yy, weight * variance_noise(x_mean), weight * variance_noise(y_mean)
        )
        return cls(n_samples, weight, x_mean, y_mean, xx, xy, yy, names, y_ndim, names_of_y)

    @classmethod
    def from_chunks(cls, chunks) -> Self:
        """Moments of data that come in chunks of rows, with one chunk in memory at a time.

        Parameters
        ----------
        chunks : iterable of (X, Y) or (X, Y, sample_weight)
            Each chunk as for `from_data`, all with the same columns. A chunk adds nothing if
            it has no rows or if all its weights are 0. Even a chunk of one row takes time for
            n_features² numbers, so chunks of a few thousand rows are best.

        Returns
        -------
        Moments
            The moments of all rows together. Neither the sizes of the chunks nor their order
            matter.

        Raises
        ------
        TypeError
            If a chunk is not such a tuple.
        ValueError
            If `from_data` refuses a chunk, or if its columns differ from those of the others;
            the error names the chunk, counted from 0. Also if no row has a weight above 0.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from shrinklin import Moments
        >>> X, y = load_diabetes(return_X_y=True)
        >>> Moments.from_chunks((X[i : i + 100], y[i : i + 100]) for i in range(0, 442, 100))
        Moments of 442 samples, 10 features, 1 target
        """
        total, number = None, 0
        for chunk in chunks:
            total = _with_chunk(total, number, chunk)
            # `enumerate` would keep this chunk in memory while the next one is made.
            number += 1  # noqa: SIM113
            del chunk
        if total is None:
            raise ValueError(
                "no chunk has a row of weight > 0: give at least one such row. (A generator that "
                "was read before is exhausted: make a new one.)"
            )
        return total

    @classmethod
    def from_csv(
        cls, path, target, *, features=None, sample_weight=None, chunksize=100_000, **options
    ) -> Self:
        """Moments of CSV files, with `chunksize` rows in memory at a time.

        Needs pandas (in the extra ``files``).

        Parameters
        ----------
        path : str, path, URL or open file; or a list of them
            Files with the same columns, in any order. Booleans count as 0 and 1. One column
            may contain both 0 or 1 and True or False.
        target : str or list of str
            Name of the target column, for a 1-D y; or a list of names, for a 2-D y.
        features : list of str, default=None
            Names of the columns of X. Only these, `target` and `sample_weight` are read. None
            takes all columns except `target` and `sample_weight`.
        sample_weight : str, default=None
            Name of the column of sample weights. None means ones.
        chunksize : int, default=100_000
            Number of rows read at a time. They take about 24 bytes per row and column.
        **options
            Arguments of `pandas.read_csv`, such as `sep`, `na_values`, `dtype` or `index_col`.

        Returns
        -------
        Moments
            With `feature_names`.

        Raises
        ------
        ValueError
            If a column does not exist, holds text or has missing values; the error names the
            file and the column. If rows have more fields than the header has names. With
            ``features=None``, if a column has no name, or if two columns have the same name.
        """
        from shrinklin.data.readers import ColumnRoles, csv_chunks

        columns = ColumnRoles(target, features, sample_weight)
        return cls.from_chunks(csv_chunks(path, columns, chunksize, options))

    @classmethod
    def from_parquet(
        cls, path, target, *, features=None, sample_weight=None, batch_size=100_000, **options
    ) -> Self:
        """Moments of parquet files, with at most `batch_size` rows in memory at a time.

        Needs pandas and pyarrow (in the extra ``files``). A file is read one row
        group at a time, so row groups should also be small compared with the memory.

        Parameters
        ----------
        path : str or path, of a file or a folder; or a list of files
            Files with the same columns. The type of a column may differ between files.
        target, features, sample_weight
            As for `from_csv`. Only these columns are read. ``features=None`` leaves out the
            index of a DataFrame, if it was written to the file.
        batch_size : int, default=100_000
            Maximum number of rows read at a time.
        **options
            Arguments of `pyarrow.dataset.dataset`, such as `filesystem`, `partitioning` or
            `format`.

        Returns
        -------
        Moments
            With `feature_names`.

        Raises
        ------
        ValueError
            For the same reasons as `from_csv`.
        """
        from shrinklin.data.readers import ColumnRoles, parquet_chunks

        columns = ColumnRoles(target, features, sample_weight)
        return cls.from_chunks(parquet_chunks(path, columns, batch_size, options))

    @property
    def n_features(self):
        return len(self.x_mean)

    def __repr__(self):
        n_targets = len(self.y_mean)
        counts = [(self.n_samples, "sample"), (self.n_features, "feature"), (n_targets, "target")]
        return "Moments of " + ", ".join(f"{n} {what}{'s' * (n != 1)}" for n, what in counts)

    def __add__(self, other):
        return self._combine(other, 1) if isinstance(other, Moments) else NotImplemented

    def __radd__(self, other):
        # `sum` starts with 0.
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __sub__(self, other):
        """Moments of the rows that are in self and not in other.

        Warns
        -----
        UserWarning
            If so little is left of a column that about 10 of its 16 digits are lost.
        """
        if not isinstance(other, Moments):
            return NotImplemented
        left = self.without(other)
        _warn_of_lost_digits("X", left.xx, self.xx, left.feature_names)
        _warn_of_lost_digits("Y", left.yy, self.yy)
        return left

    def without(self, other) -> Self:
        """As ``self - other``, but without a warning, for callers that check the result."""
        return self._combine(other, -1)

    def check_columns(self, n_features, n_targets, y_ndim):
        """Raise an error if the numbers of columns or the dimensions of Y differ from these."""
        if self.xy.shape != (n_features, n_targets):
            raise ValueError(
                f"these moments have (n_features, n_targets) = {self.xy.shape}, the "
                f"others {(n_features, n_targets)}: combine moments of the same columns."
            )
        if self.y_ndim != y_ndim:
            raise ValueError(
                f"Y had {self.y_ndim} dimensions in these moments, {y_ndim} in the others: give Y "
                "in the same form each time, (n_samples,) or (n_samples, n_targets)."
            )

    def _combine(self, other, sign):
        self.check_columns(other.n_features, len(other.y_mean), other.y_ndim)
        names = _common_names("X", self.feature_names, other.feature_names)
        names_of_y = _common_names("Y", self.target_names, other.target_names)
        weight = self.weight + sign * other.weight
        n_samples = self.n_samples + sign * other.n_samples
        if weight <= 1e-12 * self.weight or n_samples <= 0:
            raise ValueError(
                f"subtracting {other.n_samples} rows of weight {other.weight:g} from "
                f"{self.n_samples} rows of weight {self.weight:g} leaves none: subtract only the "
                "moments of a part of these rows."
            )
        share = sign * other.weight / weight
        dx, dy = other.x_mean - self.x_mean, other.y_mean - self.y_mean
        between = share * self.weight
        xx = _combined(self.xx, other.xx, sign, between, dx, dx)
        xy = _combined(self.xy, other.xy, sign, between, dx, dy)
        yy = _combined(self.yy, other.yy, sign, between, dy, dy)
        x_mean, y_mean = self.x_mean + share * dx, self.y_mean + share * dy
        # A column may be constant in the rows that are left. The difference is then
        # not zero, but as large as the rounding errors of what was subtracted.
        noise = 64 * np.finfo(float).eps
        _clear_constants(
            xx,
            xy,
            yy,
            weight * variance_noise(x_mean) + noise * np.diagonal(self.xx),
            weight * variance_noise(y_mean) + noise * np.diagonal(self.yy),
        )
        return Moments(
            n_samples, weight, x_mean, y_mean, xx, xy, yy, names, self.y_ndim, names_of_y
        )

    def centred(self):
        """(xx, xy, yy) about the means, divided by `weight`: for models with an intercept."""
        return self.xx / self.weight, self.xy / self.weight, self.yy / self.weight

    def raw(self):
        """(xx, xy, yy) about zero, divided by `weight`: for models without an intercept."""
        G, C, yy = self.centred()
        G += np.outer(self.x_mean, self.x_mean)
        C += np.outer(self.x_mean, self.y_mean)
        return G, C, yy + np.outer(self.y_mean, self.y_mean)


def moments_of_chunk(number, chunk):
    """`Moments` of a tuple (X, Y) or (X, Y, sample_weight). None if it adds nothing."""
    if not isinstance(chunk, tuple | list) or len(chunk) not in (2, 3):
        raise TypeError(
            f"chunk {number} is {_shown(chunk)}: each chunk is a tuple (X, Y) or (X, Y, "
            "sample_weight). For data that are not in chunks, use Moments.from_data."
        )
    with naming(f"chunk {number}"):
        return None if adds_nothing(*chunk) else Moments.from_data(*chunk)


def _with_chunk(total, number, chunk):
    part = moments_of_chunk(number, chunk)
    if total is None or part is None:
        return part if total is None else total
    with naming(f"chunk {number}"):
        return total + part


def _shown(chunk):
    if isinstance(chunk, tuple | list):
        return f"a {type(chunk).__name__} of {len(chunk)}"
    shape = getattr(chunk, "shape", None)
    return f"of type {type(chunk).__name__}" + ("" if shape is None else f" and shape {shape}")


def adds_nothing(X, Y, sample_weight=None):
    """Whether there are no rows, or all weights are 0. False for inconsistent data."""
    given = [part for part in (X, Y, sample_weight) if part is not None]
    n_rows = {_n_rows(part) for part in given}
    return n_rows == {(0,)} or (len(n_rows) == 1 and _are_zeros(sample_weight))


def _n_rows(part):
    return (len(part),) if isinstance(part, list | tuple) else np.shape(part)[:1]


def _are_zeros(sample_weight):
    check_unmasked("sample_weight", sample_weight)
    s = np.asarray(sample_weight)
    return s.ndim == 1 and s.dtype.kind in "biuf" and not s.any()


def feature_names(X):
    """The column names of a DataFrame if all are strings, else None."""
    columns = column_names(X)
    if columns is None or not all(isinstance(name, str) for name in columns):
        return None
    return np.asarray(columns, dtype=object)


def target_names(Y):
    """The column names of a DataFrame, or the name of a Series, if they are strings, else None."""
    if column_names(Y) is not None:
        return feature_names(Y)
    name = getattr(Y, "name", None)
    # polars calls a Series "" that has no name.
    return np.array([name], dtype=object) if isinstance(name, str) and name else None


def _common_names(what, ours, theirs):
    if ours is None or theirs is None:
        return theirs if ours is None else ours
    different = np.flatnonzero(ours != theirs)
    if len(different):
        j = different[0]
        raise ValueError(
            f"column {j} of {what} is {ours[j]!r} in these moments and {theirs[j]!r} in the "
            "others: give the same columns in the same order."
        )
    return ours


def _numbers(what, values):
    """`values` as an array of numbers."""
    check_unmasked(what, values)
    check_undated(what, values)
    if what == "X":
        check_encoded(values)
    array = np.asarray(values)
    if array.dtype.kind in "biuf":
        return array
    try:
        return array.astype(float, casting="unsafe" if array.dtype.kind == "O" else "same_kind")
    except (TypeError, ValueError, OverflowError) as error:
        raise missing_in(what, values) or ValueError(
            f"{what} has entries that are not real numbers ({error}): encode text and dates as "
            "numbers first, and fill in or leave out missing values."
        ) from error


def _sparse_numbers(X):
    """A sparse X as CSR or CSC of float32 or float64."""
    if X.dtype.kind not in "biuf":
        raise ValueError(
            f"X is sparse with dtype {X.dtype}, not real numbers: give X.astype(float), or the "
            "real and imaginary parts as two columns."
        )
    X = features(X)
    return X if X.dtype in (np.float32, np.float64) else X.astype(float)


def _sum_of_weights(s):
    with np.errstate(over="ignore"):
        weight = s.sum()
    if not np.isfinite(weight):
        raise ValueError(
            f"the sum of sample_weight is too large for float64 (largest weight: {s.max():g}): "
            "divide all weights by the same number, as only their ratios matter."
        )
    return weight


def _check_finite(what, means, names=None):
    """Raise an error if a column contains NaN or infinity: its mean is then not finite."""
    bad = np.flatnonzero(~np.isfinite(means))
    if len(bad):
        shown = [str(j if names is None else names[j]) for j in bad[:5]]
        raise ValueError(
            f"{len(bad)} of the {len(means)} columns of {what} contain NaN, infinity or numbers "
            f"too large for float64 (times their weight). First columns: {', '.join(shown)}. Fill "
            "in or leave out these entries."
        )


def _combined(ours, theirs, sign, between, dx, dy):
    """ours ± theirs + between·dx dy', without another array of that size."""
    products = ours + theirs if sign > 0 else ours - theirs
    for rows in _chunks(products):
        products[rows] += between * np.outer(dx[rows], dy)
    return products


def _warn_of_lost_digits(what, left, total, names=None):
    left, total = np.diagonal(left), np.diagonal(total)
    lost = np.flatnonzero((left > 0) & (left < _LEFT * total))
    if len(lost):
        j = lost[0]
        warnings.warn(
            f"{len(lost)} columns of {what}, first {j if names is None else names[j]}, keep so "
            f"little of their sum of squares ({left[j] / total[j]:.0e}) that it is mostly rounding "
            "error: instead of subtracting, add the moments of the other rows.",
            UserWarning,
            stacklevel=3,
        )


def _clear_constants(xx, xy, yy, x_noise, y_noise):
    """Set the products of constant columns to exact zeros, in place."""
    x_constant, y_constant = np.diagonal(xx) <= x_noise, np.diagonal(yy) <= y_noise
    xx[x_constant] = xy[x_constant] = yy[y_constant] = 0.0
    xx[:, x_constant] = xy[:, y_constant] = yy[:, y_constant] = 0.0


def weighted_mean(X, sample_weight):
    """Weighted mean of every column of a dense or sparse X, in float64."""
    weight = sample_weight.sum()
    if sparse.issparse(X):
        return np.asarray(X.T @ sample_weight).reshape(-1) / weight
    return sum(sample_weight[rows] @ _rows(X, rows) for rows in _chunks(X)) / weight


def weighted_mean_and_square(X, sample_weight):
    """Weighted means of every column and of its square, in float64."""
    if sparse.issparse(X):
        return weighted_mean(X, sample_weight), weighted_mean(X.power(2), sample_weight)
    sums = np.zeros((2, X.shape[1]))
    for rows in _chunks(X):
        part = _rows(X, rows)
        sums += sample_weight[rows] @ part, sample_weight[rows] @ part**2
    return sums / sample_weight.sum()


def variance_noise(x_mean):
    """The largest variance that rounding errors may give a constant column.

    It is the square of an error of a few eps·mean in the mean. A column with this variance or
    less counts as constant, which leaves it out of every model.
    """
    return (64 * np.finfo(float).eps * x_mean) ** 2


def _chunks(X, most=_CHUNK_BYTES, rows_a_column=1):
    """Slices of `_CHUNK_BYTES`, or more: up to `rows_a_column` rows per column and `most` bytes."""
    row = 8 * X.shape[1]
    step = max(1, _CHUNK_BYTES // row, min(rows_a_column * X.shape[1], most // row))
    return [slice(i, i + step) for i in range(0, X.shape[0], step)]


def _rows(X, rows):
    return np.asarray(X[rows], dtype=float)


def _dense_products(X, Yc, s):
    """The means of X, and Σ s xx' and Σ s xy' about the means, in one pass over X."""
    if X.dtype == np.float32 and _float32_suffices(X):
        shift, off, xx, xy = _shifted_products(X, Yc, s, np.float32)
        kept = all(np.isfinite(part).all() for part in (off, xx, xy))
        if kept and (off**2 * s.sum() <= np.diagonal(xx)).all():
            return shift + off, xx, xy
    shift, off, xx, xy = _shifted_products(X, Yc, s, np.float64)
    return shift + off, xx, xy


def _shifted_products(X, Yc, s, dtype):
    """(shift, off, xx, xy): products about the means, where shift + off are the means of X.

    First the products of X − shift are computed, then the part that comes from `off` is
    subtracted. Chunks are multiplied in dtype and added in float64.
    """
    shift = _shift(X, s).astype(dtype)
    # In these units, Y and the weights fit in dtype.
    y_unit, s_unit = power_of_four(np.abs(Yc).max(axis=0, initial=0)), power_of_four(s.max())
    root = None if (s == s[0]).all() else np.sqrt(s / s_unit).astype(dtype)[:, None]
    columns = np.column_stack([Yc / y_unit, np.ones(len(Yc))]).astype(dtype, copy=False)
    xx, xy = np.zeros((X.shape[1], X.shape[1])), np.zeros((columns.shape[1], X.shape[1]))
    product = np.empty_like(xx, dtype=dtype)
    copied = X.dtype != dtype or shift.any() or root is not None
    for rows in _chunks(X, _MOST_ROWS_BYTES, 1 if copied else _MANY_ROWS_A_COLUMN):
        Xc = _shifted(np.asarray(X[rows], dtype=dtype), shift, root, rows)
        xx += np.matmul(Xc.T, Xc, out=product)
        # In this order BLAS reads X along its rows.
        xy += (columns[rows] if root is None else root[rows] * columns[rows]).T @ Xc
    del product
    weight = s[0] if root is None else s_unit
    if weight != 1:
        xx *= weight
        xy *= weight
    xy[:-1] *= y_unit[:, None]
    off = xy[-1] / s.sum()
    for rows in _chunks(xx):
        xx[rows] -= np.outer(s.sum() * off[rows], off)
    return shift.astype(float), off, xx, (xy[:-1] - np.outer(s @ Yc, off)).T


def _shifted(Xc, shift, root, rows):
    """The rows `Xc` of X less the shift, times their root weights. Copied only if changed."""
    if shift.any():
        Xc = Xc - shift
    return Xc if root is None else Xc * root[rows]


def _shift(X, s):
    """A number near the mean of every column, from some of the rows.

    All are zeros if the means are near enough to zero.

    The error of `_shifted_products` is about ε(1 + off²/variance), relative to the variance. If
    the rows used hold a given share of the weight, it is below ε(1 + 1/share), whichever rows
    they are.
    """
    step = min(_MOST_STRIDE, max(1, len(X) // _MOST_STRIDE))
    sample, weight = X[::step], s[::step]
    if weight.sum() * 2 * step < s.sum():
        return weighted_mean(X, s)
    mean, square = weighted_mean_and_square(sample, weight)
    # The mean of so few rows is partly random.
    near = (mean**2 <= min(0.01 + 16 / len(weight), 0.1) * square).all()
    return np.zeros_like(mean) if near else mean


def _float32_suffices(X):
    """Whether least squares keep all their digits if products of X are computed in float32.

    This needs many rows, no column that is tiny or far from zero, and no column that is nearly
    a linear combination of the others. Only a sample of the rows is checked.
    """
    n_samples, n_features = X.shape
    if n_samples < 16 * n_features:
        return False
    sample = X[:: n_samples // (4 * n_features)]
    mean = sample.mean(axis=0, dtype=float)
    sample = sample - mean.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        scale = np.sqrt(np.einsum("ij,ij->j", sample, sample) / len(sample))
    used = scale > 0
    if not ((scale >= 1e-2 * np.abs(mean)) & (~used | (scale >= 1e-15))).all():
        return False
    sample /= np.where(used, scale * np.float32(np.sqrt(len(sample))), 1)
    correlations = sample.T @ sample
    correlations.flat[:: len(correlations) + 1] += np.where(used, -_LEAST_EIGENVALUE, 1)
    try:
        # numpy's, because the products above used numpy's BLAS threads. scipy has threads of its
        # own, which would wait for those.
        np.linalg.cholesky(correlations)
    except np.linalg.LinAlgError:
        return False
    return True


def _sparse_products(X, Yc, s):
    """As `_dense_products`, for a sparse X."""
    x_mean = weighted_mean(X, s)
    weighted = X.multiply(s[:, None]).tocsr()
    xx = (X.T @ weighted).toarray().astype(float)
    xx -= s.sum() * np.outer(x_mean, x_mean)
    xy = weighted.T @ Yc - np.outer(x_mean, s @ Yc)
    far = np.flatnonzero(far_from_zero(np.diagonal(xx) / s.sum(), x_mean))
    if len(far):
        # These columns are dense anyway, so their means are subtracted before the product.
        centred = X[:, far].toarray() - x_mean[far]
        cross = X.T @ (s[:, None] * centred) - np.outer(x_mean, s @ centred)
        xx[:, far], xx[far] = cross, cross.T
        xx[np.ix_(far, far)] = centred.T @ (s[:, None] * centred)
        xy[far] = centred.T @ (s[:, None] * Yc)
    squares = s.sum() * x_mean**2
    squares[far] = 0.0
    # Rounding errors are relative to the products before the means were subtracted.
    xx.flat[:: len(xx) + 1] += curvature_noise(squares)
    return x_mean, xx, xy


def curvature_noise(squares):
    """How much rounding may lower the curvatures of a Gram matrix with this diagonal."""
    return len(squares) * np.finfo(float).eps * squares


def far_from_zero(variance, x_mean):
    """Columns whose variance, computed as mean square minus squared mean, has lost digits."""
    return variance < 1e-4 * x_mean**2
