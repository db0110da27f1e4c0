"""The duality gap and alpha_max of sparse group lassos and coefficients >= 0, and wrong ones."""

import numpy as np
import pytest
from scipy.optimize import brentq

from builders import SPARSE_GROUP_LASSOS, build, build_classes, descend, solve
from problems import simulate, simulate_classes
from shrinklin.groups import Groups
from shrinklin.objective import certificate
from shrinklin.penalties.sparse_group_lasso import SparseGroupLasso

every_kind = pytest.mark.parametrize(
    ("l1_ratio", "positive"), SPARSE_GROUP_LASSOS.values(), ids=SPARSE_GROUP_LASSOS
)


def objectives(l1_ratio, positive, **options):
    X, Y = simulate(40, 12, 2, seed=3, correlation=0.5)
    penalty = SparseGroupLasso(l1_ratio, positive)
    labels = np.repeat([0, 1, 2], 4)
    yield build(X, Y, penalty, labels=labels, share=0.1, **options), solve
    X, codes = simulate_classes(60, 12, 2, noise=3)
    yield build_classes(X, codes, penalty, labels=labels, share=0.1, **options), descend


def gap_is_a_bound_and_closes(l1_ratio, positive, **options):
    told = []
    for objective, descent in objectives(l1_ratio, positive, **options):
        best = descent(objective, tol=1e-10)
        told.append(objective.duality_gap(best.W) <= 1e-7 * best.value)
        rng = np.random.default_rng(0)
        for scale in (1e-4, 1e-2, 0.1, 1.0):
            W = best.W + scale * rng.normal(size=best.W.shape) * (best.W != 0)
            W = objective.penalty.within(W)
            excess = objective.value(W) - best.value
            told.append(objective.duality_gap(W) >= excess - 1e-12 * best.value)
    return all(told)


SITUATIONS = {
    "all penalised": {},
    "ridge": {"ridge": 0.3},
    "unpenalised": {"weights": np.repeat([0.0, 1.0, 2.0], 4)},
}


@every_kind
@pytest.mark.parametrize("options", SITUATIONS.values(), ids=SITUATIONS)
def test_the_gap_is_a_bound_and_closes(l1_ratio, positive, options):
    assert gap_is_a_bound_and_closes(l1_ratio, positive, **options)


@pytest.mark.parametrize("ridge", [0.0, 0.5])
@every_kind
def test_the_gap_without_alpha(l1_ratio, positive, ridge):
    for objective, descent in objectives(l1_ratio, positive, ridge=ridge):
        objective = objective.at(0.0)
        if ridge:  # of all groups, as none has a weight of 0
            assert objective.ridges.all()
        best = descent(objective, tol=1e-9)
        assert objective.duality_gap(best.W) <= 1e-6 * objective.smooth.value_at_zero
        W = best.W * 1.01
        assert objective.duality_gap(W) >= objective.value(W) - best.value


def mutant_radial(objective, gradient):
    return objective.groups.norms(gradient)


def mutant_both_signs(objective, gradient):
    penalty = SparseGroupLasso(objective.penalty.l1_ratio, not objective.penalty.positive)
    return mutant_of(penalty)(objective, gradient)


def mutant_other_ratio(objective, gradient):
    return mutant_of(SparseGroupLasso(0.5, objective.penalty.positive))(objective, gradient)


def mutant_of(penalty):
    return lambda objective, gradient: DUAL_NORMS(
        type("Other", (), {**vars(objective), "penalty": penalty, "lipschitz": None}), gradient
    )


DUAL_NORMS = certificate.dual_norms


@pytest.mark.parametrize(
    ("mutant", "l1_ratio", "positive"),
    [
        (mutant_radial, 0.4, False),
        (mutant_radial, 0.0, True),
        (mutant_both_signs, 0.0, True),
        (mutant_both_signs, 0.4, False),
        (mutant_other_ratio, 0.4, False),
    ],
)
def test_a_wrong_dual_norm_is_seen(mutant, l1_ratio, positive, monkeypatch):
    monkeypatch.setattr(certificate, "dual_norms", mutant)
    assert not gap_is_a_bound_and_closes(l1_ratio, positive)


def test_a_bound_taken_for_an_equation_is_seen(monkeypatch):
    # As if features without penalty had to have no gradient at all, not one >= 0.
    monkeypatch.setattr(certificate, "_short", lambda objective, gradient: gradient)
    assert not gap_is_a_bound_and_closes(0.0, True, **SITUATIONS["unpenalised"])


@every_kind
def test_the_critical_strength_is_the_root_of_its_equation(l1_ratio, positive):
    rng = np.random.default_rng(0)
    groups = Groups.from_labels(12, np.repeat([0, 1, 2, 3], [1, 2, 4, 5]))
    for scale in (1e-100, 1.0, 1e100):
        gradient = scale * np.round(rng.normal(size=(12, 3)), 1)  # with ties
        found = SparseGroupLasso(l1_ratio, positive).critical_strength(gradient, None, groups)
        for g, (start, stop) in enumerate(zip(groups.ptr[:-1], groups.ptr[1:], strict=True)):
            z = -gradient[start:stop] / scale if positive else np.abs(gradient[start:stop]) / scale
            l1 = l1_ratio / np.sqrt(stop - start)

            def left(strength, z=z, l1=l1):
                rest = np.linalg.norm(np.maximum(z - strength * l1, 0))
                return rest - (1 - l1_ratio) * strength

            expected = z.max() / l1 if l1_ratio == 1 else brentq(left, 0, 1e3, xtol=1e-15)
            assert found[g] / scale == pytest.approx(expected, rel=1e-12)
