"""``recommend`` for a history that is typed in, and for RecBole's models, from saved runs."""

import json
import re

import pytest
from command_line import aicine
from typer.testing import CliRunner

from aicine_utils import cli, experiment
from aicine_utils import columns as c
from aicine_utils.data import titles
from aicine_utils.errors import AicineError
from aicine_utils.protocols import time_order


def call(*words, dataset="mock"):
    """The command's result; an AicineError comes through as its exception."""
    return CliRunner().invoke(cli.app, [*words, "--dataset", str(dataset)])


def listed(done):
    """movie_id and score of what was printed as JSON."""
    assert done.exit_code == 0, done.exception
    rows = json.loads(done.stdout)
    return [row["movie_id"] for row in rows], [row["score"] for row in rows]


@pytest.fixture
def ease(mock_split):
    """A saved EASE."""
    return experiment.run("ease", mock_split)


def test_titles_are_read_and_left_out_and_nothing_is_trained(ease, mock_data, monkeypatch):
    monkeypatch.setattr(experiment, "run", None)
    movies = mock_data.movies.set_index("movie_id", drop=False)
    watched = ease.topk["movie_id"].unique()[:3]
    names = [titles.named(movies.loc[movie]) for movie in watched]
    model = ease.model()
    scores = model.score_histories([watched])[0]
    best = [m for m in model.movie_ids_[(-scores).argsort(kind="stable")] if m not in watched][:5]
    for given in (["--history", ",".join(names)], ["--history", "; ".join(names[:2]), "--history", str(watched[2])]):
        done = call("recommend", "--model", "ease", *given, "--top", "5", "--json")
        assert listed(done)[0] == best
        assert f"Watched: {'; '.join(names)}." in done.stderr
        assert f"Answered by run {ease.folder.name}" in done.stderr
        assert "Passed over" not in done.stderr
    table = call("recommend", "--model", "ease", "--history", names[0]).stdout
    assert "ease for a typed history" in table
    assert movies.loc[watched[0], "title"] not in re.sub(r"\s+", " ", table)


def test_movies_that_the_model_does_not_know_are_said_to_be_passed_over(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    pairs = [(user, movie) for user in range(12) for movie in range(9) if (user * movie) % 4 != 1]
    rows = [f"{user},{movie},{1 + (user * movie) % 5},{1_600_000_000 + movie}" for user, movie in pairs]
    (own / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *rows]) + "\n")
    names = [f'{movie},"Film {movie}, The (2000)",Drama' for movie in range(10)]
    (own / "movies.csv").write_text("\n".join(["movieId,title,genres", *names]) + "\n")
    assert call("train", "--model", "ease", dataset=own).exit_code == 0
    words = ["recommend", "--model", "ease", "--json", "--history"]
    both, alone = (call(*words, text, dataset=own) for text in ("Film 9, The (2000),Film 4, The", "4"))
    assert set(listed(alone)[0]) == {0, 1, 2, 3, 5, 6, 7}  # everyone's last, 8, is in the test alone
    assert listed(both) == listed(alone)
    assert "Watched: The Film 9 (2000); The Film 4 (2000)." in both.stderr
    assert "Passed over, for ease was trained with no rating of them: The Film 9 (2000)." in both.stderr
    with pytest.raises(AicineError, match="None of these movies has a rating that ease was trained with"):
        raise call(*words, "9", dataset=own).exception


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--model", "ease"], "Give either --user 1 or --history"),
        (["--model", "ease", "--user", "1", "--history", "1"], "Give either --user 1 or --history"),
        (["--model", "ease", "--history", "No such film at all"], "Unknown movie 'No such film at all'"),
        (["--model", "ease", "--history", " , "], "--history names no movie"),
        (["--model", "svd", "--history", "1"], "svd knows only the people .* can: .*ease.*sasrec"),
        (["--model", "eese", "--history", "1"], "Did you mean 'ease'"),
        (["--model", "item_knn", "--history", "1"], "No saved item_knn for mock. Train it"),
    ],
)
def test_a_mistake_names_the_remedy(ease, words, expected):
    with pytest.raises(AicineError, match=expected):
        raise call("recommend", *words).exception


def test_the_exit_code_of_a_mistake_is_2(home, ease):
    done = aicine(home, "recommend", "--dataset", "mock", "--model", "ease", "--history", "No such film at all")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: Unknown movie 'No such film at all'.")
    assert "Traceback" not in done.stderr


def test_sasrec_is_trained_and_answers_for_a_user_and_for_what_the_user_watched(mock_split):
    assert call("train", "--model", "sasrec", "--epochs", "1").exit_code == 0
    saved, user = experiment.preferred("sasrec", "mock"), int(mock_split.user_ids[2])
    assert (saved.manifest["params"]["epochs"], len(saved.curve)) == (1, 1)
    movies, scores = listed(call("recommend", "--model", "sasrec", "--user", str(user), "--json"))
    best = saved.topk[saved.topk["user_id"] == user].head(10)
    assert movies == best["movie_id"].tolist()
    rows = mock_split.for_test().history
    rows = rows.iloc[time_order(rows)]
    history = [str(movie) for movie in rows.loc[rows[c.USER] == user, c.MOVIE]]
    typed = listed(call("recommend", "--model", "sasrec", "--history", ",".join(history), "--json"))
    assert typed[0] == movies
    assert typed[1] == pytest.approx(scores, abs=1e-4)
    other = listed(call("recommend", "--model", "sasrec", "--history", ",".join(history[::-1]), "--json"))
    assert other[1] != pytest.approx(scores, abs=1e-4)  # the order in which they are typed is the order of watching


def test_bpr_is_trained_and_answers_for_a_user_and_says_who_can_for_a_history(mock_split):
    assert call("train", "--model", "bpr", "--epochs", "1").exit_code == 0
    saved, user = experiment.preferred("bpr", "mock"), int(mock_split.user_ids[0])
    movies, _ = listed(call("recommend", "--model", "bpr", "--user", str(user), "--json"))
    assert movies == saved.topk[saved.topk["user_id"] == user].head(10)["movie_id"].tolist()
    with pytest.raises(AicineError, match=r"bpr knows only the people .* can: .*multivae, ract, sasrec"):
        raise call("recommend", "--model", "bpr", "--history", "1").exception
