r"""Better minima of a non-convex objective: drop a group, add one, swap two.

A loss that is not quadratic is replaced by its model at W (`Smooth.model`).
At a stationary W with support S, the penalty is majorised by a quadratic that
touches it at W (`Curvature.majoriser`), so with M = G_SS + diag(d) the best
point without group g, and the gain of a group k that enters at zero, follow
from M⁻¹ and B = G_{·S} M⁻¹ alone. All moves are scored at once:

- drop g:  ½⟨W_g, (M⁻¹_gg)⁻¹ W_g⟩ − (s_g φ(W_g) − ½ d_g‖W_g‖²);
- add k:   the least value of ½c_k‖w‖² + ⟨∇_k, w⟩ + s_k φ(w), where c_k is
  the Schur complement of M in G;
- swap:    the sum of both, with ∇ and c after the drop.

The majoriser lies above the objective, so a negative score is an improvement
that is really there if f is quadratic. Scores are pessimistic, so the best few moves are tried
by majorise-minimise steps whatever their sign, and kept if they lower F; where
many scores are negative, all of them at once, a half and a quarter are tried too.
"""

from dataclasses import dataclass, replace

import numpy as np

from shrinklin.linear_systems import scaled_inverse, scaled_solve
from shrinklin.solvers.newton import alike_targets
from shrinklin.solvers.working_sets import prox_steps

_MAX_DROPS = 30
_TRIALS = 8


def improve(objective, solution, solve, glance, max_moves=100):
    """Best point reached by moves that each lower F.

    `solve(W)` descends from W and returns a `Solution`; `glance(W)` makes some
    steps of such a descent and returns the W reached, and F there.
    """
    for _ in range(max_moves):
        trial = _best_trial(objective, solution, glance)
        if trial is None:
            break
        candidate = solve(trial)
        if candidate.value >= solution.value - _noise(objective):
            break
        solution = candidate
    return solution


def _noise(objective):
    return 2e-12 * objective.smooth.value_at_zero


def _best_trial(objective, solution, glance):
    model = objective.model(solution.W)
    best, best_value = None, solution.value - _noise(objective)
    for start in neighbours(model, solution):
        trial, value = glance(start)
        if value < best_value:
            best, best_value = trial, value
            if model is not objective:
                break  # a look costs more than a move gains by being the best
    return best


def majorise_minimise(objective, W, n_steps):
    """W after n_steps reweighted ridge solves on its own support, for a quadratic f."""
    smooth = objective.smooth
    for _ in range(n_steps):
        model = objective.penalty.curvature(W, objective.groups, objective.strengths)
        # p = 1 sends entries to zero without end: leave them out once shrunk
        # to nothing beside what they would be unpenalised.
        vanished = 1e-12 * model.majoriser > smooth.diagonal[:, None]
        if vanished.any():
            W = np.where(vanished, 0.0, W)
            model = objective.penalty.curvature(W, objective.groups, objective.strengths)
        W = np.zeros_like(W)
        for targets, rows in alike_targets(model.smooth, model.majoriser):
            objective.cost.count_factorisation(len(rows))
            objective.cost.count_product(len(rows), len(rows), len(targets))
            M = smooth.block(rows) + np.diag(model.majoriser[rows, targets[0]])
            at = rows[:, None], targets
            W[at] = scaled_solve(M, smooth.C[at])
    return W


