"""Effects with intervals, and what the rule of all verdicts (:func:`findings.verdicts.case_of`) says of them."""

import math
from dataclasses import dataclass

import numpy as np

from aicine_utils.findings.verdicts import case_of
from aicine_utils.wording import written

SUPPORTED, NOT_SUPPORTED, OPEN = "supported", "not supported", "can't be told"
MARKS = {SUPPORTED: "✓", NOT_SUPPORTED: "✗", OPEN: "?"}
REASONS = {
    "chance": (OPEN, "with p = {p:.2f} it could be chance"),
    "upheld": (SUPPORTED, "all of the interval is above {bound}"),
    "opposite": (NOT_SUPPORTED, "all of the interval is below {bound}"),
    "between": (OPEN, "the interval includes {bound}"),
}
FEWEST = 10  # people, movies or years below which nothing is said
CELLS = 2_000_000  # numbers held at once while resampling: 16 MB


@dataclass(frozen=True)
class Effect:
    """An estimate with its 95 % interval; p where there is a test. ``value`` is NaN where only bounds are known."""

    value: float
    low: float
    high: float
    p: float = math.nan

    def text(self, form: str = ".2f") -> str:
        """``0.31 [0.29, 0.33]``, the bounds alone where that is all there is, a dash where there is nothing."""
        if math.isnan(self.low):
            return "–"
        if math.isnan(self.value):
            return f"{written(self.low, form)} to {written(self.high, form)}"
        return f"{written(self.value, form)} [{written(self.low, form)}, {written(self.high, form)}]"


NOTHING = Effect(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Claim:
    """A statement, what was measured, and what the measurement says about it.

    key: a short name, unique; measure: what the effect is, in words; threshold: the effect must lie above it for the
    statement to hold; form: how effect and threshold are written; verdict: one of the three; because: why, in a clause.
    """

    key: str
    statement: str
    measure: str
    effect: Effect
    threshold: float
    form: str
    verdict: str
    because: str

    @property
    def sentence(self) -> str:
        """Statement, verdict and reason as Markdown."""
        return f"“{self.statement}”: **{self.verdict}**, since {self.because}."


def judge(key: str, statement: str, measure: str, effect: Effect, threshold: float, form: str = ".2f") -> Claim:
    """Supported when the whole interval lies above the threshold, not supported when it lies below, else open.

    A test with p of .05 or more leaves the claim open whatever the interval. Thresholds are set before looking: the
    value at which the statement turns from false to true, or the smallest effect that would matter to anyone.
    """
    case = case_of(effect.value, effect.low, effect.high, effect.p, threshold)
    if case == "missing":
        return cannot(key, statement, measure, "there is nothing to compute it from")
    verdict, why = REASONS[case]
    because = f"{measure} is {effect.text(form)}: {why.format(bound=written(threshold, form), p=effect.p)}"
    return Claim(key, statement, measure, effect, threshold, form, verdict, because)


def cannot(key: str, statement: str, measure: str, because: str) -> Claim:
    """A claim that these data can't speak to."""
    return Claim(key, statement, measure, NOTHING, math.nan, "", OPEN, because)


def share(count: int, total: int) -> Effect:
    """A share with its Wilson interval (Wilson 1927). Example: 5 of 10 is .5 [.237, .763]."""
    from statsmodels.stats.proportion import proportion_confint  # only here: it takes a second to import

    low, high = proportion_confint(count, total, method="wilson")
    return Effect(count / total, float(low), float(high))


def ratio_of_means(a: np.ndarray, b: np.ndarray, resamples: int = 2000, seed: int = 0) -> Effect:
    """mean(a) / mean(b), its interval by the percentile bootstrap; both samples are drawn anew."""
    rng = np.random.default_rng(seed)
    drawn = _drawn_means(np.asarray(a, float), resamples, rng) / _drawn_means(np.asarray(b, float), resamples, rng)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Effect(float(np.mean(a) / np.mean(b)), float(low), float(high))


def _drawn_means(x: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Means of ``resamples`` draws with replacement, a few at a time so that they fit into memory."""
    step = max(1, CELLS // len(x))
    sizes = [min(step, resamples - start) for start in range(0, resamples, step)]
    return np.concatenate([rng.choice(x, (size, len(x))).mean(axis=1) for size in sizes])


def cliffs_delta(a: np.ndarray, b: np.ndarray) -> Effect:
    """P(a > b) - P(a < b) for one of each (Cliff 1993), interval from DeLong's variance of placements (1988).

    Example: a = [2, 3], b = [1, 2] has 3 pairs won, none lost, 1 tied of 4: delta .75. p by Mann and Whitney.
    """
    from scipy import stats

    a, b = np.asarray(a, float), np.asarray(b, float)
    wins_a, wins_b = _placements(a, b), _placements(b, a)
    value = 2 * wins_a.mean() - 1
    half = 1.96 * 2 * math.sqrt(wins_a.var(ddof=1) / len(a) + wins_b.var(ddof=1) / len(b))
    p = float(stats.mannwhitneyu(a, b).pvalue)
    return Effect(float(value), max(-1.0, float(value - half)), min(1.0, float(value + half)), p)


def _placements(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """For each of ``a``, the share of ``b`` below it, equals counted half."""
    ordered = np.sort(b)
    return (np.searchsorted(ordered, a, "left") + np.searchsorted(ordered, a, "right")) / (2 * len(b))


def difference_of_means(a: np.ndarray, b: np.ndarray) -> Effect:
    """mean(a) - mean(b) with Welch's t interval, which does not ask for equal variances."""
    from scipy import stats

    test = stats.ttest_ind(a, b, equal_var=False)
    low, high = test.confidence_interval(0.95)
    return Effect(float(np.mean(a) - np.mean(b)), float(low), float(high), float(test.pvalue))


def mean(values: np.ndarray) -> Effect:
    """A mean with its t interval; p is left to a permutation test of the caller's."""
    from scipy import stats

    values = np.asarray(values, float)
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    return Effect(float(values.mean()), float(low), float(high))


def permutation_p(observed: float, null: np.ndarray) -> float:
    """Two-sided p of a permutation test, never 0: (1 + as extreme) / (1 + permutations) (Phipson & Smyth 2010)."""
    return float((1 + (np.abs(null) >= abs(observed) - 1e-12).sum()) / (1 + len(null)))
