"""Answers side by side: a history beside every model's list, why the movies are there, how alike the lists are, what
they took; and what is to be said of that in a sentence. Everything is computed from :class:`serving.Answers`.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.models import registry
from aicine_utils.study import comparison, reasons
from aicine_utils.study.serving import MODEL, Answers, Served
from aicine_utils.wording import names_text, seconds_text

PROMPT = 1.0  # seconds within which a list should be there
HIT = "★ "
EXPLAINED = [c.MOVIE, c.RANK, reasons.BECAUSE, reasons.NEARNESS, reasons.BY, reasons.SHARED, "film"]
LABEL, FAMILY, WATCHED, FILM, BECAUSE = "label", "family", "watched", "film", "because"


def lists(served: Served, answers: Answers, names: Iterable[str], n: int = 10) -> pd.DataFrame:
    """rank, watched (the last ``n`` movies, newest first), and a column a model, by label: titles, hits starred."""
    columns = {WATCHED: titled(served, answers.history[::-1][:n])}
    for name in names:
        columns[registry.entry(name).label] = titled(served, answers.movies(name)[:n], answers.user)
    table = pd.DataFrame({name: pd.Series(texts, dtype=object) for name, texts in columns.items()}).fillna("")
    return table.rename_axis(c.RANK).reset_index().assign(**{c.RANK: lambda t: t[c.RANK] + 1})


def titled(served: Served, movies: Iterable[int], user: int | None = None) -> list[str]:
    """Titles of movies; those that the user went on to like have a star in front."""
    names, hits = served.titles, served.liked_later(user)
    return [(HIT if movie in hits else "") + str(names.get(movie, f"movie {movie}")) for movie in movies]


def by_family(answers: Answers) -> dict[str, list[str]]:
    """Label of a family -> names of its models that have a list, in the order of the registry."""
    found = groupby((registry.entry(name) for name in answers.seconds), key=lambda row: row.family)
    return {registry.FAMILIES[family]: [row.name for row in rows] for family, rows in found}


def why(served: Served, answers: Answers, name: str, n: int = 10, by: str | None = None) -> pd.DataFrame:
    """One model's list with its reasons: rank, film, because, nearness, by, shared (genres); see :mod:`reasons`.

    A movie to which no watched one is near keeps its row, with nothing said.
    """
    return _explained(served, answers, name, answers.movies(name)[:n], by)


def first_films(served: Served, answers: Answers) -> pd.DataFrame:
    """The first movie of every list and its reason: label, then the columns of :func:`why`."""
    rows = [_explained(served, answers, name, answers.movies(name)[:1]).assign(**{LABEL: registry.entry(name).label})
            for name in answers.seconds]  # fmt: skip
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=[LABEL, *EXPLAINED])


def in_most(served: Served, answers: Answers, n: int = 10) -> pd.DataFrame:
    """The movies that stand in most lists: film, lists, and the watched movie with most people in common."""
    found = in_lists(answers).head(n)
    any_model = next(iter(answers.seconds))
    explained = _explained(served, answers, any_model, found[c.MOVIE].tolist(), reasons.AUDIENCE)
    return explained.assign(lists=found["lists"].to_numpy())


def _explained(served: Served, answers: Answers, name: str, movies: list[int], by: str | None = None) -> pd.DataFrame:
    near = reasons.nearest(served.models[name], movies, answers.history, answers.user, by=by)
    near = reasons.with_genres(near, served.split.movies)
    rows = pd.DataFrame({c.MOVIE: movies, c.RANK: np.arange(1, len(movies) + 1)}).merge(near, how="left")
    said = rows[reasons.BECAUSE].notna()
    because = pd.Series("", rows.index).mask(said, rows[reasons.BECAUSE].map(served.titles))
    texts = {FILM: titled(served, movies, answers.user), BECAUSE: because}
    return rows.assign(**texts).fillna({reasons.BY: "nothing near", reasons.SHARED: ""})


def in_lists(answers: Answers) -> pd.DataFrame:
    """movie_id, lists (how many hold it), best (its best rank); those in most lists first, then by rank and id."""
    found = answers.lists.groupby(c.MOVIE)[c.RANK].agg(lists="size", best="min").reset_index()
    return found.sort_values(["lists", "best", c.MOVIE], ascending=[False, True, True], ignore_index=True)


def in_common(answers: Answers, k: int = 10) -> pd.DataFrame:
    """How many of their first ``k`` movies two models share: a square table by label."""
    by_model = answers.lists.assign(**{c.USER: 0}).groupby(MODEL, sort=False)
    parts = {registry.entry(str(name)).label: rows for name, rows in by_model}
    return comparison.shared(parts, k)


def timings(served: Served, **asked: Answers) -> pd.DataFrame:
    """model, label, family, load, then the seconds of each of ``asked``; missing where a model has no list."""
    rows = [registry.entry(name) for name in served.models]
    table = pd.DataFrame([{MODEL: r.name, LABEL: r.label, FAMILY: registry.FAMILIES[r.family]} for r in rows])
    table["load"] = table[MODEL].map(served.load_seconds)
    return table.assign(**{name: table[MODEL].map(answers.seconds) for name, answers in asked.items()})


def slower(first: Answers, second: Answers) -> dict[str, float]:
    """model -> the seconds of the slower of its two lists."""
    names = dict.fromkeys([*first.seconds, *second.seconds])
    return {name: max(asked.seconds.get(name, 0.0) for asked in (first, second)) for name in names}


def hits(served: Served, answers: Answers) -> pd.Series:
    """How many movies of each list the user went on to like, by label."""
    liked = answers.lists[c.MOVIE].isin(served.liked_later(answers.user))
    counts = liked.groupby(answers.lists[MODEL]).sum().reindex(list(answers.seconds), fill_value=0)
    return counts.rename(index=lambda name: registry.entry(name).label).astype(int)


def as_kept(served: Served, answers: Answers) -> dict[str, bool]:
    """model -> whether its answer has the movies of the list that was kept when it was trained, in the same order.

    Only those that kept a list for this user: one with a test.
    """
    same = {}
    for name in answers.seconds:
        topk, mine = served.runs[name].topk, answers.movies(name)
        if kept := topk.loc[topk[c.USER] == answers.user, c.MOVIE].tolist():
            same[name] = kept[: len(mine)] == mine
    return same


def say_seconds(seconds: Mapping[str, float], limit: float = PROMPT) -> str:
    """Whether each list came in less than ``limit`` seconds; seconds: model -> what its list took."""
    if not seconds:
        return "No model has a list to give."
    order = sorted(seconds, key=seconds.get, reverse=True)
    late, within = [name for name in order if seconds[name] >= limit], f"{limit:g} s"
    took = f"{registry.entry(order[0]).label} took longest, {seconds_text(seconds[order[0]])}"
    if not late:
        return f"Each of {len(order)} lists was there in under {within}: {took}."
    return f"{len(late)} of {len(order)} lists took {within} or longer ({named(late)}): {took}."


def say_agreement(answers: Answers, k: int = 10) -> str:
    """How many different movies the lists name, and how many two of them share on average."""
    n = answers.lists[MODEL].nunique()
    if n < 2:
        return f"There {'is' if n else 'are'} {n or 'no'} list{'' if n else 's'} to compare."
    table, films = in_common(answers, k), in_lists(answers)
    pairs = table.to_numpy()[np.triu_indices(len(table), 1)]
    one, other, most = comparison.most_alike(table)
    return (
        f"The {n} lists name {len(films)} different films; two of them share {pairs.mean():.1f} of {k} on average, and "
        f"{one} and {other} share most, {most:.0f}."
    )


def say_refused(served: Served, answers: Answers) -> str:
    """How many models have a list for this person, and why the others have none."""
    said = [f"{len(answers.seconds)} of {len(served.models)} models have a list."]
    for reason in dict.fromkeys(answers.refused.values()):
        models = [name for name, why in answers.refused.items() if why == reason]
        said.append(f"{len(models)} can't answer ({named(models)}): {'each' if len(models) > 1 else 'it'} {reason}.")
    return " ".join(said)


def refused(answers: Answers) -> pd.DataFrame:
    """label, family and reason of each model that has no list."""
    rows = [(registry.entry(name), why) for name, why in answers.refused.items()]
    return pd.DataFrame([(row.label, registry.FAMILIES[row.family], why) for row, why in rows],
                        columns=[LABEL, FAMILY, "reason"])  # fmt: skip


def say_missing(served: Served) -> str:
    """Which models have no saved run, if any."""
    if not served.missing:
        return f"All {len(served.models)} models of the study have a saved run."
    return f"Not saved here, so left out: {named(served.missing)}. Notebooks 02 to 10 train them."


def named(models: list[str]) -> str:
    """Labels of models as a phrase that names three at most."""
    labels = [registry.entry(name).label for name in models]
    return names_text(labels)["en"]
