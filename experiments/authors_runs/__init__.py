"""The networks that the ShrinkNets paper trained: what its authors' own runs say.

Sections 4 and 6 of draft 001 rest on 579 networks with random hyperparameters: VGG16 on CIFAR10
and fully connected networks on COVERTYPE, ShrinkNets and static ones. Nothing is trained here.
The claims are computed again from the logs of these runs, which the authors published in
github.com/mitdbg/fastdeepnets.

The sources differ in a few points, and this is what is done here:

- Of each run the epoch counts that has the highest validation accuracy in the second half of
  training, as in the draft and in the authors' scripts.
- COVERTYPE: only networks with three layers are compared. The draft says so, and the scripts
  leave other ShrinkNets out.
- The draft has no dropout and no batch normalisation on COVERTYPE. Of the runs, 60 of the 128
  static networks have one of them or both, and 2 of the 111 ShrinkNets. All are compared, as in
  the scripts; verdicts also say what follows from those without.
- A size is counted as in the scripts: weights without biases. For VGG16 the first classifier
  layer counts as if it read 1024 channels, however many are left; for COVERTYPE the last layer
  is left out. `parameters` counts every weight and bias of the network that remains once
  switches and batch normalisation are folded. Verdicts say what changes.
- Target accuracies are a grid here. The scripts take those of ShrinkNet's own front, where each
  ShrinkNet is as small as it can be for its accuracy, so static networks are at a disadvantage.
- Which network is the smallest that reaches a target is decided by test accuracy, as in the
  draft. Verdicts also say what follows from validation accuracy.
- Seconds are those of the authors: networks of the final sizes, without switches and with new
  weights. At a target, those of the two smallest networks are compared, as the draft says; the
  scripts compare with the fastest static network instead.

A front hangs on few networks. So each ratio is also computed for draws: as many networks of
both kinds, with replacement. The distribution over all draws is computed exactly (`fronts`). It
says how far a result hangs on single networks. It is no confidence interval: no draw has a
smaller network than the runs themselves.

What nothing here can mend: hyperparameters were drawn at random, and not alike for both kinds.
The widths of static VGGs are the usual ones times a factor, drawn evenly from 0.1 to 2, so few
are small; and learning rates differ. Each run has a data split of its own. The best of many
networks is chosen by test accuracy, and is flattered by it.

- `runs`: the files, and what is measured of a run; `sizes`: parameters and multiply-adds;
- `simulated`: runs of the same form whose truth is known, for the quick form;
- `fronts`: the smallest networks, and ratios between the kinds; `training`: epochs and seconds;
- `verdicts`, `speed`: the claims; `figure`: the figure;
- `experiment`: all of this put together.
"""

from experiments.authors_runs.experiment import AuthorsRuns

__all__ = ["AuthorsRuns"]
