"""Every list's numbers in a leaderboard again, from nothing but the lists, by code that shares none with the project.

python tests/recompute_leaderboard.py outputs/ml-100k     (data/ lies beside outputs/)
Ends with 1 and names the cells where leaderboard.csv is more than 1e-9 off.
"""

import json
import math
import sys
from pathlib import Path

import pandas as pd


def tested(outputs, protocol, split):
    """Test ratings, by user and movie, and the stars from which a movie counts as relevant."""
    data, name = outputs.parents[1] / "data", outputs.name
    kept = data / "splits" / name / f"{protocol}-{split}"
    low, high = json.loads((kept / "split.json").read_text())["rating_scale"]
    part = pd.read_parquet(kept / "parts.parquet")["part"].to_numpy()
    ratings = pd.read_parquet(data / "parquet" / name / "ratings.parquet")[part == 2]
    return ratings.set_index(["user_id", "movie_id"])["rating"], low + (high - low) * 3 / 4


def measured(movies, liked, k):
    """One person's numbers: ``movies`` best first, ``liked`` a set."""
    hits = [movie in liked for movie in movies[:k]]
    most, ranks = min(k, len(liked)), [rank for rank, hit in enumerate(hits, start=1) if hit]
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, most + 1))
    yield f"ndcg@{k}", sum(1 / math.log2(rank + 1) for rank in ranks) / ideal
    yield f"recall@{k}", len(ranks) / len(liked)
    yield f"precision@{k}", len(ranks) / k
    yield f"hit@{k}", float(bool(ranks))
    yield f"mrr@{k}", 1 / ranks[0] if ranks else 0.0
    yield f"map@{k}", sum(found / rank for found, rank in enumerate(ranks, start=1)) / most


def recomputed(run, stars, threshold):
    """Means over everyone with something to find, and errors where the model predicts stars."""
    lists = pd.read_parquet(run / "topk.parquet").sort_values("rank").groupby("user_id")["movie_id"].apply(list)
    liked = stars[stars >= threshold].reset_index().groupby("user_id")["movie_id"].apply(set)
    people = [dict(m for k in (5, 10, 20) for m in measured(lists.get(u, []), liked[u], k)) for u in liked.index]
    numbers = dict(pd.DataFrame(people).mean(), n_users=len(people))
    if (run / "predictions.parquet").exists():
        said = pd.read_parquet(run / "predictions.parquet").set_index(["user_id", "movie_id"])["predicted"]
        errors = said.astype("float64").reindex(stars.index) - stars
        numbers |= {"rmse": math.sqrt((errors**2).mean(skipna=False)), "mae": errors.abs().mean(skipna=False)}
    return numbers


def main(outputs):
    """How many cells were compared, and which are off."""
    compared, off, known = 0, [], {}
    for row in pd.read_csv(outputs / "tables" / "leaderboard.csv").to_dict("records"):
        run = outputs / "runs" / row["protocol"] / row["run"]
        key = row["protocol"], json.loads((run / "manifest.json").read_text())["split"]
        known[key] = known.get(key) or tested(outputs, *key)
        for name, value in recomputed(run, *known[key]).items():
            compared += 1
            if not abs(row[name] - value) <= 1e-9:
                off.append(f"{row['protocol']} {row['model']} {name}: {row[name]} in the table, {value} from the lists")
    print(*off, f"{compared} cells compared, {len(off)} off by more than 1e-9", sep="\n")
    return 1 if off or not compared else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
