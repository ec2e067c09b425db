"""A page for each notebook, or for its failure: one HTML file that needs no other file and asks nobody for anything."""

import base64
import hashlib
import html
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import nbformat
from markupsafe import Markup
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from aicine_utils import settings
from aicine_utils.files import write_text
from aicine_utils.report.exporter import TEMPLATES, PageExporter
from aicine_utils.wording import MISSING, seconds_text

ASSETS = Path(__file__).parent / "assets"
PAGE_LIMIT = 1_500_000  # bytes; a reader on a phone waits for no more
HIDDEN = {"bootstrap", "injected-parameters", "in-short", "hide"}
HOME = {"en": "index.html", "ko": "index.ko.html"}
_EMPTY = {"contents": [], "has_code": False, "other": None, "provenance": None}  # what a page may do without
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Site:
    """What every page of a report knows: data set, title, and pages as (file name, title, status)."""

    dataset: str
    title: str = "AI-CINE"
    pages: list[tuple[str, str, str]] = field(default_factory=list)


def render_page(executed: Path, status: Mapping[str, Any], target: Path, site: Site) -> Path:
    """Write the page of an executed notebook to ``target``.

    The output of the cell tagged ``answer`` also stands below the title; cells tagged bootstrap, injected-parameters,
    in-short or hide are left out; code is folded; stderr is left out.
    """
    notebook, given = nbformat.read(executed, as_version=4), status.get("parameters") or {}
    exporter = PageExporter()
    title, lead, cells = _opening(notebook, str(status.get("title") or executed.stem))
    body = exporter.fragment(notebook, [_prepared(cell, given) for cell in cells if not _tags(cell) & HIDDEN])
    context = {
        "title": title,
        "lead": Markup(exporter.markdown(lead, safe=False)),
        "body": Markup(_internal_links(body)),
        "answer": Markup(_answer(exporter, notebook)),
        "contents": _contents(body),
        "has_code": 'class="code"' in body,
    }
    return write_page("notebook.html.j2", target, site, "en", provenance=_provenance(status), **context)


def render_failure(status: Mapping[str, Any], target: Path, site: Site) -> Path:
    """Write the page of a notebook that failed: where, in which cell, with which error, at what memory."""
    error = dict(status.get("error") or {})
    if error:
        error["lines"] = [strip_ansi(line) for line in error.get("lines") or []]
    source = highlight(strip_ansi(error.get("source") or ""), PythonLexer(), HtmlFormatter())
    context = {
        "title": str(status.get("title") or status["notebook"]),
        "error": error,
        "source": Markup(source),
        "memory": memory_text(status.get("peak_mb")),
    }
    return write_page("failure.html.j2", target, site, "en", provenance=_provenance(status), **context)


def write_page(template: str, target: Path, site: Site, lang: str, **context: Any) -> Path:
    """Fill one of the page templates in a language and write it; warns when the page is heavier than it should be."""
    before, after = _neighbours(site, target.name)
    text = _environment().get_template(template).render(
        w=words(lang), lang=lang, site=site, home=HOME[lang], current=target.name, before=before, after=after,
        css=Markup(asset("report.css")), js=Markup(asset("report.js")), policy=_policy(), **{**_EMPTY, **context},
    )  # fmt: skip
    size = len(text.encode())
    if size > PAGE_LIMIT:
        _log.warning("%s has %.1f MB; a page should stay below %.1f MB.", target.name, size / 1e6, PAGE_LIMIT / 1e6)
    return write_text(target, text)


@cache
def asset(name: str) -> str:
    """Text of a file in ``assets/``."""
    return (ASSETS / name).read_text(encoding="utf-8")


def words(lang: str) -> dict[str, Any]:
    """Every fixed text of the pages in one language."""
    return settings.read_yaml(ASSETS / "words.yaml")[lang]


@cache
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    made = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    made.filters["glue"] = glue
    return made


def glue(text: str) -> str:
    """The text with intervals such as ``[0.126, 0.138]`` kept on one line."""
    return re.sub(r"(\[-?[\d.]+), ", "\\1,\u00a0", text)


