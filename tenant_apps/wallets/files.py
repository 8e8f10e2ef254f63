"""CSV that people upload: read as it streams, in bounded lines, with the columns by name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import IO

from tenant_apps.wallets import errors

_LONGEST_LINE = 4096


def rows_of(file: IO[bytes], *, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line number, by the names of its columns; other columns are left out.

    :raises FileUnreadable: it is not UTF-8, a line is absurdly long, or a column is missing or
        named twice.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    # The line that is read: what refuses it says which it is.
    at = [0]
    try:
        reader = csv.reader(_bounded(text, at))
        head = [name.strip().lower() for name in next(reader, [])]
        places = _places(head, columns)
        for row in reader:
            if any(cell.strip() for cell in row):
                yield (
                    reader.line_num,
                    {
                        name: row[place].strip() if place < len(row) else ""
                        for name, place in places.items()
                    },
                )
    except UnicodeDecodeError as problem:
        # It is decoded in portions: nobody knows the line.
        raise _refusal("It is not UTF-8. Save it as CSV in UTF-8.") from problem
    except csv.Error as problem:
        raise _refusal(f"Line {at[0]} is not CSV.") from problem
    finally:
        # Whoever opened the file closes it.
        text.detach()


def _places(head: list[str], columns: tuple[str, ...]) -> dict[str, int]:
    wanted = f"The first line names the columns, separated by commas: {', '.join(columns)}."
    for name in columns:
        if head.count(name) != 1:
            how = "is not there" if name not in head else "is there more than once"
            raise _refusal(f"{wanted} {name} {how}.")
    return {name: head.index(name) for name in columns}


def _bounded(text: io.TextIOWrapper, at: list[int]) -> Iterator[str]:
    while True:
        at[0] += 1
        line = text.readline(_LONGEST_LINE + 1)
        if not line:
            return
        if len(line) > _LONGEST_LINE:
            raise _refusal(f"Line {at[0]} is longer than {_LONGEST_LINE} characters.")
        if "\x00" in line:
            raise _refusal(f"Line {at[0]} is not text.")
        yield line


def _refusal(detail: str) -> errors.FileUnreadable:
    return errors.FileUnreadable.field("file", detail=detail)
