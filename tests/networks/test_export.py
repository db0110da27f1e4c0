"""Shrunk and folded networks go where any PyTorch module goes."""

import io
import os
import pickle
import shutil
import warnings
from copy import deepcopy

import onnxruntime
import pytest
import torch

from shrinklin.networks import Columns, Shrinker, add_switches, fold
from shrinklin.networks.gates import gates_of
from small_nets import NETS, DropFirst, gated, plain, rows, step, trained

every_net = pytest.mark.parametrize("name", NETS)
every_kind = pytest.mark.parametrize("kind", ["shrunk", "folded"])


def small_net(name, kind):
    """A network in evaluation that has lost units, inputs, and its outputs."""
    (model, _, shrinker), x = trained(name), rows(name)
    # Two steps have removed a unit of each layer.
    assert all(len(gate) == gate.alive.sum() for gate in gates_of(model).values())
    assert shrinker.history["n_alive"][0] - shrinker.n_units == 2 * len(shrinker.sizes)
    model = model.eval() if kind == "shrunk" else fold(model.eval(), x)
    assert not gates_of(model) or kind == "shrunk"
    return model, x, model(x).detach()


def pickled(model):
    return pickle.loads(pickle.dumps(model))


def saved(model):
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=False)


@every_net
@every_kind
@pytest.mark.parametrize("copied", [pickled, deepcopy, saved])
def test_copies_compute_the_same_and_share_nothing(name, kind, copied):
    model, x, y = small_net(name, kind)
    twin = copied(model)
    assert torch.equal(twin(x), y)
    with torch.no_grad():
        for tensor in (*twin.parameters(), *twin.buffers()):
            tensor.zero_()
    assert torch.equal(model(x), y)


def test_copies_of_a_network_count_rows_of_their_own():
    model, optimizer, shrinker = trained("MLP", removal=DropFirst(0))
    before = shrinker.cost.multiply_adds
    twin = deepcopy(model)
    for _ in range(5):
        twin(rows("MLP"))
    step(model, optimizer, shrinker, rows("MLP"))
    assert shrinker.cost.multiply_adds - before == before // 3


@every_net
def test_a_folded_network_needs_shrinklin_only_for_columns(name):
    folded = pickle.dumps(small_net(name, "folded")[0])
    assert (b"shrinklin" in folded) == ("input" in name)
    assert b"shrinklin" in pickle.dumps(small_net(name, "shrunk")[0])


