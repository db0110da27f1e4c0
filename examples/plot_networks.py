"""
A network that shrinks while it trains
======================================

How many units does a layer need? Start with too many, each with a switch. A penalty draws the
switches to zero. When a switch keeps changing its sign, its unit is cut out during training.
"""

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from shrinklin import HistoryDisplay, LayerSizesDisplay, SignVariance
from shrinklin.networks import Shrinker, add_switches, fold

torch.set_num_threads(1)  # Small networks are many times slower with several threads.
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
X, X_test, y, y_test = train_test_split(X, y, random_state=0, stratify=y)

# %%
# The usual training loop, with the penalty in the loss, and ``shrinker.step`` after each step.


def train(alpha, removal):
    torch.manual_seed(0)
    hidden = [layer for _ in range(2) for layer in (nn.Linear(200, 200), nn.ReLU())]
    model = nn.Sequential(nn.Linear(64, 200), nn.ReLU(), *hidden, nn.Linear(200, 10))
    optimizer = torch.optim.Adam(add_switches(model, X[:2]).parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40)
    options = {"alpha": alpha, "removal": removal, "max_epochs": 40, "when": "epoch"}
    shrinker = Shrinker(model, optimizer, example_inputs=X[:2], **options)
    for _ in shrinker.epochs():
        for rows in torch.randperm(len(X)).split(64):
            loss = nn.functional.cross_entropy(model(X[rows]), y[rows]) + shrinker.penalty()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            shrinker.step(loss)
        schedule.step()
    return shrinker


# %%
# ``fold`` returns a plain network, with the switches multiplied into its layers. A twentieth of the
# parameters is left, with about the same accuracy on held-out digits.

full, small = train(0.0, None), train(0.005, SignVariance())
folded = [fold(shrinker.model) for shrinker in (full, small)]
sizes = [sum(p.numel() for p in model.parameters()) for model in folded]
accuracies = [(model(X_test).argmax(1) == y_test).float().mean().item() for model in folded]
print(f"{sizes[0]} parameters: {accuracies[0]:.3f} right; {sizes[1]}: {accuracies[1]:.3f} right")
difference = (folded[1](X_test) - small.model(X_test)).abs().max().item()
print(f"changed by folding: {difference:.0e} at most", folded[1], sep="\n")
figure, axes = plt.subplots(2, 1, figsize=(6.4, 8), layout="constrained")
LayerSizesDisplay(small.history, name="Units left").plot(axes[0]).ax_.set_xlabel("hidden layer")
HistoryDisplay(small.history, name="Training while units leave").plot(axes[1])
plt.show()
