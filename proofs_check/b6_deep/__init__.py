r"""B.6: removing units and folding switches in deep networks change no output.

B.3 for networks of convolutions, BatchNorms in evaluation mode, ReLUs, switches and residual
branches. Two things are new. A dead unit need not be 0 where the next layer reads it: behind its
switch it is, behind a BatchNorm it is :math:`\beta - \gamma \mu / \sigma`, and behind a ReLU
max(0, ·) of that. As this is the same for every input, the bias of the next layer can take it up:

.. math:: W h + b = \sum_{i \neq j} W_i h_i + (b + W_j c_j), \qquad h_j = c_j.

And a unit may have several makers and readers. A unit of a residual sum is constant if all terms
are, and then all layers that read it take up the constant that *they* read.

What does not hold:

- zeros beyond the ends of a signal are not the constant, unless it is 0: outputs there change;
- one dead term of a sum is not enough;
- a BatchNorm in training leaves another constant, β, until it has forgotten what the unit was.

A switch moves into the layer or BatchNorm before it or behind it, past ReLUs if it is not
negative. It stays where that would pass a sum: all makers or all readers would have to take it,
and those of the branches do both.

Networks have one dimension of positions, of which two or three are like; size 1 at one position is
a dense layer. σ is drawn rational, so that all numbers are. The statements are ours. They are
about mathematics: `shrinklin.networks` is another program, and has tests of its own.

- `layers`: the layers; `instances`: how networks are drawn;
- `removal`: dead units; `folding`: switches; `ends`: zero padding; `modes`: training.
"""

from proofs_check.b6_deep import ends, folding, modes, removal

CLAIMS = (*removal.CLAIMS, *ends.CLAIMS, *modes.CLAIMS, *folding.CLAIMS)
