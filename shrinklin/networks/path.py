"""A front of sizes from one training: `shrink_path`."""

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from shrinklin.messages import progress, warn
from shrinklin.networks.course import Course
from shrinklin.networks.structure import in_mode
from shrinklin.selection.choice import choose, standard_errors
from shrinklin.validation.parameters import check_flag, check_whole


@dataclass(frozen=True, eq=False, repr=False)
class ShrinkPath:
    """Networks of several sizes, from large to small, that `shrink_path` found.

    ``len(path)`` is their number, and ``path[i]`` is network i.

    Attributes
    ----------
    models : list of nn.Module
        Plain networks, in evaluation mode.
    n_parameters : ndarray of shape (n_models,)
        Number of parameters of each, with biases.
    layer_sizes : dict of str to ndarray of shape (n_models,)
        Number of units of each layer that could shrink.
    losses : ndarray of shape (n_models,)
        Mean training loss in the last epoch.
    scores : ndarray of shape (n_models, n_rows), or None
        Score of each held-out row, or of each held-out batch without ``score``. None without
        ``validation``.
    """

    models: list
    n_parameters: np.ndarray
    layer_sizes: dict
    losses: np.ndarray
    scores: np.ndarray | None

    def __len__(self):
        return len(self.models)

    def __getitem__(self, i):
        return self.models[i]

    def __repr__(self):
        first, last = self.n_parameters[[0, -1]]
        return f"ShrinkPath({len(self)} models, {first} to {last} parameters)"

    @property
    def mean_scores(self):
        """Mean held-out score of each model: ndarray of shape (n_models,)."""
        return self._scores().mean(axis=1)

    @property
    def standard_errors(self):
        """Standard errors of `mean_scores`: ndarray of shape (n_models,)."""
        return standard_errors(self._scores())

    def choose(self, selection="1se"):
        """The index of a model that held-out scores choose.

        Parameters
        ----------
        selection : {"best", "1se"}, default="1se"
            The model with the best mean score, or the smallest whose mean score is at most a
            standard error below that.

        Returns
        -------
        int
        """
        if selection not in ("best", "1se"):
            raise ValueError(f'selection={selection!r}: give "best" or "1se".')
        if selection == "1se" and self._scores().shape[1] < 2:
            raise ValueError(
                'selection="1se" needs at least two held-out scores: give a score with one '
                "number per row, or several batches."
            )
        return choose(self._scores(), self.n_parameters, selection)

    def _scores(self):
        if self.scores is None:
            raise ValueError("there are no held-out scores: give validation to shrink_path.")
        return self.scores


