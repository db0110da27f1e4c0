"""Models written in ways that are easily misread: each is cut exactly, or stays whole."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Poisson

from net import Net, numbers
from shrinking import Lesson
from shrinklin.networks import Shrinker, Switch, add_switches, fold
from shrinklin.networks.gates import gates_of
from shrinklin.networks.inputs import Inputs
from shrinklin.networks.placing import find_places
from shrinklin.networks.removable import find_removable
from shrinklin.networks.structure import Structure

pytestmark = pytest.mark.untraced

IMAGES = numbers(4, 3, 8, 8)


class Between(nn.Module):
    """Two convolutions, and something in between that reads `parts` too."""

    def __init__(self, change, n_read=6, **parts):
        super().__init__()
        self.change, self.parts = change, nn.ParameterDict(parts)
        self.first, self.second = nn.Conv2d(3, 6, 3), nn.Conv2d(n_read, 5, 3)
        self.head = nn.Linear(5, 3)

    def forward(self, x):
        x = self.change(self.first(x), **self.parts)
        return self.head(torch.relu(self.second(x)).mean((2, 3)))


def learn(build, inputs=IMAGES, **settings):
    """Cut units in training, and compare with a masked twin; returns the units that are left."""
    lesson = Lesson(Net("odd", build, (inputs,)), "sgd_momentum", **settings)
    lesson.step()
    lesson.step(np.union1d(lesson.first(), lesson.draw(np.random.default_rng(0), 0.3)))
    for _ in range(4):
        lesson.step()
    assert lesson.twin.output_difference(lesson.net) <= 1e-10
    assert max(lesson.twin.entry_differences().values()) <= 1e-10
    return {name.removesuffix(".gate"): len(gate) for name, gate in gates_of(lesson.model).items()}


BY_KEYWORD = {
    "flatten": lambda x: torch.flatten(start_dim=2, input=x).view(x.shape),
    "permute": lambda x: torch.permute(input=x, dims=(0, 1, 3, 2)),
    "relu": lambda x: torch.relu(input=x),
    "mul": lambda x: torch.mul(other=torch.sigmoid(x), input=x),
    "where": lambda x: torch.where(input=x, condition=x > 0, other=0.1 * x),
    "mean": lambda x: x * torch.mean(input=x, dim=(2, 3), keepdim=True),
    "dropout": lambda x: F.dropout(input=x, p=0.0),
    "max_pool": lambda x: F.max_pool2d(stride=1, input=x, kernel_size=2),
    "pad": lambda x: F.pad(input=x, pad=(1, 1)),
    "chunk": lambda x: torch.chunk(input=x, chunks=1, dim=2)[0],
    "cat": lambda x: torch.cat(dim=2, tensors=[x, torch.relu(x)]),
    "cat_along_an_axis": lambda x: torch.cat([x, torch.relu(x)], axis=2),
    "stack_along_an_axis": lambda x: torch.stack([x, torch.relu(x)], axis=2).amax(2),
    "to": lambda x: x.to(dtype=torch.float64),
}


@pytest.mark.parametrize("change", BY_KEYWORD.values(), ids=BY_KEYWORD)
def test_arguments_may_be_given_by_name(change):
    left = learn(lambda: Between(change))
    assert left["first"] < 6
    assert left["second"] < 5


@pytest.mark.parametrize("along", ["dim", "axis"])
def test_units_beside_one_another(along):
    def change(x):
        return torch.cat([x, torch.relu(x)], **{along: 1})

    left = learn(lambda: Between(change, n_read=12))
    assert left["first"] < 6
    assert left["second"] < 5


WITH_WEIGHTS = {
    "prelu": (lambda x, w: F.prelu(weight=w, input=x), (6,)),
    "conv2d": (lambda x, w: F.conv2d(weight=w, input=x), (6, 6, 1, 1)),
}


@pytest.mark.parametrize(("change", "shape"), WITH_WEIGHTS.values(), ids=WITH_WEIGHTS)
def test_weights_may_be_given_by_name(change, shape):
    assert learn(lambda: Between(change, w=torch.rand(shape)))["first"] < 6


def test_a_type_may_be_changed_by_its_name():
    def change(x):
        assert x.type().endswith("DoubleTensor")
        return torch.relu(x).type(torch.float64)

    assert learn(lambda: Between(change))["first"] < 6


class Off(nn.Module):
    """Three units that are off, and what a function makes of them."""

    def __init__(self, change):
        super().__init__()
        self.first, self.switch, self.change = nn.Linear(5, 8), Switch(8), change
        self.second = nn.Linear(8, 3)
        self.switch.alive[:3] = False

    def forward(self, x):
        return self.second(self.change(self.switch(self.first(x))))


# What is made of 0, and whether it is a constant.
OF_ZERO = {
    "sigmoid": (torch.sigmoid, True),
    "threshold": (lambda x: F.threshold(x, 0.1, 20.0), True),
    "softplus": (lambda x: F.softplus(x, beta=2, threshold=1), True),
    "celu": (lambda x: F.celu(x - 1, 0.3), True),
    "divided": (lambda x: 1 / (x + 2), True),
    "power": (lambda x: 2**x, True),
    "rounded": (lambda x: torch.round(x + 0.126, decimals=2), True),
    "other_type": (lambda x: torch.sigmoid(x).type(torch.float32).double(), True),
    "whole_numbers": (lambda x: torch.sigmoid(x).to(torch.int64).double(), False),
    "truth": (lambda x: torch.sigmoid(x).to(torch.bool).double(), False),
    "whole_numbers_by_name": (lambda x: torch.sigmoid(x).type(torch.int64).double(), False),
    "bits": (lambda x: x.view(torch.int64).view(torch.float64), False),
    "other_bits": (lambda x: x.view(torch.int32).view(torch.float64), False),
}


@pytest.mark.parametrize(("change", "constant"), OF_ZERO.values(), ids=OF_ZERO)
def test_a_constant_is_what_is_read(change, constant):
    model, x = Off(change).double(), numbers(6, 5)
    removable = find_removable(Structure(model, Inputs(x)))
    assert len(removable.units) == (3 if constant else 0)
    if constant:
        ((_, _, _, folded),) = removable.folds
        assert (folded[:3] - change(torch.zeros(3).double())).abs().max() <= 1e-12
        assert (folded[3:] == 0).all()


class Holder:
    def __init__(self, value):
        self.value = value


class Returning(nn.Module):
    """What it returns is made by a function of a tensor."""

    def __init__(self, make):
        super().__init__()
        self.first, self.head, self.make = nn.Linear(5, 8), nn.Linear(8, 3), make

    def forward(self, x):
        return self.make(self.head(torch.relu(self.first(x))))


OBJECTS = {
    "object": Holder,
    "object_in_a_list": lambda x: [1, Holder(x), None],
    "namespace": lambda x: SimpleNamespace(value=x),
    "distribution": lambda x: Poisson(x, validate_args=False),
}


@pytest.mark.parametrize("make", OBJECTS.values(), ids=OBJECTS)
def test_outputs_inside_an_object_stay(make):
    model = add_switches(Returning(make).double(), numbers(6, 5))
    assert list(gates_of(model)) == ["first.gate"]


def test_a_model_that_returns_no_tensor_is_refused():
    with pytest.raises(ValueError, match="no tensor is found"):
        add_switches(Returning(lambda x: "text").double(), numbers(6, 5))


class BatchNormByHand(nn.Module):
    """It calls the function itself, so that a hook of the model would be at the wrong place."""

    def __init__(self):
        super().__init__()
        self.first, self.norm, self.head = nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Linear(6, 6)

    def forward(self, x):
        norm = self.norm
        averages = norm.running_mean, norm.running_var
        x = F.batch_norm(self.first(x), *averages, norm.weight, norm.bias, self.training)
        return self.head(torch.relu(x))


class Turned(nn.Linear):
    """Its units are in the first dimension."""

    def forward(self, x):
        return super().forward(x).t()


class Turning(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(5, 6), Turned(6, 6), nn.Linear(6, 3)

    def forward(self, x):
        return self.head(torch.relu(self.second(torch.relu(self.first(x))).t()))


@pytest.mark.parametrize("build", [BatchNormByHand, Turning])
def test_a_switch_stands_where_the_units_come_out(build):
    model = add_switches(build().double(), numbers(6, 5))
    assert list(gates_of(model)) == ["first.gate"]


@pytest.mark.parametrize(
    "make",
    [
        lambda x: torch.where(x > 0, x, -torch.inf),
        lambda x: torch.cat([x, x / 0], dim=1).abs(),
        lambda x: torch.complex(x, x + 1),
    ],
    ids=["some_infinite", "all_of_some_infinite", "complex"],
)
def test_outputs_may_be_infinite_or_complex(make):
    model = add_switches(Returning(make).double(), numbers(6, 5))
    assert list(gates_of(model)) == ["first.gate"]


class Squeezed(nn.Module):
    """It works as long as two units are left."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Conv2d(3, 6, 3), nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.first(x).relu().mean((2, 3), keepdim=True).squeeze())


