from benchopt import BaseDataset

from benchmarks.problems import by, gaussian_classes, problem


class Dataset(BaseDataset):
    """Two classes, where the group lasso is the l1 penalty of one logit."""

    name = "Binary"
    parameters = {"n_samples, n_features": [(5000, 1000)], "n_alphas, eps": [(50, 1e-2)]}

    def get_data(self):
        shape = self.n_samples, self.n_features
        X, Y = gaussian_classes((*shape, 2))
        return problem(f"binary {by(*shape)}", X, Y[:, 1:], "logistic", (self.n_alphas, self.eps))