@cache
def _policy() -> str:
    """Only our own script runs and nothing is fetched, whatever stands in a title or an output."""
    digest = base64.b64encode(hashlib.sha256(asset("report.js").encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )


def _neighbours(site: Site, name: str) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    there = [(file, title) for file, title, state in site.pages if state != "missing"]
    names = [file for file, _ in there]
    if name not in names:
        return None, None
    at = names.index(name)
    return (there[at - 1] if at else None), (there[at + 1] if at + 1 < len(there) else None)


def _tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def _opening(notebook: NotebookNode, title: str) -> tuple[str, str, list[NotebookNode]]:
    """Title, the Markdown below it, and the cells that follow; the first cell stays when it holds no title."""
    cells = list(notebook.cells)
    for place, cell in enumerate(cells):
        if cell.cell_type == "markdown" and (found := re.match(r"\s*#\s+(.+?)\s*(?:\n|$)(.*)", cell.source, re.S)):
            return _plain(found[1]), found[2], cells[:place] + cells[place + 1 :]
        if cell.cell_type == "markdown" or not _tags(cell) & HIDDEN:
            break
    return title, "", cells


def _plain(markdown: str) -> str:
    return re.sub(r"[*_`]{1,2}(\S(?:.*?\S)?)[*_`]{1,2}", r"\1", markdown)


def _prepared(cell: NotebookNode, given: Mapping[str, Any]) -> NotebookNode:
    if "parameters" in _tags(cell):
        metadata = NotebookNode(cell.metadata, summary=words("en")["parameters"])
        return NotebookNode(cell, metadata=metadata, source=_as_given(cell.source, given))
    return cell


def _as_given(source: str, given: Mapping[str, Any]) -> str:
    """The parameters' cell with the values that this page was made with, in place of the defaults."""
    for name, value in given.items():
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
        declared = rf"^({name}(?:: \w+)? = ).*?(?=\s+#|$)"
        source = re.sub(declared, lambda found, shown=shown: found[1] + shown, source, flags=re.MULTILINE)
    return source


def _answer(exporter: PageExporter, notebook: NotebookNode) -> str:
    """Outputs of the answer cell, without ids: those stay with the original further down."""
    cells = [
        NotebookNode(cell, metadata=NotebookNode(cell.metadata, show="outputs"))
        for cell in notebook.cells
        if "answer" in _tags(cell) and cell.get("outputs")
    ]
    return re.sub(r'\sid="[^"]*"', "", exporter.fragment(notebook, cells))


def _contents(body: str) -> list[tuple[str, str]]:
    found = re.findall(r'<h2 id="([^"]+)">(.*?)</h2>', body, re.S)
    named = [(own, html.unescape(re.sub(r"<[^>]+>", "", text))) for own, text in found]
    return [*named, ("run-provenance", words("en")["provenance"])] if named else []


def _internal_links(body: str) -> str:
    return re.sub(r'href="(?:\./)?(\w+)\.ipynb(#[^"]*)?"', r'href="\1.html\2"', body)


def memory_text(megabytes: float | None, lang: str = "en") -> str:
    """``412 MB`` or ``1.3 GB``; a dash where nothing was measured."""
    if not megabytes:
        return MISSING
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


def time_text(seconds: float | None, lang: str = "en") -> str:
    """A duration, or a dash where nothing was measured."""
    return MISSING if seconds is None else seconds_text(seconds, lang)


def _provenance(status: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(status.get("provenance") or {})
    measured = {"seconds": time_text(status.get("seconds")), "memory": memory_text(status.get("peak_mb"))}
    started = {"started": str(status["started"]).replace("T", " ")[:19]} if status.get("started") else {}
    return {**provenance_block(made, {**measured, **started}, "en"), "parameters": dict(status.get("parameters") or {})}


def provenance_block(made: Mapping[str, Any], extra: Mapping[str, str], lang: str) -> dict[str, Any]:
    """What the provenance section of a page shows: facts as (label, text), and packages with their versions."""
    named = words(lang)
    facts = {**extra, **{name: made[name] for name in ("started", "revision", "python", "host") if made.get(name)}}
    return {"facts": [(named[name], str(value)) for name, value in facts.items()], "packages": made.get("packages"),
            "parameters": {}}  # fmt: skip
