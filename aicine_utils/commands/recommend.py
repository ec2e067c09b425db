"""The commands that ask saved models and train nothing: recommend, similar."""

import json
import shlex
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from aicine_utils.commands.options import AsJson, Dataset, Model, Protocol, console, plain
from aicine_utils.errors import AicineError, unknown

if TYPE_CHECKING:
    import pandas as pd

    from aicine_utils.data.movielens import MovieLens
    from aicine_utils.experiment import Result
    from aicine_utils.feedback.person import Told
    from aicine_utils.models.base import Recommender

app = typer.Typer()
LAST = 10  # movies of someone's feedback that are named

Top = Annotated[int, typer.Option(min=1, max=1000, help="Length of the list.")]
Run = Annotated[str, typer.Option(help="Key of a saved run, as `checkpoints` shows it; else the one that answers.")]


def _say(text: str) -> None:
    """On stderr, so that what is piped stays what was asked for."""
    Console(stderr=True, soft_wrap=True).print(plain(text), style="dim", highlight=False)


def saved_run(model: str, dataset: str, protocol: str, key: str = "") -> "Result":
    """The saved run that answers for a model, or the one with this key.

    AicineError says how to train it when there is none, and which keys there are when this is none of them.
    """
    from aicine_utils import experiment
    from aicine_utils.data import catalogue
    from aicine_utils.models import registry

    registry.entry(model)
    refuse_unknown(protocol)
    found = experiment.preferred(model, catalogue.folder_name(dataset), protocol)
    if found is None:
        raise nothing_saved(model, dataset, protocol)
    return _with_key(key, found) if key else found


def refuse_other_data(result: "Result", data: "MovieLens", dataset: str) -> None:
    """AicineError where one's own ratings are not those that a saved run learned from: its folder's name is all that
    the two need to have in common.
    """
    from aicine_utils import splits
    from aicine_utils.data import catalogue

    protocol = result.manifest["protocol"]
    if dataset in catalogue.NAMES or splits.make(data, protocol).hash == result.manifest["split"]:
        return
    line = f"train --dataset {shlex.quote(dataset)} --model {result.name} --protocol {protocol}"
    raise AicineError(
        f"{result.folder.name} learned from other ratings than {dataset} has: a file changed, or another folder has "
        f"the same name. Train it again: python -m aicine_utils {line}"
    )


def _with_key(key: str, other: "Result") -> "Result":
    """The run of the same model, data and protocol as ``other`` whose key begins so."""
    from aicine_utils.experiment import Result

    keys = {path.parent.name.rpartition("-")[2]: path.parent
            for path in other.folder.parent.glob(f"{other.name}-s*-*/manifest.json")}  # fmt: skip
    fitting = [folder for known, folder in keys.items() if known.startswith(key)]
    if len(fitting) != 1:
        raise unknown(f"run of {other.name} under {other.manifest['protocol']}", key, keys)
    return Result(fitting[0])


def refuse_unknown(protocol: str) -> None:
    """AicineError that names the nearest for a protocol that does not exist."""
    from aicine_utils import splits

    if protocol not in splits.PROTOCOLS:
        raise unknown("protocol", protocol, splits.PROTOCOLS)


def nothing_saved(model: str | None, dataset: str, protocol: str | None) -> AicineError:
    """The error that names the command which trains; that of the data comes first if there are no such data."""
    from aicine_utils.data import catalogue, datasets

    if dataset not in catalogue.NAMES:
        datasets.load(dataset)
    usual = protocol in (None, "user_temporal")
    line = (
        f"train --dataset {shlex.quote(dataset)} --model {model or 'ease'}{'' if usual else f' --protocol {protocol}'}"
    )
    under = "" if usual else f" under {protocol}"
    return AicineError(f"No saved {model or 'model'} for {dataset}{under}. Train it: python -m aicine_utils {line}")


def _tell_run(result: "Result") -> None:
    """Which saved run answers and with which settings."""
    from aicine_utils.models import registry

    manifest = result.manifest
    params = ", ".join(f"{name} {value}" for name, value in manifest["params"].items()) or "nothing to set"
    usual = registry.create(result.name, manifest["dataset"], protocol=manifest["protocol"]).params
    whose = "the report's settings" if manifest["params"] == usual else "settings of your own, not the report's"
    _say(f"Answered by run {result.folder.name}, {whose}: {params}.")


@app.command()
def recommend(
    model: Model,
    user: Annotated[str | None, typer.Option(help=(
        "A user_id of the data set, or the name under which someone new gave feedback with `rate`."
    ))] = None,
    history: Annotated[list[str], typer.Option(help=(
        "Instead of a user: watched movies, oldest first, by title, part of a title, or movie_id. Commas separate "
        "them, save within a title that is written whole ('Usual Suspects, The (1995)'). Where there are semicolons, "
        "these separate and commas don't. May be repeated."
    ))] = [],
    dataset: Dataset = "ml-100k", top: Top = 10, protocol: Protocol = "user_temporal",
    run: Run = "", as_json: AsJson = False,
) -> None:  # fmt: skip
    """Recommend movies with a saved model, the one that `train` made last if any, to a user or after a typed history.

    Nothing is trained; watched movies are left out. Feedback that the user gave with `rate` is read at once.
    """
    from aicine_utils import histories
    from aicine_utils.data import datasets

    if (user is None) == (not history):
        wrong = "--user or --history is missing" if user is None else "--user and --history are two people"
        raise AicineError(f"A list is for one person: {wrong}. Give either --user 1 or --history 'Toy Story,Heat'.")
    if history:
        histories.refuse_unfit(model)
    result, data = saved_run(model, dataset, protocol, run), datasets.load(dataset)
    refuse_other_data(result, data, dataset)
    if history:
        best, title = _after(model, result.model(), history, data.movies, top), f"{model} for a typed history"
    else:
        best, title = _for_user(result, data, user, top), f"{model} for user {user}"
    _tell_run(result)
    _show(best, data.movies, plain(title), as_json)


