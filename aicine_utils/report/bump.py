"""Orders side by side: a bump chart of ranks, and how far each order agrees with one of them."""

from collections.abc import Mapping

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aicine_utils.report.plots import look, style
from aicine_utils.report.svg import INK, MUTED, PAPER, RULE


def bump_plot(ranks: pd.DataFrame, first: pd.DataFrame, families: Mapping[str, str]) -> Figure:
    """Lines from rank to rank, rank 1 on top.

    ranks: models' labels x (panel, column), whole numbers from 1; first: bool, the same shape: whether the model is in
    first place there, which a filled marker shows; families: label -> family, which gives colour and marker. Names
    stand at both ends. Models that have rank 1 somewhere have thick lines.
    """
    style()
    panels = list(ranks.columns.get_level_values(0).unique())
    widths = [ranks[panel].shape[1] for panel in panels]
    fig, axes = plt.subplots(1, len(panels), squeeze=False, width_ratios=widths,
                             figsize=(2.6 + 0.62 * sum(widths), 1.1 + 0.27 * len(ranks)))  # fmt: skip
    for ax, panel in zip(axes[0], panels, strict=True):
        _panel(ax, ranks[panel], first[panel], families)
        ax.set_title(panel)
    _name_ends(axes[0, 0], ranks.iloc[:, 0], "left")
    _name_ends(axes[0, -1], ranks.iloc[:, -1], "right")
    return fig


def _panel(ax: Axes, ranks: pd.DataFrame, first: pd.DataFrame, families: Mapping[str, str]) -> None:
    places = range(ranks.shape[1])
    for label, row in ranks.iterrows():
        own, leads = look(families[label]), (row == 1).any()
        ax.plot(places, row, color=own.colour, marker="", linewidth=2.6 if leads else 1.2, alpha=1 if leads else 0.65)
        for place, rank, filled in zip(places, row, first.loc[label], strict=True):
            ax.plot(place, rank, own.marker, color=own.colour if filled else PAPER, markersize=7 if filled else 5.5,
                    markeredgecolor=INK if filled else MUTED, markeredgewidth=0.7, zorder=3)  # fmt: skip
    ax.set_xticks(places, ranks.columns, rotation=30, ha="right", rotation_mode="anchor")
    ax.set_xlim(-0.35, len(places) - 0.65)
    ax.set_ylim(len(ranks) + 0.6, 0.4)
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines["left"].set_visible(False)


def _name_ends(ax: Axes, ranks: pd.Series, side: str) -> None:
    ordered = ranks.sort_values(kind="stable")
    names = [f"{rank}  {label}" if side == "left" else str(label) for label, rank in ordered.items()]
    ax.yaxis.set_ticks_position(side)
    ax.set_yticks(ordered.to_numpy(), names)
    ax.tick_params(axis="y", length=0)


def agreement_plot(rows: pd.DataFrame) -> Figure:
    """Kendall's tau of each order with the reference's: a dot, a line over its interval, a band for chance alone.

    rows: name, tau, tau_low, tau_high, and chance, chance_low: the ends of the band, what an order has with itself when
    other people are drawn. The first row is on top. A filled dot is an order that differs by more than
    chance (``beyond``).
    """
    style()
    fig, ax = plt.subplots(figsize=(5.4, 1.1 + 0.32 * len(rows)))
    places = range(len(rows))
    ax.barh(places, rows["chance"] - rows["chance_low"], left=rows["chance_low"], height=0.62, color=RULE,
            label="chance alone: other people, the same way of measuring")  # fmt: skip
    ax.hlines(places, rows["tau_low"], rows["tau_high"], color=MUTED, linewidth=1.6)
    for place, row in zip(places, rows.itertuples(), strict=True):
        ax.plot(row.tau, place, "o", color=INK if row.beyond else PAPER, markeredgecolor=INK, markersize=6.5, zorder=3)
    ax.set_yticks(places, rows["name"])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("Kendall's τ with the usual order")
    fig.legend(loc="outside lower center", fontsize=8.5)
    return fig
