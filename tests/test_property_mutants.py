"""Each check in `property_checks` rejects estimators that are wrong on purpose."""

import warnings

import numpy as np
import pytest
from scipy import sparse

from drawn import Problem
from property_checks import (
    check_chunks,
    check_cv,
    check_path,
    check_relation,
    check_sound,
    check_trained,
)
from relations import (
    doubled_rows,
    permuted_features,
    permuted_samples,
    permuted_targets,
    scaled_features,
    scaled_targets,
    scaled_weights,
    stored_otherwise,
    weightless_rows,
)
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
)

pytestmark = pytest.mark.untraced


class _WithoutNumbers(GroupLassoRegressor):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.coef_ = self.coef_ * np.nan
        return self


class _Unsteady(GroupLassoRegressor):
    drawn = 0

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        type(self).drawn += 1
        self.coef_ = self.coef_ * (1 + 1e-15 * type(self).drawn)
        return self


class _Doubled(GroupLassoRegressor):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.coef_ = 2.5 * self.coef_
        self.objective_ = float(2 * self.objective_)
        return self


class _Rough(GroupLassoRegressor):
    """Stops early and says that it did not."""

    def fit(self, X, y, sample_weight=None):
        tol, self.tol = self.tol, 1e-1
        super().fit(X, y, sample_weight)
        self.tol, self.residual_ = tol, 0.0
        return self


class _Chatty(GroupLassoRegressor):
    def fit(self, X, y, sample_weight=None):
        warnings.warn("divided by zero", RuntimeWarning, stacklevel=2)
        return super().fit(X, y, sample_weight)


class _Uncentred(GroupLassoRegressor):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.intercept_ = self.intercept_ * (1 + 1e-4)
        return self


class _SwitchOff(ShrinkNetRegressor):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.switch_ = self.switch_ * (1 + 1e-13)
        return self


class _Wide(GroupLassoRegressor):
    def get_support(self, indices=False):
        return np.ones(self.n_features_in_, bool)


SOUND_MUTANTS = [
    _WithoutNumbers, _Unsteady, _Doubled, _Rough, _Chatty, _Uncentred, _SwitchOff, _Wide
]  # fmt: skip


@pytest.mark.parametrize("mutant", SOUND_MUTANTS)
def test_a_fit_that_is_not_sound_is_rejected(mutant):
    penalty = "p=2" if issubclass(mutant, ShrinkNetRegressor) else "group lasso"
    problem = Problem(penalty=penalty, n_samples=20, n_features=5, columns="far", share=0.2)
    check_sound(problem)
    with pytest.raises(AssertionError):
        check_sound(problem, mutant)


class _FirstHalf(GroupLassoRegressor):
    """Uses only the first half of the rows."""

    def fit(self, X, y, sample_weight=None):
        half = (X.shape[0] + 1) // 2
        return super().fit(X[:half], y[:half], sample_weight)


class _FirstFeature(GroupLassoRegressor):
    def fit(self, X, y, sample_weight=None):
        X = X.copy()
        X[:, 1:] = 0.0
        return super().fit(X, y, sample_weight)


class _FirstTarget(GroupLassoRegressor):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y * (np.arange(y.shape[1]) == 0), sample_weight)


class _Weightless(GroupLassoRegressor):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y)


def scaled(formulation, factor):
    """The same formulation with its strength times a factor."""

    class Scaled(type(formulation)):
        def strength(self, alpha):
            return factor * super().strength(alpha)

    return Scaled(**vars(formulation))


class _CountsRows(GroupLassoRegressor):
    """Penalises as if the loss were a sum over rows, not a mean."""

    def _formulation(self):
        return scaled(super()._formulation(), 1 / self.rows)

    def fit(self, X, y, sample_weight=None):
        self.rows = X.shape[0]
        return super().fit(X, y, sample_weight)


class _HeavyWeights(GroupLassoRegressor):
    """Does not divide by the sum of the weights."""

    def fit(self, X, y, sample_weight=None):
        self.sum = 1.0 if sample_weight is None else float(np.mean(sample_weight))
        return super().fit(X, y, sample_weight)

    def _formulation(self):
        return scaled(super()._formulation(), 1 / self.sum)