def neighbours(objective, solution):
    """Starting points one move or several away, the most promising first."""
    stationary = _Stationary(objective, solution)
    moves = stationary.additions(None)
    drops = sorted((stationary.drop_score(g), g) for g in stationary.droppable)
    for cost, g in drops[:_MAX_DROPS]:
        moves.append(Move(cost, int(g)))
        moves += [replace(move, score=cost + move.score) for move in stationary.additions(g)]
    moves.sort(key=lambda move: move.score)
    together = _compatible(move for move in moves if move.score < 0)
    several = [together[: len(together) // share] for share in (1, 2, 4)]
    trials = [some for some in several if len(some) > 1] + [[move] for move in moves]
    return [stationary.apply(some) for some in trials[:_TRIALS]]


def _compatible(moves):
    """Moves, in order, of which no two concern the same group."""
    taken: set[int] = set()
    chosen = []
    for move in moves:
        groups = {g for g in (move.drop, move.add) if g is not None}
        if not groups & taken:
            taken |= groups
            chosen.append(move)
    return chosen


@dataclass(frozen=True)
class Move:
    """Group `drop` leaves, group `add` enters with `block`; either may be None."""

    score: float
    drop: int | None = None
    add: int | None = None
    block: np.ndarray | None = None


class _Stationary:
    """The quadratic model at a stationary point, and its moves."""

    def __init__(self, objective, solution):
        self.objective, self.groups = objective, objective.groups
        self.W, self.gradient = solution.W, solution.gradient
        self.alive = self.groups.norms(self.W) > 0
        self.droppable = np.flatnonzero(self.alive & (objective.strengths > 0))
        self.model = objective.penalty.curvature(self.W, self.groups, objective.strengths)
        self.systems = []
        diagonal = np.zeros(len(self.W))
        for targets, rows in alike_targets(self.model.smooth, self.model.majoriser):
            G = objective.smooth.gram(rows)
            inverse = scaled_inverse(G[rows] + np.diag(self.model.majoriser[rows, targets[0]]))
            B = G @ inverse
            objective.cost.count_product(len(G) + len(rows), len(rows), len(rows))
            schur = objective.smooth.diagonal - np.einsum("ks,ks->k", B, G)
            diagonal = np.maximum(diagonal, schur)
            self.systems.append((targets, rows, inverse, B))
        if len(self.systems) == 0 or not self.model.smooth.any(axis=0).all():
            diagonal = objective.smooth.diagonal  # some target has no support
        self.schur = diagonal

    def _dropped(self, g):
        """Yield, for each system that holds g: targets, rows, inverse, B, g's rows."""
        for targets, rows, inverse, B in self.systems:
            inside = (rows >= self.groups.ptr[g]) & (rows < self.groups.ptr[g + 1])
            if inside.any():
                own = inverse[np.ix_(inside, inside)]
                precision = np.linalg.inv(own) if len(own) > 1 else 1 / own
                yield targets, rows, inverse, B, inside, precision

    def drop_score(self, g):
        W, d = self.W[self._rows(g)], self.model.majoriser[self._rows(g)]
        own = self.objective.groups.restrict([g])
        saved = self.objective.strengths[g] * self.objective.penalty.values(W, own)[0]
        cost = 0.5 * np.sum(d * W**2) - saved
        for targets, rows, _, _, inside, precision in self._dropped(g):
            w = self.W[rows[inside][:, None], targets]
            cost += 0.5 * np.vdot(w, precision @ w)
        return cost

    def _without(self, g):
        """Gradient and Schur diagonal after g is dropped and the rest adapts."""
        if g is None:
            return self.gradient, self.schur
        gradient, schur = self.gradient.copy(), self.schur.copy()
        rise = np.zeros_like(schur)
        for targets, rows, _, B, inside, precision in self._dropped(g):
            w = self.W[rows[inside][:, None], targets]
            gradient[:, targets] -= B[:, inside] @ (precision @ w)
            columns = B[:, inside]
            rise = np.maximum(rise, np.einsum("ki,ij,kj->k", columns, precision, columns))
        return gradient, schur + rise

    def _entering(self, g):
        """Block that every group outside would enter with, and its gain."""
        gradient, schur = self._without(g)
        L = self.objective.lipschitz
        curvature = np.clip(self.groups.sum(schur), 1e-10 * L, L)
        curvature[self.alive] = 0.0
        blocks = prox_steps(self.objective, np.zeros_like(self.W), gradient, curvature)
        gains = self.groups.sum((gradient * blocks).sum(axis=1))
        gains += 0.5 * curvature * self.groups.norms(blocks) ** 2
        gains += self.objective.strengths * self.objective.penalty.values(blocks, self.groups)
        return blocks, gains

    def additions(self, g):
        """The few best groups to enter once g has left; scores without g's own."""
        blocks, gains = self._entering(g)
        best = np.argsort(gains, kind="stable")[:_TRIALS]
        return [Move(gains[k], g, k, blocks[self._rows(k)]) for k in best if gains[k] < 0]

    def apply(self, moves):
        """W after the moves; the other groups are left to adapt."""
        W = self.W.copy()
        for move in moves:
            if move.drop is not None:
                W[self._rows(move.drop)] = 0.0
            if move.add is not None:
                W[self._rows(move.add)] = move.block
        return W

    def _rows(self, g):
        return slice(self.groups.ptr[g], self.groups.ptr[g + 1])
