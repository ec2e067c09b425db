"""How long a data set takes to load: the first time (read, validate, keep) and again (Parquet).

    python benchmarks/load.py [NAME ...]

Each number is the median of three fresh processes, the imports not counted. ml-1m and larger are measured where a
copy lies in ``data/raw`` or ``AICINE_DATA``. Writes ``outputs/benchmarks/load.csv``.
"""

import json
import os
import subprocess
import sys
import tempfile
from statistics import median

import pandas as pd

from aicine_utils.data import datasets
from benchmarks import record

REPEATS = 3
LOAD = """
import json, resource, sys, time
import pandas, pyarrow.parquet
from aicine_utils.data import datasets
begun = time.perf_counter()
data = datasets.load(sys.argv[1])
seconds = time.perf_counter() - begun
print(json.dumps([seconds, len(data.ratings), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def once(name: str, home: str) -> tuple[float, int, float]:
    """Seconds, ratings and peak MB of one load in a process of its own."""
    shared = (
        str(datasets.places(name)[0].parent) if datasets.places(name)[0].is_dir() else os.environ.get("AICINE_DATA")
    )
    environment = {**os.environ, "AICINE_HOME": home, **({"AICINE_DATA": shared} if shared else {})}
    done = subprocess.run([sys.executable, "-c", LOAD, name], env=environment, stdout=subprocess.PIPE, check=True)
    return tuple(json.loads(done.stdout))


def measure(name: str) -> dict[str, object]:
    """One row of the table."""
    first, again = [], []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as home:
            first.append(once(name, home))
            again.append(once(name, home))
    return {
        "dataset": name,
        "ratings": first[0][1],
        "first_seconds": round(median(run[0] for run in first), 2),
        "again_seconds": round(median(run[0] for run in again), 2),
        "first_peak_mb": round(median(run[2] for run in first)),
        "again_peak_mb": round(median(run[2] for run in again)),
    }


def at_hand() -> list[str]:
    """Data sets that need no network."""
    return ["ml-100k", *[n for n in datasets.SOURCES if n != "ml-100k" and any(p.is_dir() for p in datasets.places(n))]]


def main() -> int:
    """Measure, print, keep."""
    table = pd.DataFrame([measure(name) for name in sys.argv[1:] or at_hand()])
    print(table.to_string(index=False))
    record.keep(table, "load")
    return 0


if __name__ == "__main__":
    record.run(main)
