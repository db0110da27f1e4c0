"""Every script of the gallery runs without a warning, draws, and finds what its text says."""

import runpy
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from without_torch import needs_torch, why_without_torch

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted((ROOT / "examples").glob("plot_*.py"))
# Of each the promise of its text, in the script's own names.
PROMISES = {
    "plot_hooks.py": (
        "right > 0.94 and sum(module.shrinker.sizes.values()) < 45"
        " and module.shrinker.history['multiply_adds'][-1] < 15 * 6.5e8"
    ),
    "plot_mlp_table.py": (
        "small.n_parameters_ < n_usual / 8 and right[1] > right[0] - 0.01 and n_usual == 13910"
        " and small.get_support()[64:].sum() < 8 < 25 < small.get_support()[:64].sum() < 50"
        " and search.n_parameters_ < 2000 and search.score(X_test, y_test) > 0.94"
    ),
    "plot_skorch.py": (
        "net.history[-1, 'valid_acc'] > 0.92 and 0 < sum(net.shrinker_.sizes.values()) < 130"
    ),
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
    "plot_mixed_table.py": "columns == ['area', 'district', 'heating', 'year'] and score > 0.85",
    "plot_take_away.py": (
        "difference < 1e-12 and names == ['StandardScaler', 'SelectKBest', 'LogisticRegression']"
        " and 20 < kept.sum() < 50"
    ),
    "plot_networks.py": (
        "15 < sizes[0] / sizes[1] < 30 and accuracies[1] > 0.96 > accuracies[0] - 0.03"
        " and difference < 1e-4 and type(folded[1]) is nn.Sequential"
    ),
    "plot_imbalanced_classes.py": (
        "scores['balanced'] > scores['default'] + 0.1 and kept == 'm3, m8, m21, m30'"
    ),
    "plot_one_hot_groups.py": (
        "list(kept[1]) == ['question 1', 'question 5'] and len(kept[0]) > 2"
    ),
    "plot_pipeline.py": "kept.sum() < 16 and r2 > 0.85 * r2_of_all",
    "plot_propositions.py": (
        "[o.refuted for o in outcomes.values()] == [True, False, True, False]"
        " and [len(m) for m in list(minima.values())[1:]] == [2, 1]"
    ),
    "plot_stability.py": (
        "stable.max() < 8 and len(stable) == 7 and np.sum(single >= 8) > 5 and bound < 1"
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


@pytest.fixture(autouse=True)
def a_process_of_its_own_but_for_its_cost(monkeypatch, tmp_path):
    """What a script sets, draws and writes is gone after it; importing all anew takes seconds."""
    state = np.random.get_state()  # noqa: NPY002
    monkeypatch.chdir(tmp_path)
    plt.close("all")
    with mpl.rc_context():
        yield
    plt.close("all")
    np.random.set_state(state)  # noqa: NPY002


def run(script, promise, monkeypatch):
    """Run a script as a reader does, with warnings as errors, and check what it drew and found."""
    monkeypatch.setattr(sys, "argv", [str(script)])
    names = runpy.run_path(str(script), run_name="__main__")
    figures = [plt.figure(number) for number in plt.get_fignums()]
    assert figures, "no figure"
    for figure in figures:
        check(figure)
    assert eval(promise, names), f"not so: {promise}"


def check(figure):
    figure.canvas.draw()
    drawn = [ax for ax in figure.axes if ax.has_data()]
    assert drawn, "an empty figure"
    assert any(ax.get_title() for ax in drawn) or figure.get_suptitle(), "no title"
    for ax in drawn:
        for axis in (ax.xaxis, ax.yaxis):
            shared = any(
                getattr(other, axis.axis_name + "axis").get_label_text()
                for other in getattr(ax, f"get_shared_{axis.axis_name}_axes")().get_siblings(ax)
            )
            ticks = [t for t in axis.get_ticklabels() if t.get_visible() and t.get_text()]
            words = any(c.isalpha() for t in ticks for c in t.get_text())
            assert shared or words or not ticks, f"an axis without a name: {axis}"


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_keeps_its_promise(script, monkeypatch):
    if needs_torch(script.read_text(encoding="utf-8")) and why_without_torch():
        pytest.skip(why_without_torch())
    run(script, PROMISES[script.name], monkeypatch)


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
    ("text", "promise", "error", "message"),
    [
        (NAMED, "1 > 2", AssertionError, "not so: 1 > 2"),
        (NAMED + "import warnings\nwarnings.warn('hm')\n", "True", UserWarning, "hm"),
        ("import matplotlib.pyplot as plt\nplt.figure()\n", "True", AssertionError, "an empty fig"),
        ("x = 1\n", "x == 1", AssertionError, "no figure"),
        (FIGURE, "True", AssertionError, "an axis without a name"),
    ],
    ids=["promise", "warning", "empty", "none", "axis"],
)
def test_a_script_that_does_not_is_refused(text, promise, error, message, tmp_path, monkeypatch):
    script = tmp_path / "plot_wrong.py"
    script.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=message):
        run(script, promise, monkeypatch)
