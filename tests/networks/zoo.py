"""All nets that the tests of networks train and shrink."""

import pytest

from block_nets import BLOCKS
from dense_nets import DENSE
from gated_nets import GATED
from image_nets import IMAGE, vgg16
from sequence_nets import SEQUENCE

NETS = {net.name: net for net in [*DENSE, *IMAGE, *BLOCKS, *SEQUENCE, *GATED]}

every_net = pytest.mark.parametrize("net", NETS.values(), ids=NETS)

__all__ = ["NETS", "every_net", "vgg16"]
