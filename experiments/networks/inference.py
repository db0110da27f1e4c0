"""Seconds that networks of several sizes take to predict."""

import random
import subprocess
import sys
import time

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from experiments.networks.training import (
    Batches,
    accuracy,
    n_parameters,
    narrow,
    perceptron,
    shrunk,
    tensors,
    trained,
    vgg,
)
from shrinklin.networks import fold

_BATCH = 64
# A burst of calls takes at least so long, which is far more than the clock's resolution.
_BURST = 1e-3
_PATIENCE = 240
_PROBE = "import torch; torch.compile(torch.nn.Linear(2, 2))(torch.zeros(1, 2))"


def measured(cells, parts):
    """The results of a job of `Inference`; parts are its training and test rows."""
    torch.compiler.reset()
    training, test = (tensors(X, y) for X, y in parts)
    models = _models(cells, training)
    scores = {key: accuracy(model, *test) for key, model in models.items()}
    calls, skipped = _calls(cells, models, test[0])
    seconds = time_in_turn(calls, cells[0]["repeats"], cells[0]["seed"])
    return [_result(cell, models, scores, test, seconds, skipped) for cell in cells]


def key_of(cell):
    """The name of a network in its job: a compiled one is that which it was compiled from."""
    kind = cell["kind"].removeprefix("compiled ")
    return kind, cell["lambda"]


def place_of(cell):
    """The name of a way to predict."""
    return cell["kind"], cell["lambda"], cell["batch"]


def _make(cell, sizes, training):
    """An untrained network with these hidden layers."""
    X, y = training
    n_classes = int(y.max()) + 1
    if X.dim() == 4:
        return vgg(sizes, n_classes).to(memory_format=torch.channels_last)
    return perceptron([X.shape[1], *sizes, n_classes])


def _models(cells, training):
    """All networks of a job in evaluation mode, by `key_of`."""
    first, (X, y) = cells[0], training
    sizes = [int(n) for n in first["hidden"].split("-")]

    def build(hidden):
        return _make(first, hidden, training)

    def seeded(hidden):
        torch.manual_seed(first["seed"])
        return build(hidden)

    def static(hidden):
        model = seeded(hidden)
        optimizer = torch.optim.Adam(model.parameters(), lr=first["learning_rate"])
        return trained(model, optimizer, Batches(X, y, _BATCH), first["epochs"])

    models = {("full", 0.0): static(sizes)}
    for lam in dict.fromkeys(cell["lambda"] for cell in cells if cell["lambda"]):
        switches = _shrunk(first, seeded(sizes), lam, training)
        folded = fold(switches)
        models["switches", lam], models["folded", lam] = switches, folded
        models["static", lam] = static(narrow(build, sizes, n_parameters(folded)))
    return {key: model.train(False) for key, model in models.items()}


def _shrunk(cell, model, lam, training):
    X, y = training
    batches = Batches(X, y, _BATCH)
    return shrunk(model, batches, cell["epochs"], cell["learning_rate"], lam)[0]


def _calls(cells, models, X):
    """What is timed, by `place_of`, and why something is not."""
    calls, skipped, reason = {}, {}, None
    if any(cell["kind"].startswith("compiled") for cell in cells):
        reason = why_not_compiled()
    for cell in cells:
        model, rows = models[key_of(cell)], X[: cell["batch"]]
        if cell["kind"].startswith("compiled"):
            model, problem = (None, reason) if reason else compiled(model, rows)
            if model is None:
                skipped[place_of(cell)] = problem
                continue
        calls[place_of(cell)] = (model, rows)
    return calls, skipped


def why_not_compiled():
    """None if torch can compile here within some minutes; otherwise the reason."""
    try:
        subprocess.run(
            [sys.executable, "-c", _PROBE], check=True, capture_output=True, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired:
        return f"to compile a layer takes more than {_PATIENCE} seconds"
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        return f"torch.compile fails: {lines[-1] if lines else 'without a message'}"
    return None


def compiled(model, rows):
    """The compiled model after a call with these rows, and None; or None and what failed."""
    try:
        fast = torch.compile(model, dynamic=False)
        with torch.inference_mode():
            same = torch.allclose(fast(rows), model(rows), atol=1e-3)
    except RuntimeError as error:
        return None, f"torch.compile fails: {str(error).splitlines()[0]}"
    return (fast, None) if same else (None, "the compiled model has other outputs")


@torch.inference_mode()
def time_in_turn(calls, repeats, seed):
    """CPU seconds of a call: `repeats` numbers for each.

    All are measured once, in random order, then again, so that a disturbance of the machine hits
    all of them alike.
    """
    numbers = {place: _how_many(*call) for place, call in calls.items()}
    found: dict = {place: [] for place in calls}
    order, rng = list(calls), random.Random(seed)
    for _ in range(repeats):
        rng.shuffle(order)
        for place in order:
            model, rows = calls[place]
            found[place].append(_burst(model, rows, numbers[place]))
    return found


def _how_many(model, rows):
    """The number of calls in a burst."""
    least = min(_burst(model, rows, 1) for _ in range(5))
    return max(1, int(np.ceil(_BURST / least)))


def _burst(model, rows, number):
    start = time.process_time()
    for _ in range(number):
        model(rows)
    return (time.process_time() - start) / number


@torch.no_grad()
def forward_multiply_adds(model, rows):
    """Multiply-adds of a prediction, for one row."""
    with FlopCounterMode(display=False) as counter:
        model(rows)
    return counter.get_total_flops() / 2 / len(rows)


def _result(cell, models, scores, test, seconds, skipped):
    (kind, lam), place = key_of(cell), place_of(cell)
    model = models[kind, lam]
    taken = seconds.get(place)
    low, middle, high = [None] * 3 if taken is None else np.quantile(taken, [0, 0.25, 0.75])
    return {
        "parameters": n_parameters(models["folded", lam] if kind == "switches" else model),
        "multiply_adds": forward_multiply_adds(model, test[0][:2]),
        "test": scores[kind, lam],
        "least_seconds": low,
        "seconds": middle,
        "upper_seconds": high,
        "skipped": skipped.get(place),
    }
