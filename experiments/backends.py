"""Where jobs are measured: in local processes or on a cluster, all through joblib."""

from contextlib import ExitStack, contextmanager

from joblib import Parallel, effective_n_jobs, parallel_config

from shrinklin.messages import imported


@contextmanager
def workers(backend, n_jobs, address, data):
    """A context with a function that runs joblib's delayed calls and yields their results.

    Parameters
    ----------
    backend : {"loky", "dask", "ray"}
        Local processes; a dask cluster; a ray cluster.
    n_jobs : int
        How many jobs run at once; -1 means one per core. A running cluster uses all its
        workers.
    address : str or None
        Address of the scheduler of a running cluster, whose workers have this repository as
        their working folder. None starts a cluster on this machine.
    data : object
        An argument of all calls, which is sent to the workers once.
    """
    with BACKENDS[backend](n_jobs, address, data) as as_they_finish:
        yield as_they_finish


def _one_by_one(calls):
    return Parallel(return_as="generator_unordered", batch_size=1)(calls)


def _in_batches(calls):
    """For joblib backends that return all results at once."""
    calls, size = list(calls), effective_n_jobs()
    with Parallel() as parallel:
        for start in range(0, len(calls), size):
            yield from parallel(calls[start : start + size])


@contextmanager
def _loky(n_jobs, address, data):
    if address is not None:
        raise ValueError("--address is of a cluster: give --backend dask or ray with it.")
    with parallel_config("loky", n_jobs=n_jobs):
        yield _one_by_one


@contextmanager
def _dask(n_jobs, address, data):
    dask = imported("dask.distributed", "--backend dask", "distributed", "dask[distributed]")
    with ExitStack() as stack:
        if address is None:
            n_workers = None if n_jobs == -1 else n_jobs
            # Any free port: with None dask warns if another cluster uses port 8787.
            cluster = dask.LocalCluster(
                n_workers=n_workers, threads_per_worker=1, dashboard_address="127.0.0.1:0"
            )
            address = stack.enter_context(cluster)
        client = stack.enter_context(dask.Client(address))
        _check_threads(client)
        stack.enter_context(parallel_config("dask", n_jobs=-1, scatter=[data]))
        yield _one_by_one


def _check_threads(client):
    """Each worker needs one thread: warnings and BLAS threads are settings of a process."""
    n_threads = max(client.nthreads().values(), default=1)
    if n_threads != 1:
        raise ValueError(
            f"The cluster has workers of {n_threads} threads, which would mix what they measure: "
            "start them with --nthreads 1."
        )


@contextmanager
def _ray(n_jobs, address, data):
    ray = imported("ray", "--backend ray")
    imported("ray.util.joblib", "--backend ray").register_ray()
    ray.init(address=address)
    try:
        with parallel_config("ray", n_jobs=n_jobs):
            yield _in_batches
    finally:
        ray.shutdown()


BACKENDS = {"loky": _loky, "dask": _dask, "ray": _ray}
