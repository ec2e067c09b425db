"""The rule by which a model is chosen: what the service can spend, the best or a much cheaper one, and by how much.

The home row has one rule more, since a service meets all people at one moment: see :func:`pick_for_home`.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from aicine_utils.findings.reading import RANKING, STARS, cost, proven, ranking, without_places

JOBS = {"home": RANKING, "stars": STARS, "watched": RANKING, "new_user": RANKING, "new_movie": RANKING}
CLOSE, CHEAPER = 0.05, 2  # share of the mean NDCG that a model of half the cost may give up
CLOSE_STARS = 0.005  # of RMSE, which goes from its best to a constant answer within a tenth of a star
BLEND = "blend"
BLIND = "non_personalised"  # the family of lists for all
WORTH_SAVING = 0.02  # of the budget of seconds; less is nothing to a service, and noise on a shared machine
WITHOUT_BUDGET = 10.0  # seconds that are worth saving where no budget is told


class JobTables(NamedTuple):
    """The tables that ``study.jobs`` makes, where they are there: means of each job and model, and pairs."""

    means: pd.DataFrame | None = None
    pairs: pd.DataFrame | None = None


NO_TABLES = JobTables()


class Margin(NamedTuple):
    """How much better one model is than another in a job's metric, below 0 where it is worse.

    low, high: paired interval; people measured; needed: people at whom a test among all pairs of the job would tell
    them apart; alone: people at whom one of these two alone would. None where pairs were not measured.
    """

    difference: float
    low: float | None = None
    high: float | None = None
    people: int | None = None
    needed: float | None = None
    alone: float | None = None

    @property
    def turned(self) -> "Margin":
        """The margin of the other model over this one."""
        low, high = (None, None) if self.low is None else (-self.high, -self.low)
        return self._replace(difference=-self.difference, low=low, high=high)

    def shown(self, signed: bool) -> str:
        """``+0.003 [-0.004, 0.009]``, or the difference alone where there is no interval.

        One digit more where an end would read like 0, so that one sees on which side it lies.
        """
        ends = () if self.low is None else (self.low, self.high)
        form = f".{4 if any(end and f'{abs(end):.3f}' == '0.000' for end in ends) else 3}f"
        text = f"{self.difference:{'+' if signed else ''}z{form}}"
        return f"{text} [{self.low:z{form}}, {self.high:z{form}}]" if ends else text


def board_of(job: str, board: pd.DataFrame, jobs: pd.DataFrame | None) -> pd.DataFrame:
    """The rows of a job in the columns of the leaderboard: for home row and stars the leaderboard's own, with what the
    table of jobs knows of controls.
    """
    on_board, metric = job in ("home", "stars"), JOBS[job]
    if jobs is None:
        return board if on_board else board.iloc[:0]
    rows = jobs[(jobs["job"] == job) & (jobs["metric"] == metric) & jobs["model"].notna()]
    if on_board:
        return _told_of_controls(board, rows)
    names = {"value": metric, "low": f"{metric}_low", "high": f"{metric}_high", "memory": "peak_mb",
             "answer_seconds": "recommend_seconds"}  # fmt: skip
    return rows.rename(columns=names).reset_index(drop=True)


def _told_of_controls(board: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """A leaderboard with ``control`` and ``proven`` of a job's rows, where these have them."""
    known = rows.set_index("model")[[name for name in ("control", "proven") if name in rows]].astype(object)
    return board.join(known, on="model") if len(known) else board


def close(metric: str, best: float) -> float:
    """What a cheaper model may give up of a metric whose best is this."""
    return CLOSE_STARS if metric == STARS else CLOSE * abs(best)


def choice(first: pd.DataFrame, metric: str) -> tuple[pd.Series, bool]:
    """Whom to ship of those in first place, and whether for its cost.

    The best by its mean, unless another costs less than half, saves ``worth_saving`` at least, and is :func:`close`:
    not being told apart is not being equal, and a cheap model may hide behind a wide interval. A blend is several
    models to keep, so it gives way whatever the saving.
    """
    best = first.iloc[0]
    near = first[(first[metric] - best[metric]).abs() <= close(metric, best[metric])]
    cheap = min((row for _, row in near.iterrows()), key=cost)
    needless = 0 if best["model"].partition("+")[0] == BLEND else best["worth_saving"]
    thrifty = cost(cheap) * CHEAPER <= cost(best) and cost(best) - cost(cheap) >= needless
    return (cheap, True) if thrifty else (best, False)


