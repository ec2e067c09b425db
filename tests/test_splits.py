"""Splits: hand-worked parts, properties, and RecBole's own parts to the row."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicine_utils import columns as c
from aicine_utils import protocols, splits
from aicine_utils.data import datasets
from aicine_utils.data.movielens import MovieLens
from aicine_utils.errors import AicineError
from aicine_utils.metrics import evaluate

L, T, V, S = protocols.LEFT_OUT, protocols.TRAIN, protocols.VALID, protocols.TEST


def ratings_of(users, times, stars=None, movies=None):
    n = len(users)
    return pd.DataFrame(
        {
            c.USER: np.asarray(users, np.int64),
            c.MOVIE: np.arange(n) if movies is None else movies,
            c.RATING: np.full(n, 4.0, np.float32) if stars is None else np.asarray(stars, np.float32),
            c.TIMESTAMP: pd.to_datetime(np.asarray(times), unit="s").astype("datetime64[s]"),
        }
    )


def data_of(ratings):
    movies = pd.DataFrame({c.MOVIE: ratings[c.MOVIE].unique()})
    return MovieLens(ratings, movies, None, {"name": "tiny", "fingerprint": "x", "rating_scale": [1, 5]})


def test_user_temporal_takes_each_users_last_fifth_and_the_tenth_before():
    ratings = ratings_of([1] * 10 + [2] * 5, [*range(10), *range(5)])
    assert protocols.user_temporal(ratings).tolist() == [T] * 7 + [V, S, S] + [T] * 3 + [V, S]


def test_people_with_few_ratings_have_one_to_choose_settings_by():
    ratings = ratings_of([user for user in range(6) for _ in range(8)], list(range(8)) * 6)
    split = splits.make(data_of(ratings))
    assert (len(split.train), len(split.valid), len(split.test)) == (36, 6, 6)


def test_a_scale_on_which_nothing_is_liked_is_named():
    ratings = ratings_of([1] * 10, range(10)).assign(**{c.RATING: np.float32(1)})
    with pytest.raises(AicineError, match=r"no rating reaches 4 stars.* name it: --rating-scale 0 1\."):
        splits.make(data_of(ratings))


def test_equal_timestamps_keep_the_order_of_the_file():
    ratings = ratings_of([1] * 10, [7] * 10)
    assert protocols.user_temporal(ratings).tolist() == [T] * 7 + [V, S, S]


def test_global_temporal_cuts_once_for_everyone():
    ratings = ratings_of([1] * 6 + [2] * 4, range(10))
    labels = protocols.global_temporal(ratings)
    assert labels.tolist() == [T] * 8 + [V, S]


def test_leave_one_out_keeps_the_five_core_and_holds_out_the_last_two():
    users = np.repeat([1, 2, 3, 4, 5, 6], 5)
    movies = np.tile([1, 2, 3, 4, 5], 6)
    movies[-1] = 9  # user 6 has four movies of the core left, so it goes, and movie 9 with it
    labels = protocols.leave_one_out(ratings_of(users, np.tile(range(5), 6), movies=movies))
    assert labels.tolist() == [T, T, T, V, S] * 5 + [L] * 5


def test_k_core_matches_a_loop_that_removes_one_row_at_a_time():
    rng = np.random.default_rng(3)
    ratings = ratings_of(rng.integers(0, 30, 400), range(400), movies=rng.integers(0, 40, 400))
    left = ratings
    while True:
        bad = (left.groupby(c.USER)[c.USER].transform("size") < 9) | (
            left.groupby(c.MOVIE)[c.MOVIE].transform("size") < 9
        )
        if not bad.any():
            break
        left = left.drop(left.index[bad][0])
    assert np.flatnonzero(protocols.k_core(ratings, 9)).tolist() == left.index.tolist()


@pytest.mark.parametrize("protocol", protocols.PROTOCOLS)
def test_parts_are_disjoint_and_cover_what_is_not_left_out(mock_data, protocol):
    split = splits.make(mock_data, protocol)
    evaluate.refuse_overlap(split)
    assert len(split.train) + len(split.valid) + len(split.test) + split.info["n_left_out"] == len(mock_data.ratings)
    assert min(len(split.train), len(split.valid), len(split.test)) > 0


@pytest.mark.parametrize("protocol", ["user_temporal", "leave_one_out", "recbole_sequential"])
def test_no_user_is_tested_on_something_older_than_its_training(mock_data, protocol):
    split = splits.make(mock_data, protocol)
    last = split.history.groupby(c.USER)[c.TIMESTAMP].max()
    first = split.test.groupby(c.USER)[c.TIMESTAMP].min()
    assert (first >= last.reindex(first.index)).all()


def test_global_temporal_never_trains_on_the_future(mock_data):
    split = splits.make(mock_data, "global_temporal")
    assert split.train[c.TIMESTAMP].max() < split.valid[c.TIMESTAMP].min()
    assert split.valid[c.TIMESTAMP].max() < split.test[c.TIMESTAMP].min()


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), min_size=1, max_size=60))
def test_user_temporal_sizes_for_any_data(rows):
    ratings = ratings_of([u for u, _ in rows], [t for _, t in rows])
    labels = protocols.user_temporal(ratings)
    for user, count in ratings[c.USER].value_counts().items():
        own = labels[ratings[c.USER] == user]
        assert (own == S).sum() == count // 5
        assert (own == V).sum() == max(count // 10, int(count >= 5))


def test_hash_follows_the_content(mock_data):
    again, other = splits.make(mock_data), splits.make(mock_data, "global_temporal")
    assert splits.make(mock_data).hash == again.hash != other.hash


def test_parts_are_kept_for_other_machines(mock_data, home):
    split = splits.make(mock_data)
    kept = home / "data" / "splits" / "mock" / f"user_temporal-{split.hash}"
    assert (pd.read_parquet(kept / "parts.parquet")["part"] == S).sum() == len(split.test)


def test_the_final_model_learns_from_validation_only_where_the_protocol_refits(mock_data):
    primary, literature = splits.make(mock_data), splits.make(mock_data, "leave_one_out")
    assert len(primary.for_test().train) == len(primary.train) + len(primary.valid)
    assert primary.for_test().valid.empty
    assert literature.for_test() is literature


def test_tuning_never_sees_the_test(mock_data):
    split = splits.make(mock_data)
    held_out = split.for_validation()
    assert held_out.test.equals(split.valid)
    assert held_out.train.equals(split.train)
    assert held_out.hash != split.hash


def test_matrix_and_relevance(mock_split):
    matrix = mock_split.matrix(mock_split.train, "ratings")
    row = mock_split.train.iloc[5]
    i, j = np.searchsorted(mock_split.user_ids, row[c.USER]), np.searchsorted(mock_split.movie_ids, row[c.MOVIE])
    assert matrix[i, j] == row[c.RATING]
    assert len(mock_split.relevant(mock_split.test)) == (mock_split.test[c.RATING] >= 4).sum()


def test_an_unknown_protocol_names_the_nearest(mock_data):
    with pytest.raises(AicineError, match="user_temporal"):
        splits.make(mock_data, "user_temporl")


def test_too_little_data_says_so():
    with pytest.raises(AicineError, match="at least 5 ratings"):
        splits.make(data_of(ratings_of([1, 2], [1, 2])))


def recbole_parts(order, split_by):
    """RecBole's own train, validation and test of ml-100k as sets of (user, movie)."""
    from recbole.config import Config
    from recbole.data import create_dataset
    from recbole.utils import init_seed

    config = Config(
        model="Pop",
        dataset="ml-100k",
        config_dict={
            "load_col": {"inter": ["user_id", "item_id", "rating", "timestamp"]},
            "val_interval": {"rating": "[3,inf)"},
            "user_inter_num_interval": "[10,inf)",
            "item_inter_num_interval": "[10,inf)",
            "eval_args": {"split": split_by, "group_by": "user", "order": order, "mode": "full"},
            "seed": protocols.RECBOLE_SEED,
            "use_gpu": False,
        },
    )
    init_seed(config["seed"], config["reproducibility"])
    dataset = create_dataset(config)
    for part in dataset.build():
        users = dataset.id2token("user_id", part.inter_feat["user_id"].numpy()).astype(int)
        movies = dataset.id2token("item_id", part.inter_feat["item_id"].numpy()).astype(int)
        yield set(zip(users, movies, strict=True))


@pytest.mark.parametrize(
    ("protocol", "order", "split_by"),
    [
        ("recbole_general", "RO", {"RS": [8, 1, 1]}),
        ("recbole_sequential", "TO", {"LS": "valid_and_test"}),
    ],
)
def test_the_recbole_protocols_equal_recbole(recbole_runs, protocol, order, split_by):
    split = splits.make(datasets.load("ml-100k"), protocol)
    ours = [set(zip(p[c.USER], p[c.MOVIE], strict=True)) for p in (split.train, split.valid, split.test)]
    assert ours == list(recbole_parts(order, split_by))
