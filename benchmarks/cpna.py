"""Connection pruning with `ConnectionAnnealing`, on the data of CPNA: `python -m benchmarks.cpna`.

XOR as in table 1 of CPNA: test AUC of networks with one hidden layer of ReLU units, from 3000
samples. "hidden" prunes the connections to the output. "all" first chooses the columns of the input
(the node form, `Annealing`), then trains a network on these and prunes the connections to the
output and to the hidden units. The choice begins again from other weights while its training loss
is high, which tells without held-out rows that the columns are wrong; its seconds count. "all,
refitted" is a new network with two hidden layers of tanh units on the same columns. "retrained"
trains the weights that are left again, from new random or from their initial values.

Columns: digits (optdigits) beside as many columns that are shuffled by rows, of which 20 stay.

Settings were chosen on data of seeds from 100 on (those of "all" on 131 to 141, and what differs
for five columns on 100 to 109): for XOR by the AUC on the other 3000 samples, for digits by the
accuracy on a fifth of the training samples. The table has seeds 0 to 4.
"""

import argparse
import math
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn
from tqdm.auto import tqdm

import datasets
from shrinklin import Annealing
from shrinklin.networks import ConnectionAnnealing, Mask, Shrinker, add_switches

XOR = [(3, 60), (4, 40), (5, 20)]
N = 3000
COLUMNS = ["data", "seed", "what", "score", "seconds", "weights", "columns", "wrong columns"]


class Schedule:
    """Settings of a training with Adam: a constant rate, then a cosine to 0.

    Parameters
    ----------
    epochs, batch : int
    rate, decay : float
        Learning rate and weight decay of Adam in the first part.
    first : float
        The share of epochs that the first part has.
    last_decay : float
    last_batch : int
        In the second part.
    """

    def __init__(self, epochs, batch, rate, decay, first=0.0, last_decay=None, last_batch=None):
        self.epochs, self.batch, self.rate, self.decay = epochs, batch, rate, decay
        self.first, self.last_batch = first, batch if last_batch is None else last_batch
        self.last_decay = decay if last_decay is None else last_decay

    def optimizer(self, model):
        return torch.optim.Adam(
            model.parameters(), lr=self.rate, weight_decay=self.decay, fused=True
        )

    def set(self, optimizer, epoch):
        """Set the rate and the decay of an epoch; returns the number of rows in a batch."""
        done = (epoch / self.epochs - self.first) / (1 - self.first)
        if done < 0:
            return self.batch
        (group,) = optimizer.param_groups
        group["lr"] = self.rate * 0.5 * (1 + math.cos(math.pi * done))
        group["weight_decay"] = self.last_decay
        return self.last_batch


# Batches are large: with 500 rows the columns are often wrong. Five columns are lost if the decay
# is that for three or four.
CHOICE = {
    k: Schedule(100, 1000, rate, decay, 0.9)
    for k, rate, decay in [(3, 0.015, 4e-3), (4, 0.015, 4e-3), (5, 0.03, 2e-3)]
}
# Columns leave from here to epoch 90. At chance the loss is log 2 = 0.69.
COLUMNS_FROM, HIGH, MOST_CHOICES = 30, 0.6, 6
# Five columns need more steps, and there is time for them: the choice seldom has to begin again.
PRUNING = {
    k: Schedule(epochs, 250, 0.02, 4e-4, 0.5, 3e-5, last_batch)
    for k, epochs, last_batch in [(3, 150, 250), (4, 150, 250), (5, 200, 100)]
}
# Larger first weights are better with five columns, and no better with three or four.
FIRST_SCALE = {3: 1, 4: 1, 5: 2}
ONLY_HIDDEN = Schedule(266, 500, 0.03, 1e-3, 0.6)
RETRAINED = Schedule(266, 500, 0.03, 2e-3, 0.6, 3e-5)
REFIT = Schedule(100, 250, 0.015, 1e-4)
# Units at first and at last, and how many connections each hidden unit keeps of those to k columns.
N_HIDDEN, N_LEFT, KEPT = {"hidden": 1024, "all": 512}, {"hidden": 32, "all": 256}, 0.9
N_CHOOSING = 256


