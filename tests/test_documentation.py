"""The code in the documents and the examples runs, and prints what they say it prints."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.utils.fixes import parse_version

from without_torch import needs_torch, why_without_torch

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]
WITH_CODE = re.compile(r"^```python$", re.MULTILINE)
PAGES = [
    str(page.relative_to(ROOT))
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    if WITH_CODE.search(page.read_text())
]


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch, capsys):
    text = (ROOT / page).read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    # None is lost in a fence that is not closed.
    assert len(blocks) == len(WITH_CODE.findall(text))
    blocks = with_what_is_installed(blocks)
    # The data sets of the README are found in a clone.
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "page"}
    for block in blocks:
        if parse_version(sklearn.__version__) < parse_version("1.8"):
            block = block.replace("l1_ratio=1,", 'penalty="l1",')
        exec(block, names)
    shown = capsys.readouterr().out
    # What comments promise, in this order.
    promised = re.findall(r"print\(.*\)  # (.*)", "".join(blocks))
    assert [line for line in shown.splitlines() if line in promised] == promised


def with_what_is_installed(blocks):
    """All blocks or, where torch is left out, those without; a page of networks is skipped."""
    reason = why_without_torch()
    if reason is None:
        return blocks
    if needs_torch(blocks[0]):
        pytest.skip(reason)
    return [block for block in blocks if not needs_torch(block)]


def run_example(name, arguments, tmp_path, monkeypatch, capsys):
    """What it printed, after checking that it drew."""
    picture = tmp_path / "picture.png"
    monkeypatch.setattr(sys, "argv", [name, "--out", str(picture), *arguments])
    runpy.run_path(str(ROOT / "examples" / "reports" / name), run_name="__main__")
    assert picture.stat().st_size > 10_000
    return capsys.readouterr().out


def test_the_example_of_stability(tmp_path, monkeypatch, capsys):
    shown = run_example("stability.py", [], tmp_path, monkeypatch, capsys)
    rows = {
        line.split()[-6]: [float(x) for x in line.split()[-5:]] for line in shown.splitlines()[1:3]
    }
    # Noise is kept by a fit, and seldom enough to be told from the rest.
    for kept, noise, often, noise_often, bound in rows.values():
        assert kept > noise > 1
        assert often >= 3
        assert noise_often <= bound < 1


def test_the_example_of_criteria(tmp_path, monkeypatch, capsys):
    arguments = ["--draws", "5"]
    shown = run_example("information_criterion.py", arguments, tmp_path, monkeypatch, capsys)
    rows = [line.split() for line in shown.splitlines() if "ShrinkNet" in line or "lasso" in line]
    differences = {tuple(row[:-6]): [] for row in rows}
    for row in rows:
        differences[tuple(row[:-6])].append(float(row[-2]) / float(row[-1]))
    assert np.abs(differences["group", "lasso"]).max() < 4
    assert max(differences["ShrinkNet", "p=1"]) > 4  # the search, which the divergence leaves out


@pytest.mark.skipif(why_without_torch() is not None, reason=str(why_without_torch()))
def test_the_example_of_networks(tmp_path, monkeypatch, capsys):
    arguments = ["--epochs", "3", "--seeds", "1"]
    shown = run_example("networks.py", arguments, tmp_path, monkeypatch, capsys)
    rows = [line.split()[-4:] for line in shown.splitlines()[1:5]]
    sizes, accuracies, _, work = np.array(rows, dtype=float).T
    # The three small networks have the same sizes, and knowing them beforehand is cheapest.
    assert sizes[0] > 1.2 * sizes[1] == 1.2 * sizes[2] == 1.2 * sizes[3]
    assert work[0] > work[1] > work[3]
    assert min(accuracies) > 0.8
