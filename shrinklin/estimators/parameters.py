r"""The parameters and fitted attributes that estimators share, described once.

`documented` copies the descriptions into docstrings. In the source of a docstring, a line
``$groups, $tol`` stands for the entries of `groups` and `tol`, and a line ``$parameters`` for
those of all parameters, in the order of the signature, from which the defaults are taken too.
All other lines stay as they are, so an estimator can write an entry of its own between them.

Inside a description, ``$words`` stand for what differs between kinds of estimators.
"""

import re
from collections.abc import Callable, Mapping
from inspect import Parameter, cleandoc, signature
from string import Template
from textwrap import wrap
from typing import TypeVar

_Documented = TypeVar("_Documented", bound=Callable)

_PARAMETERS = r"""
alpha : float
    $strength, the strength of the penalty, >= 0. A larger value keeps fewer features. The
    default suits standardised $standardised.
alphas : int or array-like of shape (n_alphas,)
    Number of alphas, evenly spaced on a logarithmic scale from $largest_alpha down to `eps`
    times that alpha; or the alphas themselves, in any order.
eps : float
    Ratio of the smallest to the largest alpha, in (0, 1), if `alphas` is a number.$continued
ridges : float or array-like of shape (n_ridges,)
    The values of `ridge` to choose from. $why_ridges
relax : bool or array-like of shape (n_refits,)
    Whether to choose from refits too: models with the features of a penalised one, whose
    coefficients minimise the loss and a ridge alone. An array has the ridges of the refits. True
    means $refits. $not_zero
max_features : int
    The largest number of features that the chosen model may keep. None means any number. If all
    models keep more, one with the fewest is chosen, with a warning.
cv : int, splitter or iterable
    Number of folds, a splitter, or (training rows, held-out rows) of every fold, as in
    `sklearn.model_selection.GridSearchCV`. None means 5 folds$stratified. The folds are
    drawn once, for all alphas.
scoring : str or callable
    Name of a score of scikit-learn, or a callable with the arguments (estimator, X, y), as in
    `sklearn.model_selection.GridSearchCV`. A callable gets the held-out rows of X and y in the
    type that was given to `fit`. None means $default_score. $all_classes The method `score`
    uses the same score, but $score if `scoring` is None.
selection : {"best", "1se", "sparsest"}
    "best" takes the model with the best mean score, the first in `cv_results_` of equal ones. "1se"
    takes the model with the fewest features among those whose mean score is within one standard
    error of the best. The standard error is the standard deviation of the scores of the best
    alpha over the folds, divided by the square root of the number of folds. "sparsest" does the
    same with one standard deviation instead. Among models with equally few features, the one
    with the best mean score is taken.
weight_decay : float
    λ₂ > 0. It acts only through κ. None takes the λ₂ for which κ equals alpha. $no_decay
p : {1, 2}
    Norm of the weights. With p = 1, a kept feature may have zero coefficients for some $outputs.
    $any_p
ridge : float
    ρ >= 0, the strength of a further penalty :math:`\frac{\rho}{2} \sum_g \|W_g\|^2` on the
    coefficients of penalised features. It holds back coefficients of correlated features, and of
    features that separate the classes.
groups : array-like of shape (n_features,), dict, Series or callable
    One label per feature. Features with the same label $together. None makes every feature its
    own group. A dict and a pandas Series give the labels by the names of the columns of X, and may
    have further names. A callable is called in every fit with these names, or with the number of
    features if X has none, and returns the labels: `ByColumn` does so for encoded columns.
feature_weights : array-like of shape (n_features,), dict, Series or callable
    ω, one weight >= 0 per feature, equal within a group. 0 leaves the feature unpenalised. None
    means 1 or, with `groups`, the square root of the number of features in the group. If a
    feature is its own group, its weight ω has the same effect as dividing its column by $scale.
    By names or by a callable, as for `groups`.
l1_ratio : float
    τ in [0, 1], the share of the penalty that goes to single coefficients. 0 is the group lasso,
    which keeps or leaves out whole groups. 1 is the lasso. In between, the sparse group lasso also
    sets single coefficients of the groups it keeps to zero. It is not the `l1_ratio` of
    scikit-learn's `ElasticNet`, whose other part is what `ridge` is here. $no_gradient
positive : bool
    Whether all coefficients have to be >= 0, those of unpenalised features too. $two_classes
    $no_gradient
fit_intercept : bool
    Whether to fit an intercept, which is never penalised. If False, it is 0.
class_weight : dict, "balanced" or None
    Factors of the sample weights: a dict of class label to factor, >= 0. A label that the dict
    leaves out has factor 1. A dict with labels that y lacks must contain all labels of y.
    "balanced" gives every class the same total weight.
solver : "auto" or instance of $exact$or_gradient
    "auto" is ``$exact()``, which is exact. $gradient
max_iter : int
    Maximum number of sweeps over the coordinates$in_descent. $only_exact_solver
tol : float
    $stop. $only_exact_solver
n_jobs : int
    Number of paths to solve in parallel; there is one path per fold and one for all data. None
    means 1, -1 means all cores. The results are the same to the last bit.
warm_start : bool
    $start from the previous `coef_`, if it has the same shape.
random_state : int, RandomState or None
    Seed of `GradientDescent`$and_partial_fit, for the initial parameters and the order of the
    samples. The exact solver draws no random numbers.
verbose : int
    1 shows a progress bar (needs tqdm, in the extra ``plot``) and prints a summary.
"""

