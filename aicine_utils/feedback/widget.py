"""Ten films with stars in JupyterLab: a click is stored, and the list changes at once."""

from collections.abc import Callable
from uuid import uuid4

import ipywidgets as widgets
import numpy as np

from aicine_utils import columns as c
from aicine_utils import histories
from aicine_utils.data import titles
from aicine_utils.data.movielens import MovieLens
from aicine_utils.errors import AicineError
from aicine_utils.feedback import person, signals
from aicine_utils.feedback.events import IMPRESSION, RATE, REASONS, Event
from aicine_utils.feedback.store import Store
from aicine_utils.models.base import Recommender
from aicine_utils.splits import Split

STARS = 5  # buttons beside a film, from the lowest to the highest of the scale
WIDE, NARROW = widgets.Layout(width="26em"), widgets.Layout(width="3em")


class Shelf:
    """A person's next ``k`` films by a saved model, each with stars to give.

    user: a user_id of the data set as text, or the name of someone new; split: whose history is known.
    What is shown and what is rated go to the store, with the id of the list. Display ``box``. Raises AicineError for a
    model that can't read a history.
    """

    def __init__(
        self, data: MovieLens, name: str, model: Recommender, split: Split, store: Store, user: str = "me",
        k: int = 10,
    ) -> None:  # fmt: skip
        histories.refuse_unfit(name)
        self.name, self.model, self.store, self.user, self.k = name, model, store, user, k
        self.titles = data.movies.set_index(c.MOVIE, drop=False)
        self.history, self.seen = person.before(split, signals.user_id(user), model)
        self.says, self.rows = widgets.Label(f"{user}, how did you like these?"), widgets.VBox()
        self.box = widgets.VBox([self.says, self.rows])
        self.refresh()

    def best(self) -> list[int]:
        """movie_ids of the list as the store has it now, of someone new too (:func:`person.unread`)."""
        said = person.told(self.store, self.user, self.model)
        read, hidden = (said.after(self.history), said.hidden) if said else (self.history, [])
        hidden = [*self.seen, *hidden]
        if histories.readable(self.name, self.model, read):
            return histories.recommend(self.name, self.model, read, self.k, hidden)[c.MOVIE].tolist()
        return person.unread(self.model, hidden, self.k)[c.MOVIE].tolist()

    def refresh(self) -> None:
        """Show the list anew, and note in the store what is shown."""
        self.list_id, movies = uuid4().hex, self.best()
        self._store([self._event(IMPRESSION, movie, place) for place, movie in enumerate(movies, start=1)])
        self.rows.children = [self._row(movie) for movie in movies]

    def rate(self, movie: int, stars: float) -> None:
        """Store a rating and show the list that follows from it. Raises AicineError where the store refuses it."""
        self._store([self._event(RATE, movie, stars)])
        self.refresh()
        self.says.value = f"{stars:g} stars for {titles.named(self.titles.loc[movie])}: stored, and the list is new."

    def _event(self, kind: str, movie: int, value: float) -> Event:
        return Event(self.user, kind, int(movie), float(value), list_id=self.list_id, model_version=self.name)

    def _store(self, events: list[Event]) -> None:
        refused = self.store.append(events).refused
        if refused:
            raise AicineError("Refused, " + " ".join(f"{reason}: {REASONS[reason]}" for reason in refused))

    def _row(self, movie: int) -> widgets.HBox:
        film = widgets.Label(titles.named(self.titles.loc[movie]), layout=WIDE)
        buttons = [self._button(movie, stars) for stars in np.linspace(*self.store.rules.scale, STARS)]
        return widgets.HBox([film, *buttons])

    def _button(self, movie: int, stars: float) -> widgets.Button:
        button = widgets.Button(description=f"{stars:g} ★", tooltip=f"{stars:g} stars", layout=NARROW)
        button.on_click(self._gives(movie, stars))
        return button

    def _gives(self, movie: int, stars: float) -> Callable[[widgets.Button], None]:
        return lambda _: self.rate(movie, stars)
