"""Where A.4 is printed, and its formulas."""

SOURCE = "Drafts, appendix A.1, Proposition A.4"
OBJECTIVE = (r"\min \|y - N(x)\|_2^2 + \lambda \sum_i \|\beta_i\|_1 + \lambda_2 \|\theta\|_p^p",)
LAYERS = r"N = f_n \circ \cdots \circ f_1,\quad f_i(x) = a(A_i\,\mathrm{diag}(\beta_i)\,x + b_i)"
