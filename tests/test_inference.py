"""Speed against size: what is timed, and what is concluded from made-up tables."""

import numpy as np
import pandas as pd
import pytest

from experiments.experiment import Outcome
from experiments.inference import (
    COMPILED_FOLDED,
    COMPILED_FULL,
    FOLDED,
    FULL,
    PERCEPTRON,
    STATIC,
    SWITCHES,
    VGG,
    Inference,
    as_fast_as_small,
    compiled_at_one_row,
    equally_accurate,
    faster_at_equal_accuracy,
    folding_helps,
    overhead_dominates,
    speeds,
)

pytestmark = pytest.mark.untraced

# λ to how many times smaller the folded network is.
RATIOS = {1e-3: 4.0, 1e-2: 16.0}
FULL_SIZE = 64_000


def made_up(
    power=1.0,
    at_one=0.1,
    switches=1.5,
    static=1.0,
    accuracy=0.9,
    compiled=None,
    network=PERCEPTRON,
    gain=2.0,
):
    """A table in which a speed-up is this power of the ratio of sizes.

    `switches` is how many times slower they are, `static` how many times slower static networks
    of equal size are, `accuracy` that of static ones (0.9 is that of folded ones, 0.95 of full
    ones), `compiled` the speed-up of compiled ones for one row, or why there are none, and `gain`
    how many times faster the small one is for being compiled.
    """
    rows = []

    def add(kind, lam, batch, seed, seconds, ratio=1.0, test=0.9, reason=None):
        rows.append(
            {
                "network": network, "kind": kind, "lambda": lam, "batch": batch, "seed": seed,
                "parameters": FULL_SIZE / ratio, "multiply_adds": FULL_SIZE / ratio, "test": test,
                "least_seconds": seconds, "seconds": seconds, "upper_seconds": 1.1 * seconds,
                "skipped": reason,
            }
        )  # fmt: skip

    for seed in (1, 2):
        for batch, exponent in ((1, at_one), (64, power)):
            # Machines differ between seeds by more than networks do.
            base = 1e-3 * batch * 10**seed
            add(FULL, 0.0, batch, seed, base, test=0.95)
            for lam, ratio in RATIOS.items():
                seconds = base / ratio**exponent
                add(SWITCHES, lam, batch, seed, switches * seconds, ratio)
                add(FOLDED, lam, batch, seed, seconds, ratio)
                add(STATIC, lam, batch, seed, static * seconds, ratio, accuracy)
            if compiled is not None and seed == 1:
                reason = compiled if isinstance(compiled, str) else None
                of = np.nan if reason else 1.0
                small = of * base / 16.0**exponent / gain
                slow = of if reason else small * compiled
                add(COMPILED_FULL, 0.0, batch, seed, slow, reason=reason)
                add(COMPILED_FOLDED, 1e-2, batch, seed, small, 16.0, reason=reason)
    return pd.DataFrame(rows).sample(frac=1, random_state=0).reset_index(drop=True)


def test_powers_are_those_of_the_table():
    found = speeds(made_up(power=0.8, at_one=0.3)).set_index(["lambda", "batch"])
    for lam, ratio in RATIOS.items():
        many, one = found.loc[(lam, 64)], found.loc[(lam, 1)]
        assert many["power"] == pytest.approx(0.8)
        assert one["power"] == pytest.approx(0.3)
        assert many["parameters"] == pytest.approx(ratio)
        assert many["seconds"] == pytest.approx(ratio**0.8)


