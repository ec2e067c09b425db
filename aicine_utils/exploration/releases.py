"""“Releases follow the genres that viewers like”: what could show it, and what ratings and release years do show.

To follow is to come after. Only a data set whose ratings cover years before the releases could show it, so the claim
itself is judged on release years with ratings from the year before, and stays open where there are too few. What any
catalogue can show is whether a genre has more releases in the years whose films are liked or watched more: it is
measured in hindsight, by people who look back on the films that a catalogue kept.
"""

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.data.movielens import MovieLens
from aicine_utils.exploration.effects import FEWEST, Claim, Effect, cannot, judge, mean, permutation_p
from aicine_utils.exploration.genres import movie_genres

ENOUGH_RATINGS = 1000  # in the year before, for its demand by genre to mean something
FOLLOW = ("follow", "Releases follow the genres that viewers like",
          "the rank correlation of a genre's demand one year with its growth among releases the next")  # fmt: skip
LIKED = ("liked", "A genre has more releases in the years whose films are liked more",
         "the rank correlation of a genre's share of releases and its films' stars over the years")  # fmt: skip
WATCHED = ("watched", "A genre has more releases in the years whose films are watched more",
           "the rank correlation of a genre's share of releases and ratings per film over the years")  # fmt: skip

HINDSIGHT = {"Stars of its films": "stars", "Ratings per film": "ratings_per_release"}


def by_year(data: MovieLens) -> pd.DataFrame:
    """One row a genre and release year: releases (in parts of films), share of the year, stars, ratings_per_release.

    Only films that somebody rated, in years with at least ten of them; stars are relative to the year's mean.
    ratings_per_release is a geometric mean: the median of a plain one grows with the number of films, since views are
    skewed, and would make a relation out of nothing.
    """
    shares = movie_genres(data.movies)
    films = data.ratings.groupby(c.MOVIE)[c.RATING].agg(["size", "sum"])
    years = data.movies.set_index(c.MOVIE)[c.YEAR].dropna().astype(int)
    known = shares.index.intersection(films.index).intersection(years.index)
    shares, films, years = shares.loc[known], films.loc[known], years.loc[known]
    keep = (years.map(years.value_counts()) >= FEWEST).to_numpy(bool)
    sums = {name: _yearly(shares[keep], weight[keep], years[keep]) for name, weight in
            {"releases": films["size"] ** 0, "ratings": films["size"], "stars": films["sum"],
             "logs": np.log(films["size"])}.items()}  # fmt: skip
    return _panel(sums)


def _yearly(shares: pd.DataFrame, weight: pd.Series, years: pd.Series) -> pd.DataFrame:
    return shares.mul(weight, axis=0).groupby(years).sum()


def _panel(sums: dict[str, pd.DataFrame]) -> pd.DataFrame:
    releases, ratings, stars = sums["releases"], sums["ratings"], sums["stars"]
    usual = stars.sum(axis=1) / ratings.sum(axis=1)
    wide = {"releases": releases, "share": releases.div(releases.sum(axis=1), axis=0),
            "stars": (stars / ratings.where(ratings > 0)).sub(usual, axis=0),
            "ratings_per_release": np.exp(sums["logs"] / releases.where(releases > 0))}  # fmt: skip
    table = pd.DataFrame({name: frame.rename_axis(columns="genre").stack() for name, frame in wide.items()})
    return table.rename_axis([c.YEAR, "genre"]).reset_index()


def correlations(panel: pd.DataFrame, measure: str, permutations: int = 1000, seed: int = 0) -> tuple[pd.Series, float]:
    """Each genre's rank correlation over the years of its share of releases and ``measure``, and p of their mean.

    Chance is played by shifting each genre's years in a circle: neighbouring years resemble each other, and a free
    shuffle would call that a discovery. Genres with films in fewer than ten years are left out.
    """
    rows = panel.dropna(subset=[measure]).sort_values(c.YEAR)
    own = {name: part for name, part in rows.groupby("genre") if len(part) >= FEWEST}
    shifted = {name: _at_all_shifts(part["share"], part[measure]) for name, part in own.items()}
    observed = pd.Series({name: values[0] for name, values in shifted.items()}, dtype=float).dropna()
    if observed.empty:
        return observed, float("nan")
    rng = np.random.default_rng(seed)
    null = np.mean([rng.choice(shifted[name], permutations) for name in observed.index], axis=0)
    return observed, permutation_p(float(observed.mean()), null)


