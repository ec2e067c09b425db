"""Does the answer depend on how one measures? The same models and settings under other splits, lengths and relevance.

A *way* of measuring is (protocol, k, liked): how ratings were divided, how long a list is, and from which place on the
rating scale a test rating is relevant. Lists are made once a split; length and relevance only read them again. The
tables have one row a user and one column for each model within each way, so that a resample of users is the same
resample in every way.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import splits
from aicine_utils.errors import AicineError
from aicine_utils.experiment import Result
from aicine_utils.metrics import evaluate, ranking, significance
from aicine_utils.protocols import LIKED
from aicine_utils.splits import Split
from aicine_utils.study.comparison import SURE
from aicine_utils.study.finalists import MODEL, PRIMARY, SPLITS, described

TITLES = {"protocol": "Split", "k": "Length", "liked": "Relevant"}
KS = evaluate.KS
RELEVANT_FROM = (0.0, 0.5, LIKED, 1.0)  # places on the rating scale: any rating, 3, 4 and 5 of 1 to 5 stars
FEWEST = 2  # users with something relevant, below which a way is left out
TAIL = 0.025


class Way(NamedTuple):
    """One way of measuring."""

    protocol: str
    k: int
    liked: float


REFERENCE = Way(PRIMARY, 10, LIKED)


def ndcg(
    results: Mapping[str, Mapping[str, Result]], made: Mapping[str, Split], ks: Sequence[int] = KS,
    relevant_from: Sequence[float] = RELEVANT_FROM,
) -> pd.DataFrame:  # fmt: skip
    """NDCG, users x (protocol, k, liked, model); NaN for users who have nothing relevant in that way.

    results: protocol -> model -> run. Ways in which fewer than two users have anything relevant are left out.
    """
    columns: dict[tuple, pd.Series] = {}
    for protocol, runs in results.items():
        for liked in relevant_from:
            relevant = relevant_rows(made[protocol], liked)
            if relevant[c.USER].nunique() >= FEWEST:
                found = {name: evaluate.hits(result.topk, relevant, max(ks)) for name, result in runs.items()}
                columns |= {(protocol, k, liked, name): pd.Series(ranking.ndcg(hits, n, k), users)
                            for k in ks for name, (users, hits, n) in found.items()}  # fmt: skip
    return pd.DataFrame(columns).rename_axis(columns=[*Way._fields, MODEL]).rename_axis(c.USER)


def relevant_rows(split: Split, liked: float) -> pd.DataFrame:
    """user_id, movie_id of the test ratings from this place on the scale up."""
    return split.test.loc[split.test[c.RATING] >= split.stars_at(liked), [c.USER, c.MOVIE]]


def resampled(values: pd.DataFrame, resamples: int, seed: int = 0) -> np.ndarray:
    """Means over users drawn again with replacement, [resamples, n_ways, n_models]; one draw serves all columns.

    ``values`` has one way after another in its columns, each with the same models in the same order. NaN where none of
    the users drawn has a value.
    """
    known = values.notna().to_numpy(np.float64)
    top, bottom = significance.resampled_sums([values.fillna(0.0).to_numpy(), known], resamples, seed)
    means = np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)
    return means.reshape(resamples, -1, values.columns.get_level_values(MODEL).nunique())


def tau(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Kendall's tau-b of two orders of n models, [..., n] each, over the last axis (Kendall 1945).

    1 is the same order, -1 the reverse. NaN where one of them orders nothing. Equal to scipy.stats.kendalltau, which
    takes one pair of orders at a time.
    """
    i, j = np.triu_indices(first.shape[-1], 1)
    a, b = (np.sign(values[..., i] - values[..., j]) for values in (first, second))
    pairs = np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    return np.divide((a * b).sum(-1), pairs, out=np.full_like(pairs, np.nan), where=pairs > 0)


def orders(values: pd.DataFrame) -> pd.DataFrame:
    """One row a model within each way: the way's columns, model, label, family, mean, rank (1 best), place, n_users.

    ``place`` is shared by models that paired tests with Holm's correction can't tell apart (:func:`places`).
    """
    parts = []
    for way, table in ways(values):
        found = significance.places(table)
        row = dict(zip(values.columns.names[:-1], way, strict=True))
        parts.append(found[["mean", "place"]].assign(**row, rank=range(1, len(found) + 1), n_users=len(table)))
    table = described(pd.concat(parts).rename_axis(MODEL).reset_index())
    return table[[*values.columns.names[:-1], MODEL, "label", "family", "mean", "rank", "place", "n_users"]]


def ways(values: pd.DataFrame) -> Iterator[tuple[tuple, pd.DataFrame]]:
    """(way, users x models) for each way, with the users who have a value in it."""
    outer = values.columns.droplevel(MODEL)
    for way in outer.unique():
        table = values.loc[:, outer == way].droplevel(list(range(values.columns.nlevels - 1)), axis=1)
        yield way if isinstance(way, tuple) else (way,), table.dropna()


def by_split(values: pd.DataFrame, resamples: int = 2000, reference: Way = REFERENCE) -> pd.DataFrame:
    """One row a model: model, label, family, and for each split at the reference's length and relevance the mean under
    the split's name, with ``_low``, ``_high`` (95 %) and ``_place``; best of the reference first.
    """
    parts = []
    for way, table in ways(values):
        name, *rest = way
        if tuple(rest) == reference[1:]:
            low, high = significance.interval(table.to_numpy(), resamples)
            board = pd.DataFrame({name: table.mean(), f"{name}_low": low, f"{name}_high": high}, table.columns)
            parts.append(board.join(significance.places(table)["place"].rename(f"{name}_place")))
    board = pd.concat(parts, axis=1).sort_values(reference.protocol, ascending=False, kind="stable")
    return described(board.rename_axis(MODEL).reset_index())


