"""What would a new list bring? Estimates from the clicks on an old one's lists, with no one shown the new.

The log: impressions of one list each, drawn by a policy whose chances are known. Clicks follow the position-based
model: a movie is clicked if its rank is looked at (chance θ_rank) and the person likes it. So what a policy gives a
movie is its **exposure** to a person,

    E(i | u) = Σ over ranks of θ_rank · P(i at rank | u),

and the weight of a logged movie is w = E_new / E_old (the estimator of Li et al. 2018, KDD, under its position-based
click model). In all that follows ``clicks``, ``weights`` [n, k] belong to the movies of n logged lists, and an
estimator gives one number a list [n]; the mean of these is the expected clicks of a list of the new policy. Means over
people and intervals are :func:`estimate`'s job. People, not lists, are what is resampled.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from aicine_utils.errors import AicineError
from aicine_utils.feedback.policies import ease, popular
from aicine_utils.feedback.simulator import World, by_chance, click, expected_clicks, fill
from aicine_utils.metrics.significance import ratio_interval

GUESS = "Guess of a model"  # the one estimate that no log enters


class Mixture(NamedTuple):
    """A policy that shows ``lists`` [n_users, k], and with chance ``epsilon`` a whole list drawn by chance instead.

    Each list is drawn without repeats from all ``n_movies``, so the chance of every movie at every rank is known:
    (1 - epsilon) where it stands in the person's list, plus epsilon / n_movies.
    """

    lists: np.ndarray
    epsilon: float
    n_movies: int

    def exposure(self, examination: np.ndarray) -> np.ndarray:
        """E(i | u), float64 [n_users, n_movies]; examination: θ [k]. Example: θ = (1, .5), list (a, b) of a, b, c with
        epsilon .3: a has .7 · 1 + .1 · 1.5 = .85, b .7 · .5 + .15 = .5, c .15.
        """
        users = np.arange(len(self.lists))[:, None]
        exposure = np.full((len(self.lists), self.n_movies), self.epsilon / self.n_movies * examination.sum())
        exposure[users, self.lists] += (1 - self.epsilon) * examination
        return exposure

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One list a person, int [n_users, k]."""
        nothing = np.zeros((len(self.lists), self.n_movies), bool)
        by_chance = fill(np.zeros(self.n_movies, np.float32), nothing, self.lists.shape[1], 1.0, rng)
        explores = rng.random(len(self.lists)) < self.epsilon
        return np.where(explores[:, None], by_chance, self.lists)


class Logged(NamedTuple):
    """n impressions: users int [n], lists int [n, k], clicks bool [n, k]."""

    users: np.ndarray
    lists: np.ndarray
    clicks: np.ndarray


def record(world: World, policy: Mixture, times: int, seed: int = 0) -> Logged:
    """``times`` lists for everyone, and what was clicked. The policy stands still, and nothing is ever used up."""
    rng = np.random.default_rng((seed, 2))
    lists = [policy.draw(rng) for _ in range(times)]
    clicks = [click(world, shown, rng) for shown in lists]
    return Logged(np.tile(np.arange(len(world.appeal)), times), np.concatenate(lists), np.concatenate(clicks))


