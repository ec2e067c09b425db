"""The pages in a real browser, opened from the disk."""

import shutil

import nbformat
import pytest
from report_samples import CARD, ERROR, PROVENANCE, leaderboard, notebook, status, statuses

from aicine_utils.report.index import render_index, site_of
from aicine_utils.report.pages import render_failure, render_page

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
NAMES = ["index.html", "index.ko.html", "05_matrix_factorisation.html", "07_neural.html"]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "report"
    nbformat.write(notebook(), folder.parent / "nb.ipynb")
    site = site_of("ml-100k", statuses())
    render_page(folder.parent / "nb.ipynb", status(), folder / "05_matrix_factorisation.html", site)
    render_failure(status("07_neural", status="failed", error=ERROR), folder / "07_neural.html", site)
    render_index("ml-100k", leaderboard(), statuses(), CARD, folder, PROVENANCE)
    return folder


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.fail("These tests need Chromium: install it (Debian: apt-get install chromium) and run them again.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser, report):
    """Opens a page; afterwards nothing was fetched from outside and the console is empty."""
    complaints, contexts = [], []

    def go(name, **options):
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or complaints.append(request.url))
        page.goto((report / name).as_uri())
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [360, 1280])
def test_page_opens_quietly_and_fits(visit, name, width):
    page = visit(name, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("window.hacked") is None
    assert page.locator("h1").count() == 1


def test_sorting_by_mouse_and_keyboard(visit):
    page = visit("index.html")
    first = page.locator("table.sortable tbody tr th").first
    heads = page.locator("th[aria-sort]")
    rmse = heads.filter(has_text="RMSE")
    assert first.inner_text() == "EASE"
    rmse.locator("button").click()
    assert (first.inner_text(), rmse.get_attribute("aria-sort")) == ("SVD++ (Surprise)", "ascending")
    rmse.locator("button").press("Enter")
    assert (first.inner_text(), rmse.get_attribute("aria-sort")) == ("Baseline (Surprise)", "descending")
    page.locator("th button", has_text="Model").click()
    assert first.inner_text() == "Baseline (Surprise)"
    assert rmse.get_attribute("aria-sort") == "none"


def test_empty_cells_stay_last_in_both_directions(visit):
    page = visit("index.html")
    button = page.locator("th button", has_text="RMSE")
    for _ in range(2):
        button.click()
        assert page.locator("table.sortable tbody tr").last.locator("td").nth(2).inner_text() == "–"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_follows_the_system_and_the_toggle_is_kept(visit, scheme):
    page = visit("05_matrix_factorisation.html", color_scheme=scheme)
    before = background(page)
    label = page.locator("svg.plot text").first
    ink = label.evaluate("node => getComputedStyle(node).fill")
    page.locator(".theme").press("Enter")
    assert background(page) != before
    assert label.evaluate("node => getComputedStyle(node).fill") != ink
    after = background(page)
    page.reload()
    assert background(page) == after


def test_code_opens_and_closes_at_once(visit):
    page = visit("05_matrix_factorisation.html")
    toggle = page.locator(".code-toggle")
    assert page.locator("details.code[open]").count() == 0
    toggle.press("Enter")
    assert page.locator("details.code:not([open])").count() == 0
    assert toggle.get_attribute("aria-pressed") == "true"
    toggle.click()
    assert page.locator("details.code[open]").count() == 0


def test_contents_follow_the_reader(visit):
    page = visit("05_matrix_factorisation.html", reduced_motion="reduce")
    page.locator(".contents a", has_text="Results").click()
    page.wait_for_selector(".contents a[aria-current]:has-text('Results')")


def test_menu_closes_with_escape(visit):
    page = visit("index.html")
    page.locator(".menu summary").press("Enter")
    assert page.locator(".menu a", has_text="Neural").is_visible()
    page.keyboard.press("Escape")
    assert page.locator(".menu a", has_text="Neural").is_hidden()


def test_first_tab_skips_to_the_content(visit):
    page = visit("index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


def test_print_is_light_and_without_controls(visit):
    page = visit("05_matrix_factorisation.html", color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator("header.bar").is_hidden()
    assert page.locator(".contents").is_hidden()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(31, 34, 38)"
