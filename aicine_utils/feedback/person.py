"""A list for someone who gave feedback: what they watched before, joined to what the store holds of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import histories
from aicine_utils.feedback import signals
from aicine_utils.feedback.events import COMMENT, DISMISS, FINISH, PLAY, RATE, STOP
from aicine_utils.feedback.store import Store
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender, ranked
from aicine_utils.models.blend import Blend
from aicine_utils.splits import Split, stars_at

MIDDLE = 0.5  # of the rating scale
SEEN = (RATE, COMMENT, PLAY, STOP, FINISH, DISMISS)  # after these a movie is not shown again; a search may well be


@dataclass(frozen=True)
class Told:
    """movie_ids: ``liked``, by the time of the signal, ``disliked``, and ``hidden``: not to be shown again.

    What lies between is neither read nor held against anything.
    """

    liked: list[int]
    disliked: list[int]
    hidden: list[int]

    def after(self, history: list[int]) -> list[int]:
        """What a model reads: an earlier history (oldest first) without what is disliked by now, then the liked."""
        kept = [movie for movie in history if movie not in {*self.disliked, *self.liked}]
        return [*kept, *self.liked]


def told(store: Store, user: str, model: Recommender, rule: str = "default") -> Told | None:
    """What a user's stored feedback says to a model, by a set of rules; None where there is none.

    Disliked is a signal below the middle of the rating scale. Liked is any other that is not below the place from
    which on the model was trained with ratings (its parameter ``liked``).
    """
    events = store.events(user)
    if events.empty:
        return None
    scale = store.rules.scale
    found = signals.from_events(events, signals.rules(rule), scale)
    hidden = events.loc[events["kind"].isin(SEEN), "movie"].dropna()
    likes = found[c.RATING] >= stars_at(scale, max(MIDDLE, read_from(model)))
    dislikes = found[c.RATING] < stars_at(scale, MIDDLE)
    return Told(*(found.loc[rows, c.MOVIE].tolist() for rows in (likes, dislikes)), sorted(set(hidden)))


def read_from(model: Recommender) -> float:
    """The place on the rating scale, 0 lowest to 1, from which on a model was trained with ratings.

    Of a blend, the place from which on all its members were: no member is told of a film that it would not learn from.
    """
    parts = model.fitted if isinstance(model, Blend) else [model]
    return max(part.params.get("liked", 0.0) for part in parts)


def recommend(
    name: str, model: Recommender, said: Told, user: int, split: Split, k: int
) -> tuple[pd.DataFrame, list[int]]:  # fmt: skip
    """The best ``k`` movies after a user's history in ``split`` and feedback: movie_id, rank, score; and what was read.

    A model that reads no history leaves the hidden movies out of the user's list, which stays otherwise as it was.
    Where nothing is left to read, see :func:`unread`. AicineError if a model that reads no history does not know the
    user either.
    """
    if registry.entry(name).new_users:
        history, seen = before(split, user, model)
        read, hidden = histories.readable(name, model, said.after(history)), [*seen, *said.hidden]
        own = None if split.users is None else split.users[split.users[c.USER] == user]
        person = own if own is not None and len(own) else None
        if not read:
            return unread(model, hidden, k, person), []
        return histories.recommend(name, model, read, k, hidden, person), read
    if user not in model.user_ids_:
        histories.refuse_unfit(name)
    best = model.recommend([user], k + len(said.hidden))
    best = best[~best[c.MOVIE].isin(said.hidden)].head(k).reset_index(drop=True)
    return best.assign(**{c.RANK: range(1, len(best) + 1)}).drop(columns=c.USER), []


def unread(model: Recommender, hidden: list[int], k: int, person: pd.DataFrame | None = None) -> pd.DataFrame:
    """The best ``k`` movies of :func:`histories.for_anyone`, the hidden left out: movie_id, rank, score."""
    own = histories.for_anyone(model, person)
    shown = model.known_ & ~np.isin(model.movie_ids_, hidden)
    scores = np.where(shown, own, -np.inf)[None].astype(np.float32)
    return ranked(scores, k, np.zeros(1, np.int64), model.movie_ids_).drop(columns=c.USER)


def before(split: Split, user: int, model: Recommender) -> tuple[list[int], list[int]]:
    """Movies of a user's history, oldest first: those that the model was trained with, and all."""
    own = split.history[split.history[c.USER] == user]
    read = own[c.RATING] >= split.stars_at(read_from(model))
    return own.loc[read, c.MOVIE].tolist(), own[c.MOVIE].tolist()
