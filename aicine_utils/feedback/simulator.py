"""A service that learns from clicks on its own lists, with people whose tastes are known because they are made up.

What is assumed, all of it:

1. A person's taste for a movie is one number, ``appeal[u, i]``: the chance of a click when the movie is looked at. It
   comes from predicted stars of a low-rank model fitted to real ratings, and does not change.
2. Whether the movie at a rank is looked at depends on the rank alone (position-based examination, Craswell et al.
   2008): 1 / log2(rank + 1), or rank^-eta (Joachims, Swaminathan & Schnabel 2017).
3. A click is a look times a liking, each drawn anew, and nothing else: no mood, no neighbours in the list, no trust.
4. A clicked movie is watched and never shown to that person again; one passed over may be.
5. The first lists are drawn by chance. Everyone comes once a round, and the policy learns between rounds.

Policies learn from clicks, and from nothing that a service could not see.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import ndtr

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.metrics.beyond import coverage, gini
from aicine_utils.metrics.significance import paired
from aicine_utils.models.base import Recommender, top_columns
from aicine_utils.splits import Split

K = 10  # movies in a list
MEASURES = ("clicks", "share_of_best", "coverage", "gini", "coverage_of_best")


@dataclass(frozen=True)
class World:
    """People with known tastes.

    appeal: float32 [n_users, n_movies], the chance of a click on a movie that is looked at; examination: float64 [k],
    the chance that each rank is looked at.
    """

    appeal: np.ndarray
    examination: np.ndarray

    def people(self, n: int, seed: int) -> "World":
        """``n`` people drawn with replacement, so that runs differ in whom they meet as well as in luck."""
        rows = np.random.default_rng((seed, 0)).integers(len(self.appeal), size=n)
        return replace(self, appeal=self.appeal[rows])


@dataclass
class Log:
    """What the service has seen: who clicked what, and how often each movie was probably looked at.

    clicked: bool [n_users, n_movies]; clicks, looks: float64 [n_movies], looks as the sum of the chances of a look at
    the ranks where the movie stood.
    """

    clicked: np.ndarray
    clicks: np.ndarray
    looks: np.ndarray

    @classmethod
    def empty(cls, world: World) -> "Log":
        """Before the first list."""
        n_movies = world.appeal.shape[1]
        return cls(np.zeros(world.appeal.shape, bool), np.zeros(n_movies), np.zeros(n_movies))

    def add(self, world: World, lists: np.ndarray, clicked: np.ndarray) -> None:
        """One list a person, int [n_users, k], and which of its movies were clicked, bool [n_users, k]."""
        rows, ranks = np.nonzero(clicked)
        self.clicked[rows, lists[rows, ranks]] = True
        size = len(self.clicks)
        self.clicks += np.bincount(lists[rows, ranks], minlength=size)
        looks = np.broadcast_to(world.examination, lists.shape)
        self.looks += np.bincount(lists.ravel(), looks.ravel(), minlength=size)


Scores = Callable[[Log, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Policy:
    """How lists are made: scores of movies from a log, and the share ``epsilon`` of slots filled by chance.

    ``apart``: learn from lists drawn by chance that run beside, and not from its own. No service can afford that; it
    shows what the loop itself does: its films are watched and used up as elsewhere, but tell it nothing.
    """

    scores: Scores
    epsilon: float = 0.0
    apart: bool = False


def examination(k: int = K, eta: float | None = None) -> np.ndarray:
    """The chance of a look at each rank, float64 [k]: rank^-eta, or 1 / log2(rank + 1) without eta."""
    ranks = np.arange(1, k + 1)
    return 1 / np.log2(ranks + 1) if eta is None else ranks ** -float(eta)


def appeal_of_stars(stars: np.ndarray, threshold: float, error: float) -> np.ndarray:
    """P(a rating above ``threshold``) of predicted stars whose error is normal with this spread: Φ((stars - t) / e).

    Example: stars 4.5, threshold 3.5, error 1 gives Φ(1) = .841.
    """
    if error <= 0:
        raise AicineError(f"The error of predicted stars is {error}; it must be above 0. Fit a model that errs.")
    return ndtr((np.asarray(stars, np.float32) - np.float32(threshold)) / np.float32(error))


def world_of(
    model: Recommender, threshold: float, error: float, n_movies: int = 500, k: int = K, eta: float | None = None
) -> World:
    """The people of a fitted rating model and its ``n_movies`` most rated movies.

    threshold, error: see :func:`appeal_of_stars`. Lists hold ``k`` movies, a quarter of all at most.
    """
    columns = np.sort(np.argsort(-model.views_, kind="stable")[:n_movies])
    stars = np.concatenate([scores[:, columns] for _, scores in model.iter_scores(model.user_ids_)])
    return World(appeal_of_stars(stars, threshold, error), examination(min(k, len(columns) // 4), eta))


def between(split: Split) -> float:
    """Stars half-way between the lowest rating that is liked and the next below: 3.5 for 4 of whole stars."""
    stars = np.unique(split.history[c.RATING].to_numpy(np.float64))
    below = stars[stars < split.min_relevant]
    return float((split.min_relevant + below.max(initial=split.min_relevant - 1)) / 2)


def longest(world: World, rounds: int) -> int:
    """``rounds``, or as many as surely leave everyone a full list."""
    n_movies, k = world.appeal.shape[1], len(world.examination)
    return min(rounds, (n_movies - k) // k - 1)


def fill(scores: np.ndarray, watched: np.ndarray, k: int, epsilon: float, rng: np.random.Generator) -> np.ndarray:
    """Lists, int [n_users, k]: at each rank the best movie left, or with chance ``epsilon`` any that is left.

    scores: [n_users, n_movies] or [n_movies]; watched: bool [n_users, n_movies], never shown. With ``epsilon`` 1 the
    scores have no say: every list without repeats is equally likely.
    """
    if watched.sum(axis=1).max(initial=0) > watched.shape[1] - k:
        raise AicineError(f"Someone has fewer than {k} movies left to be shown. Use fewer rounds or more movies.")
    open_scores = np.where(watched, -np.inf, scores).astype(np.float32)
    if not epsilon:
        return top_columns(open_scores, k)
    chance = np.where(watched, -np.inf, rng.random(watched.shape, dtype=np.float32))
    explores = rng.random((len(watched), k)) < epsilon
    people, lists = np.arange(len(watched)), np.empty((len(watched), k), np.int64)
    for rank in range(k):  # a rank depends on those above it
        lists[:, rank] = np.where(explores[:, rank], chance.argmax(axis=1), open_scores.argmax(axis=1))
        chance[people, lists[:, rank]] = open_scores[people, lists[:, rank]] = -np.inf
    return lists


def expected_clicks(world: World, lists: np.ndarray) -> np.ndarray:
    """Σ over ranks of examination · appeal: the clicks that each list brings on average, float64 [n_users]."""
    return np.take_along_axis(world.appeal, lists, axis=1) @ world.examination


def click(world: World, lists: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Which movies of the lists are clicked, bool [n_users, k]."""
    chance = np.take_along_axis(world.appeal, lists, axis=1) * world.examination
    return rng.random(lists.shape) < chance


