"""Models side by side: do errors and lists agree on who is best, and how alike are the lists that models make?"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.experiment import Result
from aicine_utils.metrics import evaluate, significance
from aicine_utils.models import registry

SURE = 0.05  # level of a test


class Agreement(NamedTuple):
    """Kendall's tau-b between two orders of ``n`` models (1 the same, -1 reversed) and its two-sided p."""

    tau: float
    p: float
    n: int

    @property
    def verdict(self) -> str:
        """``agree``, ``oppose`` or, where the test can't reject chance, ``unrelated``."""
        if not self.p < SURE:
            return "unrelated"
        return "agree" if self.tau > 0 else "oppose"


def agreement(first: pd.Series, second: pd.Series, low_is_good: tuple[bool, bool] = (True, False)) -> Agreement:
    """Whether two measures order models alike; models that lack one are left out (Kendall 1938, 1945 for ties).

    ``low_is_good`` says for each measure whether its best value is the lowest; by default RMSE against NDCG.
    """
    from scipy import stats  # only here: it takes a second to import

    both = pd.DataFrame({"first": first, "second": second}).dropna()
    if len(both) < 2:
        return Agreement(float("nan"), float("nan"), len(both))
    signs = [-1 if low else 1 for low in low_is_good]
    tau, p = stats.kendalltau(both["first"] * signs[0], both["second"] * signs[1])
    return Agreement(float(tau), float(p), len(both))


def both_first(board: pd.DataFrame) -> list[str]:
    """Labels of a leaderboard that stand in first place for lists and for stars."""
    return board.loc[(board["place"] == 1) & (board["place_rmse"] == 1), "label"].tolist()


def over_seeds(runs: Iterable[Mapping[str, Result]], metric: str = "ndcg", k: int = 10) -> pd.DataFrame:
    """One metric, users x labels of models, as the mean over runs that differ in their seed."""
    tables = [
        pd.DataFrame({registry.entry(name).label: result.values(metric, k) for name, result in run.items()})
        for run in runs
    ]
    return sum(tables[1:], tables[0]) / len(tables)


def differences(values: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Every column of ``values`` (users x models) minus the column ``reference``, over the users that all have.

    Indexed by model: difference, its 95 % interval low and high, p_holm (paired t, Holm's correction over the rows),
    effect (d_z), and sign: 1 or -1 where that p is below 5 %, else 0.
    """
    common = values.dropna()
    others = common.columns.drop(reference)
    rows = [significance.paired(common[name].to_numpy(), common[reference].to_numpy()) for name in others]
    table = pd.DataFrame(rows, index=others).rename(columns={"p": "p_holm"})
    p = significance.holm(table["p_holm"].to_numpy())
    return table.assign(p_holm=p, sign=np.where(p < SURE, np.sign(table["difference"]), 0).astype(int))


def shared(lists: Mapping[str, pd.DataFrame], k: int = 10) -> pd.DataFrame:
    """How many of the first ``k`` movies two models have in common, mean over users: a square frame by model.

    lists: label -> user_id, movie_id, rank. The diagonal is the mean length of a list, ``k`` where none is short.
    Every (user, movie) pair is a column of a sparse matrix with one row a model, so one product counts all pairs.
    """
    top = [rows[rows[c.RANK].to_numpy() <= k] for rows in lists.values()]
    pairs, codes = np.unique(np.concatenate(evaluate.pair_keys(*top)), return_inverse=True)
    starts = np.cumsum([0, *map(len, top)])
    matrix = sparse.csr_matrix((np.ones(len(codes)), codes, starts), shape=(len(top), len(pairs)))
    n_users = pd.concat([rows[c.USER] for rows in top]).nunique()
    return pd.DataFrame((matrix @ matrix.T).toarray() / n_users, index=list(lists), columns=list(lists))


def neighbours_first(table: pd.DataFrame) -> pd.DataFrame:
    """A square table of likeness with like models side by side: leaves of average linkage, ordered optimally."""
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    if len(table) < 3:
        return table
    distance = table.to_numpy().max() - table.to_numpy()
    np.fill_diagonal(distance, 0)
    tree = hierarchy.linkage(squareform(distance, checks=False), "average", optimal_ordering=True)
    order = hierarchy.leaves_list(tree)
    return table.iloc[order, order]


def most_alike(table: pd.DataFrame) -> tuple[str, str, float]:
    """The two different models with the largest entry, and that entry."""
    above = np.triu(np.ones(table.shape, bool), 1)
    row, col = np.unravel_index(np.where(above, table.to_numpy(), -np.inf).argmax(), table.shape)
    return str(table.index[row]), str(table.columns[col]), float(table.iloc[row, col])
