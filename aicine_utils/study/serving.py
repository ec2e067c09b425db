"""Lists on demand from saved models: loaded once, then asked for a person of the data or for a typed history.

Nothing is trained. A model whose run is not there is named in ``missing``; one that can't answer says why.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import experiment, histories
from aicine_utils.data import titles
from aicine_utils.errors import AicineError
from aicine_utils.experiment import Result
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender
from aicine_utils.splits import Split

MODEL = "model"
STRANGER = "knows only the people that it was trained with"
UNREAD = "was trained with no rating of these films"


@dataclass(frozen=True)
class Answers:
    """What every model says to one person.

    history: movie_ids watched, oldest first; lists: model, movie_id, rank, score; seconds: what each list took;
    refused: model -> why it has none; user: who it is, None for someone who typed.
    """

    history: list[int]
    lists: pd.DataFrame
    seconds: dict[str, float]
    refused: dict[str, str] = field(default_factory=dict)
    user: int | None = None

    def movies(self, model: str) -> list[int]:
        """The movie_ids of one model's list, best first; empty where it has none."""
        return self.lists.loc[self.lists[MODEL] == model, c.MOVIE].tolist()


@dataclass(frozen=True)
class Served:
    """Saved models in memory; ``load_seconds`` is what reading each took, ``missing`` names those without a run."""

    split: Split
    runs: dict[str, Result]
    models: dict[str, Recommender]
    load_seconds: dict[str, float]
    missing: list[str]

    def for_user(self, user: int, k: int = 10) -> Answers:
        """Every model's list for someone whose ratings it was trained with. AicineError for an unknown user."""
        history = self.history(user)
        return self._ask(k, history, lambda name: self.models[name].recommend([user], k), {}, user)

    def for_history(self, watched: Sequence[int], k: int = 10) -> Answers:
        """The list after these movies (oldest first) of every model that can serve a stranger; why others can't."""
        refused = {name: why for name in self.models if (why := self._refusal(name, watched))}
        return self._ask(
            k,
            list(dict.fromkeys(watched)),
            lambda name: histories.recommend(name, self.models[name], watched, k),
            refused,
        )

    @cached_property
    def people(self) -> pd.Series:
        """How many movies each person watched before the test, by user_id, ascending: those that can be asked for."""
        return self._known.groupby(c.USER).size()

    def history(self, user: int) -> list[int]:
        """What a user watched before the test, oldest first. AicineError names the nearest ids for an unknown user."""
        if user not in self.people.index:
            raise unknown_user(user, self.people.index.to_numpy(), self.split.info["dataset"])
        return self._known.loc[self._known[c.USER] == user, c.MOVIE].tolist()

    def liked_later(self, user: int | None) -> set[int]:
        """movie_ids that a user went on to like in the test: the hits. Empty for a stranger."""
        return set(self._liked.loc[self._liked[c.USER] == user, c.MOVIE])

    @cached_property
    def titles(self) -> dict[int, str]:
        """movie_id -> title."""
        return dict(zip(self.split.movies[c.MOVIE], self.split.movies[c.TITLE], strict=True))

    @cached_property
    def _known(self) -> pd.DataFrame:
        return self.split.history

    @cached_property
    def _liked(self) -> pd.DataFrame:
        return self.split.relevant(self.split.test)

    def _refusal(self, name: str, watched: Sequence[int]) -> str:
        if not registry.entry(name).new_users:
            return STRANGER
        return "" if histories.readable(name, self.models[name], watched) else UNREAD

    def _ask(
        self, k: int, history: list[int], ask: Callable[[str], pd.DataFrame], refused: dict[str, str],
        user: int | None = None,
    ) -> Answers:  # fmt: skip
        if k < 1:
            raise AicineError(f"A list of {k} films is none. Ask for 1 or more.")
        parts, seconds = [], {}
        for name in (name for name in self.models if name not in refused):
            start = time.perf_counter()
            best = ask(name)
            seconds[name] = time.perf_counter() - start
            parts.append(best[[c.MOVIE, c.RANK, c.SCORE]].assign(**{MODEL: name}))
        empty = pd.DataFrame(columns=[c.MOVIE, c.RANK, c.SCORE, MODEL])
        return Answers(history, pd.concat(parts, ignore_index=True) if parts else empty, seconds, refused, user)


def serve(
    split: Split, names: Iterable[str] | None = None, seed: int = 0, watch: Callable[[str], None] = print
) -> Served:
    """Load the kept run of each model (by default all), as the notebooks made it; ``watch`` gets one line a model.

    Libraries are imported before a model's clock starts. AicineError when there is no run at all.
    """
    names = list(names or registry.names())
    runs = {name: run for name in names if (run := experiment.finished(name, split, seed))}
    if not runs:
        raise AicineError(
            f"No model is saved for {split.info['dataset']} with these settings and seed {seed}. "
            "Make them first with ./run_all.sh, or by running notebooks 02 to 09."
        )
    models, seconds, started = {}, {}, time.monotonic()
    for done, name in enumerate(runs, start=1):
        models[name], seconds[name] = _loaded(name, runs[name])
        left = (time.monotonic() - started) / done * (len(runs) - done)
        watch(f"{done}/{len(runs)} {registry.entry(name).label} loaded, {left:.0f} s left")
    return Served(split, runs, models, seconds, [name for name in names if name not in runs])


def _loaded(name: str, run: Result) -> tuple[Recommender, float]:
    for library in registry.entry(name).model_class.libraries:
        import_module(library)
    start = time.perf_counter()
    return run.model(), time.perf_counter() - start


def typed(text: str, movies: pd.DataFrame) -> list[int]:
    """movie_ids of the titles in a typed history; empty for an empty text. AicineError for what is no movie."""
    return [int(row[c.MOVIE]) for row in titles.find_movies(text, movies)]


def unknown_user(user: int, known: np.ndarray, dataset: str) -> AicineError:
    """The error for a user that the data do not have; names the nearest ids that they do."""
    near = sorted(int(known[i]) for i in np.argsort(np.abs(known - user), kind="stable")[:3])
    return AicineError(
        f"Unknown user {user} in {dataset}. Its users go from {known.min()} to {known.max()}; "
        f"the nearest are {', '.join(map(str, near))}. Give one of them, or 0 for a typical one."
    )
