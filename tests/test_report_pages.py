import re
from html import unescape

import nbformat
import pytest
from report_samples import CARD, ERROR, EVIL, PROVENANCE, leaderboard, notebook, status, statuses

from aicine_utils.findings import JobTables
from aicine_utils.models import registry
from aicine_utils.report import pages
from aicine_utils.report.exporter import PageExporter, mathml
from aicine_utils.report.index import render_index, site_of

SITE = site_of("ml-100k", statuses())


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    nbformat.write(notebook(), folder / "05.ipynb")
    path = pages.render_page(folder / "05.ipynb", status(), folder / "05_matrix_factorisation.html", SITE)
    return path.read_text()


def outside(html):
    """Addresses that a browser would fetch by itself, or a script from elsewhere."""
    links = re.findall(r'(?:src|srcset|data|poster)="([^"]*)"|<link[^>]*href="([^"]*)"|@import|url\((?!#)', html)
    return [pair for pair in links if not any(part.startswith("data:") for part in pair)]


def test_page_asks_nobody_for_anything(page):
    assert outside(page) == []
    assert "default-src 'none'; script-src 'sha256-" in unescape(page)
    assert page.count("<script>") == 1
    assert len(page.encode()) < pages.PAGE_LIMIT


def test_title_lead_and_contents(page):
    assert page.count("<h1") == 1
    assert "<h1>How far do latent factors carry?</h1>" in page
    assert "Seven models that write a rating" in page
    sections = ["the-question", "training", "results-with-intervals", "answer", "run-provenance"]
    assert re.findall(r'<li><a href="#([^"]+)"', page) == sections


def test_hidden_and_folded_cells(page):
    for hidden in ("BOOTSTRAP", "pip install", "dataset = &#39;mock&#39;", "STDERR-NOISE", "<style scoped>"):
        assert hidden not in page
    assert "<summary>Parameters</summary>" in page
    assert page.count('<details class="code">') == 8


def test_the_parameters_shown_are_those_that_the_page_was_made_with():
    source = "dataset: str = 'ml-100k'  # data set\nseed = 0\nk: int = 5  # films"
    shown = pages._as_given(source, {"dataset": "ml-1m", "seed": 7})
    assert shown == 'dataset: str = "ml-1m"  # data set\nseed = 7\nk: int = 5  # films'


def test_answer_stands_at_the_top_and_at_the_end(page):
    first, last = (match.start() for match in re.finditer("is the best of the factor models", page))
    assert first < page.index('<h2 id="the-question"') < page.index('<h2 id="answer"') < last


def test_no_script_from_data_and_no_escape_codes(page):
    assert "<script>window" not in page
    assert "\x1b" not in page
    assert "ZeroDivisionError: division by zero" in page


def test_ids_are_unique(page):
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_math_is_mathml(page):
    assert page.count("<math") == 2
    assert "mathjax" not in page.lower()
    assert "$" not in re.sub(r"<script>.*?</script>", "", page, flags=re.S)


def test_links_between_notebooks_lead_to_pages(page):
    assert 'href="00_data.html#ratings"' in page


def test_provenance_and_neighbours(page):
    for text in ("0123abcd", "74 s", "812 MB", "numpy 2.4.6", "<code>seed</code>"):
        assert text in page
    assert 'rel="prev" href="04_neighbourhood.html"' in page
    assert 'rel="next" href="06_hybrid_lightfm.html"' in page


def test_math_that_can_not_be_converted_is_shown_as_it_is(monkeypatch):
    monkeypatch.setattr("latex2mathml.converter.convert", lambda *_, **__: 1 / 0)
    assert mathml("a<b", "inline") == "<code>a&lt;b</code>"


def test_repeated_headings_get_their_own_ids():
    html = PageExporter().markdown("## A\n\n## A\n\n## *B* $x$")
    assert re.findall(r'id="([^"]+)"', html)[:2] == ["a", "a-2"]


def test_notebook_without_title_or_answer(tmp_path):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("Only text & more")])
    nbformat.write(book, tmp_path / "x.ipynb")
    html = pages.render_page(tmp_path / "x.ipynb", status(title=EVIL), tmp_path / "x.html", SITE).read_text()
    assert "<h1>Alien &lt;script&gt;" in html
    assert "Only text &amp; more" in html
    assert 'class="answer"' not in html


def test_failure_names_cell_heading_error_and_memory(tmp_path):
    path = pages.render_failure(status(status="failed", error=ERROR), tmp_path / "f.html", SITE)
    html = path.read_text()
    for text in (
        "stopped in cell 7",
        "4 Training",
        "MemoryError: &lt;needs 9 GB&gt;",
        "812 MB",
        "this notebook failed",
    ):
        assert text in html
    assert "\x1b" not in html
    assert outside(html) == []


def test_failure_without_an_error_speaks_of_memory(tmp_path):
    html = pages.render_failure(status(status="failed"), tmp_path / "f.html", SITE).read_text()
    assert "ran out of memory" in html


def test_heavy_page_is_warned_about(tmp_path, caplog):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("x " * 800_000)])
    nbformat.write(book, tmp_path / "x.ipynb")
    pages.render_page(tmp_path / "x.ipynb", status(), tmp_path / "x.html", SITE)
    assert "x.html has 1.6 MB" in caplog.text


