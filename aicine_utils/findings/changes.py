"""What would change our mind about a decision: how far the next best is, in quality, people, and seconds."""

import math

import pandas as pd

from aicine_utils.findings.choosing import Margin, close, gap, pick, pick_for_home
from aicine_utils.findings.reading import RANKING, cost, ranking, spent_text, value_text, without_places
from aicine_utils.wording import say, seconds_text

NAMES = {"ndcg@10": "NDCG@10", "rmse": "RMSE"}
SAFER = ("safer", "safer_cheap", "only_safe")  # cases in which the leader on people's own timelines was passed over
STEP = 0.01  # of the metric, by which a price is told
OUT_OF_REACH = 100  # times as many people as were measured
LANGUAGES = ("en", "ko")


def changes(
    job: str, metric: str, case: str, best: pd.Series, other: pd.Series | None, candidates: pd.DataFrame,
    everyone: pd.DataFrame, pairs: pd.DataFrame | None, strict: pd.DataFrame,
) -> dict[str, str] | None:  # fmt: skip
    """The sentences on what would change a decision, one text a language; None where nothing can be computed.

    case: how the decision was made; other: the runner-up, the control that could not be beaten, or the
    leader that does not survive; candidates: those within the budget, best first; everyone: these and those beyond it.
    """
    parts = [] if other is None else [_rival(metric, case, best, other, pairs)]
    if case not in ("chance", "beaten"):
        parts += [_cheaper(job, metric, best, candidates, strict), _richer(metric, best, everyone)]
    said = [part for part in parts if part]
    return {lang: " ".join(part[lang] for part in said) for lang in LANGUAGES} if said else None


def _rival(metric: str, case: str, best: pd.Series, other: pd.Series, pairs: pd.DataFrame | None) -> dict[str, str]:
    """What the runner-up, or the control, would need."""
    margin, named = gap(best, other, metric, pairs), {"best": best["label"], "other": other["label"]}
    if case == "cheap" and cost(other) > cost(best) and margin.difference < 0:
        return _price(metric, best, other, margin)
    if case == "chance" and margin.difference <= 0:
        case = "beaten"
    if case == "proven":
        case = "people" if margin.low is None or margin.low <= 0 else "alone"
    if case in ("alone", "beaten", *SAFER):
        ahead, case = (margin if case == "alone" else margin.turned), "safer" if case in SAFER else case
        return say("change", case, **named, metric=NAMES[metric], margin=ahead.shown(signed=False))
    if case != "chance" and _alike(margin, limit := close(metric, best[metric])):
        return say("change", "either", **named, metric=NAMES[metric], limit=f"{limit:.3f}")
    return _people(margin, named, "untold" if case == "chance" else "people")


def _alike(margin: Margin, limit: float) -> bool:
    """Whether two surely differ by less than what matters; that they are the same to the last digit is said apart."""
    return margin.low is not None and margin.difference != 0 and max(-margin.low, margin.high) < limit


def _people(margin: Margin, named: dict[str, str], short: str) -> dict[str, str]:
    """How many people a test would need to tell a tie apart; ``short``: the case in which there were too few."""
    if margin.needed is None:
        return say("change", "unknown", **named)
    if not math.isfinite(margin.needed):
        return say("change", "same", **named)
    times = margin.needed / margin.people
    case = "far" if times > OUT_OF_REACH else short if times > 1 else "enough"
    numbers = {"people": f"{margin.people:,}", "alone": f"{margin.alone:,.0f}"}
    if case == "people":
        alone = "" if math.isnan(margin.alone) else "alone_takes" if margin.alone > margin.people else "alone_done"
        numbers["alone"] = say("change", alone, **numbers) if alone else ""
    return say("change", case, **named, **numbers, needed=f"{margin.needed:,.0f}",
               times=f"{times:,.{int(times < 10)}f}", most=f"{OUT_OF_REACH:,}",
               ahead=named["best" if margin.difference > 0 else "other"])  # fmt: skip


def _price(metric: str, best: pd.Series, dear: pd.Series, margin: Margin) -> dict[str, str]:
    """What better lists would have to be worth, in computing, for the dearer model to be the choice."""
    spared, limit = cost(dear) - cost(best), close(metric, dear[metric])
    price = {lang: seconds_text(spared * STEP / -margin.difference, lang) for lang in LANGUAGES}
    sure = "" if margin.low is None else "allowed" if -margin.low > limit else "excluded"
    reach = say("change", sure) if sure else ""
    return say("change", "price", other=dear["label"], metric=NAMES[metric], price=price, step=f"{STEP:g}",
               limit=f"{limit:.3f}", reach=reach)  # fmt: skip


def _cheaper(job: str, metric: str, best: pd.Series, candidates: pd.DataFrame,
             strict: pd.DataFrame) -> dict[str, str] | None:  # fmt: skip
    """Who would be the choice were the budget just too small for this one; nothing where it costs next to nothing."""
    spent = cost(best)
    if not math.isfinite(spent) or spent < best["worth_saving"]:
        return None
    rest = candidates[[cost(row) < spent for _, row in candidates.iterrows()]]
    limit = {lang: seconds_text(spent, lang) for lang in LANGUAGES}
    if rest.empty:
        return say("change", "no_cheaper", limit=limit)
    rows = ranking(without_places(rest), metric)
    other = (pick_for_home(rows, strict) if job == "home" else pick(rows, metric)).best
    return say("change", "cheaper", limit=limit, other=other["label"], metric=NAMES[metric],
               value=value_text(other, metric))  # fmt: skip


def _richer(metric: str, best: pd.Series, everyone: pd.DataFrame) -> dict[str, str] | None:
    """The best model beyond the budget, where it is better than the choice."""
    beyond = everyone[~everyone["affordable"]].dropna(subset=[metric])
    better = beyond[beyond[metric] > best[metric]] if metric == RANKING else beyond[beyond[metric] < best[metric]]
    if better.empty:
        return None
    top = better.sort_values(metric, ascending=metric != RANKING, kind="stable").iloc[0]
    return say("change", "richer", other=top["label"], metric=NAMES[metric], value=value_text(top, metric),
               cost=spent_text(top))  # fmt: skip
