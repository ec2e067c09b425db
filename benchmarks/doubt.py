"""How far to trust a short history: the two constants of the new-user study, chosen on people it does not measure.

The fold ``cold.CHOOSING`` of hidden people is told its first 0 to 20 ratings; the table has the mean NDCG@10 over these
steps for each value of ``cold.DOUBT`` (the list of most liked movies behind a model) and of ``hybrid.DOUBT`` (LightFM).

    python -m benchmarks.doubt [--dataset ml-1m]
"""

import argparse

import pandas as pd

from aicine_utils import columns as c
from aicine_utils.data import datasets
from aicine_utils.models import hybrid, registry
from aicine_utils.study import cold
from benchmarks import record

BEHIND, OWN = (3, 10, 30, 100), (3, 10, 20, 40)
MODELS = ["content_tfidf", "item_knn", "user_knn", "ease", "ials"]


def tried(dataset: str) -> pd.DataFrame:
    """constant, value, model and ``ndcg@10``, its mean over steps and people."""
    data = datasets.load(dataset)
    given, rows = cold.steps(data), []
    split = cold.hide_users(data, told=max(given), fold=cold.CHOOSING)
    others, people = cold.fitted(MODELS, split), cold.fitted(["lightfm_users"], split)
    for place, behind, models, values in ((cold, True, others, BEHIND), (hybrid, False, people, OWN)):
        chosen = place.DOUBT
        for value in values:
            place.DOUBT = value
            found = cold.new_users(models, split, given)
            found = found[found["behind"] == behind].groupby("model")[c.VALUE].mean()
            rows += [(place.__name__.rsplit(".", 1)[1], value, name, mean) for name, mean in found.items()]
        place.DOUBT = chosen
    return pd.DataFrame(rows, columns=["constant", "value", "model", "ndcg@10"]).assign(dataset=dataset)


def main() -> int:
    """Print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="ml-100k")
    table = tried(parser.parse_args().dataset)
    table["label"] = table["model"].map(lambda name: registry.entry(name).label)
    print(table.pivot(index="label", columns=["constant", "value"], values="ndcg@10").round(4).to_string())
    print(table.groupby(["constant", "value"])["ndcg@10"].mean().round(4).to_string())
    record.keep(table.drop(columns="label"), "doubt")
    return 0


if __name__ == "__main__":
    record.run(main)
