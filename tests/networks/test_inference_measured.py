"""What is timed computes the same and has the sizes that are said."""

import subprocess
import time

import pytest
import torch
from torch import nn

from experiments.inference import COMPILED_FOLDED, FOLDED, FULL, STATIC, SWITCHES, VGG, Inference
from experiments.networks import inference as measuring

pytestmark = pytest.mark.untraced


@pytest.fixture(scope="module")
def data():
    return Inference().load("digits", True, None)


def cells(network="perceptron", hidden="40-30", **changes):
    settings = {
        "network": network, "hidden": hidden, "rows": "300-200", "epochs": 4,
        "learning_rate": 0.02, "repeats": 2, "seed": 1, **changes,
    }  # fmt: skip
    kinds = [(FULL, 0.0), (SWITCHES, 0.05), (FOLDED, 0.05), (STATIC, 0.05)]
    kinds += [(COMPILED_FOLDED, 0.05)]
    return [
        {**settings, "kind": kind, "lambda": lam, "batch": batch}
        for kind, lam in kinds
        for batch in (1, 64)
    ]


@pytest.mark.parametrize(
    ("network", "hidden"), [("perceptron", "40-30"), (VGG, "4-4-6-6-8-10")], ids=["mlp", "vgg"]
)
def test_sizes_and_seconds(data, monkeypatch, network, hidden):
    monkeypatch.setattr(measuring, "why_not_compiled", lambda: "no compiler")
    asked = cells(network, hidden)
    found = {
        (cell["kind"], cell["batch"]): one
        for cell, one in zip(asked, Inference().measure(asked, data), strict=True)
    }
    for (kind, _), one in found.items():
        skipped = kind == COMPILED_FOLDED
        assert one["skipped"] == ("no compiler" if skipped else None)
        if not skipped:
            assert 0 < one["least_seconds"] <= one["seconds"] <= one["upper_seconds"]
    full, switches, folded, static = (found[kind, 64] for kind in (FULL, SWITCHES, FOLDED, STATIC))
    same = ("parameters", "test", "multiply_adds")
    assert [switches[name] for name in same] == [folded[name] for name in same]
    assert folded["parameters"] < full["parameters"]
    assert static["parameters"] <= folded["parameters"]
    if network != VGG:
        # Of a perceptron all but the biases multiply.
        assert full["parameters"] == 65 * 40 + 41 * 30 + 31 * 10
        assert full["multiply_adds"] == 64 * 40 + 40 * 30 + 30 * 10
        assert folded["test"] > 0.7


def test_what_does_not_hang_on_time_depends_on_the_cell_alone(data):
    asked = [cell for cell in cells() if cell["kind"] != COMPILED_FOLDED]
    # Another λ is trained before.
    others = [{**cell, "lambda": 0.1} for cell in asked[2:]]
    asked = asked[:2] + others + asked[2:]
    found = [Inference().measure(part, data) for part in (asked, asked[-6:])]
    names = ("parameters", "multiply_adds", "test")
    both = [[[one[name] for name in names] for one in part] for part in found]
    assert both[0][-6:] == both[1]
    assert both[0][2:8] != both[1]


class Slow(nn.Module):
    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    def forward(self, x):
        end = time.process_time() + self.seconds
        while time.process_time() < end:
            pass
        return x


def test_seconds_are_those_of_a_call():
    rows = torch.zeros(1, 1)
    calls = {seconds: (Slow(seconds), rows) for seconds in (2e-4, 4e-3)}
    found = measuring.time_in_turn(calls, 5, 0)
    for seconds, taken in found.items():
        assert len(taken) == 5
        assert seconds <= min(taken) < 1.5 * seconds


def test_why_there_is_nothing_compiled(monkeypatch):
    def fails(*args, **kwargs):
        raise subprocess.CalledProcessError(1, "python", stderr=b"long\nRuntimeError: no g++\n")

    def hangs(*args, **kwargs):
        raise subprocess.TimeoutExpired("python", 240)

    monkeypatch.setattr(subprocess, "run", fails)
    assert measuring.why_not_compiled() == "torch.compile fails: RuntimeError: no g++"
    monkeypatch.setattr(subprocess, "run", hangs)
    assert measuring.why_not_compiled() == "to compile a layer takes more than 240 seconds"

    def broken(model, **options):
        raise RuntimeError("no g++\nand more")

    monkeypatch.setattr(torch, "compile", broken)
    assert measuring.compiled(nn.Linear(2, 2), torch.zeros(1, 2))[1].endswith("no g++")
    # Mutant: a compiled model that computes something else.
    monkeypatch.setattr(torch, "compile", lambda model, **options: lambda rows: model(rows) + 1)
    assert measuring.compiled(nn.Linear(2, 2), torch.zeros(1, 2)) == (
        None,
        "the compiled model has other outputs",
    )
