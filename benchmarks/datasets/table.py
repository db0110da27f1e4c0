import os

from benchopt import BaseDataset

from benchmarks.problems import by, problem
from datasets import load
from datasets.dataset import DatasetError


class Dataset(BaseDataset):
    """Multi-target tables of this repository's `datasets`, standardised.

    The folder that has oes97 (see `datasets.load`) is named by SHRINKLIN_DATA.
    """

    name = "Table"
    parameters = {"table": ["scm1d-twin", "oes97"], "n_alphas, eps": [(100, 1e-3)]}

    def get_data(self):
        home = os.environ.get("SHRINKLIN_DATA")
        if home is None and not self.table.endswith("-twin"):
            return {"missing": f"set SHRINKLIN_DATA to a folder with {self.table}.arff"}
        try:
            data = load(self.table, data_home=home).standardized()
        except DatasetError as error:
            return {"missing": str(error)}
        title = f"{self.table} {by(*data.X.shape, data.y.shape[1])}"
        path = self.n_alphas, self.eps
        return problem(title, data.X, data.y, "squared", path, ("group-lasso", "bridge"))
