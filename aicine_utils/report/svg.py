"""SVG that matplotlib wrote, in the reader's theme: inside a page, or as a file of its own."""

import hashlib
import re
from html import escape
from pathlib import Path

# Colours that no reader sees: each is replaced by what the page's theme says. Figures drawn once serve light and dark.
INK, MUTED, RULE, PAPER = "#010203", "#020304", "#030405", "#fdfcfb"
CSS = Path(__file__).parent / "assets" / "report.css"
_PAGE = {"ink": "color", "muted": "--muted", "rule": "--rule", "paper": "--paper"}  # the page's colours, and their uses
_FONT = 'text { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif !important; }'
_THEMED = {INK: "currentColor", MUTED: "var(--muted,#777)", RULE: "var(--rule,#ccc)", PAPER: "var(--paper,#fff)"}


def inline_svg(svg: str, alt: str = "Figure") -> str:
    """SVG ready to stand inside a page: themed colours, ids that no other figure has, as wide as its column."""
    return _responsive(_own_ids(_themed(svg)), alt)


def svg_file(svg: str, title: str, alt: str) -> str:
    """SVG as a file of its own: on paper of its own, light or dark as the reader's system is, with ``alt`` in it."""
    head, body = _themed(svg).split(">", 1)
    colours = {name: re.search(rf"--{name}: light-dark\((\S+), (\S+)\)", CSS.read_text("utf-8")) for name in _PAGE}
    light, dark = (" ".join(f"{use}: {colours[name][n]};" for name, use in _PAGE.items()) for n in (1, 2))
    rules = f"svg {{ {light} }} @media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }} {_FONT}"
    told = f"<title>{escape(title)}</title><desc>{escape(alt)}</desc><style>{rules}</style>"
    return f'{head} role="img">{told}<rect width="100%" height="100%" style="fill: var(--paper)"/>{body}\n'


def _themed(svg: str) -> str:
    """What matplotlib wrote, from the SVG element on, without metadata, in the colours of the theme."""
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>|<script\b.*?</script>", "", svg, flags=re.S)
    for colour, themed in _THEMED.items():
        svg = re.sub(re.escape(colour), themed, svg, flags=re.I)
    return svg


def _own_ids(svg: str) -> str:
    used = set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", svg))
    prefix = "f" + hashlib.sha256(svg.encode()).hexdigest()[:8] + "-"
    svg = re.sub(r' id="([^"]*)"', lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", svg)
    return re.sub(r"(url\(#|href=\"#)", rf"\g<1>{prefix}", svg)


def _responsive(svg: str, alt: str) -> str:
    tag, rest = svg.split(">", 1)
    width = re.search(r'\swidth="([\d.]+)(pt|px|)"', tag)
    pixels = float(width[1]) * (4 / 3 if width[2] == "pt" else 1) if width else 640
    tag = re.sub(r'\s(width|height|role|aria-label)="[^"]*"', "", tag)
    limit = f'style="max-width:{1.12 * pixels:.0f}px;min-width:min({pixels:.0f}px,21.5rem)"'
    return f'{tag} class="plot" role="img" aria-label="{escape(alt)}" {limit}>{rest}'
