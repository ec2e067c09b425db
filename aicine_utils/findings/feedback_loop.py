"""What the feedback loop's tables say, in sentences; each says the opposite when the numbers do, or that it is open."""

import math
from collections.abc import Sequence

import pandas as pd

from aicine_utils.feedback.reading import NEVER
from aicine_utils.feedback.replay import REFITTED, UPDATED, Window
from aicine_utils.metrics import significance
from aicine_utils.models import registry
from aicine_utils.phrases import number
from aicine_utils.wording import names_text, seconds_text

MEASURED = ("ndcg", "spearman")  # either may have nobody: a rank correlation takes two ratings
RULES = {"default": "both together", "explicit": "stars alone", "implicit": "behaviour alone"}
MOST_DIGITS = 4
SMALL = 0.005  # of NDCG: less matters to nobody
RELIABLE = 0.9  # share of logs whose intervals must hold the truth before a method is asked who is better
PAIRS = (("default", "explicit"), ("default", "implicit"), ("implicit", "explicit"))


def sign(row: pd.Series, name: str) -> int:
    """1 or -1 where the whole interval of ``name`` lies above or below 0, else 0."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return 1 if low > 0 else -1 if high < 0 else 0


def valued(row: pd.Series, name: str, digits: int = 3) -> str:
    """``0.012 [0.004, 0.020]``, with a digit more where an end would read as the 0 that it is not."""
    values = [row[f"{name}{end}"] for end in ("", "_low", "_high")]
    return number(*values, _digits(values[1:], digits))


def _digits(ends: Sequence[float], digits: int) -> int:
    """So many that no end is written as 0 that is more than that at :data:`MOST_DIGITS`."""
    seen = [end for end in ends if round(end, MOST_DIGITS)]
    return next((n for n in range(digits, MOST_DIGITS) if all(round(end, n) for end in seen)), MOST_DIGITS)


def _names(labels: Sequence[str]) -> str:
    return names_text(labels, len(labels))["en"]


def windows(parts: Sequence[Window]) -> str:
    """What is replayed, or why nothing is."""
    if not parts:
        return (
            "**There is no replay here**: all ratings have the same time, or too few people liked anything later than "
            "the first four fifths of them. Whatever follows and needs an order is left out."
        )
    n, days = sum(len(part.now) for part in parts), parts[0].days
    length = "a day each" if days == 1 else f"{days} days each, since single days would be too many"
    last = parts[-1].now["timestamp"].max()
    return (
        f"The last {n:,} ratings ({n / (n + len(parts[0].before)):.0%}) fill {len(parts)} windows of {length}, "
        f"from {parts[0].start:%d %B %Y} to {last:%d %B %Y}; windows without a rating are left out."
    )


def _each(rows: pd.DataFrame, name: str) -> str:
    return ", ".join(f"{row['label']} {valued(row, name)}" for _, row in rows.iterrows())


def _sided(rows: pd.DataFrame, name: str, words: dict[int, str]) -> str:
    """The rows by the side of 0 on which their whole interval lies, each side after its word; need label."""
    signs = rows.apply(sign, axis=1, name=name)
    return "; ".join(f"{word} {_each(rows[signs == side], name)}" for side, word in words.items()
                     if (signs == side).any())  # fmt: skip


def gain(summary: pd.DataFrame) -> str:
    """For which models updating gains, loses, or can't be told: from :func:`replay.summary` with label."""
    words = {1: "better for", -1: "worse for", 0: "no difference that can be told for"}
    return f"Updated against frozen, NDCG@10 over people: {_sided(summary, 'gain', words)}."


def leaders(kinds: pd.DataFrame) -> str:
    """Who has the highest updated mean for each kind of person: from :func:`replay.by_kind` with label."""
    tops = kinds.loc[kinds.groupby("kind", sort=False)[UPDATED].idxmax()]
    parts = [f"for those {row['kind']} {row['label']} ({valued(row, UPDATED)}; {row['n_users']:,} people)"
             for _, row in tops.iterrows()]  # fmt: skip
    return f"The highest mean has {', '.join(parts)}."


