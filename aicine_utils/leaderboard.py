"""One row a model: means, intervals, costs and places, from finished runs of one protocol."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from aicine_utils import columns as c
from aicine_utils import settings
from aicine_utils.experiment import Result
from aicine_utils.metrics import beyond, evaluate, rating, significance
from aicine_utils.models import registry
from aicine_utils.splits import Split

COSTS = ["fit_seconds", "recommend_seconds", "peak_mb", "parameters"]
LOW_IS_GOOD = {"rmse", "mae", "mse"}


def leaderboard(results: Iterable[Result], split: Split, resamples: int = 2000) -> pd.DataFrame:
    """The table behind the report, best NDCG@10 first.

    Columns: protocol, model, label, family, seeds, n_users; for each ranking metric ``name@k`` with ``_low`` and
    ``_high``; rmse and mae likewise (empty for models that don't rate); beyond-accuracy means at 10; costs;
    frozen_days (from the last rating that may be learned from to the last of the test, under one cut in time);
    at_once (see :func:`at_once`);
    trials (of the search behind the settings, 0 or 1 for defaults); search_minutes (after which no other trial began,
    empty without a limit); lent_by (the data set of that search, where it is another); found_on (the data set whose
    search had found what won this one); stopped_by_budget (time ended the training, or the one in the search that
    counted its passes); run (its folder's name); ``place`` by NDCG@10 and ``place_rmse``, shared by models that paired
    tests can't tell apart.
    """
    results, catalogue = list(results), beyond.Catalogue.of(split.for_test())
    test = {"frozen_days": frozen_days(split), "at_once": at_once(split)}
    rows = [_row(result, split, catalogue, resamples) | test for result in results]
    table = pd.DataFrame(rows, index=pd.Index([result.name for result in results], name=None))
    table["place"] = places(results)["place"]
    raters = [result for result in results if result.predictions is not None]
    table["place_rmse"] = places(raters, "rmse", 0)["place"] if raters else float("nan")
    return table.sort_values(["ndcg@10", "model"], ascending=[False, True], ignore_index=True)


def places(results: Iterable[Result], metric: str = "ndcg", k: int = 10) -> pd.DataFrame:
    """Place, difference to the best with interval, Holm's p and effect size of each model on one metric."""
    values = pd.DataFrame({result.name: _judged(result, metric, k) for result in results})
    return significance.places(values, higher_is_better=metric not in LOW_IS_GOOD)


def _judged(result: Result, metric: str, k: int) -> pd.Series:
    """What a paired test compares, by user; RMSE is judged by the squared error pooled over all ratings, as shown."""
    return rating.contributions(result.predictions) if metric == "rmse" else result.values(metric, k)


def compare(results: Mapping[str, Result], metric: str, k: int = 10, resamples: int = 2000) -> pd.DataFrame:
    """Runs that may be of one model, by label: their means with intervals, place on one metric, and parameters.

    Columns: label, place, ``ndcg@10`` and so on with ``_low`` and ``_high``, settings (text); in the order given.
    """
    values = pd.DataFrame({label: _judged(result, metric, k) for label, result in results.items()})
    place = significance.places(values, higher_is_better=metric not in LOW_IS_GOOD)["place"]
    rows = [
        {"label": label, "place": place[label], **means(result, resamples), "settings": settings_text(result)}
        for label, result in results.items()
    ]
    return pd.DataFrame(rows)


def settings_text(result: Result) -> str:
    """``n_factors = 100, lr_all = 0.005``, or ``none``."""
    params = result.manifest["params"].items()
    return ", ".join(f"{k} = {v:.4g}" if isinstance(v, float) else f"{k} = {v}" for k, v in params) or "none"


def _row(result: Result, split: Split, catalogue: beyond.Catalogue, resamples: int) -> dict[str, object]:
    entry, manifest = registry.entry(result.name), result.manifest
    found = settings.search_behind(entry.name, manifest["dataset"], split.protocol, manifest["params"])
    return {
        "protocol": split.protocol, "model": entry.name, "label": entry.label, "family": entry.family, "seeds": 1,
        "n_users": result.values().size, **means(result, resamples),
        **beyond.evaluate_beyond(result.topk, split, catalogue=catalogue),
        "trials": found.get("trials", 0), "search_minutes": found.get("limit"), "lent_by": found.get("lent_by", ""),
        "found_on": found.get("found_on", ""),
        "stopped_by_budget": manifest["stopped_by_budget"] or found.get("stopped", False),
        **{name: manifest[name] for name in COSTS}, "run": result.folder.name,
    }  # fmt: skip


def frozen_days(split: Split) -> float:
    """Days for which a model that was trained at a cut in time for everyone stays as it is; NaN under other splits."""
    if split.protocol != "global_temporal":
        return float("nan")
    return (split.test[c.TIMESTAMP].max() - split.for_test().train[c.TIMESTAMP].max()) / pd.Timedelta(days=1)


def at_once(split: Split, within: str = "1h") -> float:
    """Share of test ratings given ``within`` so long after the last one that a model is told of the same person; of
    people of whom it is told nothing, none, and so of what they rated before. NaN where all ratings carry one time.
    """
    if timeless(split):
        return float("nan")
    waited = split.test[c.TIMESTAMP] - split.test[c.USER].map(split.history.groupby(c.USER)[c.TIMESTAMP].max())
    return float(waited.between(pd.Timedelta(0), pd.Timedelta(within)).mean())


def timeless(split: Split) -> bool:
    """Whether all ratings carry one time."""
    return pd.concat([split.history[c.TIMESTAMP], split.test[c.TIMESTAMP]]).nunique() < 2


def means(result: Result, resamples: int) -> dict[str, float]:
    """``ndcg@10``, ``ndcg@10_low``, ``ndcg@10_high`` and so on; ``rmse`` and ``mae`` where the model rates."""
    tables = [evaluate.summary(result.per_user[result.per_user[c.K] > 0], resamples)]
    if result.predictions is not None:
        tables.append(rating.evaluate_ratings(result.predictions, resamples))
    rows = pd.concat(tables).itertuples()
    return {name: value for row in rows for name, value in _spread(row)}


def _spread(row: NamedTuple) -> list[tuple[str, float]]:
    return [(row.Index, row.mean), (f"{row.Index}_low", row.low), (f"{row.Index}_high", row.high)]
