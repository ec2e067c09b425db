"""New people and new movies: what is hidden, what a model is told, what stands behind it, and the numbers by hand."""

import numpy as np
import pandas as pd
import pytest
from models_cases import ratings

from aicine_utils import columns as c
from aicine_utils import histories
from aicine_utils.data.movielens import MovieLens
from aicine_utils.errors import AicineError
from aicine_utils.metrics import evaluate
from aicine_utils.models import registry
from aicine_utils.models.neighbours import ItemKNN
from aicine_utils.models.popularity import GroupPopularity
from aicine_utils.study import cold


def data_of(rows, movies=None):
    """A data set with these (user, movie, stars, day)."""
    table = ratings(rows)
    ids = np.unique(table[c.MOVIE])
    films = movies or [(movie, f"Film {movie}", 2000, ["Drama"]) for movie in ids]
    info = {"name": "tiny", "rating_scale": [1, 5], "fingerprint": "tiny"}
    return MovieLens(table, pd.DataFrame(films, columns=c.MOVIES).astype({c.YEAR: "Int16"}), None, info)


@pytest.fixture
def hidden(mock_data):
    """The synthetic data set with a fifth of its people hidden."""
    return cold.hide_users(mock_data, told=5)


def test_hidden_people_are_hidden_whole(mock_data, hidden):
    evaluate.refuse_overlap(hidden)
    users = np.unique(hidden.test[c.USER])
    assert len(users) == 12  # a fifth of 60
    assert not np.isin(users, hidden.train[c.USER]).any()
    assert hidden.valid.groupby(c.USER).size().eq(5).all()
    assert len(hidden.train) + len(hidden.valid) + len(hidden.test) == len(mock_data.ratings)
    told, later = (part.groupby(c.USER)[c.TIMESTAMP] for part in (hidden.valid, hidden.test))
    assert (told.max() <= later.min()).all()
    again, other = cold.hide_users(mock_data, told=5), cold.hide_users(mock_data, told=5, seed=1)
    assert again.hash == hidden.hash != other.hash


