"""What the first days after a cut say of a model that is behind after many."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from aicine_utils.study import ageing

DAY = pd.Timedelta(days=1)


class Cut:
    """A test of two people who like film 1 on day 0, and film 2 on day 40."""

    def __init__(self, people: int = 12):
        self.test = pd.DataFrame({
            "user_id": np.repeat(np.arange(people), 2), "movie_id": [1, 2] * people, "rating": 5.0,
            "timestamp": [pd.Timestamp(0) + days * DAY for days in (0, 40)] * people,
        })  # fmt: skip

    def relevant(self, rows):
        return rows[["user_id", "movie_id"]]


def showing(movie: int, people: int = 12) -> SimpleNamespace:
    """A run whose lists hold one film."""
    return SimpleNamespace(topk=pd.DataFrame({"user_id": range(people), "movie_id": movie, "rank": 1}))


def test_only_what_was_liked_early_counts():
    values = ageing.early({"gru": showing(1), "ease": showing(2)}, Cut())
    assert values["GRU"].tolist() == [1.0] * 12
    assert values["EASE"].tolist() == [0.0] * 12
    both = ageing.early({"gru": showing(1), "ease": showing(2)}, Cut(), days=40)
    assert both["GRU"].tolist() == [1.0] * 12
    assert ageing.early({"gru": showing(1), "ease": showing(2)}, Cut(), days=41).empty  # no early part of the test
    assert ageing.early({"gru": showing(1)}, Cut(people=9)).empty


@pytest.mark.parametrize(
    ("lead", "said"),
    [(-0.1, "GRU is behind from the start"), (0.1, "GRU is ahead while it is young"), (0.0, "can't be told")],
)
def test_the_sentence_turns_with_the_lead(lead, said):
    rng = np.random.default_rng(0)
    values = pd.DataFrame({"EASE": rng.random(200)}).assign(GRU=lambda t: t["EASE"] + rng.normal(lead, 0.05, 200))
    assert said in ageing.told(values, "GRU", "EASE")
    assert "(200 people)" in ageing.told(values, "GRU", "EASE")
    assert ageing.told(values, "GRU", "GRU") == ageing.told(pd.DataFrame(), "GRU", "EASE") == ""
