"""`Moments` of dask collections, for example of data on a cluster.

The workers compute the `Moments` of their blocks of rows and add them in pairs. Only the total is
sent back. The tree of sums depends only on the blocks. Therefore, if all machines have the same
processor and BLAS, the result has the same bits for any number of workers, even if some of them
die.
"""

from functools import reduce
from operator import add

import numpy as np

from shrinklin.blas import one_blas_thread
from shrinklin.data.moments import moments_of_chunk
from shrinklin.messages import imported

# With more, a worker would hold all of these in memory before it adds them.
_FAN_IN = 2


def moments(X, Y, sample_weight=None):
    """Moments of dask collections, computed by the current scheduler.

    This is the cluster of a `dask.distributed.Client` if there is one, else the threads of
    this process. Needs dask (in the extra ``distributed``).

    Parameters
    ----------
    X : dask Array of shape (n_samples, n_features), or dask DataFrame
        Chunks of a few hundred megabytes are best. If an Array is also split between columns,
        it is rechunked to blocks of whole rows.
    Y : dask Array of shape (n_samples,) or (n_samples, n_targets), or dask Series or DataFrame
        Of the same kind as X. An Array is rechunked to the rows of the blocks of X. A Series or
        DataFrame must have the partitions and the index of X. It is best to take it from the
        same DataFrame.
    sample_weight : dask Array or Series of shape (n_samples,), default=None
        Of the same kind as X. None means ones.

    Returns
    -------
    Moments
        They are in this process and hold n_features² numbers. A worker needs memory for about
        ten times as many (11 to 13 were seen with some hundreds of blocks, one at a time), once
        for each sum that waits for its other half. If X is a DataFrame, they have
        `feature_names`.

    Raises
    ------
    TypeError
        If an argument is not a dask collection, or if they are not all of the same kind.
    ValueError
        If the numbers of rows or the indices differ, or if `Moments.from_data` refuses a chunk
        of rows. The error names the chunk, counted from 0.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn.datasets import load_diabetes
    >>> from shrinklin import GroupLassoRegressor
    >>> from shrinklin.distributed import moments
    >>> X, y = load_diabetes(return_X_y=True)
    >>> found = moments(da.from_array(X, chunks=(100, 5)), da.from_array(y, chunks=150))
    >>> found
    Moments of 442 samples, 10 features, 1 target
    >>> model = GroupLassoRegressor(alpha=1.0).fit_moments(found)
    """
    given = {"X": X, "Y": Y} | ({} if sample_weight is None else {"sample_weight": sample_weight})
    chunks = _chunks_of_arrays(given) if _are_arrays(given) else _chunks_of_frames(given)
    # For blocks that threads of this process compute: see `one_blas_thread`.
    with one_blas_thread():
        total = _tree(chunks).compute()
    if total is None:
        raise ValueError("no block has a row of weight > 0: give at least one such row.")
    return total


def _are_arrays(given):
    """Whether these are arrays, not frames. Raise an error if they are neither."""
    needing = "shrinklin.distributed", "distributed", "dask[array,dataframe]"
    array, dataframe = imported("dask.array", *needing), imported("dask.dataframe", *needing)
    frames = (dataframe.DataFrame, dataframe.Series)
    accepted = {"X": (array.Array, dataframe.DataFrame)}
    for name, value in given.items():
        if not isinstance(value, accepted.get(name, (array.Array, *frames))):
            kind = f"{type(value).__module__}.{type(value).__qualname__}"
            raise TypeError(
                f"{name} is a {kind}: give a dask Array, as dask.array.from_array makes, or a dask "
                "DataFrame. For data in memory, use shrinklin.Moments.from_data."
            )
    are_arrays = {name: isinstance(value, array.Array) for name, value in given.items()}
    if len(set(are_arrays.values())) > 1:
        kinds = ", ".join(f"{name} is a dask {type(given[name]).__name__}" for name in given)
        raise TypeError(
            f"{kinds}: give either all as DataFrames and Series, preferably columns of one "
            "DataFrame; or all as Arrays, with X.to_dask_array() and the others "
            "split at the same rows."
        )
    return are_arrays["X"]


