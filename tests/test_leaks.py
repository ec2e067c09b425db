"""What a split tells of the future, on three people's ratings with times by hand."""

import numpy as np
import pandas as pd
import pytest

from aicine_utils import columns as c
from aicine_utils import leaderboard
from aicine_utils.splits import Split
from aicine_utils.study import finalists, leaks


def ratings(rows):
    """(user, movie, second) rows."""
    frame = pd.DataFrame(rows, columns=[c.USER, c.MOVIE, c.TIMESTAMP]).astype({c.USER: int, c.MOVIE: int})
    times = frame[c.TIMESTAMP].to_numpy(np.int64).astype("datetime64[s]")
    return frame.assign(**{c.TIMESTAMP: times, c.RATING: np.float32(4)})


def split(train, test, valid=()):
    movies = pd.DataFrame({c.MOVIE: [], c.GENRES: []})
    return Split(ratings(train), ratings(valid), ratings(test), "hand", {"rating_scale": [1, 5]}, "0", movies, None)


TRAIN = [(1, 10, 1), (1, 11, 4), (1, 12, 6), (2, 10, 2), (2, 13, 9)]
TEST = [(1, 13, 4), (2, 12, 3), (3, 99, 20)]


def test_later_ratings_are_counted_by_hand():
    made = split(TRAIN, TEST)
    # of 1, 4, 6, 2, 9: after 4 two, after 3 three, after 20 none; of user 1's: 6; of user 2's: 9; user 3 has none
    assert leaks.later_of_any(made.train, made.test).tolist() == pytest.approx([2 / 5, 3 / 5, 0])
    assert leaks.later_of_own(made.train, made.test).tolist() == pytest.approx([1 / 3, 1 / 2, 0])


def test_the_table_by_hand():
    searched = split([], [], valid=[(1, 13, 4), (2, 10, 2)])
    row = leaks.table({"hand": split(TRAIN, TEST)}, searched).iloc[0]
    assert row["own_future"] == pytest.approx((1 / 3 + 1 / 2) / 3)
    assert row["any_future"] == pytest.approx(1 / 3)
    assert row["film_future"] == pytest.approx(2 / 3)  # 13 first at 9, after 4; 12 first at 6, after 3
    assert row["unreachable"] == row["new_users"] == pytest.approx(1 / 3)
    assert row["searched"] == pytest.approx(1 / 3)


def test_validation_counts_as_training_where_the_split_refits():
    made = split(TRAIN[:3], [(1, 13, 5)], valid=[(1, 14, 7), (1, 15, 8), (1, 16, 9)])
    row = leaks.table({"hand": made}, made).iloc[0]
    assert row["own_future"] == pytest.approx(4 / 6)


def test_next_at_once_by_hand():
    made = split([(1, 10, 0), (1, 11, 1000), (2, 10, 0)], [(1, 12, 4600), (1, 13, 4601), (2, 11, 9), (3, 10, 9)])
    assert leaderboard.at_once(made) == pytest.approx(2 / 4)  # 12 an hour after 11, 13 a second more; 3 is not known
    assert leaderboard.at_once(made, "2h") == pytest.approx(3 / 4)
    earlier = split([(1, 10, 0), (1, 11, 9000)], [(1, 12, 8999), (1, 13, 9000)])
    assert leaderboard.at_once(earlier) == pytest.approx(1 / 2)  # what was rated before the last known one is not next


@pytest.mark.parametrize(
    ("usual", "strict", "said"),
    [
        (0.7, 0.1, "under one cut in time 10%: the first asks mostly for the next film of a sitting"),
        (0.7, 0.6, "both ask mostly"),
        (0.2, 0.1, "neither asks mostly"),
        (0.4, 0.6, "under one cut in time 60%: the second asks mostly for the next film of a sitting"),
    ],
)
def test_what_sittings_mean_is_said(usual, strict, said):
    text = leaks.sitting_text(usual, strict)
    assert said in text
    assert f"{usual:.0%} of the test ratings follow within an hour" in text


def test_one_time_for_all_tells_nothing():
    made = split([(1, 10, 5), (2, 10, 5)], [(1, 11, 5)])
    row = leaks.table({"hand": made}, made).iloc[0]
    assert row[["own_future", "any_future", "film_future", "at_once"]].isna().all()
    assert "can't be told" in leaks.sitting_text(row["at_once"], row["at_once"])
    assert row["unreachable"] == 1


def test_the_splits_of_the_page_leak_as_their_names_say(mock_data):
    made, _ = finalists.make_splits(mock_data)
    table = leaks.table(made, made["user_temporal"]).set_index("protocol")
    assert table.loc["global_temporal", ["own_future", "any_future", "film_future"]].tolist() == [0, 0, 0]
    assert table.loc["user_temporal", "own_future"] == 0 < table.loc["user_temporal", "any_future"]
    assert 0.4 < table.loc["user_random", "own_future"] < 0.6
    assert table.loc["user_temporal", "searched"] == 0 < table.loc["user_random", "searched"]


def test_whom_a_search_by_test_ratings_helps_is_told():
    labels = {"ease": "EASE", "caser": "Caser", "ials": "iALS"}
    text = leaks.searched_text(0.14, labels, {"ease": {}, "ials": {}, "svd": {}})
    assert "by 14% of this test's ratings, which is to the advantage of EASE and iALS, not of Caser." in text
    assert leaks.searched_text(0.14, labels, labels).endswith("advantage of EASE, Caser and iALS.")
    assert leaks.searched_text(0.0, labels, labels) == leaks.searched_text(0.14, labels, {}) == ""
