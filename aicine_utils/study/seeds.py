"""Would another seed say otherwise? The models that matter most, trained again with the seeds that follow.

One budget of seconds (``seed_seconds`` of the preset) holds for all extra trainings together: the cheapest come first,
and who is left at one seed is told. A model that draws nothing at random (``Entry.draws``) makes the same lists
whatever the seed, so one is enough.
What seeds do is set against what people do: the standard deviation of a mean between seeds, the standard error of that
mean over people, which its interval shows, and that of its difference from the best model, on which places rest.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from aicine_utils import experiment
from aicine_utils.errors import AicineError
from aicine_utils.experiment import Result
from aicine_utils.findings.reading import CHOSEN, cost
from aicine_utils.metrics import rating
from aicine_utils.models import registry
from aicine_utils.splits import Split
from aicine_utils.wording import names_text, seconds_text

FIRST = 5  # models with the best lists
TRAININGS = 3  # of each, unless a notebook asks for more
NORMAL = 1.96  # half a 95 % interval in standard errors
NAMES = {"ndcg@10": "NDCG@10", "rmse": "RMSE"}


class Plan(NamedTuple):
    """Names of models: trained ``again`` with other seeds, ``fixed`` whatever the seed, too ``dear`` for the budget."""

    again: list[str]
    fixed: list[str]
    dear: list[str]


def plan(board: pd.DataFrame, seeds: int, budget: float) -> Plan:
    """Who of the first five and the original study's choices is trained again within ``budget`` seconds.

    board: a leaderboard, best list first. Raises AicineError for fewer than one seed.
    """
    if not isinstance(seeds, int) or seeds < 1:
        raise AicineError(f"Parameter seeds = {seeds!r} is not a whole number from 1. Use for example 3.")
    rows = board[(np.arange(len(board)) < FIRST) | board["model"].isin(CHOSEN)]
    draws = rows["model"].map(lambda name: registry.entry(name).draws).astype(bool)
    once = pd.Series([cost(row) for _, row in rows[draws].iterrows()], rows.index[draws], dtype=np.float64)
    price = once.sort_values(kind="stable") * (seeds - 1)
    within = price.index[(price.cumsum() <= budget) & (seeds > 1)]
    again, fixed = draws & rows.index.isin(within), rows[~draws]
    return Plan(list(rows.loc[again, "model"]), list(fixed["model"]), list(rows.loc[draws & ~again, "model"]))


def runs(
    results: Mapping[str, Result], names: Sequence[str], split: Split, seed: int, seeds: int
) -> list[dict[str, Result]]:
    """The runs of ``names`` with ``seed`` as they are, then those of the next ``seeds - 1``, trained or read."""
    later = range(seed + 1, seed + seeds) if names else ()
    return [{name: results[name] for name in names}, *(experiment.run_all(names, split, other) for other in later)]


def table(made: Sequence[Mapping[str, Result]], board: pd.DataFrame, results: Mapping[str, Result]) -> pd.DataFrame:
    """One row a model and metric: model, label, metric, measure (its name), seeds, mean, lowest, highest, between
    (standard deviation between seeds, n - 1 below), people (standard error over people, as the interval has it), and
    apart (that of the difference from the best of ``results``, for the best itself from the next).
    """
    rows = board.set_index("model")
    apart = {metric: errors_of_difference(results, metric) for metric in NAMES}
    found = [
        {"model": name, "label": rows.at[name, "label"], "metric": metric, "measure": NAMES[metric],
         "people": _over_people(rows.loc[name], metric), "apart": apart[metric].get(name, np.nan),
         **_spread([mean(run[name], metric) for run in made])}
        for name in made[0] for metric in NAMES if metric in rows and pd.notna(rows.at[name, metric])
    ]  # fmt: skip
    columns = ["model", "label", "metric", "measure", "seeds", "mean", "lowest", "highest", "between", "people",
               "apart"]  # fmt: skip
    return pd.DataFrame(found, columns=columns)


def _over_people(row: pd.Series, metric: str) -> float:
    return float(row[f"{metric}_high"] - row[f"{metric}_low"]) / (2 * NORMAL)


def errors_of_difference(results: Mapping[str, Result], metric: str) -> pd.Series:
    """Standard error over people of each model's difference from the best; of the best's from the next."""
    with_metric = {
        name: result for name, result in results.items() if metric != "rmse" or result.predictions is not None
    }
    values = pd.DataFrame({name: _of_people(result, metric) for name, result in with_metric.items()}).dropna()
    order = values.mean().sort_values(ascending=metric == "rmse", kind="stable").index
    if len(order) < 2:
        return pd.Series(dtype=np.float64)
    against = pd.Series(order[0], order).where(order != order[0], order[1])
    return pd.Series({name: (values[name] - values[other]).sem() for name, other in against.items()})


def _of_people(result: Result, metric: str) -> pd.Series:
    return rating.rmse_parts(result.predictions) if metric == "rmse" else result.values("ndcg", 10)


def _spread(values: Sequence[float]) -> dict[str, float]:
    between = np.std(values, ddof=1) if len(values) > 1 else np.nan
    ends = {"lowest": min(values), "highest": max(values)}
    return {"seeds": len(values), "mean": float(np.mean(values)), "between": float(between), **ends}


def mean(result: Result, metric: str) -> float:
    """NDCG@10 over people, or RMSE over test ratings, as in the leaderboard."""
    return rating.rmse(result.predictions) if metric == "rmse" else float(result.values("ndcg", 10).mean())


def counted(board: pd.DataFrame, chosen: Plan, seeds: int) -> pd.Series:
    """The leaderboard's column ``seeds``: how many trainings a model had."""
    return pd.Series(np.where(board["model"].isin(chosen.again), seeds, 1), board.index)


