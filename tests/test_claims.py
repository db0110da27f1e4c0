"""The experiments' quick forms, run once by the command, all together: what CI sees of them.

What each of them measures and concludes is tested piece by piece in a file of its own.
"""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from experiments import (
    cpna,
    early_pruning,
    landscape,
    network_landscape,
    time_vs_cost,
    tradeoff,
    xor,
)
from experiments.catalogue import EXPERIMENTS
from experiments.command import main
from experiments.experiment import Outcome
from experiments.report import as_markdown
from experiments.results import read_table
from experiments.run import Finished
from experiments.tradeoff.settings import MOST_ROWS_QUICK, plan

pytestmark = pytest.mark.untraced


# Quick forms that are smaller still.
SMALLER = {
    early_pruning: {"n_seeds": 2, "epochs": 500},
    landscape: {"starts": 6, "epochs": 500, "epochs_xor": 500},
    network_landscape: {"n_starts": 6, "n_later": 3, "n_best": 2},
    cpna: {"n_draws": 2, "n_starts": 2, "units": (32,)},
    time_vs_cost: {"samples": (128, 256, 512, 1024), "moments": (32, 64, 128, 256), "epochs": 20},
}


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
        assert main(["claims", "--quiet", "--out", str(out)]) == 0
        yield out


RUNS = [
    (experiment, dataset)
    for experiment in EXPERIMENTS.values()
    for dataset in experiment.quick_datasets
]


@pytest.mark.parametrize(("experiment", "dataset"), RUNS, ids=lambda run: getattr(run, "name", run))
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
    assert list(claims) == ["claim", "source", "data", "verdict", "rule", "figures"]
    assert set(claims["data"]) == {dataset for _, dataset in RUNS}
    verdicts = claims.groupby("claim")["verdict"].agg(set)
    # What does not hang on time or on a few seeds.
    closer = "ShrinkNet fits closer than group lasso at the same sparsity"
    assert "not confirmed" not in verdicts[closer]
    solved = next(claim for claim in verdicts.index if "XOR" in claim)
    assert verdicts[solved] == {"confirmed"}
    assert claims.notna().all(axis=None)


# The results of the full runs, as the documentation has them.

DOCS = Path(__file__).parents[1] / "docs"
RESULTS = sorted((DOCS / "experiments").glob("*.csv"))


def finished(file):
    settings = json.loads(file.with_suffix(".json").read_text())
    experiment, dataset = EXPERIMENTS[settings["experiment"]], settings["dataset"]
    return Finished(experiment, dataset, settings["quick"], read_table(file), [file])


@pytest.mark.parametrize("file", RESULTS, ids=lambda file: file.stem)
def test_the_pages_of_the_documentation_follow_from_its_results(file):
    assert file.with_suffix(".md").read_text() == as_markdown(finished(file))
    assert file.with_suffix(".png").exists()
    assert file.with_suffix(".svg").exists()


def test_the_documentation_has_the_full_runs_and_their_verdicts():
    assert {"tradeoff-oes97", "early-pruning-oes97"} <= {file.stem for file in RESULTS}
    page = (DOCS / "experiments.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    found = [
        (verdict, f"[{done.dataset}](experiments/{file.stem}.md)")
        for file in RESULTS
        for done in [finished(file)]
        for verdict in done.verdicts
    ]
    expected = [f"| {v.claim} | {v.source} | {page} | {v.outcome.value} |" for v, page in found]
    rules = {f"| {v.claim} | {v.confirmed_if} | {v.conditional_if} |" for v, _ in found}
    headers = {"| claim | where it is made | data | verdict |"}
    headers |= {"| claim | confirmed if | with conditions if |"}
    assert sorted(rows) == sorted([*expected, *rules, *headers])


def test_no_claim_is_confirmed_that_most_cases_contradict():
    for holds in ([True], [True, False], [True, True, False], [True, False, False], [False]):
        expected = "confirmed with conditions" if sum(holds) >= len(holds) / 2 else "not confirmed"
        expected = "confirmed" if all(holds) else expected
        assert Outcome.of_cases(holds).value == expected
    assert Outcome.of_cases([]) is Outcome.NOT_CONFIRMED


def test_shrinknet_fits_oes97_closer_than_group_lasso():
    table = finished(DOCS / "experiments" / "tradeoff-oes97.csv").table
    all_rows = table[(table["fold"] == "all") & (table["n_selected"] <= 20)]
    least = all_rows.groupby("method")["training_loss"].min()
    assert least["ShrinkNet, p = 2"] <= 0.6 * least["group lasso"]
