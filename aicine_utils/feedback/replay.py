"""Prequential replay: the last ratings come again, window by window; each is first predicted, then learned from.

::

    ratings  . . . . . . . . . . . . . . . .|  1  |  2  |  3  |  4  |     time runs to the right
    frozen   learns ------------------------|                             and never again
    updated  learns ------------------------|-> +1 -> +2 -> +3            by the cheapest honest update
    refitted learns ------------------------|----->|---->|---->|          from zero before each window

Before each window all ways make a list for everyone who likes something in it, from what they learned until then; the
ratings of the window say how good the lists were (Dawid 1984; Gama, Sebastião & Rodrigues 2013, test then train). What
a person had rated before the window is in no list of any way: a service knows what it has shown, even when its model
does not. Users and movies are unknown to a model until it learns their first rating.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import histories
from aicine_utils.feedback.update import Updated, update
from aicine_utils.metrics import evaluate, ranking, significance
from aicine_utils.models.base import Recommender, ranked
from aicine_utils.protocols import time_order
from aicine_utils.splits import Split

K = 10
SECONDS_A_DAY = 86_400
FROZEN, UPDATED, REFITTED = WAYS = ("frozen", "updated", "refitted")
KNOWN, BACK, FIRST = "known at the cut", "back after the cut", "never seen before"
NDCG, SECONDS, NOBODY = "ndcg@10", "seconds", -1

Fit = Callable[[Split], Recommender]
Learn = Callable[[Recommender, pd.DataFrame, Split], Updated]


@dataclass(frozen=True)
class Window:
    """Ratings ``now`` of whole days from ``start``, and all ``before`` them; both sorted by user and time."""

    start: pd.Timestamp
    days: int
    now: pd.DataFrame
    before: pd.DataFrame


def windows(ratings: pd.DataFrame, share: float = 0.2, most: int = 50, otherwise: int = 20) -> list[Window]:
    """The last ``share`` of the ratings by time, cut into windows of equal length; those without a rating left out.

    Windows are days where ``most`` of them reach the end; else ``otherwise`` windows of as many whole days as it takes.
    Empty when no rating is later than the cut: ratings of one time can't be replayed.
    """
    seconds = ratings[c.TIMESTAMP].to_numpy("datetime64[s]").astype(np.int64)
    cut = np.quantile(seconds, 1 - share, method="lower") if len(seconds) else 0
    after = seconds > cut
    if not after.any():
        return []
    span = -(-int(seconds.max() - cut) // SECONDS_A_DAY)
    days = 1 if span <= most else -(-span // otherwise)
    number = np.where(after, (seconds - cut - 1) // (days * SECONDS_A_DAY), -1)
    ordered = ratings.iloc[time_order(ratings)].reset_index(drop=True)
    number = number[time_order(ratings)]
    start = [pd.Timestamp(int(cut) + int(n) * days * SECONDS_A_DAY, unit="s") for n in range(number.max() + 1)]
    return [
        Window(start[n], days, _rows(ordered, number == n), _rows(ordered, number < n))
        for n in np.unique(number[number >= 0])
    ]


def in_order(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """These ratings together, sorted by user and time."""
    both = pd.concat(parts, ignore_index=True)
    return both.iloc[time_order(both)].reset_index(drop=True)


def _rows(ratings: pd.DataFrame, mask: np.ndarray) -> pd.DataFrame:
    return ratings[mask].reset_index(drop=True)


def known_until(template: Split, before: pd.DataFrame) -> Split:
    """A split that learns from ``before`` and knows no other user or movie; the rest is as in ``template``."""
    nothing = before.iloc[:0]
    return replace(template, train=before, valid=nothing, test=nothing, refits=False)


def run(
    template: Split, parts: Sequence[Window], fit: Fit, learn: Learn = update, refits: bool = True,
    first: tuple[Recommender, float] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """One model through all windows in every way: way, window, kind, user_id, measure, value.

    measure is NDCG@10 of a person's list in a window, where they liked something; kind says what was known of them:
    before the cut, only since, or nothing. Or it is the seconds that a way took to be ready for a window (user_id -1).
    ``fit`` gives a new model each time; ``learn(model, new, history)`` what :func:`feedback.update.update` does.
    Without ``refits`` there are two ways, for models too dear to be trained again and again. ``first``: the model
    fitted at the cut and its seconds, where the caller has it.
    """
    history = known_until(template, parts[0].before)
    frozen, spent = first or timed(lambda: fit(history))
    ready, updated, rows = {FROZEN: spent, UPDATED: 0.0, REFITTED: 0.0}, frozen, []
    at_cut = np.unique(parts[0].before[c.USER])
    for number, window in enumerate(parts):
        ways = {FROZEN: frozen, UPDATED: updated, REFITTED: frozen}
        if refits and number:
            ways[REFITTED], ready[REFITTED] = timed(lambda known=window.before: fit(known_until(template, known)))
        if not refits:
            del ways[REFITTED]
        rows += [_measured(template, window, ways, at_cut, number), _costs(ways, ready, number)]
        learned = learn(updated, window.now, history)
        updated, history = learned.model, learned.history
        ready = {FROZEN: 0.0, UPDATED: learned.seconds, REFITTED: 0.0}
    return pd.concat(rows, ignore_index=True)


def timed(make: Callable[[], Recommender]) -> tuple[Recommender, float]:
    """A model and the seconds that it took."""
    started = time.perf_counter()
    return make(), time.perf_counter() - started


def _costs(ways: Mapping[str, Recommender], ready: Mapping[str, float], number: int) -> pd.DataFrame:
    rows = [(way, number, "", NOBODY, SECONDS, ready[way]) for way in ways]
    return pd.DataFrame(rows, columns=["way", "window", "kind", c.USER, "measure", c.VALUE])


def _measured(
    template: Split, window: Window, ways: Mapping[str, Recommender], at_cut: np.ndarray, number: int
) -> pd.DataFrame:
    relevant = template.relevant(window.now)
    if relevant.empty:
        return pd.DataFrame()
    seen = window.before[window.before[c.USER].isin(relevant[c.USER])]
    tables = {way: ndcg(model, seen, relevant) for way, model in ways.items()}
    long = pd.concat(tables, names=["way"]).reset_index("way").reset_index(drop=True)
    kind = _kinds(long[c.USER].to_numpy(), at_cut, np.unique(seen[c.USER]))
    return long.assign(window=number, kind=kind, measure=NDCG)


def _kinds(users: np.ndarray, at_cut: np.ndarray, before: np.ndarray) -> np.ndarray:
    return np.select([np.isin(users, at_cut), np.isin(users, before)], [KNOWN, BACK], FIRST)


def ndcg(model: Recommender, seen: pd.DataFrame, relevant: pd.DataFrame) -> pd.DataFrame:
    """user_id, value: NDCG@10 of the lists for all who have something ``relevant``; what they have ``seen`` (user_id,
    movie_id) is in no list.
    """
    lists = recommend(model, relevant[c.USER].unique(), seen)
    users, hits, wanted = evaluate.hits(lists, relevant, K)
    return pd.DataFrame({c.USER: users, c.VALUE: ranking.ndcg(hits, wanted, K)})


def recommend(model: Recommender, users: np.ndarray, seen: pd.DataFrame) -> pd.DataFrame:
    """The ten best of what is not ``seen``, which may be more than the model has learned: user_id, movie_id, rank,
    score. Someone of whom the model knows nothing gets what it knows to be watched most, as everywhere.
    """
    users = np.sort(users)
    scores = np.where(model.known_, _scores(model, users), -np.inf)
    rows = np.searchsorted(users, seen[c.USER].to_numpy())
    columns = np.searchsorted(model.movie_ids_, seen[c.MOVIE].to_numpy()).clip(max=len(model.movie_ids_) - 1)
    found = model.movie_ids_[columns] == seen[c.MOVIE].to_numpy()
    scores[rows[found], columns[found]] = -np.inf
    return ranked(scores, K, users, model.movie_ids_)


def _scores(model: Recommender, users: np.ndarray) -> np.ndarray:
    """Scores [len(users), n_movies] of people whom the model may not know."""
    known = np.isin(users, model.user_ids_)
    if not model.serves_unknown:
        known[known] = np.diff(model.seen_.indptr)[model.rows_of(users[known])] > 0
    scores = np.empty((len(users), len(model.movie_ids_)), np.float32)
    scores[known] = model.score(users[known])
    if not known.all():
        scores[~known] = histories.for_anyone(model)
    return scores


def per_user(values: pd.DataFrame) -> pd.DataFrame:
    """Each person's mean over the windows in which they liked something: model, label, way, user_id, value."""
    rows = values[values["measure"] == NDCG]
    return rows.groupby(["model", "label", "way", c.USER], sort=False)[c.VALUE].mean().reset_index()


