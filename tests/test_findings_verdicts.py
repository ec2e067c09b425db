import io
import math

import pandas as pd
import pytest
from report_samples import CARD, PROVENANCE, leaderboard, status, statuses

from aicine_utils import settings
from aicine_utils.exploration.effects import NOTHING, Effect
from aicine_utils.findings.verdicts import case_of, judged, number_of, summary, tally, together, verdicts
from aicine_utils.report.index import render_index
from aicine_utils.study import original_claims

NAN = math.nan
PARTS = original_claims.PARTS
CLAIMS = list(dict.fromkeys(part.claim for part in PARTS.values()))
NEUTRAL = {"men_activity": 1.0, "men_people": 0.5, "young": 0.5, "under_35": 0.5}


def evidence(side, **of_part):
    """All parts with an effect 0.2 above (side 1) or below (-1) neutral, or around it (0); some in another way."""
    sides = dict.fromkeys(PARTS, side) | of_part
    rows = [original_claims.row(name, around(NEUTRAL.get(name, 0.0) + 0.2 * where), NEUTRAL.get(name, 0.0), "EASE", 7)
            for name, where in sides.items()]  # fmt: skip
    return original_claims.table(rows)


def around(value):
    return Effect(value, value - 0.1, value + 0.1)


def words(table):
    return {one.key: one.verdict for one in verdicts(table)}


@pytest.mark.parametrize(
    ("effect", "case"),
    [
        ({"value": 0.02, "low": 0.01, "high": 0.03}, "upheld"),
        ({"value": 0.02, "low": 0.01, "high": 0.03, "smallest": 0.015}, "upheld"),
        ({"value": 0.02, "low": 0.01, "high": 0.03, "smallest": 0.025}, "between"),
        ({"value": 0.02, "low": 0.01, "high": 0.03, "smallest": 0.05}, "small"),
        ({"value": 0.0, "low": -0.01, "high": 0.01, "smallest": 0.05}, "small"),
        ({"value": 0.0, "low": -0.01, "high": 0.01, "smallest": 0.05, "p": 0.9}, "small"),
        ({"value": 0.0, "low": -0.01, "high": 0.01}, "between"),
        ({"value": -0.02, "low": -0.03, "high": -0.01}, "opposite"),
        ({"value": -0.02, "low": -0.03, "high": -0.01, "smallest": 0.05}, "opposite"),
        ({"value": -0.02, "low": -0.03, "high": -0.01, "p": 0.2}, "chance"),
        ({"value": 0.02, "low": 0.01, "high": 0.03, "p": 0.2}, "chance"),
        ({"value": 0.02, "low": 0.01, "high": 0.03, "p": 0.01}, "upheld"),
        ({"value": 0.7, "low": 0.6, "high": 0.8, "neutral": 0.5}, "upheld"),
        ({"value": 0.3, "low": 0.2, "high": 0.4, "neutral": 0.5}, "opposite"),
        ({"value": NAN, "low": 0.2, "high": 0.4, "neutral": 0.5}, "opposite"),
        ({"value": NAN, "low": 0.2, "high": 0.6, "neutral": 0.5}, "between"),
        ({"value": NAN, "low": 0.6, "high": 0.8, "neutral": 0.5}, "upheld"),
        ({"value": NAN, "low": NAN, "high": NAN}, "missing"),
    ],
)
def test_the_rule(effect, case):
    assert case_of(**effect) == case


