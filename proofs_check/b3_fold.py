r"""B.3: removing dead features and folding the switches into A change no prediction.

Let g = β for a switch layer and g = max(0, θ) for a filter layer, let a_j be the rows of
A ∈ ℝ^{k×q} and b ∈ ℝ^q the intercept. A switched linear model predicts

.. math:: \hat{y} = A^\top \mathrm{diag}(g)\, x + b = \sum_{j=1}^{k} g_j x_j a_j + b.

A feature is dead if g_j = 0 or a_j = 0. Its term is then 0 for every x. So, if S is the set of
features alive,

.. math:: \hat{y} = \sum_{j \in S} g_j x_j a_j + b = W^\top x + b, \qquad w_j = g_j a_j.

The statement is ours, and true in exact arithmetic. In floats, a sum over fewer features may be
rounded differently. A feature is alive if at least one of its weights is nonzero, and however
small its switch is. If all are dead, the prediction is b.
"""

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.claim import Claim, Mutant, exact

SOURCE = "shrinklin's own (README: ShrinkNet equals a group bridge penalty)"


@dataclass(frozen=True)
class Model:
    """A switched linear model and samples to predict, all as tuples of rows.

    `gate` is "switch" or "filter"; `switch` is β or θ.
    """

    gate: str
    switch: tuple
    A: tuple
    b: tuple
    X: tuple

    @property
    def gates(self):
        if self.gate == "filter":
            return tuple(max(Fraction(0), theta) for theta in self.switch)
        return self.switch

    def __str__(self):
        symbol = "β" if self.gate == "switch" else "θ"
        arrays = ((symbol, self.switch), ("A", self.A), ("b", self.b), ("X", self.X))
        return ", ".join(f"{name} = {exact(array)}" for name, array in arrays)


def numbers():
    """Zero is drawn often."""
    return st.just(Fraction(0)) | st.fractions(-3, 3, max_denominator=3)


@st.composite
def models(draw, max_features=5, max_targets=3, max_samples=3):
    """Including models with all features dead, and all alive."""
    n_targets, n_samples = draw(st.integers(1, max_targets)), draw(st.integers(1, max_samples))
    row = st.just((Fraction(0),) * n_targets) | vectors(n_targets)
    # Hypothesis can shrink a list of features to the one that matters.
    feature = st.tuples(numbers(), row, vectors(n_samples))
    features = draw(st.lists(feature, min_size=1, max_size=max_features))
    switch, A, columns = zip(*features, strict=True)
    gate, b = draw(st.sampled_from(("switch", "filter"))), draw(vectors(n_targets))
    return Model(gate, switch, A, b, tuple(zip(*columns, strict=True)))


def vectors(size):
    return st.tuples(*[numbers()] * size)


def predict(X, gates, A, b):
    """Predictions feature by feature, with the gate applied to x as in the layer."""
    return [
        [
            sum((g * x * a[k] for g, x, a in zip(gates, row, A, strict=True)), Fraction(0)) + b[k]
            for k in range(len(b))
        ]
        for row in X
    ]


def alive(model):
    """The features that are not dead."""
    pairs = zip(model.gates, model.A, strict=True)
    return [j for j, (gate, a) in enumerate(pairs) if gate != 0 and any(a)]


def compacted(model, alive=alive):
    """X, gates, A and b without the dead features."""
    kept = alive(model)
    X, A = [[row[j] for j in kept] for row in model.X], [model.A[j] for j in kept]
    return X, [model.gates[j] for j in kept], A, model.b


def fold(gates, A):
    """W, with rows g_j a_j."""
    return [[gate * entry for entry in a] for gate, a in zip(gates, A, strict=True)]


def linear(X, W, b):
    """XW + b."""
    return [
        [sum((x * w[k] for x, w in zip(row, W, strict=True)), b[k]) for k in range(len(b))]
        for row in X
    ]


def predictions_stay(model, alive=alive, fold=fold, intercept=lambda b: b):
    full = predict(model.X, model.gates, model.A, model.b)
    X, gates, A, b = compacted(model, alive)
    others = {
        "without the dead features": predict(X, gates, A, b),
        "with β folded into A": linear(model.X, fold(model.gates, model.A), intercept(model.b)),
        "without the dead, then folded": linear(X, fold(gates, A), intercept(b)),
    }
    for how, predictions in others.items():
        if predictions != full:
            return f"{how} {exact(predictions)} is predicted, not {exact(full)}"
    return None


def all_but_first(model):
    """Mistakes one feature that is alive for dead."""
    return alive(model)[1:]


def all_weights_alive(model):
    """Mistakes a feature for dead if any of its weights is 0."""
    return [j for j in alive(model) if all(model.A[j])]


def large(model):
    """Mistakes a small switch for 0."""
    return [j for j in alive(model) if abs(model.gates[j]) > Fraction(1, 2)]


def positive(model):
    """Mistakes negative switches for 0, as if every layer were a filter layer."""
    return [j for j in alive(model) if model.gates[j] > 0]


CLAIMS = (
    Claim(
        name="B.3",
        formula=(
            r"\hat{y} = \sum_j g_j x_j a_j + b = \sum_{g_j \neq 0, \, a_j \neq 0} g_j x_j a_j + b"
            r" = W^\top x + b",
            r"w_j = g_j a_j, \quad g = \beta \;\; \mathrm{or} \;\; g = \max(0, \theta)",
        ),
        says="Removing dead features and folding β into A leave every prediction unchanged.",
        source=SOURCE,
        domain="switch and filter layers of 1 to 5 features and 1 to 3 targets, 1 to 3 samples",
        instances=models(),
        violation=predictions_stay,
        mutants=(
            Mutant("a feature alive is removed", lambda m: predictions_stay(m, all_but_first)),
            Mutant("one weight of 0 is death", lambda m: predictions_stay(m, all_weights_alive)),
            Mutant("a switch below 1/2 is death", lambda m: predictions_stay(m, large)),
            Mutant("a negative switch is death", lambda m: predictions_stay(m, positive)),
            Mutant(
                "β² is folded into A",
                lambda m: predictions_stay(
                    m, fold=lambda gates, A: fold([gate**2 for gate in gates], A)
                ),
            ),
            Mutant(
                "θ is folded into A, not max(0, θ)",
                lambda m: (
                    None
                    if linear(m.X, fold(m.switch, m.A), m.b) == predict(m.X, m.gates, m.A, m.b)
                    else "a filter that is shut predicts"
                ),
            ),
            Mutant(
                "b is forgotten",
                lambda m: predictions_stay(m, intercept=lambda b: [Fraction(0)] * len(b)),
            ),
        ),
    ),
)
