"""One decision a job: whom to ship, the runner-up, how sure, whether it survives, and what would change our mind.

Home row and stars are decided from the leaderboard; the other jobs from the table of jobs, which also says what the
service can spend. The margin's interval comes from the table of pairs. What would change our mind is in ``changes``.
"""

import math
import re
from dataclasses import dataclass

import pandas as pd

from aicine_utils.findings.changes import changes
from aicine_utils.findings.choosing import (
    JOBS,
    NO_TABLES,
    JobTables,
    Margin,
    Pick,
    affordable,
    blind_beside,
    board_of,
    gap,
    pick,
    pick_for_home,
    survival,
    within_budget,
)
from aicine_utils.findings.reading import (
    COMPARISON,
    RANKING,
    controls,
    cut_text,
    primary,
    proven,
    ranking,
    spent_text,
    stricter,
    value_text,
)
from aicine_utils.models import registry
from aicine_utils.wording import say, sentences_of, share_text

NONE = {"en": "none", "ko": "없음"}
HALF = 0.5


@dataclass(frozen=True)
class Decision:
    """What to ship for one job, a key of :data:`JOBS`.

    model: None where no model beats its controls, or the job could not be measured. margin: how far the runner-up is
    behind in the job's metric (negative when it is the better), low and high its paired interval where
    pairs were measured. settled: whether the chosen model is alone in first place; where a leader was passed over, the
    only affordable personal one that keeps a first place under the cut. survives: whether it keeps a first place under
    one cut in time for everyone, None where that was not measured. change: what would change our mind. fallen: the name
    of the model that leads on people's own timelines and was passed over, as it does not survive. beside: the name of a
    list that knows no tastes and can't be told from the chosen model under that cut. gloss: what the model is, for who
    has not met it.
    """

    job: str
    model: str | None
    label: str
    runner_up: str | None
    margin: float | None
    settled: bool
    text: dict[str, str]
    link: str
    survives: bool | None = None
    low: float | None = None
    high: float | None = None
    change: dict[str, str] | None = None
    fallen: str | None = None
    beside: str | None = None
    gloss: dict[str, str] | None = None

    @property
    def standing(self) -> str:
        """How sure the choice is, in a few words."""
        if self.model is None:
            return "not decided"
        also = f", there beside {self.beside}" if self.beside else ""
        if self.fallen is not None:
            return f"in {'' if self.settled else 'shared '}first place under one cut in time{also}"
        under = f"; under one cut in time beside {self.beside}" if self.beside else ""
        return ("alone in first place" if self.settled else "shares first place") + under


def decision(leaderboard: pd.DataFrame, jobs: JobTables = NO_TABLES) -> list[Decision]:
    """One decision a job: lists by NDCG@10, the stars shown by RMSE; see :func:`choosing.choice`.

    Without the tables of jobs only the leaderboard's two are decided, within no budget and without the interval of the
    margin.
    """
    board, strict = primary(leaderboard), stricter(leaderboard)
    found = [_job(job, board, strict, jobs) for job in JOBS]
    return [made for made in found if made is not None]


def _job(job: str, board: pd.DataFrame, strict: pd.DataFrame, jobs: JobTables) -> Decision | None:
    if why := _why(job, jobs.means):
        text = say("decision", "unmeasured", job=say("jobs", job), why=say("unmeasured", why))
        return Decision(job, None, NONE["en"], None, None, False, text, COMPARISON)
    own = None if jobs.pairs is None else jobs.pairs[jobs.pairs["job"] == job]
    everyone = affordable(board_of(job, board, jobs.means), jobs)
    rows = within_budget(everyone, JOBS[job])
    measured, candidates = rows[~controls(rows)].reset_index(drop=True), proven(rows, JOBS[job])
    if measured.empty or (candidates.empty and not controls(rows).any()):
        return None
    if candidates.empty:
        return _nothing(job, rows, measured, own)
    return _shipped(job, candidates, everyone, strict, own)


def _why(job: str, jobs: pd.DataFrame | None) -> str:
    """The reason for which a job could not be measured, empty where it was."""
    if jobs is None or "why" not in jobs:
        return ""
    reasons = jobs.loc[jobs["job"] == job, "why"].dropna()
    return str(reasons.iloc[0]) if len(reasons) else ""


