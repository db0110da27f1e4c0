"""Bad input gets one sentence and changes nothing; nor does a failure in the middle of a cut."""

import warnings
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from shrinklin import Annealing, Removal, SignChange, SignVariance, Threshold
from shrinklin.networks import Mask, Shrinker, Switch, add_switches, cutting, fold, shrinker
from shrinklin.networks.gates import gates_of
from small_nets import DropFirst, gated, plain, rows, same_bits, step, trained
from training import REFUSED

X = rows("MLP")


def sgd(model, **options):
    return torch.optim.SGD(model.parameters(), lr=0.01, **options)


def hooks_of(module):
    return len(module._forward_hooks), len(module._forward_pre_hooks)


def facts(model, *optimizers):
    """All that a failure must leave as it is."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    parameters = [p for each in optimizers for group in each.param_groups for p in group["params"]]
    states = [each.state[p] for each in optimizers for p in each.state]
    return deepcopy(
        {
            "values": [tensor.detach() for _, tensor in tensors],
            "gradients": [p.grad for p in model.parameters() if p.grad is not None],
            "states": [dict(state) for state in states],
        }
    ) | {
        "names": [name for name, _ in tensors],
        "identities": [id(tensor) for _, tensor in tensors] + [id(p) for p in parameters],
        "of states": [id(p) for each in optimizers for p in each.state],
        "sizes": [repr(m) for m in model.modules()],
        "modes": [m.training for m in model.modules()],
        "hooks": [hooks_of(m) for m in model.modules()],
        "random": torch.get_rng_state(),
    }


class OneDegree(nn.Module):
    """A path that depends on the data."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 5), nn.Linear(5, 2)

    def forward(self, x):
        x = self.first(x)
        return self.last(torch.relu(x) if x.sum() > 0 else x)


# What is wrong, and what is said. Each takes a network with switches.
def another_optimizer(model):
    return Shrinker(model, sgd(plain("MLP")), example_inputs=X, alpha=0.1)


def an_optimizer_from_before_the_switches(model):
    model = plain("MLP")
    optimizer = sgd(model)
    return Shrinker(add_switches(model, X), optimizer, example_inputs=X, alpha=0.1)


def a_weight_decay_of_the_optimizer(model):
    return Shrinker(model, sgd(model, weight_decay=0.1), example_inputs=X, alpha=0.1)


def no_optimizer(model):
    return Shrinker(model, 0.01, example_inputs=X, alpha=0.1)


def muon(model):
    if not hasattr(torch.optim, "Muon"):
        raise ValueError("Muon mixes the entries of a parameter, and this torch has none")
    matrices = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    optimizers = [torch.optim.Muon(matrices), torch.optim.SGD(others, lr=0.1)]
    return Shrinker(model, optimizers, example_inputs=X, alpha=0.1)


def lbfgs(model):
    return Shrinker(model, REFUSED["lbfgs"](model.parameters()), example_inputs=X, alpha=0.1)


def adafactor(model):
    return Shrinker(model, REFUSED["adafactor"](model.parameters()), example_inputs=X, alpha=0.1)


def norms_of_rows(model):
    return Shrinker(model, REFUSED["row_norms"](model.parameters()), example_inputs=X, alpha=0.1)


def tensors_in_a_list(model):
    optimizer = REFUSED["past_in_a_list"](model.parameters())
    return Shrinker(model, optimizer, example_inputs=X, alpha=0.1)


def of(**options):
    """A case with these arguments of Shrinker."""

    def case(model):
        arguments = {"example_inputs": X, "alpha": 0.1} | options
        return Shrinker(model, sgd(model), **arguments)

    case.__name__ = ", ".join(options)
    return case


def averaged_with_its_shell(model):
    average = torch.optim.swa_utils.AveragedModel(model)
    return Shrinker(model, sgd(model), example_inputs=X, alpha=0.1, averaged=[average])


def data_parallel(model):
    return Shrinker(nn.DataParallel(model), sgd(model), example_inputs=X, alpha=0.1)


def compiled(model):
    return Shrinker(torch.compile(model, backend="eager"), sgd(model), example_inputs=X, alpha=0.1)


def compiled_in_part(model):
    whole = nn.Sequential(torch.compile(model, backend="eager"), nn.Tanh())
    return Shrinker(whole, sgd(whole), example_inputs=X, alpha=0.1)


def no_model(model):
    return Shrinker(model.state_dict(), sgd(model), example_inputs=X, alpha=0.1)


def no_switches(model):
    return Shrinker(plain("MLP"), sgd(plain("MLP")), example_inputs=X, alpha=0.1)


def signs_of_a_mask(model):
    model = gated("MLP", Mask)
    return Shrinker(model, sgd(model), example_inputs=X, alpha=0.1, removal=SignVariance())


