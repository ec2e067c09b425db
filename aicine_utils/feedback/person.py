"""A list for someone who gave feedback: what they watched before, joined to what the store holds of them."""

from dataclasses import dataclass

import pandas as pd

from aicine_utils import columns as c
from aicine_utils import histories
from aicine_utils.errors import AicineError
from aicine_utils.feedback import signals
from aicine_utils.feedback.events import COMMENT, DISMISS, FINISH, PLAY, RATE, STOP
from aicine_utils.feedback.store import Store
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender

SEEN = (RATE, COMMENT, PLAY, STOP, FINISH, DISMISS)  # after these a movie is not shown again; a search may well be


@dataclass(frozen=True)
class Told:
    """movie_ids: ``liked``, by the time of the signal, ``disliked``, and ``hidden``: not to be shown again."""

    liked: list[int]
    disliked: list[int]
    hidden: list[int]

    def after(self, history: list[int]) -> list[int]:
        """What a model reads: an earlier history (oldest first) without what is disliked by now, then the liked."""
        kept = [movie for movie in history if movie not in {*self.disliked, *self.liked}]
        return [*kept, *self.liked]


def told(store: Store, user: str, rule: str = "default") -> Told | None:
    """What a user's stored feedback says by a set of rules; None where there is none.

    Liked is a signal in the middle of the rating scale or above.
    """
    events = store.events(user)
    if events.empty:
        return None
    scale = store.rules.scale
    found = signals.from_events(events, signals.rules(rule), scale)
    likes = signals.preference(found[c.RATING], scale) >= 0
    hidden = events.loc[events["kind"].isin(SEEN), "movie"].dropna()
    return Told(*(found.loc[rows, c.MOVIE].tolist() for rows in (likes, ~likes)), sorted(set(hidden)))


def recommend(name: str, model: Recommender, said: Told, user: int, history: list[int], k: int) -> pd.DataFrame:
    """The best ``k`` movies after a history (movie_ids, oldest first) and feedback: movie_id, rank, score.

    A model that reads no history leaves the hidden movies out of the user's list, which stays otherwise as it was.
    AicineError if it does not know the user either, or if nothing is left to read.
    """
    if registry.entry(name).new_users:
        read = said.after(history)
        if not read:
            raise AicineError("Nothing of this feedback was liked yet. Rate a movie with more stars first.")
        return histories.recommend(name, model, read, k, hidden=[*history, *said.hidden])
    if user not in model.user_ids_:
        histories.refuse_unfit(name)
    best = model.recommend([user], k + len(said.hidden))
    best = best[~best[c.MOVIE].isin(said.hidden)].head(k).reset_index(drop=True)
    return best.assign(**{c.RANK: range(1, len(best) + 1)}).drop(columns=c.USER)


def before(ratings: pd.DataFrame, user: int) -> list[int]:
    """The movies of one user in ratings that are sorted by time, oldest first."""
    return ratings.loc[ratings[c.USER] == user, c.MOVIE].tolist()