def summary(values: pd.DataFrame, resamples: int = 2000) -> pd.DataFrame:
    """A row a model: each way's NDCG@10, what updating adds to frozen, and what refitting adds to updating.

    Means over people, with bootstrap intervals over people in ``_low`` and ``_high``; the differences (``gain``,
    ``left``) are paired. Also n_users.
    """
    rows = []
    for (model, label), part in per_user(values).groupby(["model", "label"], sort=False):
        wide = part.pivot(index=c.USER, columns="way", values=c.VALUE)
        wide["gain"] = wide[UPDATED] - wide[FROZEN]
        if REFITTED in wide:
            wide["left"] = wide[REFITTED] - wide[UPDATED]
        rows.append({"model": model, "label": label, "n_users": len(wide), **_with_ends(wide, resamples)})
    return pd.DataFrame(rows)


def _with_ends(wide: pd.DataFrame, resamples: int) -> dict[str, float]:
    low, high = significance.interval(wide.to_numpy(), resamples)
    return {f"{name}{end}": value[i] for end, value in (("", wide.mean().to_numpy()), ("_low", low), ("_high", high))
            for i, name in enumerate(wide)}  # fmt: skip


def by_kind(values: pd.DataFrame, resamples: int = 2000) -> pd.DataFrame:
    """:func:`summary` within each kind of person: kind before the columns of the summary."""
    known = values[values["measure"] == NDCG]
    parts = [summary(part, resamples).assign(kind=kind) for kind, part in known.groupby("kind", sort=False)]
    return pd.concat(parts, ignore_index=True)


