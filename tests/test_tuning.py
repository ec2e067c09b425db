"""The search sees validation only, goes on where it stopped, and its winners are what later runs use."""

from dataclasses import replace

import optuna
import pytest
import yaml

from aicine_utils import cli, experiment, leaderboard, settings, tuning
from aicine_utils.errors import AicineError
from aicine_utils.metrics import evaluate, rating
from aicine_utils.models import registry
from aicine_utils.models.neural import base, training
from aicine_utils.models.recbole import ract

SEARCHED = [name for name in registry.names() if settings.model_config(name)["search"]]


@pytest.fixture
def scored(monkeypatch):
    """Parameters of every setting that was trained."""
    asked, score = [], tuning.score

    def counted(name, split, seed, **params):
        asked.append(params)
        return score(name, split, seed, **params)

    monkeypatch.setattr(tuning, "score", counted)
    return asked


@pytest.fixture
def configs(monkeypatch, tmp_path):
    """A folder for winners that is not the project's own; the models' settings stay."""
    for name in ("models", "presets.yaml"):
        (tmp_path / name).symlink_to(settings.CONFIGS / name)
    monkeypatch.setattr(settings, "CONFIGS", tmp_path)
    settings.read_yaml.cache_clear()
    yield tmp_path
    settings.read_yaml.cache_clear()


def test_defaults_come_first(mock_split, scored):
    tuning.tune("baseline", mock_split, 3)
    assert scored[0] == {"reg_u": 15, "reg_i": 10}
    assert len(scored) == 3


def test_what_is_known_from_elsewhere_comes_next(mock_split, scored, monkeypatch):
    config = settings.model_config("baseline") | {"known": [{"reg_i": 3}]}
    monkeypatch.setattr(settings, "model_config", lambda name: config)
    tuning.tune("baseline", mock_split, 3)
    assert scored[:2] == [{"reg_u": 15, "reg_i": 10}, {"reg_u": 15, "reg_i": 3}]


def test_what_is_known_is_tried_however_little_time_there_is(mock_split, scored, monkeypatch):
    config = settings.model_config("baseline") | {"known": [{"reg_i": 3}, {"reg_i": 4}]}
    monkeypatch.setattr(settings, "model_config", lambda name: config)
    winner = tuning.tune("baseline", mock_split, 10, minutes=0)
    assert [params["reg_i"] for params in scored] == [10, 3, 4]
    assert winner.trials == 3


def test_no_trial_begins_after_the_minutes(mock_split, scored, monkeypatch):
    spent = iter([1.0, 2.0, 5.0, 9.0, 9.0])  # asked before each trial, then for the winner
    monkeypatch.setattr(tuning, "_minutes", lambda study: next(spent))
    winner = tuning.tune("baseline", mock_split, 10, minutes=5)
    assert (winner.trials, len(scored), winner.minutes) == (2, 2, 9.0)


def test_minutes_are_those_of_all_trials(mock_split):
    winner = tuning.tune("baseline", mock_split, 2)
    study = tuning._study("baseline", mock_split, 0)
    assert 0 < tuning._minutes(study) < 5
    assert winner.minutes == round(tuning._minutes(study), 1)


def test_search_goes_on_as_if_it_had_not_stopped(mock_split, scored, monkeypatch, tmp_path):
    at_once = tuning.tune("baseline", mock_split, 6)
    whole, scored[:] = list(scored), []
    monkeypatch.setenv("AICINE_HOME", str(tmp_path / "another"))
    for trials in (2, 2, 4, 6):
        in_parts = tuning.tune("baseline", mock_split, trials)
    assert scored == whole
    assert in_parts == at_once
    assert len({tuple(params.items()) for params in scored}) == 6


def test_test_ratings_are_not_seen(mock_split, monkeypatch, tmp_path):
    clean = tuning.tune("svd", mock_split, 3), tuning.history("svd", mock_split)
    monkeypatch.setenv("AICINE_HOME", str(tmp_path / "another"))
    test = mock_split.test
    poison = test.assign(rating=6 - test["rating"], movie_id=test["movie_id"].to_numpy()[::-1])
    poisoned = replace(mock_split, test=poison)
    assert (tuning.tune("svd", poisoned, 3), tuning.history("svd", poisoned)) == clean
    nothing = replace(mock_split, test=test.iloc[:0], hash="nothing")
    assert (tuning.tune("svd", nothing, 3), tuning.history("svd", nothing)) == clean


