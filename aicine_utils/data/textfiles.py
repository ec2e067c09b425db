"""Text files in, columns out, and the exact line of whatever does not fit.

Numbers are parsed by Arrow's C++ reader in one pass. Only when that pass fails is the file read a second time, line
by line, to name the line and the rule that it breaks.
"""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from aicine_utils.errors import AicineError

SEPARATORS = {"::": "'::'", "\t": "a tab", ",": "','", ";": "';'", "|": "'|'", ":": "':'"}
BOM = codecs.BOM_UTF8
_INNER = "\x1f"  # stands for "::", which Arrow can't split at; occurs in no rating


@dataclass(frozen=True)
class Table:
    """Rows of one file. ``frame`` row i is the i-th line that is not blank, after ``header`` such lines."""

    frame: pd.DataFrame
    path: Path
    header: int = 0

    def at(self, row: int) -> str:
        """ "ml-1m/ratings.dat line 1,204" for a row number of the frame."""
        for place, (number, _) in enumerate(lines_of(self.path)):
            if place == row + self.header:
                return where(self.path, number)
        return named(self.path)


def named(path: Path) -> str:
    """ "ml-1m/ratings.dat": files of several data sets have the same name."""
    return f"{path.absolute().parent.name}/{path.name}"


def where(path: Path, line: int) -> str:
    """ "ml-1m/ratings.dat line 1,204"."""
    return f"{named(path)} line {line:,}"


def not_whole(name: str, text: str) -> str:
    """The rule and the remedy where an id is text, as in many exports."""
    return f"{name} {text!r} is not a whole number. Number the users and movies from 1, or fix or remove the line."


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """(line number from 1, line without its ending) of every line that is not blank."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            line = line.removeprefix(BOM) if number == 1 else line
            if line.strip():
                yield number, line.rstrip(b"\r\n")


def check_text(path: Path) -> None:
    """AicineError unless the file exists, is not empty and is a text file in UTF-8 or latin-1."""
    if not path.is_file():
        raise AicineError(f"{path.name}: the file is missing from {path.parent}. Put it there.")
    with path.open("rb") as file:
        head = file.read(65536)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in head:
        raise AicineError(f"{named(path)}: not plain text (UTF-16 or a binary file). Save it as UTF-8 text.")
    if next(lines_of(path), None) is None:
        raise AicineError(f"{named(path)}: the file is empty. Restore it or download it again.")


def check_separator(path: Path, separator: str) -> None:
    """AicineError when the first line can't be split at ``separator``, naming the one that it seems to use."""
    number, line = next(lines_of(path))
    if separator.encode() in line:
        return
    found = next((name for sep, name in SEPARATORS.items() if sep.encode() in line), None)
    seems = f"found {found}" if found else "found none"
    raise AicineError(
        f"{where(path, number)}: fields must be separated by {SEPARATORS[separator]}, {seems}. "
        f"Change the separator or rename the file to the format that it has."
    )


def numbers(path: Path, separator: str, names: list[str], kinds: dict[str, type], header: int = 0) -> Table:
    """The columns ``kinds`` (int or float each) of a file whose columns are ``names``, as int64 and float64.

    Raises AicineError with the line for a wrong count of fields, a missing value, or text in place of a number.
    """
    types = {name: pa.int64() if kind is int else pa.float64() for name, kind in kinds.items()}
    # An empty value must stay visible as missing, so nothing but "" counts as one.
    convert = arrow_csv.ConvertOptions(column_types=types, include_columns=list(kinds), null_values=[""])
    inner = _INNER if separator == "::" else separator
    quote = '"' if separator == "," else False
    read = arrow_csv.ReadOptions(column_names=names, skip_rows=header)
    try:
        parse = arrow_csv.ParseOptions(delimiter=inner, quote_char=quote)
        table = arrow_csv.read_csv(_source(path, separator), read, parse, convert)
    except pa.ArrowInvalid as error:
        raise _explain(path, separator, names, kinds, header, error) from error
    if any(column.null_count for column in table.columns):
        raise _explain(path, separator, names, kinds, header, "a value is missing")
    if not table.num_rows:
        raise AicineError(f"{named(path)}: no rows after the header. Restore it or download it again.")
    return Table(table.to_pandas(), path, header)


