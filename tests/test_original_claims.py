from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from exploration_cases import movies, table, users
from scipy import stats

from aicine_utils import columns as c
from aicine_utils.data.movielens import MovieLens
from aicine_utils.exploration import people
from aicine_utils.exploration.effects import Effect
from aicine_utils.findings.verdicts import verdicts
from aicine_utils.metrics import rating
from aicine_utils.study import original_claims


def predictions(errors):
    """One row a rating from {user: errors}; the truth is 3 stars."""
    rows = [(user, movie, 3.0, 3.0 + error) for user, own in errors.items() for movie, error in enumerate(own)]
    return pd.DataFrame(rows, columns=[c.USER, c.MOVIE, c.RATING, c.PREDICTED])


def rater(scale, seed=0, n=40, bias=0.0):
    rng = np.random.default_rng(seed)
    made = predictions({user: (bias + scale * rng.choice([-1, 1], 5)).tolist() for user in range(n)})
    return SimpleNamespace(predictions=made, manifest={"params": {}})


def lister(mean, seed=0, n=50, rated=None):
    """A run whose mean NDCG and Recall over users is ``mean``."""
    spread = pd.Series(np.random.default_rng(seed).normal(size=n))
    own = dict.fromkeys(("ndcg", "recall"), mean + 0.002 * (spread - spread.mean()))
    return SimpleNamespace(values=lambda metric, k=10: own[metric], predictions=rated)


def verdict(rows, key):
    return {one.key: one for one in verdicts(original_claims.table(rows))}[key]


def test_rmse_in_parts_has_the_rmse_as_its_mean():
    made = predictions({1: [1.0, -1.0, 2.0], 2: [0.5]})
    parts = rating.rmse_parts(made)
    assert parts.mean() == pytest.approx(rating.rmse(made)) == pytest.approx(np.sqrt(6.25 / 4))
    assert rating.rmse_parts(predictions({1: [0.0], 2: [0.0]})).tolist() == [0.0, 0.0]


def test_error_saved_is_a_difference_of_rmses_on_the_side_of_the_better():
    saved = original_claims.error_saved(rater(1.0), rater(0.8))
    assert saved.value == pytest.approx(0.2)
    assert original_claims.error_saved(rater(0.8), rater(1.0)).value == pytest.approx(-0.2)


def test_a_lead_is_over_the_strongest_rival_and_holds_for_all_at_once():
    values = pd.DataFrame({"ract": [0.2, 0.3, 0.4, 0.5], "ease": [0.4, 0.3, 0.6, 0.9], "bpr": [0.1, 0.1, 0.3, 0.1]})
    effect, rival = original_claims.lead(values, "ract")
    differences = np.array([-0.2, 0.0, -0.2, -0.4])  # ract less ease
    half = stats.t.ppf(1 - 0.025 / 2, 3) * differences.std(ddof=1) / 2
    assert rival == "EASE"
    assert [effect.value, effect.low, effect.high] == pytest.approx([-0.2, -0.2 - half, -0.2 + half])
    alone, _ = original_claims.lead(values[["ract", "ease"]], "ract")
    assert alone.high - alone.low < effect.high - effect.low
    assert original_claims.rivals_of(values, "ract")["model"].tolist() == ["ease", "bpr"]


def test_users_that_a_model_lacks_are_left_out_for_all():
    values = pd.DataFrame({"ract": [0.2, 0.3, 0.4, 9.0], "ease": [0.4, 0.3, 0.5, np.nan]})
    assert original_claims.lead(values, "ract")[0].value == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("svd", "other", "word"), [(0.8, 1.0, "upheld"), (1.0, 0.8, "not_upheld"), (1.0, 1.001, "not_upheld")]
)
def test_svd_has_the_least_error_only_where_it_has(svd, other, word):
    results = {"svd": rater(svd), "svdpp": rater(other), "mean_rating": rater(0.1), "ease": lister(0.1)}
    one = verdict(original_claims.svd_rows(results), "svd")
    assert one.verdict == word
    assert "the least RMSE of 1 rivals (lowest of them: SVD++ (Surprise))" in one.brief["en"]