def test_a_share_may_be_told_and_short_histories_are_left_out():
    data = data_of([(user, movie, 5, movie) for user in range(4) for movie in range(user, user + 2 + 2 * user)])
    half = cold.hide_users(data, share=0.75, told=0.5)
    counts = data.ratings[c.USER].value_counts()
    for part in (half.valid, half.test):
        assert part[c.USER].value_counts().to_dict() == {u: counts[u] // 2 for u in np.unique(half.test[c.USER])}
    some = cold.hide_users(data, share=0.75, told=4)
    hidden_before = set(np.unique(half.test[c.USER]))
    assert set(np.unique(some.test[c.USER])) == {user for user in hidden_before if counts[user] > 4}
    assert some.info["n_left_out"] == sum(counts[user] for user in hidden_before if counts[user] <= 4)
    with pytest.raises(AicineError, match=r"no hidden user has more than 50 ratings. Tell fewer"):
        cold.hide_users(data, told=50)


def test_steps_suit_the_histories(mock_data):
    assert cold.steps(mock_data) == [0, 1, 3, 5, 10, 20]
    short = data_of([(user, movie, 5) for user in range(3) for movie in range(6 + user)])
    assert cold.steps(short) == [0, 1, 3]


def test_hidden_movies_are_hidden_whole(mock_data):
    split = cold.hide_movies(mock_data, share=0.2)
    hidden = split.test[c.MOVIE].unique()
    assert len(hidden) == round(0.2 * mock_data.ratings[c.MOVIE].nunique())
    assert not np.isin(hidden, split.train[c.MOVIE]).any()
    assert len(split.train) + len(split.test) == len(mock_data.ratings)


def test_a_model_is_told_what_it_learns_from(hidden):
    newcomers = cold.Newcomers(hidden)
    models = cold.fitted(["item_knn", "ease"], hidden)
    models["ease"].params["liked"] = 0.75
    user = newcomers.users[3]
    first = hidden.valid[hidden.valid[c.USER] == user].head(4)
    assert newcomers.histories(models["item_knn"], 4, newcomers.users)[3].tolist() == first[c.MOVIE].tolist()
    liked = first.loc[first[c.RATING] >= 4, c.MOVIE].tolist()
    assert newcomers.histories(models["ease"], 4, newcomers.users)[3].tolist() == liked
    assert not any(map(len, newcomers.histories(models["ease"], 0, newcomers.users)))


def test_each_member_of_a_blend_reads_what_it_would_learn_from(hidden):
    blend = cold.fitted(["blend"], hidden)["blend"]
    blend.fitted[0].params["liked"] = 0.75
    newcomers = cold.Newcomers(hidden)
    users = newcomers.users
    own = [member.score_histories(newcomers.histories(member, 5, users)) for member in blend.fitted]
    np.testing.assert_allclose(newcomers._scores(blend, 5, users), blend.mixed(own))
    read = [[len(history) for history in newcomers.histories(member, 5, users)] for member in blend.fitted]
    assert read[0] != read[2]  # iALS reads what was liked, item k-NN all: one history for both would not do


def test_new_people_s_numbers_are_the_evaluator_s(hidden):
    models = cold.fitted(["popularity", "item_knn"], hidden)
    values = cold.new_users(models, hidden, given=(0, 5))
    users = np.unique(hidden.test[c.USER])
    histories = [hidden.valid.loc[hidden.valid[c.USER] == user, c.MOVIE].tolist() for user in users]
    scores = models["item_knn"].score_histories(histories)
    top = models["item_knn"].best_of(models["item_knn"].rows_of(users), scores, 10)
    expected = evaluate.evaluate(top, hidden.relevant(hidden.test), ks=(10,), split=hidden).query("metric == 'ndcg'")
    found = values.query("model == 'item_knn' and not behind and given == 5")
    assert found[c.VALUE].tolist() == expected[c.VALUE].tolist()
    # Told nothing, item k-NN prefers nothing, and the most liked movies fill its list, whatever stands behind it.
    nothing = values.query("given == 0").pivot(index=c.USER, columns=["model", "behind"], values=c.VALUE)
    assert nothing.nunique(axis=1).eq(1).all()
    assert cold.new_users(models, hidden, given=(0, 5)).equals(values)


def test_large_and_small_chunks_agree(hidden, monkeypatch):
    models = cold.fitted(["item_knn"], hidden)
    whole = cold.new_users(models, hidden, given=(3,))
    monkeypatch.setattr(cold, "CHUNK", 5)
    pd.testing.assert_frame_equal(whole, cold.new_users(models, hidden, given=(3,)))


def test_what_stands_behind_by_hand():
    known = np.array([True, True, False])
    scores, popular = np.array([[0.0, 2.0, 9.0], [5.0, 5.0, 5.0]], np.float32), np.array([30.0, 10.0, 0.0], np.float32)
    mixed = cold.backed(scores, np.array([30, 0]), popular, known)
    # Over the known movies, scores are standardised to -1 and 1, popularity to 1 and -1; at 30 movies they cancel.
    assert mixed[0, :2] == pytest.approx([0, 0])
    assert mixed[1, :2] == pytest.approx([1, -1])
    assert cold.backed(scores, np.array([90, 0]), popular, known)[0, :2] == pytest.approx([-0.5, 0.5])


def test_people_are_read_where_a_model_can(hidden):
    model = GroupPopularity(prior=0.0).fit(hidden)
    users = np.unique(hidden.test[c.USER])[:2]
    people = hidden.users.set_index(c.USER).loc[users]
    kept = hidden.users[hidden.users[c.USER].isin(hidden.train[c.USER])]
    group = kept.loc[(kept[[c.GENDER, c.AGE]] == people[[c.GENDER, c.AGE]].iloc[1]).all(axis=1), c.USER]
    views = hidden.train[hidden.train[c.USER].isin(group)].groupby(c.MOVIE).size()
    scores = histories.scores(model, [[], []], cold.of_people(hidden.users, users))
    assert np.array_equal(scores[1], views.reindex(hidden.movie_ids, fill_value=0))
    everyone = model.score_histories([[]])[0]
    assert np.array_equal(histories.scores(model, [[]])[0], everyone)
    stranger = people.reset_index().assign(**{c.AGE: "unheard of"})
    assert np.array_equal(model.score_people([[], []], stranger)[0], everyone)


def test_new_movies_by_hand(mock_data):
    split = cold.hide_movies(mock_data, share=0.3)
    near, content = cold.spread(split), cold.fitted(["content_tfidf"], split)["content_tfidf"]
    assert near.shape == ((~content.known_).sum(), len(split.movie_ids))
    assert np.asarray(near.sum(axis=1)).ravel() == pytest.approx(1)
    assert not near.toarray()[:, ~content.known_].any()
    likeness = np.where(content.known_, content.vectors_ @ content.vectors_.T, -np.inf)[~content.known_]
    for row, nearest in zip(near.toarray() > 0, likeness, strict=True):
        assert nearest[row].min() >= nearest[~row].max() - 1e-6
    model = ItemKNN().fit(split)
    lists = cold._with_new(model, split, near)
    user = int(lists["new"][c.USER].iloc[0])
    scores = near @ model.score([user])[0]
    expected = model.movie_ids_[~model.known_][np.argsort(-scores, kind="stable")[:10]]
    assert lists["new"].loc[lists["new"][c.USER] == user, c.MOVIE].tolist() == expected.tolist()
    seen = split.train.loc[split.train[c.USER] == user, c.MOVIE]
    assert not lists["all"].loc[lists["all"][c.USER] == user, c.MOVIE].isin(seen).any()


def test_new_movies_table(mock_data):
    split = cold.hide_movies(mock_data)
    direct, through = cold.fitted(["random", "lightfm_movies"], split), cold.fitted(["popularity"], split)
    values = cold.new_movies(direct, through, split)
    assert values.groupby(["model", "through"]).ngroups == 3
    assert (values.loc[values["candidates"] == "new", "new"] == 1).all()
    assert values["new"].between(0, 1).all()
    liked = split.test.loc[split.test[c.RATING] >= 4, c.USER].nunique()
    assert values.groupby(["model", "candidates"]).size().eq(liked).all()


def test_summary_by_hand():
    rows = [(user, "a", 0, user / 10) for user in range(11)] + [(user, "b", 0, user / 10 + 0.5) for user in range(10)]
    values = pd.DataFrame(
        [*rows, *[(u, m, 1, 0.25 + u) for u in range(2) for m in "ab"]], columns=[c.USER, "model", "given", c.VALUE]
    )
    table = cold.summary(values, ["model"], ["given"], resamples=50).set_index(["given", "model"])
    assert table.loc[(0, "a"), "mean"] == pytest.approx(0.45)  # over the ten people whom both have
    assert table.loc[0, "place"].to_dict() == {"a": 2, "b": 1}
    assert table.loc[1, "place"].to_dict() == {"a": 1, "b": 1}
    assert table.loc[(0, "b"), "n_users"] == 10
    assert (table["low"] <= table["mean"]).all()


def test_the_best_of_each_case_by_hand():
    by_model = {"a": [0.1, 0.2, 0.3], "b": [0.3, 0.3, 0.6], "c": [0.0, 0.0, 0.1]}
    rows = [(user, name, 5, value) for name, own in by_model.items() for user, value in enumerate(own)]
    rows += [(user, name, 0, 0.5) for name in by_model for user in range(3)]
    table = cold.best_by(pd.DataFrame(rows, columns=[c.USER, "who", "given", c.VALUE]), "given", "who", "a")
    first = table.set_index("given").loc[5]
    # b minus a: .2, .1, .3; mean .2, standard error .1 / √3, t quantile with 2 degrees 4.302653.
    assert first["who"] == "b"
    assert [first["mean"], first["gain"]] == pytest.approx([0.4, 0.2])
    assert first["high"] - first["gain"] == pytest.approx(4.302653 * 0.1 / 3**0.5, abs=1e-6)
    assert table.set_index("given").loc[0, ["gain", "low", "high", "tied"]].tolist() == [0, 0, 0, 3]


def test_folds_hide_different_people_and_leave_one_out(mock_data, monkeypatch):
    seen = []
    monkeypatch.setattr(cold, "steps", lambda data: [0, 3])
    values = cold.new_users_of(mock_data, ["popularity"], enough=20)
    assert values["given"].unique().tolist() == [0, 3]
    assert values.groupby(["behind", "given"])[c.USER].nunique().ge(20).all()
    for fold in range(5):
        seen.append(set(cold.hide_users(mock_data, told=3, fold=fold).test[c.USER]))
    assert len(set.union(*seen)) == sum(map(len, seen)) == 60
    all_values = cold.new_users_of(mock_data, ["popularity"], enough=10**6)
    assert not all_values[c.USER].isin(seen[cold.CHOOSING]).any()


def test_models_that_read_people_say_so():
    readers = {row.name for row in registry.ENTRIES if hasattr(row.model_class, "score_people")}
    assert readers == {"group_popularity", *registry.names("hybrid")}


def test_a_network_does_not_stop_by_what_new_people_tell(hidden):
    model = registry.create("gru", "mock", epochs=2, batch=16, window=20)
    model.fit(hidden)
    told = hidden.valid.assign(**{c.MOVIE: hidden.valid[c.MOVIE].sample(frac=1, random_state=0).to_numpy()})
    other = registry.create("gru", "mock", epochs=2, batch=16, window=20).fit(hidden.divided(hidden.train, told))
    assert [row["ndcg@10"] for row in model.curve] == [row["ndcg@10"] for row in other.curve]
    assert (model.seen_ != hidden.matrix(hidden.history)).nnz == 0  # but what they told is never listed