@pytest.mark.parametrize(("name", "metric"), [("baseline", "rmse"), ("mean_rating", "ndcg@10"), ("ease", "ndcg@10")])
def test_winner_is_the_best_trial_of_the_right_metric(mock_split, name, metric):
    winner, trials = tuning.tune(name, mock_split, 4), tuning.history(name, mock_split)
    best = (min if metric == "rmse" else max)(trials, key=lambda trial: trial["value"])
    assert winner == tuning.Winner(
        {key: value for key, value in best.items() if key != "value"}, metric, round(best["value"], 6), 4
    )


def test_score_is_measured_on_validation(mock_split):
    held_out = mock_split.for_validation()
    model = registry.create("baseline", "mock", 0, reg_u=3).fit(mock_split)
    stars = mock_split.valid.assign(predicted=model.predict(mock_split.valid))
    assert tuning.score("baseline", mock_split, 0, reg_u=3) == (pytest.approx(rating.rmse(stars), abs=1e-6), {})
    lists = registry.create("views", "mock").fit(held_out).recommend(mock_split.valid["user_id"].unique(), 10)
    expected = evaluate.means(evaluate.evaluate(lists, mock_split.relevant(mock_split.valid), ks=(10,)))["ndcg@10"]
    assert tuning.score("views", mock_split, 0) == (pytest.approx(expected), {})


def test_a_network_is_scored_by_its_best_pass_and_keeps_the_count(mock_split, configs):
    value, _ = tuning.score("torch_mf_rank", mock_split, 0, epochs=4)
    model = registry.create("torch_mf_rank", "mock", 0, epochs=4).fit(mock_split)
    model._remember(mock_split, mock_split.train)  # validation movies may be listed, as they were while training
    lists = model.recommend(mock_split.valid["user_id"].unique(), 10)
    measured = evaluate.means(evaluate.evaluate(lists, mock_split.relevant(mock_split.valid), ks=(10,)))["ndcg@10"]
    assert value == max(row["ndcg@10"] for row in model.curve)
    assert value == pytest.approx(measured)
    winner = tuning.tune("torch_mf_rank", mock_split, 1)
    assert winner.params["passes"] == 1 + winner.curve.index(max(winner.curve))
    tuning.write_winners("mock", "user_temporal", {"torch_mf_rank": winner})
    final = registry.create("torch_mf_rank", "mock").fit(mock_split.for_test())
    assert len(final.curve) == winner.params["passes"]
    assert "ndcg@10" not in final.curve[0]
    # Counted for these settings, not for others.
    assert registry.create("torch_mf_rank", "mock", epochs=1).params["passes"] == 0


def test_ract_is_scored_by_its_last_stage_after_one_training(mock_split):
    small = {"epochs": 3, "critic_steps": 4, "joint_epochs": 2, "joint_rate": 0.01}
    value, found = tuning.score("ract", mock_split, 0, **small)
    model = registry.create("ract", "mock", 0, **small).fit(mock_split)
    assert value == max(row["ndcg@10"] for row in model.curve if row["stage"] == "joint")
    model._remember(mock_split, mock_split.train)  # as while it was trained
    assert model._validate(mock_split) == pytest.approx(value)  # of the weights that it keeps
    best = {stage: training.best_epoch([row for row in model.curve if row["stage"] == stage], "ndcg@10")
            for stage in ("actor", "joint")}  # fmt: skip
    assert found["params"] == {"epochs": 3, "passes": best["actor"], "joint_passes": best["joint"]}
    assert max(found["curve"][3:]) == pytest.approx(value, abs=1e-4)
    final = registry.create("ract", "mock", 0, **{**small, **found["params"]}).fit(mock_split.for_test())
    stages = [row["stage"] for row in final.curve]
    assert [stages.count(stage) for stage in ract.STAGES] == [best["actor"], 4, best["joint"]]
    assert "ndcg@10" not in final.curve[0]
    assert final.stopped_by_budget is False


