"""Sentences of the feedback loop: other tables say other things, the opposite included."""

import pandas as pd
import pytest

from aicine_utils.feedback import replay
from aicine_utils.feedback.reading import NEVER
from aicine_utils.findings import feedback_loop as told

ABOVE, BELOW, OPEN = (0.2, 0.1, 0.3), (-0.2, -0.3, -0.1), (0.0, -0.1, 0.1)
NEVER_TRIED = (float("nan"),) * 3


def rows(name, *ends, **more):
    """A table with a row for each (value, low, high)."""
    table = pd.DataFrame(ends, columns=[name, f"{name}_low", f"{name}_high"])
    return table.assign(label=[f"M{i}" for i in range(len(ends))], model=[f"m{i}" for i in range(len(ends))], **more)


@pytest.mark.parametrize(
    ("ends", "says"),
    [(ABOVE, "better for M0"), (BELOW, "worse for M0"), (OPEN, "no difference that can be told for M0")],
)
def test_a_gain_is_said_by_its_interval(ends, says):
    assert says in told.gain(rows("gain", ends))


def test_models_on_one_side_are_named_together():
    text = told.gain(rows("gain", ABOVE, OPEN, ABOVE))
    assert "better for M0 0.200 [0.100, 0.300], M2 0.200" in text
    assert "no difference that can be told for M1" in text


@pytest.mark.parametrize(
    ("lost", "gain", "left", "says"),
    [
        (ABOVE, ABOVE, ABOVE, ["(without, a loss for M0)", "(every 3 days, a gain for M0)", "fit M0 from zero"]),
        (OPEN, OPEN, OPEN, ["try whether it pays to read", "try whether it pays to take in", "pays to fit from zero"]),
        (BELOW, BELOW, BELOW, ["no model loses 0.005", "none gains 0.005 by news", "none gains 0.005 over updates",
                               "Worse updated than frozen: M0."]),
        (ABOVE, ABOVE, NEVER_TRIED, ["zero every 3 days, which can't be told here", "No refit was tried of M0."]),
    ],
)  # fmt: skip
def test_what_to_do_follows_from_all_three(lost, gain, left, says):
    totals = rows("gain", gain).join(rows("left", left).drop(columns=["label", "model"]))
    text = told.course(totals, rows("lost", lost, delay=1), days=3)
    assert [words for words in says if words not in text] == []


@pytest.mark.parametrize(
    ("ends", "seconds", "says"),
    [
        (OPEN, (1.0, 30.0), "adds nothing that can be told to updating, and takes 30 times as long"),
        (ABOVE, (1.0, 30.0), "adds to updating for M0 0.200"),
        (OPEN, (1.0, 1.1), "for about the same time"),
    ],
)
def test_refitting_is_weighed_against_its_cost(ends, seconds, says):
    costs = pd.DataFrame({"model": ["m0"], "label": "M0", replay.UPDATED: seconds[0], replay.REFITTED: seconds[1]})
    assert says in told.refit(rows("left", ends), costs)


def test_refitting_can_also_be_worse():
    costs = pd.DataFrame({"model": ["m0"], "label": "M0", replay.UPDATED: [1.0], replay.REFITTED: [4.0]})
    assert "takes from updating for M0 -0.200" in told.refit(rows("left", BELOW), costs)


def test_a_model_that_was_never_refitted_is_no_part_of_that():
    table = rows("left", ABOVE, (None, None, None))
    costs = pd.DataFrame(
        {"model": ["m0", "m1"], "label": "M", replay.UPDATED: [1.0, 1.0], replay.REFITTED: [4.0, None]}
    )
    assert "takes 4 times" in told.refit(table, costs)


def test_who_leads_for_each_kind_of_person():
    kinds = pd.concat([rows("updated", ABOVE, BELOW), rows("updated", BELOW, ABOVE)], ignore_index=True)
    told_of = told.leaders(kinds.assign(kind=["known", "known", "new", "new"], n_users=[98, 98, 1200, 1200]))
    assert "for those known M0 (0.200 [0.100, 0.300]; 98 people), for those new M1 (" in told_of
    assert "1,200 people" in told_of


def test_the_best_rules_of_each_model():
    table = pd.concat([rows("ndcg", ABOVE, BELOW), rows("ndcg", BELOW, ABOVE)], ignore_index=True)
    said = told.best_rules(table.assign(rule=["explicit", "explicit", "watched", "watched"]))
    assert "M0 with *explicit* (0.200 [0.100, 0.300])" in said
    assert "M1 with *watched*" in said
    assert told.best_rules(table.assign(ndcg=float("nan"), rule="explicit")) == ""


def test_delays_by_side():
    table = pd.concat([rows("lost", ABOVE, delay=1), rows("lost", BELOW, delay=NEVER)])
    assert told.delay(table) == (
        "NDCG@10 of the next liked film. Without the newest rating: lost by M0 0.200 [0.100, 0.300]. "
        "Without all since the cut: gained by M0 -0.200 [-0.300, -0.100]."
    )
    assert told.delay_title(table) == "Not reading the newest rating costs M0"
    assert "costs no model" in told.delay_title(rows("lost", OPEN, BELOW, delay=1))


@pytest.mark.parametrize(("last", "says"), [
    ((0.5, 0.4, 0.6), "adds grows"), (ABOVE, "does not change so that"), (BELOW, "adds shrinks"),
])  # fmt: skip
def test_what_grows_stale(last, says):
    table = pd.concat([rows("value", ABOVE, stretch=1), rows("value", last, stretch=2)])
    assert says in told.stale(table)