@pytest.mark.parametrize(
    ("power", "other", "outcome"),
    [
        (0.8, 0.9, Outcome.CONFIRMED),
        (0.8, 0.5, Outcome.CONDITIONAL),
        (0.7, 0.5, Outcome.NOT_CONFIRMED),
        # Slower where it is smaller.
        (-0.5, -0.9, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_many_rows(power, other, outcome):
    tables = [made_up(power, at_one=1.0), made_up(other, at_one=1.0, network=VGG)]
    assert as_fast_as_small(pd.concat(tables)).outcome is outcome


@pytest.mark.parametrize(
    ("power", "outcome"),
    [(0.2, Outcome.CONFIRMED), (0.0, Outcome.CONFIRMED), (0.3, Outcome.NOT_CONFIRMED)],
)
def test_verdict_on_one_row_of_a_perceptron(power, outcome):
    table = pd.concat([made_up(at_one=power), made_up(at_one=0.9, network=VGG)])
    verdict = overhead_dominates(table)
    assert verdict.outcome is outcome
    assert "Not judged: VGG" in verdict.figures


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        # As fast, and as accurate.
        ({"static": 1.0, "accuracy": 0.9}, Outcome.NOT_CONFIRMED),
        # Slower, but no larger.
        ({"static": 1.2, "accuracy": 0.9}, Outcome.NOT_CONFIRMED),
        # Less accurate: the larger ones are compared.
        ({"static": 1.0, "accuracy": 0.85}, Outcome.CONFIRMED),
        # Smaller static ones are as accurate: faster, too.
        ({"static": 0.9, "accuracy": 0.99}, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_at_equal_accuracy(changes, outcome):
    assert faster_at_equal_accuracy(made_up(**changes)).outcome is outcome


def test_a_static_network_is_at_least_as_accurate():
    table = made_up(accuracy=0.85)
    found = equally_accurate(table).set_index("lambda")
    for lam, ratio in RATIOS.items():
        assert found["static_test"][lam] == 0.95
        assert found["parameters"][lam] == pytest.approx(ratio)
    # None is: that is no defeat.
    table.loc[table["kind"] == FULL, "test"] = 0.8
    found = equally_accurate(table)
    assert found["seconds"].isna().all()
    verdict = faster_at_equal_accuracy(table)
    assert verdict.outcome is Outcome.CONFIRMED
    assert "no static one is as accurate" in verdict.figures


@pytest.mark.parametrize(
    ("switches", "outcome"),
    [(1.2, Outcome.CONFIRMED), (1.02, Outcome.NOT_CONFIRMED), (0.8, Outcome.NOT_CONFIRMED)],
)
def test_verdict_on_folding(switches, outcome):
    assert folding_helps(made_up(switches=switches)).outcome is outcome


@pytest.mark.parametrize(
    ("compiled", "gain", "outcome"),
    [
        (1.3, 2, Outcome.CONFIRMED),
        # Within the quartiles of repetitions.
        (1.07, 2, Outcome.NOT_CONFIRMED),
        (0.5, 2, Outcome.NOT_CONFIRMED),
        # Measurable, because compiled networks are slow.
        (1.3, 0.5, Outcome.NOT_CONFIRMED),
        ("no compiler", 2, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_compiled_networks(compiled, gain, outcome):
    verdict = compiled_at_one_row(made_up(compiled=compiled, gain=gain))
    assert verdict.outcome is outcome
    assert ("no compiler" in verdict.figures) is isinstance(compiled, str)


@pytest.mark.parametrize("compiled", [None, 1.3, "no compiler"])
def test_summary_figure_and_all_verdicts(compiled):
    import matplotlib.pyplot as plt

    table = pd.concat([made_up(compiled=compiled), made_up(network=VGG, compiled=compiled)])
    assert len(Inference().verdicts(table)) == 4 + (compiled is not None)
    assert len(Inference().verdicts(table[table["network"] == VGG])) == 3 + (compiled is not None)
    assert len(Inference().summary(table)) == 2 * 2 * (7 + 2 * (compiled is not None))
    figure = Inference().draw(table)
    assert [ax.get_title() for ax in figure.axes][:2] == [
        "perceptron, 1 row",
        "perceptron, 64 rows",
    ]
    plt.close(figure)


@pytest.mark.parametrize(
    ("name", "quick", "networks"),
    [
        ("digits", True, {PERCEPTRON, VGG}),
        ("mnist", False, {PERCEPTRON}),
        ("cifar10", False, {VGG}),
    ],
)
def test_cells(name, quick, networks):
    class Data:
        pass

    data = Data()
    data.name = name
    jobs = Inference().jobs(data, quick)
    table = pd.DataFrame([cell for job in jobs for cell in job])
    assert not table.duplicated().any()
    assert set(table["network"]) == networks
    # What is compared is in one job.
    assert all(len({(cell["network"], cell["seed"]) for cell in job}) == 1 for job in jobs)
    assert (COMPILED_FULL in set(table["kind"])) is not quick
