"""The base class of displays."""

from abc import ABC, abstractmethod
from typing import Self

from shrinklin.display.axes import own_or_new


class Display(ABC):
    """A picture. The constructor takes the data; a class method `from_…` gets it from a model."""

    def plot(self, ax=None) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.

        Returns
        -------
        Self
            The display, with `ax_`, `figure_` and what was drawn as attributes.
        """
        ax = own_or_new(ax)
        self._draw(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @abstractmethod
    def _draw(self, ax):
        """Draw on these axes."""
