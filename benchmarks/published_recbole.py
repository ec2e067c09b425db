"""Published ML-1M values by our models, each under the protocol of its source, with our evaluator.

RecBole's two tables on its own splits, and the leave-one-out value of Klenitskiy & Vasilev (2023).

The general split must have RecBole's counts (it counts one padding user and movie more); its linear rows must round to
the published four digits. A trained row must reach its bar. Settings were chosen on validation.

    AICINE_DATA=... python -m benchmarks.published_recbole [--protocol recbole_sequential] [--models gru]
"""

import argparse
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from aicine_utils import experiment, published, splits
from aicine_utils.data import datasets
from aicine_utils.errors import unknown
from aicine_utils.metrics import evaluate
from benchmarks import record

COUNTS = {"n_users": 6_033, "n_movies": 3_123, "n_ratings": 834_449}
METRICS = {"recbole_general": ["recall@10", "mrr@10", "ndcg@10", "hit@10"],
           "recbole_sequential": ["recall@10", "mrr@10", "ndcg@10"], "leave_one_out": ["ndcg@10"]}  # fmt: skip
ALL = {"liked": 0.0}  # the published models learned from every rating


@dataclass(frozen=True)
class Row:
    """Published values in the order of METRICS, and our settings.

    ``bar``: NDCG@10 to reach; None for equal values, to four digits. ``note``: why a published value is no
    measure of ours, or whose it is where it isn't RecBole's.
    """

    published: list[float]
    settings: dict[str, Any] = field(default_factory=dict)
    bar: float | None = None
    note: str = ""


ROWS = {
    "recbole_general": {
        "ease": Row([0.2139, 0.4808, 0.2865, 0.7837], {"regularisation": 1000.0, **ALL}),
        "item_knn": Row([0.1723, 0.4254, 0.2389, 0.7139], {"k": 250, "shrink": 1.2}),
        "recbole_item_knn": Row([0.1723, 0.4254, 0.2389, 0.7139], {"k": 250, "shrink": 1.2}),
        "views": Row([0.0699, 0.1890, 0.1006, 0.4572], bar=0.1006, note="RecBole counts a movie once a batch"),
        "bpr": Row([0.1725, 0.4221, 0.2407, 0.7131], ALL, 0.2407 - published.CLOSE),
        "lightgcn": Row([0.1823, 0.4312, 0.2476, 0.7316],
                        {"learning_rate": 0.002, "epochs": 120, **ALL}, 0.2476 - published.CLOSE),
        "simplex": Row([0.1997, 0.4668, 0.2700, 0.7555], {"epochs": 30, **ALL}, 0.2700 - published.CLOSE),
        "multivae": Row([0.1995, 0.4292, 0.2523, 0.7650],
                        {"batch": 2048, "learning_rate": 0.007, "dropout_prob": 0.8, "epochs": 300, "patience": 40,
                         **ALL},
                        0.2523 - published.CLOSE),
        "ract": Row([0.1893, 0.4054, 0.2367, 0.7406], ALL, 0.2367 - published.CLOSE),
    },
    "recbole_sequential": {
        "gru": Row([0.2776, 0.1171, 0.1545],
                   {"hidden": 256, "dropout": 0.3, "learning_rate": 0.003, "batch": 64, "epochs": 15, **ALL}, 0.1545),
        "sasrec": Row([0.2468, 0.0929, 0.1286], {"epochs": 16, **ALL}, 0.150),
        "bert4rec": Row([0.0791, 0.0259, 0.0381], {"epochs": 45, **ALL}, 0.120,
                        note="withdrawn by RecBole"),
        "narm": Row([0.2662, 0.1108, 0.1471], {"batch": 64, "epochs": 16, **ALL}, 0.1471),
        "caser": Row([0.2039, 0.0765, 0.1061], ALL, 0.1061),
        "srgnn": Row([0.2425, 0.1035, 0.1360], ALL, 0.125),
    },
    "leave_one_out": {
        "sasrec": Row([0.1821], {"window": 200, "epochs": 28, **ALL}, 0.165,
                      note="Klenitskiy & Vasilev 2023"),
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
         "stopped_by_budget": result.manifest.get("stopped_by_budget", False), "note": wanted.note}
        for metric, published in zip(METRICS[split.protocol], wanted.published, strict=True)
    ]  # fmt: skip


def missed(table: pd.DataFrame) -> list[str]:
    """Models of a table that are not equal to the published digits, or below their bar."""
    models = []
    for (protocol, model), part in table.groupby(["protocol", "model"], sort=False):
        row, reached = ROWS[protocol][model], part.set_index("metric").loc["ndcg@10", "ours"]
        equal = (part["ours"].round(4) - part["published"].round(4)).abs() < 1e-9
        if not equal.all() if row.bar is None else reached < row.bar:
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
