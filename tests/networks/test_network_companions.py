"""What trains beside a network is cut with it: averages, schedulers, the gradient scaler."""

import copy

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

import small_nets
from shrinking import Lesson, gated
from shrinklin.networks import Shrinker, add_switches
from shrinklin.networks.gates import gates_of
from told import Told
from training import OPTIMIZERS
from zoo import NETS

pytestmark = pytest.mark.untraced


def lesson_with(name, make_companion, optimizer="adam"):
    """A lesson and something that holds its optimiser or model."""
    net = NETS[name]
    model = gated(net)
    trainer = OPTIMIZERS[optimizer](model.parameters())
    return net, model, trainer, make_companion(model, trainer)


def half_off(model, told, shrinker):
    """Tell the strategy to remove every second unit of each layer."""
    told.dead_now = np.concatenate([np.arange(n) % 2 == 1 for n in shrinker.sizes.values()])


@pytest.mark.parametrize("name", ["mlp", "vgg", "resnet", "separable"])
@pytest.mark.parametrize("average", [None, get_ema_multi_avg_fn(0.9)], ids=["mean", "ema"])
def test_an_averaged_model_is_cut_too_and_goes_on_as_the_average_of_the_twin(name, average):
    def make(model, optimizer):
        return AveragedModel(model, multi_avg_fn=average, use_buffers=False)

    net, model, optimizer, averaged = lesson_with(name, make, "sgd_momentum")
    told = Told()
    settings = {"example_inputs": net.inputs, "alpha": 0.01, "removal": told}
    shrinker = Shrinker(model, optimizer, averaged=[averaged.module], **settings)
    full, full_average = copy.deepcopy(model), None
    twin = OPTIMIZERS["sgd_momentum"](full.parameters())
    full_average = AveragedModel(full, multi_avg_fn=average, use_buffers=False)
    for step in range(6):
        if step == 3:
            half_off(model, told, shrinker)
        for each, trainer in ((model, optimizer), (full, twin)):
            trainer.zero_grad()
            loss = net.run(each).square().mean()
            loss = loss + 0.01 * sum(g.factor().abs().sum() for g in gates_of(each).values())
            loss.backward()
            trainer.step()
        shrinker.step()
        if step == 3:
            off = {n: torch.arange(len(g)) % 2 == 1 for n, g in gates_of(full).items()}
            for gates in (gates_of(full), gates_of(full_average.module)):
                for gate_name, gate in gates.items():
                    gate.alive[off[gate_name]] = False
            for gate in gates_of(full).values():
                gate.theta.data[~gate.alive] = 0
                twin.state[gate.theta]["momentum_buffer"][~gate.alive] = 0
        averaged.update_parameters(model)
        full_average.update_parameters(full)
        ours, theirs = net.run(averaged.module.eval()), net.run(full_average.module.eval())
        assert (ours - theirs).abs().max() <= 1e-12 * max(1.0, float(theirs.detach().abs().max()))
    shapes = [p.shape for p in averaged.module.parameters()]
    assert shapes == [p.shape for p in model.parameters()]
    assert shapes != [p.shape for p in full.parameters()]


def test_batchnorm_of_an_averaged_model_can_be_updated():
    net, model, optimizer, averaged = lesson_with("vgg", lambda m, o: AveragedModel(m))
    told = Told()
    shrinker = Shrinker(
        model,
        optimizer,
        example_inputs=net.inputs,
        alpha=0.0,
        removal=told,
        averaged=[averaged.module],
    )
    half_off(model, told, shrinker)
    shrinker.step()
    averaged.update_parameters(model)
    update_bn([net.inputs[0]], averaged)
    assert torch.isfinite(net.run(averaged)).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda o: torch.optim.lr_scheduler.StepLR(o, 2, 0.5),
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 8),
        lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=8),
        lambda o: torch.optim.lr_scheduler.ReduceLROnPlateau(o, patience=1),
    ],
)
def test_a_scheduler_goes_on(make):
    lesson = Lesson(NETS["mlp"], "sgd_momentum")
    ours, theirs = make(lesson.optimizer), make(lesson.twin.optimizer)
    for step in range(8):
        lesson.step(lesson.first() if step in (2, 4) else ())
        for scheduler in (ours, theirs):
            plateau = isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau)
            scheduler.step(*([1.0] if plateau else []))
        assert lesson.optimizer.param_groups[0]["lr"] == lesson.twin.optimizer.param_groups[0]["lr"]
    assert lesson.twin.output_difference(lesson.net) <= 1e-12


