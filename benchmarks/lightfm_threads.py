"""What determinism costs LightFM: seconds an epoch with one thread and with one for each core.

With one thread the same seed gives the same lists; with several, threads write to the same vectors without waiting for
each other (Hogwild, Niu et al. 2011), and no training is like another. The project trains with one.

    python -m benchmarks.lightfm_threads [--dataset ml-1m] [--epochs 5]
"""

import argparse
import os

import numpy as np
import pandas as pd

from aicine_utils import splits
from aicine_utils.data import datasets
from aicine_utils.models import registry
from aicine_utils.splits import Split
from benchmarks import record

MODELS = ["lightfm_ids", "lightfm_both", "lightfm_bpr"]


def measured(name: str, threads: int, split: Split, epochs: int) -> dict[str, object]:
    """Median seconds an epoch, the first left out, and whether a second training gives the same scores."""
    pair = [registry.create(name, split.info["dataset"], epochs=epochs, threads=threads).fit(split) for _ in range(2)]
    seconds = [np.diff([row["seconds"] for row in model.curve]) for model in pair]
    same = np.array_equal(*(model.score(split.user_ids[:50]) for model in pair))
    return {"model": name, "threads": threads, "seconds_an_epoch": np.median(seconds), "same_again": same}


def main() -> int:
    """Measure, print and write the table; 1 when one thread gives different scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="ml-1m")
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()
    split = splits.make(datasets.load(args.dataset)).for_test()
    counts = [1, os.cpu_count() or 1]
    table = pd.DataFrame([measured(name, threads, split, args.epochs) for name in MODELS for threads in counts])
    print(table.to_string(index=False, float_format="{:.3f}".format))
    record.keep(table.assign(dataset=args.dataset), "lightfm_threads")
    return int(not table.loc[table["threads"] == 1, "same_again"].all())


if __name__ == "__main__":
    record.run(main)
