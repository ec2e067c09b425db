"""Cold starts: what can be shown to people who have just signed up, and who is shown movies that nobody has rated.

Something whole is hidden from training, some people or some movies, and the one evaluator measures what the lists make
of them. All results are one number a user, so that models are compared on the same people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils import histories as reading
from aicine_utils import inspection, splits
from aicine_utils.data.movielens import MovieLens
from aicine_utils.errors import AicineError
from aicine_utils.metrics import evaluate, significance
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender, ranked
from aicine_utils.models.blend import Blend, standard
from aicine_utils.models.neighbours import keep_largest
from aicine_utils.protocols import LEFT_OUT, LIKED, TEST, TRAIN, VALID, time_order
from aicine_utils.splits import Split
from aicine_utils.study import comparison

GIVEN = (0, 1, 3, 5, 10, 20)
MOST_LIKED = "popularity"
K = 10
CHUNK = 512  # people scored at a time
ENOUGH = 150  # new people to measure, where the data set has them; each fold trains every model again
# Watched movies at which a history counts as much as the list of most liked ones behind it.
# Best of 3, 10, 30 and 100 in benchmarks/doubt.py, over ml-100k and ml-1m, on people on whom nothing is measured.
DOUBT = 30
CHOOSING = 4  # the fold of hidden people that is left for choosing
NEIGHBOURS = 20  # rated movies that speak for a new one


def steps(data: MovieLens) -> list[int]:
    """Numbers of known ratings to ask about: 0, 1, and those of :data:`GIVEN` up to half of the median user's."""
    return [n for n in GIVEN if n <= max(data.ratings[c.USER].value_counts().median() / 2, 1)]


def hide_users(data: MovieLens, share: float = 0.2, seed: int = 0, told: float = max(GIVEN), fold: int = 0) -> Split:
    """``share`` of the users hidden whole: train has none of their ratings. Each ``fold`` of a seed hides others.

    valid has each hidden user's first ``told`` ratings (below 1: that share of them), what a service may be told, and
    test the rest. Who has no rest is left out; AicineError if that is everyone. Rows are users, time runs right::

        kept    . . . . . . . . .
        hidden  v v v T T T T
    """
    order, users = time_order(data.ratings), data.ratings[c.USER].to_numpy()
    place = np.empty(len(users), np.int64)
    place[order] = data.ratings.iloc[order].groupby(c.USER).cumcount()
    ids, row, count = np.unique(users, return_inverse=True, return_counts=True)
    first = np.floor(count * told) if told < 1 else np.full(len(ids), told)
    chosen = _some(len(ids), share, seed, fold)
    hidden, dropped = chosen & (count > first), chosen & (count <= first)
    if not hidden.any():
        raise AicineError(f"{data.name}: no hidden user has more than {told} ratings. Tell fewer of them.")
    cases = [dropped[row], ~hidden[row], place < first[row]]
    labels = np.select(cases, [LEFT_OUT, TRAIN, VALID], TEST).astype(np.int8)
    return splits.divide(data, labels, "new_users", refits=False, relevant_from=LIKED)


def hide_movies(data: MovieLens, share: float = 0.1, seed: int = 0) -> Split:
    """``share`` of the movies hidden whole: all their ratings are the test, all others training."""
    ids, row = np.unique(data.ratings[c.MOVIE].to_numpy(), return_inverse=True)
    labels = np.where(_some(len(ids), share, seed)[row], TEST, TRAIN).astype(np.int8)
    return splits.divide(data, labels, "new_movies", refits=False, relevant_from=LIKED)


def _some(n: int, share: float, seed: int, fold: int = 0) -> np.ndarray:
    size = max(int(share * n), 1)  # rounded down, so that no fold is empty
    chosen = np.zeros(n, bool)
    chosen[np.random.default_rng(seed).permutation(n)[fold * size : (fold + 1) * size]] = True
    return chosen


def fitted(names: Sequence[str], split: Split, seed: int = 0) -> dict[str, Recommender]:
    """Models of the registry with the settings committed for the primary protocol, fitted on ``split``."""
    return {name: registry.create(name, split.info["dataset"], seed).fit(split) for name in names}


