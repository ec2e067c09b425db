"""The commands of feedback: rate stores what someone did, events shows what is stored."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from aicine_utils.commands.options import Dataset, console, plain
from aicine_utils.errors import AicineError, unknown

if TYPE_CHECKING:
    import pandas as pd

    from aicine_utils.data.movielens import MovieLens
    from aicine_utils.feedback.events import Event
    from aicine_utils.feedback.store import Store

app = typer.Typer()
LAST = 20  # events of one user that are shown


@app.command()
def rate(
    user: Annotated[str, typer.Option(help="A user_id of the data set, or a name for someone new.")],
    movie: Annotated[str, typer.Option(help="A title, a part of one, or a movie_id.")],
    stars: Annotated[float | None, typer.Option(help="A rating, on the data set's scale.")] = None,
    comment: Annotated[str | None, typer.Option(help="Words about the movie.")] = None,
    kind: Annotated[str | None, typer.Option(help="Instead: play, stop, finish, dismiss, click or impression.")] = None,
    share: Annotated[float | None, typer.Option(help="Of a stop: the share watched, 0 to 1.")] = None,
    dataset: Dataset = "ml-100k",
) -> None:
    """Store what someone did with a movie: a rating, a comment, a stop half-way.

    `recommend --user` reads it, and shows the movie no more, save after a click or an impression.
    """
    from aicine_utils.data import datasets, titles
    from aicine_utils.feedback import signals, store

    data = datasets.load(dataset)
    row = titles.find_movie(movie, data.movies)
    user = signals.named(user)
    _refuse_unknown(user, data)
    given = _events(user, int(row["movie_id"]), stars, comment, kind, share)
    with store.open_for(data) as opened:
        _refuse(opened.append(given).refused, data)
    told = ", ".join(event.kind + ("" if event.value is None else f" {event.value:g}") for event in given)
    console.print(f"Stored for {user}: {told} of {titles.named(row)}.", markup=False, highlight=False)


def _refuse_unknown(user: str, data: "MovieLens") -> None:
    """A number is a user_id, so one that the data set does not have is a slip, not someone new."""
    if user.isdecimal() and int(user) not in data.ratings["user_id"].to_numpy():
        raise AicineError(f"{data.name} has no user {user}. Give a user_id of it, or a name if new: --user me.")


def _events(
    user: str, movie: int, stars: float | None, comment: str | None, kind: str | None, share: float | None
) -> list["Event"]:
    """The events that the options say, one or two."""
    from aicine_utils.feedback.events import COMMENT, KINDS, RATE, SEARCH, STOP, Event

    if kind is not None and kind not in KINDS:
        raise unknown("kind of feedback", kind, KINDS)
    if (share is not None) != (kind == STOP):
        raise AicineError("A stop has the share watched, and nothing else has. Write --kind stop --share 0.4.")
    if kind == SEARCH:
        raise AicineError("A search is no feedback on one movie. Services store it: aicine_utils/feedback/store.py.")
    if (kind == RATE and stars is None) or (kind == COMMENT and comment is None):
        raise AicineError(f"--kind {kind} is said by an option of its own. Write --stars 5 or --comment 'Good'.")
    given = [Event(user, RATE, movie, stars)] if stars is not None else []
    given += [Event(user, COMMENT, movie, text=comment)] if comment is not None else []
    given += [Event(user, kind, movie, share)] if kind not in (None, RATE, COMMENT) else []
    if not given:
        raise AicineError("Nothing to store. Give --stars 5, --comment 'Good', or --kind stop --share 0.4.")
    return given


def _refuse(refused: dict[str, int], data: "MovieLens") -> None:
    from aicine_utils.data import schemas
    from aicine_utils.feedback.events import REASONS

    if refused:
        reasons = " ".join(f"{reason}: {REASONS[reason]}" for reason in refused)
        scale = f" It is {schemas.span(data.info['rating_scale'])}." if "stars" in refused else ""
        raise AicineError(f"Refused, {reasons}{scale}")


@app.command()
def events(
    dataset: Dataset = "ml-100k",
    user: Annotated[str | None, typer.Option(help="Show this user's last events instead.")] = None,
    export: Annotated[Path | None, typer.Option(help="Write all events to this Parquet file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """What feedback is stored: events by kind, refusals by reason; with --export, all of it as Parquet."""
    from aicine_utils.data import datasets

    data = datasets.load(dataset)
    with _opened(data, dataset) as opened:
        if user is None:
            _show(opened, as_json)
        else:
            _show_last(opened, user, data, as_json)
        if export:
            written = opened.export(export)
            typer.echo(f"Written to {export}: {written:,} events.", err=as_json)


@app.command()
def forget(
    user: Annotated[str, typer.Option(help="Whose feedback, by the name or user_id it was given under.")],
    dataset: Dataset = "ml-100k",
) -> None:
    """Erase all feedback of one user. What models and exports learned from it before stays in them."""
    from aicine_utils.data import datasets
    from aicine_utils.feedback import signals

    data, user = datasets.load(dataset), signals.named(user)
    with _opened(data, dataset) as opened:
        erased = opened.forget(user)
    if not erased:
        raise _of_nobody(user, data)
    console.print(f"Erased {erased:,} events of {user}.", markup=False, highlight=False)


def _of_nobody(user: str, data: "MovieLens") -> AicineError:
    return AicineError(f"No feedback of {user!r} on {data.name}. Name a user as in `rate`.")


def _opened(data: "MovieLens", dataset: str) -> "Store":
    from aicine_utils.feedback import store

    if not store.exists(data.name):
        raise AicineError(
            f"No feedback on {data.name} yet. Give some: python -m aicine_utils rate --dataset {dataset} "
            "--user me --movie TITLE --stars 5"
        )
    return store.open_for(data)


def _show_last(opened: "Store", user: str, data: "MovieLens", as_json: bool) -> None:
    """The last events of one user, the newest at the end."""
    from aicine_utils.feedback import signals

    told = opened.events(signals.named(user))
    if told.empty:
        raise _of_nobody(user, data)
    rows = told.tail(LAST).merge(data.movies, "left", left_on="movie", right_on="movie_id")
    rows["time"] = rows["time"].dt.strftime("%Y-%m-%d %H:%M:%S")
    rows = rows[["time", "kind", "value", "movie", "title", "text"]]
    if as_json:
        print(rows.to_json(orient="records", force_ascii=False))
        return
    table = Table(*rows.columns, title=plain(f"Last events of {user}"), title_justify="left", box=None)
    for row in rows.astype(object).where(rows.notna(), "").itertuples(index=False):
        table.add_row(*(plain(str(cell)) for cell in row))
    console.print(table)


def _show(opened: "Store", as_json: bool) -> None:
    stored, refused, people = opened.counts(), opened.refusals(), opened.n_users()
    if as_json:
        print(json.dumps({"events": stored.to_dict(), "refused": refused.to_dict(), "users": people}))
        return
    console.print(_table("kind", stored))
    if len(refused):
        console.print(_table("refused because of", refused))
    console.print(f"{stored.sum():,} events of {people:,} people, {refused.sum():,} refused.", highlight=False)


def _table(name: str, counts: "pd.Series") -> Table:
    table = Table(name, "events", box=None)
    for what, n in counts.items():
        table.add_row(str(what), f"{n:,}")
    return table
