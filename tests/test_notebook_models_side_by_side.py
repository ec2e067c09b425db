"""What notebooks 03 and 04 show of several models at once: phrases of comparison, shelves, neighbours, reasons."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from aicine_utils import columns as c
from aicine_utils import notebook as nb


@pytest.fixture
def study():
    return nb.open_study("03_content_based", "mock", "mock")


@pytest.fixture
def shown(monkeypatch):
    """What would be displayed, as text."""
    pages = []
    monkeypatch.setattr(nb, "display", lambda page: pages.append(page.data))
    return pages


def result(name, values):
    """A run that has these values, whatever the metric."""
    return SimpleNamespace(name=name, values=lambda *_: pd.Series(values))


def test_versus_says_who_is_ahead_by_the_paired_interval():
    low, high = result("random", [0.1, 0.2, 0.3, 0.4]), result("ease", [0.21, 0.3, 0.41, 0.5])
    # Differences .11, .1, .11, .1: mean .105, standard error .0028868, t quantile with 3 degrees 3.182446.
    assert nb.versus(high, low) == "EASE is ahead of Random by 0.105 [0.096, 0.114]"
    assert nb.versus(low, high) == "Random is behind EASE by 0.105 [0.096, 0.114]"
    assert nb.gap(low, high).difference == pytest.approx(-0.105)
    level = result("ease", [0.2, 0.1, 0.4, 0.31])
    assert nb.versus(level, low).startswith("EASE can't be told apart from Random (difference 0.00")


def test_numbers_have_no_negative_zero():
    assert nb.number(-0.0001, -0.0002, 0.4) == "0.000 [0.000, 0.400]"


def test_shelves_have_the_means_of_by_popularity(study):
    results = study.run(["popularity", "item_knn"])
    long, wide = study.by_shelf(results), study.by_popularity(results).set_index("label")
    for row in long.itertuples():
        assert row.value == pytest.approx(wide.loc[row.label, f"recall_{row.group}"])
        assert row.value_low <= row.value <= row.value_high
    assert long.groupby("label")["group"].apply(list).map(lambda g: g[:3] == ["head", "torso", "tail"]).all()


def test_well_known_movies_and_their_neighbours(study):
    counts = study.split.for_test().train[c.MOVIE].value_counts()
    first = study.well_known(1)[0]
    assert counts[first] == counts.max()
    results = study.run(["item_knn", "content_tfidf"])
    table = study.similar(results, first, n=3)
    assert table["rank"].tolist() == [1, 2, 3]
    nearest = results["item_knn"].model().similar(first, 3)[c.MOVIE]
    assert table["Item k-NN"].tolist() == [study.title(movie) for movie in nearest]
    assert study.title(10**9) == "movie 1000000000"


def test_reasons_are_shown_with_what_was_liked(study, shown):
    results = study.run(["item_knn"])
    relevant = study.split.relevant(study.split.test)
    top = results["item_knn"].topk.query("rank <= 10").merge(relevant)
    user = int(top[c.USER].iloc[0])
    study.show_reasons(results["item_knn"], user)
    assert f"Item k-NN for user {user}" in shown[-1]
    table = pd.read_csv(study.table_path(f"reasons_item_knn_{user}"))
    assert table["title"].str.startswith("★ ").sum() == (top[c.USER] == user).sum()
    watched = study.split.history.loc[study.split.history[c.USER] == user, c.MOVIE].map(study.title)
    assert np.isin(table["reason"], watched).all()


def test_curves_are_the_search_s_where_it_counted_the_passes(study, monkeypatch):
    own = pd.DataFrame({"epoch": [1, 2], "loss": [3.0, 2.0], "ndcg@10": [0.1, 0.2]})
    results = {"gru": SimpleNamespace(name="gru", curve=own), "mlp": SimpleNamespace(name="mlp", curve=own[["loss"]])}
    kept = {"mlp": {"metric": "rmse", "curve": [1.2, 1.1, 1.15]}}
    monkeypatch.setattr(nb.settings, "winner", lambda name, dataset, protocol: kept.get(name, {}))
    curves = study.curves(results)
    assert curves.loc[curves["label"] == "GRU (held out)", ["epoch", "ndcg@10"]].to_numpy().tolist() == [
        [1, 0.1],
        [2, 0.2],
    ]
    searched = curves.loc[curves["label"] == "MLP for stars", ["epoch", "rmse"]]
    assert searched.to_numpy().tolist() == [[1, 1.2], [2, 1.1], [3, 1.15]]
