import numpy as np
from group_lasso import GroupLasso, LogisticGroupLasso

from benchmarks.path_solver import PathSolver


class Solver(PathSolver):
    """The package group-lasso.

    Its iteration halves the gradient but not the penalty, so that its fixed points are those of
    α = 2 group_reg; there is a test of this.
    """

    name = "group-lasso"
    requirements = ["pip::group-lasso"]
    losses = ("squared", "multinomial")
    # It picks every feature by a mask of all of them: 0.1 s an iteration here, 10 s with 20 000.
    most_features = 2000

    def prepare(self, X, columns, Y):
        self.X, self.Y = X, Y

    def solve(self, alphas, tol):
        estimator = GroupLasso if self.loss == "squared" else LogisticGroupLasso
        target = self.Y if self.loss == "squared" else np.argmax(self.Y, axis=1)
        model = estimator(
            groups=np.arange(self.X.shape[1]),
            l1_reg=0,
            scale_reg="none",
            fit_intercept=False,
            warm_start=True,
            supress_warning=True,
            tol=tol,
            n_iter=1_000_000,
            random_state=0,
        )
        for alpha in alphas:
            # Not told the last `lipschitz_`: backtracking doubles it by mistake, once steps are
            # as small as rounding, and the next alpha would not move.
            yield model.set_params(group_reg=alpha / 2).fit(self.X, target).coef_