_ATTRIBUTES = r"""
alpha_ : float
    The chosen alpha.
alphas_ : ndarray of shape (n_alphas,)
    All alphas of the chosen ridge, from large to small.
ridge_ : float
    The chosen ridge.
refit_ridge_ : float or None
    The ridge of the chosen refit; None if the chosen model is penalised.
cv_scores_ : ndarray of shape (n_alphas, n_folds)
    Scores on the held-out rows of the models in `path_`; larger is better.
cv_results_ : dict of str to ndarray
    All models: "alpha", "ridge", "refit_ridge" (NaN for penalised ones), "n_features", "mean_score"
    and "std_score" (ddof=0) over the folds. ``pandas.DataFrame(cv_results_)`` makes a table of it.
score_name_ : str
    Name of the score in `cv_scores_`; "score" if `scoring` is a callable.
n_selected_ : ndarray of shape (n_alphas,)
    Number of features that each model of `path_` keeps.
path_ : $path
    The models of all data at the chosen ridge, one per alpha; their refits if one was chosen.
classes_ : ndarray of shape (n_classes,)
    The class labels, sorted.
coef_ : ndarray of shape $coef_shape
    The coefficients, $coef. Features that are left out have exact zeros.
switch_ : ndarray of shape (n_features,)
    The switches β; features of a group share one value. $sign
weight_ : ndarray, same shape as `coef_`
    The weights A.
intercept_ : $intercept
    The intercept b.
n_iter_ : int
    Number of sweeps$in_last_descent$or_epochs.
objective_ : float
    Value of the objective at the fitted model$last_rows.
cost_ : CostMeter
    The cost of $work, counted without a clock.
history_ : dict of str to ndarray
    Only after $training by `GradientDescent`: "epoch", "loss", "penalty", "n_alive" and the cost
    so far, at the start and after every epoch.
residual_ : float
    $only_exact_fit Distance from optimality,
    :math:`\max_g \sqrt{L_g}\|W_g - \mathrm{prox}(W_g - \nabla_g f/L_g)\|`, relative to
    :math:`\max_g\|\nabla_g f(0)\|/\sqrt{L_g}`, where L_g $curvature of the Hessian of the
    group. $optimum
dual_gap_ : float
    $only_exact_fit Upper bound on how far the objective lies above its minimum. It includes
    rounding errors: the minimum is at least ``objective_ - dual_gap_``. Unpenalised features that
    are collinear up to rounding count as collinear.
moments_ : Moments
    Only after `partial_fit`: the moments of all data given so far.
n_features_in_ : int
    Number of features.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the features. Only if all column names of X are strings.
target_names_in_ : ndarray of shape (n_targets,)
    Names of the targets: the column names of a DataFrame y, or the name of a Series. Only if all
    are strings.
"""

REGRESSION = {
    "standardised": "features and targets",
    "outputs": "targets",
    "coef_shape": "(n_features,) or (n_targets, n_features)",
    "intercept": "float or ndarray of shape (n_targets,)",
    "curvature": "is the largest eigenvalue",
    "exact": "CoordinateDescent",
    "or_gradient": " or GradientDescent",
    "gradient": "`GradientDescent` trains like the ShrinkNets paper, to study what early removal "
    "of features costs and saves.",
    "only_exact_solver": "Only the exact solver uses it.",
    "only_exact_fit": "Only after an exact fit.",
    "and_partial_fit": "",
    "or_epochs": ", or of epochs",
    "last_rows": "",
    "training": "training",
    "stratified": "",
    "default_score": '"neg_mean_squared_error", minus the mean squared error over samples and '
    "targets",
    "all_classes": "",
    "score": "R²",
    "path": "RegressionPath",
    "continued": "",
    "two_classes": "",
    "why_ridges": "A ridge may help if features are correlated.",
    "refits": "(0, 0.001, 0.01, 0.1)",
    "not_zero": "",
}

