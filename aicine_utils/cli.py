"""The command line: train, ask and search models; run, render and pair the report.

Every command also takes ``--rating-scale LOW HIGH`` for ratings of one's own. Heavy libraries are imported inside the
commands that need them, so that ``--help`` and errors come at once.
"""

import logging
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.status import Status
from rich.table import Table

from aicine_utils.commands import feedback, recommend, report, saved
from aicine_utils.commands.options import Dataset, Model, Protocol, console, plain
from aicine_utils.errors import AicineError, unknown

if TYPE_CHECKING:
    import pandas as pd

    from aicine_utils.experiment import Result
    from aicine_utils.splits import Split
    from aicine_utils.tuning import Winner

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
for part in (recommend, feedback, saved, report):
    app.registered_commands += part.app.registered_commands

Seed = Annotated[int, typer.Option(min=0, help="Seed of the model.")]


def main() -> None:
    """Run the command line; a mistake of the user's is one message on stderr and exit code 2."""
    handler = RichHandler(console=Console(stderr=True), show_path=False, show_time=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    try:
        app(take_rating_scale(sys.argv[1:]))
    except AicineError as error:
        Console(stderr=True, soft_wrap=True).print(f"[bold red]Error:[/bold red] {plain(str(error))}", highlight=False)
        sys.exit(error.exit_code)


def take_rating_scale(words: list[str]) -> list[str]:
    """Words without ``--rating-scale LOW HIGH``, which goes to every process of a run through the environment."""
    if "--rating-scale" not in words:
        return words
    at = words.index("--rating-scale")
    os.environ["AICINE_RATING_SCALE"] = " ".join(words[at + 1 : at + 3])
    return words[:at] + words[at + 3 :]


def _split(dataset: str, protocol: str) -> "Split":
    from aicine_utils import splits
    from aicine_utils.data import datasets

    return splits.make(datasets.load(dataset), protocol)


@app.command()
def models() -> None:
    """List every model: name, family, what it can do, and where it comes from."""
    from aicine_utils.models import registry

    table = Table("name", "model", "family", "stars", "new users", "new movies", "features", "source", box=None)
    for row in registry.ENTRIES:
        can = [row.rates, row.new_users, row.new_movies, row.features]
        table.add_row(
            row.name, row.label, registry.FAMILIES[row.family], *("yes" if c else "" for c in can), row.citation
        )
    console.print(table)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train(
    context: typer.Context,
    model: Model,
    dataset: Dataset = "ml-100k",
    protocol: Protocol = "user_temporal",
    seed: Seed = 0,
) -> None:
    """Train a model, measure and save it.

    Any parameter of the model is an option, ``--epochs 20``; configs/models/NAME.yaml tells what there is.
    """
    from aicine_utils import experiment

    given, split = overrides(model, context.args), _split(dataset, protocol)
    before = experiment.preferred(model, split.info["dataset"], protocol)
    hint = f", about {before.manifest['fit_seconds']:.0f} s as last time" if before else ""
    with console.status(f"{model}: training{hint}"):
        result = experiment.choose(experiment.run(model, split, seed, **given))
    console.print(f"{model}: {experiment.told_cost(result)}, saved in {result.folder}")
    table = Table("metric", "mean", "95 % interval", box=None)
    for name, row in measured(result).iterrows():
        table.add_row(str(name), f"{row['mean']:.4f}", f"{row['low']:.4f} to {row['high']:.4f}")
    console.print(table)


def measured(result: "Result") -> "pd.DataFrame":
    """Mean, low and high by metric; errors in stars are those over all test ratings, as on every page."""
    import pandas as pd

    from aicine_utils.metrics import evaluate, rating

    lists = evaluate.summary(result.per_user)
    if result.predictions is None:
        return lists
    return pd.concat([lists.drop(index=rating.METRICS, errors="ignore"), rating.evaluate_ratings(result.predictions)])


def overrides(model: str, extra: list[str]) -> dict[str, object]:
    """``--name value`` or ``--name=value`` pairs as parameters of a model; ``--epochs`` also finds ``n_epochs``."""
    from aicine_utils import parameters
    from aicine_utils.models import registry

    row = registry.entry(model)
    known, given = row.model_class.defaults, {}
    for option, value in _pairs(extra):
        name = option.removeprefix("--").replace("-", "_")
        name = f"n_{name}" if name not in known and f"n_{name}" in known else name
        if name not in known:
            raise unknown(f"parameter of {model}", name, known)
        given[name] = parameters.read(value)
    row.model_class(**{**row.fixed, **given})  # a wrong value is told before any data is read
    return given


def _pairs(extra: list[str]) -> Iterator[tuple[str, str]]:
    """(--name, value) of options that the command does not declare itself."""
    words = [part for word in extra for part in (word.split("=", 1) if word.startswith("--") else [word])]
    if len(words) % 2 or not all(word.startswith("--") for word in words[::2]):
        raise AicineError(
            f"Options {' '.join(extra)!r} are not pairs of --name value. Write for example --n-epochs 20."
        )
    return zip(words[::2], words[1::2], strict=True)


@app.command()
def tune(
    dataset: Dataset = "ml-100k",
    model: Annotated[list[str], typer.Option(help="Repeat for several; all if none.")] = [],
    trials: Annotated[int, typer.Option(min=1)] = 20, protocol: Protocol = "user_temporal",
    minutes: Annotated[float, typer.Option(min=0, help="Then only trials known beforehand begin; 0: no limit.")] = 0,
) -> None:  # fmt: skip
    """Search parameters on validation and keep the winners, unless one of more trials is kept already; resumes."""
    from aicine_utils import settings, tuning
    from aicine_utils.models import registry

    for name in model:
        registry.entry(name)
    split = _split(dataset, protocol)
    for name in model or [name for name in registry.names() if settings.model_config(name)["search"]]:
        with console.status(f"{name}: searching") as live:
            winner = tuning.tune(name, split, trials, 0, search_progress(name, live), minutes or math.inf)
        found = f"{name}: {winner.metric} {winner.value:.4f} on validation"
        console.print(f"{found} after {winner.trials} trials in {winner.minutes:g} min")
        console.print(keep_winner(name, split.info["dataset"], protocol, winner))


def keep_winner(name: str, dataset: str, protocol: str, winner: "Winner") -> str:
    """Write the winner where no larger search stands; a sentence on which file now says what."""
    from aicine_utils import settings, tuning

    path = tuning.winners_file(dataset)
    if tuning.write_winners(dataset, protocol, {name: winner}):
        return f"Written to {path}; runs on {dataset} under {protocol} use it from now on."
    trials = settings.winner(name, dataset, protocol)["trials"]
    more = f"Search with --trials {trials}, and minutes enough for them, to replace it."
    return f"Kept {path} as it was: its winner is of {trials} trials. {more}"


def search_progress(name: str, live: Status) -> Callable[[int, int, float], None]:
    """Shows trials done, the best so far and the time left after each trial."""
    started, known = time.monotonic(), None

    def show(done: int, of: int, best: float) -> None:
        nonlocal known
        known = done - 1 if known is None else known  # a resumed search begins with trials that took no time now
        left = (time.monotonic() - started) / (done - known) * max(of - done, 0)
        live.update(f"{name}: trial {done}/{of}, best {best:.4f}, {left:.0f} s left")

    return show
