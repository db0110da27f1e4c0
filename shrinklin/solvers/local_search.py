r"""Search for better minima of a non-convex objective: drop a group, add one, swap two.

A loss that is not quadratic is replaced by its model at W (`Smooth.model`). Let W be
stationary with support S. The penalty is replaced by a quadratic that touches it at W
and lies above it (`Curvature.majoriser`). Let M = G_SS + diag(d). The best point
without group g, and the gain from adding group k, then follow from M⁻¹ and
B = G_{·S} M⁻¹ alone. All moves are scored at once:

- drop g:  ½⟨W_g, (M⁻¹_gg)⁻¹ W_g⟩ − (s_g φ(W_g) − ½ d_g‖W_g‖²);
- add k:   the least value of ½c_k‖w‖² + ⟨∇_k, w⟩ + s_k φ(w), where c_k is
  the Schur complement of M in G;
- swap:    the sum of both, with ∇ and c after the drop.

The majoriser lies above the penalty. So a negative score is a true improvement if f is
quadratic, but scores are pessimistic. Therefore the few best moves are made, with the
other groups adapting by M⁻¹, and their true F is computed. Moves that lower F are also
tried together. If a move does not lower F, but nearly does, a few steps of a descent
from it decide.
"""

from dataclasses import dataclass

import numpy as np

from shrinklin.linear_systems import scaled_inverse, scaled_solve
from shrinklin.solvers.newton import alike_targets
from shrinklin.solvers.working_sets import prox_steps

_MAX_DROPS = 30
_TRIALS, _FEW_TRIALS = 8, 4
# Number of groups outside the support whose exact scores are computed.
_CANDIDATES, _FEW_CANDIDATES = 300, 50
# No descent is tried from a move that raises F by more than this share of the mean penalty of a
# group.
_HOPELESS = 0.2