def _nothing(job: str, rows: pd.DataFrame, candidates: pd.DataFrame, pairs: pd.DataFrame | None) -> Decision:
    """No model is surely better than all that know nothing, or one of these is even better than all of them."""
    control, best, metric = rows[controls(rows)].iloc[0], candidates.iloc[0], JOBS[job]
    case = "chance" if best["first"] else "beaten"
    values = {"control_value": value_text(control, metric), "value": value_text(best, metric)}
    luck = _luck(gap(best, control, metric, pairs)) if case == "chance" else ""
    text = _say(job, case, control=control["label"], best=best["label"], luck=luck, **values)
    rival = _hardest(best, rows[controls(rows)], metric, pairs)
    change = changes(job, metric, case, best, rival, candidates, candidates, pairs, candidates.iloc[:0])
    return Decision(job, None, NONE["en"], None, None, False, text, COMPARISON, change=change)


def _hardest(best: pd.Series, others: pd.DataFrame, metric: str, pairs: pd.DataFrame | None) -> pd.Series:
    """The control that takes most people to be surely beaten; the best control where that is ahead, or nobody knows."""
    margins = [gap(best, row, metric, pairs) for _, row in others.iterrows()]
    if margins[0].difference <= 0 or any(one.needed is None for one in margins):
        return others.iloc[0]
    return others.iloc[max(range(len(margins)), key=lambda i: margins[i].needed)]


def _shipped(job: str, candidates: pd.DataFrame, everyone: pd.DataFrame, strict: pd.DataFrame,
             pairs: pd.DataFrame | None) -> Decision:  # fmt: skip
    metric = JOBS[job]
    made = pick_for_home(candidates, strict) if job == "home" else pick(candidates, metric)
    best, second = made.best, _runner_up(candidates, made.first, made.best)
    margin = None if second is None else gap(best, second, metric, pairs)
    measured = int((~controls(everyone) & everyone[metric].notna()).sum())
    case, rival = _case(made, margin, measured), second if made.fallen is None else made.fallen
    if case == "proven":  # nobody else may be shipped yet
        rows = within_budget(everyone, metric)
        rival = _runner_up(rows[~controls(rows)], made.first, best)
    survives = survival(best, strict) if job == "home" else None
    beside = _beside(best, strict) if survives else None
    known = margin or Margin(math.nan)
    return Decision(
        job, best["model"], best["label"], runner_up=None if second is None else str(second["label"]),
        margin=None if margin is None else margin.difference, settled=len(made.first) == 1,
        text=_text(job, case, made, margin, second, strict, beside), link=COMPARISON, survives=survives,
        low=known.low, high=known.high,
        change=changes(job, metric, case, best, rival, candidates, everyone, pairs, strict),
        fallen=None if made.fallen is None else str(made.fallen["label"]),
        beside=None if beside is None else str(beside["label"]), gloss=_gloss(best),
    )  # fmt: skip


def _beside(best: pd.Series, strict: pd.DataFrame) -> pd.Series | None:
    """The best list that knows no tastes and shares the first place under the cut with a choice that is none itself."""
    same = blind_beside(strict)
    return None if same.empty or best["model"] in set(same["model"]) else same.iloc[0]


def _gloss(row: pd.Series) -> dict[str, str]:
    """What a model is, or its family; ``ease+popularity`` and ``ease@content_tfidf`` are told as EASE."""
    name = re.split("[+@]", row["model"])[0]
    case = name if name in sentences_of("gloss") else registry.entry(name).family
    return say("gloss", case, label=row["label"])


def _case(made: Pick, margin: Margin | None, measured: int) -> str:
    """Which of its sentences a job's decision gets."""
    if made.fallen is not None:
        return ("safer_cheap" if made.thrifty else "safer") if len(made.first) > 1 else "only_safe"
    if margin is None:
        return "only" if measured == 1 else "proven"
    return ("cheap" if made.thrifty else "tied") if len(made.first) > 1 else "alone"


