"""The drop-downs of an open notebook: pick a person or type films, and see every model's list and its reasons.

In a notebook that is executed for the report nobody can pick, so a sentence stands there instead: a page holds no
widget, and its tables are made by the notebook's other cells.
"""

from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
from IPython import get_ipython
from IPython.display import Markdown, display

from aicine_utils import columns as c
from aicine_utils.errors import AicineError
from aicine_utils.models import registry
from aicine_utils.report.tables import Column, html_table
from aicine_utils.study import reasons, serving, side_by_side
from aicine_utils.study.serving import Answers, Served

MOST_PEOPLE = 2000  # in the drop-down; a browser is slow with more
HINT = "or type films, oldest first: Toy Story; Heat"
WHY = {
    c.RANK: Column("Rank"),
    side_by_side.FILM: Column("Film"),
    side_by_side.BECAUSE: Column("Nearest film watched"),
    reasons.NEARNESS: Column(
        "Nearness", "0 to 1 for parts of a score and people in common; else the model's own", ".2f"
    ),
    reasons.BY: Column("Measured by"),
    reasons.SHARED: Column("Genres in common"),
}


def choose(served: Served, user: int, top: int = 10) -> None:
    """Show the drop-downs where somebody sits before the notebook; elsewhere say how to get them."""
    if attended():
        display(Panel(served, user, top).box)
        return
    display(Markdown(
        f"Open this notebook in JupyterLab (`./run_all.sh lab`) and this cell is a drop-down of "
        f"{len(choices(served, user)):,} people, and a field to type films into. What follows is one person's page."
    ))  # fmt: skip


def attended() -> bool:
    """Whether a front end runs this notebook that could ask its reader something, as JupyterLab and Colab can.

    papermill and nbconvert tell the kernel that they can't.
    """
    kernel = getattr(get_ipython(), "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", False))


def choices(served: Served, user: int) -> list[tuple[str, int]]:
    """(text, user_id) of those who can be picked: all, or ``MOST_PEOPLE`` evenly spread, ``user`` among them."""
    ids = served.people.index.to_numpy()
    if len(ids) > MOST_PEOPLE:
        ids = np.union1d(ids[np.linspace(0, len(ids) - 1, MOST_PEOPLE).astype(int)], [user])
    return [(f"{one} ({n} films watched)", int(one)) for one, n in served.people.loc[ids].items()]


class Panel:
    """Four controls and a page: who, typed films, which family's lists, whose reasons.

    ``box`` is the widget. A list that is asked for again is made again; what was typed wins until someone is picked.
    """

    def __init__(self, served: Served, user: int, top: int = 10) -> None:
        import ipywidgets  # only here: a notebook that nobody watches does without

        self.served, self.top = served, top
        layout = ipywidgets.Layout(width="24em")
        self.person = ipywidgets.Dropdown(options=choices(served, user), value=user, layout=layout)
        self.typed = ipywidgets.Text(placeholder=HINT, continuous_update=False, layout=layout)
        self.family = ipywidgets.Dropdown(options=[("Lists of every family", ""), *_families(served)], layout=layout)
        self.model = ipywidgets.Dropdown(options=_models(served), layout=layout)
        self.page = ipywidgets.HTML()
        for control, act in ((self.person, self._picked), (self.typed, self._wrote), (self.family, self._show),
                             (self.model, self._show)):  # fmt: skip
            control.observe(lambda change, act=act: act(), "value")
        rows = [ipywidgets.HBox([self.person, self.typed]), ipywidgets.HBox([self.family, self.model])]
        self.box = ipywidgets.VBox([*rows, self.page])
        self._picked()

    def _picked(self) -> None:
        self._ask(lambda: self.served.for_user(self.person.value, self.top))

    def _wrote(self) -> None:
        if self.typed.value.strip():
            films = lambda: serving.typed(self.typed.value, self.served.split.movies)  # noqa: E731
            self._ask(lambda: self.served.for_history(films(), self.top))
        else:
            self._picked()

    def _ask(self, question: Callable[[], Answers]) -> None:
        try:
            self.answers = question()
        except AicineError as error:
            self.page.value = f"<p role='alert'>{escape(str(error))}</p>"
            return
        self._show()

    def _show(self) -> None:
        families = side_by_side.by_family(self.answers)
        shown = {self.family.value: families.get(self.family.value, [])} if self.family.value else families
        parts = [_lists(self.served, self.answers, family, names) for family, names in shown.items()]
        parts.append(_reasons(self.served, self.answers, self.model.value, self.top))
        told = [side_by_side.say_seconds(self.answers.seconds), side_by_side.say_agreement(self.answers, self.top)]
        self.page.value = f"<h3>{_whose(self.answers)}</h3><p>{escape(' '.join(told))}</p>" + "".join(parts)


def _whose(answers: Answers) -> str:
    n = len(answers.history)
    watched = f"{n} film{'' if n == 1 else 's'} watched"
    return f"Someone new, {watched}" if answers.user is None else f"User {answers.user}, {watched}"


def _families(served: Served) -> list[tuple[str, str]]:
    labels = dict.fromkeys(registry.FAMILIES[registry.entry(name).family] for name in served.models)
    return [(label, label) for label in labels]


def _models(served: Served) -> list[tuple[str, str]]:
    return [(f"Why: {registry.entry(name).label}", name) for name in served.models]


def _lists(served: Served, answers: Answers, family: str, names: list[str]) -> str:
    table = side_by_side.lists(served, answers, names, max((len(answers.movies(name)) for name in names), default=0))
    return html_table(table, f"{family} (★ liked later)", list_columns(table))


def _reasons(served: Served, answers: Answers, name: str, top: int) -> str:
    label = registry.entry(name).label
    if name in answers.refused:
        return f"<p>{escape(label)} {escape(answers.refused[name])}.</p>"
    return html_table(side_by_side.why(served, answers, name, top), f"Why {label} shows these", WHY)


def list_columns(table: Any) -> dict[str, Column]:
    """Headers of a table of lists (:func:`side_by_side.lists`)."""
    known = {c.RANK: Column("Rank"), side_by_side.WATCHED: Column("Watched, newest first")}
    return {name: known.get(name, Column(name)) for name in table}