def sentences(found: pd.DataFrame, made: Sequence[Mapping[str, Result]], board: pd.DataFrame, chosen: Plan,
              budget: float) -> list[str]:  # fmt: skip
    """What other seeds change: spread against people, the leader seed by seed, and who has one seed and why."""
    parts = [spread_told(found, metric) for metric in NAMES]
    parts.append(leader_told(made, board, chosen))
    labels = board.set_index("model")["label"]
    if chosen.fixed:
        draws = "draws" if len(chosen.fixed) == 1 else "draw"
        parts.append(f"{_named(labels[chosen.fixed])} {draws} nothing at random.")
    if chosen.dear:
        stays = "stays" if len(chosen.dear) == 1 else "stay"
        more = f"more would not fit into {seconds_text(budget)} of training"
        parts.append(f"{_named(labels[chosen.dear])} {stays} at one seed: {more}.")
    return [part for part in parts if part]


def _named(labels: pd.Series) -> str:
    return names_text(list(labels), most=FIRST + len(CHOSEN))["en"]


def spread_told(found: pd.DataFrame, metric: str) -> str:
    """Whether seeds move a measure less than people move its distance from the best; empty where nothing was trained
    twice, or nothing was there to be distant from.
    """
    rows = found[(found["metric"] == metric) & (found["seeds"] > 1) & found["apart"].notna()]
    if rows.empty:
        return ""
    more = rows[rows["between"] >= rows["apart"]]
    widest = (more if len(more) else rows).sort_values("between").iloc[-1]
    numbers = f"{widest['between']:.4f} between {widest['seeds']} seeds, {widest['apart']:.4f} over people"
    if more.empty:
        told = f"Seeds move {NAMES[metric]} less than people move its distance from the best"
        return f"{told}: {numbers} at most ({widest['label']})."
    told = (
        f"Seeds move the {NAMES[metric]} of {_named(more['label'])} as much as people move its distance from the best"
    )
    return f"{told}, or more: {numbers} ({widest['label']}). A place near another may turn with the seed."


def leader_told(made: Sequence[Mapping[str, Result]], board: pd.DataFrame, chosen: Plan) -> str:
    """Whether the same model has the highest NDCG@10 under every seed, among those whose seeds are known."""
    same = board[board["model"].isin(chosen.fixed)].set_index("label")["ndcg@10"].to_dict()
    if len(made) < 2 or len(same) + len(made[0]) < 2:
        return ""
    label = board.set_index("model")["label"]
    tables = [same | {label[name]: mean(run[name], "ndcg@10") for name in run} for run in made]
    first = Counter(max(values, key=values.get) for values in tables).most_common()
    if len(first) == 1:
        return f"{first[0][0]} has the highest NDCG@10 of these under each of the {len(made)} seeds."
    counted_out = ", ".join(f"{n} × {name}" for name, n in first)
    return f"The highest NDCG@10 of these changes with the seed: {counted_out}."
