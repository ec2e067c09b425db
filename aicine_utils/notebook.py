"""The few names that a notebook imports: open the study, run models, show tables and figures, state the answer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown, display
from matplotlib.figure import Figure

from aicine_utils import columns as c
from aicine_utils import experiment, inspection, leaderboard, metrics, provenance, settings, splits
from aicine_utils.data import datasets
from aicine_utils.data.labels import AGE_GROUPS
from aicine_utils.data.movielens import MovieLens
from aicine_utils.errors import AicineError
from aicine_utils.experiment import Result
from aicine_utils.metrics import evaluate, groups
from aicine_utils.models import registry
from aicine_utils.phrases import budgets, gap, measured, number, settings_source, tied, versus
from aicine_utils.report import plots
from aicine_utils.report.figures import figure_html
from aicine_utils.report.tables import Column, html_table, write_csv

__all__ = ["budgets", "gap", "measured", "number", "tied", "versus"]  # phrases that a notebook finds here too

# IPython asks an error for its lines: the message alone, as on the command line. It stands here and not in the class,
# since a change there would make another key of every run that a metric stops.
AicineError._render_traceback_ = lambda error: [f"Error: {error}"]

RANKING = ["ndcg@10", "recall@10", "precision@10", "hit@10", "mrr@10", "map@10"]
RATING = ["rmse", "mae"]
BEYOND = ["coverage", "gini", "novelty", "popularity_lift", "diversity", "calibration"]
PLACES = {
    "place": Column(
        "Place",
        "By NDCG@10 among this table's models; shared where paired tests with Holm's correction can't tell apart",
        ".0f",
    ),
    "place_rmse": Column("Place (stars)", "By squared error, shared in the same way", ".0f"),
}
COST = {
    "fit_seconds": Column("Train, s", "Seconds to train", ".2f", "lower"),
    "recommend_seconds": Column("Answer, s", "Seconds to list 100 movies for every test user", ".2f", "lower"),
    "peak_mb": Column("Memory, MB", "Peak memory gained while training and answering", ",.0f", "lower"),
    "parameters": Column("Parameters", "Numbers learned in training", ",.0f", ""),
}


@dataclass(frozen=True)
class Study:
    """One notebook's view of the study: its data, the primary split, its models, and where its tables go."""

    name: str
    data: MovieLens
    preset: settings.Preset
    seed: int
    protocol: str

    @cached_property
    def split(self) -> splits.Split:
        """The split of the notebook's protocol."""
        return splits.make(self.data, self.protocol)

    def run(self, names: Iterable[str], **overrides: object) -> dict[str, Result]:
        """Train and measure models of the registry, or read them from the cache; one line of progress a model."""
        if overrides:
            return {name: experiment.run(name, self.split, self.seed, **overrides) for name in names}
        return experiment.run_all(names, self.split, self.seed)

    def leaderboard(self, results: Mapping[str, Result]) -> pd.DataFrame:
        """Means, intervals, places and costs of these runs, best NDCG@10 first."""
        return leaderboard.leaderboard(results.values(), self.split, self.preset.resamples)

    def keep(self, name: str, make: Callable[[], pd.DataFrame], source: str, **key: object) -> pd.DataFrame:
        """A table that takes long to make; read while split, seed, ``key``, the settings of the models, their code and
        that of module ``source`` stay.
        """
        code = [provenance.source_of(source), provenance.source_of_package("models"),
                settings.of_models(self.data.name)]  # fmt: skip
        parts = [self.split.hash, str(self.seed), repr(sorted(key.items())), *code]
        folder = settings.output_dir(self.data.name) / "runs" / "tables"
        return experiment.kept_table(folder / f"{name}-{provenance.digest(parts)}.parquet", make)

    def curves(self, results: Mapping[str, Result]) -> pd.DataFrame:
        """Validation after each pass: model, label, epoch, the measure, and for some models stage.

        Of the search's best training where that counted the passes; else of the run's own training on what it held out
        to count them. These are other ratings, so the label says so: heights of the two kinds can't be compared.
        """
        parts = []
        for name, result in results.items():
            won = settings.winner(name, self.data.name, self.protocol)
            values = won.get("curve", ())
            searched = {"epoch": range(1, len(values) + 1), won.get("metric"): values}
            curve, label = (pd.DataFrame(searched), "") if values else (result.curve, " (held out)")
            parts.append(curve.assign(model=name, label=registry.entry(name).label + label))
        return pd.concat(parts, ignore_index=True)

    def by_group(self, results: Mapping[str, Result], metric: str = "ndcg@10") -> pd.DataFrame:
        """One metric of each model within each group of users: attribute, group, label, family, value, low, high."""
        parts, (name, _, k) = [], metric.partition("@")
        for result in results.values():
            row, values = registry.entry(result.name), result.per_user
            values = values[(values[c.METRIC] == name) & (values[c.K] == int(k or 0))]
            for attribute, labels in groups.groups(self.split.for_test()).items():
                table = groups.by_group(values, labels, self.preset.resamples)
                table = table.sort_values("group", key=_group_order, kind="stable")
                parts.append(table.assign(attribute=attribute, label=row.label, family=row.family))
        names = {"mean": "value", "low": "value_low", "high": "value_high", "n": "n_users"}
        return pd.concat(parts, ignore_index=True).rename(columns=names)

    def by_popularity(self, results: Mapping[str, Result]) -> pd.DataFrame:
        """Recall@10 over the head, torso and tail of the catalogue: one row a model, one column a shelf."""
        relevant = self.split.relevant(self.split.test)
        rows = {}
        for result in results.values():
            values = groups.recall_by_popularity(result.topk, relevant, self.split.for_test())
            rows[registry.entry(result.name).label] = values.groupby(c.METRIC)[c.VALUE].mean()
        table = pd.DataFrame(rows).reindex([f"recall_{shelf}" for shelf in groups.SHELVES]).dropna(how="all")
        return table.T.rename_axis("label").reset_index()

    def by_shelf(self, results: Mapping[str, Result]) -> pd.DataFrame:
        """Recall@10 by how well known the movie is, with intervals; the columns of :meth:`by_group`."""
        relevant, parts = self.split.relevant(self.split.test), []
        for result in results.values():
            row = registry.entry(result.name)
            values = groups.recall_by_popularity(result.topk, relevant, self.split.for_test())
            table = evaluate.summary(values, self.preset.resamples).rename_axis(c.METRIC).reset_index()
            table["group"] = table[c.METRIC].str.removeprefix("recall_").str.partition("@")[0]
            order = table["group"].map(groups.SHELVES.index)
            table = table.iloc[order.argsort()].assign(
                attribute="popularity of the film", label=row.label, family=row.family
            )
            parts.append(table)
        names = {"mean": "value", "low": "value_low", "high": "value_high", "n": "n_users"}
        return pd.concat(parts, ignore_index=True).rename(columns=names)

    def similar(self, results: Mapping[str, Result], movie: int, n: int = 6) -> pd.DataFrame:
        """One column a model: the titles of the ``n`` movies nearest to one."""
        columns = {}
        for name, result in results.items():
            columns[registry.entry(name).label] = self.titles(result.model().similar(movie, n))[c.TITLE]
        return pd.DataFrame(columns).fillna("").rename_axis("rank").reset_index().assign(rank=lambda t: t["rank"] + 1)

    def well_known(self, n: int = 2) -> list[int]:
        """The ``n`` movies with the most training ratings: what everyone can judge neighbours of."""
        return [int(movie) for movie in self.split.for_test().train[c.MOVIE].value_counts(sort=True).index[:n]]

    def title(self, movie: int) -> str:
        """A movie's title, or its number where the data set has none."""
        return str(self.data.movies.set_index(c.MOVIE)[c.TITLE].get(movie, f"movie {movie}"))

    def history(self, user: int, n: int = 10) -> pd.DataFrame:
        """The last ``n`` movies that a user rated before the test, with titles and stars, newest first."""
        known = self.split.history
        return self.titles(known[known[c.USER] == user].tail(n).iloc[::-1])

    def lists(self, results: Mapping[str, Result], user: int, n: int = 10) -> pd.DataFrame:
        """One column a model: a user's first ``n`` titles, those the user went on to like marked with a star."""
        liked = self.split.relevant(self.split.test)
        liked = set(liked.loc[liked[c.USER] == user, c.MOVIE])
        columns = {}
        for result in results.values():
            top = self.titles(result.topk[(result.topk[c.USER] == user) & (result.topk[c.RANK] <= n)])
            marks = ["★ " if movie in liked else "" for movie in top[c.MOVIE]]
            columns[registry.entry(result.name).label] = [m + t for m, t in zip(marks, top[c.TITLE], strict=True)]
        table = pd.DataFrame({name: pd.Series(titles) for name, titles in columns.items()})
        return table.fillna("").rename_axis("rank").reset_index().assign(rank=lambda t: t["rank"] + 1)

    def titles(self, rows: pd.DataFrame) -> pd.DataFrame:
        """``rows`` with title, year and genres of each movie_id; genres as text."""
        movies = self.data.movies.assign(**{c.GENRES: self.data.movies[c.GENRES].str.join(", ")})
        return rows.merge(movies, on=c.MOVIE, how="left")

    def typical_users(self, n: int = 2) -> list[int]:
        """Users with something to find in the test, whose histories are of middling length: good to look at."""
        lengths = self.split.history.groupby(c.USER).size()
        lengths = lengths[lengths.index.isin(self.split.relevant(self.split.test)[c.USER])]
        return [int(user) for user in (lengths - lengths.median()).abs().sort_values(kind="stable").index[:n]]

    def show(self, frame: pd.DataFrame, name: str, caption: str, columns: Mapping[str, Column | str]) -> None:
        """A table that sorts, with its CSV in ``tables/``; a text instead of a Column is its header."""
        path = write_csv(frame, self.table_path(name))
        known = {key: value if isinstance(value, Column) else Column(value) for key, value in columns.items()}
        display(HTML(html_table(frame, caption, known, csv=f"../tables/{path.name}")))

    def show_board(
        self, board: pd.DataFrame, name: str, caption: str, measures: Iterable[str], cost: bool = False
    ) -> None:
        """A leaderboard by these measures, with tooltips from the metrics' own descriptions."""
        columns = {"label": Column("Model"), **{measure: measure_column(measure) for measure in measures}}
        self.show(board, name, caption, {**columns, **(COST if cost else {})})

    def figure(self, fig: Figure, name: str, title: str, alt: str, data: pd.DataFrame) -> None:
        """A figure whose title states the finding, with text for those who can't see it and its data as CSV."""
        display(HTML(figure_html(fig, title, alt, data, self.table_path(name))))

    def views_of_list(self, result: Result, n: int = 10) -> float:
        """Median number of training ratings of the movies in the first ``n`` ranks, over all lists."""
        views = self.split.for_test().train.groupby(c.MOVIE).size()
        return float(result.topk.loc[result.topk[c.RANK] <= n, c.MOVIE].map(views).median())

    def show_history(self, user: int, n: int = 10) -> None:
        """What a user rated last, newest first."""
        columns = {c.TITLE: "Title", c.YEAR: "Year", c.GENRES: "Genres", c.RATING: Column("Stars", format=".1f")}
        shown = self.history(user, n)[list(columns)]  # the CSV is published: no more of a person than the page shows
        self.show(shown, f"history_{user}", f"User {user}: the last {n} films before the test", columns)

    def show_lists(self, results: Mapping[str, Result], user: int, n: int = 10) -> None:
        """Every model's list for a user, side by side."""
        table = self.lists(results, user, n)
        caption = f"User {user}: the first {n} films of each list (★ liked later)"
        self.show(
            table, f"lists_{user}", caption, {name: name.capitalize() if name == "rank" else name for name in table}
        )

    def show_reasons(self, result: Result, user: int, n: int = 10) -> None:
        """A user's list with "because you watched": for item k-NN and EASE (see :func:`inspection.because`)."""
        top = result.topk[(result.topk[c.USER] == user) & (result.topk[c.RANK] <= n)]
        table = self.titles(inspection.because(result.model(), top))
        liked = table.merge(self.split.relevant(self.split.test), how="left", indicator=True)["_merge"] == "both"
        table[c.TITLE] = np.where(liked, "★ ", "") + table[c.TITLE].astype(str)
        table["reason"] = table[inspection.BECAUSE].map(self.title)
        share = Column("Share", "Part of the score that comes from that film alone", ".0%")
        columns = {c.RANK: "Rank", c.TITLE: "Film", "reason": "Because you watched", "share": share}
        caption = f"{registry.entry(result.name).label} for user {user} (★ liked later)"
        self.show(table[list(columns)], f"reasons_{result.name}_{user}", caption, columns)

    def show_similar(self, results: Mapping[str, Result], movie: int, n: int = 6) -> None:
        """The movies nearest to one by every model, side by side."""
        table = self.similar(results, movie, n)
        columns = {name: name.capitalize() if name == "rank" else name for name in table}
        self.show(table, f"similar_{movie}", f"Nearest to {self.title(movie)}", columns)

    def table_path(self, name: str) -> Path:
        """``outputs/<dataset>/tables/<number>_<name>.csv``."""
        return settings.output_dir(self.data.name) / "tables" / f"{self.name[:2]}_{name}.csv"