def switch_of_the_wrong_size(model):
    model = nn.Sequential(nn.Linear(6, 8), Switch(7), nn.Linear(8, 2)).double()
    return Shrinker(model, sgd(model), example_inputs=X, alpha=0.1)


def columns_of_another_model(model):
    model = gated("MLP")
    return Shrinker(model, sgd(model), example_inputs=X[:, :5], alpha=0.1)


def one_row_for_batchnorm(model):
    model = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 2)).double()
    return add_switches(model, X[:1])


def path_of_the_data(model):
    return add_switches(OneDegree().double(), X)


def gate_that_is_none(model):
    return add_switches(plain("MLP"), X, gate="Switch")


def nothing_that_can_shrink(model):
    return add_switches(nn.Linear(6, 2).double(), X)


def input_switch_without_a_tensor(model):
    return add_switches(plain("MLP"), {"input": X}, inputs=True)


def input_switch_for_words(model):
    return add_switches(plain("embedding"), rows("embedding"), inputs=True)


def second_input_switch(model):
    return add_switches(gated("MLP with input switches"), X, inputs=True)


def switches_twice(model):
    return add_switches(model, X)


def averaged_without_a_list(model):
    average = torch.optim.swa_utils.AveragedModel(model)
    return Shrinker(model, sgd(model), example_inputs=X, alpha=0.1, averaged=average.module)


def attribute_gate(model):
    model = plain("MLP")
    model[0].gate = "mine"
    return add_switches(model, X)


CASES = [
    (another_optimizer, "the optimizer does not train 0.weight of this model: make it with"),
    (an_optimizer_from_before_the_switches, "does not train 0.gate.theta of this model"),
    (a_weight_decay_of_the_optimizer, "weight_decay=0.1 on 0.gate.theta: a penalty on the squares"),
    (no_optimizer, "optimizer is of type float: give a torch.optim.Optimizer"),
    (lbfgs, "LBFGS mixes the entries of a parameter"),
    (muon, "Muon mixes the entries of a parameter"),
    (adafactor, "Adafactor keeps state"),
    (norms_of_rows, r"RowNorms keeps state\['norms'\] of shape \(4,\)"),
    (tensors_in_a_list, r"Past keeps state\['past'\] of shape list"),
    (of(example_inputs=X[:, :5]), r"Switch\(6, dim=1\) was given a tensor of shape \(8, 5\)"),
    (columns_of_another_model, "the model does not run on example_inputs .*: give inputs as in"),
    (of(example_inputs="x"), "example_inputs is of type str: give a tensor"),
    (of(example_inputs=(1, 2)), "example_inputs has no tensor"),
    (of(example_inputs={"y": X}), "the model does not run on example_inputs"),
    (of(removal="SignVariance"), "removal='SignVariance': give None, an instance of"),
    (of(removal=SignVariance), "give None, an instance of"),
    (of(removal={"0": "none"}), "give None, an instance of"),
    (
        of(removal={"5": SignVariance()}),
        "removal has layer '5', which .*: give one of .*\"2\"",
    ),
    (of(removal=SignVariance(gamma=1)), "gamma=1: give a number in"),
    (of(removal=Annealing(3)), "follows a schedule over all epochs, but max_epochs=None"),
    (of(removal=Annealing(23), max_epochs=3), "n_features=23 is more than the 22 units"),
    (of(alpha=-1), "alpha=-1"),
    (of(alpha=float("nan")), "alpha=nan"),
    (of(weight_decay=-1), "weight_decay=-1"),
    (of(p=0), "p=0"),
    (of(max_epochs=0), "max_epochs=0"),
    (of(groups="both"), 'groups=\'both\': give "rows" or "columns"'),
    (of(when="never"), 'when=\'never\': give "step" or "epoch"'),
    (
        of(averaged=[plain("MLP")]),
        "averaged has an object of type Sequential whose parameters are not those",
    ),
    (of(averaged=["copy"]), "averaged has an object of type str whose parameters"),
    (
        averaged_with_its_shell,
        "averaged has an object of type AveragedModel whose .* attribute module",
    ),
    (averaged_without_a_list, r"averaged is of type Sequential: give a list of models"),
    (data_parallel, "model is a DataParallel"),
    (compiled, "model was compiled: give the model that torch.compile was given"),
    (compiled_in_part, "model has a part that was compiled"),
    (no_model, "model is of type OrderedDict: give a torch.nn.Module"),
    (no_switches, "the model has no switches: call add_switches"),
    (signs_of_a_mask, "a Mask has none: give Threshold, Annealing, Budget or None, or use Switch"),
    (switch_of_the_wrong_size, r"Switch\(7, dim=1\) was given .* number of units should be 8"),
    (one_row_for_batchnorm, "Expected more than 1 value per channel"),
    (path_of_the_data, "on a tensor that depends on the input"),
    (gate_that_is_none, "gate='Switch': give the class"),
    (nothing_that_can_shrink, "no layer of the model can shrink"),
    (input_switch_without_a_tensor, "whose first positional argument is a tensor"),
    (input_switch_for_words, "is a tensor of floating-point numbers"),
    (second_input_switch, "already has a switch in front of its input"),
    (switches_twice, "have switches already: call add_switches once"),
    (attribute_gate, '"0" already has an attribute "gate"'),
]


