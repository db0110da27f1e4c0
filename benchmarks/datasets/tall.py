from benchopt import BaseDataset

from benchmarks.problems import by, gaussian, problem


class Dataset(BaseDataset):
    """Many more samples than features."""

    name = "Tall"
    parameters = {
        "n_samples, n_features, n_targets": [(100_000, 500, 10)],
        "n_alphas, eps": [(100, 1e-3)],
    }

    def get_data(self):
        shape = self.n_samples, self.n_features, self.n_targets
        path = self.n_alphas, self.eps
        return problem(
            f"tall {by(*shape)}", *gaussian(shape), "squared", path, ("group-lasso", "bridge")
        )
