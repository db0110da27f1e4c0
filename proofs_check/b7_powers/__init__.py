r"""B.7: which power of ‖in‖·‖out‖ a penalty on the weights of a unit equals.

A unit with incoming weights a, bias b, switch θ and outgoing weights c adds

.. math:: \theta \, c \, \max(0, \langle a, x \rangle + b)

to what the next layer gets. ReLU lets positive factors through: with t, u > 0, (ta, tb), uθ and
c/(tu) make the same function. So a penalty on θ, a and c says nothing until the factors are at
their best, and then it is a function of s = |θ|·‖a‖·‖c‖ alone. If s > 0, no other weights make the
same function, but for signs: it shows the hyperplane ⟨a, x⟩ + b = 0 and the slope beyond. The bias
is not penalised here. One that is, is a weight of the input 1, and counts in ‖a‖.

The rule, for weights w_i > 0 and exponents p_i > 0: with :math:`P = \sum_i 1/p_i`

.. math:: \min_{\prod_i x_i = s} \sum_i w_i x_i^{p_i}
          = P \Big( s \prod_i (p_i w_i)^{1/p_i} \Big)^{1/P}.

Proof: at the minimum p_i w_i x_i^{p_i} is the same number μ for all i, as the cost is convex in
log x. So factor i pays μ/p_i, all of them Pμ, and the product of x_i = (μ/(p_i w_i))^{1/p_i} is s.

The powers are 1/P:

===========================  =============================  =====  =================  ===========
penalty                      cost of the best factors       p = 2  constant for it    shares
===========================  =============================  =====  =================  ===========
λ|θ| + λ₂(‖a‖ᵖ + ‖c‖ᵖ)       (1 + 2/p) λ^{p/(p+2)}          1/2    2 √(2λλ₂)          ½, ¼, ¼
                             (pλ₂)^{2/(p+2)} s^{p/(p+2)}
λ‖a‖ + λ₂‖c‖ᵖ, no switch     κ of B.1, s^{p/(p+1)}          2/3    (3/2)(2λ²λ₂)^⅓     –, ⅔, ⅓
λ₂(‖a‖ᵖ + ‖c‖ᵖ), no switch   2λ₂ s^{p/2}                    1      2λ₂                –, ½, ½
===========================  =============================  =====  =================  ===========

(shares of θ, a and c in the cost, for p = 2). If the row is normalised, so that ‖a‖ = 1, the
first is B.1.

What does not hold:

- with the group lasso on rows *and* decay of all weights, rows too, there is no power: it grows
  from 2/3 for small s to 1 for large s;
- if one factor is free, the cost has no positive lower bound and no minimum. Rows before a
  BatchNorm are free, and so is its γ unless it is penalised. If γ and β are, then (γ, β) takes
  the place of a, and the decay of a has the infimum 0;
- tanh lets no factor through;
- the sign of a switch behind the ReLU belongs to c, that of a switch before it to (a, b);
- in a network of L layers, a weight is an outgoing weight of one unit and an incoming weight of
  another, and is paid for once. At a minimum every unit is still balanced,
  λ|θ_j| = pλ₂‖a_j‖ᵖ = pλ₂‖c_j‖ᵖ, whatever the loss. Summed over a layer, this says that all
  layers of switches pay the same, T, and all layers of weights T/p. So the penalty is
  (L − 1)T + LT/p, and that of the units one by one is (L − 1)(T + 2T/p). The ratio is 1 for
  L = 2 only; for p = 2 it is 7/8 for L = 3, and falls to 3/4.

The statements are ours. The oracle knows no powers: each cost is a sum of exponentials of the
logarithms of the factors, which Newton's method minimises.

- `laws`: the three penalties of the table; `split`: their shares, and that no other is as good;
- `factors`: the rule; `two_penalties`: the group lasso with decay of rows;
- `free`: factors that nothing penalises; `passing`: activations, and signs of switches;
- `deep`: networks; `unit`, `exponentials`: what these share.
"""

from proofs_check.b7_powers import deep, factors, free, laws, passing, split, two_penalties

CLAIMS = (
    *laws.CLAIMS,
    *split.CLAIMS,
    *factors.CLAIMS,
    *two_penalties.CLAIMS,
    *free.CLAIMS,
    *passing.CLAIMS,
    *deep.CLAIMS,
)
