"""Optimisers, and a twin of a training network that is only masked and never cut."""

import copy

import torch
from torch.optim import LBFGS, SGD, Adafactor, Adagrad, Adam, AdamW, Optimizer, RMSprop

from net import TRANSPOSED


def apart(params, decay):
    """Weight decay for weights alone: it would shrink a constant that has become part of a bias."""
    params = list(params)
    weights = {"params": [p for p in params if p.ndim > 1], "weight_decay": decay}
    return [weights, {"params": [p for p in params if p.ndim <= 1], "weight_decay": 0.0}]


# What each does to an entry depends on that entry alone. With a small eps they make large steps
# of rounding errors, where the gradient is 0 but for these: at a bias before a batch normalisation.
EPS = 1e-4
OPTIMIZERS = {
    "sgd": lambda params: SGD(params, lr=0.01),
    "sgd_momentum": lambda params: SGD(params, lr=0.01, momentum=0.9, dampening=0.1),
    "sgd_nesterov": lambda params: SGD(params, lr=0.01, momentum=0.9, nesterov=True),
    "sgd_weight_decay": lambda params: SGD(apart(params, 0.1), lr=0.01, momentum=0.9),
    "adam": lambda params: Adam(params, lr=0.01, eps=EPS),
    "adam_foreach": lambda params: Adam(params, lr=0.01, eps=EPS, foreach=True),
    "adam_fused": lambda params: Adam(params, lr=0.01, eps=EPS, fused=True),
    "adamw_amsgrad": lambda params: AdamW(apart(params, 0.1), lr=0.01, eps=EPS, amsgrad=True),
    "adagrad": lambda params: Adagrad(params, lr=0.02, initial_accumulator_value=0.1),
    "rmsprop": lambda params: RMSprop(params, lr=0.002, eps=EPS, momentum=0.9),
    "rmsprop_centered": lambda params: RMSprop(params, lr=0.002, eps=EPS, centered=True),
}


class RowNorms(Optimizer):
    """Keeps a number for each row, which is no entry of the parameter."""

    def __init__(self, params, lr=0.01):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    rows = p.grad.flatten(min(p.ndim - 1, 1))
                    self.state[p]["norms"] = rows.norm(dim=-1)
                    p.sub_(p.grad / (1 + p.grad.norm()), alpha=group["lr"])


class Past(Optimizer):
    """Keeps tensors of a parameter's shape in a list, where no cut finds them."""

    def __init__(self, params, lr=0.01):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    past = self.state[p].setdefault("past", [])
                    past.append(p.grad.clone())
                    p.sub_(sum(past), alpha=group["lr"])


# Their state does not go entry by entry.
REFUSED = {
    "lbfgs": lambda params: LBFGS(params, lr=0.01),
    "adafactor": lambda params: Adafactor(params, lr=0.01),
    "row_norms": RowNorms,
    "past_in_a_list": Past,
}

# A key in the state of every parameter: which entry of the full one each entry was, from 1 on.
# A cut of the state cuts this too, and so tells the twin what was cut.
ENTRY = "entry"


