"""Which rules turn events into the signals that best foretell later ratings? Measured on validation, never on the test.

The events are invented from the training ratings (:func:`signals.events_of`), since MovieLens has no others. So the
answer is about viewers who behave by that rule: it says which sets of rules lose what the events hold, not which is
right for a service, which runs the same comparison on events of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils import inspection
from aicine_utils.feedback import signals
from aicine_utils.feedback.signals import WEIGHT
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender
from aicine_utils.splits import Split

MODELS = ("ease", "item_knn")
NDCG, SPEARMAN = "ndcg", "spearman"
K = 10


class Signalled(Split):
    """A split whose training rows are signals: its matrices hold weight · preference instead of ones.

    Scaled to a root mean square of 1, so that a penalty weighs alike whatever weights a set of rules gives.
    """

    def matrix(self, part: pd.DataFrame, values: str = "ones") -> sparse.csr_matrix:
        """float32 [n_users, n_movies]; parts without weights are as in any split."""
        matrix = super().matrix(part, values)
        if WEIGHT not in part or values != "ones" or part.empty:
            return matrix
        cells = part[WEIGHT].to_numpy() * signals.preference(part[c.RATING], self.info["rating_scale"])
        size = np.sqrt(np.mean(cells**2)) or 1.0
        rows = np.searchsorted(self.user_ids, part[c.USER].to_numpy())
        cols = np.searchsorted(self.movie_ids, part[c.MOVIE].to_numpy())
        return sparse.csr_matrix(((cells / size).astype(np.float32), (rows, cols)), shape=matrix.shape)


def learning_from(split: Split, found: pd.DataFrame) -> Signalled:
    """The same split with signals (user_id, movie_id, rating, weight, timestamp) in place of its training ratings."""
    known = found[c.USER].isin(split.user_ids) & found[c.MOVIE].isin(split.movie_ids)
    own = {one.name: getattr(split, one.name) for one in fields(split)}
    other = Signalled(**{**own, "train": found[known]})
    vars(other).update(user_ids=split.user_ids, movie_ids=split.movie_ids)
    return other


def compare_rules(
    split: Split, names: Sequence[str] | None = None, models: Sequence[str] = MODELS, seed: int = 0
) -> pd.DataFrame:
    """What models that learn from each set of rules make of the validation ratings.

    Returns rule, model, metric, user_id, value. Metrics: ``ndcg`` of the first 10, relevant as everywhere; and
    ``spearman``, the rank correlation of scores with stars over what a user rated later, for users who gave two
    different numbers of stars. Candidates, and what is left out as seen, are the same for every set: those of the
    training ratings. Who gave no signal gets the most watched.
    """
    later = split.for_validation()
    scale = later.info["rating_scale"]
    events, parts = signals.events_of(later.train, scale, seed), []
    for name in names or signals.rule_sets():
        found = signals.from_events(events, signals.rules(name), scale)
        for model in models:
            fitted = _fitted(model, later, found)
            parts.append(_measured(fitted, later).assign(rule=name, model=model))
    return pd.concat(parts, ignore_index=True)[["rule", "model", c.METRIC, c.USER, c.VALUE]]


def _fitted(name: str, split: Split, found: pd.DataFrame) -> Recommender:
    """A model of the registry with its committed settings; which signals are liked is for the rules to say."""
    model = registry.create(name, split.info["dataset"], protocol=split.protocol, liked=0.0)
    return model.fit(learning_from(split, found))


def _measured(model: Recommender, split: Split) -> pd.DataFrame:
    watched = split.matrix(split.train)
    silent = np.asarray(abs(model.seen_).sum(axis=1)).ravel() == 0
    model.seen_, model.views_ = watched, np.asarray(watched.sum(axis=0), np.float32).ravel()
    model.known_ = model.views_ > 0
    lists, pairs = zip(*_answers(model, split, silent), strict=True)
    found = {NDCG: inspection.ndcg(pd.concat(lists, ignore_index=True), split), SPEARMAN: spearman(pd.concat(pairs))}
    return pd.concat([table.assign(**{c.METRIC: name}) for name, table in found.items()], ignore_index=True)


def _answers(model: Recommender, split: Split, silent: np.ndarray) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Lists, and the later ratings with their scores, of so many users at a time."""
    test = split.test[split.test[c.MOVIE].isin(model.movie_ids_[model.known_])]
    row_of, col = (
        np.searchsorted(ids, test[name]) for ids, name in ((model.user_ids_, c.USER), (model.movie_ids_, c.MOVIE))
    )
    for rows, scores in model.iter_scores(split.test[c.USER].unique()):
        scores[silent[rows]] = model.views_
        here = np.isin(row_of, rows)
        held = scores[np.searchsorted(rows, row_of[here]), col[here]]
        yield model.best_of(rows, scores, K), test[here].assign(**{c.SCORE: held})


def spearman(pairs: pd.DataFrame) -> pd.DataFrame:
    """Spearman's ρ of score and rating within each user: user_id, value; ties share their mean rank.

    pairs: user_id, rating, score. Users whose ratings or scores are all equal have no ρ and are left out.
    """
    by = pairs.groupby(c.USER)
    ranks = pd.DataFrame({name: by[name].rank() for name in (c.RATING, c.SCORE)})
    centred = ranks - ranks.groupby(pairs[c.USER]).transform("mean")
    a, b = centred[c.RATING], centred[c.SCORE]
    sums = pd.DataFrame({"ab": a * b, "aa": a * a, "bb": b * b}).groupby(pairs[c.USER]).sum()
    sums = sums[(sums["aa"] > 0) & (sums["bb"] > 0)]
    return (sums["ab"] / np.sqrt(sums["aa"] * sums["bb"])).rename(c.VALUE).reset_index()
