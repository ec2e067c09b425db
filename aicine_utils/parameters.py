"""What a parameter of a model or a notebook may be: told from its default, and from its name where that says more."""

import math
import numbers
import re
from dataclasses import dataclass
from typing import Any

from aicine_utils.errors import AicineError


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``; ``above`` and ``below`` leave out the end itself."""

    low: float
    high: float = math.inf
    above: bool = False
    below: bool = False

    def __contains__(self, value: float) -> bool:
        inside = self.low <= value <= self.high
        return inside and not (self.above and value == self.low) and not (self.below and value == self.high)

    def __str__(self) -> str:
        start = f"{'above' if self.above else 'of at least'} {self.low:g}"
        return start if self.high == math.inf else f"{start} and {'below' if self.below else 'at most'} {self.high:g}"


COUNT, NOT_NEGATIVE, POSITIVE = Range(1), Range(0), Range(0, above=True)
SHARE, BELOW_ONE = Range(0, 1), Range(0, 1, below=True)
# A whole number is a count from 1 and any other number not negative, but for these. 0 threads are one a core, 0 of
# shrinkage or support is none; a step of 0 learns nothing, and where all is dropped nothing is left.
BY_NAME = {
    **dict.fromkeys(("seed", "threads", "shrinkage", "min_support", "genre_weight", "passes"), NOT_NEGATIVE),
    **dict.fromkeys(("learning_rate", "lr_all", "half_life_days", "alpha"), POSITIVE),
    **dict.fromkeys(("dropout", "dropout_prob", "dropout_in", "dropout_out"), BELOW_ONE),
    **dict.fromkeys(("hidden_dropout_prob", "attn_dropout_prob"), BELOW_ONE),
    **dict.fromkeys(("liked", "mask_ratio", "ft_ratio", "gamma"), SHARE),
}


def check(owner: str, name: str, value: Any, default: Any, allowed: Range | None = None) -> None:
    """AicineError unless ``value`` is of the default's type and in its range; where the default is None all is well.

    ``allowed`` comes before the range that follows from name and type.
    """
    allowed = allowed or BY_NAME.get(name) or (COUNT if isinstance(default, int) else NOT_NEGATIVE)
    if default is not None and not _fits(value, default, allowed):
        raise AicineError(
            f"Parameter {name} of {owner}: {_shown(value)} is not {_wanted(default, allowed)}. "
            f"Give for example {_shown(default)}."
        )


def _fits(value: Any, default: Any, allowed: Range) -> bool:
    if not _is_number(default):
        return isinstance(value, type(default))
    kind = numbers.Integral if isinstance(default, int) else numbers.Real
    return _is_number(value) and isinstance(value, kind) and math.isfinite(value) and value in allowed


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    """As it is written on the command line."""
    return str(value).lower() if isinstance(value, bool) else "nothing" if value is None else str(value)


def _wanted(default: Any, allowed: Range) -> str:
    if isinstance(default, bool):
        return "true or false"
    if _is_number(default):
        return f"a {'whole ' if isinstance(default, int) else ''}number {allowed}"
    return "a text" if isinstance(default, str) else f"a {type(default).__name__}"


def read(text: str) -> Any:
    """A value from the command line, read as YAML: 5 is a number, true a truth value; 1e-5 is a number too."""
    import yaml

    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise AicineError(f"The value {text!r} can't be read. Write a number, true, false or a plain word.") from None
    # YAML wants 1.0e-5; whoever writes 1e-5 means a number.
    return float(text) if value == text and re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", text) else value
