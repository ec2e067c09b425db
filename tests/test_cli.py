"""The command line, in its own process where the exit code matters, in this one elsewhere."""

import json
import re
import subprocess
import sys

import pytest
from command_line import aicine
from typer.testing import CliRunner

from aicine_utils import cli, experiment, settings
from aicine_utils.errors import AicineError

runner = CliRunner()


@pytest.fixture
def trained(mock_split):
    """An item k-NN and an SVD, trained on the synthetic data."""
    return {name: experiment.run(name, mock_split) for name in ("item_knn", "svd")}


def call(*words):
    """The command's result; an AicineError comes through as its exception."""
    return runner.invoke(cli.app, list(words))


def test_models_lists_all():
    from aicine_utils.models import registry

    printed = call("models").stdout
    assert all(name in printed for name in registry.names())


def test_recommend_prints_titles_genres_and_scores_of_the_saved_model(trained, mock_data, monkeypatch):
    monkeypatch.setattr(experiment, "run", None)  # nothing may be trained
    user = int(mock_data.ratings["user_id"].iloc[0])
    done = call("recommend", "--dataset", "mock", "--model", "svd", "--user", str(user), "--top", "10", "--json")
    rows = json.loads(done.stdout)
    best = trained["svd"].topk.query("user_id == @user").head(10)
    assert [row["movie_id"] for row in rows] == best["movie_id"].tolist()
    assert all(row["title"] and isinstance(row["genres"], list) for row in rows)
    assert [row["score"] for row in rows] == pytest.approx(best["score"].tolist())
    table = call("recommend", "--dataset", "mock", "--model", "svd", "--user", str(user)).stdout
    assert rows[0]["title"] in re.sub(r"\s+", " ", table)


def test_similar_by_a_part_of_the_title(trained, mock_data):
    movie = mock_data.movies.iloc[3]
    rows = json.loads(call("similar", "--dataset", "mock", "--movie", movie["title"], "--json").stdout)
    expected = trained["item_knn"].model().similar(int(movie["movie_id"]))
    assert [row["movie_id"] for row in rows] == expected["movie_id"].tolist()
    assert movie["movie_id"] not in {row["movie_id"] for row in rows}


def test_train_takes_any_parameter_of_the_model():
    done = call("train", "--dataset", "mock", "--model", "svd", "--epochs", "3", "--n-factors=8")
    assert done.exit_code == 0, done.output
    manifest = experiment.preferred("svd", "mock").manifest
    assert (manifest["params"]["n_epochs"], manifest["params"]["n_factors"]) == (3, 8)
    assert "ndcg@10" in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["recommend", "--dataset", "mock", "--model", "svd", "--user", "1"], "Train it: .* --model svd"),
        (["recommend", "--dataset", "mock", "--model", "svdd", "--user", "1"], "'svd'"),
        (["train", "--dataset", "mock", "--model", "svd", "--epoch", "3"], "n_epochs"),
        (["train", "--dataset", "mock", "--model", "svd", "--n-epochs"], "pairs"),
        (["train", "--dataset", "mok", "--model", "svd"], "'mock'"),
        (["train", "--dataset", "mock", "--model", "svd", "--protocol", "loo"], "leave_one_out"),
        (["tune", "--dataset", "mock", "--model", "random"], "nothing to search"),
    ],
)
def test_a_mistake_names_the_remedy(words, expected):
    error = call(*words).exception
    assert isinstance(error, AicineError)
    assert re.search(expected, str(error))


def test_an_unknown_user_and_movie(trained):
    error = call("recommend", "--dataset", "mock", "--model", "svd", "--user", "999999").exception
    assert "Unknown user 999999" in str(error)
    error = call("similar", "--dataset", "mock", "--movie", "No such film at all").exception
    assert "Unknown movie" in str(error)


def test_tune_writes_the_winners(mock_data, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "CONFIGS", tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "tuned").mkdir()
    real = settings.ROOT / "aicine_utils" / "configs" / "models" / "mean_rating.yaml"
    (tmp_path / "models" / "mean_rating.yaml").write_text(real.read_text())
    done = call("tune", "--dataset", "mock", "--model", "mean_rating", "--trials", "2")
    assert done.exit_code == 0, done.output
    winner = settings.winner("mean_rating", "mock", "user_temporal")
    assert winner["trials"] == 2