def test_one_respect_that_fails_sinks_a_claim_and_an_open_one_keeps_it_open():
    assert together(["upheld", "upheld"]) == "upheld"
    assert together(["upheld", "open"]) == "open"
    assert together(["open", "not_upheld", "upheld"]) == "not_upheld"
    assert together([]) == "open"


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize(("side", "verdict"), [(1, "upheld"), (-1, "not_upheld"), (0, "open")])
def test_every_claim_says_what_the_data_say(claim, side, verdict):
    one = next(one for one in verdicts(evidence(side)) if one.key == claim)
    assert one.verdict == verdict
    assert one.strength == ("open" if side == 0 else "clear")
    opening = {1: ("Upheld:", "성립:"), -1: ("Not upheld:", "성립하지 않음:"), 0: ("Can't be told:", "판별할 수 없음:")}
    assert (one.brief["en"].startswith(opening[side][0]), one.brief["ko"].startswith(opening[side][1])) == (True, True)
    said = {1: "all of it above", -1: "all of it below", 0: "which does not decide it"}[side]
    assert said in one.brief["en"]
    assert one.number.replace(" pp", "%p") in one.text["ko"]


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_turns_with_what_was_stated_and_not_with_what_stands_beside_it(claim):
    stated = [name for name, part in PARTS.items() if (part.claim, part.role) == (claim, "stated")]
    beside = [name for name, part in PARTS.items() if (part.claim, part.role) == (claim, "beside")]
    assert stated
    for name in stated:
        assert words(evidence(1, **{name: -1}))[claim] == "not_upheld"
        assert words(evidence(1, **{name: 0}))[claim] == "open"
    assert words(evidence(1, **dict.fromkeys(beside, -1)))[claim] == "upheld"
    turned = next(one for one in verdicts(evidence(1, **dict.fromkeys(beside, -1))) if one.key == claim)
    assert turned.text["en"].count("not upheld") == len(beside)
    assert turned.brief["en"].count("not upheld") == len(beside)  # the short form hides none that says the opposite
    plain = next(one for one in verdicts(evidence(1, **dict.fromkeys(beside, 0))) if one.key == claim)
    assert "Beside it" not in plain.brief["en"]


def test_a_bound_that_is_near_an_edge_is_written_so_that_one_sees_on_which_side_it_lies():
    row = pd.Series({"value": -0.011, "low": -0.022, "high": -0.0003, "neutral": 0.0, "smallest": 0.0, "form": ".3f"})
    assert number_of(row) == "-0.0110 [-0.0220, -0.0003]"
    assert number_of(pd.Series({**row, "high": 0.0})) == "-0.011 [-0.022, 0.000]"


def test_a_difference_of_shares_is_written_in_points():
    row = pd.Series({"value": 0.023, "low": 0.0131, "high": 0.042, "neutral": 0.01, "smallest": 0.0, "form": ".1pp"})
    assert number_of(row) == "2.3 pp [1.3 pp, 4.2 pp]"
    assert number_of(pd.Series({**row, "low": 0.0101}), "ko") == "2.30%p [1.01%p, 4.20%p]"


def test_the_number_shown_is_the_one_that_decides():
    one = next(one for one in verdicts(evidence(1, ract_recall=-1)) if one.key == "ract")
    assert one.number == "-0.200 [-0.300, -0.100]"
    assert "Recall@10 of RaCT less the best of 7 rivals (highest of them: EASE) is -0.200" in one.brief["en"]
    assert "NDCG@10 of RaCT less the best of 7 rivals (highest of them: EASE) is 0.200" in one.brief["en"]


def test_an_effect_too_small_to_matter_says_so():
    rows = [
        original_claims.row("vae_ndcg", Effect(0.002, 0.001, 0.003)),
        original_claims.row("vae_recall", around(0.2)),
    ]
    one = verdicts(original_claims.table(rows))[0]
    assert one.verdict == "not_upheld"
    assert "0.002 [0.001, 0.003], all of it below the 0.005 that would matter" in one.brief["en"]
    assert "의미 있는 최소 크기 0.005보다 작음" in one.brief["ko"]


