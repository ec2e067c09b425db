"""Options that several commands have, and the console that they write to."""

import sys
from typing import Annotated

import typer
from rich.console import Console

WIDE = 200  # columns where the output is not a terminal: names must stay whole in a pipe
console = Console(width=None if sys.stdout.isatty() else WIDE)

Dataset = Annotated[str, typer.Option(help="A data set's name, or a folder with your own ratings.")]
Model = Annotated[str, typer.Option(help="A model's name; `models` lists them.")]
Protocol = Annotated[str, typer.Option(help="How ratings are divided into train, validation and test.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def plain(text: str) -> str:
    """Text whose brackets are no markup of rich's."""
    return text.replace("[", r"\[")
