import numpy as np
from benchopt import BaseDataset
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from benchmarks.problems import by, problem


class Dataset(BaseDataset):
    """Ten classes of 8 × 8 images; the pixels that vary, standardised."""

    name = "Digits"
    parameters = {"n_alphas, eps": [(50, 1e-2)]}

    def get_data(self):
        images, digits = load_digits(return_X_y=True)
        X = StandardScaler().fit_transform(images[:, np.ptp(images, axis=0) > 0])
        title, path = f"digits {by(*X.shape, 10)}", (self.n_alphas, self.eps)
        return problem(title, X, np.eye(10)[digits], "multinomial", path, ("group-lasso", "bridge"))