def _source(path: Path, separator: str) -> str | pa.BufferReader:
    if separator != "::":
        return str(path)
    content = path.read_bytes().removeprefix(BOM)
    return pa.BufferReader(content.replace(b"::", _INNER.encode()))


def _explain(
    path: Path, separator: str, names: list[str], kinds: dict[str, type], header: int, cause: object
) -> AicineError:
    """The first line that breaks a rule, found by reading line by line."""
    for place, (number, line) in enumerate(lines_of(path)):
        wrong = _wrong(line.decode("latin-1").split(separator), names, kinds) if place >= header else None
        if wrong:
            return AicineError(f"{where(path, number)}: {wrong}")
    return AicineError(f"{named(path)}: can't be read ({cause}). Restore it or download it again.")


def _wrong(fields: list[str], names: list[str], kinds: dict[str, type]) -> str | None:
    """What is wrong with one line, with the remedy; None when nothing is."""
    if len(fields) != len(names):
        found = f"{len(fields)} field{'s' * (len(fields) != 1)}"
        return f"{found} where {len(names)} ({', '.join(names)}) are needed. Fix or remove the line."
    for name, kind in kinds.items():
        text = fields[names.index(name)].strip().strip('"').strip()
        if not text:
            return f"{name} is missing. Fill it in or remove the line."
        if not _is_number(text, kind):
            return not_whole(name, text) if kind is int else f"{name} {text!r} is not a number. Fix or remove the line."
    return None


def _is_number(text: str, kind: type) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return "_" not in text  # Python reads 1_000 as a number, nothing else does


def text_lines(path: Path) -> tuple[list[str], int]:
    """Lines that are not blank, and how many of them had to be read as latin-1 because they are not UTF-8."""
    check_text(path)
    raw = [line for _, line in lines_of(path)]
    try:
        return [line.decode() for line in raw], 0
    except UnicodeDecodeError:
        decoded = [_decode(line) for line in raw]
        return [text for text, _ in decoded], sum(fell_back for _, fell_back in decoded)


def _decode(line: bytes) -> tuple[str, bool]:
    try:
        return line.decode(), False
    except UnicodeDecodeError:
        return line.decode("latin-1"), True


def fields(path: Path, lines: list[str], separator: str, names: list[str], header: int = 0) -> Table:
    """Every line split at ``separator`` into text columns ``names``; AicineError names a line with another count."""
    check_separator(path, separator)
    rows = [line.split(separator) for line in lines[header:]]
    frame = pd.DataFrame(rows if all(len(row) == len(names) for row in rows) else [], columns=names, dtype=object)
    if rows and frame.empty:
        raise _explain(path, separator, names, {}, header, "uneven lines")
    return Table(frame, path, header)


def csv_fields(path: Path, lines: list[str]) -> Table:
    """A CSV file with a header as text columns, quotes obeyed."""
    check_separator(path, ",")
    try:
        frame = pd.read_csv(io.StringIO("\n".join(lines)), dtype=str, keep_default_na=False, index_col=False)
    except pd.errors.ParserError as error:
        raise AicineError(f"{named(path)}: {str(error).strip()}. Quote fields that contain a comma.") from error
    return Table(frame.astype(object), path, header=1)


def whole_numbers(table: Table, name: str) -> pd.Series:
    """A text column as int64; AicineError names the line of the first value that is no whole number."""
    parsed = pd.to_numeric(table.frame[name], errors="coerce")
    wrong = (parsed.isna() | (parsed % 1 != 0)).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        text = str(table.frame[name].iloc[row]).strip()
        rule = not_whole(name, text) if text else f"{name} is missing. Fill it in or remove the line."
        raise AicineError(f"{table.at(row)}: {rule}")
    return parsed.astype("int64")
