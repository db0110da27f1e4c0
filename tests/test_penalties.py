"""Every prox is the minimiser it says it is, and wrong ones are told apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import PENALTIES, allowed, compiled_prox, every_penalty, prox, sparse_group_norm
from oracles import bridge
from shrinklin.groups import Groups
from shrinklin.penalties.bridge1 import Bridge1
from shrinklin.penalties.bridge2 import Bridge2
from shrinklin.penalties.group_lasso import GroupLasso
from shrinklin.penalties.sparse_group_lasso import SparseGroupLasso


def prox_value(phi, w, z, t):
    return 0.5 * ((w - z) ** 2).sum() + t * phi(w)


def candidates(z, seed=0):
    """Zero, rays along z, soft-thresholded z, and neighbours at all distances."""
    rng = np.random.default_rng(seed)
    yield np.zeros_like(z)
    for scale in np.linspace(0, 1.2, 241):
        yield scale * z
    for mu in np.linspace(0, np.abs(z).max(), 200):
        yield np.sign(z) * np.maximum(np.abs(z) - mu, 0)
        for scale in (0.5, 0.9):
            yield scale * np.sign(z) * np.maximum(np.abs(z) - mu, 0)
    for step in 10.0 ** -np.arange(1, 7):
        yield z + step * rng.normal(size=z.shape)


def is_minimiser(w, phi, z, t):
    """Whether no candidate and no neighbour of w is better."""
    least = prox_value(phi, w, z, t)
    slack = 1e-10 * (1 + (z**2).sum())
    rng = np.random.default_rng(0)
    near = (w + step * rng.normal(size=w.shape) for step in 10.0 ** -np.arange(1, 6))
    shrunk = (w * factor for factor in (1 - 1e-3, 1 + 1e-3, 0.0))
    others = (*candidates(z), *near, *shrunk)
    return all(least <= prox_value(phi, other, z, t) + slack for other in others)


vectors = st.lists(
    st.floats(-5, 5, allow_nan=False).map(lambda x: round(x, 3)), min_size=1, max_size=5
).map(np.array)


@every_penalty
@settings(max_examples=60, deadline=None)
@given(z=vectors, t=st.floats(1e-3, 5))
def test_prox_beats_every_candidate(penalty, z, t):
    assert is_minimiser(prox(penalty, z, t), PENALTIES[penalty], z, t)


@every_penalty
@settings(max_examples=60, deadline=None)
@given(z=vectors, t=st.floats(0, 5))
def test_compiled_prox_is_the_plain_one(penalty, z, t):
    # Plain Python raises where compiled code could go on with NaN.
    plain = prox(penalty, z, t)
    np.testing.assert_allclose(compiled_prox(penalty, z, t), plain, rtol=1e-13, atol=1e-300)


def threshold(penalty, z):
    """Least t at which the prox of t φ at z is zero."""
    groups = Groups.from_labels(len(z), [0] * len(z))
    return penalty.critical_strength(-z[:, None], np.ones(1), groups)[0]


@every_penalty
@pytest.mark.parametrize("size", [1, 2, 7])
def test_prox_on_both_sides_of_its_threshold(penalty, size):
    for seed in range(20):
        z = allowed(penalty, np.random.default_rng(seed).normal(size=size))
        t = threshold(penalty, z)
        assert not prox(penalty, z, t * (1 + 1e-9)).any()
        assert prox(penalty, z, t * (1 - 1e-9)).any()


@every_penalty
@pytest.mark.parametrize("size", [1, 2, 7])
def test_what_a_penalty_holds_does_not_move(penalty, size):
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        z, c, s = rng.normal(size=size), 10 ** rng.uniform(-2, 2), 10 ** rng.uniform(-2, 2)
        within = np.linalg.norm(z) <= penalty.holding(s, c, Groups.from_labels(size, [0] * size))
        moved = prox(penalty, z / c, s / c)
        assert not (within and moved.any())
        if moved.any() and not penalty.convex:
            assert np.linalg.norm(moved) >= penalty.jump(s, c) * (1 - 1e-9)
        held += within
    assert 20 < held < 180


@every_penalty
@pytest.mark.parametrize(("c", "s"), [(1.0, 1.0), (30.0, 0.2)])
def test_a_single_entry_is_held_no_further(penalty, c, s):
    # There every norm is the absolute value, and `holding` is the threshold itself.
    z = np.array([penalty.holding(s, c) * (1 + 1e-8)])
    assert prox(penalty, z / c, s / c).any()


def test_features_without_variance_are_never_let_in():
    for penalty in (Bridge2(), Bridge1()):
        np.testing.assert_array_equal(penalty.holding(np.ones(2), np.array([0.0, 1.0]))[:1], 0)


def test_bridge2_jumps_to_half():
    z = np.array([3.0, -4.0])
    just_above = prox(Bridge2(), z, threshold(Bridge2(), z) * (1 - 1e-12))
    np.testing.assert_allclose(just_above, z / 2, rtol=1e-5)


@every_penalty
def test_prox_of_no_penalty_is_the_identity(penalty):
    z = allowed(penalty, np.array([0.3, -2.0, 0.0]))
    np.testing.assert_array_equal(prox(penalty, z, 0.0), z)


@every_penalty
@pytest.mark.parametrize("scale", [1e-120, 1e-8, 1e8, 1e120])
def test_prox_follows_the_scale(penalty, scale):
    # φ(cw) = c^power φ(w), so prox(cz, c^{2 − power} t) = c prox(z, t).
    z, t = np.array([0.7, -1.1, 0.2]), 0.2
    expected = scale * prox(penalty, z, t)
    z, t = scale * z, scale ** (2 - penalty.power) * t
    np.testing.assert_allclose(prox(penalty, z, t), expected, rtol=1e-12)
    np.testing.assert_allclose(compiled_prox(penalty, z, t), expected, rtol=1e-12)


def run(prox, z, t):
    out = np.empty_like(z)
    prox(z, t, out)
    return out


def mutant_scale(factor):
    def prox(z, t, out):
        Bridge2.prox(z, factor * t, out)

    return prox


def mutant_late_threshold(z, t, out):
    Bridge2.prox(z, t, out)
    if np.linalg.norm(z) < 1.1 * 2 * (2 * t / 3) ** 0.75:
        out[:] = 0


def mutant_wrong_power(z, t, out):
    # The prox of ‖·‖₂^{1/2} by a fixed point, in place of power 2/3.
    norm = np.linalg.norm(z)
    x = norm
    for _ in range(200):
        x = norm - 0.5 * t / np.sqrt(x) if x > 1e-9 else 0.0
    out[:] = z * (x / norm if norm > 0 and x > 0 else 0)


def mutant_soft_threshold(z, t, out):
    out[:] = np.sign(z) * np.maximum(np.abs(z) - t / 2, 0)


def mutant_keeps_all(z, t, out):
    """That of Bridge1 with every entry kept instead of the consistent k."""
    Z, k = np.abs(z).sum(), z.size
    cosine = 0.75 * np.sqrt(3) * k * t / Z**1.5 if Z > 0 else 2.0
    if cosine > 1:
        out[:] = 0
        return
    u = 2 * np.sqrt(Z / 3) * np.cos(np.arccos(-cosine) / 3)
    out[:] = z - np.sign(z) * t / (2 * u)


def mutant_group_first(z, t, out):
    """That of the sparse group lasso with its two steps in the other order."""
    GroupLasso.prox(z, 0.7 * t, out)
    s = 0.3 * t / np.sqrt(len(z))
    out[:] = np.sign(out) * np.maximum(np.abs(out) - s, 0)


def mutant_without_size(z, t, out):
    SparseGroupLasso(0.3).prox(z, 0.7 * t, 0.3 * t, out)


def mutant_bound_last(z, t, out):
    GroupLasso.prox(z, t, out)
    out[:] = np.maximum(out, 0)


@pytest.mark.parametrize(
    ("mutant", "penalty", "phi"),
    [
        (mutant_scale(1.01), Bridge2(), bridge(2)),
        (mutant_scale(0.99), Bridge2(), bridge(2)),
        (mutant_late_threshold, Bridge2(), bridge(2)),
        (mutant_wrong_power, Bridge2(), bridge(2)),
        (mutant_soft_threshold, Bridge1(), bridge(1)),
        (mutant_keeps_all, Bridge1(), bridge(1)),
        (GroupLasso.prox, Bridge2(), bridge(2)),
        (Bridge2.prox, GroupLasso(), np.linalg.norm),
        (mutant_group_first, SparseGroupLasso(0.3), sparse_group_norm(0.3)),
        (mutant_without_size, SparseGroupLasso(0.3), sparse_group_norm(0.3)),
        (mutant_bound_last, SparseGroupLasso(0.0, True), sparse_group_norm(0.0, True)),
    ],
)
def test_wrong_prox_is_rejected(mutant, penalty, phi):
    rng = np.random.default_rng(0)
    vectors = [2 * rng.normal(size=4) for _ in range(10)]
    shares = 0.1, 0.5, 0.9, 0.99
    problems = [(z, share * threshold(penalty, z)) for z in vectors for share in shares]
    assert not all(is_minimiser(run(mutant, z, t), phi, z, t) for z, t in problems)


@every_penalty
def test_values_are_the_definition(penalty):
    phi = PENALTIES[penalty]
    W = allowed(penalty, np.random.default_rng(0).normal(size=(6, 3)))
    W[4:] = 0
    groups = Groups.from_labels(6, ["a", "b", "a", "b", "b", "c"])
    W = W[groups.order]
    blocks = [W[start:stop] for start, stop in zip(groups.ptr[:-1], groups.ptr[1:], strict=True)]
    np.testing.assert_allclose(penalty.values(W, groups), [phi(block) for block in blocks])


def directional_derivatives(penalty, W, groups, strengths, D, h=1e-4):
    """First and second derivative of Σ s φ at W along D, by finite differences."""

    def value(step):
        return strengths @ penalty.values(W + step * D, groups)

    first = (value(h) - value(-h)) / (2 * h)
    second = (value(h) - 2 * value(0) + value(-h)) / h**2
    return first, second


@every_penalty
@pytest.mark.parametrize("labels", [None, [0, 0, 1, 1, 1, 2]])
def test_curvature_against_finite_differences(penalty, labels):
    rng = np.random.default_rng(1)
    groups = Groups.from_labels(6, labels)
    strengths = rng.uniform(0.5, 2, len(groups))
    W = allowed(penalty, rng.normal(size=(6, 3)) + np.sign(rng.normal(size=(6, 3))))
    model = penalty.curvature(W, groups, strengths)
    D = rng.normal(size=W.shape)
    first, second = directional_derivatives(penalty, W, groups, strengths, D)
    inner = groups.sum((model.U * D).sum(axis=1))
    np.testing.assert_allclose(np.vdot(model.gradient, D), first, rtol=1e-6)
    np.testing.assert_allclose(
        (model.d * D**2).sum() - model.e @ inner**2, second, rtol=1e-4, atol=1e-6
    )


def test_a_negative_entry_costs_infinity_even_where_nothing_is_paid():
    groups, W = Groups.from_labels(3, [0, 0, 1]), np.array([[1.0], [2.0], [-1e-300]])
    for penalty in PENALTIES:
        total = penalty.total(W, groups, np.array([1.0, 0.0]))
        assert np.isinf(total) == penalty.positive
        assert np.isfinite(penalty.total(penalty.within(W), groups, np.array([1.0, 0.0])))


@every_penalty
def test_majoriser_touches_and_lies_above(penalty):
    rng = np.random.default_rng(2)
    groups = Groups.from_labels(4, [0, 0, 1, 2])
    strengths = np.array([1.0, 0.3, 2.0])
    W = allowed(penalty, rng.normal(size=(4, 2)))
    majoriser = penalty.curvature(W, groups, strengths).majoriser
    here = strengths @ penalty.values(W, groups)
    for _ in range(300):
        other = W * allowed(penalty, rng.normal(size=W.shape)) * 2
        bound = here + 0.5 * (majoriser * (other**2 - W**2)).sum()
        assert strengths @ penalty.values(other, groups) <= bound + 1e-12


def test_zero_blocks_have_no_curvature():
    groups = Groups.from_labels(3)
    W = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    for penalty in PENALTIES:
        model = penalty.curvature(W, groups, np.ones(3))
        np.testing.assert_array_equal(model.smooth.any(axis=1), [False, True, False])
        for array in (model.gradient, model.d, model.U, model.majoriser):
            assert not array[[0, 2]].any()


@every_penalty
def test_a_group_that_pays_nothing_has_no_kink(penalty):
    groups = Groups.from_labels(4, [0, 0, 1, 2])
    W = allowed(penalty, np.array([[1.0, 2.0], [0.5, -1.0], [1.0, 1.0], [0.0, 0.0]]))
    for strength in (0.0, 1.0):
        model = penalty.curvature(W, groups, np.array([strength, 1.0, 1.0]))
        crossed = penalty.crossed(-W, model, groups)
        assert crossed[:2].all() == (strength > 0 or penalty.positive)
        assert crossed[2].all()
        assert not crossed[3].any()
