"""How many multiply-adds a step of training takes, and how many rows it saw."""

import torch
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from shrinklin.networks.inputs import n_rows, replaced, returned_tensors
from shrinklin.networks.structure import aside


class RowCounter:
    """A forward hook that counts rows in training. It stays with the model, for copies of it too.

    Parameters
    ----------
    inputs : Inputs
        Example inputs of the model, for `fold`.

    Attributes
    ----------
    rows : int
        Since they were last taken.
    """

    def __init__(self, inputs):
        self.inputs, self.rows, self.handle = inputs, 0, None

    def watch(self, model):
        """Count the rows of this model."""
        self.handle = model.register_forward_hook(self, with_kwargs=True)

    def __call__(self, module, args, kwargs, output):
        if torch.compiler.is_compiling() or torch.jit.is_tracing():
            return
        if module.training and torch.is_grad_enabled():
            self.rows += n_rows((args, kwargs))

    def take(self):
        """The rows since they were last taken."""
        rows, self.rows = self.rows, 0
        return rows


def stop_counting(gates):
    """Take away what a `Shrinker` left with these gates."""
    for gate in gates:
        gate.sensor = None
        if gate.counter is not None:
            gate.counter.handle.remove()
            gate.counter = None


def multiply_adds(model, inputs):
    """Multiply-adds of a forward and backward pass, for one row of the inputs.

    torch counts them in such a pass, which leaves no traces. Without data, on the device "meta",
    it would take longer where inputs have few rows.
    """

    def twin(tensor):
        # Parameters share the memory of the model's, as their gradients do not.
        values = tensor if isinstance(tensor, torch.nn.Parameter) else tensor.clone()
        return values.detach().requires_grad_(tensor.requires_grad)

    tensors = dict(model.named_parameters()) | dict(model.named_buffers())
    state = {name: twin(tensor) for name, tensor in tensors.items()}
    given = {id(tensor): twin(tensor) for tensor in inputs.tensors()}
    args, kwargs = replaced(inputs.args, given), replaced(inputs.kwargs, given)
    with (
        aside(model),
        torch.enable_grad(),
        FlopCounterMode(display=False) as counter,
    ):
        results = functional_call(model, state, args, kwargs)
        outputs = [t.sum() for t in returned_tensors(results) if t.requires_grad]
        if outputs:
            sum(outputs).backward()
    return counter.get_total_flops() // 2 / n_rows((inputs.args, inputs.kwargs))
