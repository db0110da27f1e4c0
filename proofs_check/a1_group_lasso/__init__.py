r"""A.1: the group lasso is the switched linear model whose weights have unit norm.

Printed, as Proposition A.1, for all n, p, x, y and λ ∈ ℝ:

.. math:: \min_A \|y - A x\|_2^2 + \lambda \sum_j \|A_j\|_2
    = \min_{A', \beta} \|y - A'\,\mathrm{diag}(\beta)\,x\|_2^2 + \lambda \|\beta\|_1
    \quad \text{s.t. } \|A'_j\|_2 = 1,

where A_j, the j-th column of A, has the weights of feature j. The proof takes A, sets
β_j = ‖A_j‖² and A' = A diag(β)⁻¹, and goes from λ Σ ‖A_j‖² to λ Σ |β_j|.

What is true: the two infima are equal, and for λ ≥ 0, or features that are linearly
independent, they are minima. For λ < 0 and dependent features both are −∞: along a
combination of features that is zero the error stays and the penalty falls. The one sample of
the print makes any two features dependent. The proof needs β_j = ‖A_j‖, any unit vector
for A'_j where A_j = 0, and norms that are not squared; what it then shows is right.

Data are X (a sample a row) and Y, and the error is summed over samples. Values at points are
exact: the points have weights of rational norm. Each infimum is found by a method of its own:
on the left a conic solver for λ ≥ 0 and a quasi-Newton method from many starts for λ < 0, on
the right descent over one pair (β_j, A'_j) at a time.
"""

from proofs_check.a1_group_lasso import corrected, infima, printed

CLAIMS = (*printed.CLAIMS, corrected.CLAIM, infima.CLAIM)
