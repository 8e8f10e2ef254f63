"""Reads tables of exchange rates as the European Central Bank publishes them: no Django here.

The first column is the date, every other column a currency; a cell says how many units of that
currency one euro bought, or that there is none (N/A). Days come in any order.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

BASE = "EUR"

_CODE = re.compile(r"[A-Z]{3}")
_NONE = {"", "N/A"}
_LIMIT = Decimal(10) ** 10
_DECIMALS = 10


class BadTable(ValueError):
    """The table cannot be read; the message names the line."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many units of `quote` one unit of `base` bought on a day."""

    day: date
    base: str
    quote: str
    rate: Decimal


def read_rates(lines: Iterable[str]) -> Iterator[Rate]:
    """The rates of a table, row by row, never more than one row in memory.

    :raises BadTable: a line is not of the shape described above.
    """
    rows = csv.reader(lines)
    header = [cell.strip() for cell in next(rows, [])]
    # The bank ends each line with a comma, which makes an empty last column.
    codes = header[1:-1] if header and header[-1] == "" else header[1:]
    if not header or header[0].lstrip("\ufeff") != "Date" or not codes:
        raise BadTable("line 1: the first column is called Date, the others are currencies")
    if len(set(codes)) != len(codes) or not all(_CODE.fullmatch(code) for code in codes):
        raise BadTable("line 1: a column is not a currency, or stands twice")
    for cells in rows:
        if cells:
            yield from _row(cells, codes, line=rows.line_num)


def _row(cells: list[str], codes: list[str], *, line: int) -> Iterator[Rate]:
    if not len(codes) + 1 <= len(cells) <= len(codes) + 2:
        raise BadTable(f"line {line}: {len(cells)} cells, {len(codes) + 1} columns")
    try:
        day = date.fromisoformat(cells[0].strip())
    except ValueError:
        raise BadTable(f"line {line}: {cells[0]!r} is not a date") from None
    for code, cell in zip(codes, cells[1:], strict=False):
        text = cell.strip()
        if text not in _NONE:
            yield Rate(day, BASE, code, _rate(text, line=line, code=code))


def _rate(text: str, *, line: int, code: str) -> Decimal:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        raise BadTable(f"line {line}: {text!r} is not a rate of {code}") from None
    exponent = rate.as_tuple().exponent
    if not rate.is_finite() or not 0 < rate < _LIMIT:
        raise BadTable(f"line {line}: {text!r} is not a rate of {code}")
    if not isinstance(exponent, int) or exponent < -_DECIMALS:
        raise BadTable(f"line {line}: {text!r} has more than {_DECIMALS} decimals")
    return rate
