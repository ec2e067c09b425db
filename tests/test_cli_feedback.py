"""``rate``, ``events`` and ``recommend --user`` for people in the store of feedback."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from command_line import aicine
from typer.testing import CliRunner

from aicine_utils import cli, experiment
from aicine_utils import columns as c
from aicine_utils.data import titles
from aicine_utils.errors import AicineError
from aicine_utils.feedback import store
from aicine_utils.feedback.events import Event


def call(*words):
    """The command's result; an AicineError comes through as its exception."""
    return CliRunner().invoke(cli.app, [*words, "--dataset", "mock"])


def done(*words):
    """The result of a command that must succeed."""
    result = call(*words)
    assert result.exit_code == 0, result.exception
    return result


def listed(*words):
    """The movie_ids that ``recommend`` answers with."""
    return [row["movie_id"] for row in json.loads(done("recommend", *words, "--json").stdout)]


@pytest.fixture
def ease(mock_split):
    """A saved EASE."""
    return experiment.run("ease", mock_split)


@pytest.fixture
def films(mock_data):
    """Titles of the three most watched movies, and their ids."""
    ids = mock_data.ratings[c.MOVIE].value_counts().index[:3]
    rows = mock_data.movies.set_index(c.MOVIE, drop=False).loc[ids]
    return [titles.named(row) for _, row in rows.iterrows()], ids.tolist()


def test_what_is_told_is_stored_as_events(mock_data, films):
    names, ids = films
    assert (
        f"Stored for me: rate 5, comment of {names[0]}."
        in done("rate", "--user", "me", "--movie", names[0], "--stars", "5", "--comment", "좋다").stdout
    )
    done("rate", "--user", "me", "--movie", str(ids[1]), "--kind", "stop", "--share", "0.4")
    done("rate", "--user", "1", "--movie", str(ids[2]), "--kind", "dismiss")
    with store.open_for(mock_data) as opened:
        rows = opened.events()
    assert rows[["user", "kind", "movie"]].astype(object).values.tolist() == [
        ["me", "rate", ids[0]], ["me", "comment", ids[0]], ["me", "stop", ids[1]], ["1", "dismiss", ids[2]]
    ]  # fmt: skip
    assert rows["value"].tolist()[0::2] == [5, 0.4]
    assert rows["text"].tolist()[1] == "좋다"


def test_events_counts_refusals_and_exports(mock_data, tmp_path):
    with store.open_for(mock_data) as opened:
        opened.append([Event("me", "rate", 1, 9), Event("me", "finish", int(mock_data.movies[c.MOVIE].iloc[0]))])
    shown = done("events").stdout
    assert re.search(r"finish\s+1", shown)
    assert re.search(r"stars\s+1|unknown movie\s+1", shown)
    assert "1 events of 1 people, 1 refused." in shown
    told = json.loads(done("events", "--json", "--export", str(tmp_path / "all.parquet")).stdout)
    assert (told["events"], told["users"], sum(told["refused"].values())) == ({"finish": 1}, 1, 1)
    assert pd.read_parquet(tmp_path / "all.parquet")["kind"].tolist() == ["finish"]


def test_someone_new_is_answered_from_their_feedback(ease, films):
    names, ids = films
    done("rate", "--user", "me", "--movie", names[0], "--stars", "5")
    done("rate", "--user", "me", "--movie", names[1], "--kind", "finish")
    before = listed("--model", "ease", "--user", "me")
    assert before == listed("--model", "ease", "--history", ",".join(map(str, ids[:2])))
    done("rate", "--user", "me", "--movie", str(before[0]), "--stars", "1")
    shown = done("recommend", "--model", "ease", "--user", "me", "--json")
    after = [row["movie_id"] for row in json.loads(shown.stdout)]
    assert after[:9] == before[1:]  # left out, and what is disliked is not read
    assert f"Feedback, liked: {names[0]}; {names[1]}." in shown.stderr
    assert "Feedback, not liked: " in shown.stderr


