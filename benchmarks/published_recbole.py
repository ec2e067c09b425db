"""RecBole's published ML-1M table of general models (G-RS), by our models and our evaluator on RecBole's own split.

The split must have RecBole's counts (it counts one padding user and movie more), and each row must round to the
published four digits.

    AICINE_DATA=... python -m benchmarks.published_recbole
"""

import pandas as pd

from aicine_utils import experiment, splits
from aicine_utils.data import datasets
from aicine_utils.metrics import evaluate
from benchmarks import record

PROTOCOL = "recbole_general"
COUNTS = {"n_users": 6_033, "n_movies": 3_123, "n_ratings": 834_449}
METRICS = ["recall@10", "mrr@10", "ndcg@10", "hit@10"]
SETTINGS = {"ease": {"regularisation": 1000.0, "liked": 0.0}, "item_knn": {"k": 250, "shrink": 1.2}}
PUBLISHED = {"ease": [0.2139, 0.4808, 0.2865, 0.7837], "item_knn": [0.1723, 0.4254, 0.2389, 0.7139]}


def rows(name: str, split: splits.Split) -> list[dict[str, object]]:
    """One row a metric: ours beside the published value."""
    result = experiment.run(name, split, **SETTINGS[name])
    ours = evaluate.means(result.per_user)
    return [
        {"protocol": PROTOCOL, "model": name, "metric": metric, "ours": ours[metric], "published": published,
         "difference": round(ours[metric], 4) - published, "train_seconds": result.manifest["fit_seconds"],
         "stopped_by_budget": False}
        for metric, published in zip(METRICS, PUBLISHED[name], strict=True)
    ]  # fmt: skip


def main() -> int:
    """Measure, print and write the table; 1 when a count or a digit differs."""
    split = splits.make(datasets.load("ml-1m"), PROTOCOL)
    info = {**split.info, "n_ratings": sum(split.info[f"n_{part}"] for part in ("train", "valid", "test"))}
    counts = {name: info[name] for name in COUNTS}
    print(f"Counts {counts}: {'as published' if counts == COUNTS else f'published {COUNTS}'}")
    table = pd.DataFrame([row for name in PUBLISHED for row in rows(name, split)])
    print(table.iloc[:, :7].to_string(index=False, float_format="{:.4f}".format))
    record.keep(table, "published_recbole", by=["protocol", "model", "metric"])
    return int(counts != COUNTS or bool((table["difference"].abs() > 1e-9).any()))


if __name__ == "__main__":
    record.run(main)
