"""Networks trained all at once are those trained one by one."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, roc_auc_score
from torch import nn

import datasets
from experiments import network_landscape
from experiments.network_landscape import NetworkLandscape, Training
from experiments.networks import network_landscape as networks
from experiments.run import Place, run

TRAINING = Training(steps=30, batch=25, n_test=50)
CELL = {"figure": "any", "k": 2, "n": 100, "p": 3, "units": 6, "draw": 4, "later_steps": 5}
STARTS = (7, 0, 3)


def cells(**changes):
    return [{**CELL, "start": start, **changes} for start in STARTS]


def rows():
    X, y = datasets.make_xor(150, 3, 2, random_state=4)
    return torch.tensor(X), torch.tensor(y).double()


def module(parameters, start):
    """A start as a plain model of torch, in float64."""
    W, b, v, c = (of_all[start].detach().double() for of_all in parameters)
    model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1)).double()
    model.load_state_dict({"0.weight": W.T, "0.bias": b[0], "2.weight": v.T, "2.bias": c[0]})
    return model


def train_slowly(model, X, y, rates, batch, seed):
    """One network, by the plain way of torch."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), foreach=False)
    for rate in rates:
        for group in optimizer.param_groups:
            group["lr"] = rate
        for chosen in torch.randperm(len(X), generator=generator).split(batch):
            loss = nn.functional.binary_cross_entropy_with_logits(model(X[chosen])[:, 0], y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def drawn_double():
    drawn = networks.draw(3, 6, STARTS)
    return [parameter.detach().double().requires_grad_() for parameter in drawn]


def test_all_at_once_is_one_by_one():
    X, y = rows()
    parameters, rates = drawn_double(), networks.falling(0.03, 8, 0.5)
    slow = [module(parameters, start) for start in range(3)]
    networks.descend(parameters, X, y, rates, 25, seed=1)
    for start, model in enumerate(slow):
        train_slowly(model, X, y, rates, 25, seed=1)
        W, b, v, c = (of_all[start].detach() for of_all in parameters)
        expected = (model[0].weight.T, model[0].bias, model[2].weight.T, model[2].bias)
        for found, of_slow in zip((W, b[0], v, c[0]), expected, strict=True):
            torch.testing.assert_close(found, of_slow.detach(), rtol=1e-9, atol=1e-9)
    # Mutant: another order of the rows ends elsewhere.
    other = drawn_double()
    networks.descend(other, X, y, rates, 25, seed=2)
    assert (other[0] - parameters[0]).abs().max() > 1e-4


def test_starts_are_those_of_their_seeds_and_of_the_scale_of_torch():
    parameters = networks.draw(4, 9, (0, 1))
    for found, alone in zip(parameters, networks.draw(4, 9, (1,)), strict=True):
        torch.testing.assert_close(found[1], alone[0], rtol=0, atol=0)
        assert not torch.equal(found[0], found[1])
    for place, bound in enumerate((4, 4, 9, 9)):
        values = torch.cat([of[place].flatten() for of in map(many, range(40))])
        assert values.abs().max() <= bound**-0.5
        # A uniform value on [-a, a] has the mean square a² / 3.
        assert values.square().mean() == pytest.approx(1 / (3 * bound), rel=0.3)


def many(seed):
    return [parameter.detach() for parameter in networks.draw(4, 9, (seed,))]


def test_the_end_of_a_network():
    X, y = rows()
    parameters = drawn_double()
    loss, gradient, n_wrong = networks.end(parameters, X, y)
    aucs = networks.aucs(parameters, X, y)
    for start in range(3):
        model = module(parameters, start)
        z = model(X)[:, 0]
        mean = nn.functional.binary_cross_entropy_with_logits(z, y)
        mean.backward()
        norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
        p = torch.sigmoid(z).detach().numpy()
        assert loss[start] == pytest.approx(log_loss(y, p), rel=1e-9)
        assert gradient[start] == pytest.approx(float(norm), rel=1e-9)
        assert n_wrong[start] == ((p > 0.5) != y.numpy()).sum()
        assert aucs[start] == pytest.approx(roc_auc_score(y, p), rel=1e-9)


def test_rates():
    rates = networks.falling(0.2, 8, first=0.5)
    assert rates[:5] == [0.2] * 5
    assert rates[6] == pytest.approx(0.1)
    assert 0 < rates[-1] < rates[-2] < rates[-3]


def test_results_depend_on_the_cells_alone():
    found = networks.measured(cells(), TRAINING)
    torch.manual_seed(5)
    assert networks.measured(cells(), TRAINING) == found
    # Alone, to the rounding of float32 over these few steps.
    alone = networks.measured(cells()[1:2], TRAINING)[0]
    for name in ("loss", "train_auc", "test_auc", "later_loss"):
        assert alone[name] == pytest.approx(found[1][name], rel=1e-3)
    other = networks.measured(cells(draw=5), TRAINING)
    assert other[0]["loss"] != found[0]["loss"]


def test_training_on_is_asked_for_by_the_cell_and_changes_nothing_before():
    found, without = (networks.measured(cells(later_steps=n), TRAINING) for n in (5, 0))
    for with_later, end in zip(found, without, strict=True):
        assert end["later_loss"] is end["later_n_wrong"] is None
        assert with_later["later_loss"] != with_later["loss"]
        names = ("loss", "gradient", "n_wrong", "train_auc", "test_auc")
        assert [with_later[name] for name in names] == [end[name] for name in names]


def test_training_has_as_many_steps_for_any_number_of_rows(monkeypatch):
    steps = []
    step = torch.optim.Adam.step
    monkeypatch.setattr(
        torch.optim.Adam, "step", lambda self, *given: steps.append(1) or step(self, *given)
    )
    for n in (50, 150):
        steps.clear()
        networks.measured(cells(n=n, later_steps=0), TRAINING)
        assert len(steps) == TRAINING.steps


def test_enough_units_solve_the_xor_of_two_columns():
    training = Training(steps=600, batch=50, n_test=400)
    found = networks.measured(cells(n=300, p=2, units=30, later_steps=0), training)
    assert min(end["test_auc"] for end in found) > 0.95


def test_a_run_resumes(tmp_path, monkeypatch):
    quick = network_landscape._QUICK
    small = replace(
        quick, minima=((2, 60, 2),), units=(2, 4), n_starts=12, n_later=2, later_steps=3,
        transition={(2, 40): (2, 3), (2, 80): (2, 3)}, width=5, problems=((2, 60, 2),),
        widths=(1, 2, 10), training=Training(steps=12, batch=20, n_test=40),
    )  # fmt: skip
    monkeypatch.setattr(network_landscape, "_QUICK", small)
    # What is drawn is tested elsewhere.
    monkeypatch.setattr(NetworkLandscape, "draw", lambda self, table: plt.figure())
    first = run(NetworkLandscape(), "xor", True, Place(tmp_path, quiet=True))
    whole = first.files[0].read_bytes()
    lines = whole.splitlines(keepends=True)
    first.files[0].write_bytes(b"".join(lines[:20]))
    again = run(NetworkLandscape(), "xor", True, Place(tmp_path, quiet=True))
    assert again.files[0].read_bytes() == whole
    assert np.isfinite(again.table["loss"]).all()
    assert len(again.verdicts) == 8