def improve(objective, solution, solve, glance=None, max_moves=100):
    """Best point reached by moves that each lower F.

    `solve(W)` descends from W and returns a `Solution`. `glance(objective, W, enough)` makes
    a few steps of such a descent and returns the W reached and F there. The descent continues
    if that F is below `enough`. Without `glance` the search is quick: it considers few groups
    and no swaps.
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
    """A W with lower F than `solution`, or None."""
    enough = solution.value - _noise(objective)
    model = objective.model(solution.W)
    stationary, exact = _Stationary(model, solution), model is objective
    for trial in neighbours(stationary, exact, thorough=glance is not None):
        if exact and trial.value > enough + _HOPELESS * stationary.saving:
            break
        W, value = trial.whole(), trial.value
        if not (exact and value < enough):
            W, value = glance(objective, W, enough) if glance else (W, objective.value(W))
        if value < enough:
            return W
    return None


def majorise_minimise(objective, W):
    """Yield (W, F(W)) now and, without end, after reweighted ridge solves on the support of W.

    f must be quadratic.
    """
    smooth, shape = objective.smooth, W.shape
    part = _Part(objective, np.flatnonzero(objective.groups.norms(W) > 0))
    G, C, W = smooth.block(part.features), smooth.C[part.features], W[part.features]
    fitted = np.vdot(2 * C - G @ W, W)
    while True:
        value = 0.5 * (smooth.yy - fitted) + part.values(W).sum()
        yield _spread(W, part.features, shape), value
        # With p = 1, entries shrink towards zero without end. Leave them out once they are
        # negligible compared with their unpenalised values.
        vanished = 1e-12 * part.curvature(W).majoriser > smooth.diagonal[part.features, None]
        model = part.curvature(np.where(vanished, 0.0, W))
        W, fitted = np.zeros_like(W), 0.0
        for targets, rows in alike_targets(model.smooth, model.majoriser):
            objective.cost.count_factorisation(len(rows))
            objective.cost.count_product(len(rows), len(rows), len(targets))
            at, d = (rows[:, None], targets), model.majoriser[rows, targets[0]]
            W[at] = scaled_solve(G[rows[:, None], rows] + np.diag(d), C[at])
            # For this W, G W = C − d W.
            fitted += np.vdot(C[at], W[at]) + d @ (W[at] ** 2).sum(axis=1)


def _spread(W, features, shape):
    whole = np.zeros(shape)
    whole[features] = W
    return whole


def neighbours(stationary, by_value=True, thorough=True):
    """`Trial`s after one or several moves, the most promising first.

    With `by_value`, a thorough search sorts them by F. Otherwise, moves are sorted by score, and
    several together come before single ones. That is for an f that is not the quadratic behind
    the scores: F of that quadratic says little about a trial, and the moves that look best one
    by one lead to worse minima.
    """
    costs = stationary.drop_scores()
    cheapest = np.argsort(costs, kind="stable")[:_MAX_DROPS]
    drops = [Move(costs[i], int(stationary.droppable[i])) for i in cheapest]
    stationary.consider(drops if thorough else [], _CANDIDATES if thorough else _FEW_CANDIDATES)
    moves = stationary.additions() + drops + (stationary.swaps(drops) if thorough else [])
    moves.sort(key=lambda move: move.score)
    if not (thorough and by_value):
        lowering = [move for move in moves if move.score < 0]
        trials = _several(lowering) + [[move] for move in moves]
        return [stationary.after(some) for some in trials[: _TRIALS if thorough else _FEW_TRIALS]]
    single = [(stationary.after([move]), move) for move in moves[:_TRIALS]]
    single.sort(key=lambda pair: pair[0].value)
    together = _several(move for trial, move in single if trial.value < stationary.value)
    trials = [trial for trial, _ in single] + [stationary.after(some) for some in together]
    return sorted(trials, key=lambda trial: trial.value)


def _several(moves):
    """All compatible moves together, then the first half and the first quarter of them."""
    together = _compatible(moves)
    shares = [together[: len(together) // share] for share in (1, 2, 4)]
    return [some for some in shares if len(some) > 1]


def _compatible(moves):
    """Moves in the same order, where each group is dropped or added at most once."""
    dropped: set[int] = set()
    added: set[int] = set()
    chosen = []
    for move in moves:
        if move.drop not in dropped and move.add not in added:
            dropped |= {move.drop} - {None}
            added |= {move.add} - {None}
            chosen.append(move)
    return chosen


@dataclass(frozen=True)
class Move:
    """Group `drop` of the support leaves, group `add` enters as `block`. Either may be None."""

    score: float
    drop: int | None = None
    add: int | None = None
    block: np.ndarray | None = None


@dataclass(frozen=True)
class Trial:
    """F at a point with the given `shape`: `W` on `features`, and zero elsewhere."""

    value: float
    W: np.ndarray
    features: np.ndarray
    shape: tuple[int, int]

    def whole(self):
        return _spread(self.W, self.features, self.shape)


class _Part:
    """A subset of the groups: their features and their penalties."""

    def __init__(self, objective, members):
        self.members, self.features = members, objective.groups.features(members)
        self.penalty, self.groups = objective.penalty, objective.groups.restrict(members)
        self.strengths = objective.strengths[members]

    def values(self, W):
        return self.strengths * self.penalty.values(W, self.groups)

    def curvature(self, W):
        return self.penalty.curvature(W, self.groups, self.strengths)


class _System:
    """M⁻¹ for targets with the same smooth entries.

    `rows` are rows of the support. `force` has (M⁻¹_gg)⁻¹ W_g in the rows of every group g.
    `precision` holds the inverses (M⁻¹_gg)⁻¹, one block per group.
    """

    def __init__(self, stationary, G, targets, rows):
        self.targets, self.rows, self.owner = targets, rows, stationary.owner[rows]
        self.d = stationary.model.majoriser[rows, targets[0]]
        self.inverse = inverse = scaled_inverse(G[rows[:, None], rows] + np.diag(self.d))
        self.precision = _block_inverses(inverse, self.owner)
        self.w = stationary.W[rows[:, None], targets]
        self.force = self.precision @ self.w

    def adapt(self, D, B, cross, blocks, dropped, gradient):
        """Write to D how the support adapts to the entering `blocks`; return the change of f.

        The change does not include the terms of `blocks` alone. D_S = −M⁻¹(G_SA D_A + E y),
        where E y keeps `dropped` at zero. So (G D)_S = −E y − d D_S.
        """
        entering = blocks[:, self.targets]
        change = -B.T @ entering
        gone = np.isin(self.owner, dropped)
        y = np.zeros_like(self.w)
        if gone.any():
            y[gone] = scaled_solve(self.inverse[gone][:, gone], (self.w + change)[gone])
            change -= self.inverse[:, gone] @ y[gone]
            change[gone] = -self.w[gone]  # exactly
        D[self.rows[:, None], self.targets] = change
        product = -y - self.d[:, None] * change
        total = np.vdot(change, gradient[self.rows[:, None], self.targets] + 0.5 * product)
        return total + 0.5 * np.vdot(entering, cross[:, self.rows] @ change)


def _block_inverses(inverse, owner):
    """The inverse of each group's diagonal block."""
    if (np.diff(owner) > 0).all():
        return np.diag(1 / np.diagonal(inverse))
    return scaled_inverse(np.where(owner[:, None] == owner, inverse, 0.0))


