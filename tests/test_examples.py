"""Every script of the gallery runs without a warning, draws, and finds what its text says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted((ROOT / "examples").glob("plot_*.py"))
# Of each the promise of its text, in the script's own names.
PROMISES = {
    "plot_bridge_identity.py": (
        "gap < 1e-3 and (abs(proxes['group lasso'] - np.sign(w) * np.maximum(abs(w) - 1, 0))"
        ".max() < 1e-5) and 0.7 < abs(proxes['ShrinkNet'])[proxes['ShrinkNet'] != 0].min() < 0.8"
    ),
    "plot_cv_one_standard_error.py": (
        "all(5 <= m.get_support().sum() < m.n_selected_[m.cv_scores_.mean(axis=1).argmax()]"
        " for m in models.values())"
    ),
    "plot_dask.py": "rounding < 1e-12 and list(entered) == [2, 7, 11, 23]",
    "plot_early_pruning.py": (
        "noise == 0 and models['exact solver'].objective_ < models['sign variance'].objective_"
        " < 1.01 * models['no removal'].objective_ and models['sign variance'].cost_.neuron_epochs"
        " < 0.5 * models['no removal'].cost_.neuron_epochs"
    ),
    "plot_feature_selection.py": (
        "scores['all columns'][-1] < 0.8 and all(values[-1] > 0.9 and values[0] > 0.9"
        " for name, values in scores.items() if name != 'all columns')"
    ),
    "plot_grid_search.py": (
        "search.best_score_ > 0.9 and 0 < len(selected) < X.shape[1]"
        " and found['mean_test_features'][0] > 2 * found['mean_test_features'][-2]"
    ),
    "plot_large_data_by_chunks.py": (
        "max(gaps) < 1e-6 and list(np.flatnonzero(model.get_support())) == [0, 1, 2, 3, 4]"
        " and 9 < errors[-1] < 9.5 < errors[0]"
    ),
    "plot_one_hot_groups.py": (
        "kept_questions == ['question 1', 'question 5']"
        " and len(set(groups[single.get_support()])) > 2"
    ),
    "plot_pipeline.py": "kept.sum() < 16 and r2 > 0.85 * r2_of_all",
    "plot_propositions.py": (
        "[o.refuted for o in outcomes.values()] == [True, False, True, False]"
        " and [len(m) for m in list(minima.values())[1:]] == [2, 1]"
    ),
    "plot_switch_trajectories.py": (
        "not model.get_support()[4:].any()"
        " and list(np.flatnonzero(exact.get_support())) == [0, 1, 2, 3]"
    ),
    "plot_tradeoff.py": (
        "4 < within_ten['ShrinkNet'] < within_ten['group lasso, refitted']"
        " < within_ten['group lasso']"
    ),
    "plot_xor.py": "selected == ['x0 x1 x2'] and accuracy > 0.95 and of_features < 0.6",
}


def run(script, promise):
    return subprocess.run(
        [sys.executable, ROOT / "tests" / "run_example.py", script, promise],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "MPLBACKEND": "agg", "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_keeps_its_promise(script):
    result = run(script, PROMISES[script.name])
    assert result.returncode == 0, result.stdout + result.stderr


def test_scripts_are_as_a_gallery_takes_them():
    assert len(SCRIPTS) >= 12
    assert set(PROMISES) == {script.name for script in SCRIPTS}
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        _, title, line, *_ = text.splitlines()
        assert len(line) == len(title) > 0, script.name
        assert set(line) == {"="}, script.name
        assert "\n# %%\n" in text, script.name
        assert 30 <= text.count("\n") <= 60, script.name


FIGURE = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('t')\n"
NAMED = FIGURE + "plt.xlabel('x')\nplt.ylabel('y')\n"


@pytest.mark.parametrize(
    ("text", "promise", "message"),
    [
        (NAMED, "1 > 2", "not so: 1 > 2"),
        (NAMED + "import warnings\nwarnings.warn('hm')\n", "True", "UserWarning: hm"),
        ("import matplotlib.pyplot as plt\nplt.figure()\n", "True", "an empty figure"),
        ("x = 1\n", "x == 1", "no figure"),
        (FIGURE, "True", "an axis without a name"),
    ],
)
def test_a_script_that_does_not_is_refused(text, promise, message, tmp_path):
    script = tmp_path / "plot_wrong.py"
    script.write_text(text, encoding="utf-8")
    result = run(script, promise)
    assert result.returncode == 1
    assert message in result.stderr