def test_a_search_is_read_but_may_be_shown(ease, mock_data, films):
    model = ease.model()
    movie = int(model.movie_ids_[model.known_][0])
    with store.open_for(mock_data) as opened:
        opened.append([Event("me", "search", movie, text="it"), Event("me", "rate", films[1][0], 5.0)])
    every = listed("--model", "ease", "--user", "me", "--top", "1000")
    assert movie in every
    assert films[1][0] not in every
    assert every[:5] != listed("--model", "ease", "--history", str(films[1][0]), "--top", "5")


def test_a_user_of_the_data_set_keeps_their_history(ease, mock_split):
    user = int(mock_split.user_ids[0])
    history = mock_split.for_test().history
    own = history.loc[history[c.USER] == user, c.MOVIE].tolist()
    before = listed("--model", "ease", "--user", str(user))
    done("rate", "--user", str(user), "--movie", str(before[0]), "--stars", "5")
    after = listed("--model", "ease", "--user", str(user))
    assert after == listed("--model", "ease", "--history", ",".join(map(str, [*own, before[0]])))
    assert before[0] not in after
    done("rate", "--user", str(user), "--movie", str(before[0]), "--stars", "1")
    done("rate", "--user", str(user), "--movie", str(own[0]), "--kind", "dismiss")
    typed = listed("--model", "ease", "--history", ",".join(map(str, own[1:])), "--top", "13")
    hidden = [movie for movie in typed if movie not in (before[0], own[0])]
    assert listed("--model", "ease", "--user", str(user)) == hidden[:10]
    other = int(mock_split.user_ids[1])
    assert listed("--model", "ease", "--user", str(other)) == ease.model().recommend([other], 10)[c.MOVIE].tolist()


def test_feedback_does_not_make_a_stranger_of_someone_known(mock_split):
    experiment.run("group_popularity", mock_split)
    user = str(mock_split.user_ids[0])
    usual = listed("--model", "group_popularity", "--user", user, "--top", "20")
    done("rate", "--user", f"0{user}", "--movie", str(usual[1]), "--stars", "5")
    after = listed("--model", "group_popularity", "--user", user, "--top", "19")
    assert after == [usual[0], *usual[2:]]
    assert after == listed("--model", "group_popularity", "--user", f"0{user}", "--top", "19")


def test_a_model_that_learned_from_liked_movies_reads_no_others(mock_split):
    saved = experiment.choose(experiment.run("ease", mock_split, liked=0.75))
    user = int(mock_split.user_ids[0])
    usual = listed("--model", "ease", "--user", str(user), "--top", "20")
    done("rate", "--user", str(user), "--movie", str(usual[0]), "--stars", "3")
    assert listed("--model", "ease", "--user", str(user), "--top", "19") == usual[1:]
    done("rate", "--user", str(user), "--movie", str(usual[0]), "--stars", "4")
    assert listed("--model", "ease", "--user", str(user), "--top", "19") != usual[1:]
    assert saved.manifest["params"]["liked"] == 0.75


def test_a_model_that_reads_no_history_leaves_the_watched_out(mock_split):
    experiment.run("svd", mock_split)
    user = str(mock_split.user_ids[0])
    before = listed("--model", "svd", "--user", user, "--top", "5")
    done("rate", "--user", user, "--movie", str(before[1]), "--stars", "5")
    shown = done("recommend", "--model", "svd", "--user", user, "--top", "4", "--json")
    rows = json.loads(shown.stdout)
    assert [row["movie_id"] for row in rows] == [before[0], *before[2:]]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    assert "svd learns people in training alone" in shown.stderr
    done("rate", "--user", "me", "--movie", str(before[1]), "--stars", "5")
    with pytest.raises(AicineError, match="svd knows only the people"):
        raise call("recommend", "--model", "svd", "--user", "me").exception


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["rate", "--user", "me", "--movie", "No such film at all", "--stars", "5"], "Unknown movie"),
        (["rate", "--user", "me", "--movie", "1"], "Nothing to store"),
        (["rate", "--user", "me", "--movie", "1", "--stars", "7"], "stars: .* It is 1-5"),
        (["rate", "--user", "me", "--movie", "1", "--kind", "stop"], "Write --kind stop --share 0.4"),
        (["rate", "--user", "me", "--movie", "1", "--kind", "stop", "--share", "2"], "from 0 to 1"),
        (["rate", "--user", "me", "--movie", "1", "--kind", "play", "--share", "1"], "nothing else has"),
        (["rate", "--user", "me", "--movie", "1", "--kind", "finnish"], "Did you mean 'finish'"),
        (["rate", "--user", "me", "--movie", "1", "--kind", "rate"], "Write --stars 5"),
        (["rate", "--user", "me", "--movie", "1", "--kind", "search"], "A search is no feedback on one movie"),
        (["rate", "--user", "me", "--movie", " ", "--stars", "5"], "No movie is named"),
        (["rate", "--user", "me", "--movie", "1", "--comment", "x" * 10_001], "text too long"),
        (["rate", "--user", "9999", "--movie", "1", "--stars", "5"], "mock has no user 9999"),
        (["rate", "--user", " ", "--movie", "1", "--stars", "5"], "user: Send a text"),
        (["events"], "No feedback on mock yet"),
        (["recommend", "--model", "ease", "--user", "me"], "No feedback of 'me' on mock.* rate --dataset mock"),
    ],
)
def test_a_mistake_names_the_remedy(ease, mock_data, words, expected):
    words = [str(mock_data.movies[c.MOVIE].iloc[0]) if word == "1" and words[i - 1] == "--movie" else word
             for i, word in enumerate(words)]  # fmt: skip
    with pytest.raises(AicineError, match=expected):
        raise call(*words).exception


