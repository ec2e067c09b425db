"""The whole pipeline on ratings of one's own: a file apart, so that it runs beside the other tests of the pipeline."""

import json

import numpy as np
import pandas as pd
from command_line import aicine


def test_ratings_of_ones_own_with_nothing_but_ratings(tmp_path):
    own = tmp_path / "ml-100k"  # a name that is taken, ten stars, one time for all, neither movies nor users
    own.mkdir()
    rng = np.random.default_rng(0)
    rows = [
        f"{user},{movie},{rng.integers(1, 11)},1600000000" for user in range(40) for movie in rng.permutation(60)[:15]
    ]
    (own / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *rows]) + "\n")
    words = ("run", "--data", str(own), "--rating-scale", "1", "10", "--preset", "mock")
    done = aicine(tmp_path, *words, counted=False)
    outputs = tmp_path / "outputs" / "own-ml-100k"
    statuses = {path.stem: json.loads(path.read_text()) for path in (outputs / "runs" / "notebooks").glob("*.json")}
    assert done.returncode == 0, {name: s["error"] for name, s in statuses.items() if s["status"] != "ok"}
    board = pd.read_csv(outputs / "tables" / "leaderboard.csv")
    assert set(board["protocol"]) == {"user_temporal"}
    assert (board["trials"] == 0).all()
    jobs = pd.read_csv(outputs / "tables" / "10_jobs.csv").set_index("job")
    assert jobs.loc[["new_movie"], "why"].tolist() == ["no_descriptions"]
    assert jobs.loc["watched", "why"].isna().all()
    assert "New movie:</strong> <strong>not decided" in (outputs / "report" / "index.html").read_text()
