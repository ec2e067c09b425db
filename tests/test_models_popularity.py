"""Lists for everyone, by hand."""

import numpy as np
import pandas as pd
import pytest
from models_cases import split_of, stays_the_same

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.models import registry
from aicine_utils.models.popularity import (
    GroupPopularity,
    MeanRating,
    Popularity,
    Random,
    RecentPopularity,
    Views,
    demographic_groups,
)

# Movie 10: 5, 4, 1 stars on days 0, 2, 2; movie 20: 5 on day 1; movie 30: 3, 3 on days 2, 2.
TRAIN = [(1, 10, 5, 0), (1, 20, 5, 1), (2, 10, 4, 2), (2, 30, 3, 2), (3, 10, 1, 2), (3, 30, 3, 2)]
USERS = pd.DataFrame(
    {c.USER: [1, 2, 3], c.GENDER: ["F", "M", "M"], c.AGE: ["18-24", "25-34", "25-34"], c.OCCUPATION: "", c.ZIP: ""}
)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Popularity(), [2, 1, 0]),
        (Popularity(liked=0.5), [2, 1, 2]),
        (Views(), [3, 1, 2]),
        # The mean of all is 3.5: (2 · 3.5 + 10) / 5, (7 + 5) / 3, (7 + 6) / 4.
        (MeanRating(prior=2), [3.4, 4.0, 3.25]),
        (MeanRating(prior=0), [10 / 3, 5, 3]),
        # One half-life is a day: two days old counts a quarter, one day a half.
        (RecentPopularity(half_life_days=1), [2.25, 0.5, 2.0]),
    ],
)
def test_scores_by_hand(model, expected):
    model.fit(split_of(TRAIN))
    assert model.score([1, 3]) == pytest.approx(np.array([expected, expected]))
    assert model.score_histories([[10], []]) == pytest.approx(np.array([expected, expected]))


def test_group_popularity_by_hand():
    model = GroupPopularity(prior=6).fit(split_of([*TRAIN, (4, 20, 4)], users=USERS))
    everyone = np.array([3, 2, 2]) * 6 / 7
    assert model.score([1])[0] == pytest.approx(np.array([1, 1, 0]) + everyone)
    assert model.score([2])[0] == pytest.approx(np.array([2, 0, 2]) + everyone)
    assert model.score([4])[0] == pytest.approx(np.array([0, 1, 0]) + everyone)  # of no known group
    # A bare history names no group: the sum over the three groups (women, men, unknown).
    assert model.score_histories([[10]])[0] == pytest.approx([3, 2, 2] + 3 * everyone)


def test_without_users_everyone_is_one_group():
    assert demographic_groups(None, np.array([4, 7])).tolist() == ["unknown", "unknown"]
    model = GroupPopularity(prior=1).fit(split_of(TRAIN))
    assert np.argsort(-model.score([1])[0]).tolist() == [0, 2, 1]


def test_ties_go_to_the_smaller_movie_id():
    split = split_of([(1, 10, 5), (2, 40, 5), (2, 30, 5), (2, 20, 4), (2, 50, 5), (3, 50, 4)])
    lists = Popularity().fit(split).recommend([1, 2], k=3)
    assert lists[lists[c.USER] == 1][c.MOVIE].tolist() == [50, 20, 30]
    assert lists[lists[c.USER] == 2][c.MOVIE].tolist() == [10]  # only one candidate is left
    assert lists[c.RANK].tolist() == [1, 2, 3, 1]


def test_stars_are_clipped_and_unknown_pairs_get_the_mean():
    model = MeanRating(prior=0).fit(split_of(TRAIN))
    pairs = pd.DataFrame({c.USER: [1, 99, 1], c.MOVIE: [20, 20, 99]})
    assert model.predict(pairs) == pytest.approx([5, 3.5, 3.5])
    with pytest.raises(AicineError, match="does not predict stars"):
        Views().fit(split_of(TRAIN)).predict(pairs)


def test_random_follows_seed_and_user_alone(mock_split):
    users = mock_split.user_ids
    one, same, other = (Random(seed=s).fit(mock_split) for s in (1, 1, 2))
    assert np.array_equal(one.score(users[5:6])[0], same.score(users)[5])
    assert not np.array_equal(one.score(users[:1]), other.score(users[:1]))
    assert not np.array_equal(one.score(users[:1]), one.score(users[1:2]))


@pytest.mark.parametrize("name", registry.names("non_personalised"))
def test_files_chunks_and_candidates(name, mock_split, tmp_path):
    stays_the_same(registry.create(name, "mock").fit(mock_split), mock_split, tmp_path)


def test_errors_of_users():
    with pytest.raises(AicineError, match="Did you mean 'prior'"):
        MeanRating(priro=2)
    with pytest.raises(AicineError, match="Did you mean 'popularity'"):
        registry.create("popularty", "mock")
    model = Views().fit(split_of(TRAIN))
    with pytest.raises(AicineError, match=r"Unknown user 7.*from 1 to 3"):
        model.recommend([7])
    with pytest.raises(AicineError, match="no notion of similar movies"):
        model.similar(10)


def test_a_file_of_another_model_is_refused(tmp_path):
    Views().fit(split_of(TRAIN)).save(tmp_path)
    with pytest.raises(AicineError, match="holds a Views, not a Popularity"):
        Popularity.load(tmp_path)
