"""Models with 0, 1, 2, … features, each with one more than the last: `GreedyProblem`."""

from dataclasses import dataclass

from shrinklin.problem.problem import Problem
from shrinklin.solvers.greedy import greedy_path


@dataclass(frozen=True)
class GreedyProblem(Problem):
    """min f(W, b) + ½ ridge Σ ‖W_g‖² over supports that grow by one group at a time.

    The numbers of penalised groups take the place of alphas. Without `relaxed`, the supports are
    chosen with this ridge; with it, they are refitted with another.
    """

    @property
    def is_penalised(self):
        return False

    def solve(self, objective, alphas, **options):
        """A `PackedSolution` for each number of groups, or for the largest there is.

        The `options` play no role, as each support begins with the one before.
        """
        path = greedy_path(objective, int(max(alphas)))
        return self._finite([path[min(int(n), len(path) - 1)] for n in alphas])