def test_memory_and_glue():
    assert [pages.memory_text(m) for m in (None, 412.4, 1331.2)] == ["–", "412 MB", "1.3 GB"]
    assert pages.glue("0.1 [0.05, 0.15], 2") == "0.1 [0.05,\u00a00.15], 2"


def test_both_languages_have_the_same_words():
    def shape(tree):
        if isinstance(tree, dict):
            return {key: shape(value) for key, value in tree.items()}
        return len(tree) if isinstance(tree, list) else sorted(re.findall(r"\{(\w+)\}", tree))

    assert shape(pages.words("en")) == shape(pages.words("ko"))
    assert pages.words("en")["families"] == registry.FAMILIES


def test_index_in_both_languages(tmp_path):
    english, korean = render_index("ml-100k", leaderboard(), statuses(), CARD, tmp_path, PROVENANCE)
    assert [english.name, korean.name] == ["index.html", "index.ko.html"]
    en, ko = english.read_text(), korean.read_text()
    assert en.count('class="card"') == ko.count('class="card"') == 6
    assert "Home row:</strong> <strong>ship EASE</strong>" in en
    assert "홈 화면 추천:</strong>" in ko
    assert "937 users" in en
    assert 'href="../tables/leaderboard.csv"' in en
    assert "banner" not in re.sub(r"<style>.*?</style>", "", en, flags=re.S)
    for html in (en, ko):
        assert outside(html) == []
        assert len(re.findall(r'\sid="([^"]+)"', html)) == len(set(re.findall(r'\sid="([^"]+)"', html)))


def test_index_says_where_pages_are_of_another_revision(tmp_path):
    made = {**PROVENANCE, "revision": "new"}
    old = [{**one, "provenance": {"revision": "old"}} for one in statuses()]
    said = "Pages were made at revision old, this one at new from their tables"
    assert said in render_index("ml-100k", leaderboard(), old, CARD, tmp_path, made)[0].read_text()
    same = [{**one, "provenance": {"revision": "new"}} for one in statuses()]
    assert "Pages were made at" not in render_index("ml-100k", leaderboard(), same, CARD, tmp_path, made)[0].read_text()


def test_index_repeats_what_the_data_were_warned_of(tmp_path):
    card = {**CARD, "warnings": ["ratings.dat differs from the published file (checksum)."]}
    for page, word in zip(
        render_index("ml-1m", None, [], card, tmp_path, PROVENANCE), ("Warning", "주의"), strict=True
    ):
        text = page.read_text()
        assert "ratings.dat differs from the published file" in text
        assert word in text


def test_index_tells_how_many_models_had_several_seeds(tmp_path):
    board = leaderboard()
    english, korean = render_index("ml-100k", board, statuses(), CARD, tmp_path, PROVENANCE)
    assert "intervals over users; one seed a model." in english.read_text()
    several = board.assign(seeds=[3, 1, 3] + [1] * (len(board) - 3))
    english, korean = render_index("ml-100k", several, statuses(), CARD, tmp_path, PROVENANCE)
    assert (
        "intervals over users; 3 seeds for 2 of the models, one for the others; scores are those of the first."
        in english.read_text()
    )
    assert "2개 모델은 시드 3개(점수는 첫 시드의 것), 나머지는 시드 1개로 학습했습니다." in korean.read_text()


def test_korean_page_has_no_english_sentences(tmp_path):
    ko = render_index("ml-100k", leaderboard(), statuses(), CARD, tmp_path, PROVENANCE)[1].read_text()
    text = re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style)>.*?</\1>", "", ko, flags=re.S))
    for english in (" the ", " is ", " and ", "Seconds", "Provenance", "Leaderboard", "Show code"):
        assert english not in text


@pytest.mark.parametrize("board", [None, leaderboard().iloc[:0]])
def test_index_without_leaderboard_says_so(tmp_path, board):
    failed = status("07_neural", status="failed", error=ERROR)
    states = [status(), failed, status("08_recbole_general", status="missing", seconds=None)]
    html = render_index("mock", board, states, {}, tmp_path, {})[0].read_text()
    assert "1 of 3 notebooks failed" in html
    assert "1 of 3 notebooks have not been run" in html
    assert "for – users" not in html
    assert "none was searched" not in html
    assert "There is no leaderboard yet" in html
    assert 'href="07_neural.html"' in html
    assert 'href="08_recbole_general.html"' not in html
    assert 'class="card"' not in html


def test_index_with_a_thin_leaderboard(tmp_path):
    board = leaderboard()[["model", "label", "family", "rmse"]].dropna()
    html = render_index("mock", board, [], {}, tmp_path, {})[0].read_text()
    assert "Stars shown:</strong>" in html
    assert "Quality against cost" not in html


def test_index_shows_the_decisions_on_all_jobs_with_what_would_change_them(tmp_path):
    from test_report_decisions import means, pair

    tables = JobTables(means("new_user"), pair("ease", "item_knn", 0.010, 0.004, 0.016, job="new_user"))
    pages_of = render_index("ml-100k", leaderboard(), statuses(), CARD, tmp_path, PROVENANCE, tables)
    en, ko = (path.read_text() for path in pages_of)
    assert "New user:</strong> <strong>ship EASE</strong>" in en
    assert "What would change our mind: The choice falls once Item k-NN gains" in en
    assert "신규 사용자:</strong>" in ko
    assert "판단이 바뀌는 조건: " in ko
    assert "New user" not in render_index("ml-100k", leaderboard(), [], {}, tmp_path, {})[0].read_text()
