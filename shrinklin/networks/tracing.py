"""A run of a model on example inputs, which tells what its units are.

Every function of torch that the model calls is looked up in `RULES`. A rule says how the units of
its output follow from those of its input. Units that go through a function without a rule stay.
"""

from contextlib import contextmanager
from functools import cache

import torch
from torch.overrides import TorchFunctionMode, resolve_name

from shrinklin.networks.flow import Call, Made, Read, without_units
from shrinklin.networks.gates import Gate
from shrinklin.networks.inputs import tensors_in

# What only asks for the form of a tensor.
QUESTIONS = {
    "size", "dim", "shape", "dtype", "device", "ndim", "ndimension", "numel", "nelement", "stride",
    "is_nested", "is_floating_point", "is_complex", "is_contiguous", "requires_grad", "is_sparse",
    "is_cuda", "is_leaf", "layout", "element_size", "itemsize", "nbytes", "__len__", "grad_fn",
    "get_device", "is_quantized", "is_mps", "is_meta", "names", "is_signed", "is_inference",
    "__format__", "__repr__", "is_tensor", "storage_offset",
}  # fmt: skip
# What takes a number out of a tensor.
ANSWERS = {
    "__bool__", "__int__", "__float__", "__index__", "__complex__", "__contains__", "item",
    "tolist", "equal", "allclose", "is_nonzero",
}  # fmt: skip
# The first argument of functions, where it is given by name.
FIRST = ("condition", "input", "tensors", "tensor", "self")
# How messages call functions whose names are not for people.
SPOKEN = {"__getitem__": "indexing", "__setitem__": "assignment to an index"}
RULES: dict = {}


def rule(*names):
    """Make a function the rule of these functions of torch, by their last name."""

    def add(function):
        RULES.update(dict.fromkeys(names, function))
        return function

    return add


def named(names, args, kwargs):
    """The arguments of a call by name."""
    return dict(zip(names, args, strict=False)) | kwargs


def _first_in_place(args, kwargs):
    """The same arguments, the first of them by its place, where rules look for it."""
    name = next((name for name in FIRST if name in kwargs), None)
    if args or name is None:
        return args, kwargs
    return (kwargs[name],), {other: kwargs[other] for other in kwargs if other != name}


