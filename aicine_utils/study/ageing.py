"""Is a model behind under one cut in time because it grew old, or from the first day? From lists that are there."""

from collections.abc import Mapping

import pandas as pd

from aicine_utils import columns as c
from aicine_utils import phrases
from aicine_utils.experiment import Result
from aicine_utils.metrics import evaluate, significance
from aicine_utils.models import registry
from aicine_utils.splits import Split
from aicine_utils.study import comparison

DAYS = 30


def early(results: Mapping[str, Result], split: Split, days: int = DAYS) -> pd.DataFrame:
    """NDCG@10 for what was liked within so many days of the cut alone: users x labels, of everyone who liked some.

    No columns where hardly anybody did, or where the whole test is no longer. The lists are those of the whole test: a
    model makes one list a person.
    """
    times = split.test[c.TIMESTAMP]
    first = times < times.min() + pd.Timedelta(days=days)
    if first.all():
        return pd.DataFrame()
    soon = split.relevant(split.test[first])
    if soon[c.USER].nunique() < significance.FEW:
        return pd.DataFrame()
    measured = {name: evaluate.evaluate(result.topk, soon, ks=(10,)) for name, result in results.items()}
    return pd.DataFrame({
        registry.entry(name).label: rows[rows[c.METRIC] == "ndcg"].set_index(c.USER)[c.VALUE]
        for name, rows in measured.items()
    })  # fmt: skip


def told(values: pd.DataFrame, own: str, other: str, days: int = DAYS) -> str:
    """Whether the model ``own`` is behind ``other`` as soon as the cut is made; empty where that was not measured."""
    if values.empty or own == other:
        return ""
    apart = significance.paired(values[own].to_numpy(), values[other].to_numpy())
    lead = phrases.number(*apart[:3])
    sure = apart.p < comparison.SURE
    means = (f"Of what people liked in the first {days} days after the cut alone ({len(values):,} people), when no "
             f"model is old, {own} has NDCG@10 {values[own].mean():.3f} and {other} {values[other].mean():.3f}, "
             f"a difference of {lead}: ")  # fmt: skip
    if sure and apart.difference < 0:
        return f"{means}{own} is behind from the start, not by growing old alone."
    if sure:
        return (
            f"{means}{own} is ahead while it is young, and falls by growing old; updates may mend that (notebook 11)."
        )
    return f"{means}which of the two is ahead while they are young can't be told."