@dataclass(frozen=True)
class Newcomers:
    """The hidden users of a split made by :func:`hide_users`."""

    split: Split

    @cached_property
    def users(self) -> np.ndarray:
        """Their user_ids, ascending."""
        return np.unique(self.split.test[c.USER])

    @cached_property
    def popular(self) -> np.ndarray:
        """How often each movie was liked by the others, [n_movies]."""
        return fitted([MOST_LIKED], self.split)[MOST_LIKED].movie_scores_

    def histories(self, model: Recommender, n: int, users: np.ndarray) -> list[np.ndarray]:
        """movie_ids among the first ``n`` ratings of each user, without those that ``model`` would not learn from."""
        valid = self.split.valid
        told = (valid.groupby(c.USER).cumcount() < n) & (
            valid[c.RATING] >= self.split.stars_at(model.params.get("liked", 0.0))
        )
        rows = valid[told & valid[c.USER].isin(users)]
        counts = np.bincount(np.searchsorted(users, rows[c.USER]), minlength=len(users))
        return np.split(rows[c.MOVIE].to_numpy(), np.cumsum(counts)[:-1])

    def lists(self, model: Recommender, n: int, behind: bool = False) -> pd.DataFrame:
        """Everyone's first ten when their first ``n`` ratings are known; see :func:`new_users`."""
        parts = np.split(self.users, np.arange(CHUNK, len(self.users), CHUNK))
        return pd.concat([self._lists(model, n, behind, users) for users in parts], ignore_index=True)

    def _lists(self, model: Recommender, n: int, behind: bool, users: np.ndarray) -> pd.DataFrame:
        scores = self._scores(model, n, users)
        if behind:
            read = np.array([len(history) for history in self.histories(model, n, users)])
            scores = backed(scores, read, self.popular, model.known_)
        undecided = np.ptp(scores[:, model.known_], axis=1, keepdims=True) == 0
        return model.best_of(model.rows_of(users), np.where(undecided, self.popular, scores), K)

    def _scores(self, model: Recommender, n: int, users: np.ndarray) -> np.ndarray:
        """Scores [len(users), n_movies] from first ratings; of a blend, each member reads what it would learn from."""
        if isinstance(model, Blend):
            return model.mixed([self._scores(member, n, users) for member in model.fitted])
        people = None if self.split.users is None else of_people(self.split.users, users)
        return reading.scores(model, self.histories(model, n, users), people)


def new_users(models: Mapping[str, Recommender], split: Split, given: Sequence[int] = GIVEN) -> pd.DataFrame:
    """NDCG@10 of every hidden user's list when their first ``given`` ratings are known.

    models: name -> model fitted on ``split``, from :func:`hide_users`. All numbers are about the same movies: those of
    valid stay out of every list, told or not. ``behind``: whether the most liked movies stand behind the model
    (:func:`backed`); where a model has no preference at all, as without any history, they fill the list in any case.
    Returns model, behind, given, user_id, value.
    """
    evaluate.refuse_overlap(split)
    newcomers = Newcomers(split)
    cases = [(name, behind, n) for name in models for behind in (False, True) for n in given]
    parts = [
        inspection.ndcg(newcomers.lists(models[name], n, behind), split).assign(model=name, behind=behind, given=n)
        for name, behind, n in cases
    ]
    return pd.concat(parts, ignore_index=True)[["model", "behind", "given", c.USER, c.VALUE]]


def new_users_of(data: MovieLens, names: Sequence[str], seed: int = 0, enough: int = ENOUGH) -> pd.DataFrame:
    """:func:`new_users` for models of the registry, with as many folds as ``enough`` measured users need.

    The numbers of known ratings are those of :func:`steps`. Folds hide different people, and the last is never used.
    """
    given, parts = steps(data), []
    for fold in range(min(CHOOSING, data.ratings[c.USER].nunique())):
        split = hide_users(data, seed=seed, told=max(given), fold=fold)
        parts.append(new_users(fitted(names, split, seed), split, given))
        if sum(part[c.USER].nunique() for part in parts) >= enough:
            break
    return pd.concat(parts, ignore_index=True)


def of_people(table: pd.DataFrame, users: np.ndarray) -> pd.DataFrame:
    """The rows of the users' table for these users, in their order; empty fields for who is not in it."""
    return table.set_index(c.USER).reindex(users).reset_index()


def backed(scores: np.ndarray, n: np.ndarray, popular: np.ndarray, known: np.ndarray) -> np.ndarray:
    """n / (n + 30) of the model's scores and for the rest the popular ones, both standardised over ``known`` movies.

    scores [n_users, n_movies], n [n_users] watched movies, popular [n_movies]. A short history says little, and most
    models take it at its word; this is the plainest way to doubt it.
    """
    weight = (n / (n + DOUBT))[:, None].astype(np.float32)
    return weight * standard(scores, known) + (1 - weight) * standard(popular[None, :], known)


