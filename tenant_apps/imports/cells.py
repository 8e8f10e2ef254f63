"""Splits the lines of a CSV file into cells, so that a spoilt line spoils no other."""

import csv
from collections import deque
from collections.abc import Iterator
from itertools import islice

# A quoted cell may go over so many lines.
_MOST_LINES = 4


def cells_of_lines(
    *, lines: Iterator[str], width: int, first: int
) -> Iterator[tuple[int, list[str]]]:
    """Each row's line number (the first line is `first`) and its cells.

    Every line is read by itself: a quotation mark too many must not swallow the rows that follow.
    Only where a cell in quotation marks goes on in the next lines, and the row has `width` cells
    with them, they are one row. A line whose quotation marks do not fit is cut at its commas.
    """
    ahead: deque[str] = deque()
    number = first
    while _fill(ahead, lines, 1):
        count, cells = _row(ahead, lines, width)
        yield number, cells
        for _ in range(count):
            ahead.popleft()
        number += count


def _fill(ahead: deque[str], lines: Iterator[str], count: int) -> bool:
    ahead.extend(islice(lines, max(count - len(ahead), 0)))
    return len(ahead) >= count


def _row(ahead: deque[str], lines: Iterator[str], width: int) -> tuple[int, list[str]]:
    cells = _cells(ahead[0])
    if cells is not None:
        return 1, cells
    for count in range(2, _MOST_LINES + 1):
        if not _fill(ahead, lines, count):
            break
        cells = _cells("".join(islice(ahead, count)))
        if cells is not None and len(cells) == width:
            return count, cells
    return 1, ahead[0].rstrip("\n").split(",")


def _cells(text: str) -> list[str] | None:
    """None where the quotation marks do not fit."""
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error:
        return None
    return rows[0] if rows else []
