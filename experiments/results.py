"""The CSV file of a run: one row per cell, written as soon as its job is measured.

Rows are appended in the order in which jobs finish. A run that was killed continues where it
stopped: rows of finished jobs are kept; an incomplete last line and the rows of incomplete
jobs are dropped. When all cells are measured, the rows are sorted into the order of the cells.
So the file is the same to the byte, however the run went.

FILE.json, beside FILE.csv, holds the settings of the run; a run with other settings is refused.
A lock keeps other processes from writing the same file.
"""

import csv
import io
import json
import os
from contextlib import contextmanager

try:
    import fcntl
except ImportError:
    # Windows has none: there two processes may write the same file.
    fcntl = None  # type: ignore[assignment]


class Results:
    """Rows of a run, on disk.

    Parameters
    ----------
    file : Path
        FILE.csv.
    settings : dict
        The settings of the run, which JSON can hold.
    code : str
        Identifies the code that measures. Rows of other code are kept if the run is complete,
        and never mixed with new ones.
    jobs : list of list of dict
        All cells, as `experiment.Experiment.jobs` returns them.

    Attributes
    ----------
    unfinished : list of int
        The jobs that have no rows yet.
    n_finished : int
        How many cells have been measured.

    Raises
    ------
    ValueError
        If `file` holds another run.
    """

    def __init__(self, file, settings, code, jobs):
        self.file, self.jobs = file, jobs
        self.rows: dict[int, list] = {}
        self.columns: list[str] = []
        known = self._checked(settings)
        self._read()
        if not known or not self.rows:
            _replace(self._beside, _as_json({**settings, "code": code}))
        elif self.unfinished and known.get("code") != code:
            raise ValueError(
                f"{self.file} was begun by other code, whose results must not be mixed with this "
                "one's. Give another --out, delete the file, or go back to that code."
            )
        if self.file.exists():
            # Without incomplete lines and jobs.
            self._write()

    @property
    def unfinished(self):
        return [job for job in range(len(self.jobs)) if job not in self.rows]

    @property
    def n_finished(self):
        return sum(map(len, self.rows.values()))

    def append(self, job, measured):
        """Append the results of a job."""
        rows = [{**cell, **found} for cell, found in zip(self.jobs[job], measured, strict=True)]
        header = [] if self.columns else [list(rows[0])]
        self.columns = self.columns or list(rows[0])
        for row in rows:
            if list(row) != self.columns:
                raise ValueError(f"Columns are {self.columns}, and a cell has {list(row)}.")
        lines = [[_text(value) for value in row.values()] for row in rows]
        with self.file.open("ab") as stream:
            stream.write(_as_csv(header + lines))
            stream.flush()
            os.fsync(stream.fileno())
        self.rows[job] = lines

    def finish(self):
        """Sort the rows into the order of the cells."""
        if self.unfinished:
            raise ValueError(f"{len(self.unfinished)} jobs are not finished.")
        self._write()

    @property
    def _beside(self):
        return self.file.with_suffix(".json")

    def _checked(self, settings):
        """The settings of the existing file; refuses a file of another run."""
        if not self.file.exists() or not self.file.stat().st_size:
            return {}
        known = json.loads(self._beside.read_text()) if self._beside.exists() else {}
        for name, value in settings.items():
            if known.get(name) != value:
                raise ValueError(
                    f"{self.file} holds another run: {name} is {known.get(name)!r} there and "
                    f"{value!r} here. Give another --out, or delete the file."
                )
        return known

    def _read(self):
        """Read the rows of finished jobs."""
        self.columns, lines = _whole_lines(self.file)
        found = {self._key_of_line(line): line for line in lines}
        jobs = [[self._key(cell) for cell in cells] for cells in self.jobs]
        strange = set(found).difference(key for keys in jobs for key in keys)
        if strange:
            raise ValueError(
                f"{self.file} holds cells that this run does not have, as {min(strange)}. Give "
                "another --out, or delete the file."
            )
        for job, keys in enumerate(jobs):
            if all(key in found for key in keys):
                self.rows[job] = [found[key] for key in keys]

    def _write(self):
        header = [self.columns] if self.rows else []
        lines = [line for job in sorted(self.rows) for line in self.rows[job]]
        self.columns = self.columns if self.rows else []
        _replace(self.file, _as_csv(header + lines))

    def _key(self, cell):
        return tuple(_text(value) for value in cell.values())

    def _key_of_line(self, line):
        return tuple(line[: len(self.jobs[0][0])])


def read_table(file):
    """The rows of FILE.csv as a pandas DataFrame; empty entries are NaN."""
    import pandas as pd

    # By default pandas before 3.1 may round floats in the last bit; later ones never do.
    exact = tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)
    options = {} if exact else {"float_precision": "round_trip"}
    return pd.read_csv(file, keep_default_na=False, na_values=[""], **options)


@contextmanager
def locked(file):
    """A context in which no other process writes the run of `file`.

    Raises
    ------
    ValueError
        If another process does.
    """
    lock = file.with_suffix(".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as stream:
        if fcntl is not None:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(
                    f"{file} is being written by another process: wait for it, or give another "
                    "--out."
                ) from None
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _as_json(settings):
    return (json.dumps(settings, indent=1) + "\n").encode()


def _text(value):
    """A value as text for the file: floats exact to the last bit, text on one line."""
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        # By float, as the repr of a numpy float names its type.
        return repr(float(value))
    return " ".join(str(value).split())


def _as_csv(lines):
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(lines)
    return stream.getvalue().encode()


def _whole_lines(file):
    """Columns and complete lines of a file whose last line may be incomplete."""
    if not file.exists():
        return [], []
    data = file.read_bytes()
    data = data[: data.rfind(b"\n") + 1]
    columns, *lines = csv.reader(io.StringIO(data.decode(), newline="")) if data else [[]]
    return columns, [line for line in lines if len(line) == len(columns)]


def _replace(file, data):
    """Replace the file in one step, so that it is never half written."""
    new = file.with_name(file.name + ".new")
    with new.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