def run_epoch(model, optimizer, batch, X, y, loss_of, after):
    """Returns the mean loss."""
    total = 0.0
    for rows in torch.randperm(len(X)).split(batch):
        loss = loss_of(model(X[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        after(loss)
        total += loss.item() * len(rows)
    return total / len(X)


def fit(model, schedule, X, y, loss_of, after=lambda loss: None):
    """Train a plain model."""
    optimizer = schedule.optimizer(model)
    for epoch in range(schedule.epochs):
        batch = schedule.set(optimizer, epoch)
        run_epoch(model, optimizer, batch, X, y, loss_of, after)
    return model.train(False)


def perceptron(sizes, activation=nn.ReLU):
    layers: list = []
    for n_inputs, n_outputs in pairwise(sizes):
        layers += [nn.Linear(n_inputs, n_outputs), activation()]
    return nn.Sequential(*layers[:-1])


def cross_entropy(logits, y):
    return nn.functional.binary_cross_entropy_with_logits(logits.squeeze(1), y)


def xor(k, p, seed):
    """Training and test samples."""
    X, y = datasets.make_xor(2 * N, p, k, random_state=seed)
    X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
    return X[:N], y[:N], X[N:], y[N:]


def auc(model, X, y):
    """In %."""
    with torch.no_grad():
        return 100 * roc_auc_score(y, model(X).squeeze(1))


class Pruned:
    """A network that was pruned, with what it was at first.

    Attributes
    ----------
    model : nn.Module
    columns, units : Tensor of int
        Columns of the input and hidden units that are left.
    initial : dict of str to Tensor
        The state of the network at first.
    """

    def __init__(self, X, y, k, what):
        plain = perceptron((X.shape[1], N_HIDDEN[what], 1))
        if what == "all":
            plain[0].weight.data *= FIRST_SCALE[k]
        self.initial = {name: tensor.clone() for name, tensor in plain.state_dict().items()}
        self.model = add_switches(plain, X[:2], gate=Mask, inputs=True)
        schedule = PRUNING[k] if what == "all" else ONLY_HIDDEN
        optimizer = schedule.optimizer(self.model)
        shrinker = Shrinker(
            self.model, optimizer, example_inputs=X[:2], alpha=0, max_epochs=schedule.epochs,
            connections=pruning(k, what),
        )  # fmt: skip
        for epoch in shrinker.epochs():
            batch = schedule.set(optimizer, epoch)
            run_epoch(self.model, optimizer, batch, X, y, cross_entropy, shrinker.step)
            if epoch == 0:
                # A state of the optimiser is cut along: it tells which units are left.
                bias = self.model[0].bias
                optimizer.state[bias]["unit"] = torch.arange(len(bias)).float()
        self.model.train(False)
        self.columns = self.model[0].input_gate.kept
        self.units = optimizer.state[self.model[0].bias]["unit"].long()

    def masks(self):
        return [(self.model[i].weight != 0).float() for i in (0, 2)]

    @property
    def n_weights(self):
        return int(sum(mask.sum() for mask in self.masks()))

    def plain(self):
        """The network without gates, for the columns that are left."""
        model = perceptron((len(self.columns), len(self.units), 1))
        state = {name: t for name, t in self.model.state_dict().items() if "gate" not in name}
        model.load_state_dict(state)
        return model

    def retrained(self, X, y, from_initial):
        """Train the weights that are left again."""
        masks = self.masks()
        model = perceptron((len(self.columns), len(self.units), 1))
        if from_initial:
            weight = self.initial["0.weight"][self.units][:, self.columns]
            bias, last = self.initial["0.bias"][self.units], self.initial["2.weight"]
            state = {"0.weight": weight, "0.bias": bias, "2.weight": last[:, self.units]}
            model.load_state_dict({**state, "2.bias": self.initial["2.bias"]})

        @torch.no_grad()
        def hold(loss):
            for i, mask in zip((0, 2), masks, strict=True):
                model[i].weight *= mask

        hold(None)
        return fit(model, RETRAINED, X[:, self.columns].contiguous(), y, cross_entropy, hold)


def pruning(k, what):
    """How the connections are pruned."""
    left = N_LEFT[what]
    layers = {"2": left} if what == "hidden" else {"2": left, "0": round(KEPT * k * left)}
    return ConnectionAnnealing(layers, mu=0)


def chosen_columns(X, y, k):
    """k columns that a network keeps, and its training loss."""
    model = add_switches(perceptron((X.shape[1], N_CHOOSING, 1)), X[:2], gate=Mask, inputs=True)
    schedule = CHOICE[k]
    optimizer = schedule.optimizer(model)
    # Annealing is at its end after half of the epochs that it is told.
    n_told = COLUMNS_FROM + 2 * (round(schedule.first * schedule.epochs) - COLUMNS_FROM)
    shrinker = Shrinker(
        model, optimizer, example_inputs=X[:2], alpha=0, max_epochs=n_told, when="epoch",
        removal={"input": Annealing(k, 0, COLUMNS_FROM)},
    )  # fmt: skip
    for epoch in range(schedule.epochs):
        batch = schedule.set(optimizer, epoch)
        loss = run_epoch(model, optimizer, batch, X, y, cross_entropy, shrinker.step)
        shrinker.end_epoch()
    return model[0].input_gate.kept, loss


def best_columns(X, y, k):
    """Columns of the first choice with a low training loss, or of the one with the lowest."""
    found = []
    for _ in range(MOST_CHOICES):
        columns, loss = chosen_columns(X, y, k)
        found.append((loss, columns))
        if loss < HIGH:
            break
    return min(found, key=lambda pair: pair[0])[1]


def measure_xor(k, p, seed):
    """Rows of the table."""
    X, y, X_test, y_test = xor(k, p, seed)
    rows = []

    def add(what, model, start, columns, weights):
        wrong = int((columns >= k).sum())
        seconds = time.process_time() - start
        score = auc(model, X_test if len(columns) == p else X_test[:, columns], y_test)
        rows.append([f"{k}-D XOR, {p}", seed, what, score, seconds, weights, len(columns), wrong])

    for what in ("hidden", "all"):
        torch.manual_seed(seed)
        start, columns = time.process_time(), torch.arange(p)
        if what == "all":
            columns = best_columns(X, y, k)
        chosen = time.process_time() - start
        given = X[:, columns].contiguous()
        pruned = Pruned(given, y, k, what)
        left = columns[pruned.columns]
        add(what, pruned.plain(), start, left, pruned.n_weights)
        if what == "all":
            # It needs the columns, and not the pruned network.
            start = time.process_time() - chosen
            model = fit(perceptron((k, 256, 256, 1), nn.Tanh), REFIT, given, y, cross_entropy)
            n_weights = sum(p.numel() for p in model.parameters() if p.dim() > 1)
            add("all, refitted", model, start, columns, n_weights)
        for weights in ("random", "initial"):
            start = time.process_time()
            model = pruned.retrained(given, y, weights == "initial")
            name = f"{what}, retrained from {weights} weights"
            add(name, model, start, left, pruned.n_weights)
    return rows


def digits(X, y, seed):
    """Digits beside shuffled columns: training and test samples."""
    noise = np.random.default_rng(seed).permuted(X, axis=0)
    X = torch.tensor(np.hstack([X, noise]) / 16, dtype=torch.float32)
    return train_test_split(X, torch.tensor(y), test_size=0.2, stratify=y, random_state=seed)


DIGITS = Schedule(40, 256, 0.02, 3e-4, 0.5)
N_COLUMNS, N_UNITS = 20, 256


def measure_digits(X, y, seed):
    """The row of the table."""
    X, X_test, y, y_test = digits(X, y, seed)
    torch.manual_seed(seed)
    start = time.process_time()
    model = add_switches(perceptron((128, N_UNITS, 10)), X[:2], gate=Mask, inputs=True)
    optimizer = DIGITS.optimizer(model)
    shrinker = Shrinker(
        model, optimizer, example_inputs=X[:2], alpha=0, max_epochs=DIGITS.epochs,
        when="epoch", removal={"input": Annealing(N_COLUMNS, mu=2, pretrain=2)},
    )  # fmt: skip
    for epoch in shrinker.epochs():
        batch = DIGITS.set(optimizer, epoch)
        run_epoch(model, optimizer, batch, X, y, nn.functional.cross_entropy, shrinker.step)
    model.train(False)
    seconds = time.process_time() - start
    score = 100 * (model(X_test).argmax(1) == y_test).float().mean().item()
    kept = model[0].input_gate.kept
    weights = sum(p.numel() for p in model.parameters() if p.dim() > 1)
    wrong = int((kept >= 64).sum())
    return ["digits, 128", seed, "input", score, seconds, weights, len(kept), wrong]


def warm_up():
    """The first network takes torch seconds to import its compiler."""
    X, *_ = xor(2, 4, 0)
    model = add_switches(perceptron((4, 8, 1)), X[:2], gate=Mask, inputs=True)
    Shrinker(model, torch.optim.Adam(model.parameters()), example_inputs=X[:2], alpha=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--xor", type=int, nargs="*", default=[3, 4, 5], help="some of 3, 4, 5")
    parser.add_argument("--optdigits", type=Path, help="an .npz file with X and y")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warm_up()
    rows = []
    for k, p in tqdm([(k, p) for k, p in XOR if k in options.xor]):
        for seed in options.seeds:
            rows += measure_xor(k, p, seed)
    if options.optdigits:
        with np.load(options.optdigits, allow_pickle=False) as file:
            X, y = file["X"], file["y"].astype(int)
        rows += [measure_digits(X, y, seed) for seed in options.seeds]
    table = pd.DataFrame(rows, columns=COLUMNS).round({"score": 2, "seconds": 1})
    options.out.mkdir(exist_ok=True)
    table.to_csv(options.out / "cpna.csv", index=False)
    means = table.groupby(["data", "what"], sort=False)
    print(means.agg({"score": ["mean", "min"], "seconds": ["mean", "max"], "weights": "mean",
                     "wrong columns": "sum"}).round(2).to_string())  # fmt: skip


if __name__ == "__main__":
    main()
