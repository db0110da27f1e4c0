"""Run a script of the gallery as a reader does, and check what it drew and what it found.

``python tests/run_example.py SCRIPT PROMISE``: exits with an error where a warning is given,
where no figure has anything in it, where an axis is without its name, or where PROMISE, an
expression of the script's names, is not true.
"""

import runpy
import sys
import warnings

import matplotlib.pyplot as plt


def main(script, promise):
    sys.argv = [script]
    warnings.simplefilter("error")
    # There may be a display, on which nothing is to be shown.
    warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")
    names = runpy.run_path(script, run_name="__main__")
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


if __name__ == "__main__":
    main(*sys.argv[1:])