def run(world: World, policy: Policy, rounds: int = 20, seed: int = 0) -> pd.DataFrame:
    """One row a round, from 0, whose lists are drawn by chance: round and :data:`MEASURES`.

    clicks: expected clicks of a list; share_of_best: these over those of the best list of what the person has not
    watched; coverage: share of all movies in anyone's list of this round; gini: how unequally this round's lists fall
    on movies; coverage_of_best: what coverage would be if everyone had the best list.
    """
    own, k = Log.empty(world), len(world.examination)
    learned = Log.empty(world) if policy.apart else own
    chance = Policy(lambda log, rng: np.zeros(log.clicks.shape, np.float32), epsilon=1.0)
    rows = []
    for number in range(rounds + 1):
        rng = np.random.default_rng((seed, 1, number))
        here = chance if number == 0 else policy
        lists = fill(here.scores(learned, rng), own.clicked, k, here.epsilon, rng)
        rows.append(_measured(world, own, lists))
        clicked = click(world, lists, rng)
        own.add(world, lists, clicked)
        if policy.apart and number:  # the first lists are drawn by chance for everyone
            lists = fill(learned.clicks, learned.clicked, k, 1.0, rng)
            clicked = click(world, lists, rng)
        if policy.apart:
            learned.add(world, lists, clicked)
    return pd.DataFrame(rows, columns=list(MEASURES)).rename_axis("round").reset_index()


