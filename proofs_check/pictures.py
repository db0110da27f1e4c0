"""Pictures of three statements: the saddle of A.2, the infimum of A.3, the minima of A.4."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from proofs_check import a3_no_minimum
from proofs_check.a2_not_convex import Data, witness
from proofs_check.a4_many_minima.surface import EXAMPLE, surface


@dataclass(frozen=True)
class Picture:
    """A drawing that belongs to a statement.

    Attributes
    ----------
    statement : str
    file : str
        Its name in the documentation.
    caption : str
    draw : callable
        Takes no arguments. Returns a matplotlib Figure.
    """

    statement: str
    file: str
    caption: str
    draw: Callable

    def png(self):
        """The drawing as PNG, in bytes."""
        buffer = io.BytesIO()
        # Without matplotlib's version, so that the same drawing gives the same bytes.
        self.draw().savefig(buffer, format="png", dpi=110, metadata={"Software": None})
        return buffer.getvalue()


def of(statement):
    """The pictures of a statement."""
    return [picture for picture in PICTURES if picture.statement == statement]


def _figure(**options):
    # Not pyplot: it keeps figures alive and may look for a display.
    from matplotlib.figure import Figure

    return Figure(figsize=(6.4, 4.6), layout="constrained", **options)


def saddle():
    """f(a, β) = (1 − aβ)² and a chord that lies below it."""
    figure = _figure()
    axes = figure.add_subplot(projection="3d")
    line = np.linspace(-1.4, 1.4, 57)
    a, beta = np.meshgrid(line, line)
    axes.plot_surface(a, beta, (1 - a * beta) ** 2, cmap="viridis", alpha=0.6)
    points = witness(Data(((1,),), ((1,),)))
    ends = np.array([[float(A[0][0]), float(beta[0])] for A, beta in points])
    heights = (1 - ends[:, 0] * ends[:, 1]) ** 2
    axes.plot(*ends.T, heights, color="crimson", marker="o", zorder=10)
    axes.plot([0], [0], [1], color="black", marker="o", zorder=10)
    axes.view_init(elev=38, azim=-28)
    axes.set(xlabel="a", ylabel="β", zlabel="f(a, β)")
    return figure


def infimum():
    """How far the values along the sequence of A.3 are above the infimum."""
    figure = _figure()
    axes = figure.add_subplot()
    example = a3_no_minimum.EXAMPLE
    steps = [2**k for k in range(16)]
    values = a3_no_minimum.values_of_sequence(example.X, example.Y, example.lam, steps)
    least = float(a3_no_minimum.values_of_sequence(example.X, example.Y, 0, [1])[0])
    excess = np.array([float(value) for value in values]) - least
    axes.loglog(steps, excess, marker="o", color="C0")
    axes.set_xlabel("m: switches are 1/m, weights m times those of least squares")
    axes.set_ylabel("value, less the infimum")
    axes.grid(alpha=0.3)
    return figure


# Values of each switch in the picture of A.4; 0 is one of them.
SWITCHES = np.linspace(-2.5, 2.5, 201)


def minima():
    """The objective over two switches, minimised over the weights."""
    from matplotlib.colors import BoundaryNorm

    figure = _figure()
    axes = figure.add_subplot()
    line = SWITCHES
    values = surface(EXAMPLE, line)
    # Quantiles, as the hill in the middle is much higher than everything else.
    levels = np.unique(np.quantile(values, np.linspace(0, 1, 30)))
    norm = BoundaryNorm(levels, 256)
    drawn = axes.contourf(line, line, values, levels=levels, cmap="viridis", norm=norm)
    figure.colorbar(drawn, ax=axes, label="objective, weights at their best", format="%.2f")
    half = len(line) // 2
    for rows in (slice(0, half), slice(half + 1, None)):
        for columns in (slice(0, half), slice(half + 1, None)):
            quadrant = values[rows, columns]
            i, j = np.unravel_index(quadrant.argmin(), quadrant.shape)
            axes.plot(line[columns][j], line[rows][i], "o", color="crimson")
    axes.set(xlabel="first switch", ylabel="second switch")
    return figure


PICTURES = (
    Picture(
        "A.2",
        "proofs_a2.png",
        "The squared error (1 − aβ)² of one weight and one switch. Both ends of the red chord, "
        "(1, 1) and (−1, −1), have the value 0; between them, at (0, 0), it is 1.",
        saddle,
    ),
    Picture(
        "A.3",
        "proofs_a3.png",
        "Halving the switches and doubling the weights goes on for ever: the value falls "
        "towards that of least squares and never gets there.",
        infimum,
    ),
    Picture(
        "A.4",
        "proofs_a4.png",
        "Two features that are both kept: four minima of the same value (red), one for every "
        "choice of the signs of the switches.",
        minima,
    ),
)
