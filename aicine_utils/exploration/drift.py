"""What moves with time: how much is rated, how well, and which movies lead."""

from itertools import pairwise

import numpy as np
import pandas as pd

from aicine_utils import columns as c

TOP = 50
NAMES = {"stay": "next quarter (luck and change)", "same_time": "same quarter (luck alone)"}
FEW = 10  # ratings for each place of the top, below which a quarter's top is mostly luck


def monthly(ratings: pd.DataFrame) -> pd.DataFrame:
    """month (its first day), ratings, users (who rated in it), newcomers (whose first rating it holds), stars."""
    month = ratings[c.TIMESTAMP].dt.to_period("M").dt.to_timestamp()
    first = month.groupby(ratings[c.USER].to_numpy()).min().value_counts()
    table = ratings.groupby(month).agg(ratings=(c.RATING, "size"), users=(c.USER, "nunique"), stars=(c.RATING, "mean"))
    every = pd.date_range(table.index.min(), table.index.max(), freq="MS", name="month")
    table = table.assign(newcomers=first).reindex(every)
    return table.fillna({"ratings": 0, "users": 0, "newcomers": 0}).reset_index()


def top_size(ratings: pd.DataFrame) -> int:
    """50, or a tenth of the movies where that is fewer."""
    return int(min(TOP, max(1, ratings[c.MOVIE].nunique() // 10)))


def turnover(ratings: pd.DataFrame, n: int | None = None, repeats: int = 20, seed: int = 0) -> pd.DataFrame:
    """Of the n movies most rated in a quarter, the share that is also in the top n of the next quarter.

    One row a pair of neighbouring quarters with enough ratings: quarter, stay, same_time. People are dealt into two
    halves: ``stay`` compares one half's top with the other half's in the next quarter, ``same_time`` in the same one.
    What ``stay`` lacks of ``same_time`` is change; what ``same_time`` lacks of 1 is luck. Means of ``repeats`` deals.
    """
    n = n or top_size(ratings)
    quarter = ratings[c.TIMESTAMP].dt.to_period("Q")
    busy = quarter.value_counts()
    busy = sorted(busy.index[busy >= FEW * n])
    pairs = [(a, b) for a, b in pairwise(busy) if a + 1 == b]
    parts = {q: ratings.loc[quarter == q, [c.USER, c.MOVIE]] for pair in pairs for q in pair}
    rng = np.random.default_rng(seed)
    users = ratings[c.USER].unique()
    deals = [rng.choice(users, len(users) // 2, replace=False) for _ in range(repeats)]
    rows = [
        (str(a), *np.mean([_overlaps(parts[a], parts[b], half, n, i) for i, half in enumerate(deals)], axis=0))
        for a, b in pairs
    ]
    return pd.DataFrame(rows, columns=["quarter", "stay", "same_time"])


def _overlaps(now: pd.DataFrame, later: pd.DataFrame, half: np.ndarray, n: int, seed: int) -> tuple[float, float]:
    """Both comparisons use as many ratings, since a top of few ratings is more a matter of luck."""
    mine = now[c.USER].isin(half)
    then, same = later[~later[c.USER].isin(half)], now[~mine]
    size = min(len(then), len(same))
    lead = _top(now[mine], n)
    return tuple(len(lead & _top(part.sample(size, random_state=seed), n)) / n for part in (then, same))


def _top(rows: pd.DataFrame, n: int) -> set[int]:
    counts = rows.groupby(c.MOVIE).size()
    return set(counts.sort_values(ascending=False, kind="stable").index[:n])