def _chunks_of_arrays(given):
    """A tuple (X, Y, sample_weight) of delayed arrays for each block of rows."""
    _check_shapes(given)
    given["X"] = X = _whole_rows(given["X"])
    for name in given.keys() - {"X"}:
        given[name] = _cut_as(X, name, given[name])
    # The graphs are not optimised, so that tasks that X and Y share are computed once.
    blocks = [a.to_delayed(optimize_graph=False).ravel() for a in given.values()]
    return list(zip(*blocks, strict=True))


def _check_shapes(given):
    n_dims = {"X": (2,), "Y": (1, 2), "sample_weight": (1,)}
    n_rows = {a.shape[0] for a in given.values() if a.ndim and not np.isnan(a.shape[0])}
    empty = any(0 in a.shape[1:] for a in given.values())
    if empty or len(n_rows) > 1 or any(a.ndim not in n_dims[name] for name, a in given.items()):
        shapes = ", ".join(f"{name} of shape {a.shape}" for name, a in given.items())
        raise ValueError(
            f"{shapes}: give X of shape (n_samples, n_features), Y of shape (n_samples,) or "
            "(n_samples, n_targets) and sample_weight of shape (n_samples,), with at "
            "least one column each."
        )


def _whole_rows(X):
    if X.numblocks[1] == 1:
        return X
    # "auto" limits the blocks of whole rows to the size in dask's configuration.
    return X.rechunk({0: X.chunks[0] if _unknown(X) else "auto", 1: -1})


def _cut_as(X, name, a):
    """`a` with the row blocks of X."""
    if a.ndim == 2:
        a = a.rechunk({1: -1})
    if not _unknown(X) and not _unknown(a):
        return a.rechunk({0: X.chunks[0]})
    if a.numblocks[0] != X.numblocks[0]:
        raise ValueError(
            f"X has {X.numblocks[0]} blocks of rows, {name} has {a.numblocks[0]}, and their "
            "numbers of rows are not known: call compute_chunk_sizes() on both first."
        )
    return a


def _unknown(a):
    return any(np.isnan(size) for size in a.chunks[0])


def _chunks_of_frames(given):
    """A delayed tuple (X, Y, sample_weight) for each partition."""
    from dask import dataframe

    _check_partitions(given)
    _check_numbers(given["X"])
    # In one call, so that dask reads only the columns that are needed, and reads them once.
    chunks = dataframe.map_partitions(
        _chunk, *given.values(), meta=(None, object), align_dataframes=False
    )
    return chunks.to_delayed()


def _chunk(*partitions):
    return partitions


def _check_partitions(given):
    X = given["X"]
    for name, frame in given.items():
        aligned = not (X.known_divisions and frame.known_divisions)
        if frame.npartitions != X.npartitions or not (aligned or X.divisions == frame.divisions):
            raise ValueError(
                f"X has {X.npartitions} partitions, {name} has {frame.npartitions}, and their "
                "numbers or their divisions differ: take both from one DataFrame, or repartition "
                "one with the divisions of the other."
            )


def _check_numbers(X):
    for name, dtype in X.dtypes.items():
        if dtype.kind not in "biuf":
            raise ValueError(
                f"column {name!r} of X holds {dtype}, not numbers: leave it out, or "
                "encode it as numbers."
            )


def _tree(chunks):
    """Delayed sum of the `Moments` of chunks, `_FAN_IN` at a time."""
    from dask import delayed

    parts = [delayed(_part)(number, chunk) for number, chunk in enumerate(chunks)]
    while len(parts) > 1:
        parts = [delayed(_sum)(parts[i : i + _FAN_IN]) for i in range(0, len(parts), _FAN_IN)]
    return parts[0]


def _part(number, chunk):
    """`Moments` of a chunk, with one thread: the bits depend on the number of threads."""
    _check_index(number, chunk)
    with one_blas_thread():
        return moments_of_chunk(number, chunk)


def _check_index(number, chunk):
    """Raise an error if the indices differ, as different rows would then be paired."""
    X, *others = chunk
    for part in others:
        if hasattr(X, "index") and not part.index.equals(X.index):
            raise ValueError(
                f"chunk {number}: the index of Y or sample_weight differs from that of X, so rows "
                "that do not belong together would be paired: take all from one DataFrame, or give "
                "them the index of X in the same order."
            )


def _sum(parts):
    found = [part for part in parts if part is not None]
    return reduce(add, found) if found else None
