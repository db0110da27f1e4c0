"""Data, networks and numbers of trainings of each run, and its cells."""

from dataclasses import dataclass

import numpy as np

from experiments.network_data import ClassData, load_classes

RANDOM, SCALED, NARROW = "random sizes", "one random factor", "narrow"
SWITCHES, SWITCHES_AGAIN = "ShrinkNet", "ShrinkNet's sizes, from scratch"
PATH, PATH_AGAIN, PRUNED = "annealed front", "its sizes, from scratch", "pruned at the end"
# All of a seed's networks of these come from one training.
ONE_TRAINING = (PATH, PRUNED)
# Ways of networks whose layers have random sizes, and the draws of their random numbers.
_STREAMS = {RANDOM: 0, SCALED: 1, SWITCHES: 2}


@dataclass(frozen=True)
class Setting:
    """What is trained.

    Attributes
    ----------
    data : str
        As `load_classes` takes it.
    network : {"perceptron", "vgg", "vgg16"}
    full : tuple of int
        Sizes of the layers of the large network: twice those that static sizes are multiples of.
    budgets : tuple of int
        Numbers of parameters of the front, descending.
    strengths : (float, float)
        The range of λ.
    weight_decay : float
        λ₂ of ShrinkNet.
    learning_rate, front_rate : float
        Learning rates of Adam, that of the front by itself. They fall to 0 along a cosine, except
        in the trunk of the front.
    trunk_epochs, branch_epochs : int
        Of the front. All other networks train for the sum of both.
    rows : (int, int, int)
        Of training, validation, and tests.
    n_seeds, n_random, n_scaled, n_switches : int
        Trainings for each seed.
    """

    data: str
    network: str
    full: tuple
    budgets: tuple
    strengths: tuple
    learning_rate: float
    front_rate: float
    batch_size: int
    trunk_epochs: int
    branch_epochs: int
    rows: tuple
    n_seeds: int
    n_random: int
    n_scaled: int
    n_switches: int
    weight_decay: float = 1e-5

    @property
    def epochs(self):
        return self.trunk_epochs + self.branch_epochs

    @property
    def usual(self):
        """The way in which the draft samples static sizes for this kind of network."""
        return RANDOM if self.network == "perceptron" else SCALED


COVERTYPE = Setting(
    data="covertype93k",
    network="perceptron",
    full=(200, 200, 200),
    budgets=(30_000, 10_000, 3000, 1000),
    strengths=(3e-5, 3e-2),
    learning_rate=0.01,
    front_rate=0.005,
    batch_size=256,
    trunk_epochs=40,
    branch_epochs=30,
    rows=(20_000, 10_000, 20_000),
    n_seeds=3,
    n_random=14,
    n_scaled=0,
    n_switches=8,
)
CIFAR10 = Setting(
    data="cifar10",
    network="vgg",
    full=(16, 24, 24, 48, 48, 96),
    budgets=(50_000, 20_000, 7000, 2500),
    strengths=(1e-3, 0.1),
    learning_rate=0.004,
    front_rate=0.002,
    batch_size=64,
    trunk_epochs=14,
    branch_epochs=10,
    rows=(3500, 5000, 5000),
    n_seeds=3,
    n_random=3,
    # About what ShrinkNet's multiply-adds pay for.
    n_scaled=30,
    n_switches=5,
)
VGG16 = Setting(
    data="cifar10",
    network="vgg16",
    full=(128, 128, 256, 256, 512, 512, 512, *[1024] * 6, 5000),
    budgets=(10_000_000, 3_000_000, 1_000_000, 300_000, 100_000),
    strengths=(1e-6, 1e-2),
    learning_rate=0.001,
    front_rate=0.001,
    batch_size=128,
    trunk_epochs=150,
    branch_epochs=100,
    rows=(45_000, 5000, 10_000),
    n_seeds=3,
    n_random=0,
    n_scaled=30,
    n_switches=15,
)
DIGITS = Setting(
    data="digits",
    network="perceptron",
    full=(60, 40),
    budgets=(2500, 1200, 600),
    strengths=(3e-3, 0.5),
    learning_rate=0.02,
    front_rate=0.02,
    batch_size=64,
    trunk_epochs=18,
    branch_epochs=14,
    rows=(600, 400, 797),
    n_seeds=3,
    n_random=10,
    n_scaled=0,
    n_switches=5,
)
SETTINGS = {"covertype93k": COVERTYPE, "cifar10": CIFAR10, "cifar10-vgg16": VGG16, "digits": DIGITS}


@dataclass(frozen=True, eq=False)
class Problem:
    """Data, and what is trained on them."""

    setting: Setting
    data: ClassData

    @property
    def checksum(self):
        return self.data.checksum


def problem(name, data_home=None):
    """The `Problem` of this name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name not in SETTINGS:
        raise ValueError(f"there is no setting for {name!r}: give one of {', '.join(SETTINGS)}.")
    return Problem(SETTINGS[name], load_classes(SETTINGS[name].data, data_home))


def jobs(setting):
    """All cells. A job is a training, with those that take its sizes or go on from it."""
    return [
        [_cell(setting, seed=seed, **asked) for asked in job]
        for seed in range(setting.n_seeds)
        for job in _jobs_of_seed(setting, seed)
    ]


def _jobs_of_seed(setting, seed):
    for way, n in ((RANDOM, setting.n_random), (SCALED, setting.n_scaled)):
        for draw, sizes in enumerate(_static_sizes(setting, way, n, seed)):
            yield [{"way": way, "draw": draw, "sizes": "-".join(map(str, sizes))}]
    for draw, strength in enumerate(_strengths(setting, seed)):
        ways = (SWITCHES, SWITCHES_AGAIN)
        yield [{"way": way, "draw": draw, "strength": strength} for way in ways]
    budgets = list(enumerate(setting.budgets))
    yield from ([{"way": NARROW, "draw": draw, "budget": budget}] for draw, budget in budgets)
    for job in ([PATH, PATH_AGAIN], [PRUNED]):
        yield [
            {"way": way, "draw": draw, "budget": budget} for way in job for draw, budget in budgets
        ]


def _cell(setting, *, way, seed, draw, sizes=None, strength=None, budget=None):
    return {
        "network": setting.network,
        "full": "-".join(map(str, setting.full)),
        "way": way,
        "seed": seed,
        "draw": draw,
        "sizes": sizes,
        "strength": strength,
        "budget": budget,
        "epochs": setting.epochs,
        "learning_rate": setting.front_rate if way == PATH else setting.learning_rate,
    }


def _rng(way, seed):
    return np.random.default_rng([seed, _STREAMS[way]])


def _static_sizes(setting, way, n, seed):
    """Random sizes, as many as n: each layer is narrower by a factor between 1/20 and 1.

    Factors are log-uniform, and the same for all layers if sizes are scaled.
    """
    n_factors = len(setting.full) if way == RANDOM else 1
    factors = np.exp(_rng(way, seed).uniform(np.log(1 / 20), 0, size=(n, n_factors)))
    sizes = np.maximum(np.rint(factors * np.array(setting.full)), 1)
    return sizes.astype(int).tolist()


def _strengths(setting, seed):
    """λ, log-uniform, with few digits."""
    low, high = np.log(setting.strengths)
    drawn = np.exp(_rng(SWITCHES, seed).uniform(low, high, size=setting.n_switches))
    return [float(f"{value:.3g}") for value in drawn]
