"""A.1 as printed: that both minima exist, and the steps of the proof."""

from proofs_check.a1_group_lasso.problem import (
    FIRST,
    SECOND,
    SOURCE,
    UNIT,
    norm,
    points,
    problems,
    weights,
)
from proofs_check.a1_group_lasso.unbounded import STEPS, along, slope, unbounded
from proofs_check.claim import Claim, exact
from proofs_check.rational import null_vector


def minima_exist(problem):
    vector = null_vector(problem.X)
    if vector is None:
        return None
    left, right = along(problem, vector)
    if not (unbounded(left) or unbounded(right)):
        return None
    return (
        f"Xv = 0 for v = {exact(vector)}: along t v the objectives at t = {exact(STEPS)} are "
        f"{exact(left)} and {exact(right)}, {-slope(left)} less at every step, without bound"
    )


def printed_units(weights):
    for j, column in enumerate(weights.columns, start=1):
        beta = norm(column) ** 2
        unit = [v / beta for v in column]
        if norm(unit) != 1:
            return f"β_{j} = {beta} makes A'_{j} = {exact(unit)}, of norm {norm(unit)}"
    return None


def printed_inverse(weights):
    for j, column in enumerate(weights.columns, start=1):
        if norm(column) == 0:
            return f"β_{j} = 0, so that diag(β) has no inverse and A'_{j} is not defined"
    return None


def printed_first_line(point):
    problem, columns = point.problem, point.columns
    objective = problem.group_lasso(columns)
    line = problem.error(columns) + problem.lam * sum(norm(column) ** 2 for column in columns)
    return None if line == objective else f"the objective is {objective}, the line is {line}"


def printed_third_line(point):
    problem, error = point.problem, point.problem.error(point.columns)
    second = error + problem.lam * sum(norm(column) ** 2 for column in point.columns)
    third = error + problem.lam * sum(abs(b) for b in point.beta)
    return None if second == third else f"the second line is {second}, the third {third}"


CLAIMS = (
    Claim(
        name="A.1 as printed",
        formula=(
            r"\min_A\; " + FIRST,
            r"=\; \min_{A', \beta}\; " + SECOND + r" \quad \mathrm{s.t.}\; " + UNIT,
        ),
        says="Both minima exist, for every real λ.",
        source=SOURCE,
        domain="every X, Y and λ ∈ ℝ",
        instances=problems(),
        violation=minima_exist,
        corrected=False,
    ),
    Claim(
        name="A.1 printed proof",
        formula=(
            r"\beta_j = \|A_j\|_2^2,\quad A' = A\,\mathrm{diag}(\beta)^{-1}"
            r"\;\Longrightarrow\; " + UNIT,
        ),
        says="The proof's A' has columns of norm 1.",
        source=SOURCE,
        domain="every A with no zero column",
        instances=weights(zeros=False),
        violation=printed_units,
        corrected=False,
    ),
    Claim(
        name="A.1 printed proof: zero columns",
        formula=(r"A' = A\,\mathrm{diag}(\beta)^{-1}",),
        says="The proof's A' is defined for every A.",
        source=SOURCE,
        domain="every A",
        instances=weights(zeros=True),
        violation=printed_inverse,
        corrected=False,
    ),
    Claim(
        name="A.1 printed identity",
        formula=(FIRST + r" = \|Y - X A^\top\|^2 + \lambda \sum_j \|A_j\|_2^2",),
        says="The proof's first line is the first problem's objective.",
        source=SOURCE,
        domain="every A of rational norms, X, Y and λ ∈ ℝ",
        instances=points(),
        violation=printed_first_line,
        corrected=False,
    ),
    Claim(
        name="A.1 printed identity: third line",
        formula=(r"\lambda \sum_j \|A'_j \beta_j\|_2^2 = \lambda \sum_j |\beta_j| \cdot 1",),
        says="The proof's second line equals its third.",
        source=SOURCE,
        domain="every β and A' with rational columns of norm 1, X, Y and λ ∈ ℝ",
        instances=points(),
        violation=printed_third_line,
        corrected=False,
    ),
)
