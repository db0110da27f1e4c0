r"""A.4: how many global minima a network with switches has.

Printed, as Proposition A.4: for layers
:math:`f_{A_i, \beta_i, b_i}(x) = a(A_i\,\mathrm{diag}(\beta_i) x + b_i)`, their composition N
and λ, λ₂, p > 0,

.. math:: \min \|y - N(x)\|_2^2 + \lambda \|\beta\|_1 + \lambda_2 \|\theta\|_p^p

has at least :math:`2^k` global minima, :math:`k = \sum_i \#\beta_i`. The proof first shows
that a minimum exists, and then changes the signs of β_j and of column j of A together. θ can
be read in two ways: as the weights A_i, as in equation (9) of the drafts, or as all
parameters, including biases, as in the proof.

What is true:

- if a minimum exists, there are at least :math:`2^{\|\beta^*\|_0}`. At a minimum β_j = 0 if
  and only if column j of A is 0, and then the change of sign leads to the same point. So with
  a strong penalty a linear layer without bias has exactly one minimum, zero;
- a minimum exists if a is continuous and every parameter is penalised, including biases: if the
  largest parameter has absolute value r, the penalty alone is at least
  :math:`\min(\lambda r, \lambda_2 r^p)`. If biases are free (θ are the weights alone), a bounded
  activation may approach the infimum without attaining it (tanh, y = 1).

For one feature and one target, with s = Σx² and c = Σxy, the bridge form of the objective is
:math:`s w^2 - 2 c w + \kappa |w|^{p/(p+1)}` up to a constant. Zero is the only minimiser if and
only if this is positive for all w ≠ 0. Divided by :math:`|w|^{p/(p+1)}` it is smallest at a
known w, and its value there is positive if and only if

.. math:: 27 s \lambda \lambda_2 > 8 |c|^3 \;(p = 1),
          \qquad 4 s \lambda^2 \lambda_2 > c^4 \;(p = 2).

If every feature is nonzero on samples of its own, each is a separate problem, and the numbers
of minima multiply.

- `printed_count`, `printed_existence`: the statement as printed;
- `one_layer`: the number of minima, corrected, for one linear layer;
- `deep`: the changes of sign in a network of several layers;
- `coercive`: the existence of a minimum, corrected;
- `statement`, `numbers`, `network`: what these share; `surface`: for the picture.
"""

from proofs_check.a4_many_minima import coercive, deep, one_layer, printed_count, printed_existence

CLAIMS = (
    printed_count.CLAIM,
    printed_existence.CLAIM,
    one_layer.CLAIM,
    deep.CLAIM,
    coercive.CLAIM,
)
