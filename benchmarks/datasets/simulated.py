import numpy as np
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Gaussian features, some of which enter every target, and noise."""

    name = "Simulated"
    parameters = {
        "n_samples, n_features, n_targets, n_alphas, eps": [
            (100_000, 500, 10, 100, 1e-3),
            (500, 20_000, 10, 50, 1e-1),
            (500, 20_000, 10, 100, 1e-3),
        ],
        "n_relevant, noise": [(50, 5.0)],
    }

    def get_data(self):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((self.n_samples, self.n_features))
        W = rng.standard_normal((self.n_relevant, self.n_targets))
        Y = X[:, : self.n_relevant] @ W
        Y += self.noise * rng.standard_normal(Y.shape)
        X -= X.mean(axis=0)
        Y -= Y.mean(axis=0)
        return {
            "X": X,
            "Y": Y,
            "loss": "squared",
            "n_alphas": self.n_alphas,
            "eps": self.eps,
            "penalties": ("group-lasso", "bridge"),
        }
