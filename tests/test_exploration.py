"""Effects by hand and against other libraries; every claim turns when the data do, or stays open."""

import math

import numpy as np
import pandas as pd
import pytest
from exploration_cases import movies, table, users, verdicts
from scipy import stats
from sklearn.metrics import roc_auc_score

from aicine_utils import columns as c
from aicine_utils.data.movielens import MovieLens
from aicine_utils.exploration import effects, genres, people, pictures, releases
from aicine_utils.exploration.effects import NOT_SUPPORTED, OPEN, SUPPORTED, Effect


def swapped(data):
    """The same data, women and men exchanged."""
    return MovieLens(data.ratings, data.movies,
                     data.users.assign(gender=data.users[c.GENDER].map({"M": "F", "F": "M"})), data.info)  # fmt: skip


@pytest.fixture(scope="module")
def men_more():
    """80 men with 6 to 9 ratings of Action, 4 or 5 stars; 20 women with 2 to 3 of Drama, 1 or 2 stars; all 25-34."""
    rows = []
    for user in range(1, 101):
        man = user <= 80
        count = 6 + user % 4 if man else 2 + user % 2
        rows += [(user, (0 if man else 10) + i + 1, (4 if man else 1) + (user + i) % 2, user + i) for i in range(count)]
    films = movies([["Action"]] * 10 + [["Drama"]] * 10)
    return MovieLens(table(rows), films, users(["M"] * 80 + ["F"] * 20), {"name": "tiny"})


# Effects


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        (Effect(0.6, 0.55, 0.65), SUPPORTED),
        (Effect(0.4, 0.35, 0.45), NOT_SUPPORTED),
        (Effect(0.52, 0.48, 0.56), OPEN),
        (Effect(0.6, 0.5, 0.7), OPEN),
        (Effect(0.6, 0.55, 0.65, p=0.05), OPEN),
        (Effect(0.6, 0.55, 0.65, p=0.049), SUPPORTED),
        (effects.NOTHING, OPEN),
    ],
)
def test_one_rule_gives_the_verdict(effect, verdict):
    assert effects.judge("key", "Statement", "measure", effect, 0.5).verdict == verdict


def test_wilson_interval_of_five_in_ten():
    found = effects.share(5, 10)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.23659, 0.76341), abs=1e-5)


def test_ratio_of_means_by_hand_and_interval_around_it():
    found = effects.ratio_of_means(np.array([2.0, 4.0] * 50), np.array([1.0, 2.0] * 50))
    assert found.value == 2.0
    assert 1.7 < found.low < 2 < found.high < 2.35
    constant = effects.ratio_of_means(np.full(30, 6.0), np.full(30, 2.0))
    assert (constant.low, constant.high) == (3, 3)


def test_resampling_in_pieces_gives_as_many_resamples(monkeypatch):
    monkeypatch.setattr(effects, "CELLS", 10)
    assert len(effects._drawn_means(np.arange(4.0), 7, np.random.default_rng(0))) == 7


def test_cliffs_delta_by_hand_and_against_other_libraries():
    assert effects.cliffs_delta([2, 3], [1, 2]).value == 0.75
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 60), rng.integers(1, 11, 40)
    found = effects.cliffs_delta(a, b)
    auc = roc_auc_score(np.r_[np.ones(60), np.zeros(40)], np.r_[a, b])
    assert found.value == pytest.approx(2 * auc - 1)
    assert found.p == stats.mannwhitneyu(a, b).pvalue
    mirrored = effects.cliffs_delta(b, a)
    assert (mirrored.value, mirrored.low, mirrored.high) == pytest.approx((-found.value, -found.high, -found.low))


def test_permutation_p_is_never_zero():
    assert effects.permutation_p(5.0, np.zeros(99)) == 0.01
    assert effects.permutation_p(0.0, np.zeros(99)) == 1.0


def test_effect_text():
    assert Effect(0.5, 0.4, 0.6).text(".0%") == "50% [40%, 60%]"
    assert Effect(math.nan, 0.4, 0.6).text(".1f") == "0.4 to 0.6"
    assert effects.NOTHING.text() == "–"


# People


def test_claims_about_men_turn_when_the_data_are_reversed(men_more):
    keys = {"men_people", "men_activity", "men_typical", "men_stars"}
    assert verdicts(people.gender_claims(men_more, 200)) == dict.fromkeys(keys, SUPPORTED)
    assert verdicts(people.gender_claims(swapped(men_more), 200)) == dict.fromkeys(keys, NOT_SUPPORTED)