def by_chance(world: World, times: int, seed: int = 0) -> Log:
    """The log of so many lists drawn by chance for everyone."""
    log, rng, k = Log.empty(world), np.random.default_rng((seed, 3)), len(world.examination)
    for _ in range(times):
        lists = fill(log.clicks, log.clicked, k, 1.0, rng)
        log.add(world, lists, click(world, lists, rng))
    return log


def _measured(world: World, log: Log, lists: np.ndarray) -> tuple[float, ...]:
    best = top_columns(np.where(log.clicked, -np.inf, world.appeal), lists.shape[1])
    gained, possible = (expected_clicks(world, made).mean() for made in (lists, best))
    times, ideal = (np.bincount(made.ravel(), minlength=world.appeal.shape[1]) for made in (lists, best))
    return gained, gained / possible, coverage(times), gini(times), coverage(ideal)


def simulate(
    world: World, policies: Mapping[str, Policy], rounds: int, runs: int, n_users: int, seed: int = 0
) -> pd.DataFrame:
    """:func:`run` of every policy with the same people: policy, run, round and :data:`MEASURES`."""
    parts = []
    for number in range(runs):
        people = world.people(n_users, seed=(seed + number))
        parts += [
            run(people, policy, rounds, seed + number).assign(policy=name, run=number)
            for name, policy in policies.items()
        ]
    return pd.concat(parts, ignore_index=True)[["policy", "run", "round", *MEASURES]]


def over_rounds(results: pd.DataFrame, first: int = 1) -> pd.DataFrame:
    """Means over the rounds from ``first`` on, of each run: policy, run and :data:`MEASURES`. Round 0 was chance."""
    kept = results[results["round"] >= first]
    return kept.groupby(["policy", "run"], sort=False)[list(MEASURES)].mean().reset_index()


def change(results: pd.DataFrame) -> pd.DataFrame:
    """The last round minus the first learned one, of each run: policy, run and :data:`MEASURES`."""
    ends = [results[results["round"] == n].set_index(["policy", "run"])[list(MEASURES)]
            for n in (1, results["round"].max())]  # fmt: skip
    return (ends[1] - ends[0]).reset_index()


def interval_over_runs(values: pd.DataFrame, reference: str | None = None) -> pd.DataFrame:
    """Each policy's mean over runs with its t interval, or its difference to ``reference`` in the same runs.

    values: policy, run and measures, a row a run. Indexed by policy; for each measure three columns, ``_low`` and
    ``_high`` the ends. Raises AicineError for a single run.
    """
    rows = {}
    measures = [name for name in MEASURES if name in values]
    base = values[values["policy"] == reference].set_index("run")
    for policy, part in values.groupby("policy", sort=False):
        part = part.set_index("run")
        other = base.loc[part.index, measures] if reference else 0 * part[measures]
        rows[policy] = _ends({name: paired(part[name].to_numpy(), other[name].to_numpy()) for name in measures})
    return pd.DataFrame(rows).T.rename_axis("policy")


def _ends(found: Mapping[str, tuple]) -> dict[str, float]:
    """``clicks``, ``clicks_low``, ``clicks_high`` and so on."""
    return {f"{name}{end}": value for name, test in found.items()
            for end, value in zip(("", "_low", "_high"), test, strict=False)}  # fmt: skip