@pytest.mark.parametrize("reason", list(settings.read_yaml(settings.CONFIGS / "sentences.yaml")["original_missing"]))
def test_what_the_data_lack_is_said_once_in_both_languages(reason):
    rows = [original_claims.row(name, NOTHING, reason=reason) for name in ("ract_ndcg", "ract_recall", "ract_own_ndcg")]
    one = verdicts(original_claims.table(rows))[0]
    assert (one.verdict, one.number) == ("open", "–")
    assert one.text["en"].startswith("Can't be told: ")
    assert ";" not in one.text["en"]
    assert one.text == one.brief
    assert any("가" <= letter <= "힣" for letter in one.text["ko"].partition(":")[2])


@pytest.mark.parametrize("side", [1, 0, -1])
def test_every_sentence_is_filled_in_both_languages(side):
    for one in verdicts(evidence(side)):
        for text in (one.claim, one.word, one.brief, one.text):
            assert set(text) == {"en", "ko"}
            assert not any("{" in said or "nan" in said for said in text.values())
            assert any("가" <= letter <= "힣" for letter in text["ko"])


def test_bounds_alone_are_shown_as_bounds():
    rows = [original_claims.row("young", Effect(NAN, 0.2, 0.6), 0.5)]
    assert verdicts(original_claims.table(rows))[0].number == "20.0%–60.0%"


def test_a_table_read_from_csv_gives_the_same_verdicts():
    table = evidence(1, svd_all=-1)
    table.loc[table["part"] == "follow", ["value", "low", "high", "reason"]] = [NAN, NAN, NAN, "no_years"]
    kept = pd.read_csv(io.StringIO(judged(table).to_csv(index=False)), dtype={"rival": str, "reason": str})
    assert [(one.verdict, one.text) for one in verdicts(kept)] == [(one.verdict, one.text) for one in verdicts(table)]


def test_summary_has_one_row_a_claim_in_the_order_of_the_study():
    table = summary(verdicts(evidence(1, svd_all=-1)))
    assert list(table["key"]) == CLAIMS
    assert table.loc[0, "why"].startswith(
        "the least RMSE of 7 rivals (lowest of them: EASE) less that of SVD is -0.200"
    )
    assert table.loc[0, ["claim", "verdict", "number", "measured", "page"]].tolist() == [
        "SVD has the least error", "✗ not upheld", "-0.200 [-0.300, -0.100]",
        "the least RMSE of 7 rivals (lowest of them: EASE) less that of SVD", "14_original_study",
    ]  # fmt: skip


def test_measurements_are_named_in_words_and_counted_by_verdict():
    table = evidence(1, svd_all=-1)
    shown = judged(table).set_index("part")
    assert shown.loc["svd_all", "measured"] == ("the least RMSE of 7 rivals (lowest of them: EASE) less that of SVD")
    assert shown.loc["svd_all", "verdict"] == "✗ not upheld"
    assert shown.loc["svd_own", "measured"].startswith("among the study's own kinds of model")
    assert tally(verdicts(table)) == f"{len(CLAIMS) - 1} upheld, 1 not upheld, 0 can't be told"


def test_the_index_says_the_verdicts_in_both_languages(tmp_path):
    states, told = [*statuses(), status("14_original_study")], evidence(1, svd_all=-1)
    pages = render_index("ml-100k", leaderboard(), states, CARD, tmp_path, PROVENANCE, claims=told)
    en, ko = (page.read_text() for page in pages)
    assert "The original study, re-examined</h2>" in en
    assert "“SVD has the least error”</dt>" in en
    assert "Not upheld: the least RMSE of 7 rivals" in en
    assert '<a href="14_original_study.html">See: Original study</a>' in en
    assert '<a href="08_recbole_general.html">See</a>' in en
    assert "원 연구의 주장, 다시 보기</h2>" in ko
    assert "성립하지 않음: " in ko
    assert en.count("<dt>“") == ko.count("<dt>‘") == len(CLAIMS)
    without = render_index("ml-100k", leaderboard(), statuses(), CARD, tmp_path, PROVENANCE)
    assert not any("<dt>“" in page.read_text() or 'id="original"' in page.read_text() for page in without)
