"""The jobs that a recommender does for a service, each measured on the people it serves; ``findings`` decides from it.

A job is a table of one value a person and model, so that models are compared on the same people. Two tables come of it:
means with intervals, places and costs, one row a job and model; and the difference of every two models, with its paired
bootstrap interval and the number of people at whom a test would tell the two apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import NormalDist

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.experiment import Result
from aicine_utils.metrics import rating, significance
from aicine_utils.models import registry
from aicine_utils.study import newcomers
from aicine_utils.study.because_watched import BLIND, TOGETHER, TOGETHER_LABEL

NDCG, HIT, RMSE = "ndcg@10", "hit@10", "rmse"
COSTS = {"fit_seconds": "fit_seconds", "recommend_seconds": "answer_seconds", "peak_mb": "memory"}
MEANS = ["value", "low", "high", "place", *COSTS.values()]
BUDGET = ["budget_seconds", "budget_mb"]
TABLE = ["job", "model", "label", "metric", *MEANS, "control", "proven", "people", "why", *BUDGET]
PAIRS = ["job", "model", "other", "difference", "low", "high", "people", "needed", "needed_alone"]
CHANCE = newcomers.CHANCE
SURE, POWER = 0.05, 0.8  # level of a test, and how often it should find a difference that is there


@dataclass(frozen=True)
class Job:
    """One job: ``values`` [n_users, n_models] that its tests compare, indexed by user_id, a column a model.

    labels: model -> name, the registry's for those not named; controls: models that are measured but never shipped;
    costs: indexed by model, fit_seconds, answer_seconds, memory; errors: for ``rmse``, each user's summed squared error
    by model, and number of ratings; more: other measures as metric -> values, for the table alone; why: a reason in
    ``sentences.yaml`` for which the job could not be measured.
    """

    name: str
    values: pd.DataFrame
    metric: str = NDCG
    labels: Mapping[str, str] = field(default_factory=dict)
    controls: Sequence[str] = (CHANCE,)
    costs: pd.DataFrame = field(default_factory=pd.DataFrame)
    errors: tuple[pd.DataFrame, pd.Series] | None = None
    more: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    why: str = ""

    @property
    def higher_is_better(self) -> bool:
        """Whether more of the metric is better."""
        return self.metric != RMSE

    @cached_property
    def known(self) -> pd.DataFrame:
        """``values`` of the users whom every model has."""
        return self.values.dropna()

    @property
    def sums(self) -> tuple[np.ndarray, np.ndarray]:
        """What is added up over users, above and below the fraction that the metric is: both [n_users, n_models]."""
        if self.errors is None:
            return self.known.to_numpy(), np.ones(self.known.shape)
        squared, n = (part.loc[self.known.index] for part in self.errors)
        return squared[self.known.columns].to_numpy(), np.repeat(n.to_numpy()[:, None], self.known.shape[1], axis=1)

    def measure(self, above: np.ndarray, below: np.ndarray) -> np.ndarray:
        """The metric from sums over users, turned so that more is better."""
        return above / below if self.errors is None else -np.sqrt(above / below)

    def label(self, model: str) -> str:
        """The name of a model as a reader sees it."""
        return self.labels[model] if model in self.labels else registry.entry(model).label


def caption(job: Job) -> str:
    """How many people and models a job was measured with, or that it was not."""
    if job.why:
        return "Could not be measured here"
    return f"{job.known.shape[1]} models, {len(job.known):,} people"


def costs(results: Mapping[str, Result]) -> pd.DataFrame:
    """fit_seconds, answer_seconds and memory (MB) of these runs, by model."""
    manifests = {name: [result.manifest[key] for key in COSTS] for name, result in results.items()}
    return pd.DataFrame.from_dict(manifests, "index", columns=list(COSTS.values()), dtype=np.float64)


def home(results: Mapping[str, Result]) -> Job:
    """The home row: NDCG@10 of everyone's list."""
    values = pd.DataFrame({name: result.values() for name, result in results.items()})
    return Job("home", values, costs=costs(results))


