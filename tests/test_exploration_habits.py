"""Habits of users, the data card, checks and protocols on tiny data whose answers can be worked out by hand."""

from dataclasses import replace

import pandas as pd
import pytest
from exploration_cases import movies, table, users

from aicine_utils import columns as c
from aicine_utils import splits
from aicine_utils.data import datasets
from aicine_utils.data.movielens import MovieLens
from aicine_utils.exploration import behaviour, card, drift, protocols, quality

# Habits


def test_concentration_by_hand():
    ratings = table([(u, m, 3, 0) for m, count in ((1, 6), (2, 3), (3, 1)) for u in range(count)])
    found = behaviour.concentration(ratings, c.MOVIE)
    assert found[["count", "fewest", "median", "most", "half"]].tolist() == [3, 1, 3, 6, 1]
    assert found["once"] == pytest.approx(1 / 3)
    assert found["gini"] == pytest.approx((-2 * 1 + 0 * 3 + 2 * 6) / (3 * 10))
    curve = behaviour.lorenz(ratings, points=3).query("of == 'movies'")
    assert curve["share"].tolist() == pytest.approx([0, 0.6, 0.9, 1])


def test_sittings_and_ties_by_hand():
    rows = [(1, 1, 3, 0), (1, 2, 3, 0), (1, 3, 3, 3600), (1, 4, 3, 7201), (2, 1, 3, 5)]
    found = behaviour.sittings(table(rows))
    assert found["sittings"].tolist() == [2, 1]
    assert found["ties"].tolist() == [1, 0]
    assert found.loc[1, "days"] == pytest.approx(7201 / 86_400)


def test_turning_ties_around_changes_only_ties():
    tied = table([(u, m, 4, 0) for u in range(1, 7) for m in range(1, 7)])
    ordered = table([(u, m, 4, m) for u in range(1, 7) for m in range(1, 7)])
    changed = behaviour.tie_effect(tied).set_index("protocol")
    assert changed.loc["leave_one_out"].tolist() == [1, 1]
    assert behaviour.tie_effect(ordered)[["users", "items"]].to_numpy().tolist() == [[0, 0], [0, 0]]


def test_first_ratings_by_hand():
    """Twelve people give 2 stars to films 1 and 2, then 4 to a film of their own."""
    rows = [(u, m, s, i) for u in range(1, 13) for i, (m, s) in enumerate([(1, 2), (2, 2), (100 + u, 4), (200 + u, 4)])]
    found = behaviour.first_ratings(table(rows), edges=(0, 2, 4), resamples=50)
    assert found["place"].tolist() == ["1-2", "3-4"]
    assert found["stars"].tolist() == [2, 4]
    assert found["popularity"].tolist() == pytest.approx([1, 1 / 12])
    assert behaviour.first_ratings(table(rows), edges=(0, 2, 5)).empty


def test_star_habits_by_hand():
    found = behaviour.star_habits(table([(1, 1, 5, 0), (1, 2, 5, 0), (2, 1, 1, 0), (2, 2, 3, 0)]), 4.0)
    assert found["liked"] == 0.5
    assert found["one_value"] == 0.5
    assert found["between"] == pytest.approx(1 - 0.5 / 2.75)


def test_months_without_ratings_stand_in_the_table():
    day = [int(pd.Timestamp(text).timestamp()) for text in ("2020-01-05", "2020-01-06", "2020-03-01")]
    found = drift.monthly(table([(1, 1, 3, day[0]), (1, 2, 5, day[1]), (2, 1, 2, day[2])]))
    assert found["ratings"].tolist() == [2, 0, 1]
    assert found["newcomers"].tolist() == [1, 0, 1]
    assert found["stars"].tolist()[::2] == [4, 2]


@pytest.mark.parametrize(("moved", "stay"), [(0, 1.0), (100, 0.0)])
def test_turnover_of_the_same_and_of_other_films(moved, stay):
    start = [int(pd.Timestamp(text).timestamp()) for text in ("2020-01-05", "2020-04-05")]
    rows = [(u, m + moved * q, 4, start[q]) for q in (0, 1) for u in range(40) for m in range(1, 6)]
    found = drift.turnover(table(rows), n=5)
    assert found[["quarter", "stay", "same_time"]].to_numpy().tolist() == [["2020Q1", stay, 1.0]]


# Card and protocols


