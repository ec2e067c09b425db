"""What a split lets models know that they could not have known: measured, one row a split."""

import math
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.leaderboard import at_once, timeless
from aicine_utils.metrics import evaluate
from aicine_utils.splits import Split
from aicine_utils.wording import names_text, share_text

HALF = 0.5


def table(made: Mapping[str, Split], by: Split) -> pd.DataFrame:
    """One row a split; ``by`` is the one on whose validation ratings the settings were found. Columns:

    protocol; own_future, any_future: of the training ratings of a test rating's own user, and of all users, the share
    that is later than it, mean over test ratings; film_future: share of test ratings whose film got its first training
    rating later, so that nobody could have shown it; unreachable: share whose film has no training rating, so that no
    list can; at_once: see :func:`leaderboard.at_once`; new_users: share of users of the test without a training rating;
    searched: share of test ratings that the search for settings measured itself by. The futures and at_once are NaN
    where all ratings carry one time.
    """
    return pd.DataFrame([{"protocol": name, **_leaks(split, by)} for name, split in made.items()])


def _leaks(split: Split, by: Split) -> dict[str, float]:
    train, test = split.for_test().train, split.test
    first = test[c.MOVIE].map(train.groupby(c.MOVIE)[c.TIMESTAMP].min())
    futures = {"own_future": later_of_own(train, test).mean(), "any_future": later_of_any(train, test).mean(),
               "film_future": (first > test[c.TIMESTAMP]).mean()}  # fmt: skip
    no_times = timeless(split)
    return {
        **{name: float("nan") if no_times else float(share) for name, share in futures.items()},
        "unreachable": float(first.isna().mean()),
        "at_once": at_once(split),
        "new_users": float((~np.isin(test[c.USER].unique(), train[c.USER])).mean()),
        "searched": searched(split, by),
    }


def searched(split: Split, by: Split) -> float:
    """Share of test ratings by which a search on the validation ratings of ``by`` measured itself."""
    mine, theirs = evaluate.pair_keys(split.test, by.valid)
    return float(np.isin(mine, theirs).mean())


def sitting_text(usual: float, strict: float) -> str:
    """What two shares of :func:`leaderboard.at_once` mean: the usual split's, that of one cut in time for everyone."""
    if math.isnan(usual) or math.isnan(strict):
        return "How soon the test ratings follow on those that a model knows can't be told: they carry one time."
    task = {
        (True, False): ": the first asks mostly for the next film of a sitting, the second does not",
        (True, True): ": both ask mostly for the next film of a sitting",
        (False, True): ": the second asks mostly for the next film of a sitting, the first does not",
        (False, False): ": neither asks mostly for the next film of a sitting",
    }.get((usual > HALF, strict > HALF), "")
    return (
        f"On people's own timelines {share_text(usual)} of the test ratings follow within an hour on the last one that "
        f"a model knows of the person, under one cut in time {share_text(strict)}{task}."
    )


def searched_text(share: float, labels: Mapping[str, str], helps: Collection[str]) -> str:
    """Whom it helps that a search saw this share of a split's test ratings: those models of ``labels`` whose names
    are among ``helps``. Empty where it saw none.
    """
    helped = [label for name, label in labels.items() if name in helps]
    others = [label for name, label in labels.items() if name not in helps]
    if not share or not helped:
        return ""
    rest = f", not of {names_text(others, len(others))['en']}" if others else ""
    return (
        f"The search on people's own timelines measured itself by {share:.0%} of this test's ratings, which is to the "
        f"advantage of {names_text(helped, len(helped))['en']}{rest}."
    )


def later_of_any(train: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """Of all training ratings, the share later than each test rating, [len(test)]. Example: at 2 of 1, 2, 3: 1/3."""
    times = np.sort(train[c.TIMESTAMP].to_numpy())
    return 1 - np.searchsorted(times, test[c.TIMESTAMP].to_numpy(), side="right") / len(times)


def later_of_own(train: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """As :func:`later_of_any` among the user's own training ratings; 0 for a user who has none.

    Keys sort by user, then time, so one search for all users finds how many are not later.
    """
    seconds = [part[c.TIMESTAMP].to_numpy("datetime64[s]").astype(np.int64) for part in (train, test)]
    size = max(int(part.max()) for part in seconds) + 1
    users = np.unique(train[c.USER].to_numpy())
    rows = [np.searchsorted(users, part[c.USER].to_numpy()) for part in (train, test)]
    keys = np.sort(rows[0] * size + seconds[0])
    start, end = (np.searchsorted(keys, (rows[1] + step) * size) for step in (0, 1))
    until = np.searchsorted(keys, rows[1] * size + seconds[1], side="right")
    known = np.isin(test[c.USER].to_numpy(), users)
    return np.where(known, (end - until) / np.maximum(end - start, 1), 0.0)