def stars(results: Mapping[str, Result]) -> Job:
    """The stars shown beside a film: RMSE over the test ratings. A list for all, a mean of stars, is a control."""
    rated = {name: result for name, result in results.items() if result.predictions is not None}
    if not rated:
        return Job("stars", pd.DataFrame(), RMSE, why="no_raters")
    values = pd.DataFrame({name: rating.contributions(result.predictions) for name, result in rated.items()})
    sums = {name: rating.error_sums(result.predictions) for name, result in rated.items()}
    squared = pd.DataFrame({name: own["squared"] for name, own in sums.items()})
    blind = [name for name in rated if registry.entry(name).family == "non_personalised"]
    errors = squared, next(iter(sums.values()))["n"]
    return Job("stars", values, RMSE, controls=blind, costs=costs(rated), errors=errors)


def because_watched(table: pd.DataFrame, results: Mapping[str, Result]) -> Job:
    """ "Because you watched X", from :func:`because_watched.measure`. Lists that do not look at X are controls."""
    if table.empty:
        return Job("watched", pd.DataFrame(), why="nobody_liked")
    wide = table.pivot(index=c.USER, columns=[c.METRIC, "model"], values=c.VALUE)
    seconds = table.groupby("model")["seconds"].first()
    spent = costs(results).reindex(seconds.index).assign(answer_seconds=seconds)
    spent.loc[TOGETHER, "fit_seconds"] = 0.0  # it counts when it is asked
    return Job("watched", wide["ndcg"], labels={TOGETHER: TOGETHER_LABEL}, controls=BLIND, costs=spent,
               more={HIT: wide["hit"]})  # fmt: skip


def new_user(people: pd.DataFrame, results: Mapping[str, Result]) -> Job:
    """Someone who has told 3 to 5 films, from :func:`newcomers.people`. Lists that do not read these are controls."""
    values = newcomers.just_signed_up(people)
    return _of_newcomers("new_user", values, results, "" if len(values) else "short_histories", newcomers.BLIND)


def new_movie(films: pd.DataFrame, movies: pd.DataFrame, results: Mapping[str, Result]) -> Job:
    """A row of films that nobody has rated, from :func:`newcomers.films`; not without a genre or a year of any."""
    why = "" if newcomers.described(movies) else "no_descriptions"
    return _of_newcomers("new_movie", newcomers.among_new(films), results, why)


def _of_newcomers(
    name: str, values: pd.DataFrame, results: Mapping[str, Result], why: str, controls: Sequence[str] = (CHANCE,)
) -> Job:
    """A column that needs several models costs what they cost together; memory is that of the largest."""
    single, rows = costs(results), {}
    for who in values:
        own = single.reindex(newcomers.parts(who))
        rows[who] = [*own.drop(columns="memory").sum(skipna=False), own["memory"].max()]
    spent = pd.DataFrame.from_dict(rows, "index", columns=list(COSTS.values()))
    return Job(
        name, values, labels={who: newcomers.label(who) for who in values}, controls=controls, costs=spent, why=why
    )


def table(jobs: Iterable[Job], resamples: int = 2000, budget: tuple[float, float] = (np.inf, np.inf)) -> pd.DataFrame:
    """Means with intervals, places and costs, best first within a job; a job that could not be measured says why.

    budget: seconds to train and answer, and MB, that the service can spend on one model. Columns as in :data:`TABLE`:
    ``control`` marks models that are never shipped, ``proven`` those that are surely better than each of them by the
    metric that decides (:func:`significance.ahead_of_all`), ``people`` are those measured.
    """
    parts = [_rows(job, resamples) if not job.why else _unmeasured(job) for job in jobs]
    return pd.concat(parts, ignore_index=True).assign(**dict(zip(BUDGET, budget, strict=True)))[TABLE]


def _unmeasured(job: Job) -> pd.DataFrame:
    return pd.DataFrame([{"job": job.name, "metric": job.metric, "why": job.why}], columns=TABLE)


def _rows(job: Job, resamples: int) -> pd.DataFrame:
    """The metric that decides with places, best first; then the job's other measures."""
    (above, below), models = job.sums, job.known.columns
    ends = significance.ratio_interval(above, below, resamples)
    spread = np.column_stack([above.sum(axis=0) / below.sum(axis=0), *ends])
    decided = _named(job, job.metric, spread if job.errors is None else np.sqrt(spread), models)
    decided["place"] = significance.places(job.known, job.higher_is_better)["place"]
    decided["proven"] = significance.ahead_of_all(job.known, job.controls, job.higher_is_better)
    decided = decided.sort_values("value", ascending=not job.higher_is_better, kind="stable")
    others = [_of_measure(job, metric, values[models].loc[job.known.index], resamples)
              for metric, values in job.more.items()]  # fmt: skip
    return pd.concat([decided, *others]).rename_axis("model").reset_index()


