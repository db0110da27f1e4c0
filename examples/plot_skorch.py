"""
A network that shrinks inside skorch
====================================

skorch owns the training loop and calls your code at set times. A
:class:`~shrinklin.networks.Shrinker` needs three of them: the penalty goes into the loss, ``step``
comes after each step of the optimiser, and ``end_epoch`` after each epoch.
"""

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import nn

from shrinklin import SignVariance
from shrinklin.networks import Shrinker, add_switches, fold

torch.set_num_threads(1)  # Small networks are many times slower with several threads.
torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X, INPUTS = X.astype("float32") / 16, torch.rand(2, 64)


def network():
    layers = nn.Linear(64, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 10)
    return add_switches(nn.Sequential(*layers), INPUTS)


class Shrink(Callback):
    def on_train_begin(self, net, **kwargs):  # By now there is an optimiser.
        options = {"alpha": 0.005, "removal": SignVariance(), "when": "epoch"}
        net.shrinker_ = Shrinker(net.module_, net.optimizer_, example_inputs=INPUTS, **options)

    def on_batch_end(self, net, training, loss=None, **kwargs):  # on_grad_computed is too early.
        if training:
            net.shrinker_.step(loss)

    def on_epoch_end(self, net, **kwargs):
        net.shrinker_.end_epoch()


class ShrinkingClassifier(NeuralNetClassifier):
    def get_loss(self, y_pred, y_true, X=None, training=False):
        loss = super().get_loss(y_pred, y_true, X, training)
        return loss + self.shrinker_.penalty() if training else loss


# %%
# skorch holds out a fifth of the rows and scores them after each epoch.
options = {"criterion": nn.CrossEntropyLoss, "optimizer": torch.optim.Adam, "lr": 0.01}
net = ShrinkingClassifier(network, callbacks=[Shrink], max_epochs=30, verbose=0, **options)
net.fit(X, y)
print(fold(net.module_))
plt.plot(net.shrinker_.history["n_alive"] / 400, label="share of units left")
plt.plot(range(1, 31), net.history[:, "valid_acc"], label="accuracy on held-out rows")
plt.gca().set(title="Trained by skorch", xlabel="epoch", ylabel="share")
plt.legend()
plt.show()