def _at_all_shifts(x: pd.Series, y: pd.Series) -> np.ndarray:
    """Spearman's correlation of ``x`` with ``y`` moved on by 0, 1, 2, ... places in a circle; NaN when one is flat."""
    a, b = (series.rank().to_numpy() for series in (x, y))
    with np.errstate(invalid="ignore"):
        a, b = ((ranks - ranks.mean()) / ranks.std() for ranks in (a, b))
    places = np.arange(len(a))
    return b[(places - places[:, None]) % len(a)] @ a / len(a)


def following(data: MovieLens) -> pd.Series:
    """release year -> rank correlation over genres of demand the year before and growth of the share of releases.

    Demand is a genre's ratings in a year for each of its films out by then. A year counts when it and the year before
    have ten releases in the catalogue, and the year before has a thousand ratings.
    """
    shares = movie_genres(data.movies)
    years = data.movies.set_index(c.MOVIE)[c.YEAR].reindex(shares.index).dropna().astype(int)
    releases = _yearly(shares.loc[years.index], years**0, years)
    enough = releases.index[releases.sum(axis=1) >= FEWEST]
    growth = releases.div(releases.sum(axis=1), axis=0).diff()
    asked = data.ratings[c.TIMESTAMP].dt.year
    busy = asked.value_counts()
    tested = [y for y in enough if y - 1 in enough and busy.get(y - 1, 0) >= ENOUGH_RATINGS]
    demand = {y: _demand(data.ratings[asked == y - 1], shares, years, y) for y in tested}
    found = {y: demand[y].corr(growth.loc[y], method="spearman") for y in tested}
    return pd.Series(found, dtype=float).rename_axis(c.YEAR).dropna()


def _demand(ratings: pd.DataFrame, shares: pd.DataFrame, years: pd.Series, before: int) -> pd.Series:
    times = ratings[c.MOVIE].value_counts().reindex(shares.index, fill_value=0)
    out = shares.loc[years.index[years < before]]
    return (out.mul(times[out.index], axis=0).sum() / out.sum()).where(out.sum() > 0)


def release_claims(data: MovieLens, permutations: int = 1000, seed: int = 0) -> list[Claim]:
    """The claim itself, and the two hindsight statements that a catalogue can test."""
    panel, ahead = by_year(data), following(data)
    why = (f"only {len(ahead)} of the {FEWEST} release years that are needed have ratings from the year before: all "
           f"ratings are from {_span(data)}")  # fmt: skip
    first = cannot(*FOLLOW, why) if len(ahead) < FEWEST else judge(*FOLLOW, mean(ahead.to_numpy()), 0.0)
    return [first, *(_hindsight(panel, *pair, permutations, seed) for pair in
                     ((LIKED, "stars"), (WATCHED, "ratings_per_release")))]  # fmt: skip


def _span(data: MovieLens) -> str:
    first, last = (getattr(data.ratings[c.TIMESTAMP], end)().year for end in ("min", "max"))
    return str(first) if first == last else f"{first} to {last}"


def _hindsight(panel: pd.DataFrame, claim: tuple[str, str, str], measure: str, permutations: int, seed: int) -> Claim:
    each, p = correlations(panel, measure, permutations, seed)
    if len(each) < 3:
        return cannot(*claim, f"{len(each)} genres have rated films in {FEWEST} years, and 3 are needed")
    found = mean(each.to_numpy())
    return judge(*claim, Effect(found.value, found.low, found.high, p), 0.0)
