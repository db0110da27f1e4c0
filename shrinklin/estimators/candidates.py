"""The models among which cross-validation chooses: `Candidates` of each kind and ridge."""

from dataclasses import dataclass

import numpy as np

from shrinklin.problem.problem import Problem
from shrinklin.selection.grid import Grid


@dataclass(frozen=True)
class Setting:
    """A ridge, and the ridge of the refits, or None for the penalised models."""

    ridge: float
    refit: float | None

    def problem_of(self, problem) -> Problem:
        """The `Problem` with this setting."""
        if self.refit is None:
            return problem.with_ridge(self.ridge)
        return problem.with_ridge(self.refit, relaxed=True)

    def __str__(self):
        """To follow an alpha in a sentence."""
        ridge = f", ridge {self.ridge:g}" if self.ridge else ""
        return ridge if self.refit is None else f"{ridge}, refitted with ridge {self.refit:g}"


@dataclass(frozen=True)
class Candidates:
    """Models of one kind with one ridge, and their refits.

    Attributes
    ----------
    settings : list of Setting
    grid : Grid
        Its problems have these settings.
    open_end : bool
        Whether smaller alphas than those of the grid may have better models.
    kind : str or None
    """

    settings: list[Setting]
    grid: Grid
    open_end: bool = False
    kind: str | None = None

    @property
    def ridge(self):
        return self.settings[0].ridge

    @property
    def scores(self):
        """The scores of every model: (n_models, n_folds)."""
        return self.grid.scores.reshape(-1, self.grid.scores.shape[2])

    def table(self):
        """A dict of columns, with a row for each setting and alpha."""
        alphas, n_settings = self.grid.alphas, len(self.settings)
        refits = [np.nan if setting.refit is None else setting.refit for setting in self.settings]
        kind = {} if self.kind is None else {"kind": np.repeat(self.kind, len(self.scores))}
        return {
            **kind,
            "alpha": np.tile(alphas, n_settings),
            "ridge": np.repeat(self.ridge, len(self.scores)),
            "refit_ridge": np.repeat(refits, len(alphas)),
            "n_features": self.grid.n_selected.ravel(),
            "mean_score": self.scores.mean(axis=1),
            "std_score": self.scores.std(axis=1),
        }

    def names(self):
        """What error messages call the models."""
        kind = "" if self.kind is None else f"{self.kind} "
        return [f"{kind}alpha {a:g}{each}" for each in self.settings for a in self.grid.alphas]

    def models(self):
        """(problem, solution) of every row of the table."""
        for problem, solutions in zip(self.grid.problems, self.grid.solutions, strict=True):
            for alpha, solution in zip(self.grid.alphas, solutions, strict=True):
                yield problem.at(alpha), solution


def joined(candidates):
    """The tables of several `Candidates` as one, and the scores: (n_models, n_folds)."""
    tables = [each.table() for each in candidates]
    table = {name: np.concatenate([each[name] for each in tables]) for name in tables[0]}
    return table, np.concatenate([each.scores for each in candidates])


def located(candidates, row):
    """The `Candidates` of a row of the joined table, and its positions in the grid."""
    for each in candidates:
        if row < len(each.scores):
            return each, *divmod(row, len(each.grid.alphas))
        row -= len(each.scores)
    raise IndexError(row)
