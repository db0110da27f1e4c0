from collections.abc import Callable

import numpy as np

class Prox:
    takes_l1: bool
    def __call__(self, z: np.ndarray, t: float, *rest: float | np.ndarray) -> None: ...

class PythonProx(Prox):
    def __init__(self, function: Callable[..., None], takes_l1: bool = False) -> None: ...

GROUP_LASSO: Prox
SPARSE_GROUP_LASSO: Prox
NONNEGATIVE: Prox
BRIDGE1: Prox
BRIDGE2: Prox
