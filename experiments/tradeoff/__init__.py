r"""Loss against sparsity: ShrinkNet and group lasso (drafts 001 and 002, section 5.1).

Loss is that of the model divided by that of the best constant model on the same rows. It is 1
for a model without features; on held-out rows it may exceed 1. For regression it is the squared
error averaged over samples and targets, for classification the log-loss. Sparsity is the share
of columns whose weights are all below 1e-3 in absolute value, with every column standardised.

The drafts train by full-batch Adagrad and report the loss on the training rows. The same is done
here (`TRAINED`). It is compared with the exact solutions of the same two problems (`EXACT`), for
p = 1 and 2, and with group lasso refitted on its own support, which removes the shrinkage. Every
model is also fitted on the training rows of a K-fold split, standardised by these rows, and
judged on the held-out rows.

Refits on all rows, which are judged by their training loss, have no penalty. If their features
separate the classes, no best coefficients exist, and they grow until the loss is 1e-6 of the
constant model's. Refits on folds, which are judged on held-out rows, have no penalty for
regression, and scikit-learn's ridge with C = `RIDGE_C` for classification.

What the drafts leave open, and what is done here:

- the exact paths end at a small share (`Plan.eps`) of the λ that removes all features, the same
  share for all methods; steps are shorter at the strong end, where a step may add many features;
- the drafts give only the ranges of epochs (1000 to 100 000) and learning rates (10^-1.2 to
  10^-1.95): here both are evenly spaced in logarithm over the steps, with the most epochs and
  the lowest rate for the weakest λ;
- for group lasso's λ_mse they give only the range, 1 to 1e-3: here it has 13 values;
- for classification they give no λ: here the same values multiply the mean log-loss;
- for classification an epoch is a pass over the rows (for regression the moments are enough). So
  training takes 1000 to 2000 epochs, and a dataset of more than `MOST_ROWS` rows is replaced by
  a fixed random sample. Fewer epochs are not enough: in t epochs Adagrad moves a switch at most
  about 2 √t times the learning rate, and switches start from N(0, 1).

Two methods seldom have models of the same sparsity. So, between neighbouring models of a method,
the logarithm of the loss is taken to be linear in the number of features. Methods are compared
fold by fold, so that differences between folds do not count as differences between methods.

- `settings`: the methods, the size of a run, and the cells;
- `rows`: the training rows and the held-out rows;
- `models`, `measures`: how models are fitted, and what is measured of them;
- `curves`, `comparison`: loss against features, and two methods compared;
- `verdicts`: the claims; `figure`: the figure;
- `experiment`: all of this put together.
"""

from experiments.tradeoff.experiment import Tradeoff

__all__ = ["Tradeoff"]
