"""The project's look in matplotlib, and the plots that several notebooks draw.

One Okabe-Ito colour and one marker a model family, on every page. Titles are the caller's: they state the finding.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox

from aicine_utils.errors import unknown
from aicine_utils.models.registry import FAMILIES
from aicine_utils.report.figures import any_script, figure_html, svg_text
from aicine_utils.report.svg import INK, MUTED, PAPER, RULE, inline_svg

__all__ = ["COLOURS", "Look", "cost_plot", "curve_plot", "figure_html", "group_plot", "heatmap", "inline_svg",
           "interval_plot", "look", "style", "svg_text"]  # fmt: skip


@dataclass(frozen=True)
class Look:
    """Colour and marker of a family."""

    colour: str
    marker: str


COLOURS = {
    "grey": "#8c8c8c", "orange": "#E69F00", "sky": "#56B4E9", "green": "#009E73", "yellow": "#F0E442",
    "blue": "#0072B2", "vermillion": "#D55E00", "purple": "#CC79A7", "brown": "#9C6644", "ink": INK,
}  # fmt: skip
_LOOKS = {
    "non_personalised": Look(COLOURS["grey"], "o"),
    "content_based": Look(COLOURS["sky"], "s"),
    "neighbourhood": Look(COLOURS["orange"], "^"),
    "matrix_factorisation": Look(COLOURS["green"], "D"),
    "linear": Look(COLOURS["blue"], "P"),
    "hybrid": Look(COLOURS["purple"], "X"),
    "blend": Look(COLOURS["brown"], "8"),
    "neural": Look(COLOURS["vermillion"], "v"),
    "recbole_general": Look(COLOURS["yellow"], "p"),
    "recbole_sequential": Look(COLOURS["ink"], "*"),
}
_LABELS = {"hybrid": "Hybrid", "neural": "Neural", "recbole_general": "RecBole, general",
           "recbole_sequential": "RecBole, sequential"}  # fmt: skip


def look(family: str) -> Look:
    """Colour and marker of a family; a family without its own gets a grey hexagon."""
    return _LOOKS.get(family, Look(COLOURS["grey"], "h"))


def family_label(family: str) -> str:
    """The family's name as a reader sees it."""
    return FAMILIES.get(family) or _LABELS.get(family) or family.replace("_", " ").capitalize()


def style() -> None:
    """Set matplotlib's parameters: theme colours, no frame, light grid, live text in SVG."""
    colours = [COLOURS[name] for name in ("blue", "vermillion", "green", "orange", "purple", "sky")]
    markers = ["o", "s", "^", "D", "v", "P"]
    mpl.rcParams.update({
        "svg.fonttype": "none", "svg.hashsalt": "aicine", "font.family": "sans-serif", "font.size": 9.5,
        "figure.figsize": (5.4, 3.4), "figure.facecolor": "none", "axes.facecolor": "none", "savefig.transparent": True,
        "text.color": INK, "axes.labelcolor": INK, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
        "axes.edgecolor": MUTED, "xtick.color": MUTED, "ytick.color": MUTED, "grid.color": RULE,
        "axes.grid": True, "axes.axisbelow": True, "grid.linewidth": 0.8, "axes.linewidth": 0.8,
        "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 9.5, "axes.titleweight": "bold",
        "axes.titlelocation": "left", "legend.frameon": False, "lines.linewidth": 1.8, "lines.markersize": 5,
        "axes.prop_cycle": cycler(color=colours) + cycler(marker=markers),
        "patch.edgecolor": PAPER, "image.cmap": "cividis", "figure.constrained_layout.use": True,
    })  # fmt: skip


def _need(frame: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in frame:
            raise unknown("column", name, frame.columns)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    style()
    return plt.subplots(figsize=(width, height))


def _draw_marker(ax: Axes, x: float, y: float, own: Look, size: float = 7) -> None:
    ax.plot(x, y, own.marker, color=own.colour, markersize=size, markeredgecolor=INK, markeredgewidth=0.6, zorder=3)


def _family_legend(ax: Axes, families: Sequence[str], columns: int = 3) -> None:
    order = [*_LOOKS, *sorted(set(families) - set(_LOOKS))]
    shown = [family for family in order if family in set(families)]
    handles = [
        Line2D([], [], linestyle="", marker=look(f).marker, color=look(f).colour, markeredgecolor=INK,
               markeredgewidth=0.6, markersize=6.5, label=family_label(f))
        for f in shown
    ]  # fmt: skip
    ax.figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=8.5, handletextpad=0.3)


