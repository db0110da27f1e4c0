r"""A.1: the group lasso is the switched linear model whose weights have unit norm.

Printed, as Proposition A.1, for all n, p, x, y and λ ∈ ℝ:

.. math:: \min_A \|y - A x\|_2^2 + \lambda \sum_j \|A_j\|_2
    = \min_{A', \beta} \|y - A'\,\mathrm{diag}(\beta)\,x\|_2^2 + \lambda \|\beta\|_1
    \quad \text{s.t. } \|A'_j\|_2 = 1,

where A_j, the j-th column of A, has the weights of feature j. The proof takes A, sets
β_j = ‖A_j‖² and A' = A diag(β)⁻¹, and goes from λ Σ ‖A_j‖² to λ Σ |β_j|.

What is true: the two infima are equal. They are minima if λ ≥ 0 or if the features are
linearly independent. If λ < 0 and the features are dependent, both are −∞: there is a vector
v ≠ 0 with Xv = 0, along which the error stays the same and the penalty falls. As printed
there is one sample, which makes any two features dependent. The proof is right once β_j is
‖A_j‖ and not its square, A'_j is any unit vector where A_j = 0, and no norm is squared.

Samples are the rows of X and Y, and the error is summed over samples. Values at points are
exact, as all points have weights of rational norm. Each infimum is found by a separate method:
on the left by a conic solver for λ ≥ 0 and by a quasi-Newton method from many starts for
λ < 0, on the right by descent over one pair (β_j, A'_j) at a time.

- `problem`: the two objectives, and the instances that are drawn;
- `printed`: the statement and the steps of the proof, as printed;
- `corrected`: the corrected proof, point by point;
- `infima`: the corrected statement, numerically;
- `unbounded`: whether the objectives fall without bound along Xv = 0.
"""

from proofs_check.a1_group_lasso import corrected, infima, printed

CLAIMS = (*printed.CLAIMS, corrected.CLAIM, infima.CLAIM)
