"""All claims, in the order of the drafts."""

from proofs_check import (
    a1_group_lasso,
    a2_not_convex,
    a3_no_minimum,
    a4_many_minima,
    b1_bridge,
    b2_filter,
    b3_fold,
    b4_one_strength,
    b5_ridge,
    b6_deep,
    b7_powers,
)

STATEMENTS = (
    *a1_group_lasso.CLAIMS,
    *a2_not_convex.CLAIMS,
    *a3_no_minimum.CLAIMS,
    *a4_many_minima.CLAIMS,
    *b1_bridge.CLAIMS,
    *b2_filter.CLAIMS,
    *b3_fold.CLAIMS,
    *b4_one_strength.CLAIMS,
    *b5_ridge.CLAIMS,
    *b6_deep.CLAIMS,
    *b7_powers.CLAIMS,
)
