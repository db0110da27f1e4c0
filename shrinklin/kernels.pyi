from typing import Any

import numpy as np

from shrinklin.proximal import Prox

PenaltyStep = tuple[Prox, float, float]

def prox_of(penalty: Any) -> PenaltyStep: ...
def prox_steps(
    prox: PenaltyStep,
    coef: np.ndarray,
    gradient: np.ndarray,
    lipschitz: np.ndarray,
    strengths: np.ndarray,
    ptr: np.ndarray,
) -> np.ndarray: ...
def gram_sweeps(
    prox: PenaltyStep,
    coef: np.ndarray,
    gradient: np.ndarray,
    G: np.ndarray,
    lipschitz: np.ndarray,
    strengths: np.ndarray,
    ptr: np.ndarray,
    tol: float,
    n_sweeps: int,
) -> int: ...
def residual_sweep(
    prox: PenaltyStep,
    coef: np.ndarray,
    residual: np.ndarray,
    columns: np.ndarray,
    ridge: np.ndarray,
    grams: np.ndarray,
    first: np.ndarray,
    lipschitz: np.ndarray,
    strengths: np.ndarray,
    ptr: np.ndarray,
) -> float: ...
def subtract_group_sums(
    K: np.ndarray, inverse: np.ndarray, products: np.ndarray, owner: np.ndarray
) -> None: ...
def scaled_symmetric(M: np.ndarray, scale: np.ndarray) -> np.ndarray: ...
def mirror_scaled(M: np.ndarray, scale: np.ndarray) -> None: ...
def sparse_sweeps(
    prox: PenaltyStep,
    coef: np.ndarray,
    gradient: np.ndarray,
    ridge: np.ndarray,
    data: np.ndarray,
    indices: np.ndarray,
    indptr: np.ndarray,
    means: np.ndarray,
    n_samples: int,
    lipschitz: np.ndarray,
    strengths: np.ndarray,
    ptr: np.ndarray,
    tol: float,
    n_sweeps: int,
) -> int: ...
