"""Measurements of the original study's claims, one row each, from kept runs and from the exploration of the data.

What a claim says, and in what respects, stands in ``PARTS``; what follows from a number is up to
:mod:`aicine_utils.findings.verdicts`. Intervals are at 95 %. Where the strongest of several rivals counts, it was found
by looking, so its interval holds for all rivals at once.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.data.movielens import MovieLens
from aicine_utils.experiment import Result
from aicine_utils.exploration import genres, people, releases
from aicine_utils.exploration.effects import NOTHING, Claim, Effect
from aicine_utils.findings.verdicts import BESIDE, STATED
from aicine_utils.metrics import rating, significance
from aicine_utils.models import registry

STARS, LISTS, SHARE = 0.005, 0.005, 0.01  # smallest effects that matter: stars of RMSE, NDCG or Recall, and shares
DIMENSIONS = [0, 2, 10, 50, 100, 200]  # of the study's SVD; it had 100, Surprise's default
# Kinds of model that the study had: for stars beside its SVD, and for lists beside its RaCT.
OWN_RATERS = ["knn_means", "torch_mf", "mlp"]
OWN_RANKERS = ["lightfm_both", "recbole_item_knn", "bpr", "lightgcn", "simplex", "sasrec", "caser", "srgnn", "narm",
               "bert4rec"]  # fmt: skip


class Part(NamedTuple):
    """One measurement of a claim: what it belongs to, its role, how its numbers are written, what matters, the page."""

    claim: str
    role: str
    form: str
    smallest: float
    page: str


_HERE, _EDA, _STARS, _LISTS = "14_original_study", "01_eda", "05_matrix_factorisation", "08_recbole_general"
PARTS = {
    "svd_all": Part("svd", STATED, "z.3f", STARS, _HERE),
    "svd_own": Part("svd", BESIDE, "z.3f", STARS, _HERE),
    "svd_setting": Part("svd", BESIDE, "z.3f", STARS, _HERE),
    "ract_ndcg": Part("ract", STATED, "z.3f", LISTS, _HERE),
    "ract_recall": Part("ract", STATED, "z.3f", LISTS, _HERE),
    "ract_own_ndcg": Part("ract", BESIDE, "z.3f", LISTS, _HERE),
    "ract_own_recall": Part("ract", BESIDE, "z.3f", LISTS, _HERE),
    "vae_ndcg": Part("vae", STATED, "z.3f", LISTS, _LISTS),
    "vae_recall": Part("vae", STATED, "z.3f", LISTS, _LISTS),
    "vae_advice": Part("vae", BESIDE, "z.3f", LISTS, _LISTS),
    "men_activity": Part("men", STATED, ".2f", 0.0, _EDA),
    "men_people": Part("men", BESIDE, ".1%", 0.0, _EDA),
    "men_typical": Part("men", BESIDE, "z.2f", 0.0, _EDA),
    "men_stars": Part("men", BESIDE, "z.2f", 0.0, _EDA),
    "genre": Part("genre", STATED, ".1pp", 0.0, _EDA),
    "genre_at_same_age": Part("genre", BESIDE, ".1pp", 0.0, _EDA),
    "young": Part("young", STATED, ".1%", 0.0, _EDA),
    "under_35": Part("young", BESIDE, ".1%", 0.0, _EDA),
    "follow": Part("follow", STATED, "z.2f", 0.0, _EDA),
    "liked": Part("follow", BESIDE, "z.2f", 0.0, _EDA),
    "watched": Part("follow", BESIDE, "z.2f", 0.0, _EDA),
    "variance": Part("pattern", STATED, "z.1pp", SHARE, _HERE),
    "genres": Part("pattern", STATED, "z.1pp", SHARE, _HERE),
    "dimensions": Part("pattern", STATED, "z.3f", STARS, _HERE),
    "tuned": Part("pattern", BESIDE, "z.3f", STARS, _HERE),
    "more_dimensions": Part("pattern", BESIDE, "z.3f", STARS, _HERE),
    "plane": Part("pattern", BESIDE, "z.1pp", SHARE, _HERE),
    "number": Part("number", STATED, "z.3f", STARS, _STARS),
}


def row(
    part: str, effect: Effect, neutral: float = 0.0, rival: str = "", n: int = 0, reason: str = ""
) -> dict[str, Any]:
    """One row of the evidence (see :func:`aicine_utils.findings.verdicts.verdicts`)."""
    own = PARTS[part]
    return {
        "claim": own.claim, "part": part, "role": own.role, "value": effect.value, "low": effect.low,
        "high": effect.high, "p": effect.p, "neutral": neutral, "smallest": own.smallest, "form": own.form,
        "rival": rival, "n": n, "reason": reason if math.isnan(effect.low) else "", "page": f"{own.page}.html",
    }  # fmt: skip


def table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The evidence in the order of ``PARTS``."""
    order = list(PARTS)
    return pd.DataFrame(sorted(rows, key=lambda one: order.index(one["part"])))


