import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Annotation
from report_samples import EVIL, leaderboard

from aicine_utils.errors import AicineError
from aicine_utils.models.registry import FAMILIES
from aicine_utils.report import plots
from aicine_utils.report.figures import svg_text
from aicine_utils.report.svg import INK, MUTED, PAPER, RULE, inline_svg


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_every_family_has_its_own_colour_and_marker():
    later = ["hybrid", "neural", "recbole_general", "recbole_sequential"]
    looks = [plots.look(family) for family in {*FAMILIES, *later}]
    assert len({own.colour for own in looks}) == len({own.marker for own in looks}) == len(looks)
    okabe_ito = {"#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"}
    assert okabe_ito <= {to_hex(own.colour) for own in looks}


def test_figure_follows_the_theme_and_is_deterministic():
    first, second = (plots.figure_html(plots.interval_plot(leaderboard()), "t", "a") for _ in range(2))
    assert first == second
    assert "currentColor" in first
    for sentinel in (INK, MUTED, RULE, PAPER):
        assert sentinel not in first.lower()
    assert "SVD++ (Surprise)" in first  # live text, not outlines
    assert "<metadata" not in first


def test_ids_of_two_figures_do_not_clash():
    board = leaderboard()
    figures = [
        plots.figure_html(plots.cost_plot(board), "t", "a"),
        plots.figure_html(plots.interval_plot(board), "t", "a"),
    ]
    ids = [re.findall(r'\bid="([^"]+)"', figure) for figure in figures]
    assert ids[0]
    assert not set(ids[0]) & set(ids[1])
    for own, figure in zip(ids, figures, strict=True):
        assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', figure)) <= set(own)


def test_figure_escapes_and_writes_its_data(tmp_path):
    fig = plots.interval_plot(leaderboard().head(2))
    html = plots.figure_html(fig, EVIL, EVIL, pd.DataFrame({"a": ["=1"]}), tmp_path / "a.csv")
    assert "<script" not in html
    assert 'role="img" aria-label="Alien &lt;script&gt;' in html
    assert 'href="../tables/a.csv"' in html
    assert (tmp_path / "a.csv").read_text() == "a\n'=1\n"
    assert not plt.fignum_exists(fig.number)


def test_script_in_an_svg_is_dropped():
    assert "script" not in inline_svg('<svg width="9pt"><script>x()</script><path/></svg>')


@pytest.mark.parametrize(("metric", "top"), [("ndcg@10", "EASE"), ("rmse", "SVD++ (Surprise)")])
def test_interval_plot_has_the_best_on_top(metric, top):
    fig = plots.interval_plot(leaderboard(), metric)
    labels = [tick.get_text() for tick in fig.axes[0].get_yticklabels()]
    assert labels[-1] == top
    assert len(labels) == leaderboard()[metric].notna().sum()


def test_cost_plot_labels_every_point_without_overlap():
    fig = plots.cost_plot(leaderboard())
    notes = [child for child in fig.axes[0].get_children() if isinstance(child, Annotation)]
    assert sorted(note.get_text() for note in notes) == sorted(leaderboard()["label"])
    fig.draw_without_rendering()
    boxes = [note.get_window_extent() for note in notes]
    clashes = [(i, j) for i in range(len(boxes)) for j in range(i) if boxes[i].overlaps(boxes[j])]
    assert clashes == []


def test_group_plot_has_a_panel_an_attribute():
    rows = [(a, g, "EASE", "linear", 0.1, 0.09, 0.11, 7) for a, g in [("gender", "F"), ("gender", "M"), ("age", "18")]]
    names = ["attribute", "group", "label", "family", "ndcg@10", "ndcg@10_low", "ndcg@10_high", "n_users"]
    fig = plots.group_plot(pd.DataFrame(rows, columns=names), "ndcg@10")
    assert [ax.get_title("left") for ax in fig.axes] == ["Gender", "Age"]
    assert [tick.get_text() for tick in fig.axes[0].get_yticklabels()] == ["F (n = 7)", "M (n = 7)"]


def test_curve_plot_draws_one_line_a_part():
    frame = pd.DataFrame(
        {"epoch": [1, 2, 1, 2], "loss": [3.0, 2.0, 4.0, 3.0], "part": ["train", "train", "valid", "valid"]}
    )
    lines = plots.curve_plot(frame, y="loss", by="part").axes[0].lines
    assert [list(line.get_ydata()) for line in lines] == [[3, 2], [4, 3]]
    assert lines[0].get_marker() != lines[1].get_marker()


def test_heatmap_writes_numbers_and_leaves_gaps():
    table = pd.DataFrame([[0.5, np.nan], [1.0, 0.25]], index=["a", "b"], columns=["x", "y"])
    assert [text.get_text() for text in plots.heatmap(table).axes[0].texts] == ["0.50", "1.00", "0.25"]


def test_missing_column_is_named():
    with pytest.raises(AicineError, match="family"):
        plots.interval_plot(leaderboard().drop(columns="family"))


def test_korean_labels_raise_no_warning(recwarn):
    svg = svg_text(plots.cost_plot(leaderboard(), x_label="학습 시간"))
    assert "학습 시간" in svg
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]
