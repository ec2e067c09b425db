"""The bump chart and the picture of agreement: every model named at both ends, every state visible."""

import pandas as pd
from matplotlib import pyplot as plt

from aicine_utils.report import bump, plots
from aicine_utils.report.svg import INK, PAPER

COLUMNS = pd.MultiIndex.from_tuples([("Split", "a"), ("Split", "b"), ("Length", "5")])
RANKS = pd.DataFrame([[1, 2, 1], [2, 1, 2], [3, 3, 3]], ["EASE", "SVD", "<Tom & Ann>"], COLUMNS)
FIRST = RANKS == 1
FAMILIES = {"EASE": "linear", "SVD": "matrix_factorisation", "<Tom & Ann>": "neural"}


def markers(ax):
    return [line for line in ax.lines if line.get_marker() not in ("", "None", None)]


def test_a_line_and_a_marker_a_column_for_each_model():
    fig = bump.bump_plot(RANKS, FIRST, FAMILIES)
    split, length = fig.axes
    assert [ax.get_title() or ax.get_title("left") for ax in fig.axes] == ["Split", "Length"]
    assert len(markers(split)) == 6
    assert len(split.lines) - len(markers(split)) == 3
    filled = [line for ax in fig.axes for line in markers(ax) if line.get_color() != PAPER]
    assert len(filled) == FIRST.to_numpy().sum()
    assert filled[0].get_color() == plots.look("linear").colour
    assert [tick.get_text() for tick in split.get_yticklabels()] == ["1  EASE", "2  SVD", "3  <Tom & Ann>"]
    assert [tick.get_text() for tick in length.get_yticklabels()] == ["EASE", "SVD", "<Tom & Ann>"]
    assert split.get_ylim()[0] > split.get_ylim()[1]  # rank 1 on top
    widths = [line.get_linewidth() for line in split.lines if line not in markers(split)]
    assert widths[0] == widths[1] > widths[2]
    plt.close(fig)


def test_a_single_panel_has_its_names_at_the_right():
    fig = bump.bump_plot(RANKS[["Length"]], FIRST[["Length"]], FAMILIES)
    assert [tick.get_text() for tick in fig.axes[0].get_yticklabels()] == ["EASE", "SVD", "<Tom & Ann>"]
    plt.close(fig)


def test_agreement_marks_what_chance_does_not_explain():
    rows = pd.DataFrame({"name": ["a", "b"], "tau": [0.9, 0.2], "tau_low": [0.5, 0.0], "tau_high": [1.0, 0.4],
                         "chance": [0.9, 0.8], "chance_low": [0.6, 0.5], "beyond": [False, True]})  # fmt: skip
    fig = bump.agreement_plot(rows)
    (ax,) = fig.axes
    assert [line.get_color() for line in markers(ax)] == [PAPER, INK]
    assert [line.get_xdata()[0] for line in markers(ax)] == [0.9, 0.2]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b"]
    assert [(round(bar.get_x(), 6), round(bar.get_width(), 6)) for bar in ax.patches] == [(0.6, 0.3), (0.5, 0.3)]
    plt.close(fig)