def _for_user(result: "Result", data: "MovieLens", user: str, top: int) -> "pd.DataFrame":
    """The list of a user of the data set, of the store of feedback, or of both; says what feedback was read."""
    from aicine_utils import splits
    from aicine_utils.feedback import person, signals, store
    from aicine_utils.models import registry

    said, model, user = None, result.model(), signals.named(user)
    if store.exists(data.name):
        with store.open_for(data) as opened:
            said = person.told(opened, user, model)
    if said is None:
        return model.recommend([_number(user, data)], top)
    _tell_feedback(said, result.name, data.movies)
    split = splits.make(data, result.manifest["protocol"])
    best, read = person.recommend(result.name, model, said, signals.user_id(user), split, top)
    if registry.entry(result.name).new_users and not read:
        _say(f"{result.name} reads nothing of it, so this is its list for anyone, or what is watched most.")
    return best


def _number(user: str, data: "MovieLens") -> int:
    if not user.isdecimal():
        raise AicineError(
            f"No feedback of {user!r} on {data.name}. Name a user_id of it, or begin: python -m aicine_utils rate "
            f"--dataset {data.name} --user {shlex.quote(user)} --movie TITLE --stars 5"
        )
    return int(user)


def _tell_feedback(said: "Told", name: str, movies: "pd.DataFrame") -> None:
    """Which movies of the feedback count as liked, as not, and as neither; and if the model reads no feedback."""
    from aicine_utils.data import titles
    from aicine_utils.models import registry

    neither = [movie for movie in said.hidden if movie not in {*said.liked, *said.disliked}]
    for word, ids in (("liked", said.liked), ("not liked", said.disliked), ("only left out of the list", neither)):
        rows = movies.set_index("movie_id", drop=False).loc[ids[-LAST:]]
        if ids:
            more = f" and {len(ids) - LAST} before them" if len(ids) > LAST else ""
            _say(f"Feedback, {word}: {'; '.join(titles.named(row) for _, row in rows.iterrows())}{more}.")
    if not registry.entry(name).new_users:
        _say(f"{name} learns people in training alone: feedback only keeps its movies out of the list.")


def _after(name: str, model: "Recommender", typed: list[str], movies: "pd.DataFrame", top: int) -> "pd.DataFrame":
    """The list after the movies that were typed; says which these are, and which the model passed over."""
    from aicine_utils import histories
    from aicine_utils.data import titles

    rows = [row for words in typed for row in titles.find_movies(words, movies)]
    if not rows:
        raise AicineError("--history names no movie. Write for example --history 'Toy Story,Heat'.")
    ids = [int(row["movie_id"]) for row in rows]
    best, read = histories.recommend(name, model, ids, top), set(histories.readable(name, model, ids))
    _say(f"Watched: {'; '.join(titles.named(row) for row in rows)}.")
    if passed := [titles.named(row) for row in rows if row["movie_id"] not in read]:
        _say(f"Passed over, for {name} was trained with no rating of them: {'; '.join(passed)}.")
    return best


@app.command()
def similar(
    movie: Annotated[str, typer.Option(help="A title, a part of one, or a movie_id.")], model: Model = "item_knn",
    dataset: Dataset = "ml-100k", top: Top = 10, protocol: Protocol = "user_temporal",
    run: Run = "", as_json: AsJson = False,
) -> None:  # fmt: skip
    """Movies nearest to one, by a saved model; nothing is trained."""
    from aicine_utils.data import datasets, titles
    from aicine_utils.models import registry

    result, data = saved_run(model, dataset, protocol, run), datasets.load(dataset)
    refuse_other_data(result, data, dataset)
    row, fitted = titles.find_movie(movie, data.movies), result.model()
    if not fitted.known_[fitted._column(int(row["movie_id"]))] and not registry.entry(model).new_movies:
        raise AicineError(
            f"{model} was trained with no rating of {row['title']}. Use content_tfidf, which reads titles."
        )
    best = fitted.similar(int(row["movie_id"]), top)
    _tell_run(result)
    _show(best, data.movies, f"{model}: movies similar to {row['title']}", as_json)


def _show(best: "pd.DataFrame", movies: "pd.DataFrame", title: str, as_json: bool) -> None:
    import pandas as pd

    rows = best.merge(movies, on="movie_id", how="left")
    if as_json:
        columns = [name for name in ("rank", "movie_id", "title", "genres", "score") if name in rows]
        records = [{**r, "genres": list(r["genres"])} for r in rows[columns].to_dict("records")]
        print(json.dumps(records, ensure_ascii=False, default=float))
        return
    table = Table("rank", "title", "year", "genres", "score", title=title, title_justify="left", box=None)
    for row in rows.itertuples():
        year = "" if pd.isna(row.year) else str(row.year)
        table.add_row(str(row.rank), plain(row.title), year, ", ".join(row.genres), f"{row.score:.3f}")
    console.print(table)
