"""Sampled sizes of layers against sizes that training finds: figures 1 and 2 of draft 001.

The draft samples the sizes of static networks and ShrinkNet's λ, some hundreds of trainings each,
and compares the networks by parameters and test accuracy. It does so for a VGG16 on CIFAR10, where
one factor scales all layers, and for three layers on Covertype, where each is sampled. Here each
seed has other rows and other initial weights, and networks of several sizes made in these ways:

- "random sizes": each layer is narrower than the large network by a factor of its own between
  1/20 and 1, log-uniform: the draft's 0.1 to 2 times a size, of which the large network is twice;
- "one random factor": the same with one factor for all layers, the draft's way for VGG;
- "ShrinkNet": the large network with switches at a fixed λ, log-uniform, and removal by the sign
  variance; a training gives one network. Beside it these sizes, trained from scratch;
- "annealed front": `shrink_path`, a training for all sizes. Beside it its sizes from scratch;
- "narrow": all layers narrower by one factor, for the same budgets of parameters;
- "pruned at the end": the large network is trained as long as the trunk of the front; then, for
  each budget, all layers lose the units of least ‖in‖·‖out‖ to be as narrow as in "narrow", and it
  is trained on as long as a branch. (Compared across layers, norms empty some layers.)

All train with Adam on the same number of epochs in all, at a learning rate that falls to 0 along a
cosine, except in the trunk of the front. Validation rows choose networks, test rows judge them.
Static networks and ShrinkNet are compared at equal number of trainings, and with the first static
networks whose multiply-adds are as many (between 0.75 and 1.33 times ShrinkNet's). The cost of a
ShrinkNet or of a front includes all its passes on the large network. A GPU serves VGG16 alone; its
seconds are those of a clock, all others CPU seconds.

What our sizes leave out:

- Covertype has 93k of 581k rows, of which 20 000 train, and the 200 units of each layer are few.
  CIFAR10 is a JPEG copy, of which 3500 images train a VGG with five convolutions: accuracies are
  far below the draft's. There are more validation rows than usual, so that chance chooses less;
- the draft samples learning rate, batch size and λ₂ too, takes the best epoch by validation, and
  divides the rate when that stops improving. Here these are fixed, and the last epoch counts. Of
  two to four learning rates, about twofold apart, static networks and the front have that of the
  best validation accuracies in one or two trials on other seeds (100, 101). ShrinkNet and pruned
  networks have the static rate, so the front alone has one of its own. Rates of VGG16 were not
  tried. Ranges of λ were chosen there too, so that sizes cover those of the other ways; that of
  digits was widened once more when its seeds had no target to compare;
- three seeds, and about ten trainings of each way (30 of the static VGG, which are cheap).
  `--dataset cifar10-vgg16` is the draft's VGG16, twice as wide, on all images. It is for a GPU, and
  was not run.

- `settings`: data, networks, numbers of trainings, and the cells;
- `fronts`: networks compared by size, accuracy and cost;
- `verdicts`: the claims; `figure`: the figure;
- `experiment`: all of this put together. Training is in `experiments.networks.random_search`.
"""

from experiments.random_search.experiment import RandomSearch

__all__ = ["RandomSearch"]
