"""The command that lists saved models, finds the newest and deletes those that newer ones replace."""

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from aicine_utils.commands.options import AsJson, Dataset, console
from aicine_utils.commands.recommend import nothing_saved, refuse_unknown
from aicine_utils.errors import AicineError

if TYPE_CHECKING:
    from aicine_utils.checkpoints import Checkpoint

app = typer.Typer()


@app.command()
def checkpoints(
    dataset: Dataset = "ml-100k",
    model: Annotated[str, typer.Option(help="Only those of this model.")] = "",
    protocol: Annotated[str, typer.Option(help="Only those of this protocol.")] = "",
    newest: Annotated[bool, typer.Option("--newest", help="Print the folder of the newest one.")] = False,
    delete_old: Annotated[bool, typer.Option("--delete-old", help=(
        "Delete all but the newest of each model, protocol and seed; the newest with the report's settings and the "
        "one that `recommend` answers with are kept too. Not while a report is being made: it may need the others."
    ))] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what --delete-old would delete.")] = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Saved models, newest first: list them, find the newest, delete those that newer ones replace."""
    from aicine_utils import checkpoints as saving

    _refuse_mixed({"--newest": newest, "--delete-old": delete_old, "--json": as_json}, dry_run)
    name, found = _found(dataset, model or None, protocol or None)
    if newest:
        print(found[0].folder)
    elif delete_old:
        _delete(found, saving.superseded(found, name), dry_run)
    else:
        _list(found, name, as_json)


def _refuse_mixed(verbs: dict[str, bool], dry_run: bool) -> None:
    asked = [verb for verb, given in verbs.items() if given]
    if len(asked) > 1:
        raise AicineError(f"{' and '.join(asked)} are different questions. Give one of them.")
    if dry_run and asked != ["--delete-old"]:
        raise AicineError("--dry-run says what --delete-old would do. Give both.")


def _found(dataset: str, model: str | None, protocol: str | None) -> tuple[str, list["Checkpoint"]]:
    """The folder name of a data set and its saved models, one or more; a wrong name is told."""
    from aicine_utils import checkpoints
    from aicine_utils.data import catalogue
    from aicine_utils.models import registry

    name = catalogue.folder_name(dataset)
    found = checkpoints.saved(name, model, protocol)
    if not found and model:
        registry.entry(model)  # a model that is no longer in the registry may still have runs
    if protocol:
        refuse_unknown(protocol)
    if not found:
        raise nothing_saved(model, dataset, protocol)
    return name, found


def _list(found: list["Checkpoint"], dataset: str, as_json: bool) -> None:
    from aicine_utils import checkpoints

    rows = checkpoints.table(found, dataset)
    if as_json:
        print(json.dumps(rows))
        return
    table = Table(*rows[0], box=None)
    for row in rows:
        table.add_row(*map(str, row.values()))
    console.print(table)


def _delete(found: list["Checkpoint"], old: list["Checkpoint"], dry_run: bool) -> None:
    """Delete ``old`` one by one, saying each; then how many of ``found`` and how many MB."""
    from aicine_utils import checkpoints

    done = []
    for one in old:
        told, size = f"{one.protocol}/{one.folder.name}", one.megabytes
        if why_not := checkpoints.refusal(one) if dry_run else checkpoints.delete(one):
            console.print(f"left alone {told}: {why_not}", highlight=False)
            continue
        done.append(size)
        console.print(f"{'would delete' if dry_run else 'deleted'} {told}, {size:.1f} MB", highlight=False)
    verb = "Would delete" if dry_run else "Deleted"
    console.print(f"{verb} {len(done)} of {len(found)} saved models, {sum(done):.1f} MB.", highlight=False)
