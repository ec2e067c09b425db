"""What the measurements say of a claim: upheld, not upheld, or that it can't be told. One rule for all claims.

An effect is written so that more of it speaks for the claim, ``neutral`` is its value where the claim begins to be
true, and ``smallest`` how far beyond that it must lie to matter to anyone; both are set before looking. Of an effect
with a 95 % interval, and p where there is a test, we say

- **upheld** when the whole interval lies beyond ``neutral``, and the effect beyond the smallest that matters;
- **not upheld** when the whole interval lies on the other side, or short of the smallest effect that matters;
- **can't be told** otherwise, when p is .05 or more (unless the effect is surely too small to matter), or when the
  data lack what the claim is about.

A claim that was made in several respects is upheld when all of them are, and not upheld when one is not.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from aicine_utils.wording import say, written

UPHELD, NOT_UPHELD, OPEN = "upheld", "not_upheld", "open"
STATED, BESIDE = "stated", "beside"  # what the study claimed, and what helps to understand it
TEXTS = ("rival", "reason")  # columns of the evidence that stay text where all of them look like numbers
MARKS = {UPHELD: "✓", NOT_UPHELD: "✗", OPEN: "?"}
SURE = 0.05
LANGUAGES = ("en", "ko")
_OF_CASE = {"upheld": UPHELD, "opposite": NOT_UPHELD, "small": NOT_UPHELD}

Case = Literal["upheld", "opposite", "small", "chance", "between", "missing"]
Word = Literal["upheld", "not_upheld", "open"]


@dataclass(frozen=True)
class Verdict:
    """One claim of the original study, judged.

    key: its short name; claim: its words by language; verdict: one of three; number: the effect that decides, with its
    interval; measured: what that is an effect of, by language; brief: verdict and reasons by language, and what beside
    the claim says the opposite; text: with all that stands beside it; evidence: the rows it was computed from; link:
    file name of the page that shows them; strength: whether the data decide.
    """

    key: str
    claim: dict[str, str]
    verdict: Word
    number: str
    measured: dict[str, str]
    brief: dict[str, str]
    text: dict[str, str]
    link: str
    strength: Literal["clear", "open"]
    evidence: pd.DataFrame = field(repr=False, compare=False)

    @property
    def word(self) -> dict[str, str]:
        """The verdict by language."""
        return say("original_verdict", self.verdict)


def verdicts(evidence: pd.DataFrame) -> list[Verdict]:
    """A verdict for each claim in the order of the table.

    One row a measurement: claim, part, role (stated or beside), value, low, high, p, neutral, smallest, form (how the
    numbers are written), rival, n, reason (why there is no number, a key of ``original_missing``), page. ``value`` is
    empty where only bounds are known, ``low`` where nothing is.
    """
    table = evidence.fillna({"rival": "", "reason": ""})
    claims = table.groupby("claim", sort=False).filter(lambda rows: rows["role"].eq(STATED).any())
    return [_verdict(str(key), rows) for key, rows in claims.groupby("claim", sort=False)]


def case_of(value: float, low: float, high: float, p: float = math.nan, neutral: float = 0.0,
            smallest: float = 0.0) -> Case:  # fmt: skip
    """The rule. Example: 0.02 [0.01, 0.03] is upheld, small where 0.05 is the smallest that matters."""
    if math.isnan(low):
        return "missing"
    chance, reached = p >= SURE, low if math.isnan(value) else value
    if smallest and high < neutral + smallest:  # whichever side it is on, it does not matter to anyone
        return "opposite" if high < neutral and not chance else "small"
    if chance:
        return "chance"
    if low > neutral and reached > neutral + smallest:
        return "upheld"
    return "opposite" if high < neutral else "between"


def together(words: Sequence[Word]) -> Word:
    """The verdict on a claim from those on its parts: all must be upheld, one that is not sinks it."""
    if NOT_UPHELD in words:
        return NOT_UPHELD
    return UPHELD if words and set(words) == {UPHELD} else OPEN


def judged(evidence: pd.DataFrame, lang: str = "en") -> pd.DataFrame:
    """The table with what each row measured in words, the verdict on it with its mark, and its numbers as text.

    Adds measured, verdict, number, and claim_said, neutral_said and smallest_said: claim and edges as one reads them.
    """
    rows = [row for _, row in evidence.fillna({"rival": "–"}).iterrows()]
    shown = [f"{MARKS[_word(row)]} {say('original_verdict', _word(row))[lang]}" for row in rows]
    names = [_label(row)[lang] for row in rows]
    edges = {f"{name}_said": [_edge(row, name, lang) for row in rows] for name in ("neutral", "smallest")}
    claims = [say("original_claim", row["claim"])[lang] for row in rows]
    numbers = [number_of(row, lang) for row in rows]
    return evidence.assign(measured=names, verdict=shown, number=numbers, claim_said=claims, **edges)


def tally(found: Sequence[Verdict], lang: str = "en") -> str:
    """``3 upheld, 4 not upheld, 2 can't be told``."""
    counts = {word: sum(one.verdict == word for one in found) for word in MARKS}
    return ", ".join(f"{n} {say('original_verdict', word)[lang]}" for word, n in counts.items())