CLASSIFICATION = REGRESSION | {
    "two_classes": "Only for two classes: it then bounds the coefficients of the log-odds of the "
    "second one.",
    "standardised": "features",
    "outputs": "classes",
    "coef_shape": "(n_classes, n_features), or (1, n_features) for two classes",
    "intercept": "ndarray of shape (n_classes,), or (1,) for two classes",
    "curvature": "bounds the eigenvalues",
    "exact": "ProximalNewton",
    "gradient": REGRESSION["gradient"] + " `partial_fit` always trains by gradient steps.",
    "and_partial_fit": " and `partial_fit`",
    "or_epochs": ", of epochs, or of calls of `partial_fit`",
    "last_rows": "; after `partial_fit`, on the rows of the last call",
    "training": "`fit`",
    "stratified": ", stratified by class",
    "default_score": '"neg_log_loss", minus the mean log-loss',
    "all_classes": "A score that needs all class labels gets them, as held-out rows may lack a "
    "class.",
    "score": "accuracy",
    "path": "ClassificationPath",
    "refits": "(0.001, 0.01, 0.1)",
    "not_zero": "A ridge of 0 is refused, as features may separate the classes.",
    "why_ridges": "Where few features separate the classes, a ridge lets more of them in, and "
    "gives better probabilities.",
}

GROUP_LASSO = {
    "strength": "α",
    "largest_alpha": "the smallest one that keeps no penalised feature",
    "together": "are kept or left out together (with `l1_ratio` or `positive`, some of them may "
    "still have zero coefficients)",
    "no_gradient": "Only the exact solver takes it.",
    "scale": "ω",
    "in_descent": "",
    "stop": "The fit ends when `residual_` <= tol and `dual_gap_`, up to rounding, is <= tol "
    "times the loss of zero coefficients",
    "start": "Start",
    "coef": "W'",
    "in_last_descent": "",
    "work": "the fit",
    "optimum": "It is zero at the optimum.",
}

SHRINKNET = {
    "strength": "λ",
    "largest_alpha": "the smallest one at which no single penalised group enters the empty model",
    "no_decay": "`GradientDescent` also accepts 0 and warns, as there is then no minimum.",
    "any_p": "`GradientDescent` accepts any p > 0.",
    "together": "share a switch (with p = 1, some of them may still have zero coefficients)",
    "scale": r":math:`\omega^{3/2}` (p = 2) or :math:`\omega^2` (p = 1)",
    "in_descent": " in one descent",
    "stop": "A descent ends when `residual_` <= tol",
    "start": "Also start",
    "coef": "``weight_ * switch_``",
    "sign": "They are >= 0, except after gradient training.",
    "in_last_descent": " in the last descent",
    "work": "the fit, with all its descents",
    "optimum": "",
}

# For estimators that solve paths, which gradient training does not.
CROSS_VALIDATION = {
    "no_gradient": "",
    "continued": " As long as the best mean score is at the smallest alpha and the models grow, "
    "the path is continued by a third of its alphas, up to three times. With a ridge > 0 it may "
    "end halfway, where small alphas promise no better model.",
    "or_gradient": "",
    "gradient": "`GradientDescent` is not accepted, as it follows no path.",
    "no_decay": "",
    "any_p": "",
    "sign": "They are >= 0.",
    "or_epochs": "",
    "last_rows": "",
    "work": "all paths together",
    "only_exact_solver": "",
    "only_exact_fit": "Of a penalised model. (A refit has no `dual_gap_`, and its `residual_` is "
    "that of the loss and its ridge on its own features.)",
}

# For classes and functions that take another estimator as an argument.
ANY_ESTIMATOR = {
    "continued": "",
    "largest_alpha": GROUP_LASSO["largest_alpha"]
    + " (for ShrinkNet: at which no single penalised group enters the empty model)",
    "path": "RegressionPath or ClassificationPath",
}


def by_name(text):
    """The entries of a section in numpydoc's format, by name."""
    entries = re.split(r"\n(?=\S)", cleandoc(text))
    return {entry.partition(" : ")[0]: entry for entry in entries}


ENTRIES = by_name(_PARAMETERS) | by_name(_ATTRIBUTES)


def documented(
    *kinds: Mapping[str, str], entries: Mapping[str, str] = ENTRIES
) -> Callable[[_Documented], _Documented]:
    """Decorator that completes the docstring of a class or function, as stated above.

    Where several of the `kinds` have the same word, the last one counts. `entries` are the
    descriptions by name, those of linear models by default.
    """
    words = {word: text for kind in kinds for word, text in kind.items()}

    def complete(described):
        if described.__doc__ is not None:  # as it is under python -OO
            described.__doc__ = _completed(described, words, entries)
        return described

    return complete


def _completed(described, words, entries):
    defaults = {name: p.default for name, p in signature(described).parameters.items()}
    lines = []
    for line in cleandoc(described.__doc__).splitlines():
        names = re.findall(r"\$(\w+)", line) if line.startswith("$") else []
        names = list(defaults) if names == ["parameters"] else names
        lines += [
            _entry(entries[name], words, defaults.get(name, Parameter.empty)) for name in names
        ] or [line]
    return "\n".join(lines)


def _entry(entry, words, default):
    head, _, text = Template(entry).substitute(words).partition("\n")
    if default is not Parameter.empty:
        shown = f'"{default}"' if isinstance(default, str) else repr(default)
        head += f", default={shown}"
    # The text is wrapped again, because the words differ in length from their names.
    indent = " " * 4
    body = wrap(
        " ".join(text.split()),
        width=88,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join([head, *body])
