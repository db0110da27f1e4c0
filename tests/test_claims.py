"""The experiments' quick forms, run once by the command, all together: what CI sees of them.

What each of them measures and concludes is tested piece by piece in a file of its own.
"""

import pandas as pd
import pytest

from experiments.catalogue import EXPERIMENTS
from experiments.command import main


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    out = tmp_path_factory.mktemp("claims")
    assert main(["claims", "--quiet", "--out", str(out)]) == 0
    return out


RUNS = [
    (experiment, dataset)
    for experiment in EXPERIMENTS.values()
    for dataset in experiment.quick_datasets
]


@pytest.mark.parametrize(("experiment", "dataset"), RUNS, ids=str)
def test_every_experiment_has_run(out, experiment, dataset):
    stem = "-".join(dict.fromkeys([experiment.name, dataset, "quick"]))
    for kind in ("csv", "json", "md", "png", "svg"):
        assert (out / f"{stem}.{kind}").stat().st_size > 100
    table = pd.read_csv(out / f"{stem}.csv")
    cells = [
        cell for job in experiment.jobs(experiment.load(dataset, True, None), True) for cell in job
    ]
    assert len(table) == len(cells)
    assert not table[list(cells[0])].duplicated().any()


def test_the_table_of_claims(out):
    claims = pd.read_csv(out / "claims.csv")
    assert list(claims) == ["claim", "source", "data", "verdict", "figures"]
    assert set(claims["data"]) == {dataset for _, dataset in RUNS}
    verdicts = claims.groupby("claim")["verdict"].agg(set)
    # What does not hang on time or on a few seeds.
    closer = "ShrinkNet fits closer than group lasso at the same sparsity"
    assert "not confirmed" not in verdicts[closer]
    solved = next(claim for claim in verdicts.index if "XOR" in claim)
    assert verdicts[solved] == {"confirmed"}
    assert claims.notna().all(axis=None)