def summary(found: Sequence[Verdict], lang: str = "en") -> pd.DataFrame:
    """One row a claim: key, claim, verdict with its mark, number, measured, why (``brief`` less its word), page."""
    return pd.DataFrame([{
        "key": one.key, "claim": one.claim[lang], "verdict": f"{MARKS[one.verdict]} {one.word[lang]}",
        "number": one.number, "measured": one.measured[lang], "why": one.brief[lang].partition(": ")[2],
        "page": one.link.removesuffix(".html"),
    } for one in found])  # fmt: skip


def number_of(row: pd.Series, lang: str = "en") -> str:
    """``0.012 [0.004, 0.020]``, the bounds alone where that is all there is, a dash where there is nothing."""
    if math.isnan(row["low"]):
        return "–"
    form = _form(row)
    low, high = (written(row[name], form, lang) for name in ("low", "high"))
    return f"{low}–{high}" if math.isnan(row["value"]) else f"{written(row['value'], form, lang)} [{low}, {high}]"


def _edge(row: pd.Series, name: str, lang: str) -> str:
    """``neutral`` or ``smallest`` as its row's numbers are written; a plain 0 for nothing."""
    return written(row[name], _form(row), lang) if row[name] else "0"


def _form(row: pd.Series) -> str:
    """How a row's numbers are written, with a digit more where a bound would read like an edge that it only is near."""
    form, pairs = row["form"], [(row[end], row[edge]) for end in ("low", "high") for edge in ("neutral", "smallest")]
    for _ in range(3):
        if not any(a != b and written(abs(a), form) == written(abs(b), form) for a, b in pairs):
            break
        form = re.sub(r"(?<=\.)\d", lambda digits: str(int(digits[0]) + 1), form)
    return form


def _verdict(key: str, rows: pd.DataFrame) -> Verdict:
    stated = [row for _, row in rows[rows["role"] == STATED].iterrows()]
    beside = [row for _, row in rows[rows["role"] == BESIDE].iterrows()]
    words = [_word(row) for row in stated]
    verdict = together(words)
    decides = stated[words.index(verdict)]
    known = [row for row in beside if not math.isnan(row["low"])]
    brief, text = (_text(verdict, _reasons(stated), [_aside(row) for row in rows])
                   for rows in ([row for row in known if _turns(row, verdict)], known))  # fmt: skip
    return Verdict(key, say("original_claim", key), verdict, number_of(decides), _label(decides), brief, text,
                   str(decides["page"]), "open" if verdict == OPEN else "clear", rows)  # fmt: skip


def _turns(row: pd.Series, verdict: Word) -> bool:
    """Whether a part beside the claim says the opposite of the verdict, so that none is told without it."""
    return {_word(row), verdict} == {UPHELD, NOT_UPHELD}


def _word(row: pd.Series) -> Word:
    return _OF_CASE.get(_case(row), OPEN)


def _case(row: pd.Series) -> Case:
    return case_of(*(row[name] for name in ("value", "low", "high", "p", "neutral", "smallest")))


def _reasons(stated: Sequence[pd.Series]) -> list[dict[str, str]]:
    """Why, part by part; what is missing for several is said once."""
    reasons = [_reason(row) for row in stated]
    return [reason for place, reason in enumerate(reasons) if reason not in reasons[:place]]


def _reason(row: pd.Series) -> dict[str, str]:
    """What was measured, what it is, and on which side that lies."""
    case = _case(row)
    if case == "missing":
        return say("original_missing", row["reason"])
    edges = {name: {lang: _edge(row, name, lang) for lang in LANGUAGES} for name in ("neutral", "smallest")}
    return say("original_reason", case, measure=_name(row), number=_number(row), p=f"{row['p']:.2f}", **edges)


def _aside(row: pd.Series) -> dict[str, str]:
    """A part that helps to understand the claim: its name, verdict and number."""
    word = say("original_verdict", _word(row))
    return say("original_frame", "aside", name=_name(row), word=word, number=_number(row))


def _number(row: pd.Series) -> dict[str, str]:
    return {lang: number_of(row, lang) for lang in LANGUAGES}


def _name(row: pd.Series) -> dict[str, str]:
    """What a row measured, in words; what stands beside a claim has a name that goes on from the claim."""
    kind = "original_measure" if row["role"] == STATED else "original_beside"
    return say(kind, row["part"], rival=row["rival"], n=f"{row['n']:.0f}")


def _label(row: pd.Series) -> dict[str, str]:
    """That name where nothing goes on from it."""
    return {lang: name.rstrip(",") for lang, name in _name(row).items()}


def _text(verdict: Word, reasons: list[dict[str, str]], asides: list[dict[str, str]]) -> dict[str, str]:
    """``Not upheld: reason; reason. Beside it: aside; aside.``"""
    because = _joined(reasons)
    case = "with_asides" if asides else "plain"
    return say("original_frame", case, word=say("original_opening", verdict), because=because, asides=_joined(asides))


def _joined(texts: list[dict[str, str]]) -> dict[str, str]:
    return {lang: "; ".join(text[lang] for text in texts) for lang in LANGUAGES}