def test_svd_without_a_rival_or_a_run_can_not_be_told():
    alone = verdict(original_claims.svd_rows({"svd": rater(1.0)}), "svd")
    assert (alone.verdict, alone.brief["en"]) == ("open", "Can't be told: no rival was run.")
    absent = verdict(original_claims.svd_rows({"svdpp": rater(1.0)}), "svd")
    assert absent.brief["en"] == "Can't be told: the model was not run."


def test_svd_among_the_studys_own_stands_beside_the_claim():
    results = {"svd": rater(0.9), "svdpp": rater(0.8), "mlp": rater(1.0)}
    one = verdict(original_claims.svd_rows(results), "svd")
    assert one.verdict == "not_upheld"
    assert "among the study's own kinds of model (the strongest is MLP for stars), upheld (0.100" in one.text["en"]


@pytest.mark.parametrize(("theirs", "word"), [(0.7, "upheld (0.100"), (0.85, "not upheld (-0.050")])
def test_svd_as_the_study_set_it_stands_beside_the_claim(theirs, word):
    results = {"svd": rater(0.9), "svdpp": rater(0.8), "mlp": rater(1.0)}
    one = verdict(original_claims.svd_rows(results, rater(theirs)), "svd")
    assert "as the study's search, which saw all ratings, sets SVD (the strongest of 2" in one.text["en"]
    assert f"rivals is SVD++ (Surprise)), {word}" in one.text["en"]


@pytest.mark.parametrize(
    ("ract", "ease", "bpr", "word"),
    [
        (0.3, 0.2, 0.1, "upheld"),
        (0.2, 0.3, 0.1, "not_upheld"),
        (0.2049, 0.2, 0.1, "open"),
        (0.201, 0.2, 0.1, "not_upheld"),
    ],
)
def test_ract_is_best_only_where_it_leads_all(ract, ease, bpr, word):
    results = {"ract": lister(ract), "ease": lister(ease, 1), "bpr": lister(bpr, 2)}
    one = verdict(original_claims.ract_rows(results), "ract")
    assert one.verdict == word
    assert "by NDCG among the study's own models (the strongest is BPR), upheld" in one.text["en"]


@pytest.mark.parametrize(("vae", "word"), [(0.1, "upheld"), (0.3, "not_upheld"), (0.2, "not_upheld"), (0.1951, "open")])
def test_ract_against_its_autoencoder(vae, word):
    rows = original_claims.vae_rows({"ract": lister(0.2), "multivae": lister(vae, 1)}, lister(0.1, 2))
    one = verdict(rows, "vae")
    assert one.verdict == word
    assert "the critic's advice alone, RaCT with it less RaCT without, upheld" in one.text["en"]
    assert verdict(original_claims.vae_rows({"ract": lister(0.2)}), "vae").brief["en"].endswith("was not run.")


@pytest.mark.parametrize(
    ("reported", "svd", "word"),
    [(0.5, 0.8, "not_upheld"), (0.5, 1.2, "upheld"), (-0.1, 0.8, "upheld"), (0.5, 1.0, "not_upheld")],
)
def test_the_studys_number_is_judged_by_the_choice_it_leads_to(reported, svd, word):
    """It prefers always the mean (0 here) to whatever has learned something, which is right where SVD errs more."""
    row = original_claims.number_row(reported, 0.0, rater(svd), rater(1.0))
    assert verdict([row], "number").verdict == word


def data(catalogue=None, crowd=None, n=30):
    rows = [(user, movie, 3 + (user + movie) % 3, 10 * movie) for user in range(1, n + 1) for movie in range(1, 11)]
    info = {"fingerprint": "x", "rating_scale": (1, 5)}
    return MovieLens(table(rows), movies([[]] * 10) if catalogue is None else catalogue, crowd, info)