def test_a_cut_that_the_model_does_not_bear_is_taken_back():
    model = add_switches(Squeezed().double(), IMAGES)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    shrinker = Shrinker(model, optimizer, example_inputs=IMAGES, alpha=0.1)
    gate = model.first.gate
    gate.alive[2:] = False
    shrinker.compact()
    assert len(gate) == 2
    gate.alive[1:] = False
    expected = model(IMAGES)
    with pytest.warns(UserWarning, match="taken back"):
        shrinker.compact()
    assert len(gate) == 2
    assert torch.equal(model(IMAGES), expected)
    # And is not tried again.
    shrinker.compact()
    assert len(gate) == 2


class SharedGradient(torch.autograd.Function):
    """The gradient of a unit depends on how many others there are."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return torch.softmax(gradient, dim=1)


class Doubled(torch.autograd.Function):
    """A gradient written by hand, of each entry on its own."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return 2 * gradient


class Watchful(nn.Module):
    """It shows in training what the penalty of its author is, or multiplies by the width."""

    def __init__(self, show, change=torch.sigmoid):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(5, 8), nn.Linear(8, 6), nn.Linear(6, 3)
        self.change, self.show = change, show

    def forward(self, x):
        x = self.change(self.first(x))
        if self.training:
            x, shown = self.show(self, x)
        y = self.head(torch.relu(self.second(x)))
        return (y, shown) if self.training else y


