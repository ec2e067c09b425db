"""Which models differ from each other on these data: some read what other data sets do not have."""

from aicine_utils.data.movielens import MovieLens
from aicine_utils.models import registry
from aicine_utils.models.features import movie_labels, user_labels

PEOPLE, FILMS = "people", "films"
# Without these descriptions each is another model of the registry: one list for all, or LightFM with fewer of them.
READ_BY = {"group_popularity": (PEOPLE,), "lightfm_users": (PEOPLE,), "lightfm_movies": (FILMS,),
           "lightfm_both": (PEOPLE, FILMS)}  # fmt: skip


def names(data: MovieLens) -> list[str]:
    """All models of the registry, in its order, but those that are another one on these data."""
    has = {PEOPLE: len(user_labels(data.users)) > 0, FILMS: len(movie_labels(data.movies)) > 0}
    return [name for name in registry.names() if all(has[what] for what in READ_BY.get(name, ()))]


def left_out(data: MovieLens) -> str:
    """Who is not among the :func:`names`, as a sentence; empty where all are."""
    kept = names(data)
    out = [registry.entry(name).label for name in registry.names() if name not in kept]
    return f"Not here, since these data lack what sets them apart: {', '.join(out)}." if out else ""