def _of_measure(job: Job, metric: str, values: pd.DataFrame, resamples: int) -> pd.DataFrame:
    spread = np.column_stack([values.mean(), *significance.interval(values.to_numpy(), resamples)])
    return _named(job, metric, spread, values.columns)


def _named(job: Job, metric: str, spread: np.ndarray, models: pd.Index) -> pd.DataFrame:
    """Mean, low and high [n_models, 3] with names and costs, indexed by model."""
    found = pd.DataFrame(spread, models, ["value", "low", "high"]).assign(
        job=job.name, label=[job.label(model) for model in models], metric=metric, place=np.nan,
        proven=False, control=models.isin(job.controls), people=len(job.known), why="",
    )  # fmt: skip
    return found.join(job.costs)


def pairs(jobs: Iterable[Job], resamples: int = 2000) -> pd.DataFrame:
    """Every two models of each job, the better first.

    Columns as in :data:`PAIRS`: difference (above 0: ``model`` is better than ``other`` by so much), its 95 % paired
    bootstrap interval over people, how many people were measured, and how many are ``needed`` by a test among all pairs
    of the job, and by one of these two alone (see :func:`needed`). A model and a control are tested among such pairs
    only, as where ``proven`` is decided.
    """
    parts = [_pairs(job, resamples) for job in jobs if not job.why and job.known.shape[1] > 1]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=PAIRS)


def _pairs(job: Job, resamples: int) -> pd.DataFrame:
    above, below = job.sums
    means = job.measure(above.sum(axis=0), below.sum(axis=0))
    order = np.argsort(-means, kind="stable")
    i, j = (order[side] for side in np.triu_indices(len(order), 1))
    low, high = paired_intervals(job, i, j, resamples)
    values, names = job.known.to_numpy(), job.known.columns
    apart, blind = values[:, i] - values[:, j], names.isin(job.controls)
    people = np.where(blind[i] ^ blind[j], needed(apart, blind.sum() * (~blind).sum()), needed(apart, len(i)))
    return pd.DataFrame({
        "job": job.name, "model": names[i], "other": names[j], "difference": means[i] - means[j], "low": low,
        "high": high, "people": len(values), "needed": people,
        "needed_alone": needed(apart, tests=1),
    })  # fmt: skip


def paired_intervals(job: Job, i: np.ndarray, j: np.ndarray, resamples: int) -> tuple[np.ndarray, np.ndarray]:
    """Percentile bootstrap (low, high) of the metric's difference between models at columns ``i`` and ``j``.

    People are drawn once for all models, which is what pairs them (Efron & Tibshirani 1993, ch. 13).
    """
    drawn = job.measure(*significance.resampled_sums(list(job.sums), resamples, seed=0))
    low, high = np.quantile(drawn[:, i] - drawn[:, j], [SURE / 2, 1 - SURE / 2], axis=0)
    return low, high


def needed(differences: np.ndarray, tests: int) -> np.ndarray:
    """People, 2 or more, at whom a paired test would tell two models apart, were their difference as measured.

    n = ((z_(1 - α/2) + z_(power)) · sd / mean)² for α = 5 % shared by ``tests`` comparisons and a power of 80 % (Cohen
    1988, ch. 2); differences: [n_users, m]; returns [m], inf where there is no difference. Example: for sd 1, mean .1
    and one test ((1.96 + 0.84) / .1)² = 784.9, so 785.
    """
    z = NormalDist().inv_cdf(1 - SURE / 2 / max(tests, 1)) + NormalDist().inv_cdf(POWER)
    mean, spread = differences.mean(axis=0), differences.std(axis=0, ddof=1)
    apart = np.abs(mean) > significance.SAME
    ratio = np.divide(spread, np.abs(mean), out=np.full(len(mean), np.inf), where=apart)
    return np.maximum(np.ceil(np.square(z * ratio)), 2)