def stale(gains: pd.DataFrame) -> str:
    """Whether what updating adds is more in the last stretch than in the first, for the model where it adds most."""
    first, last = (
        gains[gains["stretch"] == n].set_index("label") for n in (gains["stretch"].min(), gains["stretch"].max())
    )
    top = last["value"].idxmax()
    ends = [valued(table.loc[top], "value") for table in (first, last)]
    grows = last.loc[top, "value_low"] > first.loc[top, "value_high"]
    shrinks = last.loc[top, "value_high"] < first.loc[top, "value_low"]
    verb = "grows" if grows else "shrinks" if shrinks else "does not change so that it could be told"
    return f"What updating adds {verb}: {top} {ends[0]} in the first stretch, {ends[1]} in the last"


def refit(summary: pd.DataFrame, costs: pd.DataFrame) -> str:
    """What refitting adds to updating, and how many times its seconds."""
    left = summary.dropna(subset=["left"])[["model", "label", "left", "left_low", "left_high"]]
    both = left.merge(costs.drop(columns="label"), on="model")
    signs = both.apply(sign, axis=1, name="left")
    better, worse = both[signs > 0], both[signs < 0]
    times = both[REFITTED].sum() / max(both[UPDATED].sum(), 1e-9)
    took = f"{seconds_text(both[REFITTED].sum())} against {seconds_text(both[UPDATED].sum())}"
    cost = f"and takes {times:.0f} times as long ({took})" if times >= 1.5 else f"for about the same time ({took})"
    parts = [f"{verb} updating for {_each(rows, 'left')}"
             for verb, rows in (("adds to", better), ("takes from", worse)) if len(rows)]  # fmt: skip
    said = " and ".join(parts) or "adds nothing that can be told to updating"
    return f"Fitting from zero before each window {said}, {cost}."


def course(summary: pd.DataFrame, losses: pd.DataFrame, days: int) -> str:
    """What a service should do, may leave, or can't be told: read news at once, learn from them, fit anew.

    From :func:`replay.summary` and :func:`reading.losses`, both with label, and the days of a window.
    """
    often = "day" if days == 1 else f"{days} days"
    asked = [
        (losses[losses["delay"] == 1], "lost", "make each list from a person's newest ratings (without, a loss for {})",
         "not hurry to read new ratings (without the newest no model loses {small})", "to read new ratings at once"),
        (summary, "gain", "let models take in what is new between fits (every {often}, a gain for {})",
         "leave models as they are between fits (none gains {small} by news every {often})", "to take in news before"),
        (summary.dropna(subset=["left"]), "left", "fit {} from zero every {often}",
         "not fit from zero every {often} (none gains {small} over updates)", "to fit from zero every {often}"),
    ]  # fmt: skip
    told = [_clause(*one).replace("{often}", often) for one in asked]
    worse, never = _on_side(summary, "gain", -1), summary.loc[summary["left"].isna(), "label"].tolist()
    apart = [f"Worse updated than frozen: {_names(worse)}"] if worse else []
    apart += [f"No refit was tried of {_names(never)}"] if never else []
    return f"**So T should** {'; '.join(told)}{''.join(f'. {text}' for text in apart)}."


def _clause(rows: pd.DataFrame, name: str, due: str, idle: str, open_: str) -> str:
    """``due`` with those who gain, ``idle`` where nobody can gain what matters, or that it can't be told."""
    if gaining := _on_side(rows, name, 1):
        return due.replace("{}", _names(gaining))
    nobody = len(rows) and (rows[f"{name}_high"] < SMALL).all()
    return idle.replace("{small}", f"{SMALL:g}") if nobody else f"try whether it pays {open_}, which can't be told here"


