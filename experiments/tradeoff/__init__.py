r"""Loss against sparsity: ShrinkNet and group lasso (drafts 001 and 002, section 5.1).

Loss is that of the model divided by that of the best constant model on the same rows (1 for
a model without features; held out it may pass 1): for regression the squared error averaged
over samples and targets, for classification the log-loss. Sparsity is the share of columns
whose weights are all below 1e-3 in absolute value, every column standardised.

The drafts train by full-batch Adagrad and report the loss on the rows they train on. That is
done here too (`TRAINED`), beside the exact solutions of the same two problems (`EXACT`),
p = 1 and 2, and beside group lasso refitted on its own support, which takes out the
shrinkage. And every model is also fitted on the training folds of a K-fold split,
standardised there, and judged on what is held out.

The refit of a fit on all rows, whose training loss is judged, has no penalty; classes that
its features tell apart without error have then no best coefficients, and they grow until the
loss is 1e-6 of the constant model's. The refits on the folds, judged on held-out rows, have
none either for regression, and for classification scikit-learn's ridge, C = `RIDGE_C`.

What the drafts leave open, and what is done:

- the exact paths end at a small share (`Plan.eps`) of the λ that leaves nothing, the same for
  all methods; steps are shorter at the strong end, where a step may bring in many features;
- they give the ranges of epochs (1000 to 100 000) and learning rates (10^-1.2 to 10^-1.95)
  only: here both are evenly spaced in logarithm over the steps, most epochs and the least
  rate for the weakest λ;
- of group lasso's λ_mse they give the range only, 1 to 1e-3: 13 values;
- for classification they give no λ: the same values multiply the mean log-loss;
- for classification an epoch costs a pass over the rows (for regression their moments are
  enough): so training gets 1000 to 2000 epochs, and of a dataset of more rows than
  `MOST_ROWS` a fixed random sample is taken. Fewer epochs would not do: in t of them Adagrad
  takes a switch at most about 2 √t times the learning rate closer to 0, and switches begin
  at N(0, 1).

Two methods seldom have models of the same sparsity: between neighbouring models of a method
the logarithm of the loss is taken to be linear in the number of features. They are compared
fold by fold, so that what differs between folds is not taken for a difference of methods.
"""

from experiments.tradeoff.experiment import Tradeoff

__all__ = ["Tradeoff"]
