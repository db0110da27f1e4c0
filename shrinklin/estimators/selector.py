"""`transform` and `inverse_transform` of everything that selects features."""

from sklearn.feature_selection import SelectorMixin

from shrinklin.validation.entries import check_unmasked


class CheckedSelector(SelectorMixin):
    """A selector that refuses masked entries."""

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