def test_fields_count_what_is_missing():
    data = MovieLens(table([(1, 1, 2.5, 0), (1, 2, 4, 86_400)]), movies([["A", "B"], []], [1999, pd.NA]),
                     users(["unknown"]), {})  # fmt: skip
    found = card.fields(data).set_index(["table", "field"])
    assert found["missing"].to_dict()["movies", "genres"] == 1
    assert found["missing"].to_dict()["movies", "year"] == 1
    assert found["missing"].to_dict()["users", "gender"] == 1
    assert found.loc[("movies", "genres"), ["range", "distinct"]].tolist() == ["A, B", 2]
    assert found.loc[("ratings", "rating"), "range"] == "2.5 to 4"
    assert found.loc[("ratings", "timestamp"), "range"] == "1970-01-01 to 1970-01-02"


def test_size_by_hand():
    found = card.size(MovieLens(table([(1, 1, 3, 0), (1, 2, 3, 0), (2, 1, 3, 43_200)]), movies([["A"]] * 4), None, {}))
    assert found[["ratings", "users", "movies", "catalogue", "days"]].tolist() == [3, 2, 2, 4, 0.5]
    assert found["density"] == 0.75
    assert found[["fewest_per_user", "median_per_user", "most_per_movie"]].tolist() == [1, 1.5, 2]


def test_checks_grade_what_they_find():
    ratings = table([(u, m, 3, u * m) for u in range(1, 31) for m in range(1, 6)])
    data = MovieLens(ratings, movies([["A"]] * 5 + [[]], [1960, 1975, *[1960] * 4]), None,
                     {"files": {"r": 1}, "warnings": ["differs"], "repairs": {"x": 2}})  # fmt: skip
    found = quality.checks(data).set_index("check")
    severity = found["severity"].to_dict()
    assert severity["Files that differ from the published ones"] == quality.WARNING
    assert severity["Rows mended on reading"] == quality.NOTE
    assert severity["Films with a single rating"] == quality.FINE
    assert found.loc["Ratings given before the film's year", "count"] == 30
    assert found.loc["Films without a genre", "count"] == 1
    assert found.loc["Users of whom nothing is known", "share"] == 1
    assert found["severity"].tolist() == sorted(found["severity"])


def test_protocol_table_agrees_with_the_splits(mock_data):
    made, refused = protocols.make_all(mock_data)
    assert list(made) == list(splits.PROTOCOLS)
    assert not refused
    rows = protocols.table(made)
    assert (rows[["train", "validation", "test", "left_out"]].sum(axis=1) == len(mock_data.ratings)).all()
    leaks = protocols.leaks(made).set_index("protocol")
    assert set(leaks["overlap"]) == {protocols.NO_LEAK}
    assert leaks.loc["global_temporal", ["own_future", "others_future"]].tolist() == [0, 0]
    assert leaks.loc["recbole_general", "own_future"] > 0.5


def test_a_leak_is_named(mock_split):
    leaky = replace(mock_split, test=pd.concat([mock_split.test, mock_split.train.head(1)]))
    assert "in two parts" in protocols.overlap(leaky)


def test_a_protocol_that_does_not_fit_gives_its_reason():
    small = MovieLens(table([(1, m, 4, m) for m in range(20)]), movies([["A"]] * 20), None,
                      {"name": "small", "fingerprint": "x", "rating_scale": [1, 5]})  # fmt: skip
    made, refused = protocols.make_all(small)
    assert "user_temporal" in made
    assert "leave_one_out" in refused
    assert "small" in refused["leave_one_out"]


def test_timelines_hold_each_rating_of_each_person_once_a_protocol(mock_data):
    made, _ = protocols.make_all(mock_data)
    lines = protocols.timelines(mock_data, made, n=4)
    assert lines["user"].nunique() == 4
    for _, rows in lines.groupby("protocol"):
        assert sorted(rows["place"]) == list(range(1, len(rows) + 1))
    own = lines[lines["protocol"] == "user_temporal"].groupby("user")["part"].agg(lambda s: (s == "test").mean())
    assert own.between(0.15, 0.2).all()


def test_atomic_files_bring_the_content_back(mock_data, tmp_path):
    trip = protocols.atomic_round_trip(mock_data, tmp_path / "mock")
    assert trip.same
    assert trip.files["rows"].tolist() == [len(mock_data.ratings), len(mock_data.movies), len(mock_data.users)]


def test_loading_is_timed(mock_data):
    assert 0 < card.load_seconds("mock", times=1) < 60


def test_the_card_of_every_known_set_names_its_source(mock_data):
    facts = card.origin(mock_data).set_index("fact")["value"]
    assert facts["Name"] == "mock"
    assert facts["Rating scale"] == "1 to 5"
    assert facts["Fingerprint of the content (SHA-256)"] == datasets.load("mock").info["fingerprint"]
