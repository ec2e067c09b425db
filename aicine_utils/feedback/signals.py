"""Events to training signals, by rules that ``configs/signals.yaml`` states; and ratings told as events, for a replay.

Each event has a preference p, from -1 (dislikes) to 1 (likes), and a weight w, from 0 to 1, both set by its kind and
value; w halves with every half-life of the event's age. One event speaks for each person and movie: the latest rating
if there is one; else, of the last dismissal and what came after it, or of all where there is none, the event that
weighs most, the latest of equals. Its signal is a rating,

    stars = low + (p + 1) / 2 · (high - low),

so that a rating of one's own stays what it was, with its weight and its time.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import settings
from aicine_utils.errors import AicineError, unknown
from aicine_utils.feedback.events import DISMISS, FIELDS, FINISH, KINDS, PLAY, RATE, STOP, Event

WEIGHT = "weight"
SIGNALS = [*c.RATINGS[:3], WEIGHT, c.TIMESTAMP]
NEW_PEOPLE = 2**52  # names have user_ids from here to twice this, exact in a double
DAY = 86_400  # seconds
Line = tuple[float, float]  # at the lowest and at the highest value


@dataclass(frozen=True)
class SignalRules:
    """One set of rules: the line of preferences and the weight of each kind that is read, and a half-life in days."""

    name: str
    preference: Mapping[str, Line]
    weight: Mapping[str, float]
    half_life_days: float | None = None


def rule_sets() -> list[str]:
    """Names of the sets of rules in ``configs/signals.yaml``."""
    return list(_config()["sets"])


def share_rated() -> float:
    """The share of watched films that get stars where ratings are told as events."""
    return _config()["replay"]["rated"]


def rules(name: str = "default") -> SignalRules:
    """The set of this name. AicineError for a name, kind or number that is none."""
    config = _config()
    if name not in config["sets"]:
        raise unknown("set of signal rules", name, config["sets"])
    base, own = config["default"], config["sets"][name] or {}
    merged = {**base, **own, **{part: {**base[part], **own.get(part, {})} for part in ("preference", WEIGHT)}}
    for kind in [*merged["kinds"], *merged["preference"], *merged[WEIGHT]]:
        if kind not in KINDS:
            raise unknown(f"kind of event in signals.yaml, set {name}", kind, KINDS)
    read = [kind for kind in merged["kinds"] if merged[WEIGHT].get(kind)]
    lines = {kind: _line(merged["preference"].get(kind), -1, f"{name}, preference of {kind}") for kind in read}
    weights = {kind: _line(merged[WEIGHT][kind], 0, f"{name}, weight of {kind}")[0] for kind in read}
    return SignalRules(name, lines, weights, merged["half_life_days"])


def _config() -> dict[str, Any]:
    return settings.read_yaml(settings.CONFIGS / "signals.yaml")


def _line(value: Any, lowest: float, what: str) -> Line:
    ends = value if isinstance(value, list) else [value, value]
    if len(ends) != 2 or not all(isinstance(end, int | float) and lowest <= end <= 1 for end in ends):
        raise AicineError(f"signals.yaml, {what}: {value} is not a number from {lowest} to 1, or a pair of them.")
    return float(ends[0]), float(ends[1])


def from_events(
    events: pd.DataFrame, by: SignalRules, scale: tuple[float, float], now: pd.Timestamp | None = None
) -> pd.DataFrame:
    """Signals of events: user_id, movie_id, rating, weight, timestamp; sorted by user and time, then arrival.

    events: user, kind, movie, value, time as :meth:`Store.events` gives them, in order of time and arrival. now: what
    ages are counted to, the time of the last event unless given. Kinds that are not read, and searches without a
    movie, leave no signal. Each pair is told once, so ``events`` must hold all of a pair, not only what is new.
    """
    read = events[events["kind"].isin(list(by.weight)) & events["movie"].notna()]
    if read.empty:
        return _empty()
    p, w = _preferences(read, by, scale), _weights(read, by, now or events["time"].max())
    frame = pd.DataFrame({
        c.USER: user_ids(read["user"]), c.MOVIE: read["movie"].to_numpy(np.int64),
        c.RATING: stars(p, scale), WEIGHT: w.astype(np.float32), c.TIMESTAMP: read["time"].to_numpy("datetime64[s]"),
    })  # fmt: skip
    explicit = (read["kind"] == RATE).to_numpy()
    frame, w, explicit = (part[explicit | ~_taken_back(frame, read)] for part in (frame, w, explicit))
    strength = np.where(explicit, 2.0, w)  # above every weight, and equal, so that the latest rating wins
    order = np.lexsort((np.arange(len(frame)), frame[c.TIMESTAMP], strength, frame[c.MOVIE], frame[c.USER]))
    speaking = frame.iloc[order].drop_duplicates([c.USER, c.MOVIE], keep="last")
    speaking = speaking[speaking[WEIGHT] > 0]  # what is so old that its weight is none is forgotten
    return speaking.sort_index().sort_values([c.USER, c.TIMESTAMP], kind="stable", ignore_index=True)


def _taken_back(frame: pd.DataFrame, read: pd.DataFrame) -> np.ndarray:
    """Whether a later dismissal of the same person and movie unsays each event, bool [n]; in order of time."""
    place = pd.Series(np.arange(len(frame)), frame.index)
    dismissed = place.where((read["kind"] == DISMISS).to_numpy())
    return (place < dismissed.groupby([frame[c.USER], frame[c.MOVIE]]).transform("max")).to_numpy()


def _preferences(read: pd.DataFrame, by: SignalRules, scale: tuple[float, float]) -> np.ndarray:
    """p of each event, float64 [n]: its kind's line at the place of its value."""
    low = read["kind"].map({kind: line[0] for kind, line in by.preference.items()}).to_numpy(np.float64)
    high = read["kind"].map({kind: line[1] for kind, line in by.preference.items()}).to_numpy(np.float64)
    value = read["value"].fillna(0.0).to_numpy(np.float64)
    place = np.where(read["kind"] == RATE, (value - scale[0]) / (scale[1] - scale[0]), value)
    return low + np.where(low == high, 0.0, place) * (high - low)


