"""The replay: windows by hand, and ways that must agree where nothing or everything is learned."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from aicine_utils import columns as c
from aicine_utils import settings
from aicine_utils.feedback import reading, replay, service
from aicine_utils.feedback.update import update
from aicine_utils.models import registry
from aicine_utils.models.linear import EASE
from aicine_utils.models.popularity import Views

DAY = 86_400


def ratings_of(rows):
    frame = pd.DataFrame(rows, columns=[c.USER, c.MOVIE, c.RATING, c.TIMESTAMP])
    return frame.astype({c.RATING: "float32"}).assign(timestamp=pd.to_datetime(frame[c.TIMESTAMP], unit="s"))


def learned(model, history):
    return SimpleNamespace(model=model, history=history, seconds=0.5)


def refit(model, new, history):
    """The update of a model that has none: from zero."""
    both = pd.concat([history.train, new]).sort_values([c.USER, c.TIMESTAMP], kind="stable", ignore_index=True)
    after = replay.known_until(history, both)
    return learned(type(model)(model.seed, **model.params).fit(after), after)


def nothing(model, new, history):
    return learned(model, history)


@pytest.fixture
def parts(mock_split):
    everything = pd.concat([mock_split.history, mock_split.test], ignore_index=True)
    return replay.windows(everything, most=5, otherwise=5)


def test_windows_are_whole_days_after_the_cut_and_empty_ones_are_left_out():
    times = [0, 10, 20, 30, 40, 50, 60, 70, 70 + 1, 70 + 2 * DAY + 1]
    ratings = ratings_of([(i % 2, i, 4, second) for i, second in enumerate(times)])
    found = replay.windows(ratings, share=0.2)
    assert [(part.days, len(part.now), len(part.before)) for part in found] == [(1, 1, 8), (1, 1, 9)]
    assert found[0].now[c.MOVIE].tolist() == [8]
    assert [part.start for part in found] == [pd.Timestamp(70, unit="s"), pd.Timestamp(70 + 2 * DAY, unit="s")]
    (longer,) = replay.windows(ratings, share=0.2, most=2, otherwise=1)
    assert (longer.days, len(longer.now)) == (3, 2)


def test_every_rating_after_the_cut_is_replayed_once_and_follows_what_was_before(parts, mock_data):
    replayed = pd.concat([part.now for part in parts])
    assert len(parts[0].before) + len(replayed) == len(mock_data.ratings)
    assert not replayed.duplicated([c.USER, c.MOVIE]).any()
    for part in parts:
        assert part.before[c.TIMESTAMP].max() < part.now[c.TIMESTAMP].min()
    assert len(replayed) == pytest.approx(0.2 * len(mock_data.ratings), rel=0.05)


def test_ratings_of_one_time_have_no_windows():
    assert replay.windows(ratings_of([(1, 1, 4, 5), (1, 2, 4, 5), (2, 1, 4, 5)])) == []


def test_frozen_equals_updated_when_nothing_is_learned(mock_split, parts):
    values = replay.run(mock_split, parts, EASE().fit, nothing, refits=False)
    wide = values[values["measure"] == replay.NDCG].pivot(index=["window", c.USER], columns="way", values=c.VALUE)
    assert set(wide) == {replay.FROZEN, replay.UPDATED}
    assert wide[replay.FROZEN].equals(wide[replay.UPDATED])
    assert wide[replay.FROZEN].gt(0).any()


def test_updated_equals_refitted_when_the_update_is_exact(mock_split, parts):
    values = replay.run(mock_split, parts, lambda split: EASE().fit(split), refit).assign(model="ease", label="EASE")
    found = replay.summary(values, 50).iloc[0]
    assert found["left"] == found["left_low"] == found["left_high"] == 0
    assert found[replay.UPDATED] != found[replay.FROZEN]
    assert found["gain"] == pytest.approx(found[replay.UPDATED] - found[replay.FROZEN])
    first = values[(values["window"] == 0) & (values["measure"] == replay.NDCG)].groupby("way")[c.VALUE].mean()
    assert first.nunique() == 1  # before the first window all ways are one model


def test_lists_of_a_frozen_model_leave_out_what_it_has_not_seen_being_watched(mock_split, parts):
    frozen = Views().fit(replay.known_until(mock_split, parts[0].before))
    last = parts[-1].before
    lists = replay.recommend(frozen, mock_split.user_ids, last)
    assert not lists.merge(last, on=[c.USER, c.MOVIE]).size
    assert (lists.groupby(c.USER).size() == 10).all()


def test_ndcg_of_a_list_by_hand(mock_split, parts):
    frozen = Views().fit(replay.known_until(mock_split, parts[0].before))
    order = frozen.movie_ids_[np.argsort(-frozen.movie_scores_, kind="stable")]
    liked = pd.DataFrame({c.USER: mock_split.user_ids[0], c.MOVIE: order[[2, 40]]})
    found = replay.ndcg(frozen, parts[0].before.iloc[:0], liked)
    assert found[c.VALUE].tolist() == pytest.approx([(1 / 2) / (1 + 1 / np.log2(3))])


def test_someone_unknown_gets_what_is_watched_most(mock_split, parts):
    known = parts[0].before[parts[0].before[c.USER] > 3]
    model = EASE().fit(replay.known_until(mock_split, known))
    seen = pd.DataFrame({c.USER: [1], c.MOVIE: model.movie_ids_[[np.argmax(model.views_)]]})
    lists = replay.recommend(model, np.array([5, 1]), seen)
    order = model.movie_ids_[np.argsort(-model.views_, kind="stable")]
    assert lists.loc[lists[c.USER] == 1, c.MOVIE].tolist() == order[1:11].tolist()
    own = model.recommend([5], 10, exclude_seen=False)
    pd.testing.assert_series_equal(lists.loc[lists[c.USER] == 5, c.MOVIE], own[c.MOVIE], check_index=False)


def test_kinds_of_people():
    kinds = replay._kinds(np.array([1, 2, 3]), np.array([1]), np.array([1, 2]))
    assert kinds.tolist() == [replay.KNOWN, replay.BACK, replay.FIRST]


def table(rows):
    frame = pd.DataFrame(rows, columns=["way", "window", c.USER, c.VALUE])
    return frame.assign(model="m", label="M", kind=replay.KNOWN, measure=replay.NDCG)


def test_summary_is_over_people_and_not_over_their_windows():
    values = table([
        ("frozen", 0, 1, 0.0), ("frozen", 1, 1, 0.4), ("frozen", 0, 2, 1.0),
        ("updated", 0, 1, 0.0), ("updated", 1, 1, 1.0), ("updated", 0, 2, 1.0),
    ])  # fmt: skip
    found = replay.summary(values, 100).iloc[0]
    assert found[["n_users", "frozen", "updated", "gain"]].tolist() == pytest.approx([2, 0.6, 0.75, 0.15])
    assert (found["gain_low"], found["gain_high"]) == pytest.approx((0.0, 0.3))


def test_stretches_hold_about_as_many_people_each():
    values = table([(way, w, u, float(w)) for way in ("frozen", "updated") for w in range(4) for u in range(5)])
    found = replay.over_time(values, stretches=2, resamples=10)
    assert found.loc[found["way"] == "frozen", ["first", "last", "value"]].to_numpy().tolist() == [
        [0, 1, 0.5],
        [2, 3, 2.5],
    ]
    assert (found.loc[found["way"] == "gain", "value"] == 0).all()


def test_costs_add_up_what_came_after_the_first_fit():
    rows = [("frozen", 0, 5.0), ("updated", 0, 0.0), ("refitted", 0, 0.0), ("frozen", 1, 0.0), ("updated", 1, 0.1),
            ("refitted", 1, 4.0), ("frozen", 2, 0.0), ("updated", 2, 0.3), ("refitted", 2, 6.0)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["way", "window", c.VALUE]).assign(model="m", label="M", measure=replay.SECONDS)
    found = replay.costs(frame).iloc[0]
    assert found[["fit", "updated", "refitted"]].tolist() == pytest.approx([5.0, 0.4, 10.0])
    assert found[["updated_once", "refitted_once"]].tolist() == pytest.approx([0.2, 5.0])


BEFORE = [(1, 10, 4, 0), (1, 11, 2, 1), (2, 10, 5, 2)]
AFTER = [(1, 12, 5, 10), (1, 13, 3, 11), (1, 14, 4, 12), (3, 10, 5, 13), (3, 11, 4, 14)]


def test_moments_are_liked_ratings_with_something_before_them(mock_split):
    found = reading.moments(mock_split, ratings_of(BEFORE), ratings_of(AFTER))
    assert found[[c.USER, c.MOVIE, "at", "cut", "start"]].to_numpy().tolist() == [
        [1, 12, 2, 2, 0], [1, 14, 4, 2, 0], [3, 11, 1, 0, 6],
    ]  # fmt: skip
    assert len(reading.moments(mock_split, ratings_of(BEFORE), ratings_of(AFTER), most=1)) == 2


class Reader(Views):
    """Notes what it is given to read."""

    def score_histories(self, histories):
        self.read = [list(map(int, history)) for history in histories]
        return super().score_histories(histories)


@pytest.mark.parametrize(
    ("delay", "read"),
    [(0, [[10, 11], [10, 11, 12, 13], [10]]), (1, [[10], [10, 11, 12], []]), (reading.NEVER, [[10, 11], []])],
)
def test_the_last_ratings_are_withheld_and_what_several_moments_read_is_scored_once(mock_split, delay, read):
    model = Reader().fit(mock_split)
    reading.by_delay({"reader": model}, mock_split, ratings_of(BEFORE), ratings_of(AFTER), delays=[delay])
    assert model.read == read


def test_what_is_lost_is_paired_with_reading_at_once():
    rows = [(0, 1, 0.5), (0, 2, 0.3), (5, 1, 0.4), (5, 2, 0.0)]
    values = pd.DataFrame(rows, columns=["delay", c.USER, c.VALUE]).assign(model="m", label="M")
    found = reading.losses(values, 100).set_index("delay")
    assert found.loc[0, ["lost", "lost_low", "lost_high"]].tolist() == [0, 0, 0]
    assert found.loc[5, ["value", "lost", "lost_low", "lost_high"]].tolist() == pytest.approx([0.2, 0.2, 0.1, 0.3])


def test_the_update_of_ease_keeps_up_with_a_refit(mock_split, parts):
    values = replay.run(mock_split, parts, lambda split: EASE(regularisation=20.0).fit(split)).assign(
        model="ease", label="EASE"
    )
    found = replay.summary(values, 50).iloc[0]
    assert found[["left", "left_low", "left_high"]].tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    assert found["gain"] != 0


def test_a_window_without_ratings_changes_nothing(mock_split, parts):
    history = replay.known_until(mock_split, parts[0].before)
    model = EASE(regularisation=20.0).fit(history)
    done = update(model, parts[0].now.iloc[:0], history)
    lists = [replay.recommend(one, mock_split.user_ids, parts[0].before) for one in (model, done.model)]
    pd.testing.assert_frame_equal(*lists)


def test_models_of_the_registry_side_by_side(mock_split, parts):
    told = []
    values = service.run_all(mock_split, parts, ["recent_popularity", "ease"], processes=1, watch=told.append)
    assert [line.split(":")[0] for line in told] == ["Most watched lately", "EASE"]
    assert set(values.loc[values["model"] == "ease", "measure"]) == {replay.NDCG, replay.SECONDS, reading.NEXT}
    assert reading.NEXT not in set(values.loc[values["model"] == "recent_popularity", "measure"])
    lost = reading.losses(values[values["measure"] == reading.NEXT], 20)
    assert lost["delay"].tolist() == [-1, 0, 1, 5, 20]


def test_models_in_processes_of_their_own_are_those_in_one(mock_split, parts):
    names = ["recent_popularity", "ease"]
    one, two = (service.run_all(mock_split, parts[:2], names, processes=n, watch=lambda _: None) for n in (1, 2))
    same = one["measure"] != replay.SECONDS
    pd.testing.assert_frame_equal(one[same], two[same])


@pytest.mark.parametrize(("name", "searched"), [("ease", False), ("sasrec", True)])
def test_only_a_network_has_searched_settings(name, searched, monkeypatch):
    """Every other search may have seen what is replayed."""
    made = []
    monkeypatch.setattr(registry.entry(name).model_class, "fit", lambda model, split: made.append(model.params))
    service.maker(name, SimpleNamespace(info={"dataset": "ml-100k"}, protocol="user_temporal"))(None)
    defaults = settings.model_config(name)["params"]
    assert all(made[0][key] == value for key, value in defaults.items()) == (not searched)


def test_one_person_makes_no_replay(mock_split):
    times = ratings_of([*BEFORE, *((1, movie, 5, 10 + movie) for movie in (12, 13))])
    assert replay.windows(times)
    assert service.windows(mock_split, times) == []
    assert service.windows(mock_split, ratings_of([(u, m, 5, 9) for u in (1, 2) for m in (1, 2)])) == []


def test_two_people_make_one(mock_split):
    times = ratings_of([*BEFORE * 3, (1, 12, 5, 10), (2, 13, 5, 11)])
    assert len(service.windows(mock_split, times)) == 1
