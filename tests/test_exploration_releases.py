"""Releases that follow demand are told from releases that flee it, and neither from data that can't know."""

import numpy as np
import pandas as pd
import pytest
from exploration_cases import movies, table, verdicts
from scipy import stats

from aicine_utils.data.movielens import MovieLens
from aicine_utils.exploration import effects, releases
from aicine_utils.exploration.effects import NOT_SUPPORTED, OPEN, SUPPORTED


def supply(follows, years=16, kinds=8):
    """A catalogue from 2000 on whose genres grow (or shrink) in the year after they were in demand."""
    rng = np.random.default_rng(0)
    films, when, rows, size = [], [], [], np.full(kinds, 20)
    for year in range(years):
        films += [[f"G{g}"] for g in range(kinds) for _ in range(size[g])]
        when += [2000 + year] * size.sum()
        demand = rng.permutation(kinds)
        owners = np.array([int(names[0][1:]) for names in films])
        start = int(pd.Timestamp(2000 + year, 6, 1).timestamp())
        rows += [(1, i + 1, 4, start + r) for r in range(8) for i in np.flatnonzero(demand[owners] >= r)]
        rows += [(2, 1, 3, start + r) for r in range(1000)]
        size = size + (demand - 3 if follows else 4 - demand)
        size = np.clip(size, 5, 60)
    return MovieLens(table(rows), movies(films, when), None, {"name": "supply"})


def test_following_turns_with_the_data_when_there_are_years_enough():
    keep = {}
    for follows in (True, False):
        data = supply(follows)
        assert len(releases.following(data)) >= effects.FEWEST
        keep[follows] = verdicts(releases.release_claims(data, 100))["follow"]
    assert keep == {True: SUPPORTED, False: NOT_SUPPORTED}


def test_following_cant_be_told_from_ratings_of_a_few_years():
    claim = releases.release_claims(supply(True, years=5), 100)[0]
    assert claim.verdict == OPEN
    assert "only 4 of the 10 release years" in claim.because
    assert "2000 to 2004" in claim.because


@pytest.mark.parametrize(("sign", "verdict"), [(1, SUPPORTED), (-1, NOT_SUPPORTED)])
def test_hindsight_turns_with_the_data(sign, verdict):
    rng = np.random.default_rng(1)
    rows = [(year, f"G{g}", share, sign * share + 0.01 * rng.random()) for g in range(6)
            for year, share in zip(range(2000, 2030), rng.random(30), strict=True)]  # fmt: skip
    panel = pd.DataFrame(rows, columns=["year", "genre", "share", "stars"])
    assert releases._hindsight(panel, releases.LIKED, "stars", 200, 0).verdict == verdict


def test_correlation_at_shift_zero_is_spearmans():
    rng = np.random.default_rng(0)
    x, y = pd.Series(rng.random(12)), pd.Series(rng.random(12))
    found = releases._at_all_shifts(x, y)
    expected = [stats.spearmanr(x, np.roll(y, shift)).statistic for shift in range(12)]
    assert found == pytest.approx(expected)


def test_share_of_releases_and_stars_by_hand():
    films = movies([["A"]] * 6 + [["A", "B"]] * 4)
    ratings = table([(1, m, 5 if m <= 6 else 2, m) for m in range(1, 11)])
    panel = releases.by_year(MovieLens(ratings, films, None, {})).set_index("genre")
    assert panel["share"].to_dict() == pytest.approx({"A": 0.8, "B": 0.2})
    assert panel["stars"].to_dict() == pytest.approx({"A": 34 / 8 - 3.8, "B": 2 - 3.8})
    assert panel["ratings_per_release"].tolist() == [1, 1]
