"""The experiments' quick forms, run once by the command, all together: what CI sees of them.

What each of them measures and concludes is tested piece by piece in a file of its own. Those that
train networks run in networks/test_network_claims.py.
"""

from dataclasses import replace

import pandas as pd
import pytest

from docs import claims
from experiments import command, early_pruning, landscape, time_vs_cost, tradeoff, xor
from experiments.catalogue import EXPERIMENTS
from experiments.experiment import Outcome
from experiments.report import as_markdown
from experiments.tradeoff.settings import MOST_ROWS_QUICK, plan
from quick_claims import check_run, name_of, quick_runs

pytestmark = pytest.mark.untraced


# Quick forms that are smaller still.
SMALLER = {
    early_pruning: {"n_seeds": 2, "epochs": 500},
    landscape: {"starts": 6, "epochs": 500, "epochs_xor": 500},
    time_vs_cost: {"samples": (128, 256, 512, 1024), "moments": (32, 64, 128, 256), "epochs": 20},
}


CHOSEN = {name: each for name, each in EXPERIMENTS.items() if not each.networks}


def smaller_plan(data, quick):
    full = plan(data, quick)
    steps = {method: n // 2 for method, n in full.steps.items()}
    return replace(full, steps=steps, epochs=(50, 100))


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    out = tmp_path_factory.mktemp("claims")
    with pytest.MonkeyPatch.context() as patch:
        for module, sizes in SMALLER.items():
            patch.setattr(module, "_QUICK", replace(module._QUICK, **sizes))
        patch.setattr(tradeoff.experiment, "MOST_ROWS_QUICK", MOST_ROWS_QUICK // 2)
        patch.setattr(tradeoff.experiment, "plan", smaller_plan)
        patch.setattr(xor, "QUICK", xor.QUICK | {"n_keep": 50, "n_alphas": 6})
        patch.setattr(command, "EXPERIMENTS", CHOSEN)
        assert command.main(["claims", "--quiet", "--out", str(out)]) == 0
        yield out


RUNS = quick_runs(CHOSEN)


@pytest.mark.parametrize(("experiment", "dataset"), RUNS, ids=name_of)
def test_every_experiment_has_run(out, experiment, dataset):
    check_run(out, experiment, dataset)


def test_the_table_of_claims(out):
    table = pd.read_csv(out / "claims.csv")
    assert list(table) == ["claim", "source", "data", "verdict", "rule", "figures"]
    assert set(table["data"]) == {dataset for _, dataset in RUNS}
    verdicts = table.groupby("claim")["verdict"].agg(set)
    # What does not hang on time or on a few seeds.
    closer = "ShrinkNet fits closer than group lasso at the same sparsity"
    assert "not confirmed" not in verdicts[closer]
    solved = next(claim for claim in verdicts.index if "XOR" in claim)
    assert verdicts[solved] == {"confirmed"}
    assert table.notna().all(axis=None)


# The results of the full runs, as the documentation has them.

RESULTS = sorted((claims.DOCS / "experiments").glob("*.csv"))


@pytest.mark.parametrize("file", RESULTS, ids=lambda file: file.stem)
def test_the_pages_of_the_documentation_follow_from_its_results(file):
    assert file.with_suffix(".md").read_text() == as_markdown(claims.finished(file))
    assert file.with_suffix(".png").exists()
    assert file.with_suffix(".svg").exists()


def test_the_documentation_has_the_full_runs_and_their_verdicts():
    assert {"tradeoff-oes97", "early-pruning-oes97"} <= {file.stem for file in RESULTS}
    page, runs = claims.PAGE.read_text(), claims.results()
    assert page == claims.renewed(page, runs), "python -m docs.claims"
    # Every verdict of every run is in a row of its claim.
    for run in runs:
        for verdict in run.verdicts:
            start = f"| {verdict.claim} | {verdict.source} |"
            [row] = [line for line in page.splitlines() if line.startswith(start)]
            link = f"[{run.dataset}](experiments/{run.files[0].stem}.md)"
            column = list(Outcome).index(verdict.outcome)
            assert link in row.split("|")[3 + column], (verdict.claim, run.dataset)


def test_no_claim_is_confirmed_that_most_cases_contradict():
    for holds in ([True], [True, False], [True, True, False], [True, False, False], [False]):
        expected = "confirmed with conditions" if sum(holds) >= len(holds) / 2 else "not confirmed"
        expected = "confirmed" if all(holds) else expected
        assert Outcome.of_cases(holds).value == expected
    assert Outcome.of_cases([]) is Outcome.NOT_CONFIRMED


def test_shrinknet_fits_oes97_closer_than_group_lasso():
    table = claims.finished(claims.DOCS / "experiments" / "tradeoff-oes97.csv").table
    all_rows = table[(table["fold"] == "all") & (table["n_selected"] <= 20)]
    least = all_rows.groupby("method")["training_loss"].min()
    assert least["ShrinkNet, p = 2"] <= 0.6 * least["group lasso"]
