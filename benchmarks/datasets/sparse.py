import numpy as np
from benchopt import BaseDataset
from scipy import sparse

from benchmarks.problems import by, linear_targets, problem


class Dataset(BaseDataset):
    """Most entries of X are zero, and stay so: nothing is centred."""

    name = "Sparse"
    parameters = {
        "n_samples, n_features, n_targets": [(20_000, 50_000, 5)],
        "density": [1e-3],
        "n_alphas, eps": [(50, 1e-1)],
    }

    def get_data(self):
        shape = self.n_samples, self.n_features, self.n_targets
        rng = np.random.default_rng(0)
        X = sparse.random_array(
            shape[:2], density=self.density, format="csr", rng=rng, data_sampler=rng.standard_normal
        )
        X = sparse.csr_matrix(X)  # adelie takes no arrays
        Y = linear_targets(X, self.n_targets, 0.5, 50, rng)
        title = f"sparse {by(*shape)}, density {self.density:g}"
        return problem(title, X, Y, "squared", (self.n_alphas, self.eps))
