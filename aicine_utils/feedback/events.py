"""What a person did, as one event, and the rules that an event must keep before it is stored.

In: an :class:`Event`, or a mapping of its fields as it comes from outside. Out: the event in its stored form, or the
name of the first rule that it breaks, one of :data:`REASONS`. Nothing is mended: an event is stored as it was sent or
not at all.
"""

import time as clock
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from typing import Any
from uuid import uuid4

RATE, COMMENT, IMPRESSION, CLICK, PLAY = "rate", "comment", "impression", "click", "play"
STOP, FINISH, SEARCH, DISMISS = "stop", "finish", "search", "dismiss"
KINDS = (RATE, COMMENT, IMPRESSION, CLICK, PLAY, STOP, FINISH, SEARCH, DISMISS)
LONGEST = {COMMENT: 10_000, SEARCH: 500}  # characters of the text that these kinds carry; others carry none
SHOWN = (IMPRESSION, CLICK)  # kinds whose value is a place in the list
NAME_LENGTH = 200  # characters of an id or a person's name
SLACK = 60  # seconds that a sender's clock may be ahead
LARGEST = 2**53  # whole numbers up to here are exact in a double, so in every reader of JSON


def _now() -> int:
    return int(clock.time())


def _new_id() -> str:
    return uuid4().hex


@dataclass(frozen=True)
class Event:
    """Something that someone did.

    user: a user_id of the data set as text ("1"), or the name of someone who is new ("me").
    movie: movie_id; only a ``search`` may do without.
    kind: one of :data:`KINDS`.
    value: stars of a ``rate``; share watched, 0 to 1, of a ``stop``; place in the list, from 1, of an ``impression`` or
        ``click`` (may be missing); nothing else has one.
    text: of a ``comment`` and a ``search``, nothing else.
    time: seconds since 1970, UTC.
    event_id: one that is sent twice is stored once.
    list_id, model_version: the list that the movie was shown in, and what made it.
    """

    user: str
    kind: str
    movie: int | None = None
    value: float | None = None
    text: str | None = None
    time: int = field(default_factory=_now)
    event_id: str = field(default_factory=_new_id)
    list_id: str | None = None
    model_version: str | None = None


FIELDS = tuple(one.name for one in fields(Event))


@dataclass(frozen=True)
class Rules:
    """What events are held against: movie_ids that exist (any where None), the rating scale, and the clock [s]."""

    movies: frozenset[int] | None = None
    scale: tuple[float, float] = (1.0, 5.0)
    now: Callable[[], float] = clock.time


Check = Callable[[Event, Rules], str | None]


def _whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _finite(value: object) -> bool:
    """A number that a double holds; NaN fails every comparison."""
    return isinstance(value, Real) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST


def _storable(text: str) -> bool:
    """Neither SQLite nor PostgreSQL keeps half of a surrogate pair, nor PostgreSQL a NUL."""
    if text.isascii():
        return "\0" not in text
    return not any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in text)


def _name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= NAME_LENGTH and value == value.strip() and _storable(value)


def _names(event: Event, rules: Rules) -> str | None:
    if not _name(event.event_id):
        return "event_id"
    if not _name(event.user):
        return "user"
    for name in ("list_id", "model_version"):
        value = getattr(event, name)
        if value is not None and not _name(value):
            return name
    return None


def _kind(event: Event, rules: Rules) -> str | None:
    return None if isinstance(event.kind, str) and event.kind in KINDS else "unknown kind"


def _movie(event: Event, rules: Rules) -> str | None:
    if event.movie is None:
        return None if event.kind == SEARCH else "movie missing"
    if not _whole(event.movie) or not 0 <= event.movie <= LARGEST:
        return "movie"
    return None if rules.movies is None or event.movie in rules.movies else "unknown movie"


def _value(event: Event, rules: Rules) -> str | None:
    value, kind = event.value, event.kind
    if value is not None and not _finite(value):
        return "value"
    if kind == RATE:
        return None if value is not None and rules.scale[0] <= value <= rules.scale[1] else "stars"
    if kind == STOP:
        return None if value is not None and 0 <= value <= 1 else "share"
    if value is None:
        return None
    if kind in SHOWN:
        return None if value >= 1 and value == int(value) else "place"
    return "value not wanted"


def _text(event: Event, rules: Rules) -> str | None:
    text, longest = event.text, LONGEST.get(event.kind)
    if longest is None:
        return None if text is None else "text not wanted"
    if not isinstance(text, str):
        return "text"
    if len(text) > longest:  # before anything that reads all of it
        return "text too long"
    return None if text.strip() and _storable(text) else "text"


def _time(event: Event, rules: Rules) -> str | None:
    if not _whole(event.time) or event.time < 0:
        return "time"
    return "future time" if event.time > rules.now() + SLACK else None


CHECKS: tuple[Check, ...] = (_kind, _names, _movie, _value, _text, _time)  # _kind first: the others ask for it
_SHORT = f"Send a text of 1 to {NAME_LENGTH} characters without space at its ends"
REASONS = {
    "fields": f"Send a mapping with user, kind and no other fields than {', '.join(FIELDS)}.",
    "unknown kind": f"Send one of {', '.join(KINDS)}.",
    "event_id": f"{_SHORT}.",
    "user": f"{_SHORT}: a user_id or a name.",
    "list_id": f"{_SHORT}, or nothing.",
    "model_version": f"{_SHORT}, or nothing.",
    "movie": "Send a movie_id, a whole number from 0.",
    "movie missing": "Send the movie_id; only a search may do without.",
    "unknown movie": "Send a movie_id of the data set.",
    "value": "Send a finite number, or nothing.",
    "stars": "Send stars on the data set's scale.",
    "share": "Send the share watched, from 0 to 1.",
    "place": "Send the place in the list, a whole number from 1, or nothing.",
    "value not wanted": f"Leave the value out; only {RATE}, {STOP}, {IMPRESSION} and {CLICK} have one.",
    "text": "Send the words of the comment or search, in Unicode without NUL and lone surrogates.",
    "text not wanted": f"Leave the text out; only {COMMENT} and {SEARCH} have one.",
    "text too long": f"Send at most {LONGEST[COMMENT]:,} characters in a comment, {LONGEST[SEARCH]:,} in a search.",
    "time": "Send whole seconds since 1970.",
    "future time": f"Send the time of the event; a clock may be {SLACK} s ahead.",
}


def judge(raw: Event | Mapping[str, Any], rules: Rules) -> tuple[Event | None, str | None]:
    """The event that ``raw`` says, or the reason why it is refused; exactly one of the two is None."""
    event = raw if isinstance(raw, Event) else _read(raw)
    if event is None:
        return None, "fields"
    reason = next(filter(None, (check(event, rules) for check in CHECKS)), None)
    return (None, reason) if reason else (event, None)


def _read(raw: Any) -> Event | None:
    try:
        return Event(**raw)
    except TypeError:  # no mapping, a field that does not exist, or one that is missing
        return None