def test_without_people_genres_or_years_each_claim_says_what_is_missing():
    rows = original_claims.exploration(data(), 50)
    found = {one.key: one for one in verdicts(original_claims.table(rows))}
    assert {key: one.brief["en"].removeprefix("Can't be told: the data have no ") for key, one in found.items()} == {
        "men": "genders.", "genre": "genders.", "young": "ages.", "follow": "genres.",
    }  # fmt: skip
    assert {one.verdict for one in found.values()} == {"open"}


def test_what_is_there_is_judged_and_only_the_rest_is_missing():
    crowd = users(["F", "M"] * 15, ["18-24"] * 30)
    genres = [["Drama"] if n < 5 else ["War"] for n in range(10)]
    rows = original_claims.exploration(data(movies(genres), crowd), 50)
    found = {one.key: one for one in verdicts(original_claims.table(rows))}
    assert found["young"].verdict == "upheld"
    assert found["men"].verdict == "open"
    assert found["genre"].verdict == "not_upheld"
    assert "too few films came out while people rated" in found["follow"].brief["en"]
    nameless = data(movies(genres).assign(**{c.YEAR: pd.array([None] * 10, "Int16")}), crowd)
    assert original_claims.lacking(nameless, "follow") == "no_years"
    assert original_claims.lacking(data(movies(genres), users(["F"] * 30)), "men") == "few_people"


@pytest.mark.parametrize(("group", "word"), [("18-24", "upheld"), ("50-55", "not_upheld"), ("25-34", "open")])
def test_verdicts_on_people_are_those_of_the_page_that_shows_them(group, word):
    crowd = users(["F", "M"] * 15, [group] * 30)
    theirs = {claim.key: claim.verdict for claim in people.age_claims(data(crowd=crowd))}
    ours = verdict(original_claims.exploration_rows(data(crowd=crowd), people.age_claims(data(crowd=crowd))), "young")
    assert (
        ours.verdict
        == word
        == theirs["young"]
        .replace("not supported", "not_upheld")
        .replace("supported", "upheld")
        .replace("can't be told", "open")
    )


def test_every_part_has_its_sentences():
    from aicine_utils import settings

    said = settings.read_yaml(settings.CONFIGS / "sentences.yaml")
    stated = {name for name, part in original_claims.PARTS.items() if part.role == "stated"}
    assert stated == set(said["original_measure"])
    assert set(original_claims.PARTS) - stated == set(said["original_beside"])
    assert {part.claim for part in original_claims.PARTS.values()} == set(said["original_claim"])


def pattern(variance=0.1, genres=0.1, fewer=1.0, more=0.8):
    gains = {"genres": Effect(genres, genres - 0.005, genres + 0.005), "plane": Effect(0.0, -0.001, 0.001)}
    effect = Effect(variance, variance - 0.005, variance + 0.005)
    pairs = {"dimensions": (rater(fewer), rater(more)), "tuned": (rater(1.0), rater(more)),
             "more_dimensions": (rater(1.0), rater(1.0))}  # fmt: skip
    return verdict(original_claims.pattern_rows(data(), effect, 20, gains, pairs), "pattern")


def test_dimension_reduction_needs_all_three_respects():
    assert pattern().verdict == "upheld"
    assert pattern(variance=0.001).verdict == "not_upheld"
    assert pattern(genres=-0.1).verdict == "not_upheld"
    assert pattern(more=1.2).verdict == "not_upheld"
    assert pattern(genres=0.008).verdict == "open"


def test_dimension_curve_starts_at_the_model_without_any():
    runs = [rater(0.9), rater(0.8)]
    for n, run in zip((2, 10), runs, strict=True):
        run.manifest["params"]["n_factors"] = n
    table = original_claims.dimension_curve(rater(1.0), runs)
    assert table["dimensions"].tolist() == [0, 2, 10]
    assert table["saved"].tolist() == pytest.approx([0.0, 0.1, 0.2])
