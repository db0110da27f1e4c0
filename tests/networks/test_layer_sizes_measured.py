"""Sizes over time, as they are measured."""

import pytest

from experiments.layer_sizes import DIGIT, SUM, LayerSizes, course_of

pytestmark = pytest.mark.untraced

CELL = {
    "label": DIGIT, "lambda": 0.03, "seed": 1, "n_training": 600, "n_validation": 200,
    "n_test": 300, "repeats": 3, "hidden": "40-30", "epochs": 8, "learning_rate": 0.02,
}  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return LayerSizes().load("digits", True, None)


def test_sizes_fall_and_give_the_parameters(data):
    (found,) = LayerSizes().measure([CELL], data)
    course = course_of(found["sizes"])
    assert course.shape == (1 + CELL["epochs"], 2)
    assert tuple(course[0]) == (40, 30)
    assert (course[1:] <= course[:-1]).all()
    a, b = course[-1]
    assert a + b < 60
    # 2 × 64 inputs, 10 classes.
    assert found["parameters"] == 129 * a + (a + 1) * b + (b + 1) * 10
    assert found["validation"] > 0.7


def test_a_result_depends_on_the_cell_alone(data):
    cells = [CELL, {**CELL, "label": SUM}, {**CELL, "seed": 2}, {**CELL, "lambda": 1e-5}]
    together = LayerSizes().measure(cells, data)
    alone = [LayerSizes().measure([cell], data)[0] for cell in reversed(cells)]
    assert together == alone[::-1]
    assert len({found["sizes"] for found in together}) == len(cells)
    assert together[1]["validation"] < together[0]["validation"] - 0.1
