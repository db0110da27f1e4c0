"""The table of `benchmarks.fronts`: rows of ways that are not measured stay."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks import fronts

pytestmark = pytest.mark.untraced

RESULTS = pd.read_csv(Path(fronts.__file__).parent / "results" / "fronts.csv")


def row(way, seed, budget, test):
    values = ["Covertype", seed, way, budget, budget - 1, "3-2", 0.5, test, 2, 1.0]
    return dict(zip(fronts.KEYS, values, strict=True))


def test_rows_of_other_ways_stay(tmp_path):
    file = tmp_path / "fronts.csv"
    pd.DataFrame(
        [row("random", 0, 100, 0.1), row("path", 0, 100, 0.2), row("path", 1, 100, 0.3)]
    ).to_csv(file, index=False)
    # Of other budgets, as after a change of the script, and written twice.
    rows = [row("path", 0, 70, 0.4), row("path", 0, 50, 0.5)]
    for _ in range(2):
        fronts.write(rows, file)
        found = pd.read_csv(file)[["way", "seed", "budget", "test"]].to_numpy().tolist()
        assert found == [
            ["random", 0, 100, 0.1],
            ["path", 1, 100, 0.3],
            ["path", 0, 70, 0.4],
            ["path", 0, 50, 0.5],
        ]


def test_the_results_are_drawn(tmp_path):
    assert list(RESULTS) == fronts.KEYS
    fronts.draw(RESULTS, tmp_path / "fronts.png")
    assert (tmp_path / "fronts.png").stat().st_size > 10_000