@dataclass(frozen=True)
class _Pull:
    """How drops change the gradient of every feature, with the other groups adapting.

    Drop `which[i]` subtracts column i of `columns` times row i of `force` from the gradient.
    `member` is `which` as an indicator matrix.
    """

    system: _System
    which: np.ndarray
    own: np.ndarray
    member: np.ndarray
    columns: np.ndarray

    @property
    def force(self):
        return self.system.force[self.own]

    def squares(self, gradient):
        """Increase of the squared gradient of every feature after each drop."""
        alike = self.which[:, None] == self.which
        pull = self.columns @ np.where(alike, self.force @ self.force.T, 0.0)
        pull -= 2 * gradient[:, self.system.targets] @ self.force.T
        return (self.columns * pull) @ self.member

    def rise(self, features):
        """Increase of the Schur complement of each of `features` after each drop."""
        columns = self.columns[features]
        rise = columns @ self.system.precision[self.own[:, None], self.own]
        return (columns * rise) @ self.member


class _Stationary:
    """The quadratic model at a stationary point, and the moves from there."""

    def __init__(self, objective, solution):
        self.objective, self.groups = objective, objective.groups
        self.loss, self.value = solution.loss, solution.value
        self.gradient = objective.smooth.evaluate(solution.W)[1]
        self.alive = self.groups.norms(solution.W) > 0
        self.support = part = _Part(objective, np.flatnonzero(self.alive))
        self.W = solution.W[part.features]
        self.owner = part.groups.spread(np.arange(len(part.groups)))
        self.droppable = np.flatnonzero(part.strengths > 0)
        self.penalties = part.values(self.W)
        self.saving = self.penalties.sum() / max(len(self.droppable), 1)
        self.model = part.curvature(self.W)
        G = objective.smooth.block(part.features)
        patterns = alike_targets(self.model.smooth, self.model.majoriser)
        self.systems = [_System(self, G, targets, rows) for targets, rows in patterns]

    def drop_scores(self):
        """Score of dropping each of `droppable`, with the other groups adapting."""
        costs = 0.5 * (self.model.majoriser * self.W**2).sum(axis=1)
        for system in self.systems:
            costs[system.rows] += 0.5 * np.einsum("st,st->s", system.w, system.force)
        return (self.support.groups.sum(costs) - self.penalties)[self.droppable]

    def consider(self, drops, n_groups):
        """Choose the `n_groups` candidates that may gain most, now or after one of `drops`."""
        costs = np.array([0.0] + [drop.score for drop in drops])
        self.pulls = self._pulls(np.array([drop.drop for drop in drops], dtype=int))
        squares = np.repeat(self.groups.norms(self.gradient)[:, None] ** 2, len(costs), axis=1)
        for pull in self.pulls:
            squares[:, 1:] += self.groups.sum(pull.squares(self.gradient))
        members = self._most_promising(squares, costs, n_groups)
        self.candidates = _Part(self.objective, members)
        self.squares = squares[members]
        features = self.candidates.features
        self.cross = self.objective.smooth.cross(features, self.support.features)
        self.B = [self.cross[:, system.rows] @ system.inverse for system in self.systems]
        self.curvature = self._curvature(features, len(costs))

    def _pulls(self, dropped):
        if len(dropped) == 0:
            return []
        pulls = []
        for system in self.systems:
            which, own = np.nonzero(system.owner == dropped[:, None])
            V = np.zeros((len(self.gradient), len(own)))
            V[self.support.features[system.rows]] = system.inverse[:, own]
            member = (which[:, None] == np.arange(len(dropped))).astype(float)
            columns = self.objective.smooth.product(V)
            pulls.append(_Pull(system, which, own, member, columns))
        return pulls

    def _most_promising(self, squares, costs, n_groups):
        L = self.objective.lipschitz
        outside = np.flatnonzero(~self.alive & (L > 0))
        gains = (0.5 * squares[outside] / L[outside, None] - costs).max(axis=1)
        if len(outside) > n_groups:
            outside = outside[np.argpartition(-gains, n_groups)[:n_groups]]
        return np.sort(outside)

    def _curvature(self, features, n_columns):
        """Schur complement of M in G for every candidate, now and after each drop."""
        diagonal = self.objective.smooth.diagonal[features]
        schur, rise = np.zeros(len(features)), np.zeros((len(features), n_columns))
        for system, B in zip(self.systems, self.B, strict=True):
            schur = np.maximum(schur, diagonal - (B * self.cross[:, system.rows]).sum(axis=1))
        for pull in self.pulls:
            rise[:, 1:] = np.maximum(rise[:, 1:], pull.rise(features))
        if len(self.systems) == 0 or not self.model.smooth.any(axis=0).all():
            schur = diagonal  # some target has no support
        L = self.objective.lipschitz[self.candidates.members, None]
        return np.clip(self.candidates.groups.sum(schur[:, None] + rise), 1e-10 * L, L)

    def additions(self):
        """The few best moves that add a group."""
        return self._entering([Move(0.0)], slice(0, 1))

    def swaps(self, drops):
        """The few best moves that add a group after one of `drops`, over all `drops`."""
        return self._entering(drops, slice(1, None)) if drops else []

    def _entering(self, drops, columns):
        squares, curvature = self.squares[:, columns], self.curvature[:, columns]
        costs = np.array([drop.score for drop in drops])
        at, which = np.nonzero(self._worth_a_trial(squares, curvature, costs))
        inside = _Part(self.objective, self.candidates.members[at])
        curvature, drops = curvature[at, which], [drops[i] for i in which]
        gradient = self._gradient_without(at, drops)
        blocks = prox_steps(inside, np.zeros_like(gradient), gradient, curvature)
        gains = inside.groups.sum((gradient * blocks).sum(axis=1)) + inside.values(blocks)
        gains += 0.5 * curvature * inside.groups.norms(blocks) ** 2
        scores = gains + [drop.score for drop in drops]
        ptr = inside.groups.ptr
        return [
            Move(scores[i], drops[i].drop, int(at[i]), blocks[ptr[i] : ptr[i + 1]])
            for i in np.argsort(scores, kind="stable")[:_TRIALS]
            if gains[i] < 0
        ]

    def _worth_a_trial(self, squares, curvature, costs):
        """Mask of candidates, after each drop, that may enter with a score worth a trial.

        A block that leaves zero has norm r or more, so its penalty is at least strength·r^power.
        """
        penalty, strengths = self.objective.penalty, self.candidates.strengths[:, None]
        least = penalty.holding(strengths, curvature)
        r = penalty.jump(strengths, curvature)
        scores = costs + strengths * r**penalty.power - 0.5 * squares / curvature
        return (squares > least**2) & (scores < self.saving)

    def _gradient_without(self, at, drops):
        """∇ of the candidates `at`, each after its own one of `drops`, stacked as rows."""
        rows = self.candidates.groups.features(at)
        gradient = self.gradient[self.candidates.features[rows]]
        if self.pulls:
            drops = np.array([-1 if drop.drop is None else drop.drop for drop in drops], dtype=int)
            drops = np.repeat(drops, self.candidates.groups.sizes[at])
            for system, B in zip(self.systems, self.B, strict=True):
                own = np.flatnonzero(np.isin(system.owner, drops))
                gone = system.owner[own] == drops[:, None]
                gradient[:, system.targets] -= (
                    np.where(gone, B[rows[:, None], own], 0.0) @ system.force[own]
                )
        return gradient

    def after(self, moves):
        """The `Trial` after the moves, with the other groups adapting in the quadratic model."""
        entering = [move for move in moves if move.add is not None]
        at = np.array([move.add for move in entering], dtype=int)
        new = np.asarray(self.candidates.groups.features(at), dtype=int)
        features = self.candidates.features[new]
        blocks = np.concatenate([move.block for move in entering] or [self.W[:0]])
        dropped = np.array([move.drop for move in moves if move.drop is not None], dtype=int)
        change, D = 0.0, np.zeros_like(self.W)
        if entering:
            G = self.objective.smooth.block(features)
            change += np.vdot(blocks, self.gradient[features] + 0.5 * G @ blocks)
        gradient = self.gradient[self.support.features]
        for system, B in zip(self.systems, self.B, strict=True):
            change += system.adapt(D, B[new], self.cross[new], blocks, dropped, gradient)
        W = self.W + D
        penalty = self.support.values(W).sum()
        penalty += _Part(self.objective, self.candidates.members[at]).values(blocks).sum()
        everywhere = np.concatenate([self.support.features, features])
        W = np.concatenate([W, blocks])
        return Trial(self.loss + change + penalty, W, everywhere, self.gradient.shape)
