"""Some columns of a `Design`, transposed: (n_features, n_samples), scaled and centred.

A likelihood takes products with the columns of its working set over and over. A copy of them is
fast, but where they are many it is as large as X. So there are three kinds: `CopiedColumns` are a
copy, in memory that is bounded (`WorkingColumns`); `SparseColumns` stay sparse; `ReadColumns` are
no copy at all: X is read, with zeros as coefficients of all other features.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from shrinklin.data.design import slices

# Sparser than that, an X is worked on as it is.
_SPARSE = 0.1
# Beside X a likelihood takes about this share of X in float64. What is left of it by so many
# arrays of n_samples × n_targets (P, the residuals, what they are made from), and of n_samples,
# is for copies of columns;
_SHARE, _ARRAYS = 0.25, 14
# there is always that much, in bytes: small data are solved as fast as if memory did not matter.
_LEAST_ROOM = 2**25
# Numbers of a working set that are dense at a time.
_PART = 2**18


class Columns(ABC):
    """What a likelihood asks of the columns of a working set.

    Attributes
    ----------
    entries : int
        Numbers that a product with one vector reads.
    """

    @property
    @abstractmethod
    def entries(self):
        """As above."""

    @abstractmethod
    def product(self, W):
        """X W, in the memory order that reduces fast over targets."""

    @abstractmethod
    def correlate(self, R):
        """X'R."""

    @abstractmethod
    def part(self, samples):
        """Dense copy (n_features, any) of a slice of the samples."""

    @property
    @abstractmethod
    def shape(self):
        """(n_features, n_samples)."""

    def parts(self):
        """(slice, `part`) of some samples after others."""
        n_features, n_samples = self.shape
        for samples in slices(n_samples, _PART // max(1, n_features)):
            yield samples, self.part(samples)


@dataclass(frozen=True)
class CopiedColumns(Columns):
    """A copy, whose row slot[j] is column j; not to be written to."""

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
        # This way round BLAS is quick at it, and the result is as kernels want it.
        return (R.T @ self.values.T)[:, self.slot].T

    def part(self, samples):
        return self.values[self.slot, samples]


@dataclass(frozen=True)
class SparseColumns(Columns):
    """Scaled but not centred columns: `means` are to be taken off, times `root`."""

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
    """Features of a design that are read from X for every product."""

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
    """Gram matrix of columns of which some samples after others are given."""
    G = 0.0
    for part in parts:
        G += part @ part.T
    return G


class WorkingColumns:
    """`Columns` of any features of a design, of which those asked for last are at hand.

    Attributes
    ----------
    capacity : int
        Of how many features there may be a copy.
    last : ndarray
        The features asked for last.
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
        """`Columns` of features, until others are asked for."""
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
    """Rows of a large matrix, here columns of X, no more than `capacity`, each in a slot.

    They stay until their slot is needed: where what is wanted changes by little, little is
    made anew.
    """

    def __init__(self, n_rows, capacity, width):
        # Memory is taken by what is written to it alone.
        self.values = np.empty((capacity, width))
        self.slot, self.row = np.full(n_rows, -1), np.full(capacity, -1)

    def gather(self, wanted, write):
        """Have the rows `wanted` in the first slots, in any order; returns the slot of each.

        `write(rows, values, slots)` writes those that are not here into slots of `values`.
        """
        first = np.arange(len(wanted))
        slots = self.slot[wanted]
        holes = np.setdiff1d(first, slots)
        outside = wanted[(slots < 0) | (slots >= len(wanted))]
        known = self.slot[outside] >= 0
        for hole, row in zip(holes, outside[known], strict=False):
            self._exchange(hole, self.slot[row])
        new, holes = outside[~known], holes[known.sum() :]
        self._clear(holes, len(wanted))
        write(new, self.values, holes)
        self.slot[new], self.row[holes] = holes, new
        return self.slot[wanted]

    def _exchange(self, one, other):
        """The rows of two slots."""
        rows = self.row[[other, one]]
        if rows[1] < 0:
            self.values[one] = self.values[other]
        else:
            self.values[[one, other]] = self.values[[other, one]]
        self.row[[one, other]] = rows
        for slot in (one, other):
            if self.row[slot] >= 0:
                self.slot[self.row[slot]] = slot

    def _clear(self, slots, start):
        """Leave nothing in `slots`: what is there moves to empty ones after `start`, if any."""
        taken = slots[self.row[slots] >= 0]
        empty = start + np.flatnonzero(self.row[start:] < 0)
        self.slot[self.row[taken[len(empty) :]]] = -1
        for slot, other in zip(taken, empty, strict=False):
            self._exchange(other, slot)
        self.row[slots] = -1
