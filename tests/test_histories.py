"""Lists after a history that was typed in: what the model says of it, without what was watched."""

import numpy as np
import pytest
from models_cases import split_of

from aicine_utils import columns as c
from aicine_utils import histories
from aicine_utils.errors import AicineError
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender
from aicine_utils.protocols import time_order

UNRATED = 99


def test_those_said_to_serve_new_people_can_score_a_history_and_no_others():
    able = {row.name for row in registry.ENTRIES if row.model_class.score_histories is not Recommender.score_histories}
    assert able == {row.name for row in registry.ENTRIES if row.new_users}


def test_someone_who_types_what_a_user_watched_gets_that_user_s_list(mock_split):
    final = mock_split.for_test()
    for name in ("ease", "item_knn", "gru"):
        fast = {"epochs": 1} if name == "gru" else {}
        model = registry.create(name, "mock", **fast).fit(final)
        for user in mock_split.user_ids[:5]:
            rows = final.train.iloc[time_order(final.train)]
            typed = histories.recommend(name, model, rows.loc[rows[c.USER] == user, c.MOVIE].tolist(), 10)
            theirs = model.recommend([user], 10)
            assert typed[c.MOVIE].tolist() == theirs[c.MOVIE].tolist()
            np.testing.assert_allclose(typed[c.SCORE], theirs[c.SCORE], atol=1e-5)


@pytest.fixture
def with_an_unrated():
    """Movies 1 to 4, rated in training, and one that is rated in the test alone."""
    rows = [(user, movie, 5) for user in range(6) for movie in range(1, 5) if (user + movie) % 3]
    return split_of(rows, test=[(0, UNRATED, 5)])


def test_movies_without_a_training_rating_say_something_only_to_models_that_read_descriptions(with_an_unrated):
    typed = [UNRATED, 2, 2, 12345]
    for name, read in (("views", [2]), ("content_tfidf", [UNRATED, 2])):
        model = registry.create(name, "tiny").fit(with_an_unrated)
        assert histories.readable(name, model, typed) == read
        assert set(histories.recommend(name, model, typed)[c.MOVIE]) == {1, 3, 4}


def test_errors_name_the_remedy(with_an_unrated):
    model = registry.create("views", "tiny").fit(with_an_unrated)
    with pytest.raises(AicineError, match="None of these movies has a rating that views was trained with"):
        histories.recommend("views", model, [UNRATED])
    for name in ("svd", "bpr"):
        with pytest.raises(AicineError, match=f"^{name} knows only the people .* can: random, .*, sasrec, ") as error:
            histories.refuse_unfit(name)
        assert f" {name}," not in str(error.value)
