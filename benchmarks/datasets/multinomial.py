from benchopt import BaseDataset

from benchmarks.problems import by, gaussian_classes, problem


class Dataset(BaseDataset):
    """Ten classes, Gaussian features."""

    name = "Multinomial"
    parameters = {
        "n_samples, n_features, n_classes": [(5000, 1000, 10)],
        "n_alphas, eps": [(50, 1e-2)],
    }

    def get_data(self):
        shape = self.n_samples, self.n_features, self.n_classes
        X, Y = gaussian_classes(shape)
        return problem(f"multinomial {by(*shape)}", X, Y, "multinomial", (self.n_alphas, self.eps))
