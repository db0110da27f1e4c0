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
that is really there if f is quadratic. Scores are pessimistic: the few best moves are made,
the rest adapting by M⁻¹, which gives their true F; those that lower it also go together.
What does not lower F yet, but nearly, is tried by some steps of a descent.
"""

from dataclasses import dataclass

import numpy as np

from shrinklin.linear_systems import scaled_inverse, scaled_solve
from shrinklin.solvers.newton import alike_targets
from shrinklin.solvers.working_sets import prox_steps

_MAX_DROPS = 30
_TRIALS = 8
# A move is not tried whose score exceeds this share of what the mean group pays.
_HOPELESS = 0.2


def improve(objective, solution, solve, glance, max_moves=100):
    """Best point reached by moves that each lower F.

    `solve(W)` descends from W and returns a `Solution`; `glance(W, value, excess)` makes some
    steps of such a descent and returns the W reached, and F there: `value` is F at W, and
    `excess` of it has to go for the move to be worth it.
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
    """A point below `solution`, or None."""
    enough = solution.value - _noise(objective)
    model = objective.model(solution.W)
    stationary = _Stationary(model, solution)
    exact = model is objective
    for value, W in neighbours(stationary, exact):
        if exact and value < enough:
            return W
        if exact and value > enough + _HOPELESS * stationary.saving:
            break
        W, value = glance(W, value, value - enough)
        if value < enough:
            return W
    return None


def majorise_minimise(objective, W, n_steps):
    """W after n_steps reweighted ridge solves on its own support, for a quadratic f."""
    smooth = objective.smooth
    blocks: dict[bytes, np.ndarray] = {}
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
            key = rows.tobytes()
            blocks[key] = G = blocks[key] if key in blocks else smooth.block(rows)
            at = rows[:, None], targets
            W[at] = scaled_solve(G + np.diag(model.majoriser[rows, targets[0]]), smooth.C[at])
    return W


def neighbours(stationary, by_value=True):
    """(F, W) of points one move or several away, the most promising first.

    That is by F, or by the scores of the moves, many together first: where f is not the
    quadratic that the moves are scored on, its F says little of a trial, and the moves that
    look best one by one lead to worse minima.
    """
    costs = stationary.drop_scores()
    cheapest = np.argsort(costs, kind="stable")[:_MAX_DROPS]
    drops = [Move(costs[i], int(stationary.droppable[i])) for i in cheapest]
    moves = stationary.additions() + drops + stationary.swaps(drops)
    moves.sort(key=lambda move: move.score)
    if not by_value:
        lowering = [move for move in moves if move.score < 0]
        trials = _several(lowering) + [[move] for move in moves]
        return [stationary.after(some) for some in trials[:_TRIALS]]
    single = [(*stationary.after([move]), move) for move in moves[:_TRIALS]]
    single.sort(key=lambda trial: trial[0])
    together = _several(move for value, _, move in single if value < stationary.value)
    trials = [trial[:2] for trial in single] + [stationary.after(some) for some in together]
    return sorted(trials, key=lambda trial: trial[0])


