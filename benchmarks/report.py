"""The results of benchopt as a table, a figure and a CSV file: `make bench`.

Of each solver on each workload: the seconds it took to reach a relative duality gap of 1e-4,
1e-6 and 1e-8 at the worst alpha of the path (for ShrinkNet a prox residual), and how many times
as long as shrinklin in the same run that is.
"""

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd

OURS = ("shrinklin", "shrinklin ShrinkNet")
# Distribution: what is imported of it.
PEERS = {
    "scikit-learn": "sklearn",
    "skglm": "skglm",
    "adelie": "adelie",
    "celer": "celer",
    "group-lasso": "group_lasso",
}
TARGETS = (1e-4, 1e-6, 1e-8)
FLOOR = "floor: X'X + X'Y, or X'Y alone"
_OURS = {"color": "black", "marker": "o", "linewidth": 2.2, "markersize": 4, "zorder": 5}
# Gaps below are drawn here.
_LEAST = 1e-11
# What benchopt calls it: what it is called here.
COLUMNS = {
    "objective_workload": "workload",
    "solver_name": "solver",
    "stop_val": "tolerance asked",
    "time": "seconds",
    "objective_worst": "worst relative gap",
    "objective_objective": "objective",
    "objective_rows": "rows kept",
    "objective_finished": "alphas finished",
    "objective_n_alphas": "alphas",
    "objective_jit_seconds": "JIT seconds",
    "objective_floor_seconds": "floor seconds",
    "objective_note": "note",
}


def read(parquet, missing):
    """A row a run of the files `parquet`, and one for each peer that could not be installed."""
    runs = pd.concat([pd.read_parquet(path)[list(COLUMNS)] for path in parquet], ignore_index=True)
    runs = runs.rename(columns=COLUMNS)
    runs["solver"] = runs["solver"].str.replace(r"\[(?:solver=)?(.*)\]", r", \1", regex=True)
    # Compiled once in a process, whatever comes first.
    runs["JIT seconds"] = runs.groupby("solver")["JIT seconds"].transform("max")
    absent = [
        {"workload": "all", "solver": peer, "note": f"not installed: {reason}"}
        for peer, reason in missing.items()
    ]
    return pd.concat([runs, pd.DataFrame(absent)], ignore_index=True) if absent else runs


def not_installed(logs):
    """{peer: reason} for those that cannot be imported; `logs` has what pip said, PEER.log."""
    reasons = {}
    for peer, module in PEERS.items():
        try:
            importlib.metadata.version(peer)
            importlib.import_module(module)
        except importlib.metadata.PackageNotFoundError:
            reasons[peer] = _reason(Path(logs) / f"{peer}.log")
        except Exception as error:  # of any kind: extensions built for another numpy, say
            reasons[peer] = f"{type(error).__name__}: {error}".splitlines()[0]
    return reasons


def _reason(log):
    lines = log.read_text().splitlines() if log.exists() else []
    errors = [line for line in lines if "error" in line.lower()] or lines
    return errors[-1].strip() if errors else "pip was not run"


def seconds_to(runs, target):
    """Of the fastest run that reached the target; infinite if none did."""
    return runs.loc[runs["worst relative gap"] <= target, "seconds"].min() if len(runs) else np.inf


def compare(runs):
    """A row a solver and workload: what it took to reach each target, and as a ratio to ours."""
    rows = []
    for workload, here in runs.groupby("workload", sort=False):
        ours = here[here["solver"].isin(OURS)]
        for solver, tries in here.groupby("solver", sort=False):
            cells = {f"{t:.0e}": _cell(tries, ours, t) for t in TARGETS}
            rows.append({"workload": workload, "solver": solver} | cells | _best(tries))
        if here["floor seconds"].notna().any():
            rows.append({"workload": workload} | _floor(here["floor seconds"].min(), ours))
    return pd.DataFrame(rows).fillna("")


def _cell(tries, ours, target):
    seconds, base = seconds_to(tries, target), seconds_to(ours, target)
    if not np.isfinite(seconds):
        return "–"
    return f"{_short(seconds)} s" + (f" ({_short(seconds / base)} ×)" if base > 0 else "")


def _best(tries):
    """The most accurate run, and why there was none better."""
    note = next((note for note in tries["note"][::-1] if isinstance(note, str) and note), "")
    done = tries[np.isfinite(tries["worst relative gap"])]
    if done.empty:
        finished, asked = tries["alphas finished"].max(), tries["alphas"].max()
        if np.isfinite(asked):
            note = f"{note}, {finished:.0f} of {asked:.0f} alphas"
        return {"best": "–", "note": note}
    best = done.loc[done["worst relative gap"].idxmin()]
    jit = tries["JIT seconds"].max()
    told = f"{best['worst relative gap']:.0e} in {_short(best['seconds'])} s"
    return {"best": told, "rows": f"{best['rows kept']:.0f}", "JIT": f"{jit:.1f} s", "note": note}