def interval_plot(leaderboard: pd.DataFrame, metric: str = "ndcg@10", label: str | None = None) -> Figure:
    """One row a model, best on top: a marker of its family at the mean, a line over its interval.

    Needs the columns label, family and ``metric``; ``metric_low`` and ``metric_high`` when there are intervals.
    Models without the metric are left out. RMSE and MAE are sorted with the lowest on top.
    """
    _need(leaderboard, ["label", "family", metric])
    board = leaderboard.dropna(subset=[metric]).sort_values(metric, ascending=metric not in ("rmse", "mae"))
    fig, ax = _figure(5.4, 0.9 + 0.27 * len(board))
    rows = np.arange(len(board))
    if f"{metric}_low" in board:
        ax.hlines(rows, board[f"{metric}_low"], board[f"{metric}_high"], color=MUTED, linewidth=1.6)
    for row, value, family in zip(rows, board[metric], board["family"], strict=True):
        _draw_marker(ax, value, row, look(family))
    ax.set_yticks(rows, board["label"])
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(label or metric_label(metric))
    if len(board):
        ax.set_ylim(-0.7, len(board) - 0.3)
    _family_legend(ax, list(board["family"]))
    return fig


def metric_label(metric: str) -> str:
    """A metric's name as the axis shows it: NDCG@10, RMSE (stars), Coverage."""
    known = {"rmse": "RMSE (stars, lower is better)", "mae": "MAE (stars, lower is better)",
             "fit_seconds": "Seconds to train (log scale)", "recommend_seconds": "Seconds to answer (log scale)",
             "peak_mb": "Peak memory, MB (log scale)", "parameters": "Parameters (log scale)"}  # fmt: skip
    if metric in known:
        return known[metric]
    name, at, k = metric.partition("@")
    return (name.upper() if name in ("ndcg", "mrr", "map") else name.capitalize()) + at + k


def cost_plot(leaderboard: pd.DataFrame, x: str = "fit_seconds", y: str = "ndcg@10", x_label: str | None = None,
              y_label: str | None = None, log: bool = True) -> Figure:  # fmt: skip
    """What a model costs (logarithmic) against what it gives, each point labelled where a label fits.

    Needs label, family, ``x`` and ``y``; models that lack one are left out. Costs under a millisecond count as one.
    Without ``log`` it is a plain scatter of two measures.
    """
    _need(leaderboard, ["label", "family", x, y])
    board = leaderboard.dropna(subset=[x, y]).sort_values(y, ascending=False)
    fig, ax = _figure(5.6, 4.7)
    cost = board[x].clip(lower=1e-3) if log else board[x]
    if log:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    for cost_, value, family in zip(cost, board[y], board["family"], strict=True):
        _draw_marker(ax, cost_, value, look(family))
    ax.margins(x=0.16, y=0.09)
    ax.set_xlabel(x_label or metric_label(x))
    ax.set_ylabel(y_label or metric_label(y))
    _family_legend(ax, list(board["family"]))
    _label_points(ax, list(zip(cost, board[y], strict=True)), list(board["label"]))
    return fig


_PLACES = [(7, 0, "left", "center"), (-7, 0, "right", "center"), (0, 8, "center", "bottom"), (0, -8, "center", "top"),
           (6, 6, "left", "bottom"), (6, -6, "left", "top"), (-6, 6, "right", "bottom"),
           (-6, -6, "right", "top")]  # fmt: skip


def _label_points(ax: Axes, points: Sequence[tuple[float, float]], labels: Sequence[str]) -> None:
    """Greedy, best point first: a label takes the first place around its point that hits no label, marker or edge.

    A point without such a place stays unlabelled: a label beside another's point would name the wrong one.
    """
    with any_script():
        ax.figure.draw_without_rendering()
    taken = [Bbox.from_bounds(px - 5, py - 5, 10, 10) for px, py in ax.transData.transform(points)] if points else []
    for point, label in zip(points, labels, strict=True):
        taken += _place_label(ax, point, label, taken)


def _place_label(ax: Axes, point: tuple[float, float], label: str, taken: list[Bbox]) -> list[Bbox]:
    """The box of the label; empty where it fits nowhere."""
    for dx, dy, ha, va in _PLACES:
        note = ax.annotate(label, point, (dx, dy), textcoords="offset points", ha=ha, va=va, fontsize=8)
        box = note.get_window_extent()
        if _inside(ax.bbox, box) and not any(box.overlaps(other) for other in taken):
            return [box]
        note.remove()
    return []


def _inside(outer: Bbox, box: Bbox) -> bool:
    return outer.x0 <= box.x0 and box.x1 <= outer.x1 and outer.y0 <= box.y0 and box.y1 <= outer.y1