@pytest.mark.parametrize("stopped", [True, False])
def test_whom_time_ended_while_passes_were_counted_is_marked(mock_split, configs, monkeypatch, stopped):
    """Its own training makes all the passes it was given, and is short of those that it was not given."""
    monkeypatch.setattr(base, "stopped_by_budget", lambda *_: stopped)
    winner = tuning.tune("torch_mf_rank", mock_split, 1)
    assert winner.stopped is (stopped or None)
    tuning.write_winners("mock", "user_temporal", {"torch_mf_rank": winner})
    assert settings.winner("torch_mf_rank", "mock", "user_temporal").get("stopped", False) is stopped
    run = experiment.run("torch_mf_rank", mock_split)
    assert run.manifest["stopped_by_budget"] is False
    assert leaderboard.leaderboard([run], mock_split, resamples=10)["stopped_by_budget"].tolist() == [stopped]


def test_diverging_settings_are_left_out_but_not_the_default(mock_split, monkeypatch):
    def diverges(name, split, seed, reg_u, **_):
        if reg_u != 15:
            raise AicineError("not a number")
        return 1.0, {}

    monkeypatch.setattr(tuning, "score", diverges)
    assert tuning.tune("baseline", mock_split, 3) == tuning.Winner({"reg_u": 15, "reg_i": 10}, "rmse", 1.0, 1)
    failed = iter([1, 0, 1, 1])  # the second is refused by a library, and another takes its place
    monkeypatch.setattr(tuning, "score", lambda *_, **__: (1 / next(failed), {}))
    assert tuning.tune("ease", mock_split, 3).trials == 3
    monkeypatch.setattr(tuning, "score", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tuning.tune("svd", mock_split, 3)


def test_nothing_to_search_is_an_error(mock_split):
    with pytest.raises(AicineError, match=r"slope_one has nothing to search.*slope_one\.yaml"):
        tuning.tune("slope_one", mock_split, 2)


def test_points_stay_in_their_ranges():
    space = {"a": [1, 8, "log"], "b": [0.1, 1.0], "c": {"choice": ["x", "y"]}}
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    points = [tuning.suggest(study.ask(), space) for _ in range(40)]
    assert {type(point["a"]) for point in points} == {int}
    assert {point["a"] for point in points} >= {1, 2, 3}
    assert all(1 <= point["a"] <= 8 and 0.1 <= point["b"] <= 1.0 for point in points)
    assert {point["c"] for point in points} == {"x", "y"}


@pytest.mark.parametrize("name", SEARCHED)
def test_defaults_lie_in_the_ranges(name):
    config = settings.model_config(name)
    for key, space in config["search"].items():
        default = config["params"][key]
        inside = default in space["choice"] if isinstance(space, dict) else space[0] <= default <= space[1]
        assert inside, f"{name}: {key} = {default} is outside {space}"


def test_winners_are_written_and_used(mock_split, configs):
    for name, params in {"svd": {"n_factors": 7, "lr_all": 1e-5}, "baseline": {"reg_u": 3}}.items():
        tuning.write_winners("mock", "user_temporal", {name: tuning.Winner(params, "rmse", 0.9, 20)})
    text = (configs / "tuned" / "mock.yaml").read_text(encoding="utf-8")
    assert list(yaml.safe_load(text)["user_temporal"]) == ["baseline", "svd"]
    assert settings.winner("svd", "mock", "user_temporal") == {
        "params": {"n_factors": 7, "lr_all": 1e-5}, "metric": "rmse", "value": 0.9, "trials": 20,
    }  # fmt: skip
    assert settings.model_params("svd", "mock", "user_temporal")["n_factors"] == 7
    assert settings.model_params("svd", "ml-100k", "user_temporal")["n_factors"] == 100
    # One protocol's validation is another's test: a winner serves its own protocol and is not overwritten by another.
    assert settings.model_params("svd", "mock", "global_temporal")["n_factors"] == 100
    tuning.write_winners("mock", "leave_one_out", {"svd": tuning.Winner({"n_factors": 9}, "rmse", 0.8, 20)})
    assert settings.model_params("svd", "mock", "user_temporal")["n_factors"] == 7
    assert experiment.run("svd", mock_split, n_epochs=1).manifest["params"] == {
        "n_factors": 7, "n_epochs": 1, "biased": True, "lr_all": 1e-5, "reg_all": 0.02,
    }  # fmt: skip


def test_what_another_process_wrote_meanwhile_stays(configs):
    tuning.write_winners("mock", "user_temporal", {"svd": tuning.Winner({"n_factors": 7}, "rmse", 0.9, 20)})
    path, mine = configs / "tuned" / "mock.yaml", settings.tuned("mock")
    theirs = mine["user_temporal"] | {"ease": {"params": {"regularisation": 9.0}, "trials": 20}}
    path.write_text(yaml.dump({"user_temporal": theirs}), encoding="utf-8")
    tuning.write_winners("mock", "user_temporal", {"baseline": tuning.Winner({"reg_u": 3.0}, "rmse", 0.9, 20)})
    assert set(settings.tuned("mock")["user_temporal"]) == {"svd", "ease", "baseline"}
    assert not list(path.parent.glob("*.part"))


def test_kept_tables_stay_when_a_sentence_or_other_data_or_a_remark_change(configs):
    def after(file, text):
        (configs / file).write_text(text, encoding="utf-8")
        settings.read_yaml.cache_clear()
        return settings.of_models("mock")

    (configs / "tuned").mkdir(exist_ok=True)
    before = after("tuned/mock.yaml", "lent_by: other\n")
    assert after("sentences.yaml", "another: {}\n") == before
    assert after("tuned/third.yaml", "user_temporal: {ease: {params: {regularisation: 7.0}}}\n") == before
    won = "user_temporal: {ease: {params: {regularisation: 7.0}, trials: %d}}\n"
    lent = after("tuned/other.yaml", won % 12)
    assert lent != before
    assert after("tuned/other.yaml", "# found again\n" + won % 25) == lent


def test_a_shorter_search_does_not_replace_a_longer_one(mock_split, configs):
    longer, shorter = tuning.Winner({"k": 9}, "ndcg@10", 0.2, 25), tuning.Winner({"k": 3}, "ndcg@10", 0.3, 5)
    assert tuning.write_winners("mock", "user_temporal", {"item_knn": longer}) == ["item_knn"]
    assert tuning.write_winners("mock", "user_temporal", {"item_knn": shorter}) == []
    assert settings.winner("item_knn", "mock", "user_temporal")["params"] == {"k": 9}
    assert "Kept" in cli.keep_winner("item_knn", "mock", "user_temporal", shorter)
    assert "Written to" in cli.keep_winner("item_knn", "mock", "user_temporal", longer)


def test_a_data_set_that_was_not_searched_borrows_settings_but_no_passes(mock_split, configs, scored):
    kept = {
        "params": {"reg_u": 7.0, "passes": 3, "joint_passes": 1},
        "metric": "rmse",
        "value": 0.9,
        "trials": 25,
        "curve": [1.0],
    }
    (configs / "tuned").mkdir(exist_ok=True)
    (configs / "tuned" / "other.yaml").write_text(yaml.dump({"user_temporal": {"baseline": kept}}))
    (configs / "tuned" / "mock.yaml").write_text("lent_by: other\n")
    borrowed = settings.winner("baseline", "mock", "user_temporal")
    assert borrowed == {"params": {"reg_u": 7.0}, "trials": 25, "lent_by": "other"}
    assert settings.winner("baseline", "mock", "global_temporal") == {}  # found by another protocol's validation
    tuning.tune("baseline", mock_split, 2)
    origins = [trial.user_attrs.get("found_on") for trial in tuning._study("baseline", mock_split, 0).trials]
    assert origins == [None, "other"]
    assert [trial["reg_u"] for trial in tuning.history("baseline", mock_split)] == [15.0, 7.0]  # the default, then it
    elsewhere = settings.search_behind("baseline", "mock", "global_temporal", {"reg_u": 7.0, "passes": 2})
    assert elsewhere == borrowed  # a finalist takes the usual split's settings to another
    assert settings.search_behind("baseline", "mock", "user_temporal", {"reg_u": 8.0}) == {}
    tuning.write_winners("mock", "user_temporal", {"baseline": tuning.Winner({"reg_u": 9.0}, "rmse", 0.8, 2)})
    assert settings.winner("baseline", "mock", "user_temporal")["params"] == {"reg_u": 9.0}
    assert settings.tuned("mock")["lent_by"] == "other"


def test_minutes_of_a_network_are_the_presets():
    limit = settings.preset("full").minutes
    assert settings.model_params("sasrec", "ml-1m", "user_temporal")["minutes"] == limit > 0
    assert settings.model_params("sasrec", "ml-100k", "user_temporal")["minutes"] == 0
    assert "minutes" not in settings.model_params("ease", "ml-1m", "user_temporal")
