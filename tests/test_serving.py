"""Answers of saved models: equal to what was kept, refused with the reason, timed, and nothing trained."""

import numpy as np
import pytest

from aicine_utils import columns as c
from aicine_utils import experiment
from aicine_utils.errors import AicineError
from aicine_utils.models.base import Recommender
from aicine_utils.study import serving

NAMES = ["views", "item_knn", "baseline", "ease"]


@pytest.fixture
def served(mock_split, monkeypatch):
    """Three models that are saved, and one that is not."""
    final = mock_split
    for name in NAMES[:3]:
        experiment.run(name, final)

    def refuse(self, split):
        raise AssertionError("trained")

    monkeypatch.setattr(Recommender, "fit", refuse)
    return serving.serve(final, NAMES, watch=lambda line: None)


def test_a_model_without_a_run_is_named_and_not_trained(served):
    assert list(served.models) == NAMES[:3]
    assert served.missing == ["ease"]
    assert set(served.load_seconds) == set(NAMES[:3])


def test_another_seed_or_setting_is_another_run(mock_split):
    experiment.run("mean_rating", mock_split, prior=1.0)
    experiment.run("mean_rating", mock_split, seed=1)
    assert experiment.finished("mean_rating", mock_split) is None
    assert experiment.finished("mean_rating", mock_split, seed=1).manifest["seed"] == 1
    with pytest.raises(AicineError, match=r"No model is saved for mock .* seed 0\. Make them first with"):
        serving.serve(mock_split, ["mean_rating"])


def test_progress_is_one_line_a_model(mock_split):
    for name in ("views", "random"):
        experiment.run(name, mock_split)
    lines = []
    serving.serve(mock_split, ["random", "views"], watch=lines.append)
    assert [line.split(" loaded, ")[0] for line in lines] == ["1/2 Random", "2/2 Most watched"]
    assert all("s left" in line for line in lines)


def test_a_known_user_gets_the_kept_lists(served, mock_split):
    user = int(mock_split.test[c.USER].iloc[0])
    answers = served.for_user(user, k=7)
    assert (answers.user, answers.refused) == (user, {})
    for name in NAMES[:3]:
        kept = served.runs[name].topk
        assert answers.movies(name) == kept[kept[c.USER] == user].head(7)[c.MOVIE].tolist()
        assert answers.seconds[name] > 0
    history = mock_split.history
    assert answers.history == history.loc[history[c.USER] == user, c.MOVIE].tolist()
    assert not set(answers.history) & set(answers.lists[c.MOVIE])


def test_a_stranger_is_refused_by_models_that_know_only_their_people(served):
    watched = served.history(5)[:3]
    answers = served.for_history([*watched, watched[0]], k=5)
    assert answers.history == watched
    assert answers.user is None
    assert answers.refused == {"baseline": serving.STRANGER}
    assert set(answers.seconds) == {"views", "item_knn"}
    assert not set(watched) & set(answers.lists[c.MOVIE])
    assert served.for_history([]).refused["views"] == serving.UNREAD
    assert served.for_history([]).lists.empty
    assert served.liked_later(None) == set()


def test_hits_are_what_was_liked_in_the_test(served, mock_split):
    test = mock_split.test
    user = int(test[c.USER].iloc[0])
    assert served.liked_later(user) == set(test.loc[(test[c.USER] == user) & (test[c.RATING] >= 4), c.MOVIE])


def test_an_unknown_user_is_told_who_is_near(served):
    with pytest.raises(
        AicineError, match=r"Unknown user 99 in mock\. Its users go from 1 to 60; the nearest are 58, 59, 60"
    ):
        served.for_user(99)
    error = serving.unknown_user(5, np.array([1, 4, 9, 30]), "own")
    assert "nearest are 1, 4, 9." in str(error)


def test_a_list_has_at_least_one_film(served):
    with pytest.raises(AicineError, match="A list of 0 films is none"):
        served.for_user(1, k=0)


def test_typed_titles(mock_data):
    movies = mock_data.movies
    first, second = movies[c.TITLE].iloc[:2]
    assert serving.typed(f"{first}; {second}", movies) == movies[c.MOVIE].iloc[:2].tolist()
    assert serving.typed("", movies) == []
    with pytest.raises(AicineError, match="Unknown movie 'The Godfahter'"):
        serving.typed("The Godfahter", movies)


def test_people_are_counted(served, mock_split):
    sizes = mock_split.history.groupby(c.USER).size()
    assert served.people.to_dict() == sizes.to_dict()


def test_a_mistake_in_a_notebook_is_shown_without_a_traceback():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    shown = []
    shell._showtraceback = lambda kind, value, lines: shown.extend(lines)
    shell.run_cell("from aicine_utils import notebook\nraise notebook.AicineError('Rating 7. Mend it.')")
    assert shown == ["Error: Rating 7. Mend it."]
