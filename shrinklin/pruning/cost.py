"""Counts of the work that a fit does, the same on any hardware.

Wall time depends on the machine and on its load. Counts do not, so they compare gradient
training with exact solvers, and results from different machines.
"""

from dataclasses import dataclass, field


@dataclass
class CostMeter:
    """Counts of the work that a fit does, or the training of a network.

    A pass of gradient training is an epoch. A pass of an exact solver is a sweep over
    the features of the working set, or a Newton step on those that are not zero.

    Attributes
    ----------
    epochs : int
        Number of passes.
    neuron_epochs : int
        Units at the beginning of each pass, summed over passes: features of a linear
        model, or neurons and channels of all layers of a network. This is the measure of
        the ShrinkNets paper.
    parameter_updates : int
        Parameters that a step could change, summed over steps. A gradient step counts
        all that are left (weights, switches, intercepts), an exact pass the
        coefficients that it visits.
    multiply_adds : int
        Multiplications in matrix products and factorisations, leading terms only. An
        m × k by k × n product counts mkn; if one factor is sparse, its non-zero entries
        times the columns of the other. A Cholesky factorisation of size n counts n³/3.
        Work per entry, such as the penalty or the optimiser's step, is not counted.
    removals : list of (int, int)
        The epoch of each removal, and how many units it removed.

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
        """Add the counts of another meter, as work that was done after this one's."""
        self.removals += [(self.epochs + epoch, n) for epoch, n in other.removals]
        self.epochs += other.epochs
        self.neuron_epochs += other.neuron_epochs
        self.parameter_updates += other.parameter_updates
        self.multiply_adds += other.multiply_adds

    def since(self, before):
        """Counts since `before`, an earlier copy of this meter; without removals."""
        return CostMeter(
            self.epochs - before.epochs,
            self.neuron_epochs - before.neuron_epochs,
            self.parameter_updates - before.parameter_updates,
            self.multiply_adds - before.multiply_adds,
        )

    def count_passes(self, n_passes, n_units):
        """Count passes, each over n_units."""
        self.epochs += int(n_passes)
        self.neuron_epochs += int(n_passes) * int(n_units)

    def count_updates(self, n_parameters):
        """Count the parameters of a step."""
        self.parameter_updates += int(n_parameters)

    def count_sweeps(self, n_sweeps, shape, multiply_adds):
        """Count sweeps over coefficients of this shape, and the multiply-adds of each."""
        self.count_passes(n_sweeps, shape[0])
        self.count_updates(n_sweeps * shape[0] * shape[1])
        self.count_product(n_sweeps, multiply_adds)

    def count_product(self, *sizes):
        """Count a matrix product, or several: the sizes are multiplied."""
        product = 1
        for size in sizes:
            product *= int(size)
        self.multiply_adds += product

    def count_factorisation(self, size):
        """Count a Cholesky factorisation."""
        self.multiply_adds += int(size) ** 3 // 3

    def count_removal(self, n_units):
        """Count units that leave during the current epoch."""
        self.removals.append((self.epochs, int(n_units)))