@pytest.mark.parametrize(("case", "sentence"), CASES, ids=[case.__name__ for case, _ in CASES])
def test_bad_input_gets_one_sentence_and_changes_nothing(case, sentence):
    torch.manual_seed(0)
    model = gated("MLP with input switches")
    # The cases that make a model of their own draw numbers for it.
    before = facts(model) | {"random": None}
    with pytest.raises((ValueError, TypeError), match=f"(?s){sentence}") as error:
        case(model)
    assert len(str(error.value)) < 500
    assert same_bits(facts(model) | {"random": None}, before)


def test_placing_switches_in_vain_changes_nothing():
    for case, options in (
        (plain("MLP"), {"example_inputs": X[:, :5]}),
        (OneDegree().double(), {"example_inputs": X}),
        (plain("MLP"), {"example_inputs": {"input": X}, "inputs": True}),
        (gated("MLP with input switches"), {"example_inputs": X, "inputs": True}),
    ):
        before = facts(case)
        with pytest.raises(ValueError, match=r"\."):
            add_switches(case, **options)
        assert same_bits(facts(case), before)


def test_epochs_without_a_number():
    with pytest.raises(ValueError, match=r"epochs\(\) needs to know how many: give max_epochs"):
        next(iter(trained("MLP")[2].epochs()))


# During training.


def evaluation(model, shrinker):
    model.eval()
    return


def loss_that_is_no_number(model, shrinker):
    return torch.tensor(float("nan"))


def loss_without_end(model, shrinker):
    return float("inf")


def switch_that_is_no_number(model, shrinker):
    with torch.no_grad():
        model[4].gate.theta[1] = float("nan")
    return


STEPS = [
    (evaluation, r"the model is in evaluation mode: call model.train\(\)"),
    (loss_that_is_no_number, "the loss is nan: nothing was removed"),
    (loss_without_end, "the loss is inf: nothing was removed"),
    (switch_that_is_no_number, 'switches of "4" are no numbers'),
]


@pytest.mark.parametrize(("spoil", "sentence"), STEPS, ids=[s.__name__ for s, _ in STEPS])
def test_a_bad_step_removes_nothing(spoil, sentence):
    model, optimizer, shrinker = trained("convolutional", removal=DropFirst(9))
    loss = spoil(model, shrinker)
    before, state = facts(model, optimizer), shrinker.state_dict()
    with pytest.raises(ValueError, match=sentence):
        shrinker.step(loss)
    assert same_bits(facts(model, optimizer), before)
    assert same_bits(shrinker.state_dict(), state)
    model.train()


class Wrong(Removal):
    """Fails, or returns what is no mask."""

    needs_norms = False

    def __init__(self, result=None):
        self.result = result

    def dead(self, watched):
        if self.result is None:
            raise RuntimeError("a strategy failed")
        return self.result


@pytest.mark.parametrize("result", [None, np.zeros(3, dtype=bool), np.array([0, 1])])
def test_a_strategy_that_fails_removes_nothing(result):
    model, optimizer, shrinker = trained("MLP", n_steps=0, removal=Wrong(result))
    before = facts(model, optimizer)
    with pytest.raises((RuntimeError, ValueError), match=r"a strategy failed|dead returned"):
        shrinker.step()
    assert same_bits(facts(model, optimizer), before)


class NeedsMore(torch.optim.Optimizer):
    """Its state cannot be looked at in advance, as its class takes more than its defaults."""

    def __init__(self, params, more):
        super().__init__(params, {"lr": 0.01})

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["sums"] = torch.ones(len(p) + 1)


def test_a_state_that_turns_out_to_be_unknown_is_refused_before_the_cut():
    model = gated("MLP")
    optimizer = NeedsMore(model.parameters(), more=1)
    shrinker = Shrinker(model, optimizer, example_inputs=X, alpha=0.1, removal=DropFirst(),
                        when="epoch")  # fmt: skip
    optimizer.step()
    shrinker.step()
    before = facts(model, optimizer)
    with pytest.raises(ValueError, match=r"NeedsMore keeps state\['sums'\] of shape"):
        shrinker.compact()
    assert same_bits(facts(model, optimizer), before)


