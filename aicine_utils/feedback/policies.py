"""How a simulated service makes its lists: from its log of clicks, and from nothing that it could not see."""

import numpy as np

from aicine_utils.feedback.simulator import Log, Policy, Scores
from aicine_utils.feedback.updates import linear


def popular(log: Log, rng: np.random.Generator) -> np.ndarray:
    """Movies by their clicks, which favours what was shown; ties by chance. [n_movies]"""
    return log.clicks + rng.random(len(log.clicks)) / 2


def clicks_per_look(log: Log, rng: np.random.Generator) -> np.ndarray:
    """Movies by clicks over probable looks, shrunk by one imagined click in two looks; ties by chance. [n_movies]

    What was shown more, or higher up, gains nothing by it.
    """
    return (log.clicks + 1) / (log.looks + 2) + rng.random(len(log.clicks)) * 1e-6


def thompson(log: Log, rng: np.random.Generator) -> np.ndarray:
    """For each person a draw from Beta(1 + clicks, 1 + looks - clicks) of every movie. [n_users, n_movies]

    Thompson sampling (Chapelle & Li 2011) with the pseudo-counts of the position-based model (Lagrée et al. 2016).
    """
    missed = np.maximum(log.looks - log.clicks, 0)
    return rng.beta(1 + log.clicks, 1 + missed, size=log.clicked.shape).astype(np.float32)


def ease(regularisation: float = 20.0) -> Scores:
    """EASE on the clicks (Steck 2019, equation 8), refitted each round; without clicks, movies come by chance."""

    def scores(log: Log, rng: np.random.Generator) -> np.ndarray:
        seen = log.clicked.astype(np.float32)
        gram = seen.T @ seen
        gram[np.diag_indices_from(gram)] += regularisation
        return seen @ linear.weights(np.linalg.inv(gram)) + rng.random(seen.shape, dtype=np.float32) * 1e-6

    return scores


POLICIES = {
    "Popularity": Policy(popular),
    "Popularity, no loop": Policy(popular, apart=True),
    "Clicks per look": Policy(clicks_per_look),
    "Thompson sampling": Policy(thompson),
    "EASE": Policy(ease()),
    "EASE, no loop": Policy(ease(), apart=True),
    "EASE, 10 % by chance": Policy(ease(), epsilon=0.1),
    "EASE, 30 % by chance": Policy(ease(), epsilon=0.3),
    "Chance": Policy(popular, epsilon=1.0),
}