def test_measures_of_men_and_women_by_hand(men_more):
    found = {claim.key: claim.effect.value for claim in people.gender_claims(men_more, 50)}
    assert found["men_people"] == 0.8
    assert found["men_activity"] == pytest.approx(7.5 / 2.5)
    assert found["men_typical"] == 1.0
    assert people.share_of_ratings(people.per_user(men_more)) == pytest.approx((0.8, 600 / 650))
    assert "Men are 80.0% of the people and give 92.3%" in people.share_text(people.per_user(men_more))


def test_age_claims_turn_with_the_ages(men_more):
    def of(ages):
        data = MovieLens(men_more.ratings, men_more.movies, users(["M"] * 100, ages), {})
        return verdicts(people.age_claims(data))

    assert of(["18-24"] * 70 + ["56+"] * 30) == {"young": SUPPORTED, "under_35": SUPPORTED}
    assert of(["18-24"] * 30 + ["56+"] * 70) == {"young": NOT_SUPPORTED, "under_35": NOT_SUPPORTED}
    assert of(["18-24"] * 10 + ["25-34"] * 70 + ["56+"] * 20) == {"young": OPEN, "under_35": SUPPORTED}
    assert of(["Under 18"] * 80 + ["56+"] * 20) == {"young": OPEN, "under_35": NOT_SUPPORTED}


def test_groups_cut_by_an_age():
    assert people.groups_within(10, 31) == (["18-24"], ["Under 18", "18-24", "25-34"])
    assert people.groups_within(18, 35) == (["18-24", "25-34"], ["18-24", "25-34"])


@pytest.mark.parametrize(
    ("ages", "needed", "word"),
    [
        (["18-24"] * 20 + ["25-34"] * 40 + ["56+"] * 40, 0.75, "75%"),
        (["18-24"] * 60 + ["25-34"] * 40, -0.25, "whoever"),
        (["25-34"] * 40 + ["56+"] * 60, 1.25, "Even if"),
    ],
)
def test_what_the_cut_group_would_have_to_be(men_more, ages, needed, word):
    data = MovieLens(men_more.ratings, men_more.movies, users(["M"] * 100, ages), {})
    assert people.needed_of_cut_group(data) == pytest.approx(needed)
    assert word in people.needed_text(data)


# Genres


def test_genre_claims_turn_when_tastes_are_alike(men_more):
    def of(data):
        return verdicts(genres.genre_claims(data, genres.genre_gap(data), genres.genre_gap(data, True)))

    assert of(men_more) == {"genre": SUPPORTED, "genre_at_same_age": SUPPORTED}
    alike = MovieLens(men_more.ratings, movies([["Action", "Drama"]] * 20), men_more.users, {})
    assert of(alike) == {"genre": NOT_SUPPORTED, "genre_at_same_age": NOT_SUPPORTED}


def test_genre_mix_counts_a_film_of_two_genres_half_in_each():
    data = MovieLens(table([(1, 1, 5, 0), (1, 2, 5, 1), (1, 3, 5, 2)]), movies([["A", "B"], ["B"], []]), None, {})
    mass = genres.genre_mass(data)
    assert list(mass.columns) == ["A", "B"]
    assert mass.loc[1].tolist() == [0.5, 1.5]


def test_gap_is_welchs_interval_and_mirrors(mock_data):
    gap = genres.genre_gap(mock_data).set_index("genre")
    mass = genres.genre_mass(mock_data)
    mix = mass.div(mass.sum(axis=1), axis=0)["Drama"]
    woman = (people.labels(mock_data, c.GENDER).reindex(mix.index) == "F").to_numpy()
    test = stats.ttest_ind(mix[woman], mix[~woman], equal_var=False)
    interval = test.confidence_interval(1 - 0.05 / len(gap))
    assert gap.loc["Drama", ["difference", "low", "high"]].tolist() == pytest.approx(
        [mix[woman].mean() - mix[~woman].mean(), interval.low, interval.high]
    )
    other = genres.genre_gap(swapped(mock_data)).set_index("genre")
    assert other["difference"].to_dict() == pytest.approx((-gap["difference"]).to_dict())