def _text(job: str, case: str, made: Pick, margin: Margin | None, second: pd.Series | None,
          strict: pd.DataFrame, beside: pd.Series | None) -> dict[str, str]:  # fmt: skip
    best, dear = made.best, made.first.iloc[0]
    rival = {} if margin is None else {"second": second["label"], "margin": margin.shown(case != "alone"),
                                       "luck": _luck(margin)}  # fmt: skip
    text = _say(job, case, best=best["label"], value=value_text(best, JOBS[job]), n=len(made.first), of=len(strict),
                cost=spent_text(best), dear=dear["label"], dear_cost=spent_text(dear), cut=cut_text(strict), **rival,
                **_fall(made, strict))  # fmt: skip
    if beside is None:
        return text
    also = say("lists", "beside", blind=beside["label"], blind_value=value_text(beside, RANKING),
               there=value_text(ranking(strict, RANKING).set_index("model").loc[best["model"]], RANKING))  # fmt: skip
    return {lang: text[lang] + also[lang] for lang in text}


def _luck(margin: Margin) -> dict[str, str]:
    """The difference of two that share a place; where its own interval would tell them apart, why they still do."""
    alone = margin.low is not None and not margin.low <= 0 <= margin.high
    return say("luck", "alone" if alone else "plain", margin=margin.shown(signed=True))


def _fall(made: Pick, strict: pd.DataFrame) -> dict[str, str]:
    """What is said of a leader that does not survive, and of who does; nothing where there is none."""
    if made.fallen is None:
        return {}
    rows = ranking(strict, RANKING).set_index("model")
    values = {"fallen_value": made.fallen, "there": rows.loc[made.best["model"]],
              "fallen_there": rows.loc[made.fallen["model"]]}  # fmt: skip
    return {"fallen": made.fallen["label"], **{name: value_text(row, RANKING) for name, row in values.items()},
            "led": _led(made, rows), "sitting": _sitting(made.fallen, rows.loc[made.best["model"]]),
            "searched": _searched(made.fallen, made.best, rows.loc[made.fallen["model"]])}  # fmt: skip


def _led(made: Pick, rows: pd.DataFrame) -> dict[str, str] | str:
    """Who of those in question has the highest mean under the cut, where that is not the choice."""
    top = rows.loc[rows.index.isin(made.first["model"])].iloc[0]
    if top["label"] == made.best["label"]:
        return ""
    return say("lists", "led", leader=top["label"], leader_value=value_text(top, RANKING))


def _sitting(usual: pd.Series, strict: pd.Series) -> dict[str, str] | str:
    """How much of either test is the next film of a sitting, where that was measured."""
    shares = [float(row.get("at_once", math.nan)) for row in (usual, strict)]
    if any(map(math.isnan, shares)):
        return ""
    task = say("lists", "next_film") if shares[0] > HALF else ""
    return say("lists", "sitting", usual=share_text(shares[0]), cut=share_text(shares[1]), task=task)


def _searched(fallen: pd.Series, best: pd.Series, strict: pd.Series) -> dict[str, str] | str:
    """What the search gave a fallen leader and the choice, where that was not the same; nothing where it is unknown.

    ``strict``: the leader's row under the cut.
    """
    trials = [row.get("trials", math.nan) for row in (fallen, best)]
    if any(map(pd.isna, trials)):
        return ""
    timed = fallen.get("stopped_by_budget", False) or strict.get("stopped_by_budget", False)
    if trials[0] >= trials[1] and not timed:
        return ""
    return say("lists", "searched", fallen=fallen["label"], best=best["label"], n=f"{trials[0]:.0f}",
               m=f"{trials[1]:.0f}", timed=say("lists", "timed", fallen=fallen["label"]) if timed else "")  # fmt: skip


def _say(job: str, case: str, **values: object) -> dict[str, str]:
    """The sentence of a case; what shares a place with chance differs from job to job."""
    key = "stars" if job == "stars" else "lists"
    blind = say("blind", job) if case in ("chance", "beaten", "proven") else ""
    return say(key, case, job=say("jobs", job), blind=blind, **values)


def _runner_up(rows: pd.DataFrame, first: pd.DataFrame, best: pd.Series) -> pd.Series | None:
    """The next of the first place where that is shared, else the next of all."""
    rivals = first if len(first) > 1 else rows
    others = rivals[rivals["model"] != best["model"]]
    return others.iloc[0] if len(others) else None
