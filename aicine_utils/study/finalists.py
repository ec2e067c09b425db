"""Who is measured again under other splits, and on which: the rule, the budget, and the runs.

A finalist keeps the settings of its run on the primary split, so that nothing but the split changes. One model can't:
what is watched lately has no meaning on that split, where everyone's time is cut apart (see :data:`OF_ITS_SPLIT`).
"""

from collections.abc import Callable, Mapping, Sequence
from time import monotonic

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import experiment, settings, splits
from aicine_utils.data.movielens import MovieLens
from aicine_utils.errors import AicineError
from aicine_utils.experiment import Result
from aicine_utils.findings.choosing import BLIND
from aicine_utils.findings.reading import CHANCE
from aicine_utils.metrics import significance
from aicine_utils.models import registry
from aicine_utils.protocols import LIKED, PROTOCOLS, user_temporal
from aicine_utils.settings import PRIMARY
from aicine_utils.splits import Split
from aicine_utils.wording import names_text, seconds_text

RANDOM = "user_random"
SPLITS = {PRIMARY: "Own last fifth", "global_temporal": "One cut in time", "leave_one_out": "Last one out",
          RANDOM: "Random fifth"}  # fmt: skip
LISTS_FOR_ALL = ("popularity", "recent_popularity")  # which personal models have to beat under every split
ALWAYS = (*LISTS_FOR_ALL, "ease", "svd", "ract")  # with the strong baseline, and the original study's winners
LEADING = 3  # personal models that meet one cut in time whatever they cost
OF_ITS_SPLIT = ("recent_popularity",)  # takes each split's own search: without a common clock no half-life is found
MODEL = "model"


def random_labels(ratings: pd.DataFrame, seed: int = 0) -> np.ndarray:
    """``user_temporal`` with time drawn by lot: as many of each user's ratings in each part, but any of them.

    ::

        user 1  . T . . v . . T . .
        user 2      . . v . T . . . T . . v . . T . . . T .
    """
    lots = np.random.default_rng(seed).permutation(len(ratings))
    return user_temporal(ratings.assign(**{c.TIMESTAMP: lots}))


def make_splits(data: MovieLens, seed: int = 0) -> tuple[dict[str, Split], dict[str, str]]:
    """The splits of :data:`SPLITS` by name, and for those that the data are too small for, why not."""
    made: dict[str, Split] = {}
    refused: dict[str, str] = {}
    for name in SPLITS:
        try:
            made[name] = split_of(data, name, seed)
        except AicineError as error:
            refused[name] = str(error)
    return made, refused


def split_of(data: MovieLens, name: str, seed: int = 0) -> Split:
    """One of :data:`SPLITS`; the seed is of the random one alone. Raises AicineError where the data are too small."""
    if name != RANDOM:
        return splits.make(data, name)
    return splits.divide(data, random_labels(data.ratings, seed), RANDOM, refits=True, relevant_from=LIKED)


def standing(results: Mapping[str, Result], resamples: int = 2000) -> pd.DataFrame:
    """model, label, family, ndcg@10 with ``_low`` and ``_high`` (95 %), fit_seconds, recommend_seconds: the part of a
    leaderboard that :func:`choose` needs.
    """
    values = pd.DataFrame({name: result.values() for name, result in results.items()})
    low, high = significance.interval(values.to_numpy(), resamples)
    table = pd.DataFrame({"ndcg@10": values.mean(), "ndcg@10_low": low, "ndcg@10_high": high}, values.columns)
    for cost in ("fit_seconds", "recommend_seconds"):
        table[cost] = [result.manifest[cost] for result in results.values()]
    return described(table.rename_axis(MODEL).reset_index())


def choose(board: pd.DataFrame, seconds_each: float) -> pd.DataFrame:
    """Who is measured again: the best of each family by the board's NDCG@10, and :data:`ALWAYS`.

    Who took more than ``seconds_each`` to train is left out, and the best of the family that did not stands in. Returns
    the board's rows, best first, with ``named`` (by the rule) and ``chosen``. Raises AicineError when fewer than two
    can be chosen.
    """
    rows = _ruled(board, seconds_each)
    if rows["chosen"].sum() < 2:
        raise AicineError(f"{rows['chosen'].sum()} models train in {seconds_each:g} s; an order needs 2. "
                          "Raise seconds_each.")  # fmt: skip
    return rows[rows["named"] | rows["chosen"]].reset_index(drop=True)


