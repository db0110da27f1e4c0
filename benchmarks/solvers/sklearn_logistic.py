from sklearn.linear_model import LogisticRegression

from benchmarks.path_solver import PathSolver


class Solver(PathSolver):
    """Two classes have one logit, whose rows are single coefficients: an l1 penalty."""

    name = "scikit-learn LogisticRegression"
    requirements = ["scikit-learn"]
    parameters = {"solver": ["liblinear", "saga"]}
    losses = ("logistic",)
    takes_sparse = True

    def prepare(self, X, columns, Y):
        # Both turn what is not in rows.
        self.X, self.y = X, Y.ravel().astype(int)

    def solve(self, alphas, tol):
        model = LogisticRegression(
            l1_ratio=1,
            solver=self.solver,
            fit_intercept=False,
            warm_start=True,
            random_state=0,
            tol=tol,
            max_iter=10_000,
        )
        for alpha in alphas:
            C = 1 / (len(self.y) * alpha)
            yield model.set_params(C=C).fit(self.X, self.y).coef_.T.copy()