IN_TRAINING = {
    "width": (lambda model, x: (x / x.shape[1], None), torch.relu, "in training"),
    # It takes up the constants of units that are off.
    "bias": (lambda model, x: (x, model.second.bias.square()), torch.sigmoid, ""),
    "shared_gradient": (lambda model, x: (x, None), SharedGradient.apply, "gradients change"),
}


@pytest.mark.parametrize(("show", "change", "reason"), IN_TRAINING.values(), ids=IN_TRAINING)
def test_what_would_change_the_next_steps_stays(show, change, reason):
    inputs = Inputs(numbers(6, 5))
    places, reasons = find_places(Watchful(show, change).double(), inputs)
    assert "first" not in {place.layer for place in places}
    assert reason in reasons["first"]


HARMLESS = {
    "gradient_by_hand": lambda: Returning(Doubled.apply),
    "outputs_that_add_up_to_1": lambda: Returning(lambda x: torch.softmax(x, dim=1)),
    "whole_outputs": lambda: Returning(lambda x: x.argmax(1)),
    "dropout": lambda: nn.Sequential(nn.Linear(5, 8), nn.Dropout(), nn.Linear(8, 3)),
    "batch_norm": lambda: nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)),
}


@pytest.mark.parametrize("build", HARMLESS.values(), ids=HARMLESS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_changes_nothing_does_not_stay(build, dtype):
    model = add_switches(build().to(dtype), numbers(6, 5).to(dtype))
    assert len(gates_of(model)) == 1


def tokens(*layers):
    """A switch for each of 8 tokens, between layers for 8 features."""
    return nn.Sequential(*layers[:-1], Switch(8, dim=1), layers[-1])


NOT_TO_FOLD = {
    "of_tokens": lambda: tokens(nn.Linear(8, 8), nn.Linear(8, 3)),
    "of_tokens_behind_tanh": lambda: tokens(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3)),
    "of_tokens_in_front": lambda: tokens(nn.Linear(8, 3)),
    "before_statistics_of_a_batch": lambda: tokens(
        nn.Tanh(), nn.BatchNorm1d(8, track_running_stats=False)
    ),
    "before_statistics_of_an_image": lambda: tokens(nn.Tanh(), nn.InstanceNorm1d(8, affine=True)),
}


@pytest.mark.parametrize("build", NOT_TO_FOLD.values(), ids=NOT_TO_FOLD)
def test_a_switch_stays_where_no_layer_can_take_it_up(build):
    x = numbers(4, 8, 8)
    model = build().double().eval()
    small = fold(model, x)
    assert len(gates_of(small)) == 1
    assert (small(x) - model(x)).abs().max() <= 1e-12