def shrink_path(
    model,
    batches,
    loss,
    *,
    n_parameters,
    validation=None,
    score=None,
    example_inputs=None,
    optimizer=None,
    max_epochs=40,
    branch_epochs=30,
    inputs=False,
    checkpoint=None,
    verbose=0,
) -> ShrinkPath:
    """Train a network while it shrinks, and return networks of several sizes.

    A copy of the network, the trunk, trains at a constant learning rate. After a quarter of
    `max_epochs` its units leave, in the order of `Budget`. When it fits one of the sizes, a copy of
    that size, a branch, is set aside. At the end the branches train, with learning rates that fall
    to 0 along a cosine.

    Ctrl-C while a branch trains returns the models that are ready, with a `ConvergenceWarning`.

    Parameters
    ----------
    model : nn.Module
        A plain network, larger than needed. It is not changed.
    batches : iterable
        The batches of an epoch, such as a `DataLoader` or a list. It is gone through once per
        epoch.
    loss : callable
        ``loss(model, batch)`` returns the mean loss of a batch, a tensor with one number.
    n_parameters : sequence of int, or int
        The sizes: the largest numbers of parameters, with biases. Units that can be switched off
        but not cut count as gone. An int is the number of sizes, from a half to a hundredth of the
        parameters of the model, or to the least number possible, at equal ratios.
    validation : iterable, default=None
        Held-out batches, gone through once per model.
    score : callable, default=None
        ``score(model, batch)`` returns a number per row, a tensor: larger is better. The model is
        in evaluation mode, without gradients. None takes −loss of each batch, so that standard
        errors are those of a mean over batches, which should be of equal size.
    example_inputs : Tensor, tuple or dict, default=None
        A batch of at least two rows, as the model is called with it. None takes two rows of the
        first tensor of the first batch.
    optimizer : callable, default=None
        Takes parameters and returns a `torch.optim.Optimizer`. None is Adam at a learning rate of
        0.001.
    max_epochs : int, default=40
        Epochs of the trunk.
    branch_epochs : int, default=30
        Epochs of each branch.
    inputs : bool, default=False
        Whether columns of the input may leave too, along dimension 1 of the first argument.
    checkpoint : path, default=None
        A file that is written after each epoch of the trunk and each branch. If it is there
        already, training goes on from it, with the same result as if it had not been interrupted.
        Random numbers should be those of torch, or of the ``generator`` of a `DataLoader`.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    ShrinkPath

    Raises
    ------
    ValueError
        If a size is not smaller than the model or too small for one unit in each layer, if
        training diverges, or if the checkpoint is of another call.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from torch.nn.functional import cross_entropy
    >>> from shrinklin.networks import shrink_path
    >>> _ = torch.manual_seed(0)
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
    >>> rows = torch.randperm(len(X)).split(100)
    >>> batches = [(X[i], y[i]) for i in rows]
    >>> model = torch.nn.Sequential(
    ...     torch.nn.Linear(64, 50), torch.nn.ReLU(), torch.nn.Linear(50, 10)
    ... )
    >>> shrink_path(
    ...     model,
    ...     batches[:15],
    ...     lambda model, batch: cross_entropy(model(batch[0]), batch[1]),
    ...     n_parameters=[2000, 1000],
    ...     validation=batches[15:],
    ...     score=lambda model, batch: (model(batch[0]).argmax(1) == batch[1]).float(),
    ...     max_epochs=4,
    ...     branch_epochs=2,
    ... )
    ShrinkPath(2 models, 1960 to 985 parameters)
    """
    check_whole("max_epochs", max_epochs, 1)
    check_whole("branch_epochs", branch_epochs, 1)
    check_flag("inputs", inputs)
    course = Course(
        model, batches, loss, optimizer, example_inputs, inputs, max_epochs, branch_epochs,
        n_parameters, checkpoint,
    )  # fmt: skip
    if validation is not None:
        _check_validation(course, validation, score)
    with progress(verbose, course.n_left, "shrink_path", "epoch") as show:
        course.trunk(show)
        try:
            course.branches(show)
        except KeyboardInterrupt:
            if not course.finished:
                raise
            n = len(course.finished)
            warn(
                f"interrupted: the path has {n} of {len(course.budgets)} models.",
                ConvergenceWarning,
            )
    return _path(course, validation, score)


def _path(course, validation, score):
    models = course.models()
    sizes = [start["sizes"] for start in course.starts[: len(models)]]
    scores = None
    if validation is not None:
        score = score or course.default_score
        scores = np.array([_scored(model, validation, score) for model in models])
    return ShrinkPath(
        models=models,
        n_parameters=np.array([sum(p.numel() for p in model.parameters()) for model in models]),
        layer_sizes={name: np.array([each[name] for each in sizes]) for name in sizes[0]},
        losses=np.array([each["loss"] for each in course.finished]),
        scores=scores,
    )


def _check_validation(course, validation, score):
    """Raise an error before training for what would be one after it."""
    if iter(validation) is validation:
        raise ValueError(
            "validation can be gone through only once, but every model is scored on it: give a "
            "list or a DataLoader."
        )
    score = score or course.default_score
    _scored(course.model, itertools.islice(validation, 1), score)


def _scored(model, validation, score):
    """The scores of a model: (n_rows,)."""
    with in_mode(model, False), torch.no_grad():
        parts = [torch.as_tensor(score(model, batch)) for batch in validation]
    if not parts:
        raise ValueError("validation has no batch: give a list or a DataLoader.")
    wrong = [part for part in parts if part.dim() != 1]
    if wrong:
        raise ValueError(
            f"score returned a tensor of shape {tuple(wrong[0].shape)}: it should return a number "
            "per row of the batch, of shape (n_rows,)."
        )
    return torch.cat(parts).double().cpu().numpy()