def open_study(name: str, dataset: str, preset: str, seed: int = 0, protocol: str = "user_temporal") -> Study:
    """Load the data set and prepare plots; ``name`` is the notebook's own, such as ``02_non_personalised``."""
    plots.style()
    return Study(name, datasets.load(dataset), settings.preset(preset), seed, protocol)


def _group_order(names: pd.Series) -> pd.Series:
    """Places of groups as people would order them: the young before the old, the new before the heavy."""
    known = [*AGE_GROUPS, *groups.ACTIVITY]
    return names.map({name: place for place, name in enumerate(known)}).fillna(len(known))


def measure_column(measure: str) -> Column:
    """The table column of a metric or place: its label, tooltip and direction."""
    if measure in PLACES:
        return PLACES[measure]
    metric = metrics.metric(measure)
    _, at, k = measure.partition("@")
    direction = "higher" if metric.higher_is_better else "lower"
    form = ".1%" if metric.name == "coverage" else ".3f"
    return Column(metric.label + at + k, metric.description, form, direction)


def answer(*sentences: str) -> None:
    """The notebook's answer; the page repeats it at the top. Each sentence is computed by the caller."""
    display(Markdown("\n".join(f"- {sentence}" for sentence in sentences)))


def say(*sentences: str) -> None:
    """Computed sentences as a paragraph of Markdown."""
    display(Markdown(" ".join(sentences)))


def provenance_note(study: Study, results: Mapping[str, Result]) -> None:
    """What the numbers were made from: data, split, seed, settings of each model."""
    params = [{"label": registry.entry(r.name).label, "key": r.folder.name.rsplit("-", 1)[1],
               "settings": leaderboard.settings_text(r),
               "source": settings_source(r)} for r in results.values()]  # fmt: skip
    caption = f"{study.data.name}, split {study.split.protocol} {study.split.hash}, seed {study.seed}"
    columns = {"label": "Model", "settings": "Settings", "source": "From", "key": "Run"}
    study.show(pd.DataFrame(params), "settings", caption, columns)
