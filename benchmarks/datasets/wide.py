from benchopt import BaseDataset

from benchmarks.problems import by, gaussian, problem


class Dataset(BaseDataset):
    """Many more features than samples; the longer path keeps thousands of them."""

    name = "Wide"
    parameters = {
        "n_samples, n_features, n_targets": [(500, 20_000, 10)],
        "n_alphas, eps": [(50, 1e-1), (100, 1e-3)],
    }

    def get_data(self):
        shape = self.n_samples, self.n_features, self.n_targets
        path = self.n_alphas, self.eps
        # Of 20 000 features 850 are kept at α_max/10, thousands at α_max/1000.
        X, Y = gaussian(shape, noise=3.0, n_relevant=20)
        return problem(f"wide {by(*shape)}", X, Y, "squared", path)