class ReadTwice(nn.Module):
    """A bias that is a tensor among others too."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(5, 8), nn.Linear(8, 6), nn.Linear(6, 3)

    def forward(self, x):
        x = self.second(torch.sigmoid(self.first(x)))
        return self.head(x * self.second.bias)


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 6, 3, groups=6), nn.Tanh()],
        [nn.ConvTranspose2d(1, 4, 3), nn.Sigmoid(), nn.Conv2d(4, 3, 3), nn.ReLU()],
        [nn.Flatten(), nn.Linear(64, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 4), nn.Tanh()],
    ],
    ids=["conv", "transposed", "linear"],
)
def test_a_layer_whose_units_are_all_off_keeps_one(layers):
    """Torch does not run convolutions and norms without any."""
    x = numbers(5, 1, 8, 8)
    plain = nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(3)).double()
    plain(x)
    model = add_switches(plain, x).train(False)
    gates = list(gates_of(model).values())
    for off in range(1, 2 ** len(gates)):
        for i, gate in enumerate(gates):
            gate.alive[:] = not (off >> i) & 1
        small = fold(model, x)
        torch.testing.assert_close(small(x), model(x), rtol=1e-12, atol=1e-12)
        widths = [m.weight.shape[0] for m in small.modules() if isinstance(m, nn.Linear)]
        widths += [m.out_channels for m in small.modules() if hasattr(m, "out_channels")]
        assert 1 in widths


def test_a_bias_that_the_model_reads_by_itself_takes_up_nothing():
    x = numbers(6, 5)
    model = ReadTwice().double()
    assert [place.layer for place in find_places(model, Inputs(x))[0]] == ["second"]
    small = fold(add_switches(model, x), x)
    assert (small.eval()(x) - model.eval()(x)).abs().max() <= 1e-12


class Large(nn.Module):
    """A weight of more than a million entries, of which it returns the mean square in training."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(5, 1100), nn.Linear(1100, 1000)
        self.head = nn.Linear(1000, 3)

    def forward(self, x):
        y = self.head(torch.relu(self.second(torch.relu(self.first(x)))))
        return (y, self.second.weight.square().mean()) if self.training else y


def test_a_large_weight_that_is_read_in_two_ways_stays():
    structure = Structure(Large(), Inputs(numbers(2, 5).float()))
    (leaf,) = [leaf for leaf in structure.leaves if leaf.name == "second.weight"]
    for dim in (0, 1):
        assert set(structure.of(leaf, dim).tolist()) <= structure.units.reasons.keys()


class Shifting(nn.Module):
    """It writes into its input."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(5, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.head(torch.relu(self.first(x.sub_(0.5))))


def test_example_inputs_stay_as_they_are():
    x = numbers(6, 5)
    model = add_switches(Shifting().double(), x)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    shrinker = Shrinker(model, optimizer, example_inputs=x, alpha=0.1)
    model.first.gate.alive[:3] = False
    shrinker.compact()
    fold(model, x)
    assert len(model.first.gate) == 5
    assert torch.equal(x, numbers(6, 5))


class Timed(nn.Module):
    """Its first argument is a number, such as a time."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(5, 8), nn.Linear(8, 3)

    def forward(self, time, x):
        return self.head(torch.relu(self.first(x)) * time)


def test_rows_are_those_of_the_first_tensor_with_dimensions():
    inputs = torch.tensor(2.0), numbers(6, 5).float()
    model = add_switches(Timed(), inputs)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    shrinker = Shrinker(model, optimizer, example_inputs=inputs, alpha=0.1)
    model(*inputs).sum().backward()
    shrinker.step()
    # Forwards; backwards, for the weights of both and for the input of the second.
    assert shrinker.cost.multiply_adds == 6 * (2 * 5 * 8 + 3 * 8 * 3)


def test_a_cut_parameter_keeps_its_marks():
    x = numbers(6, 5)
    model = add_switches(Timed().double(), (torch.tensor(1.0), x))
    model.first.weight.is_special = True
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    shrinker = Shrinker(model, optimizer, example_inputs=(torch.tensor(1.0), x), alpha=0.1)
    model.first.gate.alive[:3] = False
    shrinker.compact()
    assert len(model.first.weight) == 5
    assert model.first.weight.is_special


class Padded(nn.Module):
    """Units that are off in the upper half of an image only, and a border."""

    def __init__(self):
        super().__init__()
        self.upper, self.lower = nn.Conv2d(3, 6, 1), nn.Conv2d(3, 6, 1)
        self.switch, self.second = Switch(6), nn.Conv2d(6, 3, 3)

    def forward(self, x):
        x = F.pad(torch.cat([self.switch(self.upper(x)), self.lower(x)], dim=2), (1, 1, 1, 1))
        return self.second(x.transpose(2, 3))


def test_a_border_around_what_is_constant_in_places():
    model = Padded()
    model.switch.alive[:2] = False
    removable = find_removable(Structure(model, Inputs(IMAGES.float())))
    assert len(removable.units) == 0
    assert "not constant" in set(removable.reasons.values()).pop()


def test_a_dropout_that_happens_to_drop_the_same_twice_is_still_random():
    # Two runs in training are compared to find out whether the model is random.
    for seed in range(20):
        torch.manual_seed(seed)
        layers = [nn.Linear(6, 12), nn.ReLU(), nn.Dropout(0.1), nn.Linear(12, 10), nn.ReLU()]
        model = nn.Sequential(*layers, nn.Linear(10, 1))
        assert len(gates_of(add_switches(model, torch.randn(2, 6)))) == 2