@pytest.mark.parametrize(
    ("ends", "says"), [(ABOVE, "ahead with"), (BELOW, "behind with"), (OPEN, "not to be told apart")]
)
def test_signals_by_side(ends, says):
    text = told.signals(rows("difference", ends, rule="both together", reference="stars alone"), 0.3)
    assert text.startswith("With stars for 30% of what is watched and behaviour for all of it, as made up here: Both ")
    assert says in text


def policy(**ends):
    """One policy's row with these measures."""
    cells = {f"{name}{end}": value for name, triple in ends.items()
             for end, value in zip(("", "_low", "_high"), triple, strict=True)}  # fmt: skip
    return pd.DataFrame(cells, index=["EASE"])


@pytest.mark.parametrize(("ends", "says"), [(ABOVE, "grows"), (BELOW, "shrinks"), (OPEN, "neither grows nor shrinks")])
def test_coverage_over_rounds(ends, says):
    assert says in told.shrinks(policy(coverage=ends), "EASE")


@pytest.mark.parametrize(
    ("covers", "earns", "says"),
    [
        (BELOW, BELOW, ["covers less", "stays further"]),
        (ABOVE, ABOVE, ["covers more", "comes nearer"]),
        (OPEN, OPEN, ["about as much", "about as near"]),
    ],
)
def test_what_the_loop_does(covers, earns, says):
    text = told.loop(policy(coverage=covers, share_of_best=earns), "EASE")
    assert all(part in text for part in says)


@pytest.mark.parametrize(
    ("ends", "says"), [(ABOVE, "EASE earns"), (BELOW, "EASE costs ("), (OPEN, "can be told, 0.100 at most")]
)
def test_what_exploring_costs(ends, says):
    assert says in told.exploration(policy(clicks=ends, coverage=ABOVE), ["EASE"], "nothing")


def test_clicks_are_told_from_the_highest_down():
    table = pd.concat([policy(clicks=ABOVE), policy(clicks=OPEN).rename({"EASE": "Chance"})])
    assert told.levels(table, ["Chance", "EASE"]) == (
        "Clicks a list, of people made up: EASE 0.20 [0.10, 0.30], Chance 0.00 [-0.10, 0.10]."
    )


def test_an_end_that_is_not_nought_is_not_written_so():
    row = pd.Series({"gain": -0.002, "gain_low": -0.005, "gain_high": -0.0003})
    assert told.valued(row, "gain") == "-0.0020 [-0.0050, -0.0003]"
    assert told.valued(row.replace(-0.0003, 1e-9), "gain") == "-0.002 [-0.005, 0.000]"
    costs = pd.DataFrame([{"clicks": -0.0002, "clicks_low": -0.0004, "clicks_high": 0.0001, "coverage": 0.5}], ["A"])
    assert "0.0004 at most (-0.0002 [-0.0004, 0.0001] clicks" in told.exploration(costs, ["A"], "B")


def test_estimates_that_hold_the_truth_and_those_that_do_not():
    table = pd.DataFrame({"method": ["A", "B"], "value_low": [0.0, 2.0], "value_high": [1.5, 3.0]})
    assert told.offpolicy(table, 1.0) == (
        "The truth is 1.000 clicks a list; the intervals of A hold it; those of B do not."
    )
    assert told.offpolicy(table, 4.0).endswith("the intervals of A and B do not.")
    assert told.offpolicy(table[:1], 1.0).endswith("the intervals of A hold it.")


def test_the_best_estimate_must_hold_the_truth():
    table = pd.DataFrame({"method": ["A", "B", "C"], "holds": [0.2, 0.95, 0.92], "error": [0.1, 0.3, 0.4],
                          "tells": [0.9, 0.6, 0.1], "epsilon": [0.2, 0.2, 0.05]})  # fmt: skip
    table = table.assign(truth=2.94, truth_old=2.5)
    text = told.best_estimate(table)
    assert "The new lists bring 2.94 clicks, the old 2.50" in text
    assert "in 10% of logs with 5% of lists by chance (C, error 0.40); in 60% of logs with 20%" in text
    assert "No method's intervals" in told.best_estimate(table[:1])


def test_windows_are_told_and_so_is_that_there_are_none(mock_data):
    assert "windows of 12 days each" in told.windows(replay.windows(mock_data.ratings))
    assert "no replay here" in told.windows([])


def test_rule_tables_pair_people():
    table = pd.DataFrame([
        {"rule": rule, "model": "ease", "metric": "ndcg", "user_id": user, "value": value + user / 10}
        for rule, value in (("default", 0.5), ("explicit", 0.2), ("implicit", 0.5)) for user in (1, 2, 3)
    ])  # fmt: skip
    means, gaps = told.rule_tables(table, 50)
    assert means["spearman"].isna().all()  # nobody gave two different numbers of stars
    assert means.set_index("rule")["ndcg"].to_dict() == pytest.approx(
        {"default": 0.7, "explicit": 0.4, "implicit": 0.7}
    )
    assert gaps["difference"].tolist() == pytest.approx([0.3, 0.0, 0.3])
    assert gaps["difference_low"].tolist() == pytest.approx([0.3, 0.0, 0.3])
    assert means["spearman"].isna().all()  # nobody rated two films apart
    _, nobody = told.rule_tables(table[table["user_id"] == 1], 50)
    assert told.signals(nobody, 0.3) == "Fewer than two people say which feedback foretells best."