def svd_rows(results: Mapping[str, Result], theirs: Result | None = None) -> list[dict[str, Any]]:
    """“SVD has the least error”: its lead over the strongest rival, of all that predict stars, and of the study's.

    ``theirs`` is SVD as the study's own search set it; its lead is over the strongest of all, too.
    """
    raters = {name: result for name, result in results.items()
              if result.predictions is not None and registry.entry(name).family != "non_personalised"}  # fmt: skip
    errors = pd.DataFrame({name: rating.rmse_parts(result.predictions) for name, result in raters.items()})
    rivals = {"svd_all": list(errors), "svd_own": OWN_RATERS}
    rows = [lead_row(part, -errors, "svd", names) for part, names in rivals.items()]
    if theirs is None:
        return [*rows, row("svd_setting", NOTHING, reason="no_model")]
    as_set = errors.assign(svd=rating.rmse_parts(theirs.predictions))
    return [*rows, lead_row("svd_setting", -as_set, "svd", list(errors))]


def ract_rows(results: Mapping[str, Result]) -> list[dict[str, Any]]:
    """“RaCT makes the best lists, by NDCG and Recall”: its lead over the strongest of all, and of the study's."""
    rows = []
    for metric in ("ndcg", "recall"):
        values = pd.DataFrame({name: result.values(metric) for name, result in results.items()})
        rivals = {f"ract_{metric}": list(values), f"ract_own_{metric}": OWN_RANKERS}
        rows += [lead_row(part, values, "ract", names) for part, names in rivals.items()]
    return rows


def vae_rows(results: Mapping[str, Result], without_advice: Result | None = None) -> list[dict[str, Any]]:
    """“RaCT beats its variational autoencoder”, and what the critic's advice alone is worth where that was run."""
    ours, vae = results.get("ract"), results.get("multivae")
    pairs = {"vae_ndcg": (vae, "ndcg"), "vae_recall": (vae, "recall"), "vae_advice": (without_advice, "ndcg")}
    return [row(part, paired(ours.values(metric), other.values(metric))) if ours and other
            else row(part, NOTHING, reason="no_model") for part, (other, metric) in pairs.items()]  # fmt: skip


def lead_row(part: str, values: pd.DataFrame, own: str, rivals: Sequence[str]) -> dict[str, Any]:
    """A model's lead over its strongest rival; more is better in ``values`` (users x models)."""
    if own not in values:
        return row(part, NOTHING, reason="no_model")
    against = [name for name in values if name in set(rivals) and name != own]
    if not against:
        return row(part, NOTHING, reason="no_rival")
    effect, rival = lead(values[[own, *against]], own)
    return row(part, effect, rival=rival, n=len(against))


def rivals_of(values: pd.DataFrame, own: str) -> pd.DataFrame:
    """How far each model is ahead of ``own``, the strongest first: model, ahead, ahead_low, ahead_high, label, family.

    Over users that all have; the intervals hold at once (paired t, Bonferroni).
    """
    from scipy import stats

    common = values.dropna()
    apart = common.drop(columns=own).sub(common[own], axis=0)
    half = stats.t.ppf(1 - 0.025 / apart.shape[1], len(apart) - 1) * apart.std() / math.sqrt(len(apart))
    ahead = apart.mean()
    found = pd.DataFrame({"ahead": ahead, "ahead_low": ahead - half, "ahead_high": ahead + half})
    found[["label", "family"]] = [(registry.entry(name).label, registry.entry(name).family) for name in apart]
    return found.sort_values("ahead", ascending=False, kind="stable").rename_axis("model").reset_index()


def lead(values: pd.DataFrame, own: str) -> tuple[Effect, str]:
    """The mean of ``own`` less that of its strongest rival, and the rival's label.

    The least of the leads over m rivals lies between the least of their lower and the least of their upper bounds.
    """
    found = rivals_of(values, own)
    bounds = (-float(found[name].max()) for name in ("ahead", "ahead_high", "ahead_low"))
    return Effect(*bounds), str(found.loc[0, "label"])


