"""Sortable HTML tables, and CSV files that a spreadsheet opens safely. Every text is escaped: titles are data."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from aicine_utils.errors import unknown
from aicine_utils.files import write_text
from aicine_utils.wording import MISSING

FORMULA = ("=", "+", "-", "@", "\t", "\r")
SHORT = 28  # characters; shorter texts stay on one line


@dataclass(frozen=True)
class Column:
    """How one column is shown.

    label: header; help: what it means, shown on hover and read by screen readers; format: a format specification
    such as ``.3f`` or a function of the value; direction: whether high or low values are better, or neither.
    """

    label: str
    help: str = ""
    format: str | Callable[[Any], str] = ""
    direction: Literal["higher", "lower", ""] = ""


def html_table(
    frame: pd.DataFrame,
    caption: str,
    columns: Mapping[str, Column],
    csv: str | Path | None = None,
    best: bool | Collection[str] = True,
    csv_label: str = "Data (CSV)",
) -> str:
    """The named columns of a frame as a table that sorts by mouse and keyboard.

    A number ``name`` beside ``name_low`` and ``name_high`` is shown as ``0.312 [0.305, 0.319]``. ``csv`` is the path
    of the same data relative to the page; ``best`` marks the best value of each column that has a direction, or
    only of those named. Raises AicineError for a column that the frame does not have.
    """
    for name in columns:
        if name not in frame:
            raise unknown("column", name, frame.columns)
    head = "".join(_header(frame[name], column) for name, column in columns.items())
    marked = set(columns if best is True else best or ())
    cells = [_column(frame, name, columns[name], name in marked, first=not i) for i, name in enumerate(columns)]
    rows = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*cells, strict=True))
    link = f' <a class="csv" href="{escape(str(csv))}" download>{escape(csv_label)}</a>' if csv else ""
    return (
        '<div class="table"><div class="scroll"><table class="sortable">'
        f"<caption><span>{escape(caption)}{link}</span></caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></div>"
    )


def _header(series: pd.Series, column: Column) -> str:
    first = "descending" if column.direction == "higher" else "ascending"
    kind = ' class="number"' if _is_number(series) else ""
    title = f' title="{escape(column.help)}"' if column.help else ""
    return (
        f'<th scope="col"{kind} aria-sort="none" data-first="{first}">'
        f'<button type="button"{title}>{escape(column.label)}</button></th>'
    )


def _column(frame: pd.DataFrame, name: str, column: Column, best: bool, first: bool) -> list[str]:
    series, number = frame[name], _is_number(frame[name])
    top = _best(series, column) if best and number else np.zeros(len(frame), bool)
    intervals = _intervals(frame, name, column) if number else [""] * len(frame)
    parts = zip(series, top, intervals, strict=True)
    return [_cell(value, column, number, bool(mark), interval, first) for value, mark, interval in parts]


def _cell(value: Any, column: Column, number: bool, mark: bool, interval: str, first: bool) -> str:
    empty = _is_missing(value)
    text = MISSING if empty else escape(_format(value, column))
    text = f'<strong title="best">{text}</strong>' if mark else text
    key = "" if empty else escape(str(float(value) if number else value))
    tag = 'th scope="row"' if first else "td"
    kind = ' class="number"' if number else ' class="short"' if len(text) <= SHORT else ""
    return f'<{tag}{kind} data-sort="{key}">{text}{"" if empty else interval}</{tag[:2]}>'


def _intervals(frame: pd.DataFrame, name: str, column: Column) -> list[str]:
    low, high = f"{name}_low", f"{name}_high"
    if low not in frame or high not in frame:
        return [""] * len(frame)
    return [_interval(a, b, column) for a, b in zip(frame[low], frame[high], strict=True)]


def _interval(low: float, high: float, column: Column) -> str:
    if pd.isna(low) or pd.isna(high):
        return ""
    return f' <span class="interval">[{escape(_format(low, column))}, {escape(_format(high, column))}]</span>'


def _best(series: pd.Series, column: Column) -> np.ndarray:
    if not column.direction or series.nunique() < 2:  # one value, or all alike: nothing to mark
        return np.zeros(len(series), bool)
    return (series == (series.max() if column.direction == "higher" else series.min())).to_numpy(bool, na_value=False)


def _format(value: Any, column: Column) -> str:
    if callable(column.format):
        return column.format(value)
    if isinstance(value, (list, tuple, set, np.ndarray)):
        return ", ".join(map(str, value))
    return format(value, column.format) if column.format else str(value)


def _is_number(series: pd.Series) -> bool:
    return is_numeric_dtype(series) and not is_bool_dtype(series)


def _is_missing(value: Any) -> bool:
    return value is None or (np.isscalar(value) and pd.isna(value)) or value is pd.NA or value is pd.NaT


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """Write UTF-8 CSV without the index, whole or not at all.

    Text that a spreadsheet would run as a formula (it starts with = + - @, tab or return) gets a leading apostrophe.
    """
    safe = frame.rename(columns=guard)
    for place in range(frame.shape[1]):
        if not is_numeric_dtype(frame.dtypes.iloc[place]):
            safe.isetitem(place, frame.iloc[:, place].astype(object).map(guard))
    return write_text(path, safe.to_csv(index=False, lineterminator="\n"))


def guard(value: Any) -> Any:
    """The value itself, or a text with an apostrophe in front when a spreadsheet would run it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