def compare(
    values: pd.DataFrame, reference: Sequence = REFERENCE, resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Each way against the reference: one row a way. Raises AicineError where the reference was not measured.

    Columns are the way's and these. winner, value: the model with the highest mean, and that mean. first: how many
    share its place. lost: whether paired tests put the reference's winner behind that place, corrected for all pairs
    (Holm) and all ways (Bonferroni), since among so many ways some test would reject by chance. keeps: share of
    resamples in which the reference's winner leads here; wins: the same for this way's own. tau, with tau_low and
    tau_high (95 %, percentiles): agreement with the reference's order, on the same people. chance: agreement of this
    way with itself on two separate draws of people, in the middle; chance_low: its lowest twentieth, or the reference's
    where that is lower; beyond: whether tau is below chance_low.
    """
    tables, drawn = dict(ways(values)), resampled(values, resamples, seed)
    if tuple(reference) not in tables:
        raise AicineError(f"Fewer than {FEWEST} users have a relevant rating in the test by the usual measure, "
                          f"{', '.join(map(str, reference))}. Use more data.")  # fmt: skip
    usual, at = tables[tuple(reference)].mean(), list(tables).index(tuple(reference))
    level = SURE / max(len(tables) - 1, 1)
    rows = [
        dict(zip(values.columns.names, way, strict=False))
        | _firsts(table, drawn[:, i], usual.idxmax(), level)
        | {"tau": float(tau(usual.to_numpy(), table.mean().to_numpy()))}
        | _agreement(drawn[:, at], drawn[:, i])
        for i, (way, table) in enumerate(tables.items())
    ]
    table = pd.DataFrame(rows)
    low = table["chance_low"].clip(upper=table["chance_low"].iloc[at])
    return table.assign(chance_low=low, beyond=table["tau"] < low)


def _firsts(table: pd.DataFrame, drawn: np.ndarray, leader: str, level: float) -> dict[str, object]:
    """Who is first in one way: its users x models, its resampled means, and the reference's winner."""
    leads = pd.Series(_leads(drawn), table.columns)
    usual, strict = significance.places(table), significance.places(table, level=level)["place"]
    best = usual.index[0]
    return {"n_users": len(table), "winner": best, "value": usual["mean"].iloc[0],
            "first": int((usual["place"] == 1).sum()), "lost": bool(strict[leader] > 1), "keeps": leads[leader],
            "wins": leads[best]}  # fmt: skip


def _leads(means: np.ndarray) -> np.ndarray:
    """Share of resamples [resamples, n_models] in which no other model is better, [n_models]."""
    filled = np.where(np.isnan(means), -np.inf, means)
    return (np.isfinite(filled) & (filled >= filled.max(axis=1, keepdims=True))).mean(axis=0)


def _agreement(reference: np.ndarray, way: np.ndarray) -> dict[str, float]:
    """tau of two ways' resampled means [resamples, n_models]: drawn together, and this way's from draw to draw."""
    same, again = tau(reference, way), tau(way, np.roll(way, 1, axis=0))
    return {"tau_low": _quantile(same, TAIL), "tau_high": _quantile(same, 1 - TAIL),
            "chance": _quantile(again, 0.5), "chance_low": _quantile(again, 0.05)}  # fmt: skip


def _quantile(values: np.ndarray, share: float) -> float:
    known = values[np.isfinite(values)]
    return float(np.quantile(known, share)) if len(known) else float("nan")


def changed(table: pd.DataFrame, reference: Way = REFERENCE) -> pd.Series:
    """Which choice sets each way apart from the reference: ``protocol``, ``k``, ``liked``, "several" or "nothing"."""
    apart = pd.DataFrame({name: table[name] != getattr(reference, name) for name in Way._fields})
    only = apart.idxmax(axis=1).where(apart.sum(axis=1) > 0, "nothing")
    return only.where(apart.sum(axis=1) < 2, "several")


def one_change(ranked: pd.DataFrame, value: str, scale: Sequence[float], reference: Way = REFERENCE) -> pd.DataFrame:
    """A column of :func:`orders` for the ways that differ from the reference in one choice at most.

    Labels x (title of the choice, name of the option), each choice with the reference's own option in its place.
    """
    parts = {}
    for choice, title in TITLES.items():
        fixed = [name for name in Way._fields if name != choice]
        rows = ranked[(ranked[fixed] == [getattr(reference, name) for name in fixed]).all(axis=1)]
        table = rows.pivot(index="label", columns=choice, values=value)[list(rows[choice].unique())]
        parts[title] = table.rename(columns=lambda option, choice=choice: option_name(choice, option, scale))
    return pd.concat(parts, axis=1)


def option_name(choice: str, option: str | float, scale: Sequence[float]) -> str:
    """``One cut in time``, ``10 films``, ``from 4 stars`` or ``any stars``, in the data's own stars."""
    if choice == "protocol":
        return SPLITS[option]
    if choice == "k":
        return f"{option} films"
    return f"from {splits.stars_at(scale, option):g} stars" if option > 0 else "any stars"


def reading(k: int, liked: float, scale: Sequence[float]) -> str:
    """How a split's lists are read: ``10 films, from 4 stars``."""
    return ", ".join(option_name(choice, option, scale) for choice, option in (("k", k), ("liked", liked)))
