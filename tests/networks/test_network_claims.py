"""The quick forms of the experiments that train networks, run by the command."""

from dataclasses import replace

import pandas as pd
import pytest

from experiments import (
    command,
    cpna,
    cpna_uci,
    early_removal_networks,
    inference,
    layer_sizes,
    network_features,
    network_landscape,
)
from experiments.catalogue import EXPERIMENTS
from experiments.random_search.settings import DIGITS, SETTINGS
from quick_claims import check_run, name_of, quick_runs

pytestmark = pytest.mark.untraced

CHOSEN = {name: each for name, each in EXPERIMENTS.items() if each.networks}
# Quick forms that are smaller still.
SMALLER = {
    cpna: {"n_draws": 2, "n_starts": 2, "units": (32,)},
    cpna_uci: {"runs": 2, "epochs": 5},
    early_removal_networks: {"n_seeds": 2, "epochs": 3, "fine_tuning": 1, "most_epochs": 4},
    layer_sizes: {"n_seeds": 2, "epochs": 3},
    network_features: {"seeds": 2, "n_xor": 300},
    network_landscape: {"n_starts": 6, "n_later": 3, "n_best": 2},
}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    out = tmp_path_factory.mktemp("claims")
    with pytest.MonkeyPatch.context() as patch:
        for module, sizes in SMALLER.items():
            patch.setattr(module, "_QUICK", replace(module._QUICK, **sizes))
        shorter = {name: replace(sizes, epochs=2) for name, sizes in inference._QUICK.items()}
        patch.setattr(inference, "_QUICK", shorter)
        fewer = replace(DIGITS, n_seeds=2, n_random=4, n_switches=2, trunk_epochs=6)
        patch.setitem(SETTINGS, "digits", replace(fewer, branch_epochs=4))
        patch.setattr(command, "EXPERIMENTS", CHOSEN)
        assert command.main(["claims", "--quiet", "--out", str(out)]) == 0
        yield out


RUNS = quick_runs(CHOSEN)


@pytest.mark.parametrize(("experiment", "dataset"), RUNS, ids=name_of)
def test_every_experiment_has_run(out, experiment, dataset):
    check_run(out, experiment, dataset)


def test_every_experiment_has_its_verdicts(out):
    table = pd.read_csv(out / "claims.csv")
    assert set(table["data"]) == {dataset for _, dataset in RUNS}
    assert table.notna().all(axis=None)
    assert table["claim"].nunique() >= 2 * len(CHOSEN)
