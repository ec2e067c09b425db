"""What a model is to learn from the store: new signals, each told from all that is stored of its person and movie."""

import pandas as pd

from aicine_utils import columns as c
from aicine_utils.feedback import signals
from aicine_utils.feedback.person import MIDDLE
from aicine_utils.feedback.store import Store
from aicine_utils.models import registry
from aicine_utils.splits import stars_at


def news(store: Store, name: str, after: int = 0, rule: str = "default") -> tuple[pd.DataFrame, int]:
    """Rows for :func:`feedback.update.update` of what was stored after a ``seq``, and the last ``seq`` there is now.

    name: of the model in the registry. One that predicts stars learns every signal; to one that makes lists a row is a
    watched movie, so it learns none that is disliked (as :func:`person.told` has it): a dismissal is no watching. A
    pair's signal is told from all its events, old ones too: a play today leaves the rating of yesterday what it was.
    What a model has learned it keeps: no row says that a film once liked no longer is, only a refit without it would.
    """
    everything = store.events()
    fresh = everything[everything["seq"] > after]
    if fresh.empty:
        return signals.from_events(fresh, signals.rules(rule), store.rules.scale), after
    touched = everything.merge(fresh[["user", "movie"]].drop_duplicates(), on=["user", "movie"])
    found = signals.from_events(touched, signals.rules(rule), store.rules.scale, now=everything["time"].max())
    likes = found[c.RATING] >= stars_at(store.rules.scale, MIDDLE)
    kept = found if registry.entry(name).rates else found[likes].reset_index(drop=True)
    return kept, int(everything["seq"].max())
