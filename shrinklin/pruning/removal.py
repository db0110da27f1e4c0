"""Strategies that decide which units to remove while a model trains.

Units are the features of a linear model, or the neurons and channels of a network. A group of
features (``groups``) is one unit. Each unit has a switch.

A strategy is a class with one method, `Removal.dead`. It is called after every step, sees the
switches (`Watched`), and returns which of them are dead. Their units leave all arrays and never
return. A strategy holds only its parameters. What it needs to remember from step to step goes
into `Watched.memory`, which loses the entries of removed switches.

Some units are never removed: features without penalty (``feature_weights`` 0), and the last unit
of a layer of a network.

References
----------
.. [1] Barbu, She, Ding, Gramajo (2017), Feature selection with annealing for computer
   vision and big data learning, IEEE Trans. Pattern Anal. Mach. Intell. 39.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from shrinklin.validation.parameters import check_flag, check_real, check_whole


@dataclass(frozen=True)
class Watched:
    """The switches that are left, as a removal strategy sees them after a step.

    Each unit has one switch. A unit is a feature of a linear model, a group of features if
    there are ``groups``, or a neuron or channel of a network.

    Attributes
    ----------
    switch : ndarray of shape (n_switches,), or None
        β, or θ of filters. None for the group lasso, which has no switches.
    previous : ndarray of shape (n_switches,), or None
        `switch` before the step.
    gate : ndarray of shape (n_switches,)
        The factor that multiplies each unit: β, max(0, θ), or 1 for the group lasso.
    norms : ndarray of shape (n_switches,), or None
        ‖A_g‖₂ of the weights behind each switch. None if the strategy has ``needs_norms``
        False.
    penalised : ndarray of shape (n_switches,)
        A mask. Switches without penalty stay, whatever the strategy returns.
    layer : ndarray of int, shape (n_switches,)
        The layer of each switch, counted from 0. A linear model has one layer.
    epoch : int
        The current epoch, counted from 1. `partial_fit` counts calls, which may exceed
        `max_epochs`.
    max_epochs : int or None
        None if a network is trained for an unknown number of epochs.
    n_switches : int
        Number of switches when training began.
    memory : dict of str to ndarray of shape (n_switches,)
        What the strategy remembers. It is empty at first.
    loss_changes : ndarray of shape (n_switches,), or None
        For each unit, the sum over rows of the squares of its first-order effect on the loss: the
        unit times the derivative of the loss by it. Of the rows of this step, up to a factor that
        all units share. None if the strategy has ``needs_loss_changes`` False.
    freed : callable, or None
        Returns how many parameters of the network each unit frees if it leaves alone, an ndarray of
        shape (n_switches,). None if the strategy has ``needs_loss_changes`` False.
    n_parameters : callable, or None
        Takes a mask of switches and returns how many parameters the network has if only they
        stay. None if the strategy has ``needs_loss_changes`` False.
    """

    switch: np.ndarray | None
    previous: np.ndarray | None
    gate: np.ndarray
    norms: np.ndarray | None
    penalised: np.ndarray
    layer: np.ndarray
    epoch: int
    max_epochs: int | None
    n_switches: int
    memory: dict
    loss_changes: np.ndarray | None = None
    freed: Callable | None = None
    n_parameters: Callable | None = None

    @property
    def sizes(self) -> np.ndarray:
        """``|gate| ‖A_g‖₂``: in a linear model the norm of the coefficients."""
        if self.norms is None:
            raise ValueError(
                "sizes are not known, because the removal strategy has needs_norms=False: set "
                "needs_norms to True in its class."
            )
        return np.abs(self.gate) * self.norms


class Removal(BaseEstimator, ABC):
    """Base class of the removal strategies: subclass it and write `dead`.

    Its parameters are those of the constructor, as in any scikit-learn estimator. `dead`
    returns a mask, True for every switch to remove. `check` may raise an error if the
    parameters make no sense.

    Attributes
    ----------
    needs_switch : bool
        Whether it needs `Watched.switch`, which the group lasso does not have.
    needs_norms : bool
        Whether it needs `Watched.norms` or `Watched.sizes`. False makes the steps of a
        network faster.
    needs_loss_changes : bool
        Whether it needs `Watched.loss_changes`, `Watched.freed` and `Watched.n_parameters`,
        which only networks have.
    scheduled : bool
        Whether it follows a schedule over all epochs, so that training must have a
        `max_epochs` and must not end early.

    Examples
    --------
    A strategy that removes features whose coefficients are small compared with the
    largest:

    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from shrinklin import GradientDescent, Removal, ShrinkNetRegressor
    >>> class RelativeThreshold(Removal):
    ...     def __init__(self, share=0.01):
    ...         self.share = share
    ...
    ...     def dead(self, watched):
    ...         return watched.sizes < self.share * watched.sizes.max()
    >>> X, y = load_diabetes(return_X_y=True, scaled=False)
    >>> X, y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    >>> solver = GradientDescent(removal=RelativeThreshold())
    >>> model = ShrinkNetRegressor(solver=solver, random_state=0).fit(X, y)
    >>> bool(0 < model.get_support().sum() < 10)
    True
    """

    needs_switch = False
    needs_norms = True
    needs_loss_changes = False
    scheduled = False

    @abstractmethod
    def dead(self, watched) -> np.ndarray:
        """Which switches to remove: a mask of the shape of ``watched.gate``."""

    def check(self, n_switches, max_epochs):
        """Raise unless the parameters fit this number of switches and epochs."""


class Threshold(Removal):
    """Removes a switch whose coefficients are small: ``|β_g| ‖A_g‖₂ ≤ value``.

    It acts from the first step on, when nothing is learnt yet and sizes of a linear model
    are about 1/√n_features: choose a much smaller value. Even then it also removes units
    whose coefficients only pass through zero.

    Parameters
    ----------
    value : float, default=1e-3
        >= 0.
    normalize : bool, default=True
        Whether to multiply ``|β_g|`` by ‖A_g‖₂. The product is the norm of the
        coefficients, which does not change under (β, A) → (cβ, A/c). False compares
        ``|β_g|`` alone. The group lasso has no β: its ‖w_g‖₂ is compared.
    """

    def __init__(self, value=1e-3, normalize=True) -> None:
        self.value = value
        self.normalize = normalize

    def check(self, n_switches, max_epochs):
        """See `Removal`."""
        check_real("value", self.value, 0)
        check_flag("normalize", self.normalize)

    def dead(self, watched) -> np.ndarray:
        """See `Removal`."""
        if self.normalize or watched.switch is None:
            return watched.sizes <= self.value
        return np.abs(watched.gate) <= self.value


class SignChange(Removal):
    """Removes a switch whose sign changed in the last step.

    The group lasso has no switches and refuses this strategy.
    """

    needs_switch = True
    needs_norms = False

    def dead(self, watched) -> np.ndarray:
        """See `Removal`."""
        return np.sign(watched.switch) != np.sign(watched.previous)


class SignVariance(Removal):
    r"""Removes a switch whose sign keeps changing.

    It tracks an average m and a variance v of the sign s = sign β,

    .. math:: v \leftarrow \gamma v + (1 - \gamma)(s - m)^2, \quad
              m \leftarrow \gamma m + (1 - \gamma) s,

    where m starts at the sign before the first step and v at 0. A switch is dead if
    v > threshold.

    Parameters
    ----------
    gamma : float, default=0.99
        The inertia, in [0, 1). The nearer to 1, the longer it waits. 0 removes at the
        first change of sign, as `SignChange` does, if threshold < 1.
    threshold : float, default=0.5
        >= 0. After one change v is 4(1 − γ), so with 0.5 every γ < 0.875 removes at the
        first change. A sign that changes in every step has v → 4/(1 + γ)².
    """

    needs_switch = True
    needs_norms = False

    def __init__(self, gamma=0.99, threshold=0.5) -> None:
        self.gamma = gamma
        self.threshold = threshold

    def check(self, n_switches, max_epochs):
        """See `Removal`."""
        check_real("gamma", self.gamma, 0)
        check_real("threshold", self.threshold, 0)
        if self.gamma >= 1:
            raise ValueError(
                f"gamma={self.gamma!r}: give a number in [0, 1). The nearer it is to 1, the later "
                "units are removed. removal=None removes none."
            )

    def dead(self, watched) -> np.ndarray:
        """See `Removal`."""
        sign, memory = np.sign(watched.switch), watched.memory
        mean = memory.get("mean", np.sign(watched.previous))
        variance = memory.get("variance", np.zeros(len(sign)))
        variance = self.gamma * variance + (1 - self.gamma) * (sign - mean) ** 2
        memory["mean"] = self.gamma * mean + (1 - self.gamma) * sign
        memory["variance"] = variance
        return variance > self.threshold


class Annealing(Removal):
    r"""Keeps the largest ``|β_g| ‖A_g‖₂``, fewer from epoch to epoch.

    This is feature selection with annealing [1]_. Of p switches at the beginning, and with
    N epochs after the first `pretrain`, it keeps after the e-th of these epochs

    .. math:: M_e = \Big\lceil k + (p - k) \max\Big(0,
              \frac{N - 2e}{2 e \mu + N}\Big) \Big\rceil,

    where k = `n_features`. So exactly k are left in the second half. Features without
    penalty stay and are counted: there should be at most k of them. The last unit of each
    layer of a network stays too, even if more than k are left then.

    Parameters
    ----------
    n_features : int
        k: how many units are left at the end. Units are the features of a linear model
        (the groups if there are ``groups``), or the neurons and channels of a network.
    mu : float, default=10.0
        >= 0: the larger, the earlier units leave. 0 is a straight line.
    pretrain : int, default=0
        Epochs before the first removal, fewer than ``max_epochs``.

    References
    ----------
    .. [1] Barbu, She, Ding, Gramajo (2017), Feature selection with annealing for
       computer vision and big data learning, IEEE Trans. Pattern Anal. Mach. Intell. 39.
    """

    scheduled = True

    def __init__(self, n_features, mu=10.0, pretrain=0) -> None:
        self.n_features = n_features
        self.mu = mu
        self.pretrain = pretrain

    def check(self, n_switches, max_epochs):
        """See `Removal`."""
        check_whole("n_features", self.n_features, 0)
        check_real("mu", self.mu, 0)
        check_whole("pretrain", self.pretrain, 0)
        if self.n_features > n_switches:
            raise ValueError(
                f"n_features={self.n_features} is more than the {n_switches} units of the model "
                "(features, groups of features, or neurons): give at most that many."
            )
        if self.pretrain >= max_epochs:
            raise ValueError(
                f"pretrain={self.pretrain} leaves no epoch of max_epochs={max_epochs} for removal: "
                "decrease pretrain or increase max_epochs."
            )

    def dead(self, watched) -> np.ndarray:
        """See `Removal`."""
        kept = self.kept(watched.n_switches, watched.epoch, watched.max_epochs)
        dead = np.zeros(len(watched.gate), dtype=bool)
        sizes = np.where(watched.penalised, watched.sizes, np.inf)
        # Stable, so that the first of several equal sizes stay.
        dead[np.argsort(-sizes, kind="stable")[kept:]] = True
        return dead

    def kept(self, n_switches, epoch, max_epochs):
        """M_e after `epoch` epochs, including those of pretraining."""
        e, n_epochs = max(epoch - self.pretrain, 0), max_epochs - self.pretrain
        return annealed(n_switches, self.n_features, e, n_epochs, self.mu)


def annealed(n_initial, n_final, e, n_epochs, mu):
    """M_e of `Annealing`, between `n_initial` at e = 0 and `n_final` from e = n_epochs / 2 on."""
    share = (n_initial - n_final) * max(0, n_epochs - 2 * e) / (2 * e * mu + n_epochs)
    return n_final + int(np.ceil(share))
