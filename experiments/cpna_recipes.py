"""How `cpna` trains and prunes networks: settings, by the number of relevant columns."""

from dataclasses import dataclass, replace

from experiments.rates import rate_of


@dataclass(frozen=True)
class Schedule:
    """Settings of a training with Adam: a constant rate, then a cosine towards 0.

    Attributes
    ----------
    epochs, batch : int
    rate, decay : float
        Learning rate and weight decay of Adam in the first part.
    first : float
        The share of epochs that the first part has.
    last_decay, last_batch : float, int or None
        In the second part; None means as in the first.
    """

    epochs: int
    batch: int
    rate: float
    decay: float
    first: float = 0.0
    last_decay: float | None = None
    last_batch: int | None = None

    def at(self, epoch):
        """Learning rate, weight decay and size of batches in an epoch, counted from 0."""
        if epoch < self.first * self.epochs:
            return self.rate, self.decay, self.batch
        decay = self.decay if self.last_decay is None else self.last_decay
        batch = self.batch if self.last_batch is None else self.last_batch
        return self.rate * rate_of(epoch, self.epochs, self.first), decay, batch


@dataclass(frozen=True)
class Recipe:
    """How networks are trained and pruned on XOR of k columns.

    Attributes
    ----------
    plain, hidden, retrained, refit : Schedule
        Of a network that is not pruned, of one whose hidden connections are pruned, of a pruned one
        whose weights start again, and of a new network on the columns that were found.
    compared : Schedule
        Of networks with and without normalisation, and without pruning.
    order : Schedule
        Of a network whose hidden connections are pruned and then those of the input.
    pretrain : int
        Epochs of `order` before pruning.
    choice : Schedule
        Of the choice of columns. At the end of its first part k columns are left.
    columns_from, most_choices : int
        The epoch in which columns begin to leave, and how many choices there are at most.
    pruning : Schedule
        Of a network on the columns that were chosen, whose connections are pruned.
    first_scale : float
        Factor of the first weights of that network.
    n_hidden, n_left : int
        Hidden units at first and connections at last, where hidden connections are pruned.
    n_choosing, n_all, n_all_left, n_refit : int
        Hidden units of the choice, of `pruning` at first and at last, and of each layer of `refit`.
    """

    plain: Schedule
    hidden: Schedule
    retrained: Schedule
    refit: Schedule
    compared: Schedule
    order: Schedule
    pretrain: int
    choice: Schedule
    pruning: Schedule
    n_left: int
    first_scale: float = 1.0
    columns_from: int = 30
    most_choices: int = 6
    n_hidden: int = 1024
    n_choosing: int = 256
    n_all: int = 512
    n_all_left: int = 256
    n_refit: int = 256

    @property
    def phases(self):
        """Epochs of `order` before pruning, until the hidden connections are pruned, in all."""
        last = self.order.epochs
        return self.pretrain, (self.pretrain + last) // 2, last


# For the quick form.
TWO = Recipe(
    plain=Schedule(60, 200, 0.03, 1e-3, 0.6),
    hidden=Schedule(100, 200, 0.015, 2e-3, 0.7, 3e-5),
    retrained=Schedule(100, 200, 0.03, 2e-3, 0.6, 3e-5),
    refit=Schedule(60, 100, 0.015, 1e-4),
    compared=Schedule(50, 200, 0.015, 2e-3, 0.6),
    order=Schedule(150, 200, 0.015, 2e-3, 0.8, 3e-5),
    pretrain=30,
    choice=Schedule(60, 200, 0.015, 4e-3, 0.9),
    pruning=Schedule(60, 100, 0.02, 4e-4, 0.5, 3e-5),
    columns_from=20,
    n_hidden=128,
    n_left=8,
    n_choosing=64,
    n_all=64,
    n_all_left=32,
    n_refit=32,
)
# Batches are large: with 500 rows networks learn by heart, and the columns are often wrong. Five
# columns are lost if the decay of the choice is that for three or four.
THREE = Recipe(
    plain=Schedule(100, 500, 0.03, 1e-3, 0.6),
    hidden=Schedule(400, 1000, 0.015, 2e-3, 0.7, 3e-5),
    retrained=Schedule(400, 250, 0.03, 2e-3, 0.6, 3e-5),
    refit=Schedule(100, 250, 0.015, 1e-4),
    compared=Schedule(266, 1000, 0.015, 2e-3, 0.6),
    order=Schedule(600, 1000, 0.015, 2e-3, 0.8, 3e-5),
    pretrain=80,
    choice=Schedule(100, 1000, 0.015, 4e-3, 0.9),
    pruning=Schedule(150, 250, 0.02, 4e-4, 0.5, 3e-5),
    n_left=12,
)
FOUR = replace(THREE, n_left=16)
# Five columns need more steps, and there is time for them: the choice seldom has to begin again.
# Larger first weights are better with five columns, and no better with three or four.
FIVE = replace(
    FOUR,
    choice=Schedule(100, 1000, 0.03, 2e-3, 0.9),
    pruning=Schedule(200, 250, 0.02, 4e-4, 0.5, 3e-5, 100),
    first_scale=2.0,
)
RECIPES = {2: TWO, 3: THREE, 4: FOUR, 5: FIVE}
# At chance the loss is log 2 = 0.69. A high one tells without held-out rows that columns are wrong.
HIGH = 0.6
# The share of connections to k columns that each hidden unit keeps.
KEPT = 0.9
