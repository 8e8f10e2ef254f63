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

    :raises FileUnreadable: it is not UTF-8, a line is absurdly long, or a column is missing.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        reader = csv.reader(_bounded(text))
        head = [name.strip().lower() for name in next(reader, [])]
        missing = [name for name in columns if name not in head]
        if missing:
            raise errors.FileUnreadable(f"The first line must name: {', '.join(columns)}.")
        places = {name: head.index(name) for name in columns}
        for row in reader:
            if any(cell.strip() for cell in row):
                yield (
                    reader.line_num,
                    {
                        name: row[place].strip() if place < len(row) else ""
                        for name, place in places.items()
                    },
                )
    except (UnicodeDecodeError, csv.Error) as problem:
        raise errors.FileUnreadable from problem
    finally:
        # Whoever opened the file closes it.
        text.detach()


def _bounded(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE or "\x00" in line:
            raise errors.FileUnreadable("A line is too long, or no text.")
        yield line