def test_a_gradient_scaler_goes_on():
    net = NETS["mlp"]
    model, told = gated(net), Told()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    shrinker = Shrinker(model, optimizer, example_inputs=net.inputs, alpha=0.01, removal=told)
    plain = copy.deepcopy(model)
    beside = torch.optim.Adam(plain.parameters(), lr=0.01)
    for step in range(4):
        optimizer.zero_grad()
        scaler.scale(net.run(model).square().mean() + shrinker.penalty()).backward()
        scaler.step(optimizer)
        scaler.update()
        if step < 2:
            beside.zero_grad()
            penalty = sum(gate.theta.abs().sum() for gate in gates_of(plain).values())
            (net.run(plain).square().mean() + 0.01 * penalty).backward()
            beside.step()
            # A power of two: scaling changes no digit.
            for p, q in zip(model.parameters(), plain.parameters(), strict=True):
                torch.testing.assert_close(p, q, rtol=1e-13, atol=1e-13)
        if step == 1:
            half_off(model, told, shrinker)
        shrinker.step()
    assert shrinker.n_units < sum(len(gate) for gate in gates_of(plain).values())


def test_two_optimisers_of_one_model():
    net = NETS["mlp"]
    model, told = gated(net), Told()
    thetas = [gate.theta for gate in gates_of(model).values()]
    others = [p for p in model.parameters() if not any(p is theta for theta in thetas)]
    optimizers = [torch.optim.Adam(others, lr=0.01), torch.optim.SGD(thetas, lr=0.1, momentum=0.9)]
    shrinker = Shrinker(model, optimizers, example_inputs=net.inputs, alpha=0.01, removal=told)
    for step in range(4):
        for optimizer in optimizers:
            optimizer.zero_grad()
        net.run(model).square().mean().backward()
        for optimizer in optimizers:
            optimizer.step()
        if step == 1:
            half_off(model, told, shrinker)
        shrinker.step()
        assert_state_fits(model, optimizers)
    assert shrinker.n_units < 13


def assert_state_fits(model, optimizers):
    parameters = {id(p) for p in model.parameters()}
    held = [p for o in optimizers for group in o.param_groups for p in group["params"]]
    assert {id(p) for p in held} == parameters
    for optimizer in optimizers:
        assert {id(p) for p in optimizer.state} <= parameters
        for p, state in optimizer.state.items():
            shapes = {tuple(torch.as_tensor(value).shape) for value in state.values()}
            assert shapes <= {tuple(p.shape), ()}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_state_of_another_shape_is_left(optimizer):
    lesson = Lesson(NETS["resnet"], optimizer)
    lesson.step()
    lesson.step(lesson.first())
    assert_state_fits(lesson.model, [lesson.optimizer])


def test_an_old_loss_does_not_disturb_the_next():
    net = NETS["mlp"]
    model, told = gated(net), Told()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    shrinker = Shrinker(model, optimizer, example_inputs=net.inputs, alpha=0.01, removal=told)
    old = net.run(model).square().mean()
    old.backward(retain_graph=True)
    half_off(model, told, shrinker)
    shrinker.step()
    optimizer.zero_grad()
    net.run(model).square().mean().backward()
    assert shrinker.n_units < 13
    assert all(p.grad.shape == p.shape for p in model.parameters())
    assert old.requires_grad


def test_gradients_and_frozen_parameters_are_cut_and_stay_frozen():
    net = NETS["frozen_layer"]
    model, told = gated(net), Told()
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    shrinker = Shrinker(model, optimizer, example_inputs=net.inputs, alpha=0.01, removal=told)
    net.run(model).square().mean().backward()
    full = {name: p.grad for name, p in model.named_parameters()}
    half_off(model, told, shrinker)
    shrinker.step()
    assert frozen
    for name, p in model.named_parameters():
        assert p.requires_grad == (name not in frozen)
        assert (p.grad is None) == (full[name] is None)
        assert p.grad is None or p.grad.shape == p.shape
        if p.grad is not None and p.dim() == 2:
            kept = full[name]
            rows = torch.arange(len(kept)) % 2 == 0 if len(p) < len(kept) else slice(None)
            columns = slice(None, None, 2) if p.shape[1] < kept.shape[1] else slice(None)
            assert torch.equal(p.grad, kept[rows][:, columns])


def test_a_model_is_cut_where_several_names_hold_a_parameter():
    net = NETS["layer_twice"]
    model = add_switches(net.model(), net.inputs)
    optimizer = torch.optim.Adam(model.parameters())
    told = Told()
    shrinker = Shrinker(model, optimizer, example_inputs=net.inputs, alpha=0.0, removal=told)
    half_off(model, told, shrinker)
    shrinker.step()
    names = dict(model.named_parameters(remove_duplicate=False))
    assert {id(p) for p in names.values()} == {id(p) for p in model.parameters()}
    assert torch.isfinite(net.run(model)).all()


def test_an_average_from_before_the_shrinker_is_cut_at_the_input_too():
    model, x = small_nets.gated("MLP with input switches"), small_nets.rows("MLP")
    average, optimizer = AveragedModel(model), OPTIMIZERS["adam"](model.parameters())
    shrinker = Shrinker(model, optimizer, example_inputs=x, alpha=0.1, averaged=[average.module],
                        removal=small_nets.DropFirst())  # fmt: skip
    for _ in range(3):
        small_nets.step(model, optimizer, shrinker, x)
        average.update_parameters(model)
    columns = [each[0].input_gate.kept.tolist() for each in (model, average.module)]
    assert columns == [[2, 3, 4, 5]] * 2
    assert average(x).shape == (8, 2)
