"""RecBole's published quality beside ours, from the committed table that ``benchmarks.published_recbole`` writes.

It is about ml-1m on RecBole's own splits, whatever data set a page is about.
"""

from pathlib import Path

import pandas as pd

from aicine_utils import settings
from aicine_utils.models import registry

COLUMNS = ["model", "label", "ours", "published", "difference", "train_seconds", "stopped", "note"]
CLOSE = 0.002  # how far below a published NDCG@10 still counts as reached: a tolerance set beforehand, not measured


def path() -> Path:
    """Where the committed table lies, on any ``AICINE_HOME``."""
    return settings.ROOT / "outputs" / "benchmarks" / "published_recbole.csv"


def table(protocol: str, metric: str = "ndcg@10") -> pd.DataFrame:
    """One row a model that was measured under ``protocol``, best of ours first; no row where none was.

    Columns: model, label, ours, published and difference (of ``metric``, four digits), train_seconds, stopped (whether
    a limit on time ended the training), note (empty, or why the published value is no measure).
    """
    if not path().exists():
        return pd.DataFrame(columns=COLUMNS)
    rows = pd.read_csv(path()).query("protocol == @protocol and metric == @metric")
    labels = rows["model"].map(lambda name: registry.entry(name).label)
    named = rows.assign(label=labels, stopped=rows["stopped_by_budget"], note=rows.get("note", ""))
    named["note"] = named["note"].fillna("").astype(str)
    return named[COLUMNS].sort_values("ours", ascending=False, kind="stable", ignore_index=True)


def verdict(rows: pd.DataFrame) -> str:
    """How many models of a :func:`table` are at their published value or above, and which is furthest below.

    Rows with a note are left out: a value that was withdrawn is no bar.
    """
    noted, rows = rows.loc[rows["note"] != "", "label"].tolist(), rows[rows["note"] == ""]
    if rows.empty:
        return "No model has been measured under this protocol yet."
    level, last = rows["difference"].ge(-CLOSE), rows.loc[rows["difference"].idxmin()]
    behind = f"; furthest below is {last['label']}, by {-last['difference']:.4f}" if not level.all() else ""
    reached = f"{level.sum()} of {len(rows)} models are at RecBole's published value, within {CLOSE:g}, or above it"
    aside = f" Not counted, for the reason beside it: {', '.join(noted)}." if noted else ""
    return f"{reached}{behind}.{aside}"
