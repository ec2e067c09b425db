"""From a matplotlib figure to SVG, and to a figure with caption and data."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from aicine_utils.report.svg import inline_svg
from aicine_utils.report.tables import write_csv

_DECIMALS = re.compile(r"(?<=\.\d\d)\d+")  # of a path beyond a hundredth of a point: nobody sees them, and pages weigh


@contextmanager
def any_script() -> Iterator[None]:
    """Draw text in any script: matplotlib's own font may lack it, but the reader's browser sets it, not matplotlib."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def svg_text(fig: Figure) -> str:
    """The figure as SVG, transparent, with live text; the same bytes for the same figure, paths to 0.01 points."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "aicine"}), any_script():
        fig.savefig(buffer, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    return re.sub(r' d="[^"]*"', lambda path: _DECIMALS.sub("", path[0]), buffer.getvalue())


def figure_html(
    fig: Figure,
    title: str,
    alt: str,
    data: pd.DataFrame | None = None,
    csv: Path | None = None,
    href: str | None = None,
    csv_label: str = "Data (CSV)",
) -> str:
    """A figure with its finding as caption and a link to its data; the matplotlib figure is closed.

    title: the finding, in one sentence; alt: what a reader who can't see it must know; data: written to ``csv``;
    href: the address of the CSV as seen from the page, ``../tables/NAME`` unless given.
    """
    svg = inline_svg(svg_text(fig), alt)
    plt.close(fig)
    if data is not None and csv is not None:
        write_csv(data, csv)
    address = href or (f"../tables/{csv.name}" if csv else None)
    link = f' <a class="csv" href="{escape(address)}" download>{escape(csv_label)}</a>' if address else ""
    caption = f"<figcaption>{escape(title)}{link}</figcaption>"
    return f'<figure class="figure">{caption}<div class="scroll">{svg}</div></figure>'
