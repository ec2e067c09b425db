"""Claims about who rates: men and women, young and old. Each says so when the data do not tell."""

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.data.labels import AGE_FLOORS, AGE_GROUPS, UNKNOWN
from aicine_utils.data.movielens import MovieLens
from aicine_utils.exploration.effects import (
    FEWEST,
    Claim,
    Effect,
    cannot,
    cliffs_delta,
    difference_of_means,
    judge,
    ratio_of_means,
    share,
)

NOT_SAID = "the data set does not say"
YOUNG = (10, 31)  # ages from 10 to 30, as a half-open range
GENDER = {
    "people": ("men_people", "More of the people who rate are men", "the share of men among users"),
    "activity": ("men_activity", "A man rates more films than a woman", "the mean man's ratings over the mean woman's"),
    "typical": ("men_typical", "A typical man rates more films than a typical woman",
                "Cliff's δ (chance that a man out-rates a woman, less the opposite)"),
    "stars": ("men_stars", "Men give more stars", "the difference of mean stars (men less women)"),
}  # fmt: skip


def labels(data: MovieLens, column: str) -> pd.Series:
    """user_id -> label of every user who rated and whose label is known; empty where the data has none."""
    if data.users is None:
        return pd.Series(dtype=object, index=pd.Index([], dtype="int64", name=c.USER), name=column)
    rated = data.users[data.users[c.USER].isin(data.ratings[c.USER])]
    known = rated.set_index(c.USER)[column].dropna().astype(str)
    return known[known != UNKNOWN]


def per_user(data: MovieLens) -> pd.DataFrame:
    """One row a user: ratings (how many), stars (their mean), and gender and age_group where known."""
    table = data.ratings.groupby(c.USER)[c.RATING].agg(ratings="size", stars="mean")
    return table.assign(**{name: labels(data, name).reindex(table.index) for name in (c.GENDER, c.AGE)})


def gender_claims(data: MovieLens, resamples: int = 2000, seed: int = 0) -> list[Claim]:
    """“Men rate more than women”, taken apart: more men, more ratings a man, more stars from a man."""
    users = per_user(data)
    men, women = (users[users[c.GENDER] == sex] for sex in ("M", "F"))
    if why := _too_few(men, women):
        return [cannot(key, statement, measure, why) for key, statement, measure in GENDER.values()]
    counts = men["ratings"].to_numpy(), women["ratings"].to_numpy()
    measured = {
        "people": (share(len(men), len(men) + len(women)), 0.5, ".1%"),
        "activity": (ratio_of_means(*counts, resamples, seed), 1.0, ".2f"),
        "typical": (cliffs_delta(*counts), 0.0, ".2f"),
        "stars": (difference_of_means(men["stars"].to_numpy(), women["stars"].to_numpy()), 0.0, ".2f"),
    }
    return [judge(*GENDER[name], *values) for name, values in measured.items()]


def _too_few(men: pd.DataFrame, women: pd.DataFrame) -> str:
    if men.empty and women.empty:
        return f"{NOT_SAID} who is a man and who a woman"
    if min(len(men), len(women)) < FEWEST:
        return f"{len(men)} men and {len(women)} women are too few ({FEWEST} of each are needed)"
    return ""


def share_of_ratings(users: pd.DataFrame) -> tuple[float, float]:
    """Men's share of the people and of the ratings, among users whose gender is known; NaN where nobody's is."""
    known = users.dropna(subset=[c.GENDER])
    if known.empty:
        return float("nan"), float("nan")
    man = known[c.GENDER] == "M"
    return float(man.mean()), float(known.loc[man, "ratings"].sum() / known["ratings"].sum())


def share_text(users: pd.DataFrame) -> str:
    """How much of men's share of the ratings is who signed up, and how much is habit."""
    people, ratings = share_of_ratings(users)
    if np.isnan(people):
        return "Nobody says who is a man and who a woman."
    habit = abs(ratings - people) * 100
    return (
        f"Men are {people:.1%} of the people and give {ratings:.1%} of the ratings. If men and women rated as many "
        f"each, both shares would be alike: {habit:.1f} percentage points are habit, the rest is who signed up."
    )


def age_claims(data: MovieLens) -> list[Claim]:
    """“Raters are mostly 10 to 30 years old”, as far as groups can tell, and the nearest statement that they can test.

    Groups that lie wholly within the ages count surely, those that overlap possibly; what lies between the two can't
    be told. “Mostly” is more than half.
    """
    group = labels(data, c.AGE)
    young = ("young", "Raters are mostly 10 to 30 years old", "the share of users aged 10 to 30")
    near = ("under_35", "Most raters are 18 to 34 years old", "the share of users aged 18 to 34")
    if len(group) < FEWEST:
        why = f"{NOT_SAID} how old people are" if group.empty else f"the age of only {len(group)} people is known"
        return [cannot(*young, why), cannot(*near, why)]
    surely, possibly = groups_within(*YOUNG)
    count = {name: int(group.isin(names).sum()) for name, names in (("s", surely), ("p", possibly), ("n", NEAR))}
    low, high = share(count["s"], len(group)), share(count["p"], len(group))
    bounds = Effect(np.nan, low.low, high.high)
    return [judge(*young, bounds, 0.5, ".1%"), judge(*near, share(count["n"], len(group)), 0.5, ".1%")]


def groups_within(low: float, high: float) -> tuple[list[str], list[str]]:
    """Age groups that lie wholly in [low, high), and those that overlap it. Example: 10 to 31 holds 18-24 wholly."""
    spans = list(zip(AGE_GROUPS, AGE_FLOORS[:-1], AGE_FLOORS[1:], strict=True))
    surely = [name for name, start, end in spans if low <= start and end <= high]
    return surely, [name for name, start, end in spans if start < high and end > low]


NEAR = groups_within(18, 35)[0]


def needed_of_cut_group(data: MovieLens, group: str = "25-34") -> float:
    """Share of the group that 30 cuts in two that must be 30 or younger for half of all people to be 10 to 30.

    Those under 18 count as 10 or older. Above 1 it can't be reached, below 0 it is not needed; NaN without ages.
    """
    known = labels(data, c.AGE)
    younger = known.isin(AGE_GROUPS[: AGE_GROUPS.index(group)]).mean()
    cut = (known == group).mean()
    return float((0.5 - younger) / cut) if cut else float("nan")


def needed_text(data: MovieLens) -> str:
    """What must be true of the group that 30 cuts in two for the claim about age to hold; empty without ages."""
    needed = needed_of_cut_group(data)
    if np.isnan(needed):
        return "" if labels(data, c.AGE).empty else "Nobody is 25 to 34 years old, so 30 cuts no group in two"
    if needed > 1:
        return "Even if everyone aged 25 to 34 were 30 or younger, half of the people would not be 10 to 30"
    if needed < 0:
        return "Half of the people are younger than 25, so the claim holds whoever is 30"
    return f"{needed:.0%} of those aged 25 to 34 would have to be 30 or younger for the claim to hold"
