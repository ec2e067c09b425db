"""Figures of the feedback loop: gains over time, what late reading loses, rounds of the simulator, estimates."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aicine_utils.feedback.reading import NEVER
from aicine_utils.report import plots

_COLOURS, _MARKERS = list(plots.COLOURS.values()), "osD^vPX*h"  # nine policies can be told apart


def _lines(ax: Axes, table: pd.DataFrame, x: str, y: str, by: str) -> None:
    """A line with error bars for each value of ``by``; drawn a little apart, so that bars don't hide each other."""
    names = list(table[by].unique())
    for place, name in enumerate(names):
        part = table[table[by] == name].sort_values(x)
        ends = [part[y] - part[f"{y}_low"], part[f"{y}_high"] - part[y]]
        at = part[x] + 0.08 * (place - (len(names) - 1) / 2)
        style = plots.plt.rcParams["axes.prop_cycle"].by_key()
        i = place % len(style["color"])
        ax.errorbar(at, part[y], ends, label=name, color=style["color"][i], marker=style["marker"][i], elinewidth=1)
    ax.axhline(0, color=plots.MUTED, linewidth=1)


def gains(table: pd.DataFrame) -> Figure:
    """What updating adds to frozen in each stretch of the replay, a line a model; needs label, stretch, value."""
    plots.style()
    fig, ax = plt.subplots(figsize=(5.6, 3.5))
    _lines(ax, table, "stretch", "value", "label")
    ax.set(xlabel="Stretch of the replay, each with about as many lists", ylabel="NDCG@10, updated − frozen")
    ax.set_xticks(sorted(table["stretch"].unique()))
    fig.legend(loc="outside lower center", ncols=3, fontsize=8.5)
    return fig


def delays(table: pd.DataFrame) -> Figure:
    """What is lost by each delay, a line a model; needs label, delay, lost."""
    order = [delay for delay in table["delay"].unique() if delay != NEVER] + [NEVER]
    places = table.assign(place=table["delay"].map(order.index))
    plots.style()
    fig, ax = plt.subplots(figsize=(5.6, 3.5))
    _lines(ax, places, "place", "lost", "label")
    ax.set_xticks(range(len(order)), [delay_text(delay) for delay in order])
    ax.set(xlabel="Newest ratings of a person not read", ylabel="NDCG@10 lost for the next liked film")
    fig.legend(loc="outside lower center", ncols=3, fontsize=8.5)
    return fig


def delay_text(delay: int) -> str:
    """5, or all since the cut."""
    return "all since the cut" if delay == NEVER else str(delay)


def rounds(results: pd.DataFrame, measures: dict[str, str]) -> Figure:
    """Means over runs of each policy by round, one panel a measure (name: label of its axis)."""
    plots.style()
    fig, axes = plt.subplots(len(measures), 1, sharex=True, squeeze=False, figsize=(5.6, 0.9 + 2.4 * len(measures)))
    means = results.groupby(["policy", "round"], sort=False)[list(measures)].mean().reset_index()
    for ax, (measure, label) in zip(axes[:, 0], measures.items(), strict=True):
        for (name, part), colour, marker in zip(means.groupby("policy", sort=False), _COLOURS, _MARKERS, strict=False):
            ax.plot(part["round"], part[measure], color=colour, marker=marker, markevery=3, label=name, linewidth=1.3,
                    linestyle="--" if "no loop" in name else "-")  # fmt: skip
        ax.set_ylabel(label)
    axes[-1, 0].set_xlabel("Round (the first, 0, is chance)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8.5)
    return fig


def estimates(table: pd.DataFrame, truth: float) -> Figure:
    """One row a method: estimate and interval, with the truth as a line; needs method, value, value_low, value_high."""
    plots.style()
    fig, ax = plt.subplots(figsize=(5.6, 0.9 + 0.4 * len(table)))
    rows = range(len(table))[::-1]
    ends = [table["value"] - table["value_low"], table["value_high"] - table["value"]]
    ax.errorbar(table["value"], rows, xerr=ends, linestyle="", marker="o")
    ax.axvline(truth, color=plots.INK, linewidth=1.4, linestyle="--", label="Truth")
    ax.set_yticks(rows, table["method"])
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("Expected clicks of a list")
    fig.legend(loc="outside lower center", fontsize=8.5)
    return fig