def paired(a: pd.Series, b: pd.Series) -> Effect:
    """Mean of ``a`` less mean of ``b`` over the users that both have, with its t interval (p would say the same)."""
    both = pd.DataFrame({"a": a, "b": b}).dropna()
    return Effect(*significance.paired(both["a"].to_numpy(), both["b"].to_numpy())[:3])


def error_saved(worse: Result, better: Result) -> Effect:
    """RMSE of one less RMSE of the other on the same test ratings."""
    return paired(rating.rmse_parts(worse.predictions), rating.rmse_parts(better.predictions))


def number_row(reported: float, of_mean: float, svd: Result, constant: Result) -> dict[str, Any]:
    """“The study's RMSE tells how good a model is”: the error saved by whoever chooses by it.

    ``reported`` and ``of_mean`` are the study's numbers (lower is better, it said) of its SVD and of always answering
    the mean; the choice between the two is then judged on stars that people gave later.
    """
    chosen, other = (svd, constant) if reported < of_mean else (constant, svd)
    return row("number", error_saved(other, chosen))


def exploration_rows(data: MovieLens, claims: Iterable[Claim]) -> list[dict[str, Any]]:
    """The claims of notebook 01 with its thresholds, which say what matters: verdicts are those of that page."""
    return [row(one.key, one.effect, one.threshold) if one.form
            else row(one.key, NOTHING, reason=lacking(data, PARTS[one.key].claim, one.key))
            for one in claims if one.key in PARTS]  # fmt: skip


def exploration(data: MovieLens, resamples: int, seed: int = 0) -> list[dict[str, Any]]:
    """Rows of all claims that the study drew from its charts."""
    gaps = genres.genre_gap(data), genres.genre_gap(data, same_age=True)
    claims = [*people.gender_claims(data, resamples, seed), *genres.genre_claims(data, *gaps),
              *people.age_claims(data), *releases.release_claims(data, seed=seed)]  # fmt: skip
    return exploration_rows(data, claims)


def lacking(data: MovieLens, claim: str, part: str = "") -> str:
    """Why the data can't speak to a claim about people, genres or releases: a key of ``original_missing``."""
    if claim in ("men", "genre") and people.labels(data, c.GENDER).empty:
        return "no_genders"
    if (claim == "young" or part == "genre_at_same_age") and people.labels(data, c.AGE).empty:
        return "no_ages"
    if claim in ("genre", "follow", "pattern") and genres.movie_genres(data.movies).empty:
        return "no_genres"
    if claim == "follow":
        return "no_years" if data.movies[c.YEAR].isna().all() else "few_years"
    return "few_films" if claim == "pattern" else "few_people"


def pattern_rows(data: MovieLens, variance: Effect, directions: int, genre_gains: Mapping[str, Effect],
                 dimensions: Mapping[str, tuple[Result, Result]]) -> list[dict[str, Any]]:  # fmt: skip
    """“Dimension reduction captures the pattern”, in three respects, and two asides.

    variance: what ``directions`` of stars hold more than of shuffled ones; genre_gains: by part, what neighbours share
    more than chance; dimensions: by part, a run with fewer and one with more dimensions.
    """
    rows = [row("variance", variance, n=directions, reason="few_people")]
    rows += [row(part, gain, reason=lacking(data, "pattern")) for part, gain in genre_gains.items()]
    return rows + [row(part, error_saved(*pair), rival=str(_size(pair[0])), n=_size(pair[1]))
                   for part, pair in dimensions.items()]  # fmt: skip


def _size(result: Result) -> int:
    return int(result.manifest["params"].get("n_factors", 0))


def dimension_curve(none: Result, runs: Iterable[Result]) -> pd.DataFrame:
    """dimensions, rmse, and what they save against a model without any: saved, saved_low, saved_high."""
    rows = []
    for result in (none, *runs):
        saved = error_saved(none, result)
        rows.append({"dimensions": _size(result), "rmse": rating.rmse(result.predictions), "saved": saved.value,
                     "saved_low": saved.low, "saved_high": saved.high})  # fmt: skip
    return pd.DataFrame(rows)


def film_vectors(result: Result, attribute: str) -> pd.DataFrame:
    """movie_id x dimensions: what a fitted model learned of each film that had a rating."""
    model = result.model()
    vectors = np.asarray(getattr(model, attribute))
    return pd.DataFrame(vectors, pd.Index(model.movie_ids_, name=c.MOVIE)).loc[lambda t: t.abs().sum(axis=1) > 0]
