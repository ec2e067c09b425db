"""Whether genres that people watch depend on their gender, at all and at equal ages. The unit is the user."""

import math

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.data.movielens import MovieLens
from aicine_utils.exploration import people
from aicine_utils.exploration.effects import FEWEST, NOTHING, Claim, Effect, cannot, judge, permutation_p
from aicine_utils.metrics import significance
from aicine_utils.metrics.beyond import NO_GENRE

SMALLEST = 0.01  # of what a person watches: a difference below one film in a hundred changes nobody's list
PLAIN = (
    "genre",
    "Gender changes which genres people watch",
    "the largest difference of a genre's share, women against men",
)
SAME_AGE = ("genre_at_same_age", "Gender changes which genres people of the same age watch", PLAIN[2])


def movie_genres(movies: pd.DataFrame) -> pd.DataFrame:
    """movie_id x genre: each movie spreads 1 over its genres; movies without one are left out."""
    long = movies[[c.MOVIE, c.GENRES]].explode(c.GENRES).dropna()
    long = long[~long[c.GENRES].isin(NO_GENRE)]
    table = pd.crosstab(long[c.MOVIE], long[c.GENRES].astype(str))
    return table.div(table.sum(axis=1), axis=0)


def genre_mass(data: MovieLens) -> pd.DataFrame:
    """user_id x genre: a user's ratings by genre, a movie with two genres counted half in each."""
    table = movie_genres(data.movies)
    rated = data.ratings[data.ratings[c.MOVIE].isin(table.index)]
    user_ids, rows = np.unique(rated[c.USER].to_numpy(), return_inverse=True)
    cols = table.index.get_indexer(rated[c.MOVIE])
    watched = sparse.csr_matrix((np.ones(len(rated)), (rows, cols)), (len(user_ids), len(table)))
    return pd.DataFrame(watched @ table.to_numpy(float), pd.Index(user_ids, name=c.USER), list(table.columns))


def genre_gap(data: MovieLens, same_age: bool = False) -> pd.DataFrame:
    """Share of each genre in what women and men watch, and the difference, women less men, largest first.

    Columns genre, women, men, difference, low, high (at once for all genres: Bonferroni), p_holm. With ``same_age``
    the difference is taken within each age group with enough of both and weighted by how many people are in it (direct
    standardisation). Empty where too few people say what they are. Intervals by Welch's t, over users.
    """
    mass = genre_mass(data)
    gender = people.labels(data, c.GENDER).reindex(mass.index)
    age = people.labels(data, c.AGE).reindex(mass.index) if same_age else pd.Series("all", mass.index)
    weights = _strata(gender, age)
    if weights.empty or mass.empty:
        return pd.DataFrame(columns=["genre", "women", "men", "difference", "low", "high", "p_holm"])
    mix = mass.div(mass.sum(axis=1), axis=0)
    return _contrast(mix, gender, age, weights)


def _strata(gender: pd.Series, age: pd.Series) -> pd.Series:
    """Weight of each stratum that holds enough of both, summing to 1."""
    counts = pd.crosstab(age, gender).reindex(columns=["F", "M"], fill_value=0)
    size = counts[(counts >= FEWEST).all(axis=1)].sum(axis=1)
    return size / size.sum()


def _contrast(mix: pd.DataFrame, gender: pd.Series, age: pd.Series, weights: pd.Series) -> pd.DataFrame:
    from scipy import stats

    parts = {sex: [mix[(gender == sex) & (age == name)].to_numpy() for name in weights.index] for sex in ("F", "M")}
    means = {sex: sum(w * x.mean(axis=0) for w, x in zip(weights, xs, strict=True)) for sex, xs in parts.items()}
    pieces = [(w**2 * x.var(axis=0, ddof=1) / len(x), len(x) - 1)
              for xs in parts.values() for w, x in zip(weights, xs, strict=True)]  # fmt: skip
    variance = sum(v for v, _ in pieces)
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = variance**2 / sum(v**2 / n for v, n in pieces)  # Welch and Satterthwaite
        difference = means["F"] - means["M"]
        p = 2 * stats.t.sf(np.abs(difference) / np.sqrt(variance), freedom)
    half = np.nan_to_num(stats.t.ppf(1 - 0.025 / mix.shape[1], freedom)) * np.sqrt(variance)
    corrected = significance.holm(np.where(np.isnan(p), 1.0, p))
    table = pd.DataFrame({"genre": mix.columns, "women": means["F"], "men": means["M"], "difference": difference,
                          "low": difference - half, "high": difference + half, "p_holm": corrected})  # fmt: skip
    return table.sort_values("difference", ascending=False, kind="stable", ignore_index=True)