def affordable(board: pd.DataFrame, jobs: JobTables) -> pd.DataFrame:
    """``board`` with ``affordable``: whether a model's seconds and memory are within the budget of the table of jobs;
    and ``worth_saving``: the seconds that a cheaper model has to save to be chosen for it.

    What was not measured is no reason to leave a model out; without a budget all are affordable.
    """
    seconds, memory = budget(jobs.means)
    spent = np.array([cost(row) for _, row in board.iterrows()], np.float64)
    peak = board["peak_mb"].to_numpy(np.float64) if "peak_mb" in board else np.zeros(len(board))
    saved = WORTH_SAVING * seconds if np.isfinite(seconds) else WITHOUT_BUDGET
    return board.assign(
        affordable=~(np.isfinite(spent) & (spent > seconds)) & ~(peak > memory), worth_saving=saved
    )  # fmt: skip


def within_budget(board: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The :func:`ranking` of who is ``affordable``; of all where that was not asked.

    Places tell who is apart from the best of all. Where that is beyond the budget, intervals tell who is apart from the
    best within it.
    """
    if "affordable" not in board:
        return ranking(board, metric)
    rows, everyone = board[board["affordable"]], ranking(board, metric)
    led = everyone.empty or bool(everyone["affordable"].iloc[0])
    return ranking(rows if led else without_places(rows), metric)


def budget(jobs: pd.DataFrame | None) -> tuple[float, float]:
    """Seconds to train and answer, and MB, that the service can spend on a model; infinite where none is told."""
    limits = [
        jobs[name].dropna() if jobs is not None and name in jobs else [] for name in ("budget_seconds", "budget_mb")
    ]
    return tuple(float(own.iloc[0]) if len(own) else np.inf for own in limits)


class Pick(NamedTuple):
    """Whom a job gets: the row ``best`` of ``first``, who were in question; whether for its cost (``thrifty``).

    ``fallen``: the row that leads on people's own timelines, where the home row passed it over; None where it did not.
    """

    best: pd.Series
    first: pd.DataFrame
    thrifty: bool
    fallen: pd.Series | None = None


def pick(candidates: pd.DataFrame, metric: str) -> Pick:
    """The :func:`choice` among those in first place of a :func:`ranking` without controls."""
    first = candidates[candidates["first"]]
    best, thrifty = choice(first, metric)
    return Pick(best, first, thrifty)


def pick_for_home(candidates: pd.DataFrame, strict: pd.DataFrame) -> Pick:
    """The :func:`pick` by people's own timelines, unless the leader there is behind under one cut in time for everyone.

    Then that goes to those who keep a first place under the cut, by the :func:`choice` among them on people's own
    timelines. A list for all takes nobody's place: where only such lists keep theirs, the leader stays, and that it
    falls is said with it. Nor is a cheaper model taken for the leader if that falls. strict: the stricter table, empty
    where there is none.
    """
    leader, found = candidates.iloc[0], pick(candidates, RANKING)
    if survival(leader, strict) is not False:
        return found if survival(found.best, strict) is not False else found._replace(best=leader, thrifty=False)
    rows = ranking(strict, RANKING)
    kept = candidates["model"].isin(rows.loc[rows["first"], "model"]) & (candidates["family"] != BLIND)
    if not kept.any():
        return found._replace(best=leader, thrifty=False)
    best, thrifty = choice(candidates[kept], RANKING)
    return Pick(best, candidates[kept], thrifty, fallen=leader)


def shipped(board: pd.DataFrame, strict: pd.DataFrame) -> Pick | None:
    """What the home row gets, ``board`` within the budget; None where nothing was measured or beats chance."""
    candidates = proven(within_budget(board, RANKING), RANKING)
    return pick_for_home(candidates, strict) if len(candidates) else None


def survival(row: pd.Series, strict: pd.DataFrame) -> bool | None:
    """Whether a model keeps a first place in the stricter table; None where it is not in it."""
    rows = ranking(strict, RANKING)
    own = rows.loc[rows["model"] == row["model"], "first"]
    return bool(own.iloc[0]) if len(own) else None


def blind_beside(strict: pd.DataFrame) -> pd.DataFrame:
    """Lists for everyone in the first place of the stricter table: who shares it with one is not told from it."""
    rows = ranking(strict, RANKING)
    return rows[rows["first"] & (rows["family"] == BLIND)]


def gap(best: pd.Series, other: pd.Series, metric: str, pairs: pd.DataFrame | None) -> Margin:
    """The margin of one model over another, with its interval where the table of pairs has the two."""
    difference = float(best[metric] - other[metric]) * (-1 if metric == STARS else 1)
    if pairs is None:
        return Margin(difference)
    ours = (pairs["model"] == best["model"]) & (pairs["other"] == other["model"])
    theirs = (pairs["model"] == other["model"]) & (pairs["other"] == best["model"])
    if not (ours | theirs).any():
        return Margin(difference)
    row = pairs[ours | theirs].iloc[0]
    alone = float(row.get("needed_alone", np.nan))
    margin = Margin(float(row["difference"]), row["low"], row["high"], int(row["people"]), float(row["needed"]), alone)
    return margin if ours.any() else margin.turned
