"""Means over repeated random splits of the same rows, and how sure they are.

The test rows of two splits overlap, and so do their training rows. Results of splits are therefore
not independent, and the usual standard error is too small. Nadeau and Bengio (2003), Inference for
the generalization error, Machine Learning 52, multiply the variance by 1/n + (test rows)/(training
rows) for n splits, instead of 1/n.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t

# The share of intervals that should contain the true mean.
LEVEL = 0.95


@dataclass(frozen=True)
class Mean:
    """A mean over splits, with an interval for the true mean.

    Attributes
    ----------
    value, low, high : float
        The interval is that of Student's t at 95 %.
    """

    value: float
    low: float
    high: float

    @property
    def above_0(self):
        """Whether the whole interval is above 0."""
        return self.low > 0

    @property
    def below_0(self):
        """Whether the whole interval is below 0."""
        return self.high < 0

    def not_below_0(self, margin):
        """Whether the interval reaches 0 and stays above -margin: noise alone is not enough."""
        return not self.below_0 and self.low > -margin

    def __str__(self):
        return f"{self.value:+.2f} ({self.low:+.2f} to {self.high:+.2f})"


def standard_error(values, test_to_training=0.25):
    """The corrected standard error of the mean over splits; NaN for one split."""
    n = len(values)
    if n < 2:
        return np.nan
    return float(np.sqrt((1 / n + test_to_training) * np.var(values, ddof=1)))


def mean(values, test_to_training=0.25):
    """The mean over splits.

    Parameters
    ----------
    values : array-like of shape (n_splits,)
        Without NaN.
    test_to_training : float, default=0.25
        Test rows per training row.

    Returns
    -------
    Mean
        Of one split, the interval is infinite.
    """
    value, n = float(np.mean(values)), len(values)
    if n < 2:
        return Mean(value, -np.inf, np.inf)
    half = t.ppf((1 + LEVEL) / 2, n - 1) * standard_error(values, test_to_training)
    return Mean(value, value - float(half), value + float(half))