@pytest.mark.parametrize("copied", [lambda model: model, pickled, deepcopy])
def test_a_second_shrinker_leaves_nothing_of_the_first(copied):
    model = copied(trained("MLP")[0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    second = Shrinker(model, optimizer, example_inputs=rows("MLP", 2), alpha=0.1)
    step(model, optimizer, second, rows("MLP"))
    assert len(model._forward_hooks) == 1
    assert b"shrinklin" not in pickle.dumps(fold(model, rows("MLP", 2)))
    assert not fold(model, rows("MLP", 2))._forward_hooks


def test_columns_are_all_that_stays_of_input_switches():
    model = small_net("MLP with input switches", "folded")[0]
    assert [type(m) for m in model.modules() if "shrinklin" in type(m).__module__] == [Columns]


@every_net
@every_kind
def test_torch_export(name, kind):
    model, x, y = small_net(name, kind)
    batch = torch.export.Dim("batch", min=2)
    program = torch.export.export(model, (x,), dynamic_shapes=({0: batch},))
    torch.testing.assert_close(program.module()(x), y, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(program.module()(x[:3]), model(x[:3]), rtol=1e-12, atol=1e-12)


@every_net
@every_kind
def test_torch_jit_trace(name, kind):
    model, x, y = small_net(name, kind)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.trace", DeprecationWarning)
        traced = torch.jit.trace(model, (x,))
    torch.testing.assert_close(traced(x), y, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(traced(x[:3]), model(x[:3]), rtol=1e-12, atol=1e-12)


@pytest.mark.untraced
@pytest.mark.parametrize("name", ["convolutional", "MLP with input switches"])
@every_kind
def test_onnx(name, kind):
    model, x, y = small_net(name, kind)
    with warnings.catch_warnings():
        # Of torch's own calls.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(model.float(), (x.float(),), dynamo=True, verbose=False)
    file = io.BytesIO()
    program.save(file)
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    (found,) = session.run(None, {given.name: x.float().numpy()})
    torch.testing.assert_close(torch.tensor(found), y.float(), rtol=1e-5, atol=1e-6)


class Compilations:
    """A backend of torch.compile that runs the graph as it is, and counts."""

    def __init__(self):
        self.n = 0

    def __call__(self, graph, inputs):
        self.n += 1
        return graph.forward


@pytest.fixture
def compilations():
    torch.compiler.reset()
    yield Compilations()
    torch.compiler.reset()


def whole(model, backend):
    return torch.compile(model, backend=backend, fullgraph=True)


def in_place(model, backend):
    model.compile(backend=backend, fullgraph=True)
    return model


def compiled_training(name, backend, compiled=whole, early=True, n_steps=8):
    """The model after steps of a compiled model, and how many compilations there were by then.

    It is compiled `early`, before there is a Shrinker, or after.
    """
    torch.manual_seed(0)
    model = gated(name)
    runs = compiled(model, backend) if early else None
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    shrinker = Shrinker(model, optimizer, example_inputs=rows(name, 2), alpha=0.01,
                        weight_decay=1e-3, removal=DropFirst())  # fmt: skip
    runs = runs if early else compiled(model, backend)
    counts = []
    for _ in range(n_steps):
        step(runs, optimizer, shrinker, rows(name))
        counts.append(backend.n)
    return model, counts


def assert_trained_like(model, twin):
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@every_net
def test_a_compiled_network_is_compiled_anew_after_each_cut_only(name, compilations):
    model, counts = compiled_training(name, compilations)
    assert counts == [1, 2, 3, 3, 3, 3, 3, 3]
    assert_trained_like(model, trained(name, n_steps=8)[0])


@pytest.mark.parametrize("early", [True, False], ids=["before Shrinker", "after"])
@pytest.mark.parametrize("compiled", [whole, in_place])
def test_it_may_be_compiled_before_or_after_and_in_place(compiled, early, compilations):
    model, counts = compiled_training("convolutional", compilations, compiled, early)
    assert counts == [1, 2, 3, 3, 3, 3, 3, 3]
    assert_trained_like(model, trained("convolutional", n_steps=8)[0])


def test_units_that_are_off_but_not_cut_cost_no_compilation(compilations):
    model, optimizer, shrinker = trained("MLP", n_steps=0, when="epoch")
    compiled, counts = whole(model, compilations), []
    for _ in range(2):
        for _ in range(3):
            step(compiled, optimizer, shrinker, rows("MLP"))
            counts.append(compilations.n)
        shrinker.end_epoch()
    assert counts == [1] * 3 + [2] * 3


def test_more_cuts_than_torch_compiles_need_a_reset(compilations, monkeypatch):
    with torch._dynamo.config.patch(recompile_limit=2):
        with pytest.raises(torch._dynamo.exc.FailOnRecompileLimitHit):
            compiled_training("MLP", compilations)
        torch.compiler.reset()
        monkeypatch.setattr(DropFirst, "dead", reset_after(DropFirst.dead))
        model = compiled_training("MLP", compilations)[0]
    assert model(rows("MLP")).isfinite().all()


def reset_after(dead):
    def reset(self, watched):
        found = dead(self, watched)
        if found.any():
            torch.compiler.reset()
        return found

    return reset


@pytest.mark.filterwarnings("ignore:.*autograd.function.Function.*:DeprecationWarning")
def test_penalty_and_loss_in_one_compiled_function(compilations):
    model, _, shrinker = trained("MLP", n_steps=0)

    def objective(x):
        return (model(x) - 1).square().mean() + shrinker.penalty()

    compiled, x = torch.compile(objective, backend=compilations), rows("MLP")
    for n_compilations in (1, 2):
        parameters = [*model.parameters()]
        found, expected = (torch.autograd.grad(f(x), parameters) for f in (compiled, objective))
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other)
        assert compilations.n == n_compilations
        shrinker.step()
        assert shrinker.n_units == 16 - 2 * n_compilations


@pytest.mark.parametrize("name", ["MLP with input switches", "residual"])
@pytest.mark.parametrize("first", ["shrunk", "folded"])
def test_code_compiled_for_a_folded_copy_is_not_taken_for_the_original(name, first, compilations):
    # torch.compile takes no notice of hooks when it looks for code.
    model, x, y = small_net(name, "shrunk")
    pair = whole(model, compilations), whole(fold(model, x), compilations)
    for _ in range(2):
        for each in pair if first == "shrunk" else pair[::-1]:
            torch.testing.assert_close(each(x), y)
    assert compilations.n == 2


def test_switches_added_to_a_compiled_model_are_not_missed(compilations):
    torch.manual_seed(0)
    model, x = plain("MLP"), rows("MLP")
    compiled = whole(model, compilations)
    compiled(x)
    add_switches(model, x)
    torch.testing.assert_close(compiled(x), model(x))


def test_folding_leaves_a_forward_that_somebody_put_there():
    model, x = plain("MLP"), rows("MLP")
    forward = model[0].forward
    model[0].forward = lambda x: forward(x) + 1
    folded = fold(add_switches(model, x), x)
    assert vars(folded[0])["forward"] is vars(model[0])["forward"]
    assert [name for name, m in folded.named_modules() if "forward" in vars(m)] == ["0"]


@pytest.mark.untraced
@pytest.mark.skipif(
    shutil.which(os.environ.get("CXX", "g++")) is None, reason="torch.compile needs a C++ compiler"
)
def test_a_shrunk_network_compiled_to_machine_code():
    torch.compiler.reset()
    model, x, y = small_net("MLP", "shrunk")
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = torch.compile(model)(x)
    torch.testing.assert_close(found, y, rtol=1e-10, atol=1e-12)
