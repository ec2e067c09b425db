import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import EVIL

from aicine_utils.errors import AicineError
from aicine_utils.report.tables import Column, guard, html_table, write_csv

FRAME = pd.DataFrame(
    {
        "name": [EVIL, "Fargo (1996)", None],
        "ndcg": [0.31, 0.3123, None],
        "ndcg_low": [0.305, 0.3049, None],
        "ndcg_high": [0.319, 0.3192, None],
        "rmse": [0.9, 1.1, 0.8],
    }
)
COLUMNS = {
    "name": Column("Movie", 'The "title"'),
    "ndcg": Column("NDCG", "Higher is better", ".3f", "higher"),
    "rmse": Column("RMSE", "", lambda value: f"{value:.1f}★", "lower"),
}


def test_interval_stands_behind_the_number():
    assert '0.312</strong> <span class="interval">[0.305, 0.319]</span>' in html_table(FRAME, "c", COLUMNS)


def test_everything_is_escaped():
    table = html_table(FRAME.assign(rmse=["<b>", "&", "'"]), "<i>", {"name": Column("<u>"), "rmse": Column("x")})
    assert "<script" not in table
    for raw in ("<i>", "<b>", "<u>"):
        assert raw not in table
    assert "Alien &lt;script&gt;" in table


def test_best_follows_the_direction_and_can_be_limited():
    both = html_table(FRAME, "c", COLUMNS)
    assert both.count("<strong") == 2
    assert '<strong title="best">0.8★</strong>' in both
    assert '<strong title="best">0.312' in both
    assert html_table(FRAME, "c", COLUMNS, best=["rmse"]).count("<strong") == 1
    assert "<strong" not in html_table(FRAME, "c", COLUMNS, best=False)


def test_missing_values_have_an_empty_key_and_no_interval():
    last = html_table(FRAME, "c", COLUMNS).split("<tr>")[-1]
    assert last.count('data-sort=""') == 2
    assert "nan" not in last
    assert "interval" not in last


def test_first_click_shows_the_best_first():
    table = html_table(FRAME, "c", COLUMNS)
    firsts = [part.split('"', 2)[1] for part in table.split("data-first")[1:]]
    assert firsts == ["ascending", "descending", "ascending"]


def test_help_is_a_title_and_csv_is_a_link():
    table = html_table(FRAME, "c", COLUMNS, csv="../tables/a.csv")
    assert 'title="The &quot;title&quot;"' in table
    assert 'href="../tables/a.csv" download' in table


def test_unknown_column_names_the_nearest():
    with pytest.raises(AicineError, match="'rmse'"):
        html_table(FRAME, "c", {"rmes": Column("RMSE")})


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_formulas_are_guarded(text):
    assert guard(text) == "'" + text


def test_csv_guards_text_and_headers_but_not_numbers(tmp_path):
    frame = pd.DataFrame({"title": ["=HYPERLINK(1)", "Heat", None], "@n": [-1.5, 2.0, 3.0]})
    path = write_csv(frame, tmp_path / "new" / "a.csv")
    assert path.read_text().splitlines() == ["title,'@n", "'=HYPERLINK(1),-1.5", "Heat,2.0", ",3.0"]
    assert [file.name for file in path.parent.iterdir()] == ["a.csv"]
    assert frame.columns[1] == "@n"


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_csv(pd.DataFrame({"a": [1]}), tmp_path / "a.csv")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_csv(pd.DataFrame({"a": [2]}), path)
    assert path.read_text() == "a\n1\n"


@given(
    st.lists(st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\x00")), min_size=1)
)
def test_no_text_cell_starts_a_formula(texts):
    buffer = io.StringIO(pd.DataFrame({"t": [guard(text) for text in texts]}).to_csv(index=False))
    for row in list(csv.reader(buffer))[1:]:
        assert not "".join(row).startswith(("=", "+", "-", "@"))