def _weights(read: pd.DataFrame, by: SignalRules, now: pd.Timestamp) -> np.ndarray:
    """w of each event, float64 [n]: w₀ · ½^(age / half-life)."""
    fresh = read["kind"].map(dict(by.weight)).to_numpy(np.float64)
    if by.half_life_days is None:
        return fresh
    age = (pd.Timestamp(now) - read["time"]).dt.total_seconds().to_numpy().clip(0) / DAY
    return fresh * 0.5 ** (age / by.half_life_days)


def stars(preference: np.ndarray, scale: tuple[float, float]) -> np.ndarray:
    """Preferences as stars on a scale, float32 [n]; the inverse of :func:`preference`."""
    return (scale[0] + (np.asarray(preference) + 1) / 2 * (scale[1] - scale[0])).astype(np.float32)


def preference(rating: np.ndarray, scale: tuple[float, float]) -> np.ndarray:
    """Stars as preferences from -1 to 1, float64 [n]: 2 · place - 1."""
    return 2 * (np.asarray(rating, np.float64) - scale[0]) / (scale[1] - scale[0]) - 1


def user_ids(users: pd.Series) -> np.ndarray:
    """int64 [n]: the number that a user's text is, else one made of the name, the same in every process.

    2⁵² + the first 52 bits of BLAKE2b of the name: above every user_id of a data set, and exact in a double.
    """
    codes, names = pd.factorize(users)
    return np.array([user_id(name) for name in names], np.int64)[codes]


def named(user: str) -> str:
    """The name under which a user's events are stored: 1 for 01, since a number is a user_id of the data set."""
    return str(int(user)) if user.isascii() and user.isdigit() else user


