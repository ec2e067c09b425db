"""What is known of movies and people apart from ratings, as labels and as sparse matrices."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.data.labels import UNKNOWN

FEATURE = "feature"


class Described(NamedTuple):
    """Names of features, str [n_features] ascending, and a matrix [n_ids, n_known + n_features]."""

    names: np.ndarray
    matrix: sparse.csr_matrix


def movie_labels(movies: pd.DataFrame) -> pd.DataFrame:
    """movie_id, feature: ``genre:Drama`` for each genre of a movie, ``decade:1990`` where its year is known."""
    genres = movies[[c.MOVIE, c.GENRES]].explode(c.GENRES).dropna()
    dated = movies[[c.MOVIE, c.YEAR]].dropna()
    decades = (dated[c.YEAR].astype(int) // 10 * 10).astype(str)
    named = [(genres[c.MOVIE], "genre:" + genres[c.GENRES].astype(str)), (dated[c.MOVIE], "decade:" + decades)]
    return pd.concat([pd.DataFrame({c.MOVIE: ids, FEATURE: names}) for ids, names in named], ignore_index=True)


def user_labels(users: pd.DataFrame | None) -> pd.DataFrame:
    """user_id, feature: ``gender:F``, ``age_group:25-34``, ``occupation:writer``, as far as the data set knows."""
    if users is None:
        return pd.DataFrame({c.USER: np.empty(0, np.int64), FEATURE: np.empty(0, object)})
    long = users.melt(c.USER, [c.GENDER, c.AGE, c.OCCUPATION], "kind", FEATURE).dropna(ignore_index=True)
    long = long[long[FEATURE] != UNKNOWN]
    return long[[c.USER]].assign(**{FEATURE: long["kind"] + ":" + long[FEATURE].astype(str)})


def kinds(movies: pd.DataFrame, users: pd.DataFrame | None) -> pd.DataFrame:
    """What is known, one row a kind (genre, gender): n (different values), known (of how many), most (often)."""
    parts = [labels.set_axis(["id", FEATURE], axis=1) for labels in (movie_labels(movies), user_labels(users))]
    labels = pd.concat(parts, ignore_index=True).astype({FEATURE: str})
    named = labels[FEATURE].str.split(":", n=1)
    labels = labels.assign(kind=named.str[0], value=named.str[1])
    counts = labels.value_counts(["kind", "value"]).reset_index().drop_duplicates("kind")
    sizes = labels.groupby("kind").agg(n=("value", "nunique"), known=("id", "nunique")).reset_index()
    found = sizes.merge(counts[["kind", "value"]], on="kind").rename(columns={"value": "most"})
    return found.assign(kind=found["kind"].str.replace("_", " "))


def described(ids: np.ndarray, known: np.ndarray, labels: pd.DataFrame, weight: float) -> Described:
    """Identities of the ``known`` of ``ids`` (bool [len(ids)]), then the features that at least one of these has.

    labels: (id, feature). See :func:`design` for ``weight``.
    """
    names = np.unique(labels.loc[np.isin(labels.iloc[:, 0], ids[known]), FEATURE].to_numpy(str))
    own = sparse.identity(len(ids), np.float32, "csc")[:, np.flatnonzero(known)]
    return Described(names, sparse.hstack([own, design(ids, labels, names, weight)], "csr", np.float32))


def design(ids: np.ndarray, labels: pd.DataFrame, names: np.ndarray, weight: float) -> sparse.csr_matrix:
    """Features of each of ``ids`` (ascending), float32 [len(ids), len(names)].

    The known features of a row share ``weight`` in equal parts; labels that are not in ``names`` are left out.
    """
    found = labels[np.isin(labels.iloc[:, 0], ids) & np.isin(labels[FEATURE], names)]
    cells = np.searchsorted(ids, found.iloc[:, 0]), np.searchsorted(names, found[FEATURE].to_numpy(str))
    ones = sparse.csr_matrix((np.ones(len(found)), cells), (len(ids), len(names)))
    share = weight / np.maximum(np.asarray(ones.sum(axis=1)).ravel(), 1)
    return sparse.csr_matrix(sparse.diags(share) @ ones, dtype=np.float32)