def largest(gap: pd.DataFrame) -> Effect:
    """The largest absolute difference of any genre, with bounds from the simultaneous intervals."""
    if gap.empty:
        return NOTHING
    nearest = np.where(gap["low"] * gap["high"] > 0, np.minimum(gap["low"].abs(), gap["high"].abs()), 0.0)
    farthest = np.maximum(gap["low"].abs(), gap["high"].abs())
    return Effect(float(gap["difference"].abs().max()), float(nearest.max()), float(farthest.max()))


def genre_claims(data: MovieLens, plain: pd.DataFrame, same_age: pd.DataFrame) -> list[Claim]:
    """“Gender changes genre preference”, at all and at equal ages, from the two tables of :func:`genre_gap`."""
    gender, age = people.labels(data, c.GENDER), people.labels(data, c.AGE)
    if gender.empty:
        why = f"{people.NOT_SAID} who is a man and who a woman"
    elif movie_genres(data.movies).empty:
        why = f"{people.NOT_SAID} which genres the films have"
    else:
        why = f"no group has {FEWEST} women and {FEWEST} men in it"
    first = cannot(*PLAIN, why) if plain.empty else judge(*PLAIN, largest(plain), SMALLEST, ".1pp")
    why = f"{people.NOT_SAID} how old people are" if age.empty and not gender.empty else why
    then = cannot(*SAME_AGE, why) if same_age.empty else judge(*SAME_AGE, largest(same_age), SMALLEST, ".1pp")
    return [first, then]


def association(data: MovieLens, permutations: int = 1000, seed: int = 0) -> tuple[float, float, float]:
    """Cramér's V of gender and genre over all ratings, the V that chance exceeds once in 20, and p.

    Ratings of one person hang together, so chance is played by dealing genders anew to people, not to ratings. NaN
    where nobody says what they are.
    """
    mass = genre_mass(data)
    gender = people.labels(data, c.GENDER).reindex(mass.index).dropna()
    mass, woman = mass.loc[gender.index].to_numpy(), (gender == "F").to_numpy(float)
    if not 0 < woman.sum() < len(woman):
        return math.nan, math.nan, math.nan
    rng = np.random.default_rng(seed)
    dealt = np.array([rng.permutation(woman) for _ in range(permutations)])
    observed, null = cramers_v(woman @ mass, mass.sum(axis=0)), cramers_v(dealt @ mass, mass.sum(axis=0))
    return float(observed), float(np.quantile(null, 0.95)), permutation_p(float(observed), null)


def association_text(data: MovieLens, seed: int = 0) -> str:
    """Cramér's V against chance and against Cohen's rule of thumb (1988: .1 small, .3 medium) in two sentences."""
    v, chance, p = association(data, seed=seed)
    if math.isnan(v):
        return "Without genders, genres and gender can't be set side by side."
    size = "less than a small" if v < 0.1 else "a small" if v < 0.3 else "a medium or large"
    return (
        f"Over all ratings together, Cramér's V of gender and genre is {v:.3f}; dealing genders to people at random "
        f"gives more than {chance:.3f} once in twenty times (p = {p:.3f}). By Cohen's rule of thumb that is {size} "
        "effect: so much, or so little, does a person's gender say about the genre of the next film."
    )


def cramers_v(part: np.ndarray, total: np.ndarray) -> np.ndarray:
    """V of tables with two rows: ``part`` [..., m] is the first, ``total`` [m] the sum of both; shape [...].

    V = sqrt(chi² / n) for two rows. Example: [10, 0] of [10, 10] is 1, [5, 5] of [10, 10] is 0.
    """
    total, part = total[total > 0], part[..., total > 0]
    rows, n = part.sum(axis=-1), total.sum()
    expected = rows[..., None] * total / n
    chi2 = ((part - expected) ** 2 / total).sum(axis=-1) * n**2 / (rows * (n - rows))
    return np.sqrt(chi2 / n)
