"""New people and new films as jobs: the tables of ``cold``, kept once for every notebook that reads them.

Page 06 shows them over every number of known ratings; the decisions of page 10 read one number a person from them.
"""

from typing import TYPE_CHECKING

import pandas as pd

from aicine_utils import columns as c
from aicine_utils import experiment
from aicine_utils.findings.reading import CHANCE
from aicine_utils.models import registry
from aicine_utils.study import cold

if TYPE_CHECKING:
    from aicine_utils.notebook import Study

PEOPLE = (CHANCE, cold.MOST_LIKED, "group_popularity", "content_tfidf", "item_knn", "user_knn", "ials", "ease", "blend",
          "lightfm_users", "gru")  # fmt: skip
# Lists that do not read what the person watched: a model that can't be told from them helps no newcomer.
BLIND = (CHANCE, cold.MOST_LIKED, "group_popularity", "group_popularity+popularity")
DIRECT = ("random", "content_tfidf", "content_word2vec", "lightfm_movies")
BORROWED = ("popularity", "item_knn", "ease")
TOLD = (3, 5)  # known ratings, from and to, of someone who has just signed up
BACKED, THROUGH = "+popularity", "@content_tfidf"  # what stands behind a model, or through what it reaches a new film


def people(study: "Study", enough: int = cold.ENOUGH) -> pd.DataFrame:
    """:func:`cold.new_users_of` for the models of page 06 and chance, made or read.

    Returns model, behind, given, user_id, value; nothing stands behind random lists or the most liked films.
    """
    table = study.keep(
        "new_people",
        lambda: cold.new_users_of(study.data, PEOPLE, study.seed, enough),
        "aicine_utils.study.cold",
        runs=_keys(study, PEOPLE),
        n=enough,
    )
    return table[~(table["model"].isin([CHANCE, cold.MOST_LIKED]) & table["behind"])]


def films(study: "Study") -> pd.DataFrame:
    """:func:`cold.new_movies` for the models of page 06, made or read."""
    without = cold.hide_movies(study.data, seed=study.seed)
    return study.keep(
        "new_films",
        lambda: cold.new_movies(*(cold.fitted(names, without, study.seed) for names in (DIRECT, BORROWED)), without),
        "aicine_utils.study.cold",
        runs=_keys(study, (*DIRECT, *BORROWED)),
    )


def _keys(study: "Study", names: tuple[str, ...]) -> list[str]:
    """What names the runs of these models: their settings, code and data."""
    return [experiment.key(registry.create(name, study.data.name, study.seed), study.split) for name in names]


def just_signed_up(people: pd.DataFrame) -> pd.DataFrame:
    """NDCG@10 of each new person, the mean over the steps of 3 to 5 known ratings: users x models.

    A model with the most liked films behind it is a column of its own, ``ease+popularity``. No columns where nobody has
    told so many.
    """
    rows = people[people["given"].between(*TOLD)]
    who = rows["model"] + rows["behind"].map({True: BACKED, False: ""})
    return rows.assign(who=who).pivot_table(index=c.USER, columns="who", values=c.VALUE)


def among_new(films: pd.DataFrame) -> pd.DataFrame:
    """NDCG@10 of each person's list of new films only: users x models.

    A model that can't score them and borrows from neighbours is ``ease@content_tfidf``.
    """
    rows = films[films["candidates"] == "new"]
    who = rows["model"] + rows["through"].map({True: THROUGH, False: ""})
    return rows.assign(who=who).pivot(index=c.USER, columns="who", values=c.VALUE)


def label(who: str) -> str:
    """The name of a column as a reader sees it: "EASE + most liked", "EASE of the neighbours"."""
    name, backed, _ = who.partition(BACKED)
    name, through, _ = name.partition(THROUGH)
    return registry.entry(name).label + (" + most liked" if backed else " of the neighbours" if through else "")


def parts(who: str) -> list[str]:
    """The models that a column needs: those whose training it costs."""
    return who.replace("@", "+").split("+")


def described(movies: pd.DataFrame) -> bool:
    """Whether anything but a title is written about any film: a genre or a year."""
    return bool(movies[c.YEAR].notna().any() or movies[c.GENRES].str.len().gt(0).any())
