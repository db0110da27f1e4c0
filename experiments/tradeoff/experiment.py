"""The experiment, put together from the other modules of this folder."""

from experiments.experiment import Experiment
from experiments.tradeoff.curves import best_of, budgets
from experiments.tradeoff.figure import draw
from experiments.tradeoff.measures import facts
from experiments.tradeoff.models import path_models, trained_models
from experiments.tradeoff.rows import parts, sampled
from experiments.tradeoff.settings import (
    ALL,
    EXACT,
    MOST_ROWS,
    MOST_ROWS_QUICK,
    TRAINED,
    path_cells,
    plan,
    training_cells,
)
from experiments.tradeoff.verdicts import (
    as_low_as_convex,
    better_held_out,
    closer_exact,
    closer_trained,
)


class Tradeoff(Experiment):
    """Loss against sparsity, in training and held out; see `experiments.tradeoff`.

    The quick form uses the bundled digits. The full one uses substitutes for datasets that are
    not always available: a simulated twin for scm1d, MNIST for gina_prior2 (same features), and
    for gas-drift its batches, each standardised by itself. Substitutes have names of their own.
    """

    name = "tradeoff"
    about = "Loss against sparsity of ShrinkNet and group lasso (drafts, section 5.1)"
    datasets = ("oes97", "scm1d-twin", "mnist-t10k", "gas-drift-batches")
    quick_datasets = ("digits-completion", "digits")

    def load(self, dataset, quick, data_home):
        data = super().load(dataset, quick, data_home)
        return sampled(data, MOST_ROWS_QUICK if quick else MOST_ROWS)

    def jobs(self, data, quick):
        """One job per exact path and per gradient training, on all rows and without each fold."""
        plan_ = plan(data, quick)
        folds = [ALL, *map(str, range(plan_.n_folds))]
        paths = [path_cells(plan_, method, fold) for method in EXACT for fold in folds]
        trainings = [
            [cell]
            for method in TRAINED
            for fold in folds
            for cell in training_cells(plan_, method, fold)
        ]
        return [cells for cells in paths if cells] + trainings

    def measure(self, cells, data):
        train, held_out = parts(data, cells[0]["fold"], cells[0]["n_folds"])
        models = path_models if cells[0]["method"] in EXACT else trained_models
        return [facts(model, train, held_out) for model in models(cells, train)]

    def summary(self, table):
        """The losses of each method's best model within a budget of features.

        The best model has the lowest training loss, separately on all rows and on the folds;
        numbers of features and losses of the folds are means over folds.
        """
        import pandas as pd

        rows = {
            (budget, method): best_of(table, method, budget)
            for budget in budgets(table)
            for method in table["method"].unique()
        }
        found = pd.DataFrame(rows).T.round(4)
        found.index.names = ["features <=", "method"]
        return found

    def draw(self, table):
        return draw(table)

    def verdicts(self, table):
        return [
            *closer_exact(table),
            closer_trained(table),
            *better_held_out(table),
            as_low_as_convex(table),
        ]