# Failures in the middle of a cut.


class Failing:
    """Lets a function fail at its n-th call."""

    def __init__(self, function, n):
        self.function, self.n, self.failed = function, n, False

    def __get__(self, instance, owner):
        return lambda *args, **kwargs: self(instance, *args, **kwargs)

    def __call__(self, *args, **kwargs):
        self.n -= 1
        if self.n < 0 and not self.failed:
            self.failed = True
            raise MemoryError
        return self.function(*args, **kwargs)


def about_to_be_cut():
    """A model with units that are off, its optimiser, an average and the shrinker."""
    torch.manual_seed(0)
    model = gated("convolutional")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    average = deepcopy(model)
    found = Shrinker(model, optimizer, example_inputs=rows("convolutional", 2), alpha=0.1,
                     removal=DropFirst(), when="epoch", averaged=[average])  # fmt: skip
    for _ in range(3):
        step(model, optimizer, found, rows("convolutional"))
    return model, optimizer, average, found


PLACES = {
    "new tensor": (torch.Tensor, "index_select", (0, 1, 7, 25, 40)),
    "assignment": (cutting.Changes, "assign", (0, 1, 2, 9, 20, 33)),
    "state of the optimiser": (cutting, "smaller_state", (0,)),
    "look at the outputs": (shrinker, "same_outputs", (0,)),
}


@pytest.mark.parametrize(
    ("place", "n"), [(place, n) for place, (*_, numbers) in PLACES.items() for n in numbers]
)
def test_a_failure_in_the_middle_of_a_cut_leaves_all_as_it_was(place, n, monkeypatch):
    model, optimizer, average, found = about_to_be_cut()
    owner, name, _ = PLACES[place]
    before = facts(model, optimizer), facts(average)
    failing = Failing(getattr(owner, name), n)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, failing)
        with pytest.raises(MemoryError):
            found.compact()
    assert failing.failed
    assert same_bits((facts(model, optimizer), facts(average)), before)
    # And it can be done again, with the same end as without the failure.
    found.compact()
    step(model, optimizer, found, rows("convolutional"))
    twin, of_twin, average_of_twin, other = about_to_be_cut()
    other.compact()
    step(twin, of_twin, other, rows("convolutional"))
    assert len(model[0].weight) == len(average[0].weight) == 4
    for one, two in ((model, twin), (average, average_of_twin)):
        assert same_bits(dict(one.state_dict()), dict(two.state_dict()))


def test_training_goes_on_after_a_cut_that_failed(monkeypatch):
    ends = []
    for fails in (False, True):
        model, optimizer, found = trained("MLP", n_steps=0, removal=SignChange(), alpha=2.0)
        torch.manual_seed(1)
        failing = Failing(cutting.smaller_state, 0 if fails else 10**6)
        monkeypatch.setattr(cutting, "smaller_state", failing)
        for _ in range(30):
            try:
                step(model, optimizer, found, X)
            except MemoryError:
                assert found.n_units < sum(map(len, gates_of(model).values()))
        assert failing.failed == fails
        found.compact()
        ends.append((found.sizes, found.cost.removals, [*model.parameters()]))
    (sizes, removals, parameters), (others, other_removals, theirs) = ends
    assert sizes == others
    assert removals == other_removals
    assert sum(sizes.values()) < 16
    for one, other in zip(parameters, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)


def test_a_failure_while_folding_changes_nothing(monkeypatch):
    model, optimizer, _ = trained("convolutional", when="epoch")
    before, x = facts(model, optimizer), rows("convolutional", 2)
    monkeypatch.setattr(cutting.Changes, "assign", Failing(cutting.Changes.assign, 3))
    with pytest.raises(MemoryError):
        fold(model, x)
    assert same_bits(facts(model, optimizer) | {"random": None}, before | {"random": None})


@pytest.mark.parametrize("when", ["step", "epoch"])
def test_the_last_unit_of_a_layer_stays_and_one_warning_says_so(when):
    model, optimizer, found = trained("convolutional", n_steps=0, removal=Threshold(1e9), when=when)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(4):
            step(model, optimizer, found, rows("convolutional"))
        found.end_epoch()
        step(model, optimizer, found, rows("convolutional"))
    assert found.sizes == dict.fromkeys(found.sizes, 1)
    assert [str(each.message).partition(":")[0] for each in told] == [
        f'the removal strategy calls all units of "{layer}" dead' for layer in found.sizes
    ]
    assert {each.filename for each in told} == {step.__code__.co_filename}
    assert [len(gate) for gate in gates_of(model).values()] == [1, 1, 1]