def _several(moves):
    """All moves that go together, a half and a quarter of them."""
    together = _compatible(moves)
    shares = [together[: len(together) // share] for share in (1, 2, 4)]
    return [some for some in shares if len(some) > 1]


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


class _Inside:
    """The penalty on some groups alone, as `prox_steps` wants it."""

    def __init__(self, objective, members, groups):
        self.penalty, self.groups = objective.penalty, groups
        self.strengths = objective.strengths[members]


class _System:
    """M⁻¹ for the targets whose smooth entries are alike.

    `force` is (M⁻¹_gg)⁻¹ W_g in the rows of every group g; `precision` holds these
    inverses, one block a group.
    """

    def __init__(self, stationary, targets, rows):
        smooth, majoriser = stationary.objective.smooth, stationary.model.majoriser
        self.targets, self.rows, self.owner = targets, rows, stationary.owner[rows]
        self.G, self.d = smooth.gram(rows), majoriser[rows, targets[0]]
        self.inverse = inverse = scaled_inverse(self.G[rows] + np.diag(self.d))
        self.B = self.G @ inverse
        smooth.cost.count_product(len(self.G) + len(rows), len(rows), len(rows))
        self.schur = smooth.diagonal - np.einsum("ks,ks->k", self.B, self.G)
        self.precision = _block_inverses(inverse, self.owner)
        self.w = stationary.W[rows[:, None], targets]
        self.force = self.precision @ self.w

    def without(self, gradient, drops):
        """What ‖∇_k‖² and the Schur diagonal of every row k rise by after each of `drops`."""
        which, own = np.nonzero(self.owner == drops[:, None])
        force, columns = self.force[own], self.B[:, own]
        alike = which[:, None] == which
        pull = columns @ np.where(alike, force @ force.T, 0.0)
        pull -= 2 * gradient[:, self.targets] @ force.T
        rise = columns @ self.precision[own[:, None], own]
        member = (which[:, None] == np.arange(len(drops))).astype(float)
        return (columns * pull) @ member, (columns * rise) @ member

    def adapt(self, D, added, dropped, gradient):
        """Write to D how the rest adapts to what it holds for `added`; returns the change of f.

        f without the terms of `added` alone. With D_S = −M⁻¹(G_SA D_A + E y), E y being what
        holds `dropped` at zero, (G D)_S is −E y − d D_S.
        """
        entering = D[added[:, None], self.targets]
        change = -self.B[added].T @ entering
        gone = np.isin(self.owner, dropped)
        y = np.zeros_like(self.w)
        if gone.any():
            y[gone] = np.linalg.solve(self.inverse[gone][:, gone], (self.w + change)[gone])
            change -= self.inverse[:, gone] @ y[gone]
            change[gone] = -self.w[gone]  # exactly
        at = self.rows[:, None], self.targets
        D[at] = change
        product = -y - self.d[:, None] * change
        total = np.vdot(change, gradient[at] + 0.5 * product)
        return total + 0.5 * np.vdot(entering, self.G[added] @ change)


def _block_inverses(inverse, owner):
    """The diagonal blocks of the groups, each inverted."""
    if (np.diff(owner) > 0).all():
        return np.diag(1 / np.diagonal(inverse))
    return np.linalg.inv(np.where(owner[:, None] == owner, inverse, 0.0))


class _Stationary:
    """The quadratic model at a stationary point, and its moves."""

    def __init__(self, objective, solution):
        self.objective, self.groups = objective, objective.groups
        self.W, self.gradient = solution.W, solution.gradient
        self.loss, self.value = solution.loss, solution.value
        self.owner = self.groups.spread(np.arange(len(self.groups)))
        self.alive = self.groups.norms(self.W) > 0
        self.droppable = np.flatnonzero(self.alive & (objective.strengths > 0))
        self.penalties = objective.strengths * objective.penalty.values(self.W, self.groups)
        self.saving = self.penalties.sum() / max(len(self.droppable), 1)
        self.model = objective.penalty.curvature(self.W, self.groups, objective.strengths)
        patterns = alike_targets(self.model.smooth, self.model.majoriser)
        self.systems = [_System(self, targets, rows) for targets, rows in patterns]
        self.schur = np.zeros(len(self.W))
        for system in self.systems:
            self.schur = np.maximum(self.schur, system.schur)
        if len(self.systems) == 0 or not self.model.smooth.any(axis=0).all():
            self.schur = objective.smooth.diagonal  # some target has no support

    def drop_scores(self):
        """What each of `droppable` costs if the rest adapts."""
        costs = 0.5 * (self.model.majoriser * self.W**2).sum(axis=1)
        for system in self.systems:
            costs[system.rows] += 0.5 * np.einsum("st,st->s", system.w, system.force)
        return (self.groups.sum(costs) - self.penalties)[self.droppable]

    def additions(self):
        """The few best groups to enter."""
        squares, curvature = self.groups.norms(self.gradient) ** 2, self._curvature(self.schur)
        members = np.flatnonzero(self._promising(squares[:, None], curvature[:, None], 0.0))
        gradient = self.gradient[self.groups.features(members)]
        return self._entering(members, gradient, curvature[members], [Move(0.0)] * len(members))

    def swaps(self, drops):
        """The few best groups to enter after one of the moves `drops`, all of them together."""
        if len(drops) == 0:
            return []
        dropped = np.array([move.drop for move in drops])
        squares, curvature = self._without(dropped)
        costs = np.array([move.score for move in drops])
        members, which = np.nonzero(self._promising(squares, curvature, costs))
        gradient = self._gradient_without(members, dropped[which])
        return self._entering(
            members, gradient, curvature[members, which], [drops[i] for i in which]
        )

    def _without(self, drops):
        """‖∇_k‖² and curvature of every group k, after each of `drops` if the rest adapts."""
        squares = np.repeat(self.groups.norms(self.gradient)[:, None] ** 2, len(drops), axis=1)
        rise = np.zeros((len(self.W), len(drops)))
        for system in self.systems:
            pull, own_rise = system.without(self.gradient, drops)
            squares += self.groups.sum(pull)
            rise = np.maximum(rise, own_rise)
        return squares, self._curvature(self.schur[:, None] + rise)

    def _curvature(self, schur):
        L = self.objective.lipschitz.reshape(-1, *[1] * (schur.ndim - 1))
        return np.clip(self.groups.sum(schur), 1e-10 * L, L)

    def _promising(self, squares, curvature, costs):
        """Groups outside that may enter, with a score that is worth a trial.

        c/2 r² − ‖∇‖ r + s r^power has a minimum off zero from some ‖∇‖ on, at an r no less
        than there; the penalty is no less than s r^power, with r the Euclidean norm.
        """
        power, strengths = self.objective.penalty.power, self.objective.strengths[:, None]
        c = np.where(curvature > 0, curvature, 1.0)
        r = (2 * (1 - power) * strengths / c) ** (1 / (2 - power))
        least = 0.5 * c * r * (2 - power) / (1 - power)
        scores = costs + strengths * r**power - 0.5 * squares / c
        outside = ~self.alive[:, None] & (curvature > 0)
        return outside & (squares >= (1 - 1e-9) * least**2) & (scores < self.saving)

    def _gradient_without(self, members, drops):
        """∇_k for each k of `members` after one of `drops` each, one below the other."""
        features = self.groups.features(members)
        gradient = self.gradient[features]
        drops = np.repeat(drops, self.groups.sizes[members])
        for system in self.systems:
            own = np.flatnonzero(np.isin(system.owner, drops))
            B = np.where(system.owner[own] == drops[:, None], system.B[features[:, None], own], 0.0)
            gradient[:, system.targets] -= B @ system.force[own]
        return gradient

    def _entering(self, members, gradient, curvature, drops):
        """The best moves of those where one of `members` enters after one of `drops`."""
        inside = _Inside(self.objective, members, self.groups.restrict(members))
        blocks = prox_steps(inside, np.zeros_like(gradient), gradient, curvature)
        gains = inside.groups.sum((gradient * blocks).sum(axis=1))
        gains += 0.5 * curvature * inside.groups.norms(blocks) ** 2
        gains += inside.strengths * inside.penalty.values(blocks, inside.groups)
        scores = gains + [drop.score for drop in drops]
        ptr = inside.groups.ptr
        return [
            Move(scores[i], drops[i].drop, int(members[i]), blocks[ptr[i] : ptr[i + 1]])
            for i in np.argsort(scores, kind="stable")[:_TRIALS]
            if gains[i] < 0
        ]

    def after(self, moves):
        """(F, W) after the moves, the other groups adapting to the quadratic model."""
        entering = [move.add for move in moves if move.add is not None]
        added = np.asarray(self.groups.features(entering), dtype=int)
        dropped = np.array([move.drop for move in moves if move.drop is not None], dtype=int)
        D = np.zeros_like(self.W)
        for move in moves:
            if move.add is not None:
                D[self._rows(move.add)] = move.block
        change = np.vdot(self.gradient[added], D[added])
        if len(added):
            change += 0.5 * np.vdot(D[added], self.objective.smooth.block(added) @ D[added])
        for system in self.systems:
            change += system.adapt(D, added, dropped, self.gradient)
        W = self.W + D
        penalty = self.objective.strength * self.objective.penalty_sum(W)
        return self.loss + change + penalty, W

    def _rows(self, g):
        return slice(self.groups.ptr[g], self.groups.ptr[g + 1])