def _floor(seconds, ours):
    ratios = {f"{t:.0e}": seconds / seconds_to(ours, t) for t in TARGETS}
    cells = {name: f"{_short(ratio)} ×" if ratio > 0 else "–" for name, ratio in ratios.items()}
    return {"solver": FLOOR, **cells, "best": f"{_short(seconds)} s"}


def _short(number):
    """Two digits, or all before the point."""
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"


def markdown(table):
    """A heading and a table for each workload."""
    parts = []
    for workload, rows in table.groupby("workload", sort=False):
        rows = rows.drop(columns="workload")
        lines = [list(rows.columns), ["---"] * len(rows.columns), *rows.to_numpy().tolist()]
        parts += [f"### {workload}\n", *("| " + " | ".join(line) + " |" for line in lines), ""]
    return "\n".join(parts)


def draw(runs, path):
    """Time against accuracy, a panel a workload that has rivals; of runs that none surpasses."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    runs = runs[runs["seconds"].notna()]
    runs = runs[runs.groupby("workload")["solver"].transform("nunique") > 1]
    if runs.empty:
        return
    workloads, looks = runs["workload"].unique(), _looks(runs)
    n_columns = min(3, len(workloads))
    n_rows = -(-len(workloads) // n_columns)
    size = 3 * n_columns, 2.5 * n_rows + 0.8
    figure, axes = plt.subplots(n_rows, n_columns, figsize=size, squeeze=False)
    for ax, workload in zip(axes.flat, workloads, strict=False):
        _draw_panel(ax, runs[runs["workload"] == workload], looks)
        ax.set_title(_two_lines(workload), fontsize=8.5)
    for ax in axes.flat[len(workloads) :]:
        ax.set_axis_off()
    for ax in axes[:, 0]:
        ax.set_ylabel("worst relative gap")
    for ax in axes.flat[max(0, len(workloads) - n_columns) : len(workloads)]:
        ax.set_xlabel("seconds")
    handles = [plt.Line2D([], [], label=solver, **look) for solver, look in looks.items()]
    figure.tight_layout(rect=(0, 0.8 / figure.get_figheight(), 1, 1))
    figure.legend(handles=handles, loc="lower center", ncols=3, frameon=False, fontsize=9)
    for kind in ("png", "svg"):
        figure.savefig(path.with_suffix(f".{kind}"), dpi=180)
    plt.close(figure)


def _looks(runs):
    """Colour and marker of each solver: ours black, and above the others."""
    solvers = runs["solver"].unique()
    looks = {s: _OURS for s in OURS if s in solvers}
    peers = sorted(set(solvers) - set(OURS))
    for i, (peer, marker) in enumerate(zip(peers, cycle("v^D<>XPsd*"))):
        looks[peer] = {"color": f"C{i}", "marker": marker, "linewidth": 1.2, "markersize": 4}
    return looks


def _draw_panel(ax, runs, looks):
    for solver, tries in runs.groupby("solver", sort=False):
        front = _undominated(tries)
        if len(front):
            ax.plot(front["seconds"], front["worst relative gap"].clip(_LEAST), **looks[solver])
        else:
            # Not one path in time: on the upper edge, where it was stopped.
            look = looks[solver] | {"linestyle": "none", "fillstyle": "none", "clip_on": False}
            ax.plot(tries["seconds"].min(), 1.0, **look)
    ax.set(xscale="log", yscale="log", ylim=(_LEAST / 3, 1.0))
    ax.set_yticks([1e-10, 1e-8, 1e-6, 1e-4, 1e-2])
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, high / 30), high)
    ax.xaxis.set_minor_formatter("")
    ax.grid(True, alpha=0.3)


def _undominated(tries):
    done = tries[np.isfinite(tries["worst relative gap"])].sort_values("seconds")
    gaps = done["worst relative gap"]
    return done[gaps < gaps.cummin().shift(fill_value=np.inf)]


def _two_lines(workload):
    start, _, end = workload.partition(", ")
    return f"{start}\n{end}"


def machine():
    """Where it was measured, and with what."""
    packages = ("shrinklin", "numpy", "scipy", "benchopt", *PEERS)
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in packages},
    }


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor():
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parquet", type=Path, nargs="+", help="what benchopt wrote")
    parser.add_argument("--logs", type=Path, default=Path(".venv-bench/peers"), help="of pip")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    runs = read(options.parquet, not_installed(options.logs))
    runs.to_csv(options.out / "peers.csv", index=False, float_format="%.6g")
    table = markdown(compare(runs))
    (options.out / "peers.md").write_text(table)
    (options.out / "machine.json").write_text(json.dumps(machine(), indent=2) + "\n")
    draw(runs, options.out / "peers.png")
    print(table)


if __name__ == "__main__":
    main()
