"""The same code on a GPU, where there is one."""

import numpy as np
import pytest
import torch

from shrinking import gated
from shrinklin.networks import Shrinker, fold, load_shrunk
from told import Told
from training import OPTIMIZERS
from zoo import NETS

pytestmark = [
    pytest.mark.untraced,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
]


def on_gpu(inputs):
    return tuple(x.cuda() for x in inputs)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ["mlp", "vgg", "resnet"])
def test_a_network_on_a_gpu_shrinks_as_on_the_processor(name, optimizer):
    """But for rounding: sums are in another order."""
    net, trained = NETS[name], []
    for device in ("cpu", "cuda"):
        model, told = gated(net).to(device), Told()
        inputs = net.inputs if device == "cpu" else on_gpu(net.inputs)
        trainer = OPTIMIZERS[optimizer](model.parameters())
        shrinker = Shrinker(model, trainer, example_inputs=inputs, alpha=0.01, removal=told)
        for step in range(6):
            trainer.zero_grad()
            (model(*inputs).square().mean() + shrinker.penalty()).backward()
            trainer.step()
            if step in (1, 3):
                sizes = shrinker.sizes.values()
                told.dead_now = np.concatenate([np.arange(n) % 3 == 1 for n in sizes])
            shrinker.step()
        small = fold(model, inputs)
        assert {p.device.type for p in (*model.parameters(), *small.parameters())} == {device}
        trained.append((shrinker.sizes, small(*inputs).detach().cpu()))
    assert trained[0][0] == trained[1][0]
    torch.testing.assert_close(trained[0][1], trained[1][1], rtol=1e-6, atol=1e-8)


def test_a_model_trained_on_a_gpu_loads_on_the_processor():
    net = NETS["vgg"]
    model = gated(net).cuda()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    told = Told()
    inputs = on_gpu(net.inputs)
    shrinker = Shrinker(model, optimizer, example_inputs=inputs, alpha=0.0, removal=told)
    told.dead_now = np.arange(shrinker.n_units) % 2 == 1
    shrinker.step()
    state = {name: tensor.cpu() for name, tensor in model.state_dict().items()}
    loaded = load_shrunk(gated(net), state).eval()
    torch.testing.assert_close(loaded(*net.inputs), model.eval()(*inputs).cpu())


def test_random_numbers_of_the_gpu_stay_as_they_were():
    net = NETS["mlp_dropout"]
    model = gated(net).cuda()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = torch.cuda.get_rng_state()
    Shrinker(model, optimizer, example_inputs=on_gpu(net.inputs), alpha=0.0)
    assert torch.equal(torch.cuda.get_rng_state(), before)