def new_movies(direct: Mapping[str, Recommender], through: Mapping[str, Recommender], split: Split) -> pd.DataFrame:
    """NDCG@10 of lists with movies that nobody has rated: among themselves, and inside the whole catalogue.

    ``direct``: models that score such movies themselves. ``through``: models that can't; a new movie takes the mean of
    their scores for its nearest rated movies (:func:`spread`). All are fitted on a split of :func:`hide_movies`.
    Returns model, through (bool), candidates ("new" or "all"), user_id, value, and ``new``: the share of the list that
    is new.
    """
    evaluate.refuse_overlap(split)
    weights, parts = spread(split), []
    for by_neighbours, models in ((False, direct), (True, through)):
        for name, model in models.items():
            for which, top in _with_new(model, split, weights if by_neighbours else None).items():
                share = top[c.MOVIE].isin(model.movie_ids_[~model.known_]).groupby(top[c.USER]).mean()
                case = {"model": name, "through": by_neighbours, "candidates": which}
                parts.append(
                    inspection.ndcg(top, split).assign(**case, new=lambda t, share=share: t[c.USER].map(share))
                )
    return pd.concat(parts, ignore_index=True)


def spread(split: Split) -> sparse.csr_matrix:
    """Weights [n_new, n_movies] of a mean over the 20 nearest rated movies by TF-IDF, for movies without a rating."""
    content = fitted(["content_tfidf"], split)["content_tfidf"]
    near = content.vectors_[~content.known_] @ content.vectors_.T + 2  # above 0, so that 20 are kept
    weights = keep_largest(np.where(content.known_, near, 0), NEIGHBOURS)
    weights.data[:] = 1 / NEIGHBOURS
    return weights


def _with_new(model: Recommender, split: Split, weights: sparse.csr_matrix | None) -> dict[str, pd.DataFrame]:
    """The first ten of every user of the test, among new movies and among all but those that the user has rated."""
    new, lists = np.flatnonzero(~model.known_), {"new": [], "all": []}
    for rows, scores in model.iter_scores(np.unique(split.test[c.USER])):
        scores = scores.copy()
        if weights is not None:
            scores[:, new] = (weights @ scores.T).T
        users = model.user_ids_[rows]
        lists["new"].append(ranked(scores[:, new], K, users, model.movie_ids_[new]))
        seen = model.seen_[rows].tocoo()
        scores[seen.row, seen.col] = -np.inf
        lists["all"].append(ranked(scores, K, users, model.movie_ids_))
    return {which: pd.concat(parts, ignore_index=True) for which, parts in lists.items()}


def summary(values: pd.DataFrame, models: Sequence[str], cases: Sequence[str], resamples: int = 2000) -> pd.DataFrame:
    """Mean, interval and place of each model within each case, over the same users.

    values: user_id, value and the columns ``models`` (what tells models apart) and ``cases``. Returns these with mean,
    low, high, place (shared where paired tests with Holm's correction can't tell) and n_users.
    """
    parts = []
    for case, rows in values.groupby(list(cases), sort=False):
        table = rows.pivot(index=c.USER, columns=list(models), values=c.VALUE).dropna()
        low, high = significance.interval(table.to_numpy(), resamples)
        found = pd.DataFrame({"mean": table.mean(), "low": low, "high": high, "n_users": len(table)})
        found["place"] = significance.places(table)["place"]
        parts.append(found.reset_index().assign(**dict(zip(cases, case, strict=True))))
    return pd.concat(parts, ignore_index=True)


def best_by(values: pd.DataFrame, case: str, model: str, reference: str) -> pd.DataFrame:
    """The best model of each case, and what it gains over ``reference``.

    values: user_id, value and the columns ``case`` and ``model``. Returns case, model, mean, gain with its paired
    interval low and high, ``tied``: how many models share the first place, and ``sure``: whether the gain is above
    chance, by a paired test with Holm's correction over all models, since the best was chosen by looking.
    """
    rows = []
    for name, part in values.groupby(case, sort=False):
        table = part.pivot(index=c.USER, columns=model, values=c.VALUE).dropna()
        places = significance.places(table)
        best = places.index[0]
        gain = significance.paired(table[best].to_numpy(), table[reference].to_numpy())
        tied = int((places["place"] == 1).sum())
        sure = best != reference and comparison.differences(table, reference).loc[best, "sign"] > 0
        rows.append((name, best, places.loc[best, "mean"], gain.difference, gain.low, gain.high, tied, sure))
    return pd.DataFrame(rows, columns=[case, model, "mean", "gain", "low", "high", "tied", "sure"])
