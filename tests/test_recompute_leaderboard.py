"""The leaderboard against a script that knows the project's files but none of its code."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from aicine_utils import experiment, leaderboard, settings, splits
from aicine_utils.data import cache
from aicine_utils.report.tables import write_csv

SCRIPT = Path(__file__).with_name("recompute_leaderboard.py")


@pytest.fixture
def table(mock_data, home):
    """A leaderboard of two protocols, with the ratings kept as those of a published data set are."""
    cache.write(mock_data, "key")
    names, boards = ["random", "views", "baseline", "ease", "item_knn"], []
    for protocol in ("user_temporal", "global_temporal"):
        split = splits.make(mock_data, protocol)
        results = experiment.run_all(names, split, watch=lambda _: None)
        boards.append(leaderboard.leaderboard(results.values(), split, resamples=10))
    return write_csv(pd.concat(boards), settings.output_dir("mock") / "tables" / "leaderboard.csv")


def recompute(table):
    """The script in a Python that does not see this project's folder."""
    command = [sys.executable, str(SCRIPT), str(table.parents[1])]
    return subprocess.run(command, capture_output=True, text=True, cwd=table.parent, timeout=120)


def test_the_script_shares_no_code_with_the_project():
    text = SCRIPT.read_text(encoding="utf-8")
    assert "aicine" not in text
    assert sum(bool(line.strip()) for line in text.splitlines()) < 65


def test_lists_give_the_leaderboard_s_numbers(table):
    done = recompute(table)
    assert done.returncode == 0, done.stdout + done.stderr
    # 18 means and a count for each of 5 models under 2 protocols, RMSE and MAE for the one that rates.
    assert done.stdout == "194 cells compared, 0 off by more than 1e-9\n"


@pytest.mark.parametrize("column", ["ndcg@10", "map@20", "mrr@5", "rmse", "n_users"])
def test_a_millionth_is_told(table, column):
    board = pd.read_csv(table)
    row = board.index[(board["model"] == "baseline") & (board["protocol"] == "global_temporal")][0]
    board[column] = board[column].astype(float)
    board.loc[row, column] += 1e-6
    write_csv(board, table)
    done = recompute(table)
    assert done.returncode == 1
    told = done.stdout.splitlines()
    assert told[0].startswith(f"global_temporal baseline {column}: ")
    assert told[1:] == ["194 cells compared, 1 off by more than 1e-9"]
