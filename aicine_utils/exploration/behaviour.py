"""How people rate: concentration, sittings, ties in time, and what comes first."""

from itertools import pairwise

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import protocols
from aicine_utils.exploration.effects import FEWEST
from aicine_utils.metrics import significance
from aicine_utils.metrics.beyond import gini

PAUSE = 3600  # seconds: a longer gap starts a new sitting
SIDES = {"movies": c.MOVIE, "users": c.USER}
EDGES = (0, 5, 10, 20, 40)  # places in a history, for what comes first


def concentration(ratings: pd.DataFrame, by: str) -> pd.Series:
    """How unequally ratings fall on movies or users (``by``): count, gini, shares of the top, and how many have half.

    Index: count, fewest, median, most, gini, top_1, top_10, top_20 (shares of all ratings), half (how many of the
    most rated gather half of all ratings), once (share with a single rating).
    """
    counts = np.sort(ratings.groupby(by).size().to_numpy())[::-1]
    shares = np.cumsum(counts) / counts.sum()
    top = {f"top_{p}": float(shares[max(1, round(len(counts) * p / 100)) - 1]) for p in (1, 10, 20)}
    return pd.Series({"count": len(counts), "fewest": counts[-1], "median": np.median(counts), "most": counts[0],
                      "gini": gini(counts), **top, "half": int((shares < 0.5).sum()) + 1,
                      "once": float((counts == 1).mean())})  # fmt: skip


def lorenz(ratings: pd.DataFrame, points: int = 100) -> pd.DataFrame:
    """Share of ratings held by the most rated share of movies and by the most active share of users: of, top, share."""
    at = np.linspace(0, 1, points + 1)
    parts = []
    for name, by in SIDES.items():
        counts = np.sort(ratings.groupby(by).size().to_numpy())[::-1]
        held = np.concatenate([[0], np.cumsum(counts) / counts.sum()])
        parts.append(
            pd.DataFrame({"of": name, "top": at, "share": np.interp(at * len(counts), range(len(held)), held)})
        )
    return pd.concat(parts, ignore_index=True)


def gaps(ratings: pd.DataFrame) -> pd.Series:
    """user_id -> seconds from one rating of the user to the next; users with one rating have none."""
    rows = ratings.iloc[protocols.time_order(ratings)]
    seconds = rows[c.TIMESTAMP].astype("datetime64[s]").astype("int64").to_numpy()
    user = rows[c.USER].to_numpy()
    same = user[1:] == user[:-1]
    return pd.Series(np.diff(seconds)[same], index=pd.Index(user[1:][same], name=c.USER), name="seconds")


def sittings(ratings: pd.DataFrame, pause: int = PAUSE) -> pd.DataFrame:
    """One row a user: ratings, sittings (a gap longer than ``pause`` seconds starts a new one), ties, days.

    ties: how many ratings carry the same second as the one before; days: from the first rating to the last.
    """
    between = gaps(ratings)
    facts = pd.DataFrame({"sittings": between > pause, "ties": between == 0, "days": between / 86_400})
    count = ratings.groupby(c.USER).size()
    table = facts.groupby(level=0).sum().reindex(count.index, fill_value=0)
    return table.assign(sittings=table["sittings"] + 1, ratings=count)


def tie_effect(ratings: pd.DataFrame) -> pd.DataFrame:
    """What another order within equal seconds does to the two protocols that cut each user's own timeline.

    The rows are turned around, so that a stable sort turns every tie around and nothing else. Columns protocol, users
    and items: shares of users whose test changes, and of test ratings that are no longer test ratings.
    """
    rows = []
    for name in ("user_temporal", "leave_one_out"):
        assign = protocols.PROTOCOLS[name].assign
        test, other = assign(ratings) == protocols.TEST, assign(ratings.iloc[::-1])[::-1] == protocols.TEST
        lost = pd.Series(test & ~other).groupby(ratings[c.USER].to_numpy()).sum()
        tested = pd.Series(test).groupby(ratings[c.USER].to_numpy()).any()
        rows.append((name, (lost[tested] > 0).mean(), lost.sum() / max(test.sum(), 1)))
    return pd.DataFrame(rows, columns=["protocol", "users", "items"])


def first_ratings(
    ratings: pd.DataFrame, edges: tuple[int, ...] = EDGES, resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Mean stars and popularity by place in a user's history, over the users who reach the last place.

    Columns place (``1-5``), stars, popularity (share of all users who rated the movie), each with _low and _high over
    users, n_users. The same people are in every row, so that a change is not one of people. Empty when under ten do.
    """
    rows = ratings.iloc[protocols.time_order(ratings)]
    place = rows.groupby(c.USER).cumcount() + 1
    length = rows.groupby(c.USER)[c.MOVIE].transform("size")
    seen = ratings.groupby(c.MOVIE).size() / ratings[c.USER].nunique()
    kept = rows.assign(bucket=pd.cut(place, edges, labels=_ranges(edges)), popularity=rows[c.MOVIE].map(seen))
    kept = kept[(length >= edges[-1]) & (place <= edges[-1])]
    if kept[c.USER].nunique() < FEWEST:
        return pd.DataFrame(columns=["place", "stars", "popularity", "n_users"])
    parts = {name: kept.groupby([c.USER, "bucket"], observed=True)[column].mean().unstack()
             for name, column in (("stars", c.RATING), ("popularity", "popularity"))}  # fmt: skip
    table = pd.DataFrame({"place": _ranges(edges)})
    for name, wide in parts.items():
        low, high = significance.interval(wide.to_numpy(), resamples, seed)
        table = table.assign(**{name: wide.mean().to_numpy(), f"{name}_low": low, f"{name}_high": high})
    return table.assign(n_users=kept[c.USER].nunique())


def _ranges(edges: tuple[int, ...]) -> list[str]:
    return [f"{low + 1}-{high}" for low, high in pairwise(edges)]


def star_habits(ratings: pd.DataFrame, liked_from: float) -> pd.Series:
    """How differently people use the scale: mean, liked, spread (of users' means), between, one_value.

    liked is the share of ratings of ``liked_from`` stars and more;
    between is the share of the variance of stars that lies between users; one_value the share of users who always
    give the same number of stars, from whom a model that compares stars learns nothing.
    """
    stars = ratings[c.RATING].astype(float)
    users = stars.groupby(ratings[c.USER])
    centred = stars - users.transform("mean")
    total = float(stars.var(ddof=0))
    return pd.Series({"mean": float(stars.mean()), "liked": float((stars >= liked_from).mean()),
                      "spread": float(users.mean().std()),
                      "between": 1 - float(centred.var(ddof=0)) / total if total else float("nan"),
                      "one_value": float((users.nunique() == 1).mean())})  # fmt: skip
