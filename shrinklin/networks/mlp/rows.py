"""A table as tensors: standardised, weighted, and in batches."""

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Scaling:
    """Means and standard deviations of the columns, in float64. Constant columns have scale 1.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_columns,)
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, name, columns, weight):
        """Those of a table with row weights. `name` is that of the table in error messages."""
        columns, weight = columns.astype(float, copy=False), weight / weight.sum()
        with np.errstate(over="ignore", invalid="ignore"):
            mean = weight @ columns
            scale = np.sqrt(weight @ (columns - mean) ** 2)
        wrong = np.flatnonzero(~np.isfinite(mean) | ~np.isfinite(scale))
        if len(wrong):
            raise ValueError(
                f"column {wrong[0]} of {name} has values of up to "
                f"{np.abs(columns[:, wrong[0]]).max():.1g}, whose squares are too large for "
                "float64: divide it by a constant."
            )
        # A constant whose mean is rounded has tiny deviations.
        rounding = 10 * np.finfo(float).eps * np.abs(mean)
        return cls(mean, np.where(scale > rounding, scale, 1.0))

    @property
    def offset(self):
        """The largest mean, in standard deviations."""
        return float(np.abs(self.mean / self.scale).max())

    def of_columns(self, columns):
        """That of some columns: their positions or a mask."""
        return Scaling(self.mean[columns], self.scale[columns])

    def apply(self, columns):
        """Standardise a table, in its own dtype."""
        return ((columns - self.mean) / self.scale).astype(columns.dtype, copy=False)


@dataclass(frozen=True)
class Table:
    """Checked data as arrays.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_targets), or of class numbers, shape (n_samples,)
    weight : ndarray of shape (n_samples,)
    """

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def __len__(self):
        return len(self.X)

    def take(self, rows):
        """Some rows: their positions or a mask."""
        return Table(self.X[rows], self.y[rows], self.weight[rows])

    def merged(self):
        """The same rows in a fixed order, with equal ones as one row of their weight."""
        both = np.column_stack([self.X, self.y])
        _, first, place = np.unique(both, axis=0, return_index=True, return_inverse=True)
        return Table(self.X[first], self.y[first], np.bincount(place.ravel(), self.weight))


@dataclass(frozen=True)
class Rows:
    """Standardised rows on a device.

    Attributes
    ----------
    X : Tensor of shape (n_samples, n_features)
    y : Tensor
        As the outputs encode it.
    weight : Tensor of shape (n_samples,)
        With mean 1.
    """

    X: torch.Tensor
    y: torch.Tensor
    weight: torch.Tensor

    def __len__(self):
        return len(self.X)

    def batches(self, batch_size):
        """Yield the rows in random order, in batches of about equal size."""
        order = torch.randperm(len(self))
        for batch in order.tensor_split(max(1, -(-len(self) // batch_size))):
            batch = batch.to(self.X.device)
            yield Rows(self.X[batch], self.y[batch], self.weight[batch])