def weights(logged: Logged, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """w = E_new / E_old of the logged movies, float64 [n, k]; old, new: exposures [n_users, n_movies].

    Raises AicineError where the old policy could not have shown what the new one does: nothing can be learned there.
    """
    if ((new > 0) & (old <= 0)).any():
        raise AicineError("The new policy shows movies that the old one never could. Log with some exploration.")
    at = logged.users[:, None], logged.lists
    return new[at] / old[at]


def ips(clicks: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Inverse propensity scoring: Σ over ranks of w · click (Horvitz & Thompson 1952; Li et al. 2018).

    Unbiased. Example: clicks (1, 0, 1), weights (2, 3, .5): 2.5.
    """
    return (weights * clicks).sum(axis=1)


def self_normalised(clicks: np.ndarray, weights: np.ndarray, examination: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numerators and denominators [n] of Σ w · click / (Σ w · θ / Σ θ), sums over all lists and ranks.

    A list of the new policy has exposure Σ θ in all, and Σ w · θ of a logged list has that mean: dividing by what it
    came to takes out the luck of the draw, for a bias that goes with 1 / n (Swaminathan & Joachims 2015).
    """
    return ips(clicks, weights), (weights * examination).sum(axis=1) / examination.sum()


def doubly_robust(
    clicks: np.ndarray, weights: np.ndarray, examination: np.ndarray, guessed: np.ndarray, guessed_new: np.ndarray
) -> np.ndarray:
    """Guess of the new list + Σ w · (click - θ · guess) of the old (Dudík, Langford & Li 2011, equation 4).

    guessed: guessed appeal of the logged movies [n, k]; guessed_new: Σ over movies of E_new · guess for the person of
    each list [n]. Unbiased whatever the guess; the better that is, the narrower. With a guess of 0 it is :func:`ips`.
    """
    return guessed_new + (weights * (clicks - examination * guessed)).sum(axis=1)


class Estimate(NamedTuple):
    """Expected clicks of a list, with the 95 % bootstrap interval over people."""

    value: float
    low: float
    high: float


def estimate(
    users: np.ndarray, numerators: np.ndarray, denominators: np.ndarray | None = None, resamples: int = 2000,
    seed: int = 0,
) -> Estimate:  # fmt: skip
    """Σ numerators / Σ denominators (ones unless given) over the lists [n] of ``users`` [n]; people are resampled."""
    bottom = np.ones(len(users)) if denominators is None else denominators
    _, person = np.unique(users, return_inverse=True)
    top, bottom = (np.bincount(person, values) for values in (numerators, bottom))
    return Estimate(float(top.sum() / bottom.sum()), *map(float, ratio_interval(top, bottom, resamples, seed)))


def all_estimates(
    logged: Logged, old: Mixture, new: np.ndarray, examination: np.ndarray, guess: np.ndarray, resamples: int = 2000
) -> pd.DataFrame:
    """Every estimate of the new lists [n_users, k] from one log: method, value, low, high.

    guess: appeal [n_users, n_movies] as a model of clicks sees it, used by the last two. *Clicks counted* adds up the
    clicks on movies that the new list has too, as if the log had shown these to everyone: what replays do that forget
    who chose the lists.
    """
    target = Mixture(new, 0.0, old.n_movies).exposure(examination)
    w, at = weights(logged, old.exposure(examination), target), (logged.users[:, None], logged.lists)
    guessed_new = (target * guess).sum(axis=1)[logged.users]
    clicks = logged.clicks.astype(np.float64)
    found = {
        "Clicks counted": (ips(clicks, (target[at] > 0).astype(np.float64)),),
        GUESS: (guessed_new,),
        "IPS": (ips(clicks, w),),
        "Self-normalised IPS": self_normalised(clicks, w, examination),
        "Doubly robust": (doubly_robust(clicks, w, examination, guess[at], guessed_new),),
    }
    rows = [(name, *estimate(logged.users, *parts, resamples=resamples)) for name, parts in found.items()]
    return pd.DataFrame(rows, columns=["method", "value", "value_low", "value_high"])


class Experiment(NamedTuple):
    """What :func:`experiment` found; ``setting`` is what :func:`repeated` begins with."""

    truth: float
    truth_old: float
    estimates: pd.DataFrame
    setting: tuple[World, np.ndarray, np.ndarray, np.ndarray]


def experiment(
    world: World, n_users: int, epsilon: float, times: int, seed: int = 0, resamples: int = 2000
) -> Experiment:
    """EASE judged by a log of popularity, whose lists are drawn by chance with ``epsilon``; both learned from the same
    pilot: as many lists drawn by chance for everyone. The guess is the pilot's clicks per look, alike for all people.
    """
    people, rng = world.people(n_users, seed), np.random.default_rng((seed, 4))
    pilot, nothing = by_chance(people, times, seed), np.zeros((n_users, world.appeal.shape[1]), bool)
    k = len(world.examination)
    shown, new = (fill(scores(pilot, rng), nothing, k, 0.0, rng) for scores in (popular, ease()))
    guess = np.broadcast_to((pilot.clicks + 1) / (pilot.looks + 2), people.appeal.shape)
    old = Mixture(shown, epsilon, nothing.shape[1])
    logged = record(people, old, times, seed)
    found = all_estimates(logged, old, new, world.examination, guess, resamples)
    truths = (float(expected_clicks(people, lists).mean()) for lists in (new, shown))
    return Experiment(*truths, found, (people, shown, new, guess))


def repeated(
    world: World, shown: np.ndarray, new: np.ndarray, guess: np.ndarray, epsilons: Sequence[float], times: int = 10,
    logs: int = 50, resamples: int = 200,
) -> pd.DataFrame:  # fmt: skip
    """How good the estimates are, over ``logs`` logs: epsilon, method, truth, truth_old, mean, error, holds, tells,
    logs.

    truth, truth_old: clicks of a new list, and of an old one drawn without chance, which a service can count. error:
    root mean square of estimate minus truth; holds: share of the 95 % intervals that hold the truth; tells: share of
    those that lie on the same side of ``truth_old`` as the truth, which is to know whether the new lists are better.
    The guess does not depend on the log, so its one value is no experience with many and stays out.
    """
    truth, truth_old = (float(expected_clicks(world, lists).mean()) for lists in (new, shown))
    parts = []
    for epsilon in epsilons:
        old = Mixture(shown, epsilon, world.appeal.shape[1])
        for seed in range(logs):
            logged = record(world, old, times, seed)
            found = all_estimates(logged, old, new, world.examination, guess, resamples)
            parts.append(found[found["method"] != GUESS].assign(epsilon=epsilon))
    table = pd.concat(parts, ignore_index=True)
    table["error"] = (table["value"] - truth) ** 2
    table["holds"] = (table["value_low"] <= truth) & (truth <= table["value_high"])
    table["tells"] = table["value_low"] > truth_old if truth > truth_old else table["value_high"] < truth_old
    by = table.groupby(["epsilon", "method"], sort=False)
    found = by.agg(mean=("value", "mean"), error=("error", "mean"), holds=("holds", "mean"), tells=("tells", "mean"),
                   logs=("value", "size"))  # fmt: skip
    return found.assign(error=np.sqrt(found["error"]), truth=truth, truth_old=truth_old).reset_index()
