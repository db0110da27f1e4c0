"""`transform` and `inverse_transform` of everything that selects features."""

from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin

from shrinklin.messages import warn
from shrinklin.validation.entries import check_unmasked
from shrinklin.version import __version__

# Key of a pickle's version. scikit-learn stores the version of its own classes only.
_PICKLED_BY = "_shrinklin_version"


def linear_model(fitted):
    """What has the coefficients: the model that an `InformationCriterion` chose, or itself."""
    return getattr(fitted, "estimator_", fitted)


class CheckedSelector(SelectorMixin):
    """A selector that refuses masked entries."""

    def get_support(self, indices=False):
        """Which features the model keeps.

        Parameters
        ----------
        indices : bool, default=False
            Whether to return their positions.

        Returns
        -------
        ndarray of shape (n_features,), or of shape (n_selected_features,) with `indices`
            A mask, or the positions.

        Notes
        -----
        The estimator is a selector itself, which can be a step of a pipeline.
        `sklearn.feature_selection.SelectFromModel` around a linear model has a threshold of its
        own, below which it drops features that the model keeps: the mean size of the
        coefficients or, if the name of the class contains "Lasso", 1e-5. With
        ``threshold=1e-30`` it keeps the same features.
        """
        return super().get_support(indices)

    def transform(self, X):
        """Reduce X to the selected features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        {ndarray, sparse matrix, DataFrame} of shape (n_samples, n_selected_features)
        """
        check_unmasked("X", X)
        return super().transform(X)

    def inverse_transform(self, X):
        """Put columns of zeros where `transform` left features out.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_selected_features)

        Returns
        -------
        {ndarray, sparse matrix} of shape (n_samples, n_features)
        """
        check_unmasked("X", X)
        return super().inverse_transform(X)


class Selector(CheckedSelector, BaseEstimator):
    """An estimator that selects features. Its pickles know the version that made them."""

    def __getstate__(self):
        return {**super().__getstate__(), _PICKLED_BY: __version__}

    def __setstate__(self, state):
        version = state.get(_PICKLED_BY, "an unknown version")
        super().__setstate__({name: value for name, value in state.items() if name != _PICKLED_BY})
        if version != __version__:
            warn(
                f"This {type(self).__name__} was pickled by shrinklin {version} and is loaded by "
                f"{__version__}: it may fail or give wrong results. Fit it again, or load it with "
                "the version that pickled it."
            )