def _ruled(board: pd.DataFrame, seconds_each: float) -> pd.DataFrame:
    """All rows but chance's, best first, with ``named`` and ``chosen``."""
    rows = board[board[MODEL] != CHANCE].sort_values("ndcg@10", ascending=False, kind="stable")
    fits = rows["fit_seconds"] <= seconds_each
    named = rows[MODEL].isin(ALWAYS) | ~rows["family"].duplicated()
    stands_in = fits & ~rows["family"].where(fits).duplicated()
    return rows.assign(named=named, chosen=fits & (named | stands_in))


def for_one_cut(board: pd.DataFrame, seconds_each: float) -> list[str]:
    """Names of those who run again under one cut in time: the board's best three with lists of a person's own, the
    finalists (see :func:`choose`), and the lists for all.
    """
    leading = board.loc[board["family"] != BLIND, MODEL].head(LEADING)
    return list(dict.fromkeys([*leading, *for_every_split(board, seconds_each), *LISTS_FOR_ALL]))


def for_every_split(board: pd.DataFrame, seconds_each: float) -> list[str]:
    """Names of the finalists (see :func:`choose`), best first; fewer than two, or none, without complaint."""
    return list(_ruled(board, seconds_each).query("chosen")[MODEL])


def absent(board: pd.DataFrame, chosen: Sequence[str], seconds_each: float) -> str:
    """Who stands in first place on people's own timelines and does not run again, as a sentence; empty for nobody."""
    out = board[(board["place"] == 1) & ~board[MODEL].isin(chosen)]
    if out.empty:
        return ""
    verb = "are" if len(out) > 1 else "is"
    named = names_text(list(out["label"]), len(out))["en"]
    return (
        f"Of those in first place on people's own timelines, {named} {verb} not measured here: neither among the best "
        f"{LEADING} nor the best of a family that trains within {seconds_text(seconds_each)}."
    )


def run(
    results: Mapping[str, Result], split: Split, seed: int = 0, watch: Callable[[str], None] = print
) -> dict[str, Result]:
    """The same models with the settings of these runs, on another split; ``watch`` gets one line a model.

    Settings that this split's own search may have found are used for :data:`OF_ITS_SPLIT` alone, so that only the split
    differs.
    """
    done: dict[str, Result] = {}
    began = monotonic()
    for count, (name, result) in enumerate(results.items(), start=1):
        done[name] = experiment.run(name, split, seed, **settings_on(split, name, result))
        left = (monotonic() - began) / count * (len(results) - count)
        told = experiment.told_cost(done[name])
        watch(f"{SPLITS[split.protocol]}, {count}/{len(results)} {registry.entry(name).label}: {told}"
              + ("" if done[name].cached else f", {left:.0f} s left"))  # fmt: skip
    return done


def settings_on(split: Split, name: str, result: Result) -> dict[str, object]:
    """What replaces the settings of the split: those of the run, and for one with members the protocol of theirs."""
    if name in OF_ITS_SPLIT and split.protocol in PROTOCOLS:
        return {}
    return settings_of(result)


def searched_here(results: Mapping[str, Result], dataset: str) -> set[str]:
    """Who brings settings to another split that were searched on these data by the primary split's validation; one with
    members brings theirs.
    """
    found = settings.tuned(dataset).get(PRIMARY, {}).keys() - set(OF_ITS_SPLIT)
    own = {name: result.manifest["params"].get("members", name).split("+") for name, result in results.items()}
    return {name for name, parts in own.items() if found.intersection(parts)}


def settings_of(result: Result) -> dict[str, object]:
    """A run's parameters, and for one with members the protocol whose settings these had."""
    params, made = result.manifest["params"], result.manifest["protocol"]
    return params | {"settings_of": params["settings_of"] or made} if "settings_of" in params else params


def described(rows: pd.DataFrame) -> pd.DataFrame:
    """With label and family of each row's model."""
    entries = [registry.entry(name) for name in rows[MODEL]]
    return rows.assign(label=[entry.label for entry in entries], family=[entry.family for entry in entries])
