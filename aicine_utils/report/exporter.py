"""Notebook cells to HTML: nbconvert with our own template, mathematics as MathML, headings that can be linked."""

import re
from collections import Counter
from html import escape
from pathlib import Path
from typing import Any

import latex2mathml.converter
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from traitlets.config import Config

from aicine_utils.report.svg import inline_svg

TEMPLATES = Path(__file__).parent / "templates"
_SHOWN = ["text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/latex", "text/plain"]
_UNWANTED = re.compile(r"<script\b.*?</script\s*>|<style scoped>.*?</style>|<link\b[^>]*>", re.S | re.I)


def mathml(latex: str, display: str) -> str:
    """LaTeX as MathML, which browsers set without any script; the source itself where it can't be converted."""
    try:
        return latex2mathml.converter.convert(latex.strip(), display=display)
    except Exception:  # the library raises many kinds, none of which should cost a whole page
        return f"<code>{escape(latex)}</code>"


class _Renderer(IPythonRenderer):
    """Markdown with MathML, and ids on headings that are unique on the page."""

    def __init__(self, ids: Counter[str], escape: bool) -> None:
        super().__init__(escape=escape, exclude_anchor_links=True, allow_harmful_protocols=False)
        self.ids = ids

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        slug = re.sub(r"[^\w]+", "-", re.sub(r"<[^>]*>|&\w+;", "", text).lower()).strip("-") or "section"
        self.ids[slug] += 1
        own = slug if self.ids[slug] == 1 else f"{slug}-{self.ids[slug]}"
        return f'<h{level} id="{own}">{text}</h{level}>\n'

    def inline_math(self, body: str) -> str:
        return mathml(body, "inline")

    def block_math(self, body: str) -> str:
        return f'<span class="equation scroll">{mathml(body, "block")}</span>'

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")


class PageExporter(HTMLExporter):
    """Cells of one page as an HTML fragment. Make a new one for each page: it remembers the ids used."""

    def __init__(self, **kwargs: Any) -> None:
        self.ids: Counter[str] = Counter()
        config = Config({"NbConvertBase": {"display_data_priority": _SHOWN},
                         "CoalesceStreamsPreprocessor": {"enabled": True}})  # fmt: skip
        super().__init__(config=config, template_name="notebook", extra_template_basedirs=[str(TEMPLATES)], **kwargs)

    def default_filters(self) -> Any:
        """nbconvert's filters, with ours in place of those that need scripts."""
        yield from super().default_filters()
        yield ("markdown2html", lambda source: self.markdown(source, safe=False))
        yield ("output_markdown", lambda source: self.markdown(source, safe=True))
        yield ("own_svg", inline_svg)
        yield ("own_html", lambda html: _UNWANTED.sub("", html))

    def markdown(self, source: str, safe: bool = True) -> str:
        """Markdown as HTML. ``safe`` escapes HTML in it, for text that came from data and not from an author."""
        return MarkdownWithMath(renderer=_Renderer(self.ids, safe)).render(source)

    def fragment(self, notebook: NotebookNode, cells: list[NotebookNode]) -> str:
        """HTML of some of the notebook's cells."""
        part = NotebookNode(notebook, cells=cells)
        return self.from_notebook_node(part)[0] if cells else ""
