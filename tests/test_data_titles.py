"""A movie is found by what people type: an id, a title with its article at either end, a part of one."""

import pandas as pd
import pytest

from aicine_utils import columns as c
from aicine_utils.data import titles
from aicine_utils.errors import AicineError

MOVIES = pd.DataFrame(
    [
        (1, "Heat", 1995),
        (2, "Heathers", 1989),
        (3, "Cape Fear", 1962),
        (4, "Cape Fear", 1991),
        (5, "The Usual Suspects", 1995),
        (6, "Me, Myself & Irene", 2000),
        (7, "Me", pd.NA),
        (8, "I, Robot, or Not", 2004),
        (12, "Twelve (of Them)", 1970),
    ],
    columns=[c.MOVIE, c.TITLE, c.YEAR],
).astype({c.YEAR: "Int16"})


@pytest.mark.parametrize(
    ("text", "movie"),
    [
        ("heat", 1),
        (" Heat ", 1),
        ("Heat (1995)", 1),
        ("heath", 2),
        ("Cape Fear (1962)", 3),
        ("cape fear (1991)", 4),
        ("4", 4),
        ("Usual Suspects, The (1995)", 5),
        ("usual suspects, the", 5),
        ("The Usual Suspects", 5),
        ("suspects", 5),
        ("me", 7),
        ("(of", 12),
        ("12", 12),
    ],
)
def test_found(text, movie):
    assert titles.find_movie(text, MOVIES)[c.MOVIE] == movie


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Cape Fear",
            "2 movies fit 'Cape Fear': Cape Fear (1962) [id 3], Cape Fear (1991) [id 4]. Give the whole title",
        ),
        ("hea", "2 movies fit 'hea': Heat (1995) [id 1], Heathers (1989) [id 2]."),
        ("Heet", "Unknown movie 'Heet'. Nearest: Heat (1995) [id 1], Heathers (1989) [id 2]. Give a title"),
        ("Heat (1996)", "Unknown movie 'Heat (1996)'. Nearest: Heat (1995) [id 1], Heathers"),
        ("99", "Unknown movie '99'. Ids go from 1 to 12. Give a title, a part of one, or a movie_id."),
    ],
)
def test_none_or_several_are_an_error_that_names_the_near_ones(text, said):
    with pytest.raises(AicineError) as error:
        titles.find_movie(text, MOVIES)
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Heat,Heathers", ["Heat", "Heathers"]),
        ("1, 2,suspects,", ["1", "2", "suspects"]),
        ("Usual Suspects, The (1995),Heat", ["Usual Suspects, The (1995)", "Heat"]),
        ("Heat, Usual Suspects, The", ["Heat", "Usual Suspects, The"]),
        ("me, myself & irene, Me, Heat", ["me, myself & irene", "Me", "Heat"]),
        ("I, Robot, or Not (2004)", ["I, Robot, or Not (2004)"]),
        ("Suspects, The; Heat, Heathers;", ["Suspects, The", "Heat, Heathers"]),
        (" , ", []),
    ],
)
def test_commas_within_a_whole_title_separate_nothing(text, parts):
    assert titles.split_titles(text, MOVIES) == parts


def test_a_movie_is_named_with_its_year_where_that_is_known():
    assert [titles.named(MOVIES.iloc[row]) for row in (0, 6)] == ["Heat (1995)", "Me"]
