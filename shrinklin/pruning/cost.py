"""What a fit costs, counted and not timed: the same on any hardware.

Wall time depends on the machine and on what else runs there. The counts do not, so
gradient training can be compared with exact solvers, and one machine with another.
"""

from dataclasses import dataclass, field


@dataclass
class CostMeter:
    """Counts of the work done by a fit.

    Of gradient training a pass is an epoch. Of an exact solver it is a sweep over
    the features of the working set, or a Newton step on those that are not zero.

    Attributes
    ----------
    epochs : int
        Passes.
    neuron_epochs : int
        Features that every pass began with, summed over passes: the measure of the
        ShrinkNets drafts, whose features are the neurons of an input layer.
    parameter_updates : int
        Parameters that were moved or offered to move, summed over steps. Of a
        gradient step all that are left (weights, switches, intercepts); of an exact
        pass the coefficients it goes through.
    multiply_adds : int
        Multiplications of matrix products and factorisations, the leading terms:
        an m × k by k × n product counts mkn (of a sparse factor its non-zero
        entries times the columns of the other), a Cholesky factorisation of size n
        counts n³/3. What is done once an entry (a penalty, an optimiser) is left out.
    removals : list of (int, int)
        (epoch, number of features): what left during which epoch, if anything.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from shrinklin import GroupLassoRegressor
    >>> X, y = load_linnerud(return_X_y=True)
    >>> cost = GroupLassoRegressor(alpha=1.0).fit(X, y).cost_
    >>> cost.neuron_epochs <= 3 * cost.epochs
    True
    """

    epochs: int = 0
    neuron_epochs: int = 0
    parameter_updates: int = 0
    multiply_adds: int = 0
    removals: list = field(default_factory=list)

    def include(self, other):
        """Add what another meter counted, as one thing done after the other."""
        self.removals += [(self.epochs + epoch, n) for epoch, n in other.removals]
        self.epochs += other.epochs
        self.neuron_epochs += other.neuron_epochs
        self.parameter_updates += other.parameter_updates
        self.multiply_adds += other.multiply_adds

    def since(self, before):
        """What was counted after `before`, a copy of this meter then; without removals."""
        return CostMeter(
            self.epochs - before.epochs,
            self.neuron_epochs - before.neuron_epochs,
            self.parameter_updates - before.parameter_updates,
            self.multiply_adds - before.multiply_adds,
        )

    def count_passes(self, n_passes, n_features):
        """n_passes, each over n_features."""
        self.epochs += int(n_passes)
        self.neuron_epochs += int(n_passes) * int(n_features)

    def count_updates(self, n_parameters):
        """Parameters moved in a step."""
        self.parameter_updates += int(n_parameters)

    def count_sweeps(self, n_sweeps, shape, multiply_adds):
        """Sweeps over coefficients of that shape, each of so many multiply-adds."""
        self.count_passes(n_sweeps, shape[0])
        self.count_updates(n_sweeps * shape[0] * shape[1])
        self.count_product(n_sweeps, multiply_adds)

    def count_product(self, *sizes):
        """A matrix product of these sizes, or several: the sizes are multiplied."""
        product = 1
        for size in sizes:
            product *= int(size)
        self.multiply_adds += product

    def count_factorisation(self, size):
        """A Cholesky factorisation."""
        self.multiply_adds += int(size) ** 3 // 3

    def count_removal(self, n_features):
        """Features that leave during the epoch that was begun last."""
        self.removals.append((self.epochs, int(n_features)))
