"""From the store to the rows of an update: what is new, told from all that was said before."""

import pytest

from aicine_utils import columns as c
from aicine_utils.feedback import learning
from aicine_utils.feedback.events import Event, Rules
from aicine_utils.feedback.store import Store


@pytest.fixture
def opened(tmp_path):
    with Store(f"sqlite:///{tmp_path}/events.sqlite", Rules(None, (1.0, 5.0), lambda: 10_000)) as one:
        yield one


def rows(found):
    return list(zip(found[c.MOVIE], found[c.RATING].round(2).tolist(), strict=True))


def test_only_what_is_new_is_told_but_from_all_that_was_said(opened):
    opened.append([Event("7", "rate", 1, 5, time=1_000), Event("7", "finish", 2, time=1_000)])
    found, last = learning.news(opened, "ease")
    assert rows(found) == [(1, 5), (2, 5)]
    opened.append([Event("7", "play", 1, time=2_000)])
    found, after = learning.news(opened, "ease", after=last)
    assert (rows(found), after) == ([(1, 5)], 3)  # the rating holds
    assert found[c.TIMESTAMP].iloc[0].timestamp() == 1_000
    found, same = learning.news(opened, "ease", after=after)
    assert (len(found), same) == (0, after)


def test_a_list_learns_no_dismissal_and_stars_do(opened):
    opened.append([Event("7", "dismiss", 1, time=1_000), Event("7", "finish", 2, time=1_000)])
    assert rows(learning.news(opened, "ease")[0]) == [(2, 5)]
    assert rows(learning.news(opened, "svd")[0]) == [(1, 1), (2, 5)]


def test_a_search_without_a_movie_is_no_lesson(opened):
    opened.append([Event("7", "search", text="heat", time=1_000)])
    found, last = learning.news(opened, "ease")
    assert (len(found), last) == (0, 1)
