"""
A network that shrinks inside a loop with hooks
===============================================

Lightning and similar trainers call methods of a class that holds the model. Here is such a class,
with Lightning's names, and a short trainer in place of Lightning's.
"""

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from torch import nn

from shrinklin import SignVariance
from shrinklin.networks import Shrinker, add_switches

torch.set_num_threads(1)  # Small networks are many times slower with several threads.
torch.manual_seed(0)
images, y = map(torch.tensor, load_digits(return_X_y=True))
X = images.float().view(-1, 1, 8, 8) / 16


class Digits:
    def __init__(self):
        layers = [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.Flatten()]
        self.model = add_switches(nn.Sequential(*layers, nn.Linear(512, 10)), X[:2])

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.model.parameters(), lr=0.01)
        options = {"example_inputs": X[:2], "alpha": 0.005, "removal": SignVariance()}
        self.shrinker = Shrinker(self.model, optimizer, when="epoch", **options)
        return optimizer

    def training_step(self, batch, batch_idx):
        return nn.functional.cross_entropy(self.model(X[batch]), y[batch]) + self.shrinker.penalty()

    def on_train_batch_end(self, outputs, batch, batch_idx):  # After the optimiser's step.
        self.shrinker.step(outputs["loss"])

    def on_train_epoch_end(self):
        self.shrinker.end_epoch()


# %%
# The trainer knows nothing of switches.
module, (rows, test) = Digits(), torch.randperm(len(X)).split([1347, 450])
optimizer = module.configure_optimizers()
for _ in range(20):
    for i, batch in enumerate(rows[torch.randperm(len(rows))].split(64)):
        loss = module.training_step(batch, i)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        module.on_train_batch_end({"loss": loss.detach()}, batch, i)
    module.on_train_epoch_end()
right = (module.model(X[test]).argmax(1) == y[test]).float().mean().item()
plt.bar(range(1, 21), torch.tensor(module.shrinker.history["multiply_adds"]).diff().numpy() / 1e6)
plt.title(f"Epochs become cheaper ({right:.3f} of the held-out digits right)")
plt.gca().set(xlabel="epoch", ylabel="million multiply-adds", xticks=range(2, 21, 2))
plt.show()