def test_who_liked_nothing_gets_what_is_watched_most_without_the_dismissed(mock_split, films):
    names, ids = films
    experiment.run("ease", mock_split, liked=0.75)
    done("rate", "--user", "me", "--movie", names[0], "--kind", "dismiss")
    done("rate", "--user", "me", "--movie", names[2], "--comment", "seen")
    shown = done("recommend", "--model", "ease", "--user", "me", "--json")
    assert json.loads(shown.stdout)[0]["movie_id"] == ids[1]
    assert f"Feedback, only left out of the list: {names[2]}." in shown.stderr
    assert "ease reads nothing of it, so this is" in shown.stderr


def test_who_told_nothing_to_read_gets_a_models_own_list_where_it_has_one(mock_split, films):
    experiment.run("random", mock_split)
    done("rate", "--user", "me", "--movie", films[0][0], "--kind", "dismiss")
    model = experiment.preferred("random", "mock", "user_temporal").model()
    own = model.movie_ids_[np.argsort(-np.where(model.known_, model.score_histories([[]])[0], -np.inf))]
    assert listed("--model", "random", "--user", "me") == [movie for movie in own if movie != films[1][0]][:10]


def test_the_events_of_one_user_can_be_seen_and_erased(films):
    names, ids = films
    done("rate", "--user", "me", "--movie", names[0], "--stars", "5", "--comment", "good")
    done("rate", "--user", "you", "--movie", names[1], "--kind", "finish")
    shown = json.loads(done("events", "--user", "me", "--json").stdout)
    assert [(row["kind"], row["movie"], row["text"]) for row in shown] == [
        ("rate", ids[0], None),
        ("comment", ids[0], "good"),
    ]
    assert re.search(r"rate\s+5\.0", done("events", "--user", "me").stdout)
    assert "Erased 2 events of me." in done("forget", "--user", "me").stdout
    assert "1 events of 1 people" in done("events").stdout
    for command in ("forget", "events"):
        with pytest.raises(AicineError, match="No feedback of 'me' on mock"):
            raise call(command, "--user", "me").exception


@pytest.mark.parametrize("url", ["events.sqlite", "postgresql://me@db:five/x", "postgresql://u:p@ss@h:x/y"])
def test_a_url_that_is_none_is_told_by_every_command(ease, films, monkeypatch, url):
    monkeypatch.setenv(store.URL, url)
    for words in (["recommend", "--model", "ease", "--user", "1"], ["events"], ["forget", "--user", "me"]):
        with pytest.raises(AicineError, match=r"AICINE_FEEDBACK_URL: .* Write for example sqlite:"):
            raise call(*words).exception


def test_the_exit_code_of_a_refusal_is_2(home):
    failed = aicine(home, "rate", "--dataset", "mock", "--user", "me", "--movie", "No such film", "--stars", "5")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr.startswith("Error: Unknown movie")
    assert "Traceback" not in failed.stderr
