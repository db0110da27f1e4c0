"""A.1 corrected: each point of one problem has one of the same value in the other."""

from dataclasses import replace

from proofs_check.a1_group_lasso.problem import SOURCE, UNITS, Problem, norm, points
from proofs_check.claim import Claim, Mutant, exact
from proofs_check.rational import scaled


def any_unit(column):
    return UNITS[len(column)][0]


def split(columns, size=norm, of_zero=any_unit):
    """A' and β with A = A' diag(β)."""
    beta = [size(column) for column in columns]
    units = [
        tuple(v / b for v in column) if b else of_zero(column)
        for column, b in zip(columns, beta, strict=True)
    ]
    return units, beta


def points_map(point, split=split, left=Problem.group_lasso, right=Problem.switched):
    """Fails if the map of `split`, or its inverse, changes the value of the point."""
    problem, columns = point.problem, point.columns
    value, switched = left(problem, columns), right(problem, point.units, point.beta)
    if value != switched:
        return f"A' diag(β) has the value {exact(value)}, (A', β) has {exact(switched)}"
    units, beta = split(columns)
    norms = [norm(unit) for unit in units]
    if any(size != 1 for size in norms):
        return f"A = {exact(columns)} goes to columns of norms {exact(norms)}"
    switched = right(problem, units, beta)
    if value != switched:
        return f"A has the value {exact(value)}, its (A', β) has {exact(switched)}"
    return None


def squared_norms(problem, columns):
    return problem.error(columns) + problem.lam * sum(norm(c) ** 2 for c in columns)


def euclidean_switches(problem, units, beta):
    return problem.error(scaled(beta, units)) + problem.lam * norm(beta)


def signed_switches(problem, units, beta):
    return problem.error(scaled(beta, units)) + problem.lam * sum(beta)


CLAIM = Claim(
    name="A.1 corrected",
    formula=(
        r"A \mapsto (A', \beta):\quad \beta_j = \|A_j\|_2,\quad A'_j = A_j / \beta_j"
        r"\;\; (\mathrm{any\ unit\ vector\ where\ } A_j = 0)",
        r"(A', \beta) \mapsto A = A'\,\mathrm{diag}(\beta)",
    ),
    says="Each point of one problem has one of the same value in the other.",
    source=SOURCE + ", corrected",
    domain="every A of rational norms, β of any sign, X, Y and λ ∈ ℝ, exactly",
    instances=points(),
    violation=points_map,
    mutants=(
        Mutant(
            "β is the squared norm",
            lambda p: points_map(p, lambda A: split(A, lambda column: norm(column) ** 2)),
        ),
        Mutant(
            "a zero column of A stays zero in A'",
            lambda p: points_map(p, lambda A: split(A, of_zero=lambda column: column)),
        ),
        Mutant(
            "λ is counted twice",
            lambda p: points_map(p, left=lambda q, A: replace(q, lam=2 * q.lam).group_lasso(A)),
        ),
        Mutant("norms are squared", lambda p: points_map(p, left=squared_norms)),
        Mutant("‖β‖₂ for ‖β‖₁", lambda p: points_map(p, right=euclidean_switches)),
        Mutant("Σ β for Σ |β|", lambda p: points_map(p, right=signed_switches)),
    ),
)
