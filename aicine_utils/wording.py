"""Numbers, durations and names as text, and the sentences of ``configs/sentences.yaml``, in two languages.

Rendering a page needs these and no table, so nothing here imports pandas, which takes seconds.
"""

from collections.abc import Sequence
from typing import Any

from aicine_utils import settings

MISSING = "–"
TENTH = 0.1


def written(value: float, form: str, lang: str = "en") -> str:
    """A number in a format of Python's; one that ends in ``pp`` writes a difference of shares in percentage points.

    Example: 0.023 by ``.1pp`` is ``2.3 pp``.
    """
    if not form.endswith("pp"):
        return format(value, form)
    return f"{100 * value:{form.removesuffix('pp')}f}" + {"en": " pp", "ko": "%p"}[lang]


def share_text(share: float) -> str:
    """A share in percent, below a tenth with a digit more: 69%, 0.1%."""
    return f"{share:.1%}" if share < TENTH else f"{share:.0%}"


def seconds_text(seconds: float, lang: str = "en") -> str:
    """A duration as people say it: 0.4 s, 12 s, 3 min, 2.1 h."""
    units = {"en": (" s", " min", " h"), "ko": ("초", "분", "시간")}[lang]
    if seconds < 99.5:
        return (f"{seconds:.2g}" if seconds < 10 else f"{seconds:.0f}") + units[0]
    return f"{seconds / 60:.0f}{units[1]}" if seconds < 5400 else f"{seconds / 3600:.1f}{units[2]}"


def say(key: str, case: str, **values: Any) -> dict[str, str]:
    """The sentence in every language; a value that is a dict holds one text a language."""
    templates = sentences_of(key)[case]
    pick = {lang: {k: v[lang] if isinstance(v, dict) else v for k, v in values.items()} for lang in templates}
    return {lang: template.format(**pick[lang]) for lang, template in templates.items()}


def sentences_of(key: str) -> dict[str, dict[str, str]]:
    """The templates of one key by case and language."""
    return settings.read_yaml(settings.CONFIGS / "sentences.yaml")[key]


def names_text(labels: Sequence[str], most: int = 3) -> dict[str, str]:
    """``A``, ``A, B and C``, or ``A, B, C and 4 more``."""
    shown, rest = ", ".join(labels[:most]), len(labels) - most
    if rest > 0:
        return {"en": f"{shown} and {rest} more", "ko": f"{shown} 외 {rest}개"}
    return {"en": " and ".join(filter(None, [", ".join(labels[:-1]), labels[-1]])), "ko": shown}


def ordinal(n: int) -> str:
    """1st, 2nd, 3rd, 4th."""
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"
