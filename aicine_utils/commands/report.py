"""The commands of the report: data, run, and those that Snakemake calls."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from aicine_utils.commands.options import Dataset, console
from aicine_utils.errors import AicineError

app = typer.Typer()


@app.command()
def data(dataset: Dataset = "ml-100k") -> None:
    """Find, download if need be, validate and keep a data set; print its card."""
    from aicine_utils import settings
    from aicine_utils.data import datasets

    loaded = datasets.load(dataset)
    card = {**loaded.info, "n_ratings": len(loaded.ratings), "n_movies": len(loaded.movies),
            "n_users": int(loaded.ratings["user_id"].nunique())}  # fmt: skip
    target = settings.output_dir(loaded.name) / "runs" / "data.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(card, indent=1, default=str), encoding="utf-8")
    console.print_json(json.dumps(card, default=str))


@app.command()
def run(
    dataset: Annotated[str, typer.Option(help="A data set's name.")] = "",
    data: Annotated[str, typer.Option(help="A folder with your own ratings.")] = "",
    preset: Annotated[str, typer.Option(help="mock, quick or full; without data, of its own data.")] = "",
    only: Annotated[str, typer.Option(help="Numbers of notebooks, such as 05 or 02,05.")] = "",
    begin: Annotated[str, typer.Option("--from", help="Make this notebook and all after it again.")] = "",
    force: Annotated[bool, typer.Option(help="Make every notebook again; trained models are kept.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Notebooks at a time.")] = max(1, min(2, os.cpu_count() or 1)),
    show: Annotated[bool, typer.Option("--list", help="List the notebooks and stop.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what would be made, and stop.")] = False,
    parameter: Annotated[list[str], typer.Option("-p", "--param", help="name=value for those named by --only.")] = [],
) -> None:  # fmt: skip
    """Make the report: every notebook, its page, and the index. What has not changed is not made again."""
    from aicine_utils import settings
    from aicine_utils.pipeline import plan, runner

    if show:
        return _list_notebooks()
    _refuse_both({"--data": data, "--dataset": dataset})
    _refuse_both({"--only": only, "--from": begin})
    if data and not Path(data).is_dir():
        raise AicineError(f"Folder {data} is not there. --data takes a folder of ratings, --dataset a name.")
    chosen = data or dataset or settings.preset(preset or "quick").dataset
    if parameter and not only:
        raise AicineError("Parameters are for notebooks named by --only. Add for example --only 05.")
    request = _request(
        chosen, preset, only, begin, force, jobs, dry_run, dict(plan.parse_parameter(p) for p in parameter)
    )
    code = runner.run(request, console)
    raise typer.Exit(code)


def _refuse_both(options: dict[str, str]) -> None:
    """AicineError where two options are given of which one goes."""
    if all(options.values()):
        raise AicineError(f"{' and '.join(options)} exclude each other. Leave one out.")


def _request(
    chosen: str, preset: str, only: str, begin: str, force: bool, jobs: int, dry_run: bool, given: dict[str, Any]
) -> Any:
    """Everything checked before anything runs: data, preset, notebook numbers, parameters."""
    from aicine_utils import settings
    from aicine_utils.data import datasets
    from aicine_utils.pipeline import execute, plan, runner

    loaded = datasets.load(chosen)
    numbers = [number.strip() for number in only.split(",") if number.strip()]
    names = [plan.find(number).name for number in numbers]
    if begin:
        plan.find(begin)
    for own in {"dataset", "preset"} & set(given):
        raise AicineError(f"Parameter {own} has an option of its own. Write --{own} {given[own]} in place of -p.")
    for name in names:
        execute.refuse_unfit(name, given)
    preset = settings.preset(preset or settings.preset_for(loaded.name)).name
    place = str(Path(chosen).resolve()) if Path(chosen).is_dir() else chosen
    return runner.Request(place, loaded.name, preset, names, begin or None, force, jobs, dry_run, given)


def _list_notebooks() -> None:
    from aicine_utils.pipeline import plan

    table = Table("number", "notebook", "title", box=None)
    for book in plan.notebooks():
        table.add_row(book.number, book.name, book.title)
    console.print(table)


@app.command(hidden=True)
def execute(
    book: str, dataset: Dataset, preset: str = "quick",
    parameter: Annotated[list[str], typer.Option("-p")] = [],
) -> None:  # fmt: skip
    """Execute one notebook (called by Snakemake)."""
    from aicine_utils.data import catalogue
    from aicine_utils.pipeline import execute as executing
    from aicine_utils.pipeline import plan

    given = dict(plan.parse_parameter(text) for text in parameter)
    whole = executing.execute(plan.find(book).name, dataset, catalogue.folder_name(dataset), preset, given)
    raise typer.Exit(0 if whole else 1)


@app.command(hidden=True)
def repeats(
    dataset: Dataset, preset: str = "quick", processes: int = 1,
    parameter: Annotated[list[str], typer.Option("-p")] = [],
) -> None:  # fmt: skip
    """Make the trainings beyond one a model, several at once (called by Snakemake)."""
    from aicine_utils.pipeline import plan, repeating

    given = dict(plan.parse_parameter(text) for text in parameter)
    own = {name: given[other] for name, other in (("seed", "seed"), ("trainings", "seeds")) if other in given}
    repeating.repeat(dataset, preset, processes, **own)


@app.command(hidden=True)
def page(book: str, dataset: Dataset, planned: str = "") -> None:
    """Render one executed notebook (called by Snakemake)."""
    from aicine_utils.data import catalogue
    from aicine_utils.pipeline import plan, render

    render.page(plan.find(book).name, catalogue.folder_name(dataset), planned.split(","))


@app.command(hidden=True)
def index(dataset: Dataset, after_error: bool = False) -> None:
    """Render the index, and a page for each notebook that failed (called by Snakemake)."""
    from aicine_utils.data import catalogue
    from aicine_utils.pipeline import first_page

    first_page.index(catalogue.folder_name(dataset), after_error)


@app.command()
def sync(check: Annotated[bool, typer.Option(help="Only say which pairs differ; exit 1 if any.")] = False) -> None:
    """Make every notebook's .py and .ipynb equal."""
    from aicine_utils.pipeline import pairs

    changed = pairs.sync(check)
    for name in changed:
        console.print(f"{name}: {'differs' if check else 'synced'}")
    raise typer.Exit(1 if check and changed else 0)


@app.command()
def readme(
    dataset: Annotated[str, typer.Option(help="Data set of the report. Default: the one that README shows.")] = "",
) -> None:
    """Write README's findings, picture and table from the tables of a finished report."""
    from aicine_utils import settings
    from aicine_utils.data import catalogue
    from aicine_utils.report import readme as writing

    name = catalogue.folder_name(dataset or writing.shown_dataset(settings.home()))
    for path in writing.write(settings.home(), name):
        console.print(f"{path.relative_to(settings.home())} written from the tables of {name}")