def test_exit_codes_and_streams(tmp_path):
    done = aicine(tmp_path, "recommend", "--dataset", "mock", "--model", "nothing", "--user", "1")
    assert done.returncode == 2
    assert done.stderr.startswith("Error:")
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("module", ["cli", "pipeline.render", "pipeline.execute"])  # steps of which there are many
def test_help_and_steps_need_no_heavy_library(module):
    heavy = "{'torch', 'surprise', 'gensim', 'recbole', 'pandas', 'matplotlib'}"
    code = f"import sys; import aicine_utils.{module}; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=settings.ROOT)
    assert done.stdout.strip() == "set()", done.stderr


def test_the_data_card_is_written(home, mock_data):
    done = call("data", "--dataset", "mock")
    card = json.loads((home / "outputs" / "mock" / "runs" / "data.json").read_text())
    assert done.exit_code == 0
    assert card["n_ratings"] == len(mock_data.ratings)
    assert card["fingerprint"] == mock_data.info["fingerprint"]


def test_a_movie_without_a_year_is_listed_without_one(tmp_path):
    own = tmp_path / "bare"  # ratings and nothing else
    own.mkdir()
    pairs = [(user, movie) for user in range(12) for movie in range(9)]
    rows = [f"{user},{movie},{1 + (user * movie) % 5},{1_600_000_000 + movie}" for user, movie in pairs]
    (own / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *rows]) + "\n")
    for words in (["train", "--model", "item_knn"], ["recommend", "--model", "item_knn", "--user", "1"]):
        done = call(words[0], "--dataset", str(own), *words[1:])
        assert done.exit_code == 0, done.output
    assert "nan" not in done.stdout.lower()
    assert "<NA>" not in done.stdout


def test_a_run_of_other_ratings_in_a_folder_of_the_same_name_does_not_answer(tmp_path):
    for parent, stars in (("a", 5), ("c", 4)):
        own = tmp_path / parent / "export"
        own.mkdir(parents=True)
        rows = [f"{user},{movie},{stars},{1_600_000_000 + movie}" for user in range(6) for movie in range(9)]
        (own / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *rows]) + "\n")
    here, there = (str(tmp_path / parent / "export") for parent in ("a", "c"))
    assert call("train", "--dataset", here, "--model", "views").exit_code == 0
    assert call("recommend", "--dataset", here, "--model", "views", "--user", "1").exit_code == 0
    for words in (["recommend", "--user", "1"], ["similar", "--movie", "1"]):
        with pytest.raises(AicineError, match=r"learned from other ratings than .*c/export has.* train --dataset"):
            raise call(*words, "--dataset", there, "--model", "views").exception


def test_an_answer_says_which_run_gave_it(trained):
    done = call("recommend", "--dataset", "mock", "--model", "svd", "--user", "1")
    assert f"Answered by run {trained['svd'].folder.name}, the report's settings: " in done.stderr.replace("\n", " ")


@pytest.mark.parametrize("option", [["--epochs", "-3"], ["--lr_all", "banana"], ["--n_factors", "-1"]])
def test_wrong_values_end_before_anything_is_trained(option, home):
    done = aicine(home, "train", "--dataset", "mock", "--model", "svd", *option)
    assert done.returncode == 2
    assert "Give for example" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (home / "outputs").exists()


def test_wrong_values_for_a_notebook_end_before_it_starts(home):
    done = aicine(home, "run", "--preset", "mock", "--only", "05", "-p", "seed=banana")
    assert done.returncode == 2
    assert "Parameter seed of notebook 05_matrix_factorisation: banana is not a whole number" in done.stderr


def test_unknown_models_are_not_searched():
    with pytest.raises(AicineError, match="Did you mean 'ease'"):
        cli.tune(dataset="mock", model=["eas"], trials=1, protocol="user_temporal")


def test_train_shows_the_rmse_of_the_pages(trained):
    from aicine_utils.metrics import rating

    table = cli.measured(trained["svd"])
    assert table.loc["rmse", "mean"] == pytest.approx(rating.rmse(trained["svd"].predictions))
    assert "mse" not in table.index
    assert "rmse" not in cli.measured(trained["item_knn"]).index


def test_recommend_refuses_an_unknown_protocol_and_names_the_missing_one(home):
    done = aicine(home, "recommend", "--dataset", "mock", "--user", "1", "--model", "ease", "--protocol", "leave")
    assert done.returncode == 2
    assert "leave_one_out" in done.stderr
    done = aicine(
        home, "recommend", "--dataset", "mock", "--user", "1", "--model", "ease", "--protocol", "leave_one_out"
    )
    assert done.returncode == 2
    assert "under leave_one_out" in done.stderr
