"""How much the loss depends on each unit, seen at the gates while a network trains."""

import torch


class Sensor:
    r"""Sees the gradient of the loss at a gate.

    If the gate multiplied unit i by 1 − ε, the loss of a row would change by −ε s_i to first order:
    s_i is the unit times the derivative of the loss by it, summed over the positions of an image or
    a sequence. The sensor adds up s_i² over rows and gradients.

    Attributes
    ----------
    squares : Tensor of shape (n_units,), or None
        Since they were last taken. None if there was no gradient.
    """

    def __init__(self):
        self.squares = None

    def see(self, x, factor, product, dim):
        """A gate returns `product`, which is x times `factor` along a dimension."""
        compiling = torch.compiler.is_compiling() or torch.jit.is_tracing()
        if compiling or not torch.is_grad_enabled():
            return
        if not product.requires_grad:
            # Of a gate in front of the model.
            product.requires_grad_()
        # Not the product: what comes next may write into it.
        x, factor = x.detach(), factor.detach()
        product.register_hook(lambda gradient: self._add(x, gradient, factor, dim))

    def _add(self, x, gradient, factor, dim):
        # Squares of half precision would be 0 or infinite.
        dtype = torch.promote_types(x.dtype, torch.float32)
        products = x.to(dtype) * gradient.to(dtype)
        if products.dim() > 2:
            products = products.movedim(dim, 1).flatten(2).sum(dim=2)
        squares = products.square().sum(dim=0) * factor.square()
        self.squares = squares if self.squares is None else self.squares + squares

    def take(self):
        """The sums since they were last taken."""
        squares, self.squares = self.squares, None
        return squares
