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
    """Σ |w|^p over tensors; the derivative at 0 is 0, where that of torch is infinite for p < 1."""
    # |w|^p is w times its derivative / p, which here is taken for a constant.
    total = torch.stack([(_slope(weight.detach(), p) * weight).sum() for weight in weights]).sum()
    return p * total - (p - 1) * total.detach()


def _slope(weight, p):
    """The derivative of |w|^p / p."""
    if p == 2:
        return weight
    if p == 1:
        return weight.sign()
    size = weight.abs()
    return torch.where(size > 0, size, 1.0).pow(p - 1) * weight.sign()


def penalty(gates, weights, members, parameters, *, alpha, weight_decay, p, groups):
    """The penalty, a tensor without dimensions.

    Parameters
    ----------
    gates : dict of str to Gate
    weights : list of Tensor
    members : Members or None
        Of all gates, if there are masks among them.
    parameters : dict of str to Tensor
    """
    terms = []
    if alpha:
        switches = [gate for gate in gates.values() if not isinstance(gate, Mask)]
        if switches:
            terms.append(alpha * gate_penalty(switches))
        if members is not None:
            alive = torch.cat([gate.alive for gate in gates.values()])
            is_mask = [torch.full_like(g.alive, isinstance(g, Mask)) for g in gates.values()]
            value = members.group_lasso(parameters, alive, torch.cat(is_mask), groups)
            terms.append(alpha * value)
    if weight_decay and weights:
        terms.append(weight_decay * power_sum(weights, p))
    if not terms:
        return torch.zeros((), device=next(iter(gates.values())).alive.device)
    return sum(terms[1:], terms[0])
