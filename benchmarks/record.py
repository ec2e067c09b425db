"""What every benchmark does with its table, and with a mistake in its arguments."""

import sys
from collections.abc import Callable, Sequence

import pandas as pd
import psutil

from aicine_utils import provenance, settings
from aicine_utils.errors import AicineError


def keep(table: pd.DataFrame, name: str, by: Sequence[str] = ("dataset",)) -> None:
    """Write ``outputs/benchmarks/NAME.csv`` with the machine's state; older rows with the same ``by`` are replaced.

    load_before is how many processes wanted a core in the minute before the end, on ``cores`` cores: a benchmark alone
    on its machine has about as many as it has threads.
    """
    path = settings.home() / "outputs" / "benchmarks" / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {"cores": psutil.cpu_count(), "load": round(psutil.getloadavg()[0], 1), "revision": provenance.revision()}
    table = table.assign(**state)
    older = pd.read_csv(path) if path.exists() else table.iloc[:0]
    again = pd.MultiIndex.from_frame(older[list(by)]).isin(pd.MultiIndex.from_frame(table[list(by)]))
    pd.concat([older[~again], table]).to_csv(path, index=False)


def run(main: Callable[[], int]) -> None:
    """Exit with what ``main`` returns (1 for a missed bar), or with a message and 2 for a mistake of the caller's."""
    try:
        code = main()
    except AicineError as error:
        print(f"Error: {error}", file=sys.stderr)
        code = error.exit_code
    raise SystemExit(code)