class MaskedTwin:
    """A copy of a model that trains alike, while units that are off are masked and never cut.

    Make it before the first step. Then, step by step: `step` the twin, step the model and let
    it be cut, and let the twin `follow`.

    Entries of the twin that the model has lost stay at their values: in the model, the constant
    that such a unit leaves has become part of a bias.

    Parameters
    ----------
    original : module with gates, each with a buffer `alive`
    optimizer : its optimiser, in whose state the entries are numbered after the first step
    make : function of parameters
        Makes the twin's optimiser: the one that made `optimizer`.
    """

    def __init__(self, original, optimizer, make):
        self.original, self.optimizer_of_original = original, optimizer
        self.model = copy.deepcopy(original)
        self.optimizer = make(self.model.parameters())
        self._frozen = {}
        self._hook = optimizer.register_step_post_hook(self._number_entries)

    def _number_entries(self, optimizer, args, kwargs):
        """Not before the first step: to optimisers an empty state says that it is the first."""
        self._hook.remove()
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None or not p.requires_grad:
                    numbers = torch.arange(1, p.numel() + 1).reshape(p.shape)
                    optimizer.state[p][ENTRY] = numbers

    def step(self, loss):
        """Descend a loss of `model`, which leaves what is frozen as it is."""
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            for p, (gone, values) in self._frozen.items():
                p[gone] = values

    def follow(self):
        """Switch off what is off in the original, and freeze what it has lost."""
        for name, gate in gates_of(self.model).items():
            self._switch_off(gate, self.units_on(name))
        for name, p in self.model.named_parameters():
            gone = torch.ones(p.numel(), dtype=torch.bool)
            gone[self.entries(name).flatten()] = False
            gone = gone.reshape(p.shape)
            self._frozen[p] = gone, p.detach()[gone]

    def _switch_off(self, gate, on):
        off = torch.ones_like(gate.alive)
        off[on] = False
        gate.alive[off] = False
        for theta in gate.parameters():
            for tensor in [theta.detach(), *self.optimizer.state[theta].values()]:
                if torch.is_tensor(tensor) and tensor.shape == theta.shape:
                    tensor[off] = 0

    def entries(self, name):
        """Which entries of the twin's parameter are those of the original, in the latter's shape.

        Counted along the flattened parameter; −1 where the original's state was cleared.
        """
        p, full = self.original.get_parameter(name), self.model.get_parameter(name)
        if p.shape == full.shape:
            return torch.arange(p.numel()).reshape(p.shape)
        return self.optimizer_of_original.state[p][ENTRY].long() - 1

    def units_on(self, name):
        """The units of a gate that are on, counted as at first."""
        alive = self.original.get_submodule(name).alive
        if hasattr(self.model.get_submodule(name), "theta"):
            return self.entries(f"{name}.theta")[alive]
        owner = self.model.get_submodule(name.rpartition(".")[0])
        dim = 1 if isinstance(owner, TRANSPOSED) else 0
        entries = self.entries(f"{name.rpartition('.')[0]}.weight")
        first = entries.transpose(0, dim).reshape(len(alive), -1)[:, 0]
        return torch.unravel_index(first, owner.weight.shape)[dim][alive]

    def output_difference(self, net):
        """The largest difference of outputs, in training mode too unless it is random."""
        found = 0.0
        for training in [False] if net.random else [False, True]:
            models = [copy.deepcopy(m).train(training) for m in (self.model, self.original)]
            with torch.no_grad():
                ours, theirs = map(net.run, models)
            found = max(found, float((ours - theirs).abs().max()))
        return found

    def entry_differences(self):
        """The largest difference of the entries that are left: {parameter: number}.

        And of the state of optimisers: {"parameter, key": number}.
        """
        found = {}
        for name, p in self.original.named_parameters():
            entries, full = self.entries(name), self.model.get_parameter(name)
            found[name] = largest_difference(p, full, entries)
            states = self.optimizer_of_original.state[p], self.optimizer.state[full]
            for key in states[0].keys() - {ENTRY}:
                found[f"{name}, {key}"] = largest_difference(*[s[key] for s in states], entries)
        return found


def largest_difference(left, full, entries):
    """Between what is left and the entries of the full tensor; numbers are compared as they are."""
    left, full = torch.as_tensor(left).detach(), torch.as_tensor(full).detach()
    if left.shape == entries.shape:
        left, full = left[entries >= 0], full.flatten()[entries[entries >= 0]]
    difference = (left - full).abs()
    return float(difference.max()) if difference.numel() else 0.0


def gates_of(model):
    return {name: module for name, module in model.named_modules() if is_gate(module)}


def is_gate(module):
    return isinstance(getattr(module, "alive", None), torch.Tensor)


def penalty_of(model, alpha, weight_decay=0.0, p=2):
    """α Σ |gate| + weight_decay Σ |W|^p, by the formula."""
    gates = gates_of(model).values()
    thetas = {id(p) for gate in gates for p in gate.parameters()}
    # What a gate makes of ones is its factor.
    factors = [gate(torch.ones(1, len(gate.alive)).double()) for gate in gates]
    weights = [w for w in model.parameters() if w.ndim > 1 and id(w) not in thetas]
    total = alpha * sum(factor.abs().sum() for factor in factors)
    return total + weight_decay * sum((w.abs() ** p).sum() for w in weights)
