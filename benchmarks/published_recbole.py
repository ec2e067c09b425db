"""RecBole's published ML-1M tables by our models, on RecBole's own splits, with our evaluator.

The general split must have RecBole's counts (it counts one padding user and movie more); its linear rows must round to
the published four digits. A trained row must reach its bar. Settings were chosen on validation.

    AICINE_DATA=... python -m benchmarks.published_recbole [--protocol recbole_sequential] [--models gru]
"""

import argparse
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from aicine_utils import experiment, splits
from aicine_utils.data import datasets
from aicine_utils.errors import unknown
from aicine_utils.metrics import evaluate
from benchmarks import record

COUNTS = {"n_users": 6_033, "n_movies": 3_123, "n_ratings": 834_449}
METRICS = {"recbole_general": ["recall@10", "mrr@10", "ndcg@10", "hit@10"],
           "recbole_sequential": ["recall@10", "mrr@10", "ndcg@10"]}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """Published values in the order of METRICS; our settings; ``bar``: NDCG@10 to reach, None for equal digits."""

    published: list[float]
    settings: dict[str, Any] = field(default_factory=dict)
    bar: float | None = None


ROWS = {
    "recbole_general": {
        "ease": Row([0.2139, 0.4808, 0.2865, 0.7837], {"regularisation": 1000.0, "liked": 0.0}),
        "item_knn": Row([0.1723, 0.4254, 0.2389, 0.7139], {"k": 250, "shrink": 1.2}),
    },
    "recbole_sequential": {
        "gru": Row([0.2776, 0.1171, 0.1545], {"hidden": 256, "dropout": 0.3, "learning_rate": 0.003, "batch": 64,
                                              "epochs": 15, "liked": 0.0}, bar=0.1545),
    },
}  # fmt: skip


def rows(name: str, split: splits.Split) -> list[dict[str, object]]:
    """One row a metric: ours beside the published value."""
    wanted = ROWS[split.protocol][name]
    result = experiment.run(name, split, **wanted.settings)
    ours = evaluate.means(result.per_user)
    return [
        {"protocol": split.protocol, "model": name, "metric": metric, "ours": ours[metric], "published": published,
         "difference": round(ours[metric], 4) - published, "train_seconds": result.manifest["fit_seconds"],
         "stopped_by_budget": result.manifest.get("stopped_by_budget", False)}
        for metric, published in zip(METRICS[split.protocol], wanted.published, strict=True)
    ]  # fmt: skip


def missed(table: pd.DataFrame) -> list[str]:
    """Models of a table that are not equal to the published digits, or below their bar."""
    models = []
    for (protocol, model), part in table.groupby(["protocol", "model"], sort=False):
        bar = ROWS[protocol][model].bar
        reached = part.set_index("metric").loc["ndcg@10", "ours"]
        if (part["difference"].abs() > 1e-9).any() if bar is None else reached < bar:
            models.append(model)
    return models


def counts_agree(split: splits.Split) -> bool:
    """Whether the general split has RecBole's counts; True for other protocols, whose counts are not published."""
    if split.protocol != "recbole_general":
        return True
    info = {**split.info, "n_ratings": sum(split.info[f"n_{part}"] for part in ("train", "valid", "test"))}
    counts = {name: info[name] for name in COUNTS}
    print(f"Counts {counts}: {'as published' if counts == COUNTS else f'published {COUNTS}'}")
    return counts == COUNTS


def main() -> int:
    """Measure, print and write the table; 1 when a count, a digit or a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--protocol", default="recbole_general", choices=list(ROWS))
    parser.add_argument("--models", nargs="+", help="default: all of the protocol")
    args = parser.parse_args()
    names = args.models or list(ROWS[args.protocol])
    for name in names:
        if name not in ROWS[args.protocol]:
            raise unknown("row", name, ROWS[args.protocol])
    split = splits.make(datasets.load("ml-1m"), args.protocol)
    agree, table = counts_agree(split), pd.DataFrame([row for name in names for row in rows(name, split)])
    print(table.iloc[:, :7].to_string(index=False, float_format="{:.4f}".format))
    below = missed(table)
    print(f"Below their bars: {', '.join(below)}." if below else "All at their bars.")
    record.keep(table, "published_recbole", by=["protocol", "model", "metric"])
    return int(not agree or bool(below))


if __name__ == "__main__":
    record.run(main)