def user_id(name: str) -> int:
    """The user_id of one user of the store."""
    if name.isascii() and name.isdigit() and str(int(name)) == name and int(name) < NEW_PEOPLE:
        return int(name)
    return NEW_PEOPLE + int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") % NEW_PEOPLE


def _empty() -> pd.DataFrame:
    kinds = ["int64", "int64", "float32", "float32", "datetime64[s]"]
    return pd.DataFrame(columns=SIGNALS).astype(dict(zip(SIGNALS, kinds, strict=True)))


def events_of(ratings: pd.DataFrame, scale: tuple[float, float], seed: int = 0) -> pd.DataFrame:
    """Ratings told as events that could have come before them, in order of time: the columns of :meth:`Store.events`.

    MovieLens has no implicit feedback: no play, no stop, nothing of what was shown and passed over. These events are
    invented, by the rule ``replay`` of ``configs/signals.yaml`` from the stars alone, so what is found with them holds
    for a service whose viewers behave by that rule, and shows that the loop works, not how people watch.

    Each rating is a play two hours before its time; a finish at its time, the likelier the more stars, else a stop
    with a share that grows with the stars, and sometimes a dismissal of what was liked least; and a share of them is
    the rating itself. The same seed and rows give the same events, and each event's id is the same whenever it is made.
    """
    rule, rng = _config()["replay"], np.random.default_rng(seed)
    place = (ratings[c.RATING].to_numpy(np.float64) - scale[0]) / (scale[1] - scale[0])
    rated, finished, dismissed = (rng.random(len(ratings)) for _ in range(3))
    ended = finished < _at(rule["finish"], place)
    mean = _at(rule["share"], place)
    share = rng.beta(mean * rule["spread"], (1 - mean) * rule["spread"])
    stars_ = ratings[c.RATING].to_numpy(np.float64)
    nothing, always = np.full(len(ratings), np.nan), np.ones(len(ratings), bool)
    told = [
        (PLAY, always, nothing, 60 * rule["minutes"]),
        (FINISH, ended, nothing, 0),
        (STOP, ~ended, share, 0),
        (DISMISS, ~ended & (dismissed < _at(rule["dismiss"], place)), nothing, 0),
        (RATE, rated < rule["rated"], stars_, 0),
    ]
    frames = [_told(ratings[which], kind, value[which], before) for kind, which, value, before in told]
    rows = np.concatenate([np.flatnonzero(which) for _, which, _, _ in told])
    events = pd.concat(frames, ignore_index=True)
    order = np.lexsort((rows, events["time"]))  # within a second by the rating's row, then by kind as above
    events = events.iloc[order].reset_index(drop=True)
    return events.assign(seq=np.arange(1, len(events) + 1))[["seq", *FIELDS]]


def _at(line: list[float], place: np.ndarray) -> np.ndarray:
    return line[0] + place * (line[1] - line[0])


def _told(rows: pd.DataFrame, kind: str, value: np.ndarray, before: int) -> pd.DataFrame:
    users, movies = rows[c.USER].astype(str), rows[c.MOVIE].astype("Int64")
    when = (rows[c.TIMESTAMP] - pd.Timedelta(seconds=before)).clip(lower=pd.Timestamp(0)).astype("datetime64[s]")
    ids = kind + "-" + users + "-" + movies.astype(str)
    return pd.DataFrame({"event_id": ids, "user": users, "kind": kind, "movie": movies, "value": value, "text": None,
                         "time": when, "list_id": None, "model_version": None})  # fmt: skip


def as_events(frame: pd.DataFrame) -> Iterator[Event]:
    """Events of a frame like :func:`events_of`'s, to be stored."""
    seconds = frame["time"].to_numpy("datetime64[s]").astype(np.int64)
    movies = frame["movie"].astype(object).where(frame["movie"].notna(), None)
    values = frame["value"].astype(object).where(frame["value"].notna(), None)
    columns = (frame["user"], frame["kind"], movies, values, frame["text"], seconds.tolist(), frame["event_id"])
    return (Event(*row) for row in zip(*columns, strict=True))
