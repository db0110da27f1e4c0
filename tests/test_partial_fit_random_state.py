"""What partial_fit draws, and from which generator."""

import numpy as np
import pytest
from sklearn.base import clone

from shrinklin import (
    Removal,
)
from streams import RATES_TOO_LARGE, chunks_of, every_estimator, make, same_bits, stream


@every_estimator
def test_random_states(estimator):
    chunks = chunks_of()
    models = [
        stream(clone(estimator).set_params(random_state=state), chunks)
        for state in (3, 3, 4, np.random.RandomState(3), np.random.RandomState(3))
    ]
    assert same_bits(models[0], models[1])
    assert not same_bits(models[0], models[2])
    assert same_bits(models[3], models[4])


def drawn_from(rng):
    return rng.get_state()[1:3]


@every_estimator
def test_a_generator_gives_one_number_and_none_where_the_first_call_fails(estimator):
    rng, chunks = np.random.RandomState(3), chunks_of()
    rate = RATES_TOO_LARGE.get(type(estimator), 1e5)
    model = make(estimator, optimizer="sgd", learning_rate=rate, batch_size=7)
    model.set_params(random_state=rng)
    with pytest.raises(ValueError, match="diverged"):
        stream(model, chunks[:1])
    np.testing.assert_equal(drawn_from(rng), drawn_from(np.random.RandomState(3)))
    stream(model.set_params(solver__learning_rate=0.01), chunks)
    one = np.random.RandomState(3)
    one.randint(2**31 - 1)
    np.testing.assert_equal(drawn_from(rng), drawn_from(one))


class Fails(Removal):
    def dead(self, watched):
        np.random.random_sample()  # noqa: NPY002
        raise RuntimeError("a strategy of one's own")


@every_estimator
def test_without_random_state_the_global_generator_is_left_alone(estimator):
    chunks, before = chunks_of(), np.random.get_state()  # noqa: NPY002
    try:
        np.random.seed(0)  # noqa: NPY002
        model = stream(make(estimator, random_state=None, batch_size=7), chunks[:1])
        begun = drawn_from(np.random)
        stream(model, chunks[1:3])
        np.testing.assert_equal(drawn_from(np.random), begun)
        model.set_params(solver__removal=Fails())
        with pytest.raises(RuntimeError):
            stream(model, chunks[3:])
        # Numbers that others have drawn meanwhile do not come again.
        assert drawn_from(np.random)[1] != begun[1]
    finally:
        np.random.set_state(before)  # noqa: NPY002


@every_estimator
def test_random_state_is_looked_at_in_the_first_call_alone(estimator):
    chunks = chunks_of()
    model = stream(make(estimator, batch_size=7), chunks[:2]).set_params(random_state=9)
    assert same_bits(stream(model, chunks[2:]), stream(make(estimator, batch_size=7), chunks))
