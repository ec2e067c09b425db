"""Figures that take more than a few lines: who is where under each protocol, genres of women and men; and claims."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from aicine_utils import columns as c
from aicine_utils.exploration.effects import MARKS, Claim
from aicine_utils.exploration.protocols import PARTS
from aicine_utils.report import plots
from aicine_utils.report.tables import Column
from aicine_utils.wording import written

ORIGINAL = ["Men rate more than women", "Gender changes genre preference", "Raters are mostly 10 to 30",
            "Releases follow what viewers like"]  # fmt: skip
SYMBOLS = {"men_activity": "ratio ", "men_typical": "δ ", "men_stars": "difference ", "genre": "largest gap ",
           "genre_at_same_age": "largest gap ", "liked": "r ", "watched": "r ", "follow": "r "}  # fmt: skip
AS_STATED = {"young": "as stated", "follow": "as stated"}
FEW = 12  # points on a line, up to which each is marked
MOST = 2000  # points above which a panel is drawn as pixels
_COLOURS = dict(zip(PARTS, (plots.COLOURS[name] for name in ("grey", "orange", "blue", "grey")), strict=True))
_MARKERS = dict(zip(PARTS, ("o", "^", "s", "x"), strict=True))
CLAIMS = {
    "statement": "Statement",
    "effect": Column("Effect [95 %]", "What was measured, named in the next column, with its 95 % interval"),
    "measure": "Measured as",
    "threshold": Column("Holds above", "The statement holds when the whole interval lies above this value"),
    "verdict": Column("Verdict", "By the rule of the section Questions"),
}


def timelines(table: pd.DataFrame) -> Figure:
    """One panel a protocol, one row a user, one mark a rating in order of time: the output of protocols.timelines."""
    names = list(table["protocol"].unique())
    plots.style()
    n_users = table["user"].nunique()
    size = (5.6, 0.7 + len(names) * (0.34 + 0.16 * n_users))
    fig, axes = plt.subplots(len(names), 1, sharex=True, sharey=True, figsize=size, squeeze=False)
    for ax, name in zip(axes[:, 0], names, strict=True):
        _protocol_panel(ax, table[table["protocol"] == name])
        ax.set_title(name)
    axes[-1, 0].set_xlabel("Ratings of these users, oldest first")
    handles = [plt.Line2D([], [], linestyle="", marker=_MARKERS[part], color=_COLOURS[part], label=part)
               for part in PARTS if (table["part"] == part).any()]  # fmt: skip
    fig.legend(handles=handles, loc="outside lower center", ncols=4, handletextpad=0.1)
    return fig


def _protocol_panel(ax: Axes, rows: pd.DataFrame) -> None:
    for part, own in rows.groupby("part"):
        ax.scatter(own["place"], own["user"], s=8, marker=_MARKERS[part], color=_COLOURS[part],
                   linewidth=0.7 if part == PARTS[-1] else 0, rasterized=len(rows) > MOST)  # fmt: skip
    ax.set_yticks(range(1, rows["user"].max() + 1))
    ax.set_ylim(rows["user"].max() + 0.6, 0.4)
    ax.tick_params(length=0)
    ax.grid(axis="x", visible=False)


def gap_plot(plain: pd.DataFrame, same_age: pd.DataFrame) -> Figure:
    """Difference of each genre's share, women less men, in percentage points, overall and at equal ages, intervals."""
    plots.style()
    fig, ax = plt.subplots(figsize=(5.4, 1.1 + 0.25 * len(plain)))
    rows = np.arange(len(plain))
    ax.axvline(0, color=plots.MUTED, linewidth=1)
    _gaps(ax, plain, rows - 0.14, "blue", "o", "all ages together")
    if len(same_age):
        _gaps(ax, same_age.set_index("genre").loc[plain["genre"]], rows + 0.14, "orange", "D", "at equal ages")
    ax.set_yticks(rows, plain["genre"])
    ax.set_ylim(len(plain) - 0.4, -0.6)
    ax.set_xlabel("Women's share less men's, percentage points of what is watched")
    fig.legend(loc="outside lower center", ncols=2)
    return fig


def _gaps(ax: Axes, table: pd.DataFrame, rows: np.ndarray, colour: str, marker: str, label: str) -> None:
    ax.hlines(rows, 100 * table["low"], 100 * table["high"], color=plots.COLOURS[colour], linewidth=1.4)
    ax.plot(100 * table["difference"], rows, marker, color=plots.COLOURS[colour], label=label)