def over_time(values: pd.DataFrame, stretches: int = 6, resamples: int = 2000) -> pd.DataFrame:
    """The replay in stretches of windows with about as many (person, window) pairs each.

    Returns model, label, way, stretch (from 1), first and last window, value with its interval over people; the ways
    are frozen, updated, refitted, and the differences ``gain`` and ``left``.
    """
    rows = values[values["measure"] == NDCG]
    pairs = rows.drop_duplicates(["window", c.USER])["window"].to_numpy()
    edges = np.unique(np.quantile(pairs, np.linspace(0, 1, stretches + 1)[1:-1], method="higher"))
    rows = rows.assign(stretch=np.searchsorted(edges, rows["window"], side="right") + 1)
    parts = []
    for (model, label, stretch), part in rows.groupby(["model", "label", "stretch"], sort=False):
        found = summary(part, resamples).iloc[0]
        parts += [
            {"model": model, "label": label, "way": way, "stretch": stretch, "first": part["window"].min(),
             "last": part["window"].max(), "n_users": found["n_users"], "value": found[way],
             "value_low": found[f"{way}_low"], "value_high": found[f"{way}_high"]}
            for way in (*WAYS, "gain", "left") if way in found
        ]  # fmt: skip
    return pd.DataFrame(parts)


def costs(values: pd.DataFrame) -> pd.DataFrame:
    """Seconds of each way: a row a model with fit (the first, which all share), updated and refitted (sums over the
    windows after the first), and the median of each a window.
    """
    rows = values[values["measure"] == SECONDS]
    first = rows[(rows["window"] == 0) & (rows["way"] == FROZEN)].set_index(["model", "label"])[c.VALUE]
    later = rows[(rows["window"] > 0) & (rows["way"] != FROZEN)].groupby(["model", "label", "way"], sort=False)[c.VALUE]
    table = pd.DataFrame({"fit": first}).join(later.sum().unstack()).join(later.median().unstack().add_suffix("_once"))
    return table.reset_index()