def test_a_difference_of_age_alone_vanishes_at_equal_ages():
    """The young watch A, the old B, whoever they are; women are mostly young."""
    ages = ["18-24"] * 90 + ["56+"] * 30 + ["18-24"] * 30 + ["56+"] * 90
    young = np.array(ages) == "18-24"
    rng = np.random.default_rng(0)
    rows = [
        (u + 1, m + 1 + 10 * (rng.random() > (0.9 if young[u] else 0.1)), 4, m) for u in range(240) for m in range(10)
    ]
    data = MovieLens(table(rows), movies([["A"]] * 10 + [["B"]] * 10), users(["F"] * 120 + ["M"] * 120, ages), {})
    apart, alike = genres.genre_gap(data).set_index("genre"), genres.genre_gap(data, True).set_index("genre")
    assert apart.loc["A", "difference"] == pytest.approx(0.4, abs=0.03)
    assert alike.loc["A", "difference"] == pytest.approx(0.0, abs=0.03)
    assert alike.loc["A", "low"] < 0 < alike.loc["A", "high"]


def test_largest_difference_takes_the_bound_nearest_to_zero():
    gap = pd.DataFrame({"difference": [0.03, -0.02], "low": [-0.01, -0.025], "high": [0.07, -0.015]})
    assert genres.largest(gap) == Effect(0.03, 0.015, 0.07)


def test_cramers_v_by_hand_and_against_scipy():
    assert genres.cramers_v(np.array([10.0, 0]), np.array([10.0, 10])) == pytest.approx(1)
    assert genres.cramers_v(np.array([5.0, 5]), np.array([10.0, 10])) == 0
    counts = np.array([[12, 5, 9], [3, 14, 7]])
    ours = genres.cramers_v(counts[0].astype(float), counts.sum(axis=0))
    assert ours == pytest.approx(stats.contingency.association(counts, "cramer"))


def test_association_is_chance_when_it_is(men_more, mock_data):
    v, chance, p = genres.association(men_more, 200)
    assert v == pytest.approx(1)
    assert v > chance
    assert p == pytest.approx(1 / 201)
    assert "a medium or large effect" in genres.association_text(men_more)
    assert all(math.isnan(x) for x in genres.association(MovieLens(mock_data.ratings, mock_data.movies, None, {})))


# Data that do not say


@pytest.mark.parametrize("missing", ["file", "unknown"])
def test_without_people_every_claim_about_them_says_so(men_more, missing):
    nobody = None if missing == "file" else users(["unknown"] * 100, ["unknown"] * 100)
    data = MovieLens(men_more.ratings, men_more.movies, nobody, {})
    plain, same_age = genres.genre_gap(data), genres.genre_gap(data, True)
    claims = [*people.gender_claims(data), *genres.genre_claims(data, plain, same_age), *people.age_claims(data)]
    assert len(claims) == 8
    assert all(claim.verdict == OPEN and people.NOT_SAID in claim.because for claim in claims)
    assert people.needed_text(data) == ""
    assert people.share_text(people.per_user(data)).startswith("Nobody says")
    assert genres.association_text(data).startswith("Without genders")
    assert all(math.isnan(part) for part in people.share_of_ratings(people.per_user(data)))
    assert pictures.verdicts(claims[-2:]) == f"**{OPEN}**: {people.NOT_SAID} how old people are"


def test_without_genres_or_years_claims_say_so(men_more):
    data = MovieLens(men_more.ratings, movies([[]] * 20, [pd.NA] * 20), men_more.users, {})
    plain, same_age = genres.genre_gap(data), genres.genre_gap(data, True)
    assert plain.empty
    assert same_age.empty
    claims = [*genres.genre_claims(data, plain, same_age), *releases.release_claims(data)]
    assert set(verdicts(claims).values()) == {OPEN}
    assert "which genres" in claims[0].because


def test_few_people_are_no_evidence(men_more):
    nine = users(["F"] * 9 + ["M"] * 91)
    claim = people.gender_claims(MovieLens(men_more.ratings, men_more.movies, nine, {}))[0]
    assert claim.verdict == OPEN
    assert "91 men and 9 women are too few" in claim.because


def test_phrase_of_verdicts_groups_them():
    claims = [
        effects.judge("a", "Xs rise", "m", Effect(2, 1.5, 2.5), 1.0, ".1f"),
        effects.cannot("young", "Ys", "m", "why"),
    ]
    assert pictures.verdicts(claims) == (
        "**can't be told** as stated (why); nearest that can be tested, **supported**: xs rise (2.0 [1.5, 2.5])"
    )
    assert pictures.claims_table(claims)["measure"].tolist() == ["m", "not measured: why"]
    in_points = effects.judge("k", "s", "m", Effect(0.023, 0.013, 0.042), 0.01, ".1pp")
    row = pictures.claims_table([in_points]).iloc[0]
    assert (row["effect"], row["threshold"]) == ("2.3 pp [1.3 pp, 4.2 pp]", "1.0 pp")