class Run(TorchFunctionMode):
    """Follows the units through one run of a model.

    Parameters
    ----------
    labels : Labels
    leaves : dict of int to Leaf
        Parameters and buffers of the model, by the `id` of their tensor.

    Attributes
    ----------
    calls : list of Call
    reads : list of Read
    made : list of Made
    choices : list of (Flow, list of Flow, str)
        Tensors of which parts were taken, these parts, and what to say if units are missing.
    gates : list of (str, Flow, Flow)
        Name of each gate that was called, its input and its output.
    results : dict of str to Flow
        What each module returned last, if it is a tensor.
    of_outputs : set of int
        The `id` of the flows of the model's outputs.
    where : str
        Name of the module whose forward is running.
    """

    def __init__(self, labels, leaves):
        super().__init__()
        self.labels, self.leaves = labels, leaves
        self.calls: list[Call] = []
        self.reads: list[Read] = []
        self.made: list[Made] = []
        self.choices: list = []
        self.gates: list = []
        self.results: dict = {}
        self.of_outputs: set = set()
        self._modules = [""]
        # With the tensors, as the `id` of one that is gone would be given to another.
        self._flows: dict = {}

    @property
    def where(self):
        return self._modules[-1]

    def flow(self, tensor):
        """What is known of a tensor."""
        if id(tensor) in self._flows:
            return self._flows[id(tensor)][1]
        leaf = self.leaf(tensor)
        return without_units(tensor, derived=False) if leaf is None else leaf.flow(self.labels)

    def leaf(self, tensor):
        """The `Leaf` of a parameter or buffer of the model, None of any other tensor."""
        return self.leaves.get(id(tensor))

    def forget_tensors(self):
        """Let go of the tensors of the run; what is known of them stays in `calls`."""
        self._flows = {}

    def known(self, tensor):
        """Whether it comes from the model or its input."""
        return id(tensor) in self._flows or id(tensor) in self.leaves

    def note(self, tensor, flow):
        """Say what is known of a tensor from now on."""
        self._flows[id(tensor)] = tensor, flow

    def stay(self, flow, reason):
        """The units of a tensor must stay."""
        self.labels.stay(flow.labels, reason)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = last_name(function)
        known = [t for t in tensors_in((args, kwargs)) if self.known(t)]
        if not known or name in QUESTIONS:
            return function(*args, **kwargs)
        before = [self.flow(t) for t in known if id(t) in self._flows]
        if name in ANSWERS:
            self._refuse(name, before)
            return function(*args, **kwargs)
        result = function(*args, **kwargs)
        self._follow(name, function, args, kwargs, result, known, before)
        return result

    def _refuse(self, name, flows):
        if any(flow.derived for flow in flows):
            raise ValueError(
                f"{self.named()} calls Tensor.{name}() on a tensor that depends on the input: if "
                "which layers run depends on the data, the units cannot be followed. Make the "
                "path the same for all data (torch.where instead of if)."
            )

    def _follow(self, name, function, args, kwargs, result, known, before):
        """Find out what is known of the result."""
        plain = name.removesuffix("_") if not name.endswith("__") else name
        label = f"{SPOKEN.get(plain, plain)}, in {self.named()},"
        call = Call(plain, self.where, label, before)
        apply = RULES.get(plain)
        args, kwargs = _first_in_place(args, kwargs)
        flows = apply(self, call, function, args, kwargs, result) if apply and args else None
        outputs = list(tensors_in(result))
        if flows is None:
            flows = self._unknown(call, known, outputs)
        derived = any(flow.derived for flow in before)
        for tensor, flow in zip(outputs, flows, strict=True):
            flow.derived = derived
            self._change(tensor, known)
            self.note(tensor, flow)
        call.outputs = flows
        self.calls.append(call)

    def _unknown(self, call, known, outputs):
        reason = call.reason or f"{call.label} may mix its units"
        call.weight = call.bias = None
        for flow in call.inputs:
            self.stay(flow, reason)
        for leaf in filter(None, map(self.leaf, known)):
            leaf.whole = leaf.whole or reason
        return [without_units(t) for t in outputs]

    def _change(self, tensor, known):
        """Forget constants of what shares memory with a tensor that was changed in place."""
        if not any(tensor is t for t in known):
            return
        memory = tensor.untyped_storage().data_ptr()
        for other, flow in list(self._flows.values()):
            if other is not tensor and other.untyped_storage().data_ptr() == memory:
                flow.constants = torch.full_like(flow.constants, float("nan"))

    def named(self):
        """The running module, for a message."""
        return f'"{self.where}"' if self.where else "the model"

    @contextmanager
    def watching(self, model):
        """Keep track of the module that is running."""
        handles = []
        for name, module in model.named_modules():
            handles.append(module.register_forward_pre_hook(self._entering(name)))
            handles.append(module.register_forward_hook(self._leaving(name)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _entering(self, name):
        def enter(module, args):
            self._modules.append(name)
            if isinstance(module, Gate) and args:
                self.gates.append([name, self.flow(args[0]), None])

        return enter

    def _leaving(self, name):
        def leave(module, args, output):
            self._modules.pop()
            if isinstance(output, torch.Tensor):
                self.results[name] = self.flow(output)
            if isinstance(module, Gate) and args:
                self.gates[-1][2] = self.flow(output)

        return leave


@cache
def last_name(function):
    """The name of a function of torch, without its module: operators have that of the method."""
    name = (resolve_name(function) or getattr(function, "__name__", repr(function))).removesuffix(
        ".__get__"
    )
    name = name.rpartition(".")[2]
    return OPERATORS.get(name, name)


# Operators and other names of functions, by what they do.
OPERATORS = {
    f"__{prefix}{name}__": f"{plain}_" if prefix == "i" else plain
    for name, plain in {
        "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "div": "div", "pow": "pow",
        "matmul": "matmul", "and": "logical_and", "or": "logical_or",
    }.items()
    for prefix in ("", "i")
}  # fmt: skip
OPERATORS |= {"__radd__": "add", "__rsub__": "sub", "__rmul__": "mul", "__rtruediv__": "div"}
OPERATORS |= {"__rdiv__": "div", "__rpow__": "pow", "__neg__": "neg", "__abs__": "abs"}
OPERATORS |= {"rsub": "sub", "true_divide": "div", "multiply": "mul", "subtract": "sub"}
OPERATORS |= {"divide": "div", "negative": "neg", "absolute": "abs"}