class _Relative(GroupLassoRegressor):
    """Sets coefficients to zero below an absolute tolerance."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.coef_ = np.where(np.abs(self.coef_) < 0.3, 0.0, self.coef_)
        return self


class _Cold(GroupLassoRegressor):
    """Ends at zero after a warm start."""

    def fit(self, X, y, sample_weight=None):
        warm = self.warm_start
        super().fit(X, y, sample_weight)
        if warm:
            self.coef_ = 0 * self.coef_
        return self


class _NoFeatureWeights(GroupLassoRegressor):
    def _problem(self, solver=None):
        self.feature_weights, kept = None, self.feature_weights
        try:
            return super()._problem(solver)
        finally:
            self.feature_weights = kept


class _Csr(GroupLassoRegressor):
    """Adds 1 to the stored entries of sparse data."""

    def fit(self, X, y, sample_weight=None):
        X = X + 1.0 * (X.toarray() != 0) if sparse.issparse(X) else X
        return super().fit(X, y, sample_weight)


RELATION_MUTANTS = [
    (_FirstHalf, permuted_samples, {}),
    (_FirstFeature, permuted_features, {}),
    (_FirstTarget, permuted_targets, {"n_targets": 3}),
    (_Weightless, weightless_rows, {}),
    (_CountsRows, doubled_rows, {}),
    (_HeavyWeights, scaled_weights, {}),
    (_Relative, scaled_targets, {}),
    (_NoFeatureWeights, scaled_features, {}),
    (_Csr, stored_otherwise, {"columns": "sparse", "fit_intercept": False}),
    (_Cold, permuted_samples, {}),
]


@pytest.mark.parametrize(("mutant", "relation", "drawn"), RELATION_MUTANTS)
def test_a_fit_that_depends_on_how_it_is_said_is_rejected(mutant, relation, drawn):
    problem = Problem(n_samples=20, n_features=5, **drawn)
    check_relation(problem, relation)
    with pytest.raises(AssertionError):
        check_relation(problem, relation, mutant)


class _Restless(GroupLassoRegressor):
    """Draws from a generator that nobody seeded."""

    def fit(self, X, y, sample_weight=None):
        self.random_state = None
        return super().fit(X, y, sample_weight)


def test_training_from_another_seed_is_rejected():
    with pytest.raises(AssertionError):
        check_trained(Problem(n_samples=20), 0.05, None, 4, _Restless)


class _PathOfHalf(GroupLassoRegressor):
    def _formulation(self):
        return scaled(super()._formulation(), 0.5)


class _LastChunk(GroupLassoRegressor):
    def partial_fit(self, X, y, sample_weight=None):
        return self.fit(X, y, sample_weight)


def test_a_path_of_other_alphas_is_rejected():
    with pytest.raises(AssertionError):
        check_path(Problem(n_samples=20), 4, _PathOfHalf)


class _OtherAlpha(GroupLassoRegressorCV):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.alpha_ = self.alphas_[0]
        return self


def test_a_model_of_another_alpha_than_was_chosen_is_rejected():
    problem = Problem(n_samples=20)
    check_cv(problem)
    with pytest.raises(AssertionError):
        check_cv(problem, _OtherAlpha)


def test_forgotten_chunks_are_rejected():
    with pytest.raises(AssertionError):
        check_chunks(0, 4, 2, "group lasso", 12, _LastChunk)


def test_classifiers_are_held_to_the_same():
    class Biased(GroupLassoClassifier):
        def _formulation(self):
            return scaled(super()._formulation(), 2 if self.classes_first else 1)

        def fit(self, X, y, sample_weight=None):
            self.classes_first = y[0] == 0
            return super().fit(X, y, sample_weight)

    problem = Problem(task="classification", n_samples=20, n_targets=2, share=0.3)
    with pytest.raises(AssertionError):
        check_relation(problem, permuted_targets, Biased)


def test_searches_of_the_bridge_may_not_lie_far_apart():
    class Greedy(ShrinkNetClassifier):
        def _formulation(self):
            return scaled(super()._formulation(), 30 if self.first > 0 else 1)

        def fit(self, X, y, sample_weight=None):
            self.first = X[0, 0]
            return super().fit(X, y, sample_weight)

    problem = Problem(task="classification", penalty="p=2", n_samples=20, share=0.05)
    with pytest.raises(AssertionError):
        check_relation(problem, permuted_samples, Greedy)
