"""The parameters and fitted attributes of the estimators, described once.

As in `shrinklin.estimators.parameters`.
"""

from shrinklin.estimators.parameters import by_name

ENTRIES = by_name(
    r"""
hidden_layer_sizes : int or sequence of int
    Number of units in each hidden layer before training. It only has to be large enough: training
    removes the units that it does not need.
alpha : float
    λ >= 0, the strength of the penalty on switches. A larger value keeps fewer features and
    units. None means 0.05 / √n, with n the sum of the sample weights.
weight_decay : float
    λ₂ >= 0, the strength of the penalty on weights. None means $decay / n.
p : float
    The exponent of the penalty on weights, > 0.
n_parameters : int
    The largest number of weights and biases that the network may end with. None leaves it to the
    penalty.
sizes : int or sequence of int
    The sizes to choose from: the largest numbers of weights and biases. An int is the number of
    sizes, from a half to a hundredth of the network before training, at equal ratios.
n_features : int
    The number of features to keep. None leaves it to the penalty.
removal : "auto", $removal
    Which features and units are removed during training: one strategy for all layers, or a dict
    with one per layer. The layers are "input" (the features), and "0", "2", "4", … for the hidden
    layers, as in `module_`. "auto" is ``SignVariance(gamma=0.9)``, and a schedule where
    `n_parameters` or `n_features` is given. A `ConnectionAnnealing` prunes single weights instead:
    there are no switches then, and alpha is 0 unless it is given. None removes nothing.
optimizer : {"adam", "sgd"} or subclass of torch.optim.Optimizer
    "sgd" has Nesterov momentum 0.9. A class is called with the parameters and ``lr``.
learning_rate : float
    > 0. It is constant for the first 70 % of the epochs and then falls to 0 along a cosine.
batch_size : "auto" or int
    Rows per step. "auto" means min(200, n_samples).
max_epochs : int
    Number of passes over the data. None means 100, or as many as make 500 steps if these are more.
early_stopping : bool
    Whether to hold out rows and to let the learning rate fall early, once their score has not
    improved for a tenth of `max_epochs` (at least 10 epochs). The final model is then the best on
    these rows since the rate began to fall. A removal strategy with a schedule runs to its end.
validation_fraction : float
    Share of rows that `early_stopping` holds out, in (0, 1)$stratified.
device : str or torch.device
    Where to train, such as "cuda". The fitted model is on the CPU.
random_state : int, RandomState or None
    Seed of the initial weights, the order of the rows and the choice of held-out rows.
verbose : int
    1 shows a progress bar (needs tqdm).
warm_start : bool
    Whether `fit` starts from the network of the last fit, without the features and units that
    were removed. It needs X with the same columns.
cv : int, splitter or iterable
    Number of folds, a splitter, or (training rows, held-out rows) of every fold, as in
    `sklearn.model_selection.GridSearchCV`. None means 5 folds$stratified.
scoring : str or callable
    Name of a score of scikit-learn, or a callable with the arguments (estimator, X, y). None means
    $default_score. The method `score` uses the same score, but $score if `scoring` is None.
selection : {"best", "1se", "sparsest"}
    "best" takes the size with the best mean score. "1se" takes the smallest network whose mean
    score is within one standard error of the best, and "sparsest" within one standard deviation
    over the folds.
n_jobs : int
    Number of paths to train in parallel; there is one path per fold and one for all data. None
    means 1, -1 means all cores. The results are the same to the last bit.
memory : str or joblib.Memory
    Where trained paths are kept, as in `sklearn.pipeline.Pipeline`: a folder or a cache. A fit that
    was killed then goes on with the folds that it lacks, if data, parameters and random state are
    the same. None keeps nothing.
class_weight : dict, "balanced" or None
    Factors of the sample weights: a dict of class label to factor, >= 0. A label that the dict
    leaves out has factor 1. "balanced" gives every class the same total weight.
module_ : torch.nn.Sequential
    The trained network, of plain torch layers in the dtype of X (float64 where means are more than
    1000 standard deviations). It takes the kept columns of X as
    they are, without standardisation, and returns $returns.
layer_sizes_ : list of int
    The number of features kept, of units in each hidden layer, and of outputs.
n_parameters_ : int
    Number of weights and biases of `module_`.
n_connections_ : dict of str to int
    Only with `ConnectionAnnealing`: how many weights of each layer of `module_` are not 0.
n_epochs_ : int
    Number of epochs, or of calls of `partial_fit`.
history_ : dict
    What happened, by epoch: ``history`` of `Shrinker`. "loss" is the mean loss of the objective.
cost_ : CostMeter
    The cost of training, counted without a clock.
path_ : list of $single
    The networks of all data, from large to small. They predict and transform, but have no
    history and cost of their own.
cv_scores_ : ndarray of shape (n_sizes, n_folds)
    Scores on the held-out rows, in the order of `path_`; larger is better.
score_name_ : str
    Name of the score in `cv_scores_`; "score" if `scoring` is a callable.
validation_scores_ : list of float
    Only with `early_stopping`: $score of the held-out rows after each epoch.
best_validation_score_ : float
    Only with `early_stopping`: that of the fitted model.
classes_ : ndarray of shape (n_classes,)
    The class labels, sorted.
n_features_in_ : int
    Number of features.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the features. Only if all column names of X are strings.
"""
)

REGRESSION = {
    "removal": "Removal, dict of str to Removal, ConnectionAnnealing or None",
    "decay": "10",
    "stratified": "",
    "returns": "the targets, shape (n_samples, n_targets)",
    "score": "R²",
    "default_score": '"neg_mean_squared_error", minus the mean squared error',
    "single": "ShrinkNetMLPRegressor",
}
CLASSIFICATION = REGRESSION | {
    "decay": "1.5",
    "stratified": ", stratified by class",
    "returns": "log-odds: one column for two classes, else one per class",
    "score": "accuracy",
    "default_score": '"neg_log_loss", minus the mean log-loss',
    "single": "ShrinkNetMLPClassifier",
}
