import numpy as np
from benchopt import BaseDataset
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler


class Dataset(BaseDataset):
    """Ten classes of 8 × 8 images; pixels that vary, standardised."""

    name = "Digits"
    parameters = {"n_alphas": [50], "eps": [1e-2]}

    def get_data(self):
        images, digits = load_digits(return_X_y=True)
        X = StandardScaler().fit_transform(images[:, np.ptp(images, axis=0) > 0])
        return {
            "X": X,
            "Y": np.eye(10)[digits],
            "loss": "multinomial",
            "n_alphas": self.n_alphas,
            "eps": self.eps,
            "penalties": ("group-lasso", "bridge"),
        }
