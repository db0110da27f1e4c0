"""Some columns of a `Design`, transposed: (n_features, n_samples), scaled and centred.

A likelihood multiplies by the columns of its working set again and again. A copy makes these
products fast, but a copy of many columns is as large as X. So there are three kinds:

- `CopiedColumns` are a copy. `WorkingColumns` limits its memory.
- `SparseColumns` stay sparse.
- `ReadColumns` copy nothing. Their products read all of X, with zero coefficients for all other
  features.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from shrinklin.data.design import slices

# If X has at most this share of non-zero entries, its columns always stay sparse.
_SPARSE = 0.1
# Besides X, a likelihood may use about this share of the memory of X in float64. It needs _ARRAYS
# arrays of shape (n_samples, n_targets), such as P, the residuals and what they are computed
# from, and as many of shape (n_samples,). Copies of columns may use the rest,
_SHARE, _ARRAYS = 0.25, 14
# but always this many bytes, so that small data are solved as fast as with unlimited memory.
_LEAST_ROOM = 2**25
# `Columns.parts` makes about this many numbers dense at a time.
_PART = 2**18


class Columns(ABC):
    """The columns of a working set, as a likelihood uses them.

    Attributes
    ----------
    entries : int
        How many numbers a product with one vector reads.
    """

    @property
    @abstractmethod
    def entries(self):
        """See `Columns`."""

    @abstractmethod
    def product(self, W):
        """X W, in the memory order in which sums over targets are fast."""

    @abstractmethod
    def correlate(self, R):
        """X'R."""

    @abstractmethod
    def part(self, samples):
        """A dense copy for a slice of the samples: (n_features, length of the slice)."""

    @property
    @abstractmethod
    def shape(self):
        """(n_features, n_samples)."""

    def parts(self):
        """Yield (slice, `part`) for consecutive slices of the samples."""
        n_features, n_samples = self.shape
        for samples in slices(n_samples, _PART // max(1, n_features)):
            yield samples, self.part(samples)


@dataclass(frozen=True)
class CopiedColumns(Columns):
    """A dense copy: row slot[j] of `values` is column j. Do not write to it."""

    values: np.ndarray
    slot: np.ndarray

    @property
    def shape(self):
        return self.values.shape

    @property
    def entries(self):
        return self.values.size

    def product(self, W):
        coefficients = np.empty(W.shape[::-1])
        coefficients[:, self.slot] = W.T
        return (coefficients @ self.values).T

    def correlate(self, R):
        # In this order BLAS is fast, and the result has the memory layout that kernels need.
        return (R.T @ self.values.T)[:, self.slot].T

    def part(self, samples):
        return self.values[self.slot, samples]


@dataclass(frozen=True)
class SparseColumns(Columns):
    """Sparse columns, scaled but not centred: products subtract `means` times `root`."""

    values: sparse.csr_array
    means: np.ndarray
    root: np.ndarray

    @property
    def shape(self):
        return self.values.shape

    @property
    def entries(self):
        return self.values.nnz

    def product(self, W):
        return self.values.T @ W - np.outer(self.root, self.means @ W)

    def correlate(self, R):
        return self.values @ R - np.outer(self.means, self.root @ R)

    def part(self, samples):
        return self.values[:, samples].toarray() - np.outer(self.means, self.root[samples])


@dataclass(frozen=True)
class ReadColumns(Columns):
    """Columns that every product reads from X."""

    working: "WorkingColumns"
    features: np.ndarray

    @property
    def shape(self):
        return len(self.features), self.working.design.n_samples

    @property
    def entries(self):
        return self.working.design.n_entries

    def product(self, W):
        alive = np.flatnonzero(W.any(axis=1))
        if len(alive) <= self.working.capacity:
            return self.working.columns(self.features[alive]).product(W[alive])
        whole = np.zeros((len(self.working.design.order), W.shape[1]))
        whole[self.features] = W
        return self.working.design.read_product(whole)

    def correlate(self, R):
        return self.working.design.correlate(R)[self.features]

    def part(self, samples):
        return self.working.design.part(self.features, samples).T


def gram_of_parts(parts):
    """The Gram matrix of columns, given their parts for consecutive slices of the samples."""
    G = 0.0
    for part in parts:
        G += part @ part.T
    return G


class WorkingColumns:
    """Makes the `Columns` of any features of a design, and keeps the last ones.

    Attributes
    ----------
    capacity : int
        Maximum number of features that are copied.
    last : ndarray
        The features of the last call.
    """

    def __init__(self, design, n_targets):
        self.design = design
        X, n_samples = design.X, design.n_samples
        thin = sparse.issparse(X)
        size = X.nnz if thin else n_samples * X.shape[1]
        room = _SHARE * size - _ARRAYS * n_samples * (1 + n_targets)
        capacity = int(max(room, _LEAST_ROOM / 8) // n_samples)
        self._thin = thin and X.nnz <= _SPARSE * n_samples * X.shape[1]
        self.capacity = 0 if self._thin else min(X.shape[1], capacity)
        self._room = _Room(X.shape[1], self.capacity, n_samples)
        self.last = np.empty(0, dtype=int)
        self._columns: Columns = CopiedColumns(self._room.values[:0], self.last)

    def columns(self, features):
        """The `Columns` of these features, valid until the next call with other features."""
        if features is not self.last and not np.array_equal(features, self.last):
            self._columns, self.last = self._make(features), features
        return self._columns

    def _make(self, features):
        if len(features) <= self.capacity:
            slot = self._room.gather(features, self.design.write_transposed)
            return CopiedColumns(self._room.values[: len(features)], slot)
        if sparse.issparse(self.design.X):
            return self._sparse(features)
        return ReadColumns(self, features)

    def _sparse(self, features):
        design, root = self.design, self.design.row_scale[:, 0]
        columns = design.order[features]
        values = sparse.csr_array(design.X[:, columns].T)
        varies = ~design.constant[columns]
        values.data = values.data * root[values.indices]
        values.data *= np.repeat(varies, np.diff(values.indptr))
        return SparseColumns(values, varies * design.x_mean[columns], root)


class _Room:
    """Copies of at most `capacity` columns of X. Each slot, a row of `values`, holds one.

    A column stays until its slot is needed. If the wanted features change little, few columns
    are copied again.

    Attributes
    ----------
    slot : ndarray of shape (n_features,)
        The slot of each feature; -1 if it has none.
    feature : ndarray of shape (capacity,)
        The feature in each slot; -1 if the slot is empty.
    """

    def __init__(self, n_features, capacity, n_samples):
        # The system allocates memory only where something is written.
        self.values = np.empty((capacity, n_samples))
        self.slot, self.feature = np.full(n_features, -1), np.full(capacity, -1)

    def gather(self, wanted, write):
        """Store the features `wanted` in the first slots, in any order; returns their slots.

        `write(features, values, slots)` writes missing features to these slots of `values`.
        """
        first = np.arange(len(wanted))
        slots = self.slot[wanted]
        holes = np.setdiff1d(first, slots)
        outside = wanted[(slots < 0) | (slots >= len(wanted))]
        known = self.slot[outside] >= 0
        for hole, feature in zip(holes, outside[known], strict=False):
            self._exchange(hole, self.slot[feature])
        new, holes = outside[~known], holes[known.sum() :]
        self._clear(holes, len(wanted))
        write(new, self.values, holes)
        self.slot[new], self.feature[holes] = holes, new
        return self.slot[wanted]

    def _exchange(self, one, other):
        """Exchange the contents of two slots."""
        features = self.feature[[other, one]]
        if features[1] < 0:
            self.values[one] = self.values[other]
        else:
            self.values[[one, other]] = self.values[[other, one]]
        self.feature[[one, other]] = features
        for slot in (one, other):
            if self.feature[slot] >= 0:
                self.slot[self.feature[slot]] = slot

    def _clear(self, slots, start):
        """Empty `slots`. Their columns move to empty slots from `start` on, if there are any."""
        taken = slots[self.feature[slots] >= 0]
        empty = start + np.flatnonzero(self.feature[start:] < 0)
        self.slot[self.feature[taken[len(empty) :]]] = -1
        for slot, other in zip(taken, empty, strict=False):
            self._exchange(other, slot)
        self.feature[slots] = -1
