"""Two methods compared at the same number of features."""

from dataclasses import dataclass

import numpy as np

from experiments.tradeoff.curves import (
    best_within,
    budgets,
    curve,
    curve_of_folds,
    folds_of,
    loss_at,
)


@dataclass(frozen=True)
class Comparison:
    """Losses of two methods at the same number of features.

    Attributes
    ----------
    sizes : ndarray
        Numbers of features at which one of them has a model, within the range of both.
    ratios : ndarray
        Loss of the first method divided by that of the second at these numbers of features;
        with several folds, the geometric mean.
    errors : ndarray
        Standard errors of the logarithms of the ratios over folds; 0 for a single fit.
    """

    sizes: np.ndarray
    ratios: np.ndarray
    errors: np.ndarray

    # A difference of up to a hundredth, or of up to one standard error, is a tie.
    TIE = 0.01
    # Fewer common sizes, or a narrower range of them, are too little to confirm a claim.
    FEWEST, LEAST_RANGE = 5, 4

    @property
    def won(self):
        """Sizes at which the first is better."""
        return self.sizes[(self.ratios < 1 - self.TIE) & self._beyond_errors]

    @property
    def lost(self):
        return self.sizes[(self.ratios > 1 + self.TIE) & self._beyond_errors]

    @property
    def _beyond_errors(self):
        return np.abs(np.log(self.ratios)) > self.errors

    @property
    def wide(self):
        """Whether there are enough sizes, over a wide enough range."""
        enough = len(self.sizes) >= self.FEWEST
        return enough and max(self.sizes) >= self.LEAST_RANGE * min(self.sizes)

    @property
    def throughout(self):
        """Whether the first is never worse, and mostly better, over a wide range."""
        return self.wide and len(self.lost) == 0 and self.mostly

    @property
    def mostly(self):
        """Whether the first is better at half of the sizes or more, and worse at fewer."""
        enough = len(self.sizes) > 0 and 2 * len(self.won) >= len(self.sizes)
        return enough and len(self.won) > len(self.lost)

    def __str__(self):
        if len(self.sizes) == 0:
            return "no number of features in common"
        found = (
            f"lower at {_counted(self.won)} and higher at {_counted(self.lost)} of "
            f"{len(self.sizes)} sizes from {min(self.sizes):.3g} to {max(self.sizes):.3g} features"
        )
        return found if self.wide else f"{found} (too few, or too near each other, to confirm)"


def _counted(sizes):
    """How many sizes there are, and their range."""
    return f"{len(sizes)} ({min(sizes):.3g} to {max(sizes):.3g})" if len(sizes) else "0"


def compare(table, method, other, held_out=False):
    """A `Comparison` over the range of sparsities that both methods reach, in every fold."""
    names, folds = (method, other), folds_of(table, held_out)
    of_folds = [[curve_of_folds(table, name, [fold]) for name in names] for fold in folds]
    means = [curve(table, name, held_out) for name in names]
    sizes = _common_sizes(means, [found for pair in of_folds for found in pair])
    logs = np.log([np.divide(*[loss_at(found, sizes) for found in pair]) for pair in of_folds])
    n_folds = len(folds)
    errors = logs.std(axis=0, ddof=1) / np.sqrt(n_folds) if n_folds > 1 else np.zeros(len(sizes))
    return Comparison(sizes, np.exp(logs.mean(axis=0)), errors)


def _common_sizes(curves, reaching):
    """Numbers of features of models in `curves`, within the range of all curves in `reaching`."""
    ranges = [found.loc[found["n_features"] > 0, "n_features"] for found in reaching]
    if any(sizes.empty for sizes in ranges):
        return np.empty(0)
    least, most = max(map(min, ranges)), min(map(max, ranges))
    sizes = np.unique(np.concatenate([found["n_features"] for found in curves]))
    return sizes[(sizes >= least) & (sizes <= most)]


def at_budgets(table, method, other, held_out=False):
    """The losses of both methods' best models within each budget that both meet, as text."""
    curves = [curve(table, name, held_out) for name in (method, other)]
    texts = []
    for budget in budgets(table):
        best = [best_within(found, budget) for found in curves]
        if all(model is not None and model["n_features"] > 0 for model in best):
            first, second = (f"{model['loss']:.3g} ({model['n_features']:.3g})" for model in best)
            ratio = best[0]["loss"] / best[1]["loss"]
            texts.append(f"<= {budget}: {first} to {second}, ratio {ratio:.2g}")
    return "; ".join(texts) or "no budget that both meet"
