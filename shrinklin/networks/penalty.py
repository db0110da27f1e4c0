r"""The penalty of the ShrinkNets paper on the gates and the weights of a network.

.. math:: \lambda \sum_l \|\theta_l\|_1 + \lambda_2 \sum_l \|W_l\|_p^p

Units behind a `Mask` have no θ, and are penalised by the group lasso instead,
:math:`\lambda \sum_i \sqrt{\#\theta_i} \|\theta_i\|_2`.
"""

import torch

from shrinklin.networks.gates import Mask


def gate_penalty(gates):
    """‖θ‖₁ of switches, the sum of max(0, θ) of filters, over units that are on."""
    # Of all gates together, as many small sums take longer.
    values, alive = torch.cat([g.value() for g in gates]), torch.cat([g.alive for g in gates])
    return (values * alive).abs().sum()


def power_sum(weights, p):
    """Σ |w|^p over tensors; the derivative at 0 is 0."""
    if p == 2:
        return sum(weight.square().sum() for weight in weights)
    if p == 1:
        return sum(weight.abs().sum() for weight in weights)
    return sum(_PowerSum.apply(weight, p) for weight in weights)


class _PowerSum(torch.autograd.Function):
    """Its derivative is finite at 0, where that of torch is infinite for p < 1."""

    @staticmethod
    def forward(context, weight, p):
        context.save_for_backward(weight)
        context.p = p
        return weight.abs().pow(p).sum()

    @staticmethod
    def backward(context, gradient):
        (weight,) = context.saved_tensors
        size = weight.abs()
        slope = context.p * torch.where(size > 0, size, 1.0).pow(context.p - 1) * weight.sign()
        return gradient * slope, None


def penalty(gates, weights, members, parameters, *, alpha, weight_decay, p, groups):
    """The penalty, a tensor without dimensions.

    Parameters
    ----------
    gates : dict of str to Gate
    weights : list of Tensor
    members : dict of str to Members
        Of the gates that are masks.
    parameters : dict of str to Tensor
    """
    total = torch.zeros((), device=next(iter(gates.values())).alive.device)
    if alpha:
        switches = [gate for gate in gates.values() if not isinstance(gate, Mask)]
        if switches:
            total = total + alpha * gate_penalty(switches)
        for name in members:
            value = members[name].group_lasso(parameters, gates[name].alive, groups)
            total = total + alpha * value
    if weight_decay:
        total = total + weight_decay * power_sum(weights, p)
    return total
