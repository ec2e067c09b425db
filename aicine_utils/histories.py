"""Lists for someone who was not in training: a history that is typed in, and a model that is saved."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender, ranked


def refuse_unfit(name: str) -> None:
    """AicineError, with the models that can, if this one knows only people who were in training."""
    if not registry.entry(name).new_users:
        able = ", ".join(entry.name for entry in registry.ENTRIES if entry.new_users)
        raise AicineError(
            f"{name} knows only the people it was trained with, so it has no list for anyone else. "
            f"Name a --user of the data set, or a model that can: {able}."
        )


def readable(name: str, model: Recommender, history: Sequence[int]) -> list[int]:
    """The movie_ids of a history that say something to the model, in their order, each once.

    Those with a training rating; for a model that reads descriptions, those with any rating.
    """
    known = model.movie_ids_ if registry.entry(name).new_movies else model.movie_ids_[model.known_]
    return [movie for movie in dict.fromkeys(history) if movie in known]


def scores(model: Recommender, read: Sequence[Sequence[int]], people: pd.DataFrame | None = None) -> np.ndarray:
    """Scores [len(read), n_movies] from histories and, where the model reads that, from who the people are.

    people: a row for each history, of the users' table.
    """
    reads = getattr(model, "score_people", None)
    return model.score_histories(read) if reads is None or people is None else reads(read, people)


def for_anyone(model: Recommender, person: pd.DataFrame | None = None) -> np.ndarray:
    """Scores [n_movies] for someone of whom the model reads nothing, but perhaps who they are (see :func:`scores`).

    Its own where it serves people it does not know, else the views that it knows of.
    """
    return scores(model, [[]], person)[0] if model.serves_unknown else model.views_


def recommend(
    name: str, model: Recommender, history: Sequence[int], k: int = 10, hidden: Sequence[int] | None = None,
    person: pd.DataFrame | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The best ``k`` movies after a history (movie_ids, oldest first): movie_id, rank, score.

    Left out are the movies of the history, or those ``hidden`` if given. Candidates are the movies seen in training, as
    everywhere. person: the reader's row of the users' table, where there is one. AicineError if the model can't score a
    history, or knows no movie of this one.
    """
    refuse_unfit(name)
    read = readable(name, model, history)
    if not read:
        raise AicineError(f"None of these movies has a rating that {name} was trained with. Name one that has.")
    own = np.where(model.known_, scores(model, [read], person), -np.inf)
    own[:, np.isin(model.movie_ids_, list(history if hidden is None else hidden))] = -np.inf
    return ranked(own, k, np.zeros(1, np.int64), model.movie_ids_).drop(columns=c.USER)
