"""What a cell of `random-search` measures: sizes, costs and removal, against slow oracles."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score

from experiments.network_data import ClassData
from experiments.networks import random_search
from experiments.networks.random_search import Meter, Task, pruned
from experiments.networks.training import n_parameters, outputs
from experiments.random_search.settings import (
    CIFAR10,
    DIGITS,
    NARROW,
    PATH,
    PATH_AGAIN,
    PRUNED,
    RANDOM,
    SWITCHES,
    SWITCHES_AGAIN,
    VGG16,
    Problem,
    jobs,
    problem,
)

pytestmark = pytest.mark.untraced

SMALL = replace(
    DIGITS,
    full=(20, 12),
    budgets=(700, 300),
    trunk_epochs=4,
    branch_epochs=2,
    rows=(300, 200, 250),
    n_seeds=1,
    n_random=2,
    n_switches=2,
)
UNTIMED = ("layers", "parameters", "validation", "test", "multiply_adds", "parameter_updates")


@pytest.fixture(scope="module")
def digits():
    return replace(problem("digits"), setting=SMALL)


def job_of(setting, way):
    return next(job for job in jobs(setting) if job[0]["way"] == way)


def measured(digits, way):
    return random_search.measure(job_of(digits.setting, way), digits)


def images(setting):
    """Noise, of as many rows as the setting takes."""
    rng = np.random.default_rng(0)
    n = sum(setting.rows)
    X, y = rng.integers(0, 256, (n, 3, 32, 32), dtype=np.uint8), np.arange(n) % 10
    return Problem(setting, ClassData("cifar10", X, y, "", X[: setting.rows[2]], y[:20]))


# A network (inputs, layers, classes) of fully connected layers.


def weights_of(sizes):
    return sum(a * b for a, b in pairwise(sizes))


def n_parameters_of(sizes):
    return weights_of(sizes) + sum(sizes[1:])


def multiply_adds_of(sizes):
    """Per row: forward, and backward by weights and by inputs, but for those of the network."""
    return 3 * weights_of(sizes) - sizes[0] * sizes[1]


def test_a_static_network_has_the_sizes_and_costs_that_were_asked_for(digits):
    [cell] = job_of(SMALL, RANDOM)
    [found] = measured(digits, RANDOM)
    assert found["layers"] == cell["sizes"]
    sizes = [64, *map(int, cell["sizes"].split("-")), 10]
    assert found["parameters"] == n_parameters_of(sizes)
    assert found["multiply_adds"] == 6 * 300 * multiply_adds_of(sizes)
    # Five steps an epoch, the last of 44 rows.
    assert found["parameter_updates"] == 6 * 5 * n_parameters_of(sizes)
    assert found["seconds"] > 0


def test_accuracies_are_those_of_predictions(digits):
    task = Task(digits, 0)
    torch.manual_seed(0)
    model = task.static([20, 12], Meter(task.examples))
    found = random_search._result(task, model, {})
    for name, (X, y) in (("validation", task.validation), ("test", task.test)):
        predicted = outputs(model, X).argmax(1)
        assert found[name] == pytest.approx(accuracy_score(y, predicted))
    # Six epochs are enough to learn something.
    assert found["test"] > 0.3


@pytest.mark.parametrize("way", [RANDOM, SWITCHES, PATH, PRUNED, NARROW])
def test_a_result_depends_on_the_cell_alone(digits, way):
    before = torch.random.get_rng_state()
    one = measured(digits, way)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(3)
    two = measured(digits, way)
    assert len(one) == len(job_of(SMALL, way))
    assert [[each[name] for name in UNTIMED] for each in one] == [
        [each[name] for name in UNTIMED] for each in two
    ]


def test_a_front_and_its_sizes_from_scratch(digits):
    found = measured(digits, PATH)
    ways = [cell["way"] for cell in job_of(SMALL, PATH)]
    assert ways == [PATH] * 2 + [PATH_AGAIN] * 2
    front, again = found[:2], found[2:]
    assert [each["layers"] for each in front] == [each["layers"] for each in again]
    for each, budget in zip(front, SMALL.budgets, strict=True):
        assert 0.5 * budget < each["parameters"] <= budget
        sizes = [64, *map(int, each["layers"].split("-")), 10]
        assert each["parameters"] == n_parameters_of(sizes)
    # Four epochs of the trunk, between the large network and the smallest; two of each branch.
    sizes = [[64, *map(int, each["layers"].split("-")), 10] for each in front]
    branches = sum(2 * 300 * multiply_adds_of(each) for each in sizes)
    trunk = sum(each["multiply_adds"] for each in front) - branches
    large = multiply_adds_of([64, *SMALL.full, 10])
    assert 300 * large < trunk < 4 * 300 * large
    assert front[0]["multiply_adds"] == front[1]["multiply_adds"]


def test_a_shrinknet_and_its_sizes_from_scratch(digits):
    # Long enough, and strong enough, for units to leave.
    setting = replace(SMALL, trunk_epochs=30, strengths=(0.1, 0.2))
    found, again = measured(replace(digits, setting=setting), SWITCHES)
    assert found["layers"] == again["layers"]
    assert found["parameters"] == again["parameters"]
    sizes = [64, *map(int, found["layers"].split("-")), 10]
    # Without the switches, which are folded.
    assert found["parameters"] == n_parameters_of(sizes) < n_parameters_of([64, *SMALL.full, 10])
    least = 32 * 300 * multiply_adds_of(sizes)
    assert again["multiply_adds"] == least
    large = multiply_adds_of([64, *SMALL.full, 10])
    assert least < found["multiply_adds"] < 32 * 300 * large


def test_narrow_networks_are_the_widest_of_their_budget(digits):
    task = Task(digits, 0)
    for budget in (1600, 700, 300, 90):
        sizes = task.narrow(budget)
        assert n_parameters(task.network(sizes)) == task.size(sizes) <= budget
        wider = {tuple(max(1, round(f * n)) for n in SMALL.full) for f in np.linspace(1, 0, 5001)}
        larger = [each for each in wider if n_parameters_of([64, *each, 10]) <= budget]
        assert tuple(sizes) == max(larger, key=sum)
    with pytest.raises(ValueError, match="budget 50 is less"):
        task.narrow(50)


def test_the_units_of_least_norms_are_pruned(digits):
    task = Task(digits, 0)
    torch.manual_seed(0)
    model = task.static(SMALL.full, Meter(task.examples))
    before = [parameter.clone() for parameter in model.parameters()]
    small = pruned(task, model, 400)
    layers = [model[i] for i in (0, 2, 4)]
    sizes = task.narrow(400)
    kept = []
    for (into, out), n in zip(pairwise(layers), sizes, strict=True):
        norms = into.weight.norm(dim=1) * out.weight.norm(dim=0)
        kept.append(np.argsort(norms.detach().numpy())[-n:])
    # The same network with the other units switched off.
    masked = [np.isin(np.arange(n), units) for n, units in zip(SMALL.full, kept, strict=True)]
    x = task.test[0]
    hidden = torch.relu(model[0](x)) * torch.tensor(masked[0])
    hidden = torch.relu(model[2](hidden)) * torch.tensor(masked[1])
    torch.testing.assert_close(small(x), model[4](hidden), atol=1e-5, rtol=1e-5)
    assert n_parameters(small) == task.size(sizes)
    # The large one is as it was.
    assert all(map(torch.equal, before, model.parameters()))


TINY = {"rows": (24, 20, 20), "trunk_epochs": 2, "branch_epochs": 1, "batch_size": 12}
TINY |= {"n_seeds": 1, "n_scaled": 1, "n_switches": 1}


@pytest.mark.parametrize(
    ("setting", "full", "budgets"),
    [(CIFAR10, (4, 4, 4, 6, 6, 8), (1500, 800)), (VGG16, (4,) * 14, (1200,))],
    ids=["vgg", "vgg16"],
)
def test_networks_with_convolutions_are_made_in_every_way(setting, full, budgets):
    of_images = images(replace(setting, full=full, budgets=budgets, **TINY))
    ways = set()
    for job in jobs(of_images.setting):
        for cell, found in zip(job, random_search.measure(job, of_images), strict=True):
            ways.add(cell["way"])
            sizes = list(map(int, found["layers"].split("-")))
            assert len(sizes) == len(full)
            assert 0 <= found["test"] <= 1
            task = Task(of_images, 0)
            assert found["parameters"] == task.size(sizes)
            assert found["parameters"] <= (cell["budget"] or task.size(full))
    assert {SWITCHES, SWITCHES_AGAIN, PATH, PATH_AGAIN, PRUNED, NARROW} < ways


def test_vgg16_is_that_of_the_draft():
    of_images = images(replace(VGG16, **TINY))
    # Convolutions with the two numbers of each BatchNorm, and two fully connected layers.
    channels = [3, *VGG16.full[:13]]
    convolutions = 9 * weights_of(channels) + 2 * sum(channels[1:])
    expected = convolutions + n_parameters_of([1024, 5000, 10])
    assert Task(of_images, 0).size(VGG16.full) == expected