def curves(table: pd.DataFrame, x: str, y: str, by: str, x_label: str, y_label: str) -> Figure:
    """Lines of seaborn, one colour and dash for each value of ``by``; points are marked where there are few."""
    plots.style()
    fig, ax = plt.subplots(figsize=(5.4, 3.0))
    marker = "o" if table[x].nunique() <= FEW else ""
    sns.lineplot(table, x=x, y=y, hue=by, style=by, marker=marker, ax=ax)
    ax.set(xlabel=x_label, ylabel=y_label, ylim=(0, 1.03))
    ax.legend(title=None)
    return fig


def months(table: pd.DataFrame) -> Figure:
    """Ratings a month, and below them the share of the month's users who rate for the first time."""
    plots.style()
    fig, (upper, lower) = plt.subplots(2, 1, sharex=True, figsize=(5.4, 3.9), height_ratios=(3, 2))
    upper.bar(table["month"], table["ratings"], width=25, color=plots.COLOURS["sky"])
    upper.yaxis.set_major_formatter("{x:,.0f}")
    lower.plot(table["month"], table["newcomers"] / table["users"].where(table["users"] > 0), markersize=4)
    upper.set_ylabel("Ratings")
    lower.set(ylabel="Newcomers, share", ylim=(-0.03, 1.03))
    lower.xaxis.set_major_formatter(ConciseDateFormatter(lower.xaxis.get_major_locator()))
    return fig


def by_gender(raters: pd.DataFrame) -> Figure:
    """Boxes of the number of ratings a person (logarithmic) for women and men; whiskers at 5 and 95 %."""
    plots.style()
    fig, ax = plt.subplots(figsize=(5.4, 1.7))
    known = raters.dropna(subset=[c.GENDER])
    palette = {"F": plots.COLOURS["orange"], "M": plots.COLOURS["sky"]}
    sns.boxplot(known, x="ratings", y=c.GENDER, hue=c.GENDER, order=["F", "M"], palette=palette, whis=(5, 95),
                showfliers=False, log_scale=True, linecolor=plots.INK, linewidth=1, width=0.6, ax=ax)  # fmt: skip
    ax.xaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter="{x:,.0f}", minor_formatter=NullFormatter())
    ax.set(xlabel="Ratings a person (log scale)", ylabel="")
    return fig


def claims_table(claims: Sequence[Claim]) -> pd.DataFrame:
    """One row a claim: statement, effect and threshold as texts, measure, verdict, and value, low, high, p, because."""
    return pd.DataFrame([{
        "statement": claim.statement, "effect": claim.effect.text(claim.form),
        "measure": claim.measure if claim.form else f"not measured: {claim.because}",
        "threshold": written(claim.threshold, claim.form) if claim.form else "–",
        "verdict": f"{MARKS[claim.verdict]} {claim.verdict}", "value": claim.effect.value, "low": claim.effect.low,
        "high": claim.effect.high, "p": claim.effect.p, "because": claim.because,
    } for claim in claims])  # fmt: skip


def verdicts(claims: Sequence[Claim]) -> str:
    """The verdict on the claim as stated, where the data can speak of it; then the others, grouped by verdict."""
    reasons = {claim.because for claim in claims}
    if len(reasons) == 1 and not any(claim.form for claim in claims):
        return f"**{claims[0].verdict}**: {reasons.pop()}"
    stated = [claim for claim in claims if claim.key in AS_STATED]
    others = [claim for claim in claims if claim.key not in AS_STATED]
    parts = [f"**{claim.verdict}** {_brief(claim)}" for claim in stated]
    groups = {verdict: [_brief(claim) for claim in others if claim.verdict == verdict] for verdict in MARKS}
    near = "nearest that can be tested, " if stated else ""
    parts += [f"{near}**{verdict}**: {', '.join(found)}" for verdict, found in groups.items() if found]
    return "; ".join(parts)


def _brief(claim: Claim) -> str:
    said = AS_STATED.get(claim.key, claim.statement[0].lower() + claim.statement[1:])
    effect = SYMBOLS.get(claim.key, "") + claim.effect.text(claim.form)
    return f"{said} ({effect if claim.form else claim.because})"