def group_plot(by_group: pd.DataFrame, metric: str = "value", label: str = "") -> Figure:
    """One panel a kind of group (gender, age, activity), one row a group, one marker a model.

    Needs the columns attribute, group, label, family and ``metric``; ``metric_low`` and ``metric_high`` when there are
    intervals; n_users, when there, stands behind the group's name.
    """
    _need(by_group, ["attribute", "group", "label", "family", metric])
    parts = list(by_group.groupby("attribute", sort=False))
    heights = [part["group"].nunique() for _, part in parts]
    style()
    fig, axes = plt.subplots(len(parts), 1, sharex=True, squeeze=False, height_ratios=heights,
                             figsize=(5.4, 0.9 + 0.45 * sum(heights) + 0.35 * len(parts)))  # fmt: skip
    looks = _model_looks(by_group)
    for ax, (attribute, part) in zip(axes[:, 0], parts, strict=True):
        _group_panel(ax, part, metric, looks)
        ax.set_title(str(attribute).replace("_", " ").capitalize())
    axes[-1, 0].set_xlabel(label or metric_label(metric))
    _model_legend(fig, looks)
    return fig


def _model_looks(frame: pd.DataFrame) -> dict[str, Look]:
    """The look of each model by label: its family's, unless families repeat and could not be told apart."""
    pairs = frame.drop_duplicates("label")[["label", "family"]]
    if pairs["family"].is_unique:
        return {name: look(family) for name, family in pairs.itertuples(index=False)}
    styles = itertools.cycle(mpl.rcParams["axes.prop_cycle"])
    return {name: Look(own["color"], own["marker"]) for name, own in zip(pairs["label"], styles, strict=False)}


def _group_panel(ax: Axes, part: pd.DataFrame, metric: str, looks: dict[str, Look]) -> None:
    groups, models = list(part["group"].unique()), list(part["label"].unique())
    step = 0.5 / max(len(models), 1)
    for row in part.itertuples(index=False):
        values = row._asdict() if metric.isidentifier() else dict(zip(part.columns, row, strict=True))
        y = groups.index(values["group"]) + step * (models.index(values["label"]) - (len(models) - 1) / 2)
        if f"{metric}_low" in values:
            ax.hlines(y, values[f"{metric}_low"], values[f"{metric}_high"], color=MUTED, linewidth=1.4)
        _draw_marker(ax, values[metric], y, looks[values["label"]], size=6)
    sizes = part.drop_duplicates("group").set_index("group").get("n_users")
    names = [str(g) if sizes is None else f"{g} (n = {sizes[g]:,})" for g in groups]
    ax.set_yticks(range(len(groups)), names)
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)


def _model_legend(fig: Figure, looks: dict[str, Look]) -> None:
    handles = [Line2D([], [], linestyle="", marker=own.marker, color=own.colour, markeredgecolor=INK,
                      markeredgewidth=0.6, markersize=6, label=name) for name, own in looks.items()]  # fmt: skip
    fig.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8.5, handletextpad=0.3)


def curve_plot(curves: pd.DataFrame, x: str = "epoch", y: str = "value", by: str | None = None, x_label: str = "Pass",
               y_label: str = "") -> Figure:  # fmt: skip
    """Lines of ``y`` over ``x``, one for each value of ``by``, each with its own colour and marker and a legend."""
    _need(curves, [x, y, *([by] if by else [])])
    fig, ax = _figure(5.4, 3.3)
    for name, part in curves.groupby(by, sort=False) if by else [("", curves)]:
        every = max(1, len(part) // 12)
        ax.plot(part[x], part[y], label=str(name), markevery=every, markeredgecolor=PAPER, markeredgewidth=0.5)
    ax.set_xlabel(x_label)
    ax.set_ylabel(y_label or metric_label(y))
    if by:
        fig.legend(loc="outside lower center", ncols=3, fontsize=8.5)
    return fig


def heatmap(table: pd.DataFrame, label: str = "", form: str | Callable[[float], str] = ".2f") -> Figure:
    """A table of numbers as tinted cells with the numbers in them; empty cells stay empty."""
    values = table.to_numpy(float)
    fig, ax = _figure(max(4.4, 1.9 + 0.62 * values.shape[1]), 1.2 + 0.36 * values.shape[0])
    image = ax.imshow(np.ma.masked_invalid(values), aspect="auto", cmap="cividis")
    ax.set_xticks(range(values.shape[1]), table.columns, rotation=35, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(values.shape[0]), table.index)
    ax.grid(visible=False)
    ax.tick_params(length=0)
    for row, col in zip(*np.nonzero(np.isfinite(values)), strict=True):
        text = form(values[row, col]) if callable(form) else format(values[row, col], form)
        dark = image.norm(values[row, col]) < 0.55
        ax.text(col, row, text, ha="center", va="center", fontsize=8.5, color="#ffffff" if dark else "#111111")
    bar = fig.colorbar(image, ax=ax, label=label, pad=0.02)
    bar.outline.set_visible(False)
    return fig