def _on_side(rows: pd.DataFrame, name: str, side: int) -> list[str]:
    """Labels of the rows of which the whole interval of ``name`` lies on this side of 0."""
    return rows.loc[rows.apply(sign, axis=1, name=name) == side, "label"].tolist()


def delay_title(losses: pd.DataFrame) -> str:
    """For how many models the newest rating matters."""
    hurt = _on_side(losses[losses["delay"] == 1], "lost", 1)
    if not hurt:
        return "Not reading the newest rating costs no model anything that can be told"
    return f"Not reading the newest rating costs {_names(hurt)}"


def delay(losses: pd.DataFrame) -> str:
    """Which models lose without the newest rating, and which without all since the cut."""
    words = {1: "lost by", -1: "gained by", 0: "nothing that can be told by"}
    parts = [f"{what}: {_sided(losses[losses['delay'] == delay], 'lost', words)}"
             for delay, what in ((1, "Without the newest rating"), (NEVER, "Without all since the cut"))]  # fmt: skip
    return f"NDCG@10 of the next liked film. {'. '.join(parts)}."


def rule_tables(compared: pd.DataFrame, resamples: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of :func:`comparing.compare_rules`: means with intervals by model and rule, nothing where nobody has the metric;
    and paired NDCG@10 differences of the rules that read all events to those that read stars or behaviour alone.
    """
    rows, gaps = [], []
    for model, part in compared.groupby("model", sort=False):
        label = registry.entry(model).label
        for rule, own in part.groupby("rule", sort=False):
            rows.append({"label": label, "rule": rule, **_means(own, resamples)})
        wide = part[part["metric"] == "ndcg"].pivot(index="user_id", columns="rule", values="value").dropna()
        for rule, reference in PAIRS if len(wide) > 1 else ():
            test = significance.paired(wide[rule].to_numpy(), wide[reference].to_numpy())
            ends = {"difference": test.difference, "difference_low": test.low, "difference_high": test.high}
            gaps.append({"label": label, "rule": RULES[rule], "reference": RULES[reference], **ends})
    none = {name: math.nan for metric in ("ndcg", "spearman") for name in (metric, f"{metric}_low", f"{metric}_high")}
    return pd.DataFrame([none | row for row in rows]), pd.DataFrame(gaps)


def _means(own: pd.DataFrame, resamples: int) -> dict[str, float]:
    found = dict.fromkeys([f"{metric}{end}" for metric in MEASURED for end in ("", "_low", "_high")], float("nan"))
    for metric, values in own.groupby("metric")["value"]:
        low, high = significance.interval(values.to_numpy(), resamples)
        found |= {metric: values.mean(), f"{metric}_low": float(low), f"{metric}_high": float(high)}
    return found


def signals(gaps: pd.DataFrame, rated: float) -> str:
    """Which feedback foretells best: rows with label, rule, reference, difference and its ends.

    rated: the share of watched films with stars in the feedback that was made up.
    """
    if gaps.empty:
        return "Fewer than two people say which feedback foretells best."
    words = {1: "ahead with", -1: "behind with", 0: "not to be told apart with"}
    parts = [f"{rule} against {reference}: {_sided(rows, 'difference', words)}"
             for (rule, reference), rows in gaps.groupby(["rule", "reference"], sort=False)]  # fmt: skip
    text = ". ".join(part[0].upper() + part[1:] for part in parts)
    made_up = f"With stars for {rated:.0%} of what is watched and behaviour for all of it, as made up here"
    return f"{made_up}: {text} (NDCG@10)."


def best_rules(by_rule: pd.DataFrame) -> str:
    """With which rules each model has its highest NDCG@10; empty where nobody has one."""
    known = by_rule.dropna(subset=["ndcg"])
    tops = known.loc[known.groupby("label", sort=False)["ndcg"].idxmax()] if len(known) else known
    parts = [f"{row['label']} with *{row['rule']}* ({valued(row, 'ndcg')})" for _, row in tops.iterrows()]
    return f"Of all sets the highest NDCG@10 has {', '.join(parts)}." if parts else ""


def shrinks(change: pd.DataFrame, policy: str) -> str:
    """Whether a policy's coverage shrank from its first learned round to its last: from paired differences."""
    row = change.loc[policy]
    verb = {1: "grows", -1: "shrinks", 0: "neither grows nor shrinks so that it could be told"}[sign(row, "coverage")]
    return f"Coverage of {policy} {verb} from the first learned round to the last ({valued(row, 'coverage')})"


def loop(against: pd.DataFrame, policy: str) -> str:
    """What the loop does to a policy: the differences to the same policy fed by chance; both at the end."""
    row = against.loc[policy]
    covers = {1: "covers more of the catalogue", -1: "covers less of the catalogue", 0: "covers about as much"}
    earns = {1: "comes nearer to the best lists", -1: "stays further from the best lists", 0: "comes about as near"}
    return (
        f"In the last quarter of the rounds, fed by its own lists rather than by chance, {policy} "
        f"{covers[sign(row, 'coverage')]} ({valued(row, 'coverage')}) and {earns[sign(row, 'share_of_best')]} "
        f"({valued(row, 'share_of_best')} of the best possible)"
    )


def levels(table: pd.DataFrame, policies: Sequence[str]) -> str:
    """Clicks a list of these policies, the highest first, of :func:`simulator.interval_over_runs`."""
    rows = table.loc[list(policies)].sort_values("clicks", ascending=False)
    told = [f"{name} {valued(row, 'clicks', 2)}" for name, row in rows.iterrows()]
    return f"Clicks a list, of people made up: {', '.join(told)}."


def exploration(against: pd.DataFrame, policies: Sequence[str], reference: str) -> str:
    """What exploring costs or earns in clicks a list, and what it does to coverage, against ``reference``."""
    parts = []
    for policy in policies:
        row = against.loc[policy]
        ends = [row["clicks_low"], row["clicks_high"]]
        most = f"{max(-ends[0], 0):.{_digits(ends, 3)}f}"
        verb = {1: "earns", -1: "costs", 0: f"costs nothing that can be told, {most} at most"}[sign(row, "clicks")]
        parts.append(f"{policy} {verb} ({valued(row, 'clicks')} clicks a list, coverage {row['coverage']:+.2f})")
    return f"Against {reference}: " + "; ".join(parts) + "."


def offpolicy(found: pd.DataFrame, truth: float) -> str:
    """Which estimates' intervals hold the truth."""
    holds = (found["value_low"] <= truth) & (truth <= found["value_high"])
    names = {which: list(found.loc[holds == which, "method"]) for which in (True, False)}
    parts = [f"The truth is {truth:.3f} clicks a list"]
    if names[True]:
        parts.append(f"the intervals of {_names(names[True])} hold it")
    if names[False]:
        parts.append(f"{'those' if names[True] else 'the intervals'} of {_names(names[False])} do not")
    return "; ".join(parts) + "."


def best_estimate(checked: pd.DataFrame) -> str:
    """How often a log tells whether the new lists are better, by how much the old policy explored.

    Of each share of chance the method with the least error, among those whose intervals hold the truth nine times in
    ten.
    """
    rows = checked[checked["holds"] >= RELIABLE]
    if rows.empty:
        return "No method's intervals hold the truth in nine of ten logs."
    best = rows.sort_values("error", kind="stable").drop_duplicates("epsilon").sort_values("epsilon")
    parts = [f"in {row.tells:.0%} of logs with {row.epsilon:.0%} of lists by chance ({row.method}, error "
             f"{row.error:.2f})" for row in best.itertuples()]  # fmt: skip
    first = best.iloc[0]
    return (
        f"The new lists bring {first['truth']:.2f} clicks, the old {first['truth_old']:.2f}. A log tells which are "
        f"better {'; '.join(parts)}: what counts is whether that is often enough for what the chance lists cost."
    )
