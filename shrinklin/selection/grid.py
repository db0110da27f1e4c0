"""The models of cross-validation for every problem and alpha: `Grid`."""

from functools import partial

import numpy as np

from shrinklin.pruning.cost import CostMeter
from shrinklin.selection.folds import follow


class Grid:
    """Models for some problems and alphas, of all data, and their scores in every fold.

    Parameters
    ----------
    problems : list of Problem
        As for `follow`.
    whole : Whole
    folds : list of ScoredFold or MomentFold
    feature_names : ndarray of shape (n_features,), or None
    run : callable
        Takes a list of functions without arguments, and returns what they return, in order.

    Attributes
    ----------
    alphas : ndarray of shape (n_alphas,)
        From large to small.
    scores : ndarray of shape (n_problems, n_alphas, n_folds)
    solutions : list of list of PackedSolution
        Of all data: one for every problem and alpha.
    all_solutions : list of PackedSolution
        Those too of the folds, without coefficients.
    cost : CostMeter
        Of all paths, without what the objective of all data had cost before.
    """

    def __init__(self, problems, whole, folds, feature_names, run):
        self.problems, self.folds, self._parts = problems, folds, [whole, *folds]
        self._names, self._run = feature_names, run
        self.alphas = np.empty(0)
        self.scores = np.empty((len(problems), 0, len(folds)))
        self.solutions: list[list] = [[] for _ in problems]
        self.all_solutions: list = []
        self.cost = CostMeter()
        self._last: list[list] = [[None] * len(problems)] * len(self._parts)

    @property
    def n_selected(self):
        """How many features the models of all data keep: (n_problems, n_alphas)."""
        return np.array([[len(s.support) for s in solutions] for solutions in self.solutions])

    @property
    def n_samples(self):
        """Of all data."""
        return self._parts[0].prepared[0].smooth.n_samples

    def add(self, alphas):
        """Solve for these alphas too. They are smaller than those before."""
        names = ["all rows", *(f"fold {k}" for k in range(len(self.folds)))]
        found = self._run(
            [
                partial(follow, self.problems, name, part, alphas, self._names, before)
                for name, part, before in zip(names, self._parts, self._last, strict=True)
            ]
        )
        self._last = [followed for followed, _ in found]
        for followed, cost in found:
            self.cost.include(cost)
            self.all_solutions += [s for each in followed for s in each.solutions]
        of_all, *of_folds = self._last
        for solutions, followed in zip(self.solutions, of_all, strict=True):
            solutions += followed.solutions
        scores = [
            [fold.scores(followed[i]) for fold, followed in zip(self.folds, of_folds, strict=True)]
            for i in range(len(self.problems))
        ]
        self.scores = np.concatenate([self.scores, np.swapaxes(scores, 1, 2)], axis=1)
        self.alphas = np.concatenate([self.alphas, alphas])
